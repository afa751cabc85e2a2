"""Twins that measure now and then: cuff, thermometer, scale, glucose meter, stored spot checks."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from chevet.sim.faults import Fault
from chevet.sim.one_heart import OneHeart
from chevet.sim.twins import gatt, records, vital_signs
from chevet.sim.twins.gatt import GattDevice, Sent, Service
from chevet.sim.twins.pace import Pace

WHEN = datetime.datetime(2025, 3, 14, 9, 30, 5)
"""What the clocks of meters show: they have no other."""
MG_DL = Decimal(100_000)
BATTERY_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Measures:
    """One of these twins.

    Attributes:
        instrument: what it is.
        options: of its link.
        usual: measured before anybody connects, where there is no patient to measure.
        value: how a value is written.
        driver: its driver, where it is not called as the twin.
    """

    instrument: str
    options: str
    usual: str
    value: str
    driver: str = ""


OFFERED = {
    "blood-pressure": Measures(
        "blood_pressure",
        "notify=2a35&read=2a19,2a24,2a25,2a26",
        "120/80/72",
        "systolic/diastolic/pulse, such as 120/80/72",
    ),
    "thermometer": Measures("thermometer", "notify=2a1c&read=2a24,2a25,2a26", "36.6", "degrees Celsius"),
    "weight-scale": Measures("scale", "notify=2a9d", "70.5", "kilograms"),
    "glucose": Measures(
        "glucose", "notify=2a18,2a34,2a52&write=2a52&read=2a24,2a25,2a26,2a2b", "95", "mg/dL"
    ),
    "plx-stored": Measures(
        "oximeter",
        "notify=2a5e,2a5f,2a52&write=2a52&read=2a60,2a24,2a25,2a26",
        "97/72",
        "saturation/pulse, such as 97/72",
        "plx",
    ),
    "battery": Measures("battery", "notify=2a19&read=2a19,2a29,2a24,2a25,2a26", "80", "per cent"),
}


class BatteryOnly:
    """A device of which nothing but its battery is known."""

    name = "CHEVET-SIM-B"
    linger_s = 0.0

    def __init__(self, now: float = 0.0) -> None:
        self.services: tuple[Service, ...] = (
            Service(gatt.sig(0x180F), gatt.battery(80).characteristics),
            gatt.about("Chevet", "SIM-B", "B0001"),
        )
        self._pace = Pace(1 / BATTERY_EVERY_S, now)
        self._told: bytes | None = None

    def tell(self, percent: int) -> None:
        """Notify this level from now on."""
        self._told = bytes([percent])

    def connected(self, now: float) -> None:
        """Begin to tell."""
        self._pace.due(now)

    def written(self, uuid: str, data: bytes, now: float) -> list[Sent]:
        """Ignore it."""
        del uuid, data, now
        return []

    def advance(self, now: float) -> list[Sent]:
        """Return the level every few seconds."""
        return [(gatt.sig(0x2A19), self._told) for _ in self._pace.due(now) if self._told is not None]


def made(name: str, heart: OneHeart | None) -> tuple[GattDevice, Fault]:
    """Return the twin called `name`, which has measured once, and the switch that makes it measure again."""
    twin, take = _KINDS[name]()
    trial = _KINDS[name]()[1]

    def measure(_on: bool, value: str) -> None:
        take(value or _of(name, heart))

    measure(True, "")
    usual = "of the patient" if heart else OFFERED[name].usual
    tells = "measures again; the number is told at the next connection"

    def read(value: str) -> None:
        trial(value or OFFERED[name].usual)

    return twin, Fault(measure, tells, f"{OFFERED[name].value} ({usual})", True, "body", read)


def _of(name: str, heart: OneHeart | None) -> str:
    """Return what the twin finds at the patient now."""
    if heart is None:
        return OFFERED[name].usual
    found = heart.now()
    return {
        "blood-pressure": f"{found.systolic}/{found.diastolic}/{found.pulse_rate}",
        "thermometer": f"{found.temperature_cel:.1f}",
        "weight-scale": f"{heart.weight_kg:.1f}",
        "glucose": f"{heart.glucose_mg_dl}",
        "plx-stored": f"{found.spo2}/{found.pulse_rate}",
    }.get(name, OFFERED[name].usual)


Made = tuple[GattDevice, Callable[[str], None]]


def _cuff() -> Made:
    twin = vital_signs.blood_pressure_monitor()
    return twin, lambda value: twin.measured(_pressure(value))


def _thermometer() -> Made:
    twin = vital_signs.thermometer()
    return twin, lambda value: twin.measured(vital_signs.temperature(decimal(value)))


def _scale() -> Made:
    twin = vital_signs.scale()
    return twin, lambda value: twin.measured(vital_signs.weight(decimal(value)))


def _meter() -> Made:
    meter = records.glucose_meter()

    def prick(value: str) -> None:
        meter.records.append(records.glucose(len(meter.records) + 1, decimal(value) / MG_DL, WHEN))

    return meter, prick


def _store() -> Made:
    store = records.storing_oximeter()

    def check(value: str) -> None:
        spo2, rate = _whole(value, 2, "saturation/pulse, such as 97/72")
        store.records.append(records.spot_check(len(store.records) + 1, Decimal(spo2), Decimal(rate), WHEN))

    return store, check


def _battery() -> Made:
    twin = BatteryOnly()

    def tell(value: str) -> None:
        (percent,) = _whole(value, 1, "per cent, 0 to 100")
        if not 0 <= percent <= 100:
            raise ValueError("the value is per cent, 0 to 100")
        twin.tell(percent)

    return twin, tell


_KINDS: dict[str, Callable[[], Made]] = {
    "blood-pressure": _cuff,
    "thermometer": _thermometer,
    "weight-scale": _scale,
    "glucose": _meter,
    "plx-stored": _store,
    "battery": _battery,
}


def _pressure(value: str) -> bytes:
    """Return what "systolic/diastolic/pulse" says."""
    systolic, diastolic, pulse = _whole(value, 3, OFFERED["blood-pressure"].value)
    return vital_signs.blood_pressure(systolic, diastolic, (systolic + 2 * diastolic) // 3, pulse)


def _whole(value: str, count: int, looks: str) -> list[int]:
    try:
        numbers = [int(part) for part in value.split("/")]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise ValueError(f"the value is {looks}")
    return numbers


def decimal(value: str) -> Decimal:
    """Return a decimal number.

    Raises:
        ValueError: it is none.
    """
    try:
        return Decimal(value)
    except InvalidOperation:
        raise ValueError("the value is a number") from None
