"""Oximeters with Bluetooth services of their makers: BerryMed, PC-60FW, Nonin 3230/3150.

Layouts: device-protocols notes sections 2.2, 2.4 and 2.6.
"""

from itertools import pairwise

from chevet.sim.twins import gatt
from chevet.sim.twins.finger import Finger
from chevet.sim.twins.gatt import NOTIFY, WRITE, Sent, Service, characteristic
from chevet.sim.twins.pace import Pace
from chevet.sim.twins.pulses import PulseMarks, pulses

BERRY_SERVICE = "49535343-fe7d-4ae5-8fa9-9fafd205e455"
BERRY_NOTIFY = "49535343-1e4d-4bd9-ba61-23c647249616"
BERRY_WRITE = "49535343-8841-43f4-a8d4-ecbe34729bb3"
BERRY_HZ, BERRY_TOP = 100.0, 100
BERRY_NOTIFICATION = 20
"""Bytes: four frames, every 40 ms."""
BEEP_S = 0.1
"""How long the beep bit stands after a pulse's peak, assumed."""

UART_SERVICE = "6e400001-b5a3-f393-e0a9-e50e24dcca9e"
UART_WRITE = "6e400002-b5a3-f393-e0a9-e50e24dcca9e"
UART_NOTIFY = "6e400003-b5a3-f393-e0a9-e50e24dcca9e"
PC60_HZ, PC60_TOP, PC60_SAMPLES = 60.0, 127, 5
PC60_BATTERY_EVERY = 30

NONIN_SERVICE = "46a970e0-0d5f-11e2-8b5e-0002a5d5c51b"
NONIN_CONTINUOUS = "0aad7ea0-0d60-11e2-8e3c-0002a5d5c51b"
NONIN_CONTROL = "1447af80-0d60-11e2-88b6-0002a5d5c51b"
NONIN_PPG = "ec0a883a-4d24-11e7-b114-b2f933d5fe66"
NONIN_INTERVALS = "34e27863-76ff-4f8e-96f1-9e3993aa6199"
NONIN_STATE = "ec0a9302-4d24-11e7-b114-b2f933d5fe66"
NONIN_HZ, NONIN_TOP, NONIN_SAMPLES = 75.0, 65535, 25
WEAK_BELOW_PCT = 0.5
"""Perfusion index below which the signal is called weak, assumed."""
LONGEST_INTERVAL_S = 4.0


class BerryMed:
    """BM1000: 100 frames of five bytes a second to whoever subscribes, cut into notifications of 20."""

    name = "BerryMed"
    linger_s = 0.0

    def __init__(self, finger: Finger, now: float) -> None:
        self.services: tuple[Service, ...] = (
            Service(
                BERRY_SERVICE, (characteristic(BERRY_NOTIFY, NOTIFY), characteristic(BERRY_WRITE, WRITE))
            ),
        )
        self._finger = finger
        self._pulse = PulseMarks(finger, BEEP_S)
        self._pace = Pace(BERRY_HZ, now)
        self._stream = b""

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._pace.began

    def connected(self, now: float) -> None:
        """Begin to stream."""
        self._pace.due(now)
        self._stream = b""

    def written(self, uuid: str, data: bytes, now: float) -> list[Sent]:
        """Ignore it."""
        del uuid, data, now
        return []

    def advance(self, now: float) -> list[Sent]:
        """Return the notifications that are full: they leave whole, as the radio module sends them."""
        self._stream += b"".join(self.frame(index) for index in self._pace.due(now))
        whole = len(self._stream) // BERRY_NOTIFICATION * BERRY_NOTIFICATION
        full, self._stream = self._stream[:whole], self._stream[whole:]
        return gatt.in_parts(BERRY_NOTIFY, full, BERRY_NOTIFICATION)

    def frame(self, index: int) -> bytes:
        """Return one frame."""
        shown = self._finger.shown(index / BERRY_HZ)
        (pleth,) = self._finger.wave(index, 1, BERRY_HZ, BERRY_TOP)
        rate = 255 if shown.pulse_rate is None else shown.pulse_rate
        spo2 = 127 if shown.spo2 is None else shown.spo2
        first = (0x80 if self._finger.off else 0x86) + (0x40 if self._pulse.at(index / BERRY_HZ) else 0)
        third = 0x10 if self._finger.off else pleth * 15 // BERRY_TOP
        third += 0x20 if shown.spo2 is None and not self._finger.off else 0
        third += 0x40 if rate >= 128 else 0
        return bytes([first, pleth, third, rate % 128, spo2])


def maxim(data: bytes) -> int:
    """Return Maxim's CRC-8, bit by bit from the lowest."""
    register = 0
    for byte in data:
        for place in range(8):
            feedback = (register ^ byte >> place) & 1
            register >>= 1
            if feedback:
                register ^= 0b10001100
    return register


class Pc60Fw:
    """PC-60FW: numbers once a second, five pleth samples twelve times; silent without a finger."""

    name = "PC-60F_SN001234"
    linger_s = 0.0

    def __init__(self, finger: Finger, now: float) -> None:
        self.services: tuple[Service, ...] = (
            Service(UART_SERVICE, (characteristic(UART_NOTIFY, NOTIFY), characteristic(UART_WRITE, WRITE))),
        )
        self.battery = 3
        self._finger = finger
        self._pulse = PulseMarks(finger, 1 / PC60_HZ)
        self._pace = Pace(PC60_HZ / PC60_SAMPLES, now)

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._pace.began

    def connected(self, now: float) -> None:
        """Begin to stream."""
        self._pace.due(now)

    def written(self, uuid: str, data: bytes, now: float) -> list[Sent]:
        """Ignore it."""
        del uuid, data, now
        return []

    def advance(self, now: float) -> list[Sent]:
        """Return the notifications due; they hold what was due together, cut at 20 bytes."""
        stream = b"".join(self._twelfth(index) for index in self._pace.due(now) if not self._finger.off)
        return gatt.in_parts(UART_NOTIFY, stream)

    def _twelfth(self, index: int) -> bytes:
        wave = self._finger.wave(index * PC60_SAMPLES, PC60_SAMPLES, PC60_HZ, PC60_TOP)
        for place in range(PC60_SAMPLES):
            if self._pulse.at((index * PC60_SAMPLES + place) / PC60_HZ):
                wave[place] |= 0x80  # a beat
        said = frame_pc60(0x0F, 0x02, bytes(wave))
        second, rest = divmod(index, 12)
        if rest == 0:
            said += self._numbers(second)
        if index % (12 * PC60_BATTERY_EVERY) == 0:
            said += frame_pc60(0xF0, 0x03, bytes([self.battery]))
        return said

    def _numbers(self, second: int) -> bytes:
        shown = self._finger.shown(float(second))
        perfusion = round(10 * (shown.perfusion_pct or 0.0))
        return frame_pc60(0x0F, 0x01, bytes([shown.spo2 or 0, shown.pulse_rate or 0, 0, perfusion, 0, 0xC0]))


def frame_pc60(token: int, function: int, data: bytes) -> bytes:
    """Return `AA 55 token length function data crc`."""
    body = bytes([0xAA, 0x55, token, len(data) + 2, function]) + data
    return body + bytes([maxim(body)])


class NoninBle:
    """A 3150: numbers once a second, pleth three times, pulse intervals and state once, a control point."""

    name = "Nonin3150_501234567"
    linger_s = 0.0

    def __init__(self, finger: Finger, now: float, date: str = "250314093005") -> None:
        streams = (NONIN_CONTINUOUS, NONIN_PPG, NONIN_INTERVALS, NONIN_STATE)
        parts = tuple(characteristic(uuid, NOTIFY) for uuid in streams)
        control = characteristic(NONIN_CONTROL, WRITE, NOTIFY)
        self.services: tuple[Service, ...] = (
            Service(NONIN_SERVICE, (*parts, control)),
            gatt.about("Nonin Medical, Inc.", "3150", "501234567"),
            gatt.battery(80),
        )
        self._finger = finger
        self._date = date
        self._pace = Pace(NONIN_HZ / NONIN_SAMPLES, now)

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._pace.began

    def connected(self, now: float) -> None:
        """Begin to stream."""
        self._pace.due(now)

    def written(self, uuid: str, data: bytes, now: float) -> list[Sent]:
        """Answer the question for the clock; refuse all else."""
        del now
        if uuid != NONIN_CONTROL or data[:1] != b"\x60":
            return []
        if data == b"\x60NMI\x06DTM?\r\n":
            return [(NONIN_CONTROL, b"\xe0\x00\x0c" + self._date.encode())]
        return [(NONIN_CONTROL, b"\xe0\x01\x00")]

    def advance(self, now: float) -> list[Sent]:
        """Return the notifications due."""
        sent: list[Sent] = []
        for index in self._pace.due(now):
            sent.append((NONIN_PPG, self._ppg(index)))
            if index % 3 == 0:
                second = index // 3
                sent.append((NONIN_CONTINUOUS, self._continuous(second)))
                sent.append((NONIN_INTERVALS, self._intervals(second)))
                error = 1 if self._finger.off else 0
                sent.append((NONIN_STATE, bytes([7, 1, error, 30, 80]) + (second % 65536).to_bytes(2, "big")))
        return sent

    def _ppg(self, index: int) -> bytes:
        wave = self._finger.wave(index * NONIN_SAMPLES, NONIN_SAMPLES, NONIN_HZ, NONIN_TOP)
        body = b"".join(sample.to_bytes(2, "big") for sample in wave)
        return bytes([53]) + body + (index % 65536).to_bytes(2, "big")

    def _continuous(self, second: int) -> bytes:
        shown = self._finger.shown(float(second))
        perfusion = round(100 * (shown.perfusion_pct or 0.0))
        rate = 511 if shown.pulse_rate is None else shown.pulse_rate
        spo2 = 127 if shown.spo2 is None else shown.spo2
        status = 0x54  # encrypted, attached, SmartPoint
        if shown.spo2 is None:
            status = 0x48 if self._finger.off else 0x58  # searching, without a finger or with one
        elif shown.perfusion_pct is not None and shown.perfusion_pct < WEAK_BELOW_PCT:
            status |= 0x02
        head = bytes([10, status, 30]) + perfusion.to_bytes(2, "big") + (second % 65536).to_bytes(2, "big")
        return head + bytes([spo2]) + rate.to_bytes(2, "big")

    def _intervals(self, second: int) -> bytes:
        """Return the intervals to the pulses of the last second, six at most."""
        shown = self._finger.shown(float(second))
        count = (second % 65536).to_bytes(2, "big")
        if shown.pulse_rate is None:
            return bytes([4]) + count + b"\x01"
        perfusion = min(0xFFF, round(100 * (shown.perfusion_pct or 0.0))).to_bytes(2, "big")
        peaks = pulses(self._finger, second - LONGEST_INTERVAL_S, float(second))
        lengths = [after - before for before, after in pairwise(peaks) if after >= second - 1][-6:]
        told = b"".join(perfusion + round(10_000 * length_s).to_bytes(2, "big") for length_s in lengths)
        return bytes([4 + len(told)]) + count + b"\x00" + told
