"""What a box needs, checked one by one, each with its remedy."""

import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from chevet.devices.driver import DRIVERS
from chevet.edge.box import BoxClock
from chevet.edge.disk import MEGABYTE, free_bytes
from chevet.edge.doctor_road import look_at_road
from chevet.edge.errors import DiskFull, SettingsError, StoreDamaged
from chevet.edge.key_ways import brought
from chevet.edge.lock_file import read_lock
from chevet.edge.protection import known
from chevet.edge.settings import DeviceSettings, EdgeSettings, all_devices
from chevet.edge.spool import REFUSED
from chevet.edge.terminal_queue import look
from chevet.edge.trust import known_site, read_programme, read_site
from chevet.edge.update_release import read_update_key
from chevet.edge.update_versions import Versions

HCI = Path("/sys/class/bluetooth")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `remedy` is "" when all is well."""

    what: str
    told: str
    remedy: str = ""


def examine(settings: EdgeSettings) -> Iterator[Finding]:
    """Look at everything `chevet-edge run` needs, in the order it needs it."""
    yield _trusted("keys and site", lambda: _identity(settings))
    yield _trusted("programme file", lambda: read_programme(settings.programme).name)
    yield _disk(settings)
    yield _lock(settings)
    yield _queue(settings)
    yield _clock()
    yield _kiosk(settings)
    yield _trusted("updates", lambda: _updates(settings))
    yield from _road(settings)
    try:
        devices = all_devices(settings)
    except SettingsError as error:
        yield Finding("devices", "cannot be read", error.sentence)
        return
    if not devices:
        yield Finding("devices", "none configured", "add [[devices]] to the configuration, or devices_file.")
    for device in devices:
        yield _device(device, settings)


def _updates(settings: EdgeSettings) -> str:
    root, path = settings.update.root, settings.update.key_file
    if root is None or path is None:
        return "the installer's alone: update.root and update.key_file are not set"
    return f"version {Versions(root).current()} runs; updates are signed by {read_update_key(path).by}"


def _identity(settings: EdgeSettings) -> str:
    lock = read_lock(settings.data_dir)
    key = None if lock is None else brought(settings, lock)
    if lock is not None and key is None:
        return f"site {known_site(settings.data_dir)}; its private keys are under the lock"
    return f"site {read_site(settings.data_dir, key).code}"


def _road(settings: EdgeSettings) -> Iterator[Finding]:
    try:
        lock = read_lock(settings.data_dir)
        key = None if lock is None else brought(settings, lock)
    except SettingsError as error:
        yield Finding("broker", "not tried", error.sentence)
        return
    locked = lock is not None and key is None
    yield from (Finding(*told) for told in look_at_road(settings, key, locked=locked))


def _lock(settings: EdgeSettings) -> Finding:
    found = known(settings)
    return Finding("disk's protection", found.told, found.remedy)


def _trusted(what: str, read: Callable[[], str]) -> Finding:
    try:
        return Finding(what, read())
    except SettingsError as error:
        return Finding(what, "not usable", error.sentence)


def _disk(settings: EdgeSettings) -> Finding:
    try:
        free_mb = free_bytes(settings.data_dir) // MEGABYTE
    except OSError:
        return Finding("disk", "data_dir is not there", "run `chevet-edge init`, or correct data_dir.")
    told = f"{free_mb} MB free"
    if free_mb < settings.disk_full_mb:
        return Finding("disk", told, f"free space: below {settings.disk_full_mb} MB nothing is recorded.")
    if free_mb < settings.disk_low_mb:
        return Finding("disk", told, "bring the box online so that studies leave, or free space.")
    return Finding("disk", told)


def _queue(settings: EdgeSettings) -> Finding:
    """Say what is not at the relay yet, and what a person must look at."""
    try:
        waiting, letters = look(settings.data_dir)
    except (StoreDamaged, DiskFull) as error:
        return Finding("queue", "cannot be read", str(error))
    refused = [item for item in waiting if item.state == REFUSED]
    told = f"{len(waiting) - len(refused)} waiting, {len(refused)} refused, {len(letters)} dead letters"
    if refused:
        return Finding("queue", told, "`chevet-edge queue` names each with its reason and what can be done.")
    return Finding("queue", told)


def _clock() -> Finding:
    quality = BoxClock().quality()
    if quality == "synchronised":
        return Finding("clock", quality)
    return Finding(
        "clock",
        quality,
        "switch on systemd-timesyncd or chrony; recordings work, but their times may be off.",
    )


def _kiosk(settings: EdgeSettings) -> Finding:
    place = f"{settings.kiosk.host}:{settings.kiosk.port}"
    try:
        socket.create_server((settings.kiosk.host, settings.kiosk.port)).close()
    except OSError as error:
        return Finding(
            "kiosk port",
            f"{place}: {error.strerror}",
            "if no agent is running, stop the program that uses it or set another kiosk.port.",
        )
    return Finding("kiosk port", f"{place} is free")


def _device(device: DeviceSettings, settings: EdgeSettings) -> Finding:
    what = f"device {device.id}"
    if device.driver not in DRIVERS:
        known = ", ".join(sorted(DRIVERS))
        return Finding(what, f"driver {device.driver} is not known", f"use one of: {known}.")
    scheme, _, rest = device.link.partition(":")
    if scheme in {"serial", "v4l2"}:
        return _file(what, Path(rest.partition("?")[0]), "dialout" if scheme == "serial" else "video")
    if scheme == "ble" and not settings.bluetooth_backend:
        return _radio(what)
    return Finding(what, f"{device.driver} over {scheme}")


def _file(what: str, path: Path, group: str) -> Finding:
    if not path.exists():
        return Finding(what, f"{path} is not there", "plug the instrument in, or correct its link.")
    if not os.access(path, os.R_OK | os.W_OK):
        return Finding(
            what,
            f"no permission for {path}",
            f"run `sudo usermod -aG {group} $USER`, then sign out and in again.",
        )
    return Finding(what, f"{path} can be opened")


def _radio(what: str) -> Finding:
    if HCI.is_dir() and any(HCI.iterdir()):
        return Finding(what, "a Bluetooth adapter is there")
    return Finding(
        what, "no Bluetooth adapter", "plug one in, or switch it on with `rfkill unblock bluetooth`."
    )
