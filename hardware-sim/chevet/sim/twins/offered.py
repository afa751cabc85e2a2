"""The twins that `chevet-sim serve --devices` offers beside the kit's own, by the names of their drivers."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from chevet.sim.instruments import Instrument, Switch, line, serial_instrument
from chevet.sim.radio import SimLink
from chevet.sim.serial_runner import SerialDevice, SerialRunner
from chevet.sim.twins import ble_oximeters, o2ring, records, vital_signs
from chevet.sim.twins.contec import ContecNew, ContecOld
from chevet.sim.twins.finger import Finger, RecordedFinger
from chevet.sim.twins.gatt import GattDevice
from chevet.sim.twins.gatt_peripheral import GattPeripheral
from chevet.sim.twins.masimo import MasimoRadical7
from chevet.sim.twins.nonin import NoninAscii, NoninDf7, NoninDf8
from chevet.sim.twins.nonin_spot_check import NoninSpotCheck

ADDRESS = "C0:FF:EE:00:01:{:02X}"
WHEN = datetime.datetime(2025, 3, 14, 9, 30, 5)
"""What the clocks of meters show: they have no other."""
MG_DL = Decimal(100_000)


@dataclass(frozen=True, slots=True)
class OnAPort:
    """A serial twin: how it is made at a time, and what its link needs beside the speed."""

    make: Callable[[Finger, float], SerialDevice]
    options: str = ""


@dataclass(frozen=True, slots=True)
class OnAir:
    """A Bluetooth twin that streams: what it is, how it is made, and the options of its link."""

    instrument: str
    make: Callable[[Finger, float], GattDevice]
    options: str


SERIAL: dict[str, OnAPort] = {
    "nonin-df7": OnAPort(NoninDf7),
    "nonin-df8": OnAPort(NoninDf8),
    "nonin-df13": OnAPort(NoninSpotCheck),
    "nonin-ascii": OnAPort(NoninAscii),
    "masimo-ascii": OnAPort(MasimoRadical7),
    "contec-cms50-v1": OnAPort(ContecOld, "&parity=O"),
    "contec-cms50-v2": OnAPort(ContecNew),
}
STREAMING: dict[str, OnAir] = {
    "nonin-ble": OnAir(
        "oximeter",
        ble_oximeters.NoninBle,
        f"notify={ble_oximeters.NONIN_CONTINUOUS},{ble_oximeters.NONIN_PPG},"
        f"{ble_oximeters.NONIN_INTERVALS},{ble_oximeters.NONIN_STATE}&read=2a24,2a25,2a26",
    ),
    "berrymed": OnAir("oximeter", ble_oximeters.BerryMed, f"notify={ble_oximeters.BERRY_NOTIFY}"),
    "pc60fw": OnAir("oximeter", ble_oximeters.Pc60Fw, f"notify={ble_oximeters.UART_NOTIFY}"),
    "viatom-o2ring": OnAir("oximeter", o2ring.O2Ring, f"notify={o2ring.NOTIFIES}&write={o2ring.WRITES}"),
    "heart-rate": OnAir("heart_rate", vital_signs.Strap, "notify=2a37,2a19&read=2a19,2a24,2a25,2a26"),
}
MEASURING = {
    "blood-pressure": ("blood_pressure", "notify=2a35&read=2a19,2a24,2a25,2a26", "120/80/72"),
    "thermometer": ("thermometer", "notify=2a1c&read=2a24,2a25,2a26", "36.6"),
    "weight-scale": ("scale", "notify=2a9d", "70.5"),
    "glucose": ("glucose", "notify=2a18,2a34,2a52&write=2a52&read=2a24,2a25,2a26", "95"),
}
"""Instrument, options of the link, and what was measured before anybody connects."""
BLUETOOTH = (*STREAMING, *MEASURING)


def finger_faults(finger: Finger) -> dict[str, Switch]:
    """Return the switches of a finger: out of the sensor, moving in it."""

    def sensor_off(on: bool, _value: str) -> None:
        finger.off = on

    def motion(on: bool, _value: str) -> None:
        finger.moving = on

    return {"sensor_off": sensor_off, "motion": motion}


def serial_twin(name: str, folder: Path, seed: int, now: float) -> Instrument:
    """Return the serial twin that driver `name` reads, at DIR/name."""
    offer, finger = SERIAL[name], RecordedFinger(seed)
    runner = SerialRunner(offer.make(finger, now), *line(folder / name, seed))
    own = finger_faults(finger)
    return serial_instrument(name, "oximeter", name, folder, runner, own, offer.options)


async def bluetooth_twin(name: str, air: SimLink, spec: str, seed: int, now: float) -> Instrument:
    """Return the Bluetooth twin that driver `name` reads, advertising on the virtual air."""
    own: dict[str, Switch]
    twin: GattDevice
    if name in STREAMING:
        offer, finger = STREAMING[name], RecordedFinger(seed)
        instrument, options = offer.instrument, offer.options
        twin, own = offer.make(finger, now), finger_faults(finger)
    else:
        instrument, options, first = MEASURING[name]
        twin, measure = _measuring(name)
        measure(True, first)
        own = {"measure": measure}
    device = GattPeripheral(air, twin, ADDRESS.format(BLUETOOTH.index(name) + 1))
    await device.start()

    def silence(on: bool, _value: str) -> None:
        device.silence = on

    def ble_drop(on: bool, _value: str) -> None:
        (device.leave if on else device.come_back)()

    return Instrument(
        id=name,
        instrument=instrument,
        driver=name,
        url=f"ble:{device.address}?{options}",
        run=device.run,
        faults={"silence": silence, "ble_drop": ble_drop, **own},
        extra={"bluetooth_backend": "chevet.sim.bumble_backend:bluetooth", "bluetooth_spec": spec},
    )


def _measuring(name: str) -> tuple[GattDevice, Switch]:
    """Return a device that measures now and then, and the switch that makes it measure."""
    if name == "glucose":
        meter = records.glucose_meter()

        def prick(_on: bool, value: str) -> None:
            number = _decimal(value or "95") / MG_DL
            meter.records.append(records.glucose(len(meter.records) + 1, number, WHEN))

        return meter, prick
    twin, encode = {
        "blood-pressure": (vital_signs.blood_pressure_monitor(), _pressure),
        "thermometer": (vital_signs.thermometer(), lambda value: vital_signs.temperature(_decimal(value))),
        "weight-scale": (vital_signs.scale(), lambda value: vital_signs.weight(_decimal(value))),
    }[name]

    def measure(_on: bool, value: str) -> None:
        twin.measured(encode(value or MEASURING[name][2]))

    return twin, measure


def _pressure(value: str) -> bytes:
    """Return what "systolic/diastolic/pulse" says."""
    try:
        systolic, diastolic, pulse = (int(part) for part in value.split("/"))
    except ValueError:
        raise ValueError("the value is systolic/diastolic/pulse, such as 120/80/72") from None
    return vital_signs.blood_pressure(systolic, diastolic, (systolic + 2 * diastolic) // 3, pulse)


def _decimal(value: str) -> Decimal:
    try:
        return Decimal(value)
    except InvalidOperation:
        raise ValueError("the value is a number") from None
