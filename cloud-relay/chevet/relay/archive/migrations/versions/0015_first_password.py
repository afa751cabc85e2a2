"""Accounts: a first password, given by somebody else, holds until its owner chose another."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the passwords that are there are their owners'."""
    op.add_column("app_user", sa.Column("first_until_ms", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("app_user") as table:
        table.drop_column("first_until_ms")
