"""The receiving end: verify, store, commit, then sign the receipt. No I/O of its own, no clock.

All that matters lies in the Inbox, so any number of workers may share one and any of them may die anywhere;
what this object remembers only spares repeated messages.
"""

import hashlib
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from chevet.exchange.errors import Refused
from chevet.exchange.events import Announced, Answer, Completed, ObjectStored, Rejected, Reply, StatusAsked
from chevet.exchange.manifest import Manifest, read_manifest
from chevet.exchange.messages import (
    Chunk,
    Have,
    ManifestMessage,
    Query,
    read,
    sign_complete,
    sign_nack,
    write,
)
from chevet.exchange.sealing import open_manifest
from chevet.exchange.storage import Inbox

HAVE_EVERY_CHUNKS: Final = 16
HAVE_EVERY_S: Final = 10.0
REPEAT_AFTER_S: Final = 2.0
"""The same receipt is not said again within this time unless asked for."""
MAX_ASSEMBLIES: Final = 5
"""Failed assemblies of one transfer before it is refused."""
MAX_BUNDLE: Final = 512 << 20
_REMEMBERED: Final = 256


class _Pace:
    """Remembers per transfer how much came and what was said when; bounded, and safe to lose."""

    def __init__(self) -> None:
        self.chunks = 0
        self.told_at: float | None = None
        self.assemblies = 0


class Receiver:
    """Turns messages of known origins into durable bundles and signed receipts."""

    def __init__(
        self, inbox: Inbox, *, signer: Ed25519PrivateKey, origin_key: Callable[[str], Ed25519PublicKey | None]
    ) -> None:
        """Serve an inbox.

        Args:
            inbox: where everything is kept.
            signer: this end's key, for receipts.
            origin_key: gives the signing key of a known origin, None for a stranger.
        """
        self._inbox = inbox
        self._signer = signer
        self._origin_key = origin_key
        self._manifests: dict[bytes, Manifest] = {}
        self._paces: dict[bytes, _Pace] = {}

    def receive(self, origin: str, payload: bytes, now: float) -> list[Answer]:
        """Take one message; acknowledge it to the broker only after this returned.

        Args:
            origin: who may have sent it: the site's code from the topic, or RELAY.
            payload: the message.
            now: monotonic time in seconds.
        """
        try:
            message = read(payload)
        except Refused as refused:
            return self._bury(origin, payload, refused.reason)
        match message:
            case ManifestMessage(data):
                return self._announce(origin, data, now)
            case Chunk():
                return self._chunk(origin, message, payload, now)
            case Query():
                return self._query(origin, message, now)
            case _:
                return self._bury(origin, payload, "not_for_receiver")

    # Manifests

    def _announce(self, origin: str, data: bytes, now: float) -> list[Answer]:
        try:
            manifest = self._verified(origin, data)
            state = self._inbox.state(manifest.tid)
            if state == "unknown":
                self._inbox.begin(manifest.tid, origin, data)
                self._remember(manifest)
                return [Announced(origin, manifest)]
        except Refused as refused:
            return [*self._bury(origin, data, refused.reason), *self._refusal(origin, data, refused.reason)]
        return self._told(origin, manifest, state, now)

    def _verified(self, origin: str, data: bytes) -> Manifest:
        key = self._origin_key(origin)
        if key is None:
            raise Refused("unknown_origin")
        manifest = open_manifest(data, key)
        if manifest.origin != origin:
            raise Refused("wrong_origin")
        if manifest.size > MAX_BUNDLE:
            raise Refused("too_large")
        return manifest

    def _refusal(self, origin: str, data: bytes, reason: str) -> list[Answer]:
        try:
            manifest = read_manifest(data)
        except Refused:
            return []
        nack = sign_nack(manifest.tid, manifest.digest, reason, self._signer)
        return [Reply(origin, write(nack))]

    # Chunks

    def _chunk(self, origin: str, chunk: Chunk, payload: bytes, now: float) -> list[Answer]:
        manifest = self._known(chunk.tid)
        if manifest is None:
            return self._paced(chunk.tid, now, Reply(origin, write(Have(chunk.tid, 0, known=False))))
        if manifest.origin != origin:
            return self._bury(origin, payload, "wrong_origin")
        state = self._inbox.state(chunk.tid)
        if state != "open":
            return self._told(origin, manifest, state, now)
        if not _fits(manifest, chunk):
            return self._bury(origin, payload, "bad_chunk")
        fresh = [self._inbox.store(chunk.tid, chunk.oid, seq, data) for seq, data in chunk.pieces()]
        if not any(fresh):
            return []
        if len(self._inbox.have(chunk.tid, chunk.oid)) == manifest.objects[chunk.oid].chunks:
            return self._whole_object(origin, manifest, chunk.oid, now)
        return self._progress(origin, manifest, sum(fresh), now)

    def _whole_object(self, origin: str, manifest: Manifest, oid: int, now: float) -> list[Answer]:
        if not self._right(manifest, oid):
            return self._assembly_failed(origin, manifest, oid)
        stored: list[Answer] = [ObjectStored(origin, manifest, oid, manifest.objects[oid].layer)]
        if self._all_there(manifest):
            return stored + self._finish(origin, manifest, now)
        return stored + self._progress(origin, manifest, 1, now)

    def _progress(self, origin: str, manifest: Manifest, fresh: int, now: float) -> list[Answer]:
        pace = self._pace(manifest.tid)
        pace.chunks += fresh
        if pace.told_at is None:
            pace.told_at = now
        if pace.chunks < HAVE_EVERY_CHUNKS and now - pace.told_at < HAVE_EVERY_S:
            return []
        pace.chunks, pace.told_at = 0, now
        return [self._have(origin, manifest, 0)]

    # Finishing

    def _finish(self, origin: str, manifest: Manifest, now: float) -> list[Answer]:
        for entry in manifest.objects:
            if not self._right(manifest, entry.oid):
                return self._assembly_failed(origin, manifest, entry.oid)
        try:
            first = self._inbox.commit(manifest.tid)
        except Refused as refused:
            return self._refuse(origin, manifest, refused.reason)
        self._pace(manifest.tid).told_at = now
        done: list[Answer] = [Completed(origin, manifest)] if first else []
        return [*done, self._complete(origin, manifest)]

    def _right(self, manifest: Manifest, oid: int) -> bool:
        data = self._inbox.read(manifest.tid, oid)
        return hashlib.sha256(data).digest() == manifest.objects[oid].sha256

    def _assembly_failed(self, origin: str, manifest: Manifest, oid: int) -> list[Answer]:
        pace = self._pace(manifest.tid)
        pace.assemblies += 1
        if pace.assemblies >= MAX_ASSEMBLIES:
            return self._refuse(origin, manifest, "bad_hash")
        self._inbox.drop(manifest.tid, oid)
        return []

    def _refuse(self, origin: str, manifest: Manifest, reason: str) -> list[Answer]:
        self._inbox.refuse(manifest.tid, reason)
        nack = sign_nack(manifest.tid, manifest.digest, reason, self._signer)
        return [Rejected(origin, manifest.id, reason), Reply(origin, write(nack))]

    def _all_there(self, manifest: Manifest) -> bool:
        return all(len(self._inbox.have(manifest.tid, item.oid)) == item.chunks for item in manifest.objects)

    # Questions

    def _query(self, origin: str, query: Query, now: float) -> list[Answer]:
        manifests = [self._known(tid) for tid in query.tids]
        arriving = tuple(one.id for one in manifests if one and one.origin == origin and self._is_open(one))
        answers: list[Answer] = [StatusAsked(origin, query.watch, arriving)]
        for tid in query.tids:
            answers += self._query_one(origin, tid, query.number, now)
        return answers

    def _is_open(self, manifest: Manifest) -> bool:
        return self._inbox.state(manifest.tid) == "open"

    def _query_one(self, origin: str, tid: bytes, number: int, now: float) -> list[Answer]:
        manifest = self._known(tid)
        if manifest is None or manifest.origin != origin:
            return [Reply(origin, write(Have(tid, number, known=False)))]
        state = self._inbox.state(tid)
        if state != "open":
            return [self._receipt(origin, manifest, state)]
        if self._all_there(manifest):
            finished = self._finish(origin, manifest, now)
            if finished:
                return finished
        return [self._have(origin, manifest, number)]

    def _have(self, origin: str, manifest: Manifest, number: int) -> Reply:
        bitmaps = tuple(
            bitmap(self._inbox.have(manifest.tid, item.oid), item.chunks) for item in manifest.objects
        )
        return Reply(origin, write(Have(manifest.tid, number, known=True, bitmaps=bitmaps)))

    # Receipts

    def _told(self, origin: str, manifest: Manifest, state: str, now: float) -> list[Answer]:
        """Say again what became of a transfer, but not for every duplicate."""
        if state == "open":
            return []
        return self._paced(manifest.tid, now, self._receipt(origin, manifest, state))

    def _receipt(self, origin: str, manifest: Manifest, state: str) -> Reply:
        if state == "complete":
            return self._complete(origin, manifest)
        reason = state.partition(":")[2]
        return Reply(origin, write(sign_nack(manifest.tid, manifest.digest, reason, self._signer)))

    def _complete(self, origin: str, manifest: Manifest) -> Reply:
        return Reply(origin, write(sign_complete(manifest.tid, manifest.id, manifest.digest, self._signer)))

    def _paced(self, tid: bytes, now: float, reply: Reply) -> list[Answer]:
        pace = self._pace(tid)
        if pace.told_at is not None and now - pace.told_at < REPEAT_AFTER_S:
            return []
        pace.told_at = now
        return [reply]

    def _bury(self, origin: str, payload: bytes, reason: str) -> list[Answer]:
        self._inbox.bury(origin, payload, reason)
        return [Rejected(origin, "", reason)]

    # What is remembered

    def _known(self, tid: bytes) -> Manifest | None:
        if tid not in self._manifests:
            data = self._inbox.manifest(tid)
            if data is None:
                return None
            self._remember(read_manifest(data))  # verified before it was kept
        return self._manifests[tid]

    def _remember(self, manifest: Manifest) -> None:
        self._manifests[manifest.tid] = manifest
        while len(self._manifests) > _REMEMBERED:
            del self._manifests[next(iter(self._manifests))]

    def _pace(self, tid: bytes) -> _Pace:
        pace = self._paces.setdefault(tid, _Pace())
        while len(self._paces) > _REMEMBERED:
            del self._paces[next(iter(self._paces))]
        return pace


def bitmap(have: set[int], chunks: int) -> bytes:
    """Return the chunks as bits; bit 7 of byte 0 is chunk 0."""
    bits = bytearray(-(-chunks // 8))
    for seq in have:
        bits[seq >> 3] |= 0x80 >> (seq & 7)
    return bytes(bits)


def _fits(manifest: Manifest, chunk: Chunk) -> bool:
    if chunk.oid >= len(manifest.objects):
        return False
    entry = manifest.objects[chunk.oid]
    return all(seq < entry.chunks and len(data) == entry.chunk_size(seq) for seq, data in chunk.pieces())
