"""The archive's tables. Patient data is never a column: it stays sealed in objects and is opened on read.

Times are Unix ms by the relay's clock. Ids of bundles, cases, recordings, opinions and messages are UUIDv7
text. Every change of this file needs a new migration in `migrations/versions`.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

Found = Row[*tuple[Any, ...]]
"""A row as it comes back; columns are reached by name."""

sites = Table(
    "site",
    metadata,
    Column("code", String(6), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("phone", String(40), nullable=False),
    Column("verify_key", LargeBinary(32), nullable=False),
    Column("seal_key", LargeBinary(32), nullable=False),
    Column("added_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
)

invites = Table(  # one-time codes: what proves one, never the code itself
    "invite",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("site", String(6), nullable=False),
    Column("name", String(200), nullable=False),
    Column("phone", String(40), nullable=False),
    Column("proof_key", LargeBinary(32), nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False, default=0),
    Column("verify_key", LargeBinary(32)),  # of the box that used it
)

certificates = Table(
    "certificate",
    metadata,
    Column("serial", String(40), primary_key=True),  # hexadecimal
    Column("site", ForeignKey("site.code"), nullable=False, index=True),
    Column("issued_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
)

users = Table(
    "app_user",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    Column("specialty", String(40), nullable=False),
    Column("languages", String(100), nullable=False),  # codes with commas between them
    Column("password_hash", String(200), nullable=False),
    Column("public_key", LargeBinary(32), nullable=False),
    Column("locked_key", LargeBinary, nullable=False),  # private key under the password
    Column("created_ms", BigInteger, nullable=False),
    Column("disabled_ms", BigInteger),
    Column("first_until_ms", BigInteger),  # until when a password that somebody else gave opens anything
)

sessions = Table(
    "session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("id", String(16), nullable=False, unique=True),  # what a list shows; opens nothing
    Column("user_id", ForeignKey("app_user.id"), nullable=False),
    Column("stage", String(8), nullable=False),  # "open", or what is still missing: "code", "enrol"
    Column("browser", String(40), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("factor_ms", BigInteger),  # when the second factor was last given
    Column("expires_ms", BigInteger, nullable=False),
)

second_factors = Table(
    "second_factor",
    metadata,
    Column("user_id", ForeignKey("app_user.id"), primary_key=True),
    Column("secret", LargeBinary, nullable=False),  # sealed under a key that is not in the archive
    Column("created_ms", BigInteger, nullable=False),
    Column("confirmed_ms", BigInteger),
    Column("last_step", BigInteger, nullable=False),  # of the last code taken: none is taken twice
)

recovery_codes = Table(
    "recovery_code",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    Column("user_id", ForeignKey("app_user.id"), nullable=False, index=True),
    Column("used_ms", BigInteger),
)

specialist_keys = Table(  # for sealed cases; rows are kept, so that their count numbers the roster
    "specialist_key",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("user_id", ForeignKey("app_user.id"), nullable=False, index=True),
    Column("seal_key", LargeBinary(32), nullable=False),
    Column("sign_key", LargeBinary(32), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),  # both private halves, under a passphrase unknown here
    Column("registered_ms", BigInteger, nullable=False),
    Column("confirmed_ms", BigInteger),
    Column("confirmed_by", String(80), nullable=False, default=""),
    Column("certificate", LargeBinary),
    Column("revoked_ms", BigInteger),
)

failures = Table(  # wrong passwords, by the id that was tried: existing or not
    "sign_in_failure",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("user_hash", String(64), nullable=False, index=True),
    Column("at_ms", BigInteger, nullable=False),
)

bundles = Table(
    "bundle",
    metadata,
    Column("tid", String(16), primary_key=True),  # the transfer's short name, in hexadecimal
    Column("id", String(36), nullable=False, index=True),
    Column("direction", String(4), nullable=False),  # "up" or "down"
    Column("site", ForeignKey("site.code"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("case_id", String(36), nullable=False, index=True),
    Column("label", String(16), nullable=False),
    Column("manifest", LargeBinary, nullable=False),
    Column("content_sha256", String(64)),  # over the opened parts; equal at both ends
    Column("received_ms", BigInteger, nullable=False),
    Column("complete_ms", BigInteger),
    Column("refused", String(64), nullable=False, default=""),
    Column("wire_bytes", BigInteger, nullable=False, default=0),
)

objects = Table(
    "object",
    metadata,
    Column("tid", ForeignKey("bundle.tid"), primary_key=True),
    Column("oid", Integer, primary_key=True, autoincrement=False),
    Column("layer", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("have", Integer, nullable=False, default=0),
    Column("name", String(64)),  # in the object folder, once whole and verified
    Column("stored_ms", BigInteger),
    Column("kind", String(16)),  # these four once it was opened
    Column("media_type", String(64)),
    Column("recording", String(36)),
    Column("number", Integer),
)

chunks = Table(  # until the object is whole; then it is one file and these rows go
    "chunk",
    metadata,
    Column("tid", ForeignKey("bundle.tid"), primary_key=True),
    Column("oid", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)

cases = Table(
    "study_case",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("site", ForeignKey("site.code"), nullable=False),
    Column("tid", ForeignKey("bundle.tid"), nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("urgency", String(16), nullable=False),
    Column("specialty", String(40), nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("claimed_by", ForeignKey("app_user.id")),
    Column("claimed_ms", BigInteger),
    Column("opened_ms", BigInteger),
    Column("answered_ms", BigInteger),
    Column("rank", Integer, nullable=False, default=2),  # 0 emergency, 1 urgent, 2 routine
    Column("language", String(8), nullable=False, default=""),  # the patient's; "" where it is sealed
    Column("worker", String(64), nullable=False, default=""),
    Column("due_ms", BigInteger, nullable=False, default=0),  # when an answer should be there
    Column("allocated_to", String(64)),  # who is asked to answer; anybody may still claim
    Column("allocated_by", String(64), nullable=False, default=""),
    Column("allocated_ms", BigInteger),
    Column("first_taken_ms", BigInteger),  # first allocated or claimed: kept when it is given back
    Column("snoozed_until_ms", BigInteger),
    Column("snoozed_why", String(24), nullable=False, default=""),
    Column("feedback", String(8), nullable=False, default=""),  # one of FACES: the worker, of the answer
)
Index(  # the inbox's order over what waits, however many were answered
    "ix_study_case_waiting",
    cases.c.rank,
    cases.c.received_ms,
    sqlite_where=cases.c.answered_ms.is_(None),
    postgresql_where=cases.c.answered_ms.is_(None),
)
Index("ix_study_case_answered", cases.c.answered_ms)
Index("ix_study_case_received", cases.c.received_ms)

answers = Table(  # opinions, messages and voice notes; their words are in the sealed bundle of the same row
    "answer",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("tid", ForeignKey("bundle.tid"), nullable=False, unique=True),
    Column("case_id", String(36), nullable=False, index=True),  # a message may come before its case
    Column("kind", String(16), nullable=False),  # "opinion", "message" or "voice"
    Column("version", Integer, nullable=False),
    Column("author", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

receipts = Table(
    "receipt",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("bundle_id", String(36), nullable=False),
    Column("kind", String(16), nullable=False),  # "complete", "opened", "answered" or "wanted"
    Column("payload", LargeBinary, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    UniqueConstraint("bundle_id", "kind"),
)

dead_letters = Table(
    "dead_letter",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("site", String(64), nullable=False),
    Column("bundle_id", String(36), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("times", Integer, nullable=False, default=1),
    UniqueConstraint("site", "reason", "sha256"),
)

changes = Table(  # what the desks that are open must hear of, whichever process did it
    "change",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("case_id", String(36), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

drawings = Table(  # on pictures: numbers only, see `drawings.py`
    "drawing",
    metadata,
    Column("case_id", String(36), primary_key=True),
    Column("recording", String(36), primary_key=True),
    Column("picture", Integer, primary_key=True, autoincrement=False),
    Column("author", ForeignKey("app_user.id"), primary_key=True),
    Column("shapes", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

stock = Table(  # medicines of a site, in the order of its list
    "stock",
    metadata,
    Column("site", ForeignKey("site.code"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("medicine", String(200), nullable=False),
)

broken_glass = Table(
    "broken_glass",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("case_id", String(36), nullable=False, index=True),
    Column("user_id", ForeignKey("app_user.id"), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("reviewed_ms", BigInteger),
    Column("reviewed_by", String(64)),
)

withdrawals = Table(  # purposes that a patient no longer consents to
    "withdrawal",
    metadata,
    Column("case_id", String(36), primary_key=True),
    Column("purpose", String(16), primary_key=True),
    Column("who", String(80), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

erasures = Table(  # cases that are hidden, and when what they held goes or went
    "erasure",
    metadata,
    Column("case_id", String(36), primary_key=True),
    Column("reason", String(16), nullable=False),  # "consent", "retention" or "order"
    Column("asked_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("destroyed_ms", BigInteger),
    Column("receipt", LargeBinary),
    Column("begun_ms", BigInteger),  # from then on it is not taken back: objects go one by one
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", String(80), nullable=False),
    Column("what", String(40), nullable=False),
    Column("subject", String(80), nullable=False),
    Column("detail", String(200), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("mac", String(64), nullable=False),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("mac", String(64), nullable=False),
)
