"""A Movesense sensor with the GATT sensor data firmware: silent until subscribed by its own command.

Messages: device-protocols notes section 3.7.
"""

import struct

from chevet.sim.twins import gatt
from chevet.sim.twins.ecg_body import Chest, steps
from chevet.sim.twins.gatt import NOTIFY, WRITE, Sent, Service, characteristic

SERVICE = "34802252-7185-4d5d-b431-630e7050e8f0"
WRITES = "34800001-7185-4d5d-b431-630e7050e8f0"
NOTIFIES = "34800002-7185-4d5d-b431-630e7050e8f0"
SAMPLES = 16
STEP_UV = 1e6 / 20 / 131072
OK, NOT_FOUND = 200, 404


class MovesenseSensor:
    """The sensor.

    Attributes:
        rates: those its firmware offers, in Hz.
        longest: bytes a notification may have; longer messages come in two parts.
        lost: this many further messages of ECG never leave.
    """

    name = "Movesense 174630000192"
    linger_s = 0.0

    def __init__(self, chest: Chest, now: float) -> None:
        self.services: tuple[Service, ...] = (
            Service(SERVICE, (characteristic(WRITES, WRITE), characteristic(NOTIFIES, NOTIFY))),
            gatt.about("Movesense", "Movesense HR+", "174630000192"),
            gatt.battery(80),
        )
        self.chest = chest
        self.rates = (125, 128, 250, 256, 500, 512)
        self.longest = 244
        self.lost = 0
        self._powered_at = now
        self.connected(now)

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._since

    def connected(self, now: float) -> None:
        """Wait for a subscription."""
        del now
        self._rate_hz = 0  # not subscribed
        self._reference = 0
        self._since = 0.0
        self._sent = 0

    def written(self, uuid: str, data: bytes, now: float) -> list[Sent]:
        """Obey: subscribe, unsubscribe, hello."""
        if uuid != WRITES or len(data) < 2:
            return []
        status = OK
        if data[0] == 1:
            status = self._subscribe(data[1], data[2:].decode("ascii", "replace"), now)
        elif data[0] == 2:
            self._rate_hz = 0  # not subscribed
        return [(NOTIFIES, struct.pack("<BBH", 1, data[1], status))]

    def _subscribe(self, reference: int, path: str, now: float) -> int:
        start, _, rate = path.rpartition("/")
        if start != "/Meas/ECG" or not rate.isdecimal() or int(rate) not in self.rates:
            return NOT_FOUND
        self._reference, self._rate_hz, self._since, self._sent = reference, int(rate), now, 0
        return OK

    def advance(self, now: float) -> list[Sent]:
        """Return the messages whose sixteen samples are full."""
        sent: list[Sent] = []
        while self._rate_hz and (now - self._since) * self._rate_hz >= self._sent + SAMPLES:
            message = self.message(self._sent)
            self._sent += SAMPLES
            if self.lost:
                self.lost -= 1
            else:
                sent += self._in_parts(message)
        return sent

    def _in_parts(self, message: bytes) -> list[Sent]:
        if len(message) <= self.longest:
            return [(NOTIFIES, message)]
        rest = bytes((3, self._reference)) + message[self.longest :]
        return [(NOTIFIES, message[: self.longest]), (NOTIFIES, rest)]

    def samples(self, first: int, count: int) -> list[int]:
        """Return converter steps."""
        measured = steps(self.chest, ("II",), first, count, self._rate_hz, STEP_UV)[0]
        return [int(value) for value in measured]

    def message(self, first: int) -> bytes:
        """Return the samples from `first` on with the time of the first."""
        at_ms = round((self._since - self._powered_at + first / self._rate_hz) * 1000)
        head = struct.pack("<BBI", 2, self._reference, at_ms % 2**32)
        return head + struct.pack("<16i", *self.samples(first, SAMPLES))
