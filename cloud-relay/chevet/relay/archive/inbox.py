"""The exchange's Inbox on the archive: kept chunk by chunk, readable as soon as an object is whole.

Chunks are rows and whole objects are in the store: a row costs one sync where a file costs two, and 4 KiB
rows go again once their object is whole. Every call is one writing transaction, so any number of workers may
share one archive. An object is in the store before a row names it, and is brought there before the
transaction begins: a store on the network must hold up nobody who writes.
"""

import hashlib
from collections.abc import Callable

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from chevet.exchange.errors import Refused
from chevet.exchange.manifest import Manifest, ObjectEntry, read_manifest
from chevet.exchange.messages import CHUNK_HEAD
from chevet.relay.archive.admission import Admission
from chevet.relay.archive.database import Database
from chevet.relay.archive.dead_letters import bury
from chevet.relay.archive.erased import ERASED, begun
from chevet.relay.archive.objects import Objects
from chevet.relay.archive.schema import Found, bundles, chunks, erasures, objects
from chevet.relay.archive.vault import Vault
from chevet.study.bundle import Part


class ArchiveInbox:
    """Bundles on their way up from every site."""

    def __init__(
        self,
        database: Database,
        store: Objects,
        vault: Vault,
        admission: Admission,
        now_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._store = store
        self._vault = vault
        self._admission = admission
        self._now_ms = now_ms

    def begin(self, tid: bytes, origin: str, manifest: bytes) -> None:
        """Keep a verified manifest; a transfer that is known stays what it is.

        One of a case whose destruction has begun is refused from the start.
        """
        said = read_manifest(manifest)
        with self._database.write() as connection:
            if _bundle(connection, tid) is not None:
                return
            connection.execute(
                insert(bundles).values(
                    tid=tid.hex(),
                    id=said.id,
                    direction="up",
                    site=origin,
                    kind=said.kind,
                    case_id=said.case,
                    label=said.label,
                    manifest=manifest,
                    received_ms=self._now_ms(),
                    refused=ERASED if _destroyed(connection, said.case) else "",
                    wire_bytes=len(manifest),
                )
            )
            connection.execute(insert(objects), [_object_row(tid, entry) for entry in said.objects])

    def state(self, tid: bytes) -> str:
        """Return "unknown", "open", "complete" or "refused:" with the reason."""
        with self._database.read() as connection:
            row = _bundle(connection, tid)
        if row is None:
            return "unknown"
        if row.refused:
            return f"refused:{row.refused}"
        return "open" if row.complete_ms is None else "complete"

    def manifest(self, tid: bytes) -> bytes | None:
        """Return the manifest of a known transfer."""
        with self._database.read() as connection:
            row = _bundle(connection, tid)
        return bytes(row.manifest) if row else None

    def store(self, tid: bytes, oid: int, seq: int, data: bytes) -> bool:
        """Keep one chunk; the last of an object makes the object readable.

        Raises:
            DiskFullError: no room; the chunk was not kept and will be sent again.
            StoreAwayError: the same, where the store does not answer.
        """
        there = self._bring_whole(tid, oid, seq, data)
        with self._database.write() as connection:
            found = _taking(connection, tid, oid)
            if found is None or _chunk_there(connection, tid, oid, seq):
                return False
            row, item = found
            connection.execute(insert(chunks).values(tid=tid.hex(), oid=oid, seq=seq, data=data))
            connection.execute(update(objects).where(*_is_object(tid, oid)).values(have=item.have + 1))
            wire = row.wire_bytes + len(data) + CHUNK_HEAD.size
            connection.execute(update(bundles).where(bundles.c.tid == tid.hex()).values(wire_bytes=wire))
            if item.have + 1 == item.chunks:
                self._complete_object(connection, row, oid, there)
        return True

    def have(self, tid: bytes, oid: int) -> set[int]:
        """Return the chunks kept of one object."""
        with self._database.read() as connection:
            item = _object(connection, tid, oid)
            if item is None:
                return set()
            if item.name is not None:
                return set(range(item.chunks))
            query = select(chunks.c.seq).where(chunks.c.tid == tid.hex(), chunks.c.oid == oid)
            return set(connection.execute(query).scalars())

    def read(self, tid: bytes, oid: int) -> bytes:
        """Return the chunks kept of one object, joined in order."""
        with self._database.read() as connection:
            item = _object(connection, tid, oid)
            if item is None:
                return b""
            return self._store.get(item.name) if item.name is not None else _joined(connection, tid, oid)

    def drop(self, tid: bytes, oid: int) -> None:
        """Forget the chunks of one object, to have them sent again."""
        with self._database.write() as connection:
            connection.execute(delete(chunks).where(chunks.c.tid == tid.hex(), chunks.c.oid == oid))
            connection.execute(
                update(objects).where(*_is_object(tid, oid)).values(have=0, name=None, stored_ms=None)
            )

    def commit(self, tid: bytes) -> bool:
        """Take a whole bundle in; False when that was done before.

        Raises:
            Refused: it cannot be opened, or contradicts what is known.
        """
        with self._database.write() as connection:
            row = _bundle(connection, tid)
            if row is None or row.refused:
                raise Refused("unknown" if row is None else row.refused)
            if row.complete_ms is not None:
                return False
            self._admission.admit(connection, row, _names(connection, tid))
        return True

    def refuse(self, tid: bytes, reason: str) -> None:
        """Mark a transfer as refused; what came of it stays, with a dead letter."""
        with self._database.write() as connection:
            row = _bundle(connection, tid)
            if row is None or row.refused or row.complete_ms is not None:
                return
            connection.execute(update(bundles).where(bundles.c.tid == tid.hex()).values(refused=reason))
            bury(connection, self._now_ms(), row.site, row.manifest, reason, row.id)
            self._admission.refused(connection, row, reason)

    def bury(self, origin: str, payload: bytes, reason: str) -> None:
        """Keep a message that nothing could be made of."""
        with self._database.write() as connection:
            bury(connection, self._now_ms(), origin, payload, reason)

    def _bring_whole(self, tid: bytes, oid: int, seq: int, data: bytes) -> str:
        """Put the object into the store that this chunk makes whole; return its name, else ""."""
        with self._database.read() as connection:
            found = _taking(connection, tid, oid)
            if found is None or found[1].have + 1 != found[1].chunks:
                return ""
            whole = _joined(connection, tid, oid, {seq: data})
        if hashlib.sha256(whole).digest() != read_manifest(found[0].manifest).objects[oid].sha256:
            return ""
        return self._store.put(whole)

    def _complete_object(self, connection: Connection, row: Found, oid: int, there: str) -> None:
        """Turn the chunks of an object into a stored one, unless they are not what the manifest promised.

        `there` is the name of what was stored already; another worker's chunk may have come in between.
        """
        tid, said = bytes.fromhex(row.tid), read_manifest(row.manifest)
        data = _joined(connection, tid, oid)
        if hashlib.sha256(data).digest() != said.objects[oid].sha256:
            return  # the Receiver finds out too, and drops it
        name = hashlib.sha256(data).hexdigest()
        if name != there:
            self._store.put(data)
        values: dict[str, object] = {"name": name, "stored_ms": self._now_ms()}
        part = self._opened(said, oid, data)
        if part is not None:
            values |= {
                "kind": part.kind,
                "media_type": part.media_type,
                "recording": part.recording,
                "number": part.index,
            }
        connection.execute(update(objects).where(*_is_object(tid, oid)).values(**values))
        connection.execute(delete(chunks).where(chunks.c.tid == row.tid, chunks.c.oid == oid))
        self._admission.arrived(connection, row, part)

    def _opened(self, said: Manifest, oid: int, data: bytes) -> Part | None:
        try:
            return self._vault.open(said, oid, data)
        except Refused:
            return None  # the whole bundle will be refused, with this reason, when it is complete


def _bundle(connection: Connection, tid: bytes) -> Found | None:
    query = select(bundles).where(bundles.c.tid == tid.hex(), bundles.c.direction == "up")
    return connection.execute(query).first()


def _taking(connection: Connection, tid: bytes, oid: int) -> tuple[Found, Found] | None:
    """Return bundle and object where a chunk may be taken: None where unknown, refused or whole already."""
    row, item = _bundle(connection, tid), _object(connection, tid, oid)
    if row is None or row.refused or item is None or item.name is not None:
        return None
    return row, item


def _destroyed(connection: Connection, case_id: str) -> bool:
    return connection.execute(begun().where(erasures.c.case_id == case_id)).first() is not None


def _is_object(tid: bytes, oid: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return objects.c.tid == tid.hex(), objects.c.oid == oid


def _object(connection: Connection, tid: bytes, oid: int) -> Found | None:
    return connection.execute(select(objects).where(*_is_object(tid, oid))).first()


def _chunk_there(connection: Connection, tid: bytes, oid: int, seq: int) -> bool:
    query = select(func.count()).where(chunks.c.tid == tid.hex(), chunks.c.oid == oid, chunks.c.seq == seq)
    return bool(connection.execute(query).scalar_one())


def _joined(connection: Connection, tid: bytes, oid: int, more: dict[int, bytes] | None = None) -> bytes:
    """Return the kept chunks of an object in order, with those of `more` by number."""
    query = select(chunks.c.seq, chunks.c.data).where(chunks.c.tid == tid.hex(), chunks.c.oid == oid)
    found = {row.seq: row.data for row in connection.execute(query)} | (more or {})
    return b"".join(found[seq] for seq in sorted(found))


def _names(connection: Connection, tid: bytes) -> dict[int, str]:
    query = select(objects.c.oid, objects.c.name).where(
        objects.c.tid == tid.hex(), objects.c.name.is_not(None)
    )
    return {row.oid: row.name for row in connection.execute(query)}


def _object_row(tid: bytes, entry: ObjectEntry) -> dict[str, object]:
    return {
        "tid": tid.hex(),
        "oid": entry.oid,
        "layer": entry.layer,
        "bytes": entry.size,
        "chunks": entry.chunks,
        "have": 0,
    }
