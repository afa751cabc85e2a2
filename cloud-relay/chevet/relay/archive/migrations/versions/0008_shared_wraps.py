"""Sealed cases: their keys, wrapped by a specialist's browser for one who was confirmed later."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "shared_wrap",
        sa.Column("bundle_id", sa.String(length=36), nullable=False),
        sa.Column("kid", sa.LargeBinary(length=8), nullable=False),
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("wrap", sa.LargeBinary(length=80), nullable=False),
        sa.Column("given_by", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["given_by"], ["app_user.id"]),
        sa.PrimaryKeyConstraint("bundle_id", "kid"),
    )
    op.create_index(op.f("ix_shared_wrap_case_id"), "shared_wrap", ["case_id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("shared_wrap")
