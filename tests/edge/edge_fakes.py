"""Fakes that keep to the contracts: a device on a scripted link, a relay, a box built around them."""

import asyncio
import functools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from waiting import until as until  # the tests of this room take all they need from here

from chevet.bridge.errors import LinkLost, LinkUnavailable
from chevet.bridge.packet import Packet
from chevet.devices.counters import Counters
from chevet.devices.samples import Channel, Event, Notice, Reading, SampleBlock
from chevet.edge.at_rest import DataKey
from chevet.edge.bedside import Bedside
from chevet.edge.compose import compose
from chevet.edge.database import Database
from chevet.edge.instruments import Instrument
from chevet.edge.settings import DeviceSettings, EdgeSettings
from chevet.edge.store import open_store
from chevet.edge.trust import Programme, make_site, read_programme
from chevet.edge.visits import CaptureRow
from chevet.edge.workers import Worker
from chevet.exchange.keys import new_sealing_key, new_signing_key, public_text
from chevet.sim.bodies import ChestBody, EcgBody
from chevet.study.case import Author, Opinion, Signature, author_bytes, opinion_bytes

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
ECG = tuple(Channel(name, "mV", 500.0, 0.001) for name in LEADS)
SOUND = (Channel("sound", "1", 4000.0, 1 / 32768),)
PLETH = (Channel("pleth", "1", 75.0, 1.0),)
PIN = "2580"
NAME = "Fatima Zahra Benyoussef"


class FakeDriver:
    """Turns a packet into the events that its device laid aside under the packet's bytes."""

    name = "fake"
    instrument = "ecg"

    def __init__(self, events: dict[bytes, list[Event]], instrument: str = "ecg") -> None:
        self.counters = Counters()
        self.instrument = instrument
        self._events = events

    def start(self) -> bytes:
        return b"start"

    def feed(self, packet: Packet) -> list[Event]:
        if packet.data == b"bug":
            raise IndexError("a fault of the driver")
        if packet.data == b"noise":
            self.counters.bad_frames += 1
            return []
        return self._events.pop(packet.data, [])

    def tick(self, at: float) -> bytes:
        return b""

    def stop(self) -> bytes:
        return b"stop"


@dataclass
class FakeDevice:
    """A device that can be plugged, played and pulled out.

    Attributes:
        plugged: whether its link can be opened.
        reason: why not, while it cannot.
        sent: what the agent sent to it.
        opened: how often its link was opened.
    """

    id: str
    instrument: str
    plugged: bool = True
    reason: str = "not_found"
    sent: list[bytes] = field(default_factory=list)
    opened: int = 0
    events: dict[bytes, list[Event]] = field(default_factory=dict)
    queue: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)

    def play(self, *events: Event) -> None:
        """Deliver events in one packet."""
        key = f"packet {id(events)} {len(self.events)} {self.queue.qsize()}".encode()
        self.events[key] = list(events)
        self.queue.put_nowait(key)

    def say(self, data: bytes) -> None:
        """Deliver raw bytes."""
        self.queue.put_nowait(data)

    def pull_out(self) -> None:
        """Unplug it."""
        self.plugged = False
        self.queue.put_nowait(None)

    def plug_in(self) -> None:
        """Plug it in again; what nobody received is gone."""
        self.queue = asyncio.Queue()
        self.plugged = True

    def driver(self) -> FakeDriver:
        return FakeDriver(self.events, self.instrument)

    def link(self, url: str) -> "FakeLink":
        return FakeLink(url, self)


class FakeLink:
    def __init__(self, url: str, device: FakeDevice) -> None:
        self.url = url
        self.dropped = 0
        self._device = device

    async def open(self) -> None:
        if not self._device.plugged:
            raise LinkUnavailable(self.url, self._device.reason)
        self._device.opened += 1

    async def receive(self) -> Packet:
        data = await self._device.queue.get()
        if data is None:
            raise LinkLost(self.url, "unplugged")
        return Packet(data, asyncio.get_running_loop().time())

    async def send(self, data: bytes) -> None:
        self._device.sent.append(data)

    async def aclose(self) -> None:
        pass


def ecg_block(first: int, count: int, at: float = 0.0, body: EcgBody | None = None) -> SampleBlock:
    """A real ECG from the sample `first` on."""
    values = (body or EcgBody(1)).take(first, count)
    return SampleBlock(ECG, values, first, at)


def sound_block(first: int, count: int, at: float = 0.0) -> SampleBlock:
    return SampleBlock(SOUND, ChestBody(1).take(first, count).reshape(1, -1), first, at)


def flat_block(first: int, count: int, at: float = 0.0) -> SampleBlock:
    return SampleBlock(ECG, np.zeros((12, count), np.int16), first, at)


def identified(at: float = 0.0) -> Notice:
    return Notice("identified", at, detail="model=Kit ECG;serial=7;firmware=1.0")


def spo2(value: float | None, at: float, status: tuple[str, ...] = ()) -> Reading:
    return Reading("spo2", value, "%", at, status)


@dataclass
class Relay:
    """The keys of the other end, and what it would send."""

    signer: Ed25519PrivateKey
    opener: X25519PrivateKey
    specialist: Ed25519PrivateKey

    def opinion(self, case: str, *, forged: str = "", label: str = "", version: int = 1) -> Opinion:
        """Return a signed opinion; `forged` damages "signature", "certificate" or "text"."""
        author = Author("dr-amrani", "Dr Amrani", "cardiology")
        plain = Opinion(
            id=f"01a20001-f197-7196-9dbe-{version:012d}",
            case=case,
            version=version,
            impression="Sinus rhythm.",
            certainty="probable",
            advice="Nothing to do.",
            urgency="routine",
            transfer=False,
            follow_up_date=None,
            author=author,
            signed_ms=1,
            label=label,
        )
        public = self.specialist.public_key().public_bytes_raw()
        voucher = self.specialist if forged == "certificate" else self.signer
        certificate = voucher.sign(author_bytes(author, public))
        value = self.specialist.sign(opinion_bytes(plain))
        if forged == "signature":
            value = bytes(64)
        signature = Signature(value, public, certificate)
        words = {"advice": "Something else."} if forged == "text" else {}
        fields = {name: getattr(plain, name) for name in plain.__dataclass_fields__}
        return Opinion(**(fields | words | {"signature": signature}))


@dataclass
class Box:
    """A composed box, its fakes, and what it told."""

    bedside: Bedside
    database: Database
    programme: Programme
    relay: Relay
    devices: dict[str, FakeDevice]
    told: list[CaptureRow]
    changed: list[tuple[str, str, str]]

    def close(self) -> None:
        self.bedside.spool.close()
        self.database.close()


def write_programme(folder: Path) -> tuple[Path, Relay]:
    """Write programme.json with fresh keys."""
    relay = Relay(new_signing_key(), new_sealing_key(), new_signing_key())
    recovery = new_sealing_key()
    words = {
        "v": 1,
        "programme": "test",
        "relay_key": public_text(relay.signer.public_key()),
        "recipients": {
            "programme": public_text(relay.opener.public_key()),
            "recovery": public_text(recovery.public_key()),
        },
    }
    path = folder / "programme.json"
    path.write_text(json.dumps(words))
    return path, relay


def make_box(folder: Path, **changes: Any) -> Box:
    """Compose a box on fake instruments: ecg, stethoscope, oximeter, otoscope."""
    programme_file, relay = write_programme(folder)
    data_dir = folder / "box"
    make_site(data_dir, "anfgou", "Anfgou", "141")
    return open_box(folder, programme_file, relay, **changes)


def open_box(
    folder: Path, programme_file: Path, relay: Relay, key: DataKey | None = None, **changes: Any
) -> Box:
    settings = EdgeSettings(
        **(
            {
                "data_dir": folder / "box",
                "programme": programme_file,
                "disk_full_mb": 0,
                "disk_low_mb": 0,
                "reserve_mb": 0,
            }
            | changes
        )
    )
    database = open_store(settings.data_dir / "edge.db", key)
    programme = read_programme(programme_file)
    told: list[CaptureRow] = []
    changed: list[tuple[str, str, str]] = []
    bedside = compose(settings, database, programme, lambda _: None, told.append)
    devices = {kind: FakeDevice(kind, kind) for kind in ("ecg", "stethoscope", "oximeter", "otoscope")}
    for device in devices.values():
        bedside.instruments[device.id] = make_instrument(
            device, lambda one: changed.append((one.id, one.state, one.problem))
        )
    return Box(bedside, database, programme, relay, devices, told, changed)


def make_instrument(device: FakeDevice, changed: Callable[[Instrument], None]) -> Instrument:
    settings = DeviceSettings(id=device.id, driver="fake", link=f"serial:/dev/{device.id}")
    return Instrument(settings, {"fake": device.driver}, device.link, time.monotonic, changed)


@functools.cache
def pin_hash() -> str:
    """One hash for all tests: argon2 is slow on purpose."""
    return PasswordHasher().hash(PIN)


def sign_in_worker(box: Box) -> Worker:
    worker = Worker("amina", "Amina")
    hide = box.database.hide
    row = (worker.id, hide(worker.name, "workers.name:amina"), hide(pin_hash(), "workers.pin:amina"))
    with box.database.write() as cursor:
        cursor.execute("INSERT INTO workers VALUES (?, ?, ?)", row)
    return worker
