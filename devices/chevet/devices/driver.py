"""What every driver can do, and which drivers there are."""

from collections.abc import Callable
from typing import Protocol

from chevet.bridge.packet import Packet
from chevet.devices.camera import CameraDriver
from chevet.devices.counters import Counters as Counters
from chevet.devices.kit import kit_ecg, kit_oximeter, kit_stethoscope
from chevet.devices.nonin_df2 import NoninDf2
from chevet.devices.plx import Plx
from chevet.devices.samples import Event


class Driver(Protocol):
    """Knows one kind of device; does no I/O, reads no clock, never raises on what the device sends.

    One driver serves one device: it may be started again after the link was opened anew, and its sample
    index goes on, after a gap.

    Attributes:
        name: its name in DRIVERS, such as "kit-ecg".
        instrument: "ecg", "stethoscope", "oximeter", "otoscope".
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
    "camera": CameraDriver,
    "kit-ecg": kit_ecg,
    "kit-oximeter": kit_oximeter,
    "kit-stethoscope": kit_stethoscope,
    "nonin-df2": NoninDf2,
    "plx": Plx,
}
