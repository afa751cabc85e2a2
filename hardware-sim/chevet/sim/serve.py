"""All virtual instruments in one process, until told to stop."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chevet.sim import instruments as make
from chevet.sim.bedside import Bedside
from chevet.sim.camera import Camera, Ear
from chevet.sim.conductor import Conductor, check
from chevet.sim.control import SOCKET, ControlSocket
from chevet.sim.errors import ServeError
from chevet.sim.instrument import Instrument
from chevet.sim.one_heart import OneHeart
from chevet.sim.players import Played
from chevet.sim.radio import RadioSocket
from chevet.sim.room import Room
from chevet.sim.scenario import Scenario
from chevet.sim.testers_page import TestersPage
from chevet.sim.truth_file import TruthFile
from chevet.sim.twins import offered, sound_and_pictures

log = logging.getLogger(__name__)

LISTING = "devices.json"
RADIO = "radio.sock"
TRUTH = "truth.jsonl"
DEVICES = ("ecg", "stethoscope", "oximeter", "oximeter-ble", "otoscope")
"""Served when nothing is chosen."""
KIT = (*DEVICES, "kit-oximeter", sound_and_pictures.WIFI_OTOSCOPE)
TWINS = (*offered.SERIAL, *offered.BLUETOOTH, sound_and_pictures.SOUND_CARD)
"""Instruments that others make: served when they are chosen, by the names of their drivers."""
ALL = (*KIT, *TWINS)
NO_PLAYERS = ("otoscope", sound_and_pictures.WIFI_OTOSCOPE, *offered.MEASURING)
PLAYING = tuple(name for name in ALL if name not in NO_PLAYERS)
"""Instruments that can play a recording."""
LINKED_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to serve.

    Attributes:
        folder: gets devices.json, the symlinks of the serial ports and the sockets.
        seed: the same seed gives the same patient, disturbances, pictures and serial numbers.
        devices: some of ALL.
        camera_port: 0 for any free one.
        patient: condition of the simulated patient that all instruments touch; None plays recordings.
        tcp: serial instruments also listen on TCP.
        plays: recordings chosen for an instrument, by its id.
        scenario: what happens while it is served.
        web: port of the tester's page on the loopback, 0 for any free one, None for no page.
    """

    folder: Path
    seed: int = 1
    devices: tuple[str, ...] = DEVICES
    camera_port: int = 0
    patient: str | None = None
    tcp: bool = False
    plays: dict[str, Played] = field(default_factory=dict[str, Played])
    scenario: Scenario | None = None
    web: int | None = None


async def serve(plan: Plan, stop: asyncio.Event) -> None:
    """Serve until `stop` is set; then take everything away again.

    Raises:
        ServeError: the directory cannot be used, a port is taken, or another simulator uses the directory.
    """
    async with served(plan) as room:
        listing = plan.folder / LISTING
        print(f"READY {len(room.instruments)} virtual instruments, listed in {listing}", flush=True)
        if room.page:
            print(f"Tester's page: {room.page}", flush=True)
        await room.until(stop)


@contextlib.asynccontextmanager
async def served(plan: Plan) -> AsyncIterator[Room]:
    """Serve while the block runs: the room's `listing` tells the links, `set_fault` breaks things.

    Raises:
        ServeError: as of `serve`.
    """
    _take(plan.folder)
    listing = plan.folder / LISTING
    listing.unlink(missing_ok=True)
    async with contextlib.AsyncExitStack() as taken_away:
        now = time.monotonic()
        heart = OneHeart(plan.seed, plan.patient, now) if plan.patient else None
        bedside = Bedside(plan.folder, plan.seed, now, heart, plan.plays, tcp=plan.tcp)
        room = Room(bedside, await _make(plan, bedside, taken_away))
        taken_away.push_async_callback(room.aclose)
        if plan.scenario is not None:
            check(plan.scenario, room)
        room.start()
        control = ControlSocket(plan.folder / SOCKET, room)
        taken_away.push_async_callback(control.aclose)
        await control.start()
        await room.linked(LINKED_WITHIN_S)
        taken_away.callback(listing.unlink, missing_ok=True)
        room.relisted = lambda: _write(listing, room.instruments)
        room.relisted()
        await _tell(plan, room, taken_away)
        yield room


async def _tell(plan: Plan, room: Room, taken_away: contextlib.AsyncExitStack) -> None:
    """Begin what goes on beside the instruments: ground truth, scenario, the tester's page."""
    if room.bedside.heart is not None:
        room.add(TruthFile(plan.folder / TRUTH, room.bedside.heart).run(), "truth")
    if plan.web is not None:
        page = TestersPage(room)
        taken_away.push_async_callback(page.aclose)
        await page.start(plan.web)
        room.page = page.url
    if plan.scenario is not None:  # last: whoever waits for the room sees its first step
        room.conductor = Conductor(plan.scenario, room)
        room.add(room.conductor.run(), "scenario")


async def examine(plan: Plan) -> None:
    """Make everything a plan names, without serving it, and check its scenario against that.

    Raises:
        SimError: something in it cannot be.
    """
    async with contextlib.AsyncExitStack() as taken_away:
        now = time.monotonic()
        heart = OneHeart(plan.seed, plan.patient, now) if plan.patient else None
        bedside = Bedside(plan.folder, plan.seed, now, heart, plan.plays)
        room = Room(bedside, await _make(plan, bedside, taken_away))
        taken_away.push_async_callback(room.aclose)
        if plan.scenario is not None:
            check(plan.scenario, room)


Maker = Callable[[Bedside], Instrument]
_SERIAL: dict[str, Maker] = {
    "ecg": make.kit_ecg,
    "stethoscope": make.kit_stethoscope,
    "oximeter": make.nonin_oximeter,
    "kit-oximeter": make.kit_oximeter,
    sound_and_pictures.SOUND_CARD: sound_and_pictures.sound_card,
}
_ON_AIR: dict[str, Callable[[Bedside], Awaitable[Instrument]]] = {"oximeter-ble": make.ble_oximeter}


async def _make(plan: Plan, bedside: Bedside, taken_away: contextlib.AsyncExitStack) -> list[Instrument]:
    radio = RadioSocket(bedside.air, plan.folder / RADIO)
    bedside.radio = radio.spec
    taken_away.push_async_callback(radio.aclose)
    if any(name in _ON_AIR or name in offered.BLUETOOTH for name in plan.devices):
        await radio.start()
    return [await _made(name, plan, bedside, taken_away) for name in plan.devices]


async def _made(name: str, plan: Plan, bedside: Bedside, taken_away: contextlib.AsyncExitStack) -> Instrument:
    if name in _SERIAL:
        return _SERIAL[name](bedside)
    if name in offered.SERIAL:
        return offered.serial_twin(name, bedside)
    if name in _ON_AIR:
        return await _ON_AIR[name](bedside)
    if name in offered.BLUETOOTH:
        return await offered.bluetooth_twin(name, bedside)
    if name == sound_and_pictures.WIFI_OTOSCOPE:
        return await sound_and_pictures.wifi_otoscope(bedside)
    if name == "otoscope":
        return await _otoscope(plan, bedside, taken_away)
    raise ServeError(name, f"no device {name!r}; there are {', '.join(ALL)}")


async def _otoscope(plan: Plan, bedside: Bedside, taken_away: contextlib.AsyncExitStack) -> Instrument:
    heart = bedside.heart
    ear = Ear(condition="") if heart else Ear()

    def has(side: str) -> str:
        return heart.patient.ear(side) if heart else Ear().condition

    camera = Camera(ear, plan.seed, patient=has)
    taken_away.push_async_callback(camera.unplug)
    await camera.plug(plan.camera_port)
    return make.otoscope(camera)


def _take(folder: Path) -> None:
    """Make the directory ours.

    Raises:
        ServeError: it cannot be made or is in use.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ServeError(
            str(folder), f"cannot create {folder}: {error.strerror}; choose another --dir"
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ServeError(str(folder), f"{folder} is not writable; choose another --dir")
    if _alive(folder / SOCKET):
        raise ServeError(
            str(folder),
            f"virtual instruments are already served in {folder}; stop them or choose another --dir",
        )


def _alive(path: Path) -> bool:
    if not path.exists():
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _write(listing: Path, chosen: Sequence[Instrument]) -> None:
    """Write the list in one go: whoever sees the file sees all of it."""
    new = listing.with_suffix(".new")
    new.write_text(json.dumps([one.listing() for one in chosen], indent=2) + "\n")
    new.replace(listing)


async def serve_until_signalled(plan: Plan) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(plan, stop)
