"""What the store of objects holds beside what the archive names: checking both against each other.

An object is in the store before a row names it, so a cut between the two leaves one that nobody names. It is
ciphertext of a case that may have been destroyed since, so it goes, once it is old enough to be nobody's work
under way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from chevet.exchange.manifest import digest, read_manifest
from chevet.relay.accounts.users import OPERATOR
from chevet.relay.archive.erased import begun, held
from chevet.relay.archive.objects import Kept
from chevet.relay.archive.schema import bundles, objects
from chevet.relay.errors import ArchiveError
from chevet.relay.relay import Relay

OLD_S: Final = 24 * 3600.0
"""Whoever stores an object names it within seconds, and storing it again makes it young."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Store and archive side by side: how many objects cases hold, which of these lack, which nobody names.

    Objects of a case whose destruction has begun are neither: they go one by one, and their names last.
    """

    named: int
    missing: tuple[str, ...]
    orphans: tuple[Kept, ...]


def compare(relay: Relay) -> Compared:
    """List store and archive; the store first, so that what arrives meanwhile is no orphan."""
    kept = {one.name: one for one in relay.objects.every()}
    named, needed = _named(relay)
    missing = tuple(name for name in sorted(needed - kept.keys()) if not relay.objects.has(name))
    return Compared(len(needed), missing, tuple(kept[name] for name in sorted(kept.keys() - named)))


def damaged(relay: Relay) -> list[str]:
    """Read every object that a case holds; return the names of those that are missing or damaged.

    Raises:
        StoreAwayError: the store does not answer; nothing is said of any object then.
    """
    return [name for name in sorted(_named(relay)[1]) if not _whole(relay, name)]


def delivered(relay: Relay, site: str = "") -> Iterator[tuple[str, str]]:
    """Yield id and digest of every whole bundle that a site sent, its bytes read back now.

    What was destroyed lawfully is not among them.

    The digest is that of the manifest, in which the site signed each object's; "damaged" where one differs.

    Args:
        relay: whose archive is read, sealed cases too: no key is needed.
        site: code of the one site, "" for all.

    Raises:
        StoreAwayError: the store does not answer.
    """
    query = select(bundles.c.tid, bundles.c.id).where(
        bundles.c.direction == "up",
        bundles.c.complete_ms.is_not(None),
        bundles.c.case_id.not_in(begun()),
        *([bundles.c.site == site] if site else []),
    )
    with relay.database.read() as view:
        rows = view.execute(query.order_by(bundles.c.received_ms, bundles.c.id)).all()
    for row in rows:
        found = _signed(relay, row.tid)
        if found or _stays(relay, row.tid):
            yield row.id, found or "damaged"


def _signed(relay: Relay, tid: str) -> str:
    """Return the digest of a bundle's manifest, "" where an object of it is not as the site signed it."""
    with relay.database.read() as view:
        manifest = view.execute(select(bundles.c.manifest).where(bundles.c.tid == tid)).scalar_one()
        rows = view.execute(select(objects.c.oid, objects.c.name).where(objects.c.tid == tid)).all()
    names = {row.oid: row.name or "" for row in rows}
    signed = {one.oid: one.sha256.hex() for one in read_manifest(manifest).objects}
    whole = names == signed and all(_whole(relay, name) for name in names.values())
    return digest(manifest).hex() if whole else ""


def _stays(relay: Relay, tid: str) -> bool:
    """Say that the destruction of a bundle's case has not begun meanwhile."""
    with relay.database.read() as view:
        query = select(bundles.c.tid).where(bundles.c.tid == tid, bundles.c.case_id.not_in(begun()))
        return view.execute(query).first() is not None


def sweep_orphans(relay: Relay, old_s: float = OLD_S) -> int:
    """Remove what nobody has named for a day; return how many objects went.

    A person asks for it, never the relay by itself: a restored copy of yesterday's archive on the same store
    would take all that came since for nobody's.
    """
    old = [one.name for one in compare(relay).orphans if one.age_s >= old_s]
    gone = 0
    for name in old:
        with relay.database.write() as connection:  # nobody may name it between the look and the removal
            if connection.execute(select(objects.c.name).where(objects.c.name == name)).first():
                continue
            relay.objects.destroy(name)
            gone += 1
    if gone:
        with relay.database.write() as connection:
            relay.audit.add(connection, relay.now_ms(), OPERATOR, "objects.sweep", "", f"{gone} objects")
    return gone


def _named(relay: Relay) -> tuple[set[str], set[str]]:
    """Return the objects that the archive names, and those among them that must be there."""
    query = select(objects.c.name).where(objects.c.name.is_not(None)).distinct()
    with relay.database.read() as view:
        return set(view.execute(query).scalars()), set(view.execute(held()).scalars())


def _whole(relay: Relay, name: str) -> bool:
    try:
        relay.objects.get(name)
    except ArchiveError:
        return False
    return True
