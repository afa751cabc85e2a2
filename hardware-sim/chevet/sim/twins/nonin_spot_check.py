"""A Nonin 9560 or 3150 in spot-check format 13 over Bluetooth SPP: keeps a record until it is acknowledged.

Layout: device-protocols notes section 2.1. Silent until format 13 is set; a 9560 takes the short command, a
3150 only the one with a checksum.
"""

import datetime

from chevet.sim.twins.finger import Finger, Shown

BAUD = 9600
ACK, NAK = b"\x06", b"\x15"
AGAIN_S, TRIES = 1.5, 4
"""How long and how often it waits for ACK; assumed, no document was at hand."""
SPOT_CHECK_EVERY_S = 4.0
ITS_TIME = datetime.datetime(2025, 3, 14, 9, 30)
"""What its clock shows at first; it runs on a battery of its own and outlives the power switch."""
SMARTPOINT, NO_MEASUREMENT, FROM_MEMORY = 0x0200, 0x0100, 0x0010

Date = tuple[int, int, int, int, int, int]


def record(shown: Shown, date: Date, status: int = SMARTPOINT) -> bytes:
    """Return one record: 22 bytes; `date` is year, month, day, hour, minute, second."""
    year, *rest = date
    rate = 511 if shown.pulse_rate is None else shown.pulse_rate
    spo2 = 127 if shown.spo2 is None else shown.spo2
    data = bytes([year // 100, year % 100, *rest, 0])
    data += status.to_bytes(2, "big") + rate.to_bytes(2, "big") + bytes([0, spo2])
    head = b"\x00\x02" + (13).to_bytes(2, "big") + len(data).to_bytes(2, "big")
    return head + data + bytes([sum(data) % 256, 0x03])


class NoninSpotCheck:
    """The device from power-on on: one spot check every few seconds while a finger is in it.

    Attributes:
        acknowledged: how many records the host has taken.
        given_up: how many it never did.
    """

    baud = BAUD

    def __init__(self, finger: Finger, now: float, model: str = "9560", serial: str = "501234567") -> None:
        self.acknowledged = self.given_up = 0
        self._finger = finger
        self._model = model
        self._serial = serial
        self._clock = ITS_TIME - datetime.timedelta(seconds=now)
        self.restart(now)

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._began

    def restart(self, now: float) -> None:
        """Power on, with the format of the day before forgotten."""
        self._began = now
        self._format = 0
        self._heard = b""
        self._waiting: bytes | None = None
        self._sent_at = now
        self._tries = 0
        self._checks = 0

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Obey commands, hear ACK and NAK."""
        self._heard += data
        sent: list[bytes] = []
        while self._heard:
            size = self._size()
            if size == 0 or size > len(self._heard):
                break
            message, self._heard = self._heard[:size], self._heard[size:]
            sent += self._obey(message, now)
        return sent

    def _size(self) -> int:
        if self._heard[0] != 0x02:
            return 1
        return self._heard[2] + 4 if len(self._heard) > 2 else 0

    def _obey(self, message: bytes, now: float) -> list[bytes]:
        if message == ACK and self._waiting is not None:
            self._waiting = None
            self.acknowledged += 1
        elif message == NAK and self._waiting is not None:
            self._sent_at = now
            return [self._waiting]
        elif message == b"\x02\x74\x02\x02\x02\x03":
            return [b"\x02\xf4" + bytes([len(self._serial)]) + self._serial.encode() + b"\x03"]
        elif message[:3] == b"\x02\x72\x00":
            year, *rest = self._date(now)
            return [b"\x02\xf2\x06" + bytes((year % 100, *rest)) + b"\x03"]
        elif message[:3] == b"\x02\x72\x06":
            return [self._set_clock(message, now)]
        elif message[:2] == b"\x02\x70":
            return [self._set_format(message)]
        return []

    def _set_format(self, message: bytes) -> bytes:
        if self._model == "9560":
            good = len(message) == 6 and message[2:4] == b"\x02\x02"
        else:
            good = len(message) == 8 and (0x70 + sum(message[2:6])) % 256 == message[6]
        if not good:
            return NAK
        self._format = message[4]
        return ACK

    def _set_clock(self, message: bytes, now: float) -> bytes:
        year, month, day, hour, minute, second = message[3:9]
        try:
            told = datetime.datetime(2000 + year, month, day, hour, minute, second)
            self._clock = told - datetime.timedelta(seconds=now)
        except ValueError:
            return NAK
        return ACK

    def _date(self, now: float) -> Date:
        at = self._clock + datetime.timedelta(seconds=now)
        return at.year, at.month, at.day, at.hour, at.minute, at.second

    def advance(self, now: float) -> list[bytes]:
        """Return the record due, new or again."""
        if self._format != 13:
            return []
        if self._waiting is not None:
            return self._again(now)
        if self._finger.off or now - self._began < (self._checks + 1) * SPOT_CHECK_EVERY_S:
            return []
        self._checks += 1
        self._waiting = record(self._finger.shown(now - self._began), self._date(now))
        self._sent_at, self._tries = now, 1
        return [self._waiting]

    def _again(self, now: float) -> list[bytes]:
        assert self._waiting is not None
        if now - self._sent_at < AGAIN_S:
            return []
        if self._tries == TRIES:
            self._waiting = None
            self.given_up += 1
            return []
        self._sent_at, self._tries = now, self._tries + 1
        return [self._waiting]
