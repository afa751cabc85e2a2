"""Otoscopes and other cameras: packets of the link are JPEG images, a pressed button, or words."""

from chevet.bridge.jpeg import is_whole_jpeg
from chevet.bridge.newest_picture import BUTTON, INFO
from chevet.bridge.packet import Packet
from chevet.devices.counters import Counters
from chevet.devices.samples import Event, Notice, Picture, Reading

SIMULATED = "chevet-sim"
"""The maker's name in the simulator's cameras."""
MAX_BYTES = 16 << 20
"""A 4K image at the highest quality stays below this."""


class CameraDriver:
    """Gives each whole image on as the camera encoded it; counts those cut short.

    Events: Pictures, `snapshot_button` when the camera's own button is pressed, and where the camera tells
    it `identified` and Reading "battery".
    """

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
        """Take one packet; never raises, whatever it is."""
        if packet.source == BUTTON:
            return [Notice("snapshot_button", packet.at)]
        if packet.source == INFO:
            return self._told(packet)
        if len(packet.data) > MAX_BYTES or not is_whole_jpeg(packet.data):
            self.counters.bad_frames += 1
            return []
        self.counters.frames += 1
        return [Picture(packet.data, "image/jpeg", packet.at)]

    def _told(self, packet: Packet) -> list[Event]:
        """Take what the camera says of itself."""
        text = packet.data.decode("ascii", "replace")
        words = {name: value for name, _, value in (word.partition("=") for word in text.split(";"))}
        names = ("model", "serial", "firmware")
        detail = ";".join(f"{name}={words.get(name, '')}" for name in names)
        if words.get("model", "").startswith(SIMULATED):
            detail += ";simulated=1"
        events: list[Event] = [Notice("identified", packet.at, detail=detail)]
        percent = words.get("battery", "")
        if percent.isascii() and percent.isdecimal() and int(percent) <= 100:
            status = ("charging",) * (words.get("charging") == "1")
            events.append(Reading("battery", float(percent), "%", packet.at, status))
        return events
