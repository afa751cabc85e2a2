"""The signed head of a sealed bundle: what comes, how much, for whom; no patient data."""

import hashlib
from dataclasses import dataclass
from typing import Final

from chevet.exchange.errors import Refused
from chevet.study.bundle import KINDS, MAX_PARTS
from chevet.study.cbor import Row, Value, decode, encode
from chevet.study.errors import BundleError
from chevet.study.ids import to_wire
from chevet.study.study import EdgeClock

VERSION: Final = 1
CHUNK_PLAIN: Final = 4080
"""Plaintext bytes of a chunk; with its tag a full chunk is 4096 bytes."""
TAG: Final = 16
CHUNK: Final = CHUNK_PLAIN + TAG
TID_BYTES: Final = 8
MAX_MANIFEST: Final = 256 << 10
MAX_OBJECT: Final = 128 << 20


@dataclass(frozen=True, slots=True)
class ObjectEntry:
    """One sealed object: `size` ciphertext bytes with their SHA-256."""

    oid: int
    layer: int
    size: int
    sha256: bytes

    @property
    def chunks(self) -> int:
        """How many chunks it travels in."""
        return -(-self.size // CHUNK)

    def chunk_size(self, seq: int) -> int:
        """Ciphertext bytes of chunk `seq`."""
        return min(CHUNK, self.size - seq * CHUNK)


@dataclass(frozen=True, slots=True)
class Wrap:
    """The bundle key wrapped for one recipient: HPKE encapsulation and ciphertext, 80 bytes."""

    kid: bytes
    sealed_key: bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says.

    Attributes:
        id: the bundle's id.
        kind: "study", "opinion", "message" or "voice".
        case: id of the case it belongs to.
        origin: the site's code, or "relay".
        seq: counts the origin's bundles.
        created: the origin's clock when it was sealed.
        priority: 0 urgent, 1 routine.
        label: "HTEST" for simulated data, in clear so that it can be kept apart before anything is opened.
        objects: in order of oid.
        wraps: one per recipient.
        digest: SHA-256 of the manifest as it travels; a COMPLETE must repeat it.
    """

    id: str
    kind: str
    case: str
    origin: str
    seq: int
    created: EdgeClock
    priority: int
    label: str
    objects: tuple[ObjectEntry, ...]
    wraps: tuple[Wrap, ...]
    digest: bytes = b""

    @property
    def tid(self) -> bytes:
        """The transfer's short name on the wire: it follows from the manifest's content."""
        return self.digest[:TID_BYTES]

    @property
    def chunks(self) -> int:
        """How many chunks the bundle travels in."""
        return sum(item.chunks for item in self.objects)

    @property
    def size(self) -> int:
        """Ciphertext bytes of all objects."""
        return sum(item.size for item in self.objects)


def write_body(manifest: Manifest) -> bytes:
    """Return what the origin signs."""
    return encode(_row(manifest))


def join(body: bytes, signature: bytes) -> bytes:
    """Return the manifest as it travels."""
    return encode([body, signature])


def read_manifest(data: bytes) -> Manifest:
    """Return what a manifest says WITHOUT verifying who says it: for one's own, or to learn the origin.

    Raises:
        Refused: `malformed`.
    """
    body, _ = split(data)
    try:
        return _read(Row(decode(body)), hashlib.sha256(data).digest())
    except BundleError:
        raise Refused("malformed") from None


def split(data: bytes) -> tuple[bytes, bytes]:
    """Return body and signature of a manifest as it travels.

    Raises:
        Refused: `malformed`.
    """
    try:
        if len(data) > MAX_MANIFEST:
            raise BundleError("too_large")
        row = Row(decode(data))
        body, signature = row.data(), row.data(64)
        row.end()
    except BundleError:
        raise Refused("malformed") from None
    return body, signature


def digest(manifest: bytes) -> bytes:
    """Return SHA-256 of a manifest as it travels."""
    return hashlib.sha256(manifest).digest()


def _row(manifest: Manifest) -> Value:
    clock = manifest.created
    return [
        VERSION,
        to_wire(manifest.id),
        manifest.kind,
        to_wire(manifest.case),
        manifest.origin,
        manifest.seq,
        [clock.wall_ms, to_wire(clock.boot_id), clock.monotonic_s, clock.quality],
        manifest.priority,
        manifest.label,
        [[item.layer, item.size, item.sha256] for item in manifest.objects],
        [[wrap.kid, wrap.sealed_key] for wrap in manifest.wraps],
    ]


def _read(row: Row, whole: bytes) -> Manifest:
    row.whole(VERSION, VERSION)
    ident, kind, case, origin, seq = row.ident(), row.text(), row.ident(), row.text(), row.whole()
    clock, priority, label = row.row(), row.whole(high=9), row.text()
    created = EdgeClock(clock.whole(), clock.ident(), clock.number(), clock.text())
    objects = tuple(_read_object(oid, item) for oid, item in enumerate(row.rows()))
    wraps = tuple(Wrap(item.data(8), item.data(80)) for item in row.rows())
    row.end()
    if kind not in KINDS or not objects or len(objects) > MAX_PARTS:
        raise BundleError("malformed")
    return Manifest(ident, kind, case, origin, seq, created, priority, label, objects, wraps, whole)


def _read_object(oid: int, row: Row) -> ObjectEntry:
    entry = ObjectEntry(oid, row.whole(high=9), row.whole(TAG, MAX_OBJECT), row.data(32))
    row.end()
    if entry.chunk_size(entry.chunks - 1) < TAG:
        raise BundleError("malformed")
    return entry
