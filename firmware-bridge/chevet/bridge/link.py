"""Links to instruments, opened by URL."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from chevet.bridge.errors import LinkUnavailable
from chevet.bridge.packet import Packet

if TYPE_CHECKING:
    from bleak.backends.client import BaseBleakClient
    from bleak.backends.scanner import BaseBleakScanner


@dataclass(frozen=True, slots=True)
class Bluetooth:
    """The bleak backend classes to use instead of the platform's own, for virtual radios."""

    scanner: "type[BaseBleakScanner]"
    client: "type[BaseBleakClient]"


class Link(Protocol):
    """An open way to one device.

    Attributes:
        url: the link's URL.
        dropped: packets that nobody received in time; the oldest go first.
    """

    url: str
    dropped: int

    async def open(self) -> None:
        """Open it; called by the first `receive` or `send` when it was not."""

    async def receive(self) -> Packet:
        """Return the next packet; raises LinkLost when the device went away."""
        ...

    async def send(self, data: bytes) -> None:
        """Send bytes to the device."""

    async def aclose(self) -> None:
        """Close it and free the device."""


@runtime_checkable
class AddressedLink(Link, Protocol):
    """A link whose device has several places to write to."""

    async def write(self, target: str, data: bytes) -> None:
        """Write one value to the place `target`, such as a characteristic's UUID.

        Raises:
            LinkError: "not_writable": the URL or the device has no such place; "write_refused": the device
                did not take the value. The link goes on.
            LinkLost: the device went away.
        """


def open_link(
    url: str, *, clock: Callable[[], float] = time.monotonic, bluetooth: Bluetooth | None = None
) -> Link:
    """Return the link that `url` names, not yet open.

    Each scheme's module, and the library under it, is imported only when it is used.

    Args:
        url: such as "serial:/dev/ttyUSB0?baud=9600" (all forms are in docs/instruments.md).
        clock: gives the arrival times of packets, in seconds.
        bluetooth: backend classes for "ble:"; None means the platform's own.

    Raises:
        LinkUnavailable: unknown scheme or misspelt URL.
    """
    match url.partition(":")[0]:
        case "serial" | "socket":
            from chevet.bridge.serial_link import SerialLink

            return SerialLink(url, clock)
        case "ble":
            from chevet.bridge.ble_link import BleLink

            return BleLink(url, clock, *((bluetooth.scanner, bluetooth.client) if bluetooth else ()))
        case "mjpeg" | "v4l2" | "picamera":
            from chevet.bridge.camera_link import camera_link

            return camera_link(url, clock)
        case "wificam":
            from chevet.bridge.wifi_camera import WifiCameraLink

            return WifiCameraLink(url, clock)
        case "alsa":
            from chevet.bridge.alsa_link import AlsaLink

            return AlsaLink(url, clock)
        case "tape":
            from chevet.bridge.tape import TapeLink

            return TapeLink(url, clock)
    raise LinkUnavailable(url, "unknown_scheme")
