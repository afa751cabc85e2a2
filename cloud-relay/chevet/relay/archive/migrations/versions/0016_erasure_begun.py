"""When the destruction of a case began: from then on it is not taken back, and goes on until it is done."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; destructions of before were begun and done in one."""
    op.add_column("erasure", sa.Column("begun_ms", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("erasure", "begun_ms")
