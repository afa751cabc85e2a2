"""Nonin's other serial modules: formats 7 and 8, and handhelds that print.

Layouts: device-protocols notes section 2.1 (Nonin OEM III specification, BT4000 manual). All at 9600 baud
8N1, by themselves from power-on, deaf to whatever is sent.
"""

from collections.abc import Sequence

from chevet.sim.nonin import COLOUR_S, GREEN_FROM_PCT, YELLOW_FROM_PCT, colour
from chevet.sim.twins.finger import Finger, Shown
from chevet.sim.twins.pace import Pace
from chevet.sim.twins.pulses import PulseMarks

BAUD = 9600
RATE_HZ, FRAMES = 75.0, 25
NO_RATE, NO_SPO2 = 511, 127
FIRMWARE = 48
TOP_16 = 65535


class NoninDf7:
    """An OEM III in format 7: 75 frames a second, pleth in two bytes, packets of 25."""

    baud = BAUD

    def __init__(self, finger: Finger, now: float) -> None:
        self._finger = finger
        self._pulse = PulseMarks(finger, COLOUR_S)
        self._pace = Pace(RATE_HZ, now)

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._pace.began

    def restart(self, now: float) -> None:
        """Power on."""
        self._pace.restart(now)

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Ignore it: a jumper sets the format."""
        del data, now
        return []

    def advance(self, now: float) -> list[bytes]:
        """Return the frames due."""
        return [self._frame(index) for index in self._pace.due(now)]

    def _frame(self, index: int) -> bytes:
        (pleth,) = self._finger.wave(index, 1, RATE_HZ, TOP_16)
        place = index % FRAMES
        # The packet's numbers are those at its beginning.
        shown = self._finger.shown((index - place) / RATE_HZ)
        data = packet_data(shown, index // FRAMES % 2**14)[place]
        status = 0x80 | (0x01 if place == 0 else 0)
        status |= 0x40 if self._finger.off else 0  # sensor disconnected
        status |= 0x10 if shown.spo2 is None else 0  # out of track
        status |= colour(shown.perfusion_pct) if self._pulse.at(index / RATE_HZ) else 0
        status |= 0x20 if self._finger.moving else 0
        body = bytes([status, pleth >> 8, pleth & 0xFF, data])
        return body + bytes([sum(body) % 256])


def packet_data(shown: Shown, timer: int = 0) -> Sequence[int]:
    """Return the DATA bytes of a packet's 25 frames."""
    rate = NO_RATE if shown.pulse_rate is None else shown.pulse_rate
    spo2 = NO_SPO2 if shown.spo2 is None else shown.spo2
    high, low = divmod(rate, 128)
    head = [high, low, spo2, FIRMWARE, 0, timer // 128, timer % 128, 0, spo2, spo2, spo2, 0, 0]
    return [*head, high, low, spo2, spo2, 0, 0, high, low, high, low, 0, 0]


class NoninDf8:
    """A module in format 8: four bytes once a second."""

    baud = BAUD

    def __init__(self, finger: Finger, now: float) -> None:
        self._finger = finger
        self._pace = Pace(1.0, now)

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._pace.began

    def restart(self, now: float) -> None:
        """Power on."""
        self._pace.restart(now)

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Ignore it."""
        del data, now
        return []

    def advance(self, now: float) -> list[bytes]:
        """Return the frames due."""
        return [self._frame(self._finger.shown(float(second))) for second in self._pace.due(now)]

    def _frame(self, shown: Shown) -> bytes:
        rate = NO_RATE if shown.pulse_rate is None else shown.pulse_rate
        spo2 = NO_SPO2 if shown.spo2 is None else shown.spo2
        first = 0x80 + rate // 128
        first += 0x40 if self._finger.off else 0  # sensor disconnected
        first += 0x20 if shown.spo2 is None else 0  # out of track
        if shown.perfusion_pct is not None and shown.perfusion_pct < GREEN_FROM_PCT:
            first += 0x08 if shown.perfusion_pct >= YELLOW_FROM_PCT else 0x10  # marginal, low perfusion
        first += 0x04 if self._finger.moving else 0
        return bytes([first, rate % 128, spo2, 0])


class NoninAscii:
    """A handheld that prints: a header at power-on, then one line a second."""

    baud = BAUD
    HEADER = ("NONIN MEDICAL", "MODEL 8500", "VER 24 FORMAT 1")

    def __init__(self, finger: Finger, now: float) -> None:
        self._finger = finger
        self._pace = Pace(1.0, now)
        self.restart(now)

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._pace.began

    def restart(self, now: float) -> None:
        """Power on: the header comes first."""
        self._pace.restart(now)
        self._header = [f"{line}\r\n".encode() for line in self.HEADER]

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Ignore it."""
        del data, now
        return []

    def advance(self, now: float) -> list[bytes]:
        """Return the lines due."""
        header, self._header = self._header, []
        return header + [self._line(float(second)) for second in self._pace.due(now)]

    def _line(self, at_s: float) -> bytes:
        shown = self._finger.shown(at_s)
        spo2, rate = (
            "---" if number is None else str(number).zfill(3) for number in (shown.spo2, shown.pulse_rate)
        )
        return f"SPO2={spo2} HR={rate}\r\n".encode()
