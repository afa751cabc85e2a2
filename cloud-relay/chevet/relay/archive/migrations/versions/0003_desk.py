"""The desk: arrows and circles on pictures, and each site's stock of medicines."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of drawings and stock."""
    op.create_table(
        "drawing",
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("recording", sa.String(length=36), nullable=False),
        sa.Column("picture", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("shapes", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["author"], ["app_user.id"]),
        sa.PrimaryKeyConstraint("case_id", "recording", "picture", "author"),
    )
    op.create_table(
        "stock",
        sa.Column("site", sa.String(length=6), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("medicine", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.code"]),
        sa.PrimaryKeyConstraint("site", "place"),
    )


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("stock")
    op.drop_table("drawing")
