"""What live mode puts on the wire: openings and frames with one binary head, and integers packed as deltas.

No I/O, no keys: docs/formats.md says every byte. Whatever is too long, too short or says something impossible
is refused as `malformed` before memory is taken for it.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chevet.devices.samples import Channel
from chevet.exchange.errors import Refused
from chevet.study.cbor import Row, Value
from chevet.study.sound_stream import MOST_PACKETS

VERSION: Final = 1
OPENING, FRAME = 1, 2
SIMULATED: Final = 1
"""Flag of the head: HTEST, to be seen without opening."""
SESSION_BYTES: Final = 8
HEAD: Final = struct.Struct(">BBBx8sII")
"""Version, kind, flags, session, sequence number, ms since the session began: 20 bytes."""
MOST_FRAME: Final = 16 << 10
MOST_CHANNELS: Final = 32
MOST_SAMPLES: Final = 4_096
DELTA, OPUS = "delta", "opus"
_SECTION: Final = struct.Struct(">BQHH")  # stream, first, count, bytes
_START: Final = struct.Struct(">iB")  # first value of a channel, bits of each delta
_LOW, _HIGH = -(1 << 31), (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class Head:
    """The first 20 bytes of a message.

    Attributes:
        session: random, made when the box began to send.
        seq: counts this kind of message in the session; a jump is a loss.
        stamp_ms: of the newest sample in it, by the box's monotonic clock since the session began.
    """

    kind: int
    session: bytes
    seq: int
    stamp_ms: int
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Stream:
    """What the sections of one number hold; any change of it gives a new number.

    Attributes:
        id: 0 to 255.
        device: kind of instrument: ecg, oximeter, stethoscope.
        codec: DELTA, or OPUS for one channel of sound.
        rate_hz: as sent: the instrument's rate, or a whole part of it.
        channels: as sent, which may be fewer than the instrument has.
    """

    id: int
    device: str
    codec: str
    rate_hz: float
    channels: tuple[Channel, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A piece of one stream.

    Attributes:
        first: index of the first sample since the instrument started, at the stream's rate; a jump is a gap.
        count: samples of each channel.
    """

    stream: int
    first: int
    count: int
    data: bytes


def write_head(head: Head) -> bytes:
    """Return the head's 20 bytes."""
    flags = SIMULATED if head.simulated else 0
    return HEAD.pack(VERSION, head.kind, flags, head.session, head.seq, head.stamp_ms & 0xFFFFFFFF)


def read_head(data: bytes) -> Head:
    """Return the head of a message.

    Raises:
        Refused: `malformed`, or `unknown_version`.
    """
    if not HEAD.size < len(data) <= MOST_FRAME:
        raise Refused("malformed")
    version, kind, flags, session, seq, stamp = HEAD.unpack_from(data)
    if version != VERSION:
        raise Refused("unknown_version")
    if kind not in (OPENING, FRAME) or flags & ~SIMULATED or data[3]:
        raise Refused("malformed")
    return Head(kind, session, seq, stamp, bool(flags & SIMULATED))


def write_sections(sections: Sequence[Section]) -> bytes:
    """Return the sections of one frame."""
    return b"".join(
        _SECTION.pack(item.stream, item.first, item.count, len(item.data)) + item.data for item in sections
    )


def read_sections(data: bytes) -> list[Section]:
    """Return the sections of one frame.

    Raises:
        Refused: `malformed`.
    """
    sections: list[Section] = []
    at = 0
    while at < len(data):
        if len(data) - at < _SECTION.size:
            raise Refused("malformed")
        stream, first, count, size = _SECTION.unpack_from(data, at)
        at += _SECTION.size
        if size > len(data) - at or not count or first >> 53:  # what a desk's numbers hold exactly
            raise Refused("malformed")
        sections.append(Section(stream, first, count, data[at : at + size]))
        at += size
    return sections


def pack_deltas(values: NDArray[np.int32]) -> bytes:
    """Return samples, int32 [channels, samples], exactly: per channel a first value and bit-packed steps."""
    return b"".join(_packed(row.astype(np.int64)) for row in values)


def _packed(row: NDArray[np.int64]) -> bytes:
    steps = np.diff(row)
    zigzag = ((steps << 1) ^ (steps >> 63)).astype(np.uint64)
    width = int(zigzag.max()).bit_length() if len(zigzag) else 0
    bits = np.unpackbits(zigzag.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1)[:, 64 - width :]
    return _START.pack(int(row[0]), width) + np.packbits(bits).tobytes()


def unpack_deltas(data: bytes, channels: int, count: int) -> NDArray[np.int32]:
    """Return samples, int32 [channels, count].

    Raises:
        Refused: `malformed`.
    """
    if not 0 < channels <= MOST_CHANNELS or not 0 < count <= MOST_SAMPLES:
        raise Refused("malformed")
    out = np.empty((channels, count), dtype=np.int64)
    at = 0
    for row in out:
        at = _unpacked(data, at, row)
    if at != len(data) or out.min() < _LOW or out.max() > _HIGH:
        raise Refused("malformed")
    return out.astype(np.int32)


def _unpacked(data: bytes, at: int, row: NDArray[np.int64]) -> int:
    if len(data) - at < _START.size:
        raise Refused("malformed")
    start, width = _START.unpack_from(data, at)
    at += _START.size
    steps = len(row) - 1
    size = (steps * width + 7) // 8
    if width > 33 or size > len(data) - at:  # a step between two 32-bit integers takes 33 bits
        raise Refused("malformed")
    packed = np.frombuffer(data, np.uint8, size, at)
    bits = np.zeros((steps, 64), dtype=np.uint8)
    bits[:, 64 - width :] = np.unpackbits(packed, count=steps * width).reshape(steps, width)
    zigzag = np.packbits(bits, axis=1).view(">u8").reshape(-1).astype(np.uint64)
    half = (zigzag >> np.uint64(1)).astype(np.int64)
    row[0] = start
    row[1:] = start + np.cumsum(half ^ -(zigzag & np.uint64(1)).astype(np.int64))
    return int(at + size)


def pack_packets(packets: Sequence[bytes]) -> bytes:
    """Return Opus packets, each behind its length (16 bits)."""
    return b"".join(struct.pack(">H", len(packet)) + packet for packet in packets)


def unpack_packets(data: bytes) -> list[bytes]:
    """Return the Opus packets of a section.

    Raises:
        Refused: `malformed`.
    """
    packets: list[bytes] = []
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 2])
        at += 2
        if not 0 < size <= len(data) - at or len(packets) == MOST_PACKETS:
            raise Refused("malformed")
        packets.append(data[at : at + size])
        at += size
    if not packets:
        raise Refused("malformed")
    return packets


def stream_row(stream: Stream) -> Value:
    """Return a stream as it stands in an opening."""
    channels: list[Value] = [[one.name, one.unit, one.gain, one.offset] for one in stream.channels]
    return [stream.id, stream.device, stream.codec, float(stream.rate_hz), channels]


def read_stream(row: Row) -> Stream:
    """Return a stream of an opening.

    Raises:
        BundleError: `malformed`.
        Refused: `malformed`.
    """
    ident, device, codec = row.whole(0, 255), row.text(), row.text()
    rate_hz, rows = float(row.number()), row.rows()
    row.end()
    fits = codec in (DELTA, OPUS) and 0 < rate_hz <= 192_000
    if not fits or not 0 < len(rows) <= (1 if codec == OPUS else MOST_CHANNELS):
        raise Refused("malformed")
    return Stream(ident, device, codec, rate_hz, tuple(_channel(item, rate_hz) for item in rows))


def _channel(row: Row, rate_hz: float) -> Channel:
    channel = Channel(row.text(), row.text(), rate_hz, float(row.number()), float(row.number()))
    row.end()
    return channel
