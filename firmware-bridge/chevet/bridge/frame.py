"""The kit's frames, found in a stream and built for it: PROTOCOL.md, sections 2 and 3."""

import struct
from binascii import crc_hqx
from dataclasses import dataclass

SYNC = b"\xa5\x5a"
HEAD_BYTES = 6
CRC_BYTES = 2
MAX_PAYLOAD = 1024
MAX_FRAME = HEAD_BYTES + MAX_PAYLOAD + CRC_BYTES


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: type and sequence number 0..255, payload of at most 1024 bytes."""

    type: int
    seq: int
    payload: bytes = b""


def crc16(data: bytes) -> int:
    """Return the CRC-16/CCITT-FALSE of `data` (0x29B1 for b"123456789")."""
    return crc_hqx(data, 0xFFFF)


def encode(frame: Frame) -> bytes:
    """Return `frame` as it goes over the line.

    Raises:
        ValueError: the payload exceeds 1024 bytes, or type or seq do not fit into a byte.
    """
    if len(frame.payload) > MAX_PAYLOAD:
        raise ValueError(f"a payload holds at most {MAX_PAYLOAD} bytes, not {len(frame.payload)}")
    if not (0 <= frame.type <= 0xFF and 0 <= frame.seq <= 0xFF):
        raise ValueError("type and seq are bytes")
    body = struct.pack("<BBH", frame.type, frame.seq, len(frame.payload)) + frame.payload
    return SYNC + body + struct.pack("<H", crc16(body))


class FrameDecoder:
    """Finds frames in bytes cut anywhere; never raises on what the line gives.

    Attributes:
        frames: good frames found.
        bad_frames: candidates refused for their length or CRC.
        resyncs: times that bytes had to be discarded before the next good frame.
        discarded: bytes discarded.
        lost_frames: frames missing by the sequence numbers (modulo 256).
    """

    def __init__(self) -> None:
        self.frames = 0
        self.bad_frames = 0
        self.resyncs = 0
        self.discarded = 0
        self.lost_frames = 0
        self._pending = bytearray()
        self._searching = False
        self._next_seq: int | None = None

    @property
    def pending(self) -> int:
        """Bytes of an incomplete candidate that wait for more, at most 1031."""
        return len(self._pending)

    def feed(self, data: bytes) -> list[Frame]:
        """Take what arrived; return the frames that it completed."""
        self._pending += data
        found: list[Frame] = []
        at = 0
        while True:
            start, frame = self._next(at)
            self._discard(start - at)
            if frame is None:
                del self._pending[:start]
                return found
            found.append(self._count(frame))
            at = start + HEAD_BYTES + len(frame.payload) + CRC_BYTES

    def expire(self) -> list[Frame]:
        """Take note that the line is quiet: what is incomplete stays so (PROTOCOL.md, "Quiet line").

        Returns:
            the frames that a false candidate had held back.
        """
        found: list[Frame] = []
        while self._pending:
            self._discard(1)
            rest = bytes(self._pending[1:])
            self._pending.clear()
            found += self.feed(rest)
        return found

    def _next(self, at: int) -> tuple[int, Frame | None]:
        """Return where the first good or incomplete candidate from `at` on starts, and it, if good."""
        data = self._pending
        while True:
            start = data.find(SYNC, at)
            if start < 0:
                return len(data) - data.endswith(SYNC[:1], at), None
            if len(data) - start < HEAD_BYTES:
                return start, None
            size = int.from_bytes(data[start + 4 : start + 6], "little")
            end = start + HEAD_BYTES + size
            if size <= MAX_PAYLOAD:
                if len(data) < end + CRC_BYTES:
                    return start, None
                body, crc = bytes(data[start + 2 : end]), bytes(data[end : end + CRC_BYTES])
                if crc16(body) == int.from_bytes(crc, "little"):
                    return start, Frame(body[0], body[1], body[4:])
            self.bad_frames += 1
            at = start + 1

    def _discard(self, count: int) -> None:
        if count:
            self.discarded += count
            self._searching = True

    def _count(self, frame: Frame) -> Frame:
        self.frames += 1
        self.resyncs += self._searching
        self._searching = False
        if self._next_seq is not None:
            self.lost_frames += (frame.seq - self._next_seq) % 256
        self._next_seq = (frame.seq + 1) % 256
        return frame
