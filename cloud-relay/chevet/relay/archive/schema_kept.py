"""The archive's tables of what specialists keep on their own devices, and of drafts of answers."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Table

from chevet.relay.archive.schema import metadata

kept_devices = Table(  # browsers that keep cases for reading offline
    "kept_device",
    metadata,
    Column("id", String(16), primary_key=True),  # what a list shows; opens nothing
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("user_id", ForeignKey("app_user.id"), nullable=False, index=True),
    Column("session_id", String(16), nullable=False),  # the session it was last seen with
    Column("browser", String(40), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),  # from then on it must forget what it keeps
)

kept_cases = Table(
    "kept_case",
    metadata,
    Column("device", ForeignKey("kept_device.id"), primary_key=True),
    Column("case_id", String(36), primary_key=True),
    Column("kept_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)

answer_drafts = Table(  # words under a key that is not in the archive
    "answer_draft",
    metadata,
    Column("case_id", String(36), primary_key=True),
    Column("user_id", ForeignKey("app_user.id"), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("opinions", Integer, nullable=False),  # how many there were when it was written
    Column("at_ms", BigInteger, nullable=False),
)
