"""Finding instruments on this very box: its buses, its settings, its memory put together."""

import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from chevet.bridge.alsa_cards import sound_cards
from chevet.bridge.finding_air import Heard, overhear
from chevet.bridge.finding_cameras import cameras
from chevet.bridge.finding_serial import serial_ports
from chevet.bridge.link import Bluetooth, Link, open_link
from chevet.edge.box import BoxClock
from chevet.edge.discovery import Discovery
from chevet.edge.discovery_memory import FoundDevices
from chevet.edge.discovery_things import BLUETOOTH, SERIAL, Thing
from chevet.edge.discovery_use import InUse
from chevet.edge.discovery_watch import Buses
from chevet.edge.settings import DeviceSettings, EdgeSettings, all_devices, load_bluetooth


def real_buses(settings: EdgeSettings) -> Buses:
    """Return the buses of this box, or of the bench that the settings name.

    Raises:
        SettingsError: the bench's radio cannot be loaded.
    """
    bluetooth: Bluetooth | None = load_bluetooth(settings)

    def connect(url: str) -> Link:
        return open_link(url, clock=time.monotonic, bluetooth=bluetooth)

    async def listen(ear: Callable[[Heard], None], seconds: float) -> None:
        await overhear(ear, seconds, bluetooth.scanner if bluetooth else None)

    return Buses(
        partial(serial_ports, settings.discovery.ports),
        cameras,
        sound_cards,
        listen,
        connect,
        bluetooth is not None,
    )


def make_discovery(
    settings: EdgeSettings,
    buses: Buses,
    memory: FoundDevices,
    use: InUse,
    clock: BoxClock,
    tell: Callable[[dict[str, Any]], None],
) -> Discovery:
    """Return the finding of instruments, nothing running yet.

    Raises:
        SettingsError: the configured instruments cannot be read.
    """
    owner = partial(configured_as, tuple(all_devices(settings)))
    return Discovery(settings.discovery, buses, memory, use, owner, clock, tell)


def configured_as(devices: Iterable[DeviceSettings], thing: Thing) -> str:
    """Return the id of the configured instrument whose link opens this thing, "" for none."""
    for device in devices:
        scheme, _, rest = device.link.partition(":")
        target = rest.partition("?")[0]
        if thing.bus == BLUETOOTH:
            same = scheme == "ble" and target.upper() == thing.target
        elif thing.bus == SERIAL:
            same = scheme == "serial" and _same_file(target, thing.target)
        else:
            its_scheme, _, its_target = thing.target.partition(":")
            same = scheme == its_scheme and (target == its_target or _same_file(target, its_target))
        if same:
            return device.id
    return ""


def _same_file(one: str, other: str) -> bool:
    return Path(one).resolve() == Path(other).resolve()
