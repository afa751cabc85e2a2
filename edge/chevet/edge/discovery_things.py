"""What was found on a bus, and how it stands with it."""

import hashlib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from chevet.bridge.alsa_cards import SoundCard
from chevet.bridge.finding_air import Heard
from chevet.bridge.finding_cameras import FoundCamera
from chevet.bridge.finding_serial import SerialPort
from chevet.devices.driver import DRIVERS
from chevet.devices.recognise import adapter
from chevet.devices.recognition import NOTHING, Recognition

LISTENING, UNKNOWN, OFFERED, USED, REFUSED = "listening", "unknown", "offered", "used", "refused"
SERIAL, BLUETOOTH, CAMERA, SOUND = "serial", "bluetooth", "camera", "sound"


@dataclass(slots=True, eq=False)
class Thing:
    """One thing on a bus.

    Attributes:
        identity: what stays the same when it is unplugged and plugged in again.
        bus: serial, bluetooth, camera or sound.
        name: what it calls itself, "" where it does not.
        maker: of the adapter or instrument, where it tells.
        serial: of the adapter or instrument, where it tells.
        place: what tells two of a kind apart: port, address, node.
        target: what its link opens now: a path, an address, or the whole link of a camera or sound card.
        usb: ids of its adapter, "" without one.
        rssi: received strength in dBm by radio.
        simulated: a program is behind it.
        state: listening, unknown, offered, used or refused.
        recognition: what it was taken for.
        device: id of the instrument that it is, once used.
        problem: coded reason why it could not be looked into.
        seen_at: monotonic seconds.
    """

    identity: str
    bus: str
    target: str
    name: str = ""
    maker: str = ""
    serial: str = ""
    place: str = ""
    usb: str = ""
    rssi: int | None = None
    simulated: bool = False
    state: str = UNKNOWN
    recognition: Recognition = NOTHING
    device: str = ""
    problem: str = ""
    seen_at: float = 0.0
    hints: tuple[str, ...] = field(default=())

    @property
    def id(self) -> str:
        """Return a short id for URLs, the same for the same thing."""
        return hashlib.sha256(self.identity.encode()).hexdigest()[:12]

    def link(self, options: str) -> str:
        """Return the URL that opens it now."""
        if self.bus in {CAMERA, SOUND}:
            return self.target
        scheme = "serial" if self.bus == SERIAL else "ble"
        return f"{scheme}:{self.target}" + (f"?{options}" if options else "")

    def is_allowed(self, allow: tuple[str, ...]) -> bool:
        """Whether the site's list says that it may be used without asking."""
        words = {"usb": self.usb, "name": self.name, "address": self.target if self.bus == BLUETOOTH else ""}
        for wanted in allow:
            key, _, pattern = wanted.partition(":")
            told = words.get(key, "") if pattern else ""
            if self.recognition.driver in {wanted} - {""} or (
                told and fnmatchcase(told.lower(), pattern.lower())
            ):
                return True
        return False


def of_port(port: SerialPort, identity: str) -> Thing:
    """Return a serial port as a thing; what is behind it is not known yet."""
    known = adapter(port.vid, port.pid)
    return Thing(
        identity,
        SERIAL,
        port.path,
        name=port.product or known.name or port.path.rpartition("/")[2],
        maker=port.maker,
        serial=port.serial,
        place=port.path.rpartition("/")[2],
        usb=port.usb,
        simulated=port.virtual,
        hints=known.drivers,
    )


def of_camera(camera: FoundCamera) -> Thing:
    """Return a camera as a thing."""
    return Thing(camera.identity, CAMERA, camera.link, name=camera.name, place=camera.place)


def of_sound_card(card: SoundCard) -> Thing:
    """Return a USB sound card as a thing."""
    name = card.stable or (f"{card.usb}:{card.serial}" if card.serial else card.id)
    return Thing(
        f"sound:{name}",
        SOUND,
        card.link,
        name=card.name,
        serial=card.serial,
        place=f"card {card.number}",
        usb=card.usb,
    )


def of_heard(heard: Heard, *, simulated: bool) -> Thing:
    """Return a Bluetooth device as a thing."""
    return Thing(
        f"ble:{heard.address}",
        BLUETOOTH,
        heard.address,
        name=heard.name,
        place=heard.address,
        rssi=heard.rssi,
        simulated=simulated,
    )


def found_shape(thing: Thing, now_ms: int, now: float) -> dict[str, Any]:
    """Return Found (docs/api.md)."""
    recognition = thing.recognition
    driver = recognition.driver
    return {
        "id": thing.id,
        "bus": thing.bus,
        "name": thing.name,
        "maker": thing.maker,
        "serial": recognition.serial or thing.serial,
        "place": thing.place,
        "rssi": thing.rssi,
        "state": thing.state,
        "driver": driver,
        "instrument": kind_of(driver) if driver else _common_kind(recognition.drivers),
        "drivers": list(recognition.drivers),
        "certainty": recognition.certainty,
        "reason": recognition.reason,
        "doubt": recognition.doubt,
        "device": thing.device,
        "problem": thing.problem,
        "seen_ms": now_ms - round((now - thing.seen_at) * 1000),
    }


def kind_of(driver: str) -> str:
    """Return the kind of instrument that a driver reads."""
    return DRIVERS[driver]().instrument


def _common_kind(drivers: tuple[str, ...]) -> str:
    kinds = {kind_of(driver) for driver in drivers}
    return kinds.pop() if len(kinds) == 1 else ""
