"""Otoscopes and other cameras: every packet of the link is one JPEG image."""

from chevet.bridge.jpeg import is_whole_jpeg
from chevet.bridge.packet import Packet
from chevet.devices.counters import Counters
from chevet.devices.samples import Event, Picture

MAX_BYTES = 16 << 20
"""A 4K image at the highest quality stays below this."""


class CameraDriver:
    """Gives each whole image on as the camera encoded it; counts those cut short."""

    name = "camera"
    instrument = "otoscope"

    def __init__(self) -> None:
        self.counters = Counters()

    def start(self) -> bytes:
        """Return nothing: opening the link starts the camera."""
        return b""

    def tick(self, at: float) -> bytes:  # noqa: ARG002 (cameras need nothing)
        """Return nothing."""
        return b""

    def stop(self) -> bytes:
        """Return nothing: closing the link stops the camera."""
        return b""

    def feed(self, packet: Packet) -> list[Event]:
        """Take one image; never raises, whatever it is."""
        if len(packet.data) > MAX_BYTES or not is_whole_jpeg(packet.data):
            self.counters.bad_frames += 1
            return []
        self.counters.frames += 1
        return [Picture(packet.data, "image/jpeg", packet.at)]
