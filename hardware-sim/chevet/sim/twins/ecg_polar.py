"""A Polar H10 strap: heart rate to whoever subscribes, ECG once it is started.

Services and frames: device-protocols notes sections 1.4 and 3.1 (polar-ble-sdk).
"""

import struct

from chevet.sim.twins import gatt
from chevet.sim.twins.ecg_body import Chest, steps, vitals_of
from chevet.sim.twins.gatt import INDICATE, NOTIFY, READ, WRITE, Sent, Service, characteristic, sig
from chevet.sim.twins.pace import Pace

MEASUREMENT_SERVICE = "fb005c80-02e7-f387-1cad-8acd2d8df0c8"
CONTROL = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
DATA = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
HEART_RATE_MEASUREMENT = sig(0x2A37)
RATE_HZ = 130.0
SAMPLES = 73
"""In one notification; 229 bytes."""
CLOCK_NOT_SET_NS = 599_616_000 * 10**9
"""2019-01-01 in nanoseconds since 2000: where a strap without the time begins."""
GOOD, INVALID_OP, INVALID_PARAMETER, ALREADY = 0, 1, 5, 6


class PolarStrap:
    """The strap.

    Attributes:
        offered_hz: the rate it says it has.
        lost: this many further notifications of ECG never leave.
    """

    name = "Polar H10 12345678"
    linger_s = 0.0

    def __init__(self, chest: Chest, now: float) -> None:
        control = characteristic(CONTROL, READ, WRITE, INDICATE, value=bytes.fromhex("0f05") + bytes(15))
        self.services: tuple[Service, ...] = (
            Service(sig(0x180D), (characteristic(HEART_RATE_MEASUREMENT, NOTIFY),)),
            Service(MEASUREMENT_SERVICE, (control, characteristic(DATA, NOTIFY)), advertised=False),
            gatt.about("Polar Electro Oy", "H10", "12345678", "5.0.0"),
            gatt.battery(80),
        )
        self.chest = chest
        self.offered_hz = 130
        self.lost = 0
        self._powered_at = now
        self.connected(now)

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._powered_at if self._started_at is None else self._started_at

    def connected(self, now: float) -> None:
        """Begin to tell the heart rate; the ECG waits for its start."""
        self._seconds = Pace(1.0, now)
        self._started_at: float | None = None
        self._sent = 0

    def written(self, uuid: str, data: bytes, now: float) -> list[Sent]:
        """Obey the control point."""
        if uuid != CONTROL or len(data) < 2 or data[1] != 0:
            return []
        match data[0]:
            case 1:
                offer = struct.pack("<BBHBBH", 0, 1, self.offered_hz, 1, 1, 14)
                return [self._answer(1, GOOD, offer)]
            case 2:
                return [self._answer(2, self._start(data[2:], now))]
            case 3:
                self._started_at = None
                return [self._answer(3, GOOD)]
        return [self._answer(data[0], INVALID_OP)]

    def _start(self, settings: bytes, now: float) -> int:
        if settings != struct.pack("<BBHBBH", 0, 1, 130, 1, 1, 14):
            return INVALID_PARAMETER
        if self._started_at is not None:
            return ALREADY
        self._started_at, self._sent = now, 0
        return GOOD

    def _answer(self, command: int, status: int, parameters: bytes = b"") -> Sent:
        return CONTROL, bytes((0xF0, command, 0, status, 0)) + parameters

    def advance(self, now: float) -> list[Sent]:
        """Return the heart rate once a second, and ECG as 73 samples are full."""
        sent: list[Sent] = [(HEART_RATE_MEASUREMENT, self._rate(second)) for second in self._seconds.due(now)]
        if self._started_at is None:
            return sent
        while (now - self._started_at) * RATE_HZ >= self._sent + SAMPLES:
            value = self.notification(self._sent)
            self._sent += SAMPLES
            if self.lost:
                self.lost -= 1
            else:
                sent.append((DATA, value))
        return sent

    def _rate(self, second: int) -> bytes:
        if "ECG" in self.chest.off:
            return bytes((0x04, 0))
        vitals = vitals_of(self.chest)
        # The seconds count from the connection, the chest's from sample 0.
        since = self._seconds.began - self.began_at + second
        ticks = [round(1024 * rr_s) for rr_s in vitals.intervals_s(since - 1, since)]
        flags = 0x16 if ticks else 0x06
        told = b"".join(min(0xFFFF, one).to_bytes(2, "little") for one in ticks)
        return bytes((flags, vitals.heart_rate())) + told

    def samples(self, first: int, count: int) -> list[int]:
        """Return microvolts."""
        return [int(value) for value in steps(self.chest, ("II",), first, count, RATE_HZ, 1.0)[0]]

    def notification(self, first: int) -> bytes:
        """Return the ECG data whose first sample is `first`."""
        last_s = (first + SAMPLES - 1) / RATE_HZ
        stamp = CLOCK_NOT_SET_NS + round((self._started_at or 0.0) * 1e9) + round(last_s * 1e9)
        body = b"".join(value.to_bytes(3, "little", signed=True) for value in self.samples(first, SAMPLES))
        return struct.pack("<BQB", 0, stamp, 0) + body
