"""What every driver can do, and which drivers there are."""

from collections.abc import Callable
from typing import Protocol

from chevet.bridge.packet import Packet
from chevet.devices.ad8232 import Ad8232
from chevet.devices.ads1292r import Ads1292r
from chevet.devices.ads1298 import Ads1298
from chevet.devices.battery import battery
from chevet.devices.berrymed import BerryMed
from chevet.devices.bitalino import Bitalino
from chevet.devices.blood_pressure import blood_pressure
from chevet.devices.camera import CameraDriver
from chevet.devices.chords import Chords
from chevet.devices.contec_cms50_v1 import ContecCms50V1
from chevet.devices.contec_cms50_v2 import ContecCms50V2
from chevet.devices.counters import Counters as Counters
from chevet.devices.cyton import Cyton
from chevet.devices.er1 import Er1
from chevet.devices.ganglion import Ganglion
from chevet.devices.glucose import Glucose
from chevet.devices.healthypi_v3 import healthypi_v3
from chevet.devices.healthypi_v4 import healthypi_v4
from chevet.devices.healthypi_v5 import HealthyPiV5
from chevet.devices.heart_rate import HeartRate
from chevet.devices.kit import kit_ecg, kit_oximeter, kit_stethoscope
from chevet.devices.masimo_ascii import MasimoAscii
from chevet.devices.movesense import Movesense
from chevet.devices.nonin_ascii import NoninAscii
from chevet.devices.nonin_ble import NoninBle
from chevet.devices.nonin_df2 import NoninDf2
from chevet.devices.nonin_df7 import nonin_df7
from chevet.devices.nonin_df8 import NoninDf8
from chevet.devices.nonin_df13 import NoninDf13
from chevet.devices.pc60fw import Pc60Fw
from chevet.devices.plx import Plx
from chevet.devices.polar_h10 import PolarH10
from chevet.devices.samples import Event
from chevet.devices.sound_card import SoundCard
from chevet.devices.thermometer import thermometer
from chevet.devices.viatom_o2ring import ViatomO2Ring
from chevet.devices.weight_scale import weight_scale


class Driver(Protocol):
    """Knows one kind of device; does no I/O, reads no clock, never raises on what the device sends.

    One driver serves one device: it may be started again after the link was opened anew, and its sample
    index goes on, after a gap.

    Attributes:
        name: its name in DRIVERS, such as "kit-ecg".
        instrument: "ecg", "stethoscope", "oximeter", "otoscope", "blood_pressure", "thermometer", "glucose",
            "scale", "heart_rate", "battery".
        counters: running totals.
    """

    name: str
    instrument: str
    counters: Counters

    def start(self) -> bytes:
        """Return what to send when the link has opened, possibly nothing."""
        ...

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived, cut anywhere; return what it completed."""
        ...

    def tick(self, at: float) -> bytes:
        """Return keep-alives, polls, repeats due at host time `at`; to be called about 4 times a second."""
        ...

    def stop(self) -> bytes:
        """Return what to send before the link closes, possibly nothing."""
        ...


DRIVERS: dict[str, Callable[[], Driver]] = {
    "ad8232": Ad8232,
    "ads1292r": Ads1292r,
    "ads1298": Ads1298,
    "battery": battery,
    "berrymed": BerryMed,
    "bitalino": Bitalino,
    "blood-pressure": blood_pressure,
    "camera": CameraDriver,
    "chords": Chords,
    "contec-cms50-v1": ContecCms50V1,
    "contec-cms50-v2": ContecCms50V2,
    "cyton": Cyton,
    "er1": Er1,
    "ganglion": Ganglion,
    "glucose": Glucose,
    "healthypi-v3": healthypi_v3,
    "healthypi-v4": healthypi_v4,
    "healthypi-v5": HealthyPiV5,
    "heart-rate": HeartRate,
    "kit-ecg": kit_ecg,
    "kit-oximeter": kit_oximeter,
    "kit-stethoscope": kit_stethoscope,
    "masimo-ascii": MasimoAscii,
    "movesense": Movesense,
    "nonin-ascii": NoninAscii,
    "nonin-ble": NoninBle,
    "nonin-df13": NoninDf13,
    "nonin-df2": NoninDf2,
    "nonin-df7": nonin_df7,
    "nonin-df8": NoninDf8,
    "pc60fw": Pc60Fw,
    "plx": Plx,
    "polar-h10": PolarH10,
    "sound-card": SoundCard,
    "thermometer": thermometer,
    "viatom-o2ring": ViatomO2Ring,
    "weight-scale": weight_scale,
}
