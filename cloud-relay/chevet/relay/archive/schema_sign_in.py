"""The archive's tables for signing in by passkey and by an identity provider."""

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, String, Table, Text, UniqueConstraint

from chevet.relay.archive.schema import metadata

passkeys = Table(  # public halves only: nothing here signs anybody in
    "passkey",
    metadata,
    Column("id", String(16), primary_key=True),  # what a list shows; opens nothing
    Column("user_id", ForeignKey("app_user.id"), nullable=False, index=True),
    Column("credential", LargeBinary, nullable=False, unique=True),  # the authenticator's own name for it
    Column("public_key", LargeBinary, nullable=False),  # COSE
    Column("counter", BigInteger, nullable=False),  # of the last use; 0 where the authenticator has none
    Column("name", String(60), nullable=False),  # as its owner calls it
    Column("transports", String(80), nullable=False),  # how a browser reaches it, with commas between
    Column("created_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
)

challenges = Table(  # what was asked of a browser and not answered yet; each is taken once
    "challenge",
    metadata,
    Column("holder", String(64), primary_key=True),  # hash of the session or sign-in try and of the purpose
    Column("value", LargeBinary, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
)

provider_links = Table(  # who somebody is at the identity provider, from the first sign-in on
    "provider_link",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("user_id", ForeignKey("app_user.id"), nullable=False),
    Column("linked_ms", BigInteger, nullable=False),
    UniqueConstraint("issuer", "user_id"),
)
