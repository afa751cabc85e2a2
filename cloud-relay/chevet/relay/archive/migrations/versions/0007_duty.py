"""Duty: due times, allocation and snoozing of cases; on-call times, contacts, alerts, and what is counted.

Cases of before are due as the first defaults say; their language, worker and recordings are filled in by the
running relay, which alone can open them.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

DUE_MINUTES = {"emergency": (0, 30), "urgent": (1, 120), "routine": (2, 1440)}


def _columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("rank", sa.Integer(), nullable=False, server_default="2"),
        sa.Column("language", sa.String(length=8), nullable=False, server_default=""),
        sa.Column("worker", sa.String(length=64), nullable=False, server_default=""),
        sa.Column("due_ms", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("allocated_to", sa.String(length=64), nullable=True),
        sa.Column("allocated_by", sa.String(length=64), nullable=False, server_default=""),
        sa.Column("allocated_ms", sa.BigInteger(), nullable=True),
        sa.Column("first_taken_ms", sa.BigInteger(), nullable=True),
        sa.Column("snoozed_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("snoozed_why", sa.String(length=24), nullable=False, server_default=""),
    )


def upgrade() -> None:
    """Add the columns with their indices, and the four tables."""
    for column in _columns():
        op.add_column("study_case", column)
    cases = sa.table(
        "study_case",
        sa.column("urgency"),
        sa.column("rank"),
        sa.column("due_ms"),
        sa.column("received_ms"),
        sa.column("first_taken_ms"),
        sa.column("claimed_ms"),
        sa.column("answered_ms"),
    )
    op.execute(
        sa.update(cases).values(first_taken_ms=sa.func.coalesce(cases.c.claimed_ms, cases.c.answered_ms))
    )
    op.execute(sa.update(cases).values(due_ms=cases.c.received_ms + 1440 * 60_000))
    for urgency, (rank, minutes) in DUE_MINUTES.items():
        due = cases.c.received_ms + minutes * 60_000
        op.execute(sa.update(cases).where(cases.c.urgency == urgency).values(rank=rank, due_ms=due))
    waiting = sa.text("answered_ms IS NULL")
    op.create_index(
        "ix_study_case_waiting",
        "study_case",
        ["rank", "received_ms"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_index("ix_study_case_answered", "study_case", ["answered_ms"])
    op.create_index("ix_study_case_received", "study_case", ["received_ms"])
    _people()
    _counted()


def _people() -> None:
    op.create_table(
        "on_call",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"]),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index(op.f("ix_on_call_user_id"), "on_call", ["user_id"])
    op.create_index(op.f("ix_on_call_until_ms"), "on_call", ["until_ms"])
    op.create_table(
        "contact",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"]),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "alert",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("rung", sa.String(length=8), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("next_ms", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("problem", sa.String(length=64), nullable=False),
        sa.Column("sent_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("case_id", "rung", "round", "channel", "to"),
    )
    op.create_index(op.f("ix_alert_case_id"), "alert", ["case_id"])


def _counted() -> None:
    op.create_table(
        "recording_fact",
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step", sa.String(length=32), nullable=False),
        sa.Column("driver", sa.String(length=64), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("usable", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["study_case.id"]),
        sa.PrimaryKeyConstraint("case_id", "place"),
    )


def downgrade() -> None:
    """Drop what this version added."""
    for table in ("recording_fact", "alert", "contact", "on_call"):
        op.drop_table(table)
    for index in ("received", "answered", "waiting"):
        op.drop_index(f"ix_study_case_{index}", "study_case")
    for column in _columns():
        op.drop_column("study_case", str(column.name))
