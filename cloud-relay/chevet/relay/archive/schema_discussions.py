"""More of the archive's tables: discussions of a case among several experts.

What people write there is about a patient, so it is sealed in its row and opened on read, as studies are in
their objects. Rows of words are only added: what was changed or taken back keeps its earlier versions.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from chevet.relay.archive.schema import metadata

discussions = Table(
    "discussion",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("case_id", String(36), nullable=False, index=True),
    Column("opened_by", ForeignKey("app_user.id"), nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("starts_ms", BigInteger, nullable=False),  # the appointment; anybody invited may write before
    Column("until_ms", BigInteger, nullable=False),  # from then on an invitation opens nothing
    Column("closed_ms", BigInteger),
    Column("closed_by", String(64), nullable=False, default=""),
)

members = Table(
    "discussion_member",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("discussion", ForeignKey("discussion.id"), nullable=False),
    Column("user_id", ForeignKey("app_user.id"), nullable=False, index=True),
    Column("invited_by", String(64), nullable=False),
    Column("invited_ms", BigInteger, nullable=False),
    Column("came_ms", BigInteger),  # read it for the first time
    Column("seen_ms", BigInteger),  # read it last
    Column("part_ms", BigInteger),  # wrote, or was there as who closed it says
    Column("left_ms", BigInteger),  # the invitation was taken back
    UniqueConstraint("discussion", "user_id"),
)

discussion_words = Table(
    "discussion_word",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("discussion", ForeignKey("discussion.id"), nullable=False, index=True),
    Column("said", String(36), nullable=False),  # the same for all versions of one thing said
    Column("version", Integer, nullable=False),
    Column("kind", String(12), nullable=False),  # "agenda", "comment" or "conclusion"
    Column("author", ForeignKey("app_user.id"), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("words", LargeBinary),  # none where the author took it back
    UniqueConstraint("said", "version"),
)

discussion_drafts = Table(  # what somebody is writing and nobody else sees
    "discussion_draft",
    metadata,
    Column("discussion", ForeignKey("discussion.id"), primary_key=True),
    Column("author", ForeignKey("app_user.id"), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("words", LargeBinary, nullable=False),
)
