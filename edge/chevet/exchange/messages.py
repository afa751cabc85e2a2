"""What the two ends say to each other: small CBOR arrays, and chunks with a binary head.

The first byte tells them apart: a chunk begins with its version, 1; a CBOR array of these sizes with 0x80 to
0x9f. Docs: docs/formats.md.
"""

import struct
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from chevet.exchange.errors import Refused
from chevet.exchange.manifest import CHUNK, TID_BYTES
from chevet.study.cbor import Row, Value, decode, encode
from chevet.study.errors import BundleError
from chevet.study.ids import to_wire

CHUNK_HEAD: Final = struct.Struct(">BB8sHI")  # version, flags, tid, oid, seq: 16 bytes
CHUNK_VERSION: Final = 1
MAX_RUN: Final = 16
"""Chunks of one object that may travel in one message on a fast link."""
MAX_QUERY: Final = 32
MAX_MESSAGE: Final = 512 << 10
_CONTEXT: Final = b"chevet receipt 1\0"

MANIFEST, QUERY, HAVE, COMPLETE, NACK, STATUS = 1, 2, 3, 4, 5, 6
WANTED: Final = "wanted"
STATUSES: Final = ("opened", "answered", WANTED)


@dataclass(frozen=True, slots=True)
class ManifestMessage:
    """A bundle is coming: its signed manifest."""

    manifest: bytes


@dataclass(frozen=True, slots=True)
class Chunk:
    """Ciphertext of chunk `seq` of an object, and of those that follow it where there is more."""

    tid: bytes
    oid: int
    seq: int
    data: bytes

    def pieces(self) -> list[tuple[int, bytes]]:
        """Return (seq, ciphertext) of each chunk in this message."""
        starts = range(0, len(self.data), CHUNK)
        return [(self.seq + at // CHUNK, self.data[at : at + CHUNK]) for at in starts]


@dataclass(frozen=True, slots=True)
class Query:
    """What do you have of these? `watch` names bundles whose opening or answer is still awaited."""

    number: int
    tids: tuple[bytes, ...]
    watch: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Have:
    """What is there of one transfer.

    Attributes:
        tid: the transfer.
        number: of the query it answers, 0 when told unasked.
        known: False when there is no manifest yet.
        bitmaps: one per object; bit 7 of byte 0 is chunk 0.
    """

    tid: bytes
    number: int
    known: bool
    bitmaps: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Complete:
    """Durably stored: the bundle with this id and this manifest digest."""

    tid: bytes
    id: str
    digest: bytes
    signature: bytes = b""

    def signed_bytes(self) -> bytes:
        """Return what the signature covers."""
        return _CONTEXT + encode([COMPLETE, self.tid, to_wire(self.id), self.digest])


@dataclass(frozen=True, slots=True)
class Nack:
    """Refused for good, with a coded reason; the sender keeps the bundle and shows the reason."""

    tid: bytes
    digest: bytes
    reason: str
    signature: bytes = b""

    def signed_bytes(self) -> bytes:
        """Return what the signature covers."""
        return _CONTEXT + encode([NACK, self.tid, self.digest, self.reason])


@dataclass(frozen=True, slots=True)
class Status:
    """A person did something with the bundle: "opened" it, "answered", or "wanted" all of it now.

    `at_ms` is the relay's wall clock, Unix ms.
    """

    id: str
    status: str
    at_ms: int
    signature: bytes = b""

    def signed_bytes(self) -> bytes:
        """Return what the signature covers."""
        return _CONTEXT + encode([STATUS, to_wire(self.id), self.status, self.at_ms])


Receipt = Complete | Nack | Status
Talk = ManifestMessage | Chunk | Query | Have | Complete | Nack | Status
FOR_SENDER: Final = (Have, Complete, Nack, Status)
"""Kinds that a Sender understands; the others are a Receiver's."""


def write(message: Talk) -> bytes:
    """Return a message as it travels."""
    if isinstance(message, Chunk):
        return CHUNK_HEAD.pack(CHUNK_VERSION, 0, message.tid, message.oid, message.seq) + message.data
    return encode(_row(message))


def read(data: bytes) -> Talk:
    """Return what a message says; signatures are not verified here.

    Raises:
        Refused: `malformed`.
    """
    try:
        if not data or len(data) > MAX_MESSAGE:
            raise BundleError("malformed")
        return _read_chunk(data) if data[0] == CHUNK_VERSION else _read_row(Row(decode(data)))
    except BundleError:
        raise Refused("malformed") from None


def for_sender(data: bytes) -> bool:
    """Return whether a payload is a receipt, for a Sender; everything else, garbage too, is a Receiver's."""
    try:
        return isinstance(read(data), FOR_SENDER)
    except Refused:
        return False


def sign_complete(tid: bytes, ident: str, digest: bytes, signer: Ed25519PrivateKey) -> Complete:
    """Return the receipt that lets the sender free a bundle."""
    return Complete(tid, ident, digest, signer.sign(Complete(tid, ident, digest).signed_bytes()))


def sign_nack(tid: bytes, digest: bytes, reason: str, signer: Ed25519PrivateKey) -> Nack:
    """Return the refusal of a bundle."""
    return Nack(tid, digest, reason, signer.sign(Nack(tid, digest, reason).signed_bytes()))


def sign_status(ident: str, status: str, at_ms: int, signer: Ed25519PrivateKey) -> Status:
    """Return the news that somebody opened or answered a bundle.

    Raises:
        ValueError: `status` is not one of STATUSES.
    """
    if status not in STATUSES:
        raise ValueError(f"status must be one of {STATUSES}")
    return Status(ident, status, at_ms, signer.sign(Status(ident, status, at_ms).signed_bytes()))


def verified(receipt: Receipt, key: Ed25519PublicKey) -> bool:
    """Return whether the receipt's signature is the other end's."""
    try:
        key.verify(receipt.signature, receipt.signed_bytes())
    except InvalidSignature:
        return False
    return True


def _row(message: Talk) -> Value:
    match message:
        case ManifestMessage(manifest):
            return [MANIFEST, manifest]
        case Query(number, tids, watch):
            return [QUERY, number, list(tids), [to_wire(ident) for ident in watch]]
        case Have(tid, number, known, bitmaps):
            return [HAVE, tid, number, known, list(bitmaps)]
        case Complete(tid, ident, digest, signature):
            return [COMPLETE, tid, to_wire(ident), digest, signature]
        case Nack(tid, digest, reason, signature):
            return [NACK, tid, digest, reason, signature]
        case Status(ident, status, at_ms, signature):
            return [STATUS, to_wire(ident), status, at_ms, signature]
        case Chunk():
            raise AssertionError("chunks have a head of their own")


def _read_chunk(data: bytes) -> Chunk:
    if len(data) <= CHUNK_HEAD.size or len(data) > CHUNK_HEAD.size + MAX_RUN * CHUNK:
        raise BundleError("malformed")
    _, flags, tid, oid, seq = CHUNK_HEAD.unpack_from(data)
    if flags:
        raise BundleError("malformed")
    return Chunk(tid, oid, seq, data[CHUNK_HEAD.size :])


def _read_row(row: Row) -> Talk:
    kind = row.whole()
    if kind not in _READERS:
        raise BundleError("malformed")
    message = _READERS[kind](row)
    row.end()
    return message


def _read_manifest(row: Row) -> Talk:
    return ManifestMessage(row.data())


def _read_query(row: Row) -> Talk:
    number, tids, watch = row.whole(1), row.items(), row.items()
    if len(tids) > MAX_QUERY or len(watch) > MAX_QUERY:
        raise BundleError("malformed")
    tid, ident = Row(tids), Row(watch)
    return Query(number, tuple(tid.data(TID_BYTES) for _ in tids), tuple(ident.ident() for _ in watch))


def _read_have(row: Row) -> Talk:
    tid, number, known, bitmaps = row.data(TID_BYTES), row.whole(), row.flag(), row.items()
    bitmap = Row(bitmaps)
    return Have(tid, number, known, tuple(bitmap.data() for _ in bitmaps))


def _read_complete(row: Row) -> Talk:
    return Complete(row.data(TID_BYTES), row.ident(), row.data(32), row.data(64))


def _read_nack(row: Row) -> Talk:
    return Nack(row.data(TID_BYTES), row.data(32), row.text(), row.data(64))


def _read_status(row: Row) -> Talk:
    status = Status(row.ident(), row.text(), row.whole(), row.data(64))
    if status.status not in STATUSES:
        raise BundleError("malformed")
    return status


_READERS = {
    MANIFEST: _read_manifest,
    QUERY: _read_query,
    HAVE: _read_have,
    COMPLETE: _read_complete,
    NACK: _read_nack,
    STATUS: _read_status,
}
