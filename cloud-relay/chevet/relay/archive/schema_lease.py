"""The archive's tables for several workers: who sends down to the sites, and what the others heard for it."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Table

from chevet.relay.archive.schema import metadata

leases = Table(  # work that one process does for all, as long as it says so in time
    "lease",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("holder", String(80), nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("told", BigInteger, nullable=False),  # number of the last receipt that went out as news
)

overheard = Table(  # what sites said to a worker that does not send; the one that does takes it from here
    "overheard",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("site", ForeignKey("site.code"), nullable=False),
    Column("payload", LargeBinary, nullable=False),  # empty: the site is there and asks
    Column("at_ms", BigInteger, nullable=False),
)
