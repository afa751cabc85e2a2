"""The exchange's Outbox on the archive: opinions and messages on their way down to one site."""

import hashlib
import os
from collections.abc import Callable, Iterable

from sqlalchemy import Connection, func, insert, select, update

from chevet.exchange.keys import sealing_public
from chevet.exchange.manifest import read_manifest
from chevet.exchange.sealing import RELAY, Recipient, Sealed, seal
from chevet.relay.archive.changes import tell
from chevet.relay.archive.database import Database
from chevet.relay.archive.dead_letters import bury
from chevet.relay.archive.objects import Objects
from chevet.relay.archive.schema import bundles, objects, receipts
from chevet.relay.archive.sites import Site
from chevet.relay.keys import ProgrammeKeys
from chevet.study.bundle import Bundle, content_hash
from chevet.study.study import EdgeClock

URGENT, ROUTINE = 0, 1


class ArchiveOutbox:
    """What one site has not yet acknowledged."""

    def __init__(self, database: Database, store: Objects, site: str, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._store = store
        self._site = site
        self._now_ms = now_ms

    def pending(self) -> Iterable[bytes]:
        """Return the manifests that wait, oldest first."""
        query = (
            select(bundles.c.manifest)
            .where(bundles.c.direction == "down", bundles.c.site == self._site)
            .where(bundles.c.complete_ms.is_(None), bundles.c.refused == "")
            .order_by(bundles.c.received_ms, bundles.c.tid)
        )
        with self._database.read() as connection:
            return [bytes(manifest) for manifest in connection.execute(query).scalars()]

    def read(self, tid: bytes, oid: int, start: int, size: int) -> bytes:
        """Return `size` ciphertext bytes of an object from `start` on."""
        query = select(objects.c.name).where(objects.c.tid == tid.hex(), objects.c.oid == oid)
        with self._database.read() as connection:
            name = connection.execute(query).scalar_one()
        return self._store.get(name)[start : start + size]

    def settle(self, tid: bytes, receipt: bytes) -> None:
        """Keep the site's verified receipt; the bundle is delivered."""
        now = self._now_ms()
        with self._database.write() as connection:
            done = connection.execute(
                update(bundles)
                .where(bundles.c.tid == tid.hex(), bundles.c.complete_ms.is_(None))
                .values(complete_ms=now)
            )
            if done.rowcount:
                row = connection.execute(select(bundles).where(bundles.c.tid == tid.hex())).one()
                keep_receipt(connection, row.id, "complete", receipt, now)
                tell(connection, row.case_id, now)

    def refuse(self, tid: bytes, reason: str) -> None:
        """Keep the bundle and why the site refused it."""
        with self._database.write() as connection:
            row = connection.execute(select(bundles).where(bundles.c.tid == tid.hex())).first()
            if row is None or row.refused:
                return
            connection.execute(update(bundles).where(bundles.c.tid == tid.hex()).values(refused=reason))
            bury(connection, self._now_ms(), row.site, row.manifest, f"site:{reason}", row.id)


def pending_down(connection: Connection) -> dict[str, dict[bytes, bytes]]:
    """Return what waits for every site: by site, manifests by tid, oldest first."""
    query = (
        select(bundles.c.site, bundles.c.tid, bundles.c.manifest)
        .where(bundles.c.direction == "down", bundles.c.complete_ms.is_(None), bundles.c.refused == "")
        .order_by(bundles.c.received_ms, bundles.c.tid)
    )
    found: dict[str, dict[bytes, bytes]] = {}
    for row in connection.execute(query):
        found.setdefault(row.site, {})[bytes.fromhex(row.tid)] = bytes(row.manifest)
    return found


class Sealing:
    """Seals what goes down to a site: for the site, and for the programme that keeps it."""

    def __init__(self, keys: ProgrammeKeys, boot_id: str) -> None:
        self._keys = keys
        self._boot_id = boot_id

    def seal(self, bundle: Bundle, site: Site, label: str, seq: int, now_ms: int) -> Sealed:
        """Return the bundle sealed and signed by the relay; words are urgent: a person waits for them."""
        recipients = (
            Recipient("site", sealing_public(site.seal_key)),
            Recipient("programme", self._keys.programme.public_key()),
        )
        return seal(
            bundle,
            origin=RELAY,
            seq=seq,
            priority=ROUTINE if bundle.kind == "voice" else URGENT,
            created=EdgeClock(now_ms, self._boot_id, 0.0),
            recipients=recipients,
            signer=self._keys.relay,
            random=os.urandom,
            label=label,
        )


def keep_receipt(connection: Connection, bundle_id: str, kind: str, payload: bytes, now_ms: int) -> bool:
    """Keep the first receipt of a kind for a bundle; False when there is one."""
    same = (receipts.c.bundle_id == bundle_id, receipts.c.kind == kind)
    if connection.execute(select(receipts.c.number).where(*same)).first():
        return False
    connection.execute(insert(receipts).values(bundle_id=bundle_id, kind=kind, payload=payload, at_ms=now_ms))
    return True


def next_seq(connection: Connection) -> int:
    """Return the next number of what the relay sends down."""
    query = select(func.count()).select_from(bundles).where(bundles.c.direction == "down")
    return connection.execute(query).scalar_one() + 1


def bring(store: Objects, sealed: Sealed) -> None:
    """Have every object of a sealed bundle in the store, before the archive is held to name it."""
    for item in sealed.objects:
        store.put(item.data)


def post(connection: Connection, sealed: Sealed, bundle: Bundle | None, site: str, now_ms: int) -> None:
    """Put a sealed bundle into a site's outbox, in the caller's write transaction; `bring` it before.

    `bundle` is what it holds, None where a browser sealed it and nobody here can know.
    """
    said = read_manifest(sealed.manifest)
    tid = sealed.tid.hex()
    connection.execute(
        insert(bundles).values(
            tid=tid,
            id=sealed.id,
            direction="down",
            site=site,
            kind=said.kind,
            case_id=said.case,
            label=said.label,
            manifest=sealed.manifest,
            content_sha256=content_hash(bundle) if bundle else None,
            received_ms=now_ms,
            refused="",
            wire_bytes=len(sealed.manifest) + said.size,
        )
    )
    entries = {entry.oid: entry for entry in said.objects}
    rows = [
        {
            "tid": tid,
            "oid": item.oid,
            "layer": item.layer,
            "bytes": len(item.data),
            "chunks": entries[item.oid].chunks,
            "have": entries[item.oid].chunks,
            "name": hashlib.sha256(item.data).hexdigest(),
            "stored_ms": now_ms,
        }
        for item in sealed.objects
    ]
    connection.execute(insert(objects), rows)
