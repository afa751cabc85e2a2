"""The twins that `chevet-sim serve --devices` offers beside the kit's own, by the names of their drivers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from chevet.sim import sensors
from chevet.sim.air_faults import AirFaults, air_of
from chevet.sim.bedside import Bedside
from chevet.sim.electrodes import electrode_faults
from chevet.sim.faults import Faults
from chevet.sim.in_the_clip import finger_faults
from chevet.sim.instrument import Instrument, clock_faults, line, serial_instrument
from chevet.sim.serial_runner import SerialDevice, SerialRunner
from chevet.sim.twins import (
    ble_oximeters,
    ecg_afe,
    ecg_er1,
    ecg_ganglion,
    ecg_movesense,
    ecg_openview,
    ecg_polar,
    measuring,
    o2ring,
    vital_signs,
)
from chevet.sim.twins.contec import ContecNew, ContecOld
from chevet.sim.twins.ecg_ad8232 import Ad8232Sketch
from chevet.sim.twins.ecg_bitalino import BitalinoBoard
from chevet.sim.twins.ecg_body import Chest
from chevet.sim.twins.ecg_chords import ChordsUno
from chevet.sim.twins.ecg_cyton import CytonBoard
from chevet.sim.twins.ecg_er1 import Er1Recorder
from chevet.sim.twins.ecg_ganglion import GanglionBoard
from chevet.sim.twins.ecg_movesense import MovesenseSensor
from chevet.sim.twins.ecg_polar import PolarStrap
from chevet.sim.twins.finger import Finger
from chevet.sim.twins.gatt import GattDevice
from chevet.sim.twins.gatt_peripheral import GattPeripheral
from chevet.sim.twins.masimo import MasimoRadical7
from chevet.sim.twins.nonin import NoninAscii, NoninDf7, NoninDf8
from chevet.sim.twins.nonin_spot_check import NoninSpotCheck
from chevet.sim.wired import Place

ADDRESS = "C0:FF:EE:00:01:{:02X}"


class Begun(Protocol):
    """A device that knows when it took its sample 0.

    Attributes:
        began_at: on the device's clock.
    """

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        ...


class SerialTwin(SerialDevice, Begun, Protocol):
    """A twin on a port."""


class AirTwin(GattDevice, Begun, Protocol):
    """A twin on the air."""


@dataclass(frozen=True, slots=True)
class OnAFinger:
    """A serial oximeter: how it is made at a time, and what its link needs beside the speed."""

    make: Callable[[Finger, float], SerialTwin]
    options: str = ""


@dataclass(frozen=True, slots=True)
class OnAChest:
    """A serial ECG: how it is made at a time, and the names of its own leads."""

    make: Callable[[Chest, float], SerialTwin]
    leads: tuple[str, ...] = ("II",)


@dataclass(frozen=True, slots=True)
class OnAir:
    """A Bluetooth twin that streams: what it is, how it is made, and the options of its link."""

    instrument: str
    make: Callable[[Finger, float], AirTwin]
    options: str


@dataclass(frozen=True, slots=True)
class EcgOnAir:
    """A Bluetooth ECG: how it is made, its leads, and the options of its link."""

    make: Callable[[Chest, float], AirTwin]
    leads: tuple[str, ...]
    options: str


EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
PORTS: dict[str, OnAFinger | OnAChest] = {
    "nonin-df7": OnAFinger(NoninDf7),
    "nonin-df8": OnAFinger(NoninDf8),
    "nonin-df13": OnAFinger(NoninSpotCheck),
    "nonin-ascii": OnAFinger(NoninAscii),
    "masimo-ascii": OnAFinger(MasimoRadical7),
    "contec-cms50-v1": OnAFinger(ContecOld, "&parity=O"),
    "contec-cms50-v2": OnAFinger(ContecNew),
    "healthypi-v3": OnAChest(ecg_openview.healthypi_v3),
    "healthypi-v4": OnAChest(ecg_openview.healthypi_v4),
    "healthypi-v5": OnAChest(ecg_openview.healthypi_v5),
    "ads1292r": OnAChest(ecg_afe.ads1292r_board),
    "ads1298": OnAChest(ecg_afe.ads1298_board, EIGHT),
    "cyton": OnAChest(CytonBoard, EIGHT),
    "bitalino": OnAChest(BitalinoBoard),
    "chords": OnAChest(ChordsUno),
}
RAW_OR_OTHER: dict[str, tuple[str, OnAFinger | OnAChest]] = {
    "ads1292r-breakout": ("ads1292r", OnAChest(ecg_openview.ads1292r_breakout)),
    "healthypi-v5-ov3": ("healthypi-v5", OnAChest(ecg_openview.healthypi_v5_ov3)),
}
"""Devices that speak in two ways: the other way, with the driver that hears both."""
ARDUINO: dict[str, OnAFinger | OnAChest] = {"chords": PORTS.pop("chords"), "ad8232": OnAChest(Ad8232Sketch)}
"""Boards that restart when their port is opened."""
SERIAL: dict[str, OnAFinger | OnAChest] = {
    **PORTS,
    **ARDUINO,
    **{name: offer for name, (_, offer) in RAW_OR_OTHER.items()},
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
ECG_ON_AIR: dict[str, EcgOnAir] = {
    "polar-h10": EcgOnAir(
        PolarStrap,
        ("ECG",),
        f"notify={ecg_polar.CONTROL},{ecg_polar.DATA},2a37,2a19&write={ecg_polar.CONTROL}"
        "&read=2a24,2a25,2a26,2a19",
    ),
    "movesense": EcgOnAir(
        MovesenseSensor,
        ("II",),
        f"notify={ecg_movesense.NOTIFIES}&write={ecg_movesense.WRITES}&read=2a24,2a25,2a26,2a19",
    ),
    "ganglion": EcgOnAir(
        GanglionBoard,
        ecg_ganglion.LEADS,
        f"notify={ecg_ganglion.NOTIFIES}&write={ecg_ganglion.WRITES}&read=2a28",
    ),
    "er1": EcgOnAir(Er1Recorder, ("ECG",), f"notify={ecg_er1.NOTIFIES}&write={ecg_er1.WRITES}"),
}
MEASURING = measuring.OFFERED
BLUETOOTH = (*STREAMING, *MEASURING, *ECG_ON_AIR)


def driver_of(name: str) -> str:
    """Return the driver that reads the twin called `name`."""
    if name in RAW_OR_OTHER:
        return RAW_OR_OTHER[name][0]
    return MEASURING[name].driver or name if name in MEASURING else name


def serial_twin(name: str, bedside: Bedside) -> Instrument:
    """Return the serial twin called `name`, at DIR/name."""
    offer, place = SERIAL[name], Place(bedside.clock())
    twin: SerialTwin
    if isinstance(offer, OnAFinger):
        finger = sensors.finger(bedside, name, place)
        twin, own, options = offer.make(finger, place.clock()), finger_faults(finger), offer.options
        instrument = "oximeter"
    else:
        chest = sensors.chest(bedside, name, place, sensors.vitals(bedside, place))
        twin, own, options = offer.make(chest, place.clock()), electrode_faults(chest.hands, offer.leads), ""
        instrument = "ecg"
    place.starts = lambda: twin.began_at
    runner = SerialRunner(
        twin,
        *line(bedside.folder / name, bedside.seed, tcp=bedside.tcp),
        place.clock,
        bits=11 if "parity" in options else 10,
        restarts_when_opened=name in ARDUINO,
    )
    return serial_instrument(
        name, instrument, driver_of(name), bedside.folder, runner, own, options, clock=place.clock
    )


async def bluetooth_twin(name: str, bedside: Bedside) -> Instrument:
    """Return the Bluetooth twin called `name`, advertising on the virtual air."""
    place, own = Place(bedside.clock()), Faults()
    instrument, options, twin = _air_twin(name, bedside, place, own)
    faults = AirFaults(bedside.seed)
    address = ADDRESS.format(BLUETOOTH.index(name) + 1)
    device = GattPeripheral(bedside.air, twin, address, clock=place.clock, faults=faults)
    await device.start()
    return Instrument(
        id=name,
        instrument=instrument,
        driver=driver_of(name),
        url=f"ble:{device.address}?{options}",
        run=device.run,
        faults={**air_of(device, faults), **clock_faults(place.clock), **own},
        extra={"bluetooth_backend": "chevet.sim.bumble_backend:bluetooth", "bluetooth_spec": bedside.radio},
    )


def _air_twin(name: str, bedside: Bedside, place: Place, own: Faults) -> tuple[str, str, GattDevice]:
    """Return kind, options of the link and twin; its faults go into `own`."""
    if name in MEASURING:
        twin, fault = measuring.made(name, bedside.heart)
        own["measure"] = fault
        return MEASURING[name].instrument, MEASURING[name].options, twin
    streaming: AirTwin
    if name in ECG_ON_AIR:
        ecg = ECG_ON_AIR[name]
        chest = sensors.chest(bedside, name, place, sensors.vitals(bedside, place))
        own |= electrode_faults(chest.hands, ecg.leads)
        instrument, options, streaming = "ecg", ecg.options, ecg.make(chest, place.clock())
    else:
        offer, finger = STREAMING[name], sensors.finger(bedside, name, place)
        own |= finger_faults(finger)
        instrument, options, streaming = offer.instrument, offer.options, offer.make(finger, place.clock())
    place.starts = lambda: streaming.began_at
    return instrument, options, streaming
