"""What a worker thought of the answer, counted in the programme's report."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what workers said before is in sealed messages and is not counted."""
    op.add_column("study_case", sa.Column("feedback", sa.String(length=8), nullable=False, server_default=""))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("study_case", "feedback")
