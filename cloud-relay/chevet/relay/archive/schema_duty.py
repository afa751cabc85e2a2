"""More of the archive's tables: who is on duty, how they are reached, what they were told, what is counted.

No patient data here either: a recording counts with its step, device and quality, never with what it shows.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from chevet.relay.archive.schema import metadata

on_call = Table(
    "on_call",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("user_id", ForeignKey("app_user.id"), nullable=False, index=True),
    Column("from_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False, index=True),
)

contacts = Table(
    "contact",
    metadata,
    Column("user_id", ForeignKey("app_user.id"), primary_key=True),
    Column("email", String(254), nullable=False),
)

alerts = Table(  # one row for each person and step of the ladder: sent once, whichever process sends it
    "alert",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("case_id", String(36), nullable=False, index=True),
    Column("rung", String(8), nullable=False),  # "0", "1", "2", "late", "asked", "invited", "soon"
    Column("round", BigInteger, nullable=False, default=0),  # tells allocations of one case apart
    Column("channel", String(8), nullable=False),  # "push", "email" or "webhook"
    Column("to", Text, nullable=False),  # user id, an address of last resort, or for the webhook all ids
    Column("made_ms", BigInteger, nullable=False),
    Column("next_ms", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("state", String(8), nullable=False),  # "waiting", "sent", "failed" or "needless"
    Column("problem", String(64), nullable=False, default=""),
    Column("sent_ms", BigInteger),
    UniqueConstraint("case_id", "rung", "round", "channel", "to"),
)

browsers = Table(  # of people who want alerts there; a push service's address and the browser's own keys
    "push_browser",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("user_id", ForeignKey("app_user.id"), nullable=False, index=True),
    Column("endpoint", Text, nullable=False, unique=True),
    Column("point", LargeBinary, nullable=False),
    Column("auth", LargeBinary, nullable=False),
    Column("browser", String(40), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("taken_ms", BigInteger),  # when the service last took an alert
)

recording_facts = Table(  # what the programme's report counts
    "recording_fact",
    metadata,
    Column("case_id", ForeignKey("study_case.id"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("step", String(32), nullable=False),
    Column("driver", String(64), nullable=False),
    Column("score", Float, nullable=False),
    Column("usable", Boolean, nullable=False),
)
