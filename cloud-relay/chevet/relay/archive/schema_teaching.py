"""One more of the archive's tables: lessons of the teaching library.

A lesson's words are sealed in its row; what it shows of recordings stays in the case and is masked on read.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, String, Table

from chevet.relay.archive.schema import metadata

lessons = Table(
    "lesson",
    metadata,
    Column("id", String(36), primary_key=True),  # random, not UUIDv7: it must not tell a time
    Column("case_id", String(36), nullable=False, index=True),
    Column("added_by", ForeignKey("app_user.id"), nullable=False),
    Column("added_ms", BigInteger, nullable=False),
    Column("approved_by", ForeignKey("app_user.id")),
    Column("approved_ms", BigInteger),
    Column("taken_down_by", String(64), nullable=False, default=""),
    Column("taken_down_ms", BigInteger),
    Column("words", LargeBinary),  # none once the case was destroyed
)
