"""What a Wi-Fi ear camera of the Suear / i4season family says: commands, and pictures cut into datagrams.

Read from two independent public descriptions: Suear-Web-Viewer (S. Pesce) and suear-mjpeg-over-adb
(D. Yen, PROTOCOL.md). The camera is the access point, mostly 192.168.1.1. Commands go to UDP port 10005, the
request for video to 10006; numbers are little-endian.

    command: u32 magic FFEEFFEE, u16 id, u16 type, u8 1, u8 error, u16 length, data
    video:   u8 1, u8 chunk, u8 frame, u8 last, u8 chunks of the frame (sure in the last), u8 ?, 3 x u16
             position, u16 width, u16 height, then a part of one JPEG image; 16 bytes before it

Doubts: what the camera says of its position, its battery's bits and its charging come from one source; it
keeps sending although nothing keeps it alive, and no command is known that stops it; whether it has a
snapshot button that it tells about is not known; a datagram with several chunks is not expected.
"""

import struct
from collections import deque
from dataclasses import dataclass, field

from chevet.bridge.jpeg import EOI, is_whole_jpeg

MAGIC = 0xFFEEFFEE
COMMAND = struct.Struct("<IHHBBH")
DEVICE_INFO, LICENCE, OPEN_VIDEO, SET_LED = 0x01, 0x02, 0x04, 0x0A
INFO = struct.Struct("<B32s32s16s32sIHH")
"""?, vendor, product, firmware, its network's name, ?, ?, power (bits 9 to 15: per cent, bit 8: charging)."""
SERIAL_BYTES = 32
HEADER = struct.Struct("<BBBBBB6sHH")
LARGEST_DATAGRAM = 9000
COUNTER = 256
FRAMES_AT_ONCE = 4
"""Unfinished frames that wait for late datagrams; older ones are given up."""
FRAMES_REMEMBERED = 16
"""Frames that are over: about a second, a sixteenth of the counter's round."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the camera answers: the command's type, 0 for success, and data."""

    type: int
    error: int
    data: bytes


def command(type_: int, number: int, data: bytes = b"") -> bytes:
    """Return one command; `number` counts them, modulo 65536."""
    return COMMAND.pack(MAGIC, number % 65536, type_, 1, 0, len(data)) + data


def open_video(number: int, port: int) -> bytes:
    """Return the request to send video to UDP `port` of who asks, as the maker's newer app has it."""
    head = COMMAND.pack(MAGIC, number % 65536, OPEN_VIDEO, 1, 0, 2)
    return head + struct.pack("<HH", port, 0)  # two bytes of padding are not counted in the length


def parse_answer(datagram: bytes) -> Answer | None:
    """Return the answer in a datagram, None where it is none."""
    if len(datagram) < COMMAND.size:
        return None
    magic, _, type_, _, error, length = COMMAND.unpack_from(datagram)
    if magic != MAGIC or len(datagram) < COMMAND.size + length:
        return None
    return Answer(type_, error, datagram[COMMAND.size : COMMAND.size + length])


def device_words(data: bytes) -> dict[str, str]:
    """Return model, firmware, battery (per cent) and charging of a device info; nothing of a short one.

    The name of its network is left out: it may be a person's.
    """
    if len(data) < INFO.size:
        return {}
    _, vendor, product, firmware, _, _, _, power = INFO.unpack_from(data)
    words = {"model": f"{_word(vendor)} {_word(product)}".strip(), "firmware": _word(firmware)}
    if 0 <= power >> 9 <= 100:
        words |= {"battery": str(power >> 9), "charging": str(power >> 8 & 1)}
    return words


def serial_word(data: bytes) -> str:
    """Return the serial number in a licence."""
    return _word(data[:SERIAL_BYTES])


def _word(field_: bytes) -> str:
    """Return a padded text, without what would break a list of words."""
    text = field_.split(b"\0")[0].decode("ascii", "replace")
    return "".join(c for c in text if c.isprintable() and c not in ";=\ufffd").strip()


@dataclass(slots=True)
class _Frame:
    """One image in the making: its chunks by number, and the number of the last once it is known."""

    chunks: dict[int, bytes] = field(default_factory=dict[int, bytes])
    last: int | None = None
    total: int = 0


class PictureAssembler:
    """Joins datagrams to images; lost, late, doubled and strange ones never make a wrong image.

    Attributes:
        frames: whole images.
        broken: images given up: chunks were lost, or what they made was no JPEG image.
        doubled: datagrams that had come before, or whose frame was over.
        foreign: datagrams that are no video.
    """

    def __init__(self) -> None:
        self.frames = self.broken = self.doubled = self.foreign = 0
        self._open: dict[int, _Frame] = {}
        self._over: deque[int] = deque(maxlen=FRAMES_REMEMBERED)

    def restart(self) -> None:
        """Forget all: the camera may have begun to count anew."""
        self.broken += len(self._open)
        self._open.clear()
        self._over.clear()

    def feed(self, datagram: bytes) -> bytes | None:
        """Take one datagram; return the image that it completes, its bytes untouched."""
        if not HEADER.size < len(datagram) <= LARGEST_DATAGRAM:
            self.foreign += 1
            return None
        one, chunk, number, last, total, _, _, _, _ = HEADER.unpack_from(datagram)
        if one != 1 or last > 1:
            self.foreign += 1
            return None
        frame = self._open.get(number)
        if number in self._over or (frame is not None and chunk in frame.chunks):
            self.doubled += 1
            return None
        frame = frame or self._begin(number)
        frame.chunks[chunk] = datagram[HEADER.size :]
        if last:
            frame.last, frame.total = chunk, total
        return self._finish(number, frame)

    def _begin(self, number: int) -> _Frame:
        if len(self._open) >= FRAMES_AT_ONCE:
            self._give_up(next(iter(self._open)))
        frame = self._open[number] = _Frame()
        return frame

    def _give_up(self, number: int) -> None:
        del self._open[number]
        self._over.append(number)
        self.broken += 1

    def _finish(self, number: int, frame: _Frame) -> bytes | None:
        if frame.last is None or not 0 < frame.total <= len(frame.chunks):
            return None
        order = [(frame.last - back) % COUNTER for back in reversed(range(frame.total))]
        if len(frame.chunks) > frame.total or not all(place in frame.chunks for place in order):
            self._give_up(number)  # chunks of two frames under one number
            return None
        joined = b"".join(frame.chunks[place] for place in order)
        image = joined[: joined.rfind(EOI) + len(EOI)]  # the last datagram is padded
        if not is_whole_jpeg(image):
            self._give_up(number)
            return None
        for earlier in [other for other in self._open if (number - other) % COUNTER < COUNTER // 2]:
            if earlier != number:
                self._give_up(earlier)
        del self._open[number]
        self._over.append(number)
        self.frames += 1
        return image
