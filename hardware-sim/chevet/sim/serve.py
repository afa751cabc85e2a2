"""All virtual instruments in one process, until told to stop."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chevet.sim import instruments as make
from chevet.sim.camera import Camera, Ear
from chevet.sim.control import SOCKET, ControlSocket
from chevet.sim.errors import ServeError
from chevet.sim.instruments import Instrument
from chevet.sim.radio import RadioSocket, SimLink
from chevet.sim.twins import offered

log = logging.getLogger(__name__)

LISTING = "devices.json"
RADIO = "radio.sock"
DEVICES = ("ecg", "stethoscope", "oximeter", "oximeter-ble", "otoscope")
"""Served when nothing is chosen."""
TWINS = (*offered.SERIAL, *offered.BLUETOOTH)
"""Instruments that others make: served when they are chosen, by the names of their drivers."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to serve.

    Attributes:
        folder: gets devices.json, the symlinks of the serial ports and the sockets.
        seed: the same seed gives the same disturbances, pictures and serial numbers.
        devices: some of DEVICES and TWINS.
        camera_port: 0 for any free one.
    """

    folder: Path
    seed: int = 1
    devices: tuple[str, ...] = DEVICES
    camera_port: int = 0


async def serve(plan: Plan, stop: asyncio.Event) -> None:
    """Serve until `stop` is set; then take everything away again.

    Raises:
        ServeError: the directory cannot be used, a port is taken, or another simulator uses the directory.
    """
    _take(plan.folder)
    listing = plan.folder / LISTING
    listing.unlink(missing_ok=True)
    async with contextlib.AsyncExitStack() as taken_away:
        chosen = await _make(plan, taken_away)
        tasks = [asyncio.create_task(one.run(), name=one.id) for one in chosen]
        taken_away.push_async_callback(_end, tasks)
        control = ControlSocket(plan.folder / SOCKET, chosen)
        taken_away.push_async_callback(control.aclose)
        await control.start()
        await _until_linked(plan.folder, chosen)
        taken_away.callback(listing.unlink, missing_ok=True)
        _write(listing, chosen)
        print(f"READY {len(chosen)} virtual instruments, listed in {listing}", flush=True)
        await _until_stopped(stop, tasks)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _make(plan: Plan, taken_away: contextlib.AsyncExitStack) -> list[Instrument]:
    air = SimLink()
    radio = RadioSocket(air, plan.folder / RADIO)
    taken_away.push_async_callback(radio.aclose)
    camera = Camera(Ear(), plan.seed)
    taken_away.push_async_callback(camera.unplug)
    now = time.monotonic()
    chosen: list[Instrument] = []
    if any(name == "oximeter-ble" or name in offered.BLUETOOTH for name in plan.devices):
        await radio.start()
    for name in plan.devices:
        if name == "oximeter-ble":
            chosen.append(await make.ble_oximeter(air, radio.spec, plan.seed))
        elif name == "otoscope":
            await camera.plug(plan.camera_port)
            chosen.append(make.otoscope(camera))
        elif name in offered.BLUETOOTH:
            chosen.append(await offered.bluetooth_twin(name, air, radio.spec, plan.seed, now))
        elif name in offered.SERIAL:
            chosen.append(offered.serial_twin(name, plan.folder, plan.seed, now))
        else:
            chosen.append(_SERIAL[name](plan.folder, plan.seed, now))
    return chosen


_SERIAL = {"ecg": make.ecg, "stethoscope": make.stethoscope, "oximeter": make.oximeter}
LINKED_WITHIN_S = 5.0


async def _until_linked(folder: Path, chosen: Sequence[Instrument]) -> None:
    paths = [folder / one.id for one in chosen if one.url.startswith("serial:")]
    async with asyncio.timeout(LINKED_WITHIN_S):
        while not all(path.is_symlink() for path in paths):  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.01)


async def _until_stopped(stop: asyncio.Event, tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for `stop`; an instrument that ends by itself ends the simulator with its error."""
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait((waiting, *tasks), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in done - {waiting}:
        task.result()


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
