"""What a good frame of each streaming instrument looks like, as strictly as its documents allow.

Each function returns the length of the good frame that begins at a place, 0 where there is none. They are
stricter than the drivers: a driver must read on over a damaged byte, a recognition must not guess. Sources
are those of the drivers of the same names.
"""

import re
from collections.abc import Callable, Sequence

KIT_TYPES = frozenset({0x81, 0x82, 0x83, 0x84})
"""PROTOCOL.md section 3: identity, answer, samples, status; only a device sends them."""
PACKET_FRAMES = 25
"""Nonin formats 2 and 7: one frame in 25 has the SYNC bit."""
SYNC = 0x01
MISSING_SPO2 = 127
STEADY_SPO2, STEADY_RATE = 4, 12
"""Averaged numbers move by less from one second to the next."""


def df2(data: bytes, at: int) -> int:
    """Nonin format 2: `01 STATUS PLETH DATA CHK`."""
    frame = data[at : at + 5]
    good = len(frame) == 5 and frame[0] == 1 and frame[1] & 0x80 and not frame[3] & 0x80
    return 5 if good and sum(frame[:4]) & 0xFF == frame[4] else 0


def df7(data: bytes, at: int) -> int:
    """Nonin format 7: `STATUS PLETH_MSB PLETH_LSB DATA CHK`."""
    frame = data[at : at + 5]
    good = len(frame) == 5 and frame[0] & 0x80 and not frame[3] & 0x80
    return 5 if good and sum(frame[:4]) & 0xFF == frame[4] else 0


def _synchronous(run: Sequence[bytes], status: int) -> bool:
    places = {place % PACKET_FRAMES for place, frame in enumerate(run) if frame[status] & SYNC}
    return len(places) == 1


def df2_synchronous(run: Sequence[bytes]) -> bool:
    """Tell whether SYNC stands in every 25th frame and in no other."""
    return _synchronous(run, 1)


def df7_synchronous(run: Sequence[bytes]) -> bool:
    """Tell whether SYNC stands in every 25th frame and in no other."""
    return _synchronous(run, 0)


def df8(data: bytes, at: int) -> int:
    """Nonin format 8: `S1 HR SpO2 S2` without a checksum; S2 has three bits that are always clear."""
    frame = data[at : at + 4]
    if len(frame) < 4 or not frame[0] & 0x80 or frame[1] & 0x80 or frame[3] & 0xD0:
        return 0
    return 4 if frame[2] == MISSING_SPO2 or frame[2] <= 100 else 0


def df8_follows(before: bytes, frame: bytes) -> bool:
    """Tell whether SpO2 and pulse rate could be those of a second later."""
    was, now = ((one[0] & 3) << 7 | one[1] for one in (before, frame))
    return _near(before[2], frame[2], STEADY_SPO2, (MISSING_SPO2,)) and _near(was, now, STEADY_RATE, (511,))


def _near(before: int, now: int, most: int, missing: tuple[int, ...]) -> bool:
    return before in missing or now in missing or abs(now - before) <= most


def df13(data: bytes, at: int) -> int:
    """Nonin format 13: `00 02 00 0D length .. CHK 03`."""
    if data[at : at + 4] != b"\x00\x02\x00\x0d" or len(data) < at + 6:
        return 0
    size = int.from_bytes(data[at + 4 : at + 6], "big")
    end = at + 6 + size
    if not 14 <= size <= 64 or len(data) < end + 2 or data[end + 1] != 0x03:
        return 0
    return size + 8 if sum(data[at + 6 : end]) & 0xFF == data[end] else 0


def _line(pattern: bytes) -> Callable[[bytes, int], int]:
    wanted = re.compile(pattern)

    def length(data: bytes, at: int) -> int:
        found = wanted.match(data, at)
        return len(found[0]) if found else 0

    return length


nonin_line = _line(rb"SPO2=(?:\d{3}|---)\s{1,4}HR=(?:\d{3}|---)[ F*]*\r?\n")
"""Nonin's printing handhelds."""
masimo_line = _line(
    rb"\d\d/\d\d/\d\d \d\d:\d\d:\d\d SN=\S{1,16} SPO2=[\d-]{3}% BPM=[\d-]{3} [ -~]{0,200}\r?\n"
)
"""Masimo's ASCII 1."""
number_line = _line(rb"(?:!|\d{1,3}|10[01]\d|102[0-3])\r?\n")
"""One `analogRead` (0 to 1023) a line, or `!`."""


def pleth(data: bytes, at: int) -> int:
    """Contec's old and BerryMed's frames: only the first of five bytes has bit 7; SpO2 is a percentage."""
    frame = data[at : at + 5]
    if len(frame) < 5 or not frame[0] & 0x80 or any(byte & 0x80 for byte in frame[1:]):
        return 0
    return 5 if frame[4] <= 100 or frame[4] == MISSING_SPO2 else 0


def pleth_follows(before: bytes, frame: bytes) -> bool:
    """Tell whether SpO2 goes on steadily."""
    return _near(before[4], frame[4], STEADY_SPO2, (0, MISSING_SPO2))


def contec_live(data: bytes, at: int) -> int:
    """Contec's newer live packet: type 1, then eight bytes with bit 7."""
    packet = data[at : at + 9]
    return 9 if len(packet) == 9 and packet[0] == 1 and all(byte & 0x80 for byte in packet[1:]) else 0


def openview(payload: int, type_: int) -> Callable[[bytes, int], int]:
    """Return the judge of ProtoCentral's frames of one length and type."""
    head = bytes((0x0A, 0xFA, payload, 0, type_))

    def length(data: bytes, at: int) -> int:
        end = at + len(head) + payload
        return payload + 7 if data.startswith(head, at) and data[end : end + 2] == b"\x00\x0b" else 0

    return length


_V5 = tuple(openview(payload, type_) for payload, type_ in ((22, 2), (50, 3), (19, 4)))


def healthypi_v5(data: bytes, at: int) -> int:
    """HealthyPi 5: OpenView of 22 bytes, or OV3's two kinds."""
    return max(judge(data, at) for judge in _V5)


def ads1292r(data: bytes, at: int) -> int:
    """Raw ADS1292R: status 1100, five bits of lead-off, two of GPIO, 13 zeros; two 24-bit numbers."""
    frame = data[at : at + 9]
    good = len(frame) == 9 and frame[0] >> 4 == 0b1100 and not frame[1] & 0x1F and not frame[2]
    return 9 if good else 0


def ads1298(data: bytes, at: int) -> int:
    """Raw ADS1298: status begins with 1100; eight 24-bit numbers. The rest is up to `same_status`."""
    return 27 if len(data) >= at + 27 and data[at] >> 4 == 0b1100 else 0


def same_status(before: bytes, frame: bytes) -> bool:
    """Tell whether lead-off and GPIO are as in the frame before: they change a few times a minute."""
    return before[:3] == frame[:3]


def alive(run: Sequence[bytes]) -> bool:
    """Tell whether samples move; a line stuck at one byte, or a repeated pattern, does not."""
    return len(set(run)) > len(run) // 4


def eight_channels(run: Sequence[bytes]) -> bool:
    """Tell whether these are frames of 27 bytes and not three of the two-channel chip's nine each."""
    return alive(run) and any(not frame[:3] == frame[9:12] == frame[18:21] for frame in run)


def cyton(data: bytes, at: int) -> int:
    """OpenBCI Cyton: A0, counter, 30 bytes, C0 to C6."""
    frame = data[at : at + 33]
    return 33 if len(frame) == 33 and frame[0] == 0xA0 and 0xC0 <= frame[32] <= 0xC6 else 0


def cyton_follows(before: bytes, frame: bytes) -> bool:
    """Tell whether the counter goes on."""
    return frame[1] == (before[1] + 1) & 0xFF


def chords(data: bytes, at: int) -> int:
    """Chords: C7 7C, counter, six numbers of at most 14 bits, 01."""
    frame = data[at : at + 16]
    good = len(frame) == 16 and frame[:2] == b"\xc7\x7c" and frame[15] == 1
    return 16 if good and all(byte < 0x40 for byte in frame[3:15:2]) else 0


def chords_follows(before: bytes, frame: bytes) -> bool:
    """Tell whether the counter goes on."""
    return frame[2] == (before[2] + 1) & 0xFF
