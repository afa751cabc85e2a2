"""Bluetooth blood pressure monitor, thermometer, scale and heart rate strap by the SIG's profiles.

Layouts: device-protocols notes section 1.4. The first three are asleep until somebody measures, advertise,
push one indication and disconnect a few seconds later; the strap streams.
"""

import datetime
from decimal import Decimal
from typing import Protocol, runtime_checkable

from chevet.sim.twins import gatt
from chevet.sim.twins.finger import Finger
from chevet.sim.twins.gatt import INDICATE, NOTIFY, READ, Sent, Service, characteristic, sig
from chevet.sim.twins.ieee11073 import date_time, medical_float, sfloat
from chevet.sim.twins.pace import Pace

BLOOD_PRESSURE, CUFF, PRESSURE_FEATURE = 0x2A35, 0x2A36, 0x2A49
TEMPERATURE, INTERMEDIATE, TEMPERATURE_TYPE = 0x2A1C, 0x2A1E, 0x2A1D
WEIGHT, SCALE_FEATURE = 0x2A9D, 0x2A9E
HEART_RATE, LOCATION = 0x2A37, 0x2A38
PUSH_AFTER_S, LINGER_S = 0.3, 2.0
BODY = 2
PULSE_IN, STATUS_IN, DATE_IN = 0x04, 0x10, 0x02


class Pushing:
    """A device that has measured and waits to be heard: pushes what it has to whoever subscribes it."""

    def __init__(self, name: str, services: tuple[Service, ...], uuid: str) -> None:
        self.name = name
        self.services = services
        self.linger_s = LINGER_S
        self.pushes = uuid
        self._waiting: list[bytes] = []
        self._push_at: float | None = None

    def measured(self, value: bytes) -> None:
        """Keep a measurement for the next connection."""
        self._waiting.append(value)

    def connected(self, now: float) -> None:
        """Push soon."""
        self._push_at = now + PUSH_AFTER_S

    def written(self, uuid: str, data: bytes, now: float) -> list[Sent]:
        """Ignore it."""
        del uuid, data, now
        return []

    def advance(self, now: float) -> list[Sent]:
        """Return all that waits, once."""
        if self._push_at is None or now < self._push_at:
            return []
        waiting, self._waiting = self._waiting, []
        return gatt.all_of(self.pushes, waiting)


def blood_pressure_monitor() -> Pushing:
    """Return a monitor at rest; tell it what it measured with `blood_pressure`."""
    parts = (
        characteristic(sig(BLOOD_PRESSURE), INDICATE),
        characteristic(sig(CUFF), NOTIFY),
        characteristic(sig(PRESSURE_FEATURE), READ, value=b"\x27\x00"),
    )
    services = (Service(sig(0x1810), parts), gatt.about("Chevet", "SIM-BP", "BP0001"), gatt.battery(80))
    return Pushing("CHEVET-SIM-BP", services, sig(BLOOD_PRESSURE))


def blood_pressure(
    systolic: int | None,
    diastolic: int | None,
    mean: int | None,
    pulse: int | None,
    *,
    when: datetime.datetime | None = None,
    status: int = 0,
) -> bytes:
    """Return a Blood Pressure Measurement in mmHg."""
    flags = PULSE_IN | (DATE_IN if when else 0) | (STATUS_IN if status else 0)
    body = b"".join(
        sfloat(None if value is None else Decimal(value)) for value in (systolic, diastolic, mean)
    )
    body += date_time(when) if when else b""
    body += sfloat(None if pulse is None else Decimal(pulse))
    return bytes([flags]) + body + (status.to_bytes(2, "little") if status else b"")


def thermometer() -> Pushing:
    """Return a thermometer at rest; tell it what it measured with `temperature`."""
    parts = (
        characteristic(sig(TEMPERATURE), INDICATE),
        characteristic(sig(INTERMEDIATE), NOTIFY),
        characteristic(sig(TEMPERATURE_TYPE), READ, value=bytes([BODY])),
    )
    services = (Service(sig(0x1809), parts), gatt.about("Chevet", "SIM-T", "T0001"))
    return Pushing("CHEVET-SIM-T", services, sig(TEMPERATURE))


def temperature(
    number: Decimal | None, *, fahrenheit: bool = False, when: datetime.datetime | None = None
) -> bytes:
    """Return a Temperature Measurement at the body."""
    flags = 0x04 + (1 if fahrenheit else 0) + (2 if when else 0)
    return bytes([flags]) + medical_float(number) + (date_time(when) if when else b"") + bytes([BODY])


def scale() -> Pushing:
    """Return a scale at rest; tell it what it measured with `weight`."""
    parts = (
        characteristic(sig(WEIGHT), INDICATE),
        characteristic(sig(SCALE_FEATURE), READ, value=bytes(4)),
    )
    return Pushing("CHEVET-SIM-W", (Service(sig(0x181D), parts),), sig(WEIGHT))


def weight(kilograms: Decimal | None) -> bytes:
    """Return a Weight Measurement in steps of 5 g; None is "could not"."""
    steps = 0xFFFF if kilograms is None else int(kilograms / Decimal("0.005"))
    return b"\x00" + steps.to_bytes(2, "little")


@runtime_checkable
class Beating(Protocol):
    """Something that knows its beats."""

    def intervals_s(self, from_s: float, to_s: float) -> list[float]:
        """Return the intervals between beats that ended between two seconds of the device."""
        ...


class Strap:
    """A heart rate strap: once a second the rate and the interval of each beat since; knows skin contact."""

    name = "CHEVET-SIM-HR"
    linger_s = 0.0

    def __init__(self, finger: Finger, now: float) -> None:
        parts = (
            characteristic(sig(HEART_RATE), NOTIFY),
            characteristic(sig(LOCATION), READ, value=b"\x01"),
        )
        self.services: tuple[Service, ...] = (
            Service(sig(0x180D), parts),
            gatt.about("Chevet", "SIM-HR", "HR0001"),
            gatt.battery(64),
        )
        self._chest = finger
        self._pace = Pace(1.0, now)
        self._beat_s = 0.0

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
        """Return the notification due."""
        return [(sig(HEART_RATE), self._value(second)) for second in self._pace.due(now)]

    def _value(self, second: int) -> bytes:
        rate = self._chest.shown(float(second)).pulse_rate
        if rate is None:
            return bytes([0x04, 0])
        value = bytes([0x16, rate])
        for interval_s in self._intervals(second, rate):
            value += min(0xFFFF, round(1024 * interval_s)).to_bytes(2, "little")
        return value if len(value) > 2 else bytes([0x06, rate])

    def _intervals(self, second: int, rate: int) -> list[float]:
        """Return the intervals of this second: the heart's own, or even ones of its rate."""
        if isinstance(self._chest, Beating):
            return self._chest.intervals_s(float(second), second + 1.0)
        even: list[float] = []
        while self._beat_s + 60 / rate <= second + 1:
            self._beat_s = max(self._beat_s + 60 / rate, second)
            even.append(60 / rate)
        return even
