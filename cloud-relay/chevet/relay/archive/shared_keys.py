"""Keys of sealed bundles, wrapped once more for a specialist who was confirmed later.

A box seals to the roster as it was. Whoever it sealed to can open the bundle's key in their browser and wrap
it for a colleague; the relay keeps the wrap and could not open it. What it opens is authenticated by the
box's own manifest, so a false wrap opens nothing.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import BigInteger, Column, Connection, ForeignKey, LargeBinary, String, Table, select
from sqlalchemy import delete as delete_rows
from sqlalchemy import insert as insert_rows

from chevet.relay.archive.audit import Audit
from chevet.relay.archive.roster import CONFIRMED, SpecialistKey
from chevet.relay.archive.schema import bundles, metadata
from chevet.relay.errors import RefusedError

WRAP_BYTES = 80
"""Encapsulation of 32 bytes, and a 32-byte key with its tag."""

shared_wraps = Table(
    "shared_wrap",
    metadata,
    Column("bundle_id", String(36), primary_key=True),
    Column("kid", LargeBinary(8), primary_key=True),
    Column("case_id", String(36), nullable=False, index=True),
    Column("wrap", LargeBinary(WRAP_BYTES), nullable=False),
    Column("given_by", ForeignKey("app_user.id"), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)


def kids_of(connection: Connection, case_id: str) -> frozenset[bytes]:
    """Return the short names of the keys to which a case's study was wrapped later."""
    query = select(shared_wraps.c.kid).where(
        shared_wraps.c.case_id == case_id, shared_wraps.c.bundle_id == case_id
    )
    return frozenset(bytes(name) for name in connection.execute(query).scalars())


def wraps_for(connection: Connection, case_id: str, kid: bytes) -> dict[str, bytes]:
    """Return by bundle what was wrapped later for one key."""
    query = select(shared_wraps.c.bundle_id, shared_wraps.c.wrap).where(
        shared_wraps.c.case_id == case_id, shared_wraps.c.kid == kid
    )
    return {row.bundle_id: bytes(row.wrap) for row in connection.execute(query)}


def share(
    connection: Connection,
    audit: Audit,
    now: int,
    case_id: str,
    giver: SpecialistKey | None,
    taker: SpecialistKey | None,
    wraps: Mapping[str, bytes],
) -> None:
    """Keep the keys of a case's bundles as `giver` wrapped them for `taker`, in place of earlier ones.

    Raises:
        RefusedError: 409 `key_not_confirmed`, 422 `malformed`.
    """
    if giver is None or taker is None or {giver.state, taker.state} != {CONFIRMED}:
        raise RefusedError(409, "key_not_confirmed", "Both keys must be confirmed: ask a coordinator.")
    known = set(connection.execute(select(bundles.c.id).where(bundles.c.case_id == case_id)).scalars())
    if not wraps.keys() <= known or case_id not in wraps or _wrong(wraps.values()):
        raise RefusedError(422, "malformed", "These are no keys of this case: reload the page.")
    mine = shared_wraps.c.kid == taker.kid, shared_wraps.c.bundle_id.in_(list(wraps))
    connection.execute(delete_rows(shared_wraps).where(*mine))
    row = {"case_id": case_id, "kid": taker.kid, "given_by": giver.user, "at_ms": now}
    connection.execute(
        insert_rows(shared_wraps),
        [row | {"bundle_id": bundle, "wrap": wrap} for bundle, wrap in wraps.items()],
    )
    audit.add(connection, now, giver.user, "case.share", case_id, f"to {taker.user} {taker.fingerprint}")


def forget(connection: Connection, case_id: str) -> None:
    """Forget what was wrapped of a case that is destroyed."""
    connection.execute(delete_rows(shared_wraps).where(shared_wraps.c.case_id == case_id))


def _wrong(wraps: Iterable[bytes]) -> bool:
    return any(len(wrap) != WRAP_BYTES for wrap in wraps)
