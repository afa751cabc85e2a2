"""Discussions of a case: the appointment, who was invited and came, what was said with its versions."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the four tables."""
    op.create_table(
        "discussion",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("opened_by", sa.String(length=64), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("starts_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["opened_by"], ["app_user.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_discussion_case_id"), "discussion", ["case_id"])
    _members()
    _words()


def _members() -> None:
    op.create_table(
        "discussion_member",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("discussion", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("invited_by", sa.String(length=64), nullable=False),
        sa.Column("invited_ms", sa.BigInteger(), nullable=False),
        sa.Column("came_ms", sa.BigInteger(), nullable=True),
        sa.Column("seen_ms", sa.BigInteger(), nullable=True),
        sa.Column("part_ms", sa.BigInteger(), nullable=True),
        sa.Column("left_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["discussion"], ["discussion.id"]),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"]),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("discussion", "user_id"),
    )
    op.create_index(op.f("ix_discussion_member_user_id"), "discussion_member", ["user_id"])


def _words() -> None:
    op.create_table(
        "discussion_word",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("discussion", sa.String(length=36), nullable=False),
        sa.Column("said", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["discussion"], ["discussion.id"]),
        sa.ForeignKeyConstraint(["author"], ["app_user.id"]),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("said", "version"),
    )
    op.create_index(op.f("ix_discussion_word_discussion"), "discussion_word", ["discussion"])
    op.create_table(
        "discussion_draft",
        sa.Column("discussion", sa.String(length=36), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["discussion"], ["discussion.id"]),
        sa.ForeignKeyConstraint(["author"], ["app_user.id"]),
        sa.PrimaryKeyConstraint("discussion", "author"),
    )


def downgrade() -> None:
    """Drop what this version added."""
    for table in ("discussion_draft", "discussion_word", "discussion_member", "discussion"):
        op.drop_table(table)
