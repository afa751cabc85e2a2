"""A Nonin OEM III module in data format 2: 75 five-byte frames a second, three packets of 25.

Layout: Nonin OEM III module specification. 9600 baud, 8N1, starts by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chevet.sim.twins.pulses import PulseMarks

BAUD = 9600
RATE_HZ = 75
FRAMES_PER_PACKET = 25
HR_MISSING = 511
SPO2_MISSING = 127
FIRMWARE_REVISION = 48
CATCH_UP_FRAMES = 2 * FRAMES_PER_PACKET

SYNC, GREEN, RED, ALARM, OUT_OF_TRACK, ARTIFACT, DISCONNECTED, ALWAYS = (1 << bit for bit in range(8))
YELLOW = GREEN | RED
COLOUR_S = 12 / RATE_HZ
"""The perfusion bits stand in about twelve frames of a pulse."""
GREEN_FROM_PCT, YELLOW_FROM_PCT = 0.5, 0.16
"""Perfusion index from which the light is green or yellow, assumed: Nonin tells no numbers."""


def colour(perfusion_pct: float | None) -> int:
    """Return the perfusion bits that a pulse of this perfusion index lights; none where it is not known."""
    if perfusion_pct is None:
        return 0
    return GREEN if perfusion_pct >= GREEN_FROM_PCT else YELLOW if perfusion_pct >= YELLOW_FROM_PCT else RED


@dataclass(frozen=True, slots=True)
class Numbers:
    """What the module computes four times or eight times a beat; None while it has nothing to show."""

    pulse_rate: int | None
    spo2: int | None
    status: int = 0


class Finger(Protocol):
    """What the sensor sees."""

    def pleth(self, first: int, count: int) -> Sequence[int]:
        """Return `count` pleth values 0..255 from 75 Hz sample `first` on."""
        ...

    def numbers(self, first: int) -> Numbers:
        """Return the numbers shown at 75 Hz sample `first`."""
        ...


def frame(status: int, pleth: int, data: int) -> bytes:
    """Return one frame; `status` gets its always-set top bit here."""
    head = bytes((0x01, ALWAYS | status, pleth, data))
    return head + bytes((sum(head) & 0xFF,))


def packet(
    status: int, pleth: Sequence[int], numbers: Numbers, timer: int = 0, pulse: Sequence[bool] = ()
) -> list[bytes]:
    """Return the 25 frames of a packet.

    Args:
        status: bits for every frame beside `numbers.status` (the SYNC bit is set here).
        pleth: 25 values 0..255.
        numbers: repeated as plain, extended and display values.
        timer: packet counter, 14 bit.
        pulse: whether each frame is of a pulse's first part: only those show the perfusion bits; () is all.
    """
    data = _slots(numbers, timer)
    bits = [status | numbers.status & (~0 if beating else ~YELLOW) for beating in pulse or (True,) * 25]
    bits[0] |= SYNC
    return [frame(bits[number], pleth[number], data[number]) for number in range(FRAMES_PER_PACKET)]


def _slots(numbers: Numbers, timer: int) -> list[int]:
    """Return the DATA byte of frames 1 to 25 (index 0 to 24)."""
    rate = HR_MISSING if numbers.pulse_rate is None else numbers.pulse_rate
    spo2 = SPO2_MISSING if numbers.spo2 is None else numbers.spo2
    msb, lsb = rate >> 7 & 3, rate & 0x7F
    slots = [0] * FRAMES_PER_PACKET
    slots[0:4] = [msb, lsb, spo2, FIRMWARE_REVISION]
    slots[5:7] = [timer >> 7 & 0x7F, timer & 0x7F]
    slots[8:11] = [spo2] * 3
    slots[13:17] = [msb, lsb, spo2, spo2]
    slots[19:23] = [msb, lsb, msb, lsb]
    return slots


class NoninDf2:
    """The module from power-on on: it streams by itself and listens to nothing."""

    baud = BAUD

    def __init__(self, finger: Finger, now: float) -> None:
        self._finger = finger
        self._pulse = PulseMarks(finger, COLOUR_S)
        self.restart(now)

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._powered_at

    def restart(self, now: float) -> None:
        """Power on."""
        self._powered_at = now
        self._index = 0
        self._packet: list[bytes] = []

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Ignore what the host sends: format 2 of an OEM module is set by a jumper."""
        del data, now
        return []

    def advance(self, now: float) -> list[bytes]:
        """Return the frames due at `now`."""
        due = int((now - self._powered_at) * RATE_HZ)
        if due - self._index > CATCH_UP_FRAMES:
            self._index = due - due % FRAMES_PER_PACKET
        frames: list[bytes] = []
        while self._index < due:
            if self._index % FRAMES_PER_PACKET == 0 or not self._packet:
                self._begin_packet()
            frames.append(self._packet[self._index % FRAMES_PER_PACKET])
            self._index += 1
        return frames

    def _begin_packet(self) -> None:
        first = self._index - self._index % FRAMES_PER_PACKET
        pleth = self._finger.pleth(first, FRAMES_PER_PACKET)
        timer = first // FRAMES_PER_PACKET & 0x3FFF
        pulse = [self._pulse.at((first + place) / RATE_HZ) for place in range(FRAMES_PER_PACKET)]
        self._packet = packet(0, pleth, self._finger.numbers(first), timer, pulse)
