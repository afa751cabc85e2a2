"""A bench of real pseudo-terminals behind pretended USB adapters, and a virtual radio: plug, pull, replug."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from chevet.bridge.alsa_cards import SoundCard
from chevet.bridge.errors import LinkUnavailable
from chevet.bridge.finding_air import Heard, overhear
from chevet.bridge.finding_cameras import FoundCamera
from chevet.bridge.finding_serial import SerialPort
from chevet.bridge.link import Bluetooth, Link, open_link
from chevet.devices.driver import DRIVERS
from chevet.edge.box import BoxClock
from chevet.edge.discovery import Discovery
from chevet.edge.discovery_listening import Patience
from chevet.edge.discovery_memory import FoundDevices
from chevet.edge.discovery_things import Thing
from chevet.edge.discovery_use import InUse
from chevet.edge.discovery_watch import Buses
from chevet.edge.instruments import Instrument
from chevet.edge.live import Live
from chevet.edge.settings import DeviceSettings, DiscoverySettings
from chevet.edge.store import open_store
from chevet.sim.nonin import NoninDf2, Numbers
from chevet.sim.pty_port import PtyPort
from chevet.sim.serial_runner import SerialDevice, SerialRunner
from chevet.sim.wire_faults import WireFaults

QUICK = Patience(silent_s=1.5, each_s=2.6, slow_s=4.0, look_s=0.1)
"""An idle kit device is told by two status frames, a second apart."""
FAST = DiscoverySettings(look_s=0.1, scan_s=0.5, scan_every_s=0.6)


class Counting:
    """A body whose samples tell their own index."""

    def __init__(self, channels: int = 1) -> None:
        self.channels = channels

    def take(self, first: int, count: int) -> np.ndarray:
        return np.tile((np.arange(first, first + count) % 30_000).astype(np.int16), (self.channels, 1))

    def off(self) -> int:
        return 0

    def pleth(self, first: int, count: int) -> list[int]:
        return [index % 256 for index in range(first, first + count)]

    def numbers(self, first: int) -> Numbers:
        return Numbers(72, 97)


def nonin() -> SerialDevice:
    return NoninDf2(Counting(), time.monotonic())


@dataclass(eq=False)
class Cable:
    """One instrument behind one adapter, running until the bench is cleared."""

    runner: SerialRunner
    port: SerialPort
    task: asyncio.Task[None]


@dataclass(eq=False)
class Bench:
    """What is plugged in and on the air, as `Buses` shows it.

    Attributes:
        opened: every URL that was opened.
        heard: advertisements to be told at the next scan, without a radio.
        no_radio: reason why a scan fails, "" for none.
    """

    folder: Path
    bluetooth: Bluetooth | None = None
    cables: dict[str, Cable] = field(default_factory=dict[str, Cable])
    cameras: list[FoundCamera] = field(default_factory=list[FoundCamera])
    cards: list[SoundCard] = field(default_factory=list[SoundCard])
    heard: list[Heard] = field(default_factory=list[Heard])
    no_radio: str = ""
    opened: list[str] = field(default_factory=list[str])

    @property
    def buses(self) -> Buses:
        return Buses(
            lambda: [cable.port for cable in self.cables.values()],
            lambda: list(self.cameras),
            lambda: tuple(self.cards),
            self._overhear,
            self._connect,
            self.bluetooth is not None,
            QUICK,
        )

    def plug(
        self,
        tty: str,
        make: Callable[[], SerialDevice],
        *,
        usb: tuple[int, int] = (0x0403, 0x6001),
        serial: str = "A1",
        location: str = "1-1.1",
    ) -> Cable:
        """Plug an instrument in; it appears as a terminal of this name."""
        path = self.folder / tty
        runner = SerialRunner(make(), PtyPort(path), WireFaults(random.Random(7)))
        runner.plug()
        port = SerialPort(str(path), *usb, serial, "Maker", "USB Serial", location, str(path), virtual=True)
        self.cables[tty] = Cable(runner, port, asyncio.create_task(runner.run()))
        return self.cables[tty]

    async def pull(self, tty: str) -> None:
        """Pull the cable."""
        cable = self.cables.pop(tty)
        cable.task.cancel()
        await asyncio.gather(cable.task, return_exceptions=True)
        cable.runner.unplug()  # it may not have begun to run

    async def clear(self) -> None:
        for tty in list(self.cables):
            await self.pull(tty)

    async def _overhear(self, ear: Callable[[Heard], None], seconds: float) -> None:
        if self.no_radio:
            raise LinkUnavailable("ble:", self.no_radio)
        if self.bluetooth is not None:
            await overhear(ear, seconds, self.bluetooth.scanner)
            return
        for heard in self.heard:
            ear(heard)
        await asyncio.sleep(seconds / 10)

    def _connect(self, url: str) -> Link:
        self.opened.append(url)
        return open_link(url, clock=time.monotonic, bluetooth=self.bluetooth)


@dataclass(eq=False)
class Looking:
    """A discovery at work without an agent around it."""

    bench: Bench
    discovery: Discovery
    memory: FoundDevices
    instruments: dict[str, Instrument]
    told: list[dict[str, object]]
    changed: list[str]
    task: asyncio.Task[None]
    close: Callable[[], None]

    def states(self) -> dict[str, str]:
        """Return the state of each thing by its place."""
        return {thing.place: thing.state for thing in self.discovery.things}

    def at(self, place: str) -> Thing:
        return next(thing for thing in self.discovery.things if thing.place == place)

    def types(self) -> list[str]:
        return [str(message["type"]) for message in self.told]

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.close()


def look_around(
    bench: Bench,
    database: Path,
    settings: DiscoverySettings = FAST,
    configured: Callable[[Thing], str] = lambda _thing: "",
) -> Looking:
    """Start a discovery on a bench; call it again on the same database for a restart."""
    store, clock = open_store(database), BoxClock()
    told: list[dict[str, object]] = []
    changed: list[str] = []
    instruments: dict[str, Instrument] = {}
    live = Live(clock.now_ms, clock.monotonic)
    live.follow(instruments)

    def make(device: DeviceSettings, connect: Callable[[str], Link]) -> Instrument:
        return Instrument(device, DRIVERS, connect, clock.monotonic, lambda one: changed.append(one.id))

    use = InUse(instruments, make, live, bench.buses.connect)
    memory = FoundDevices(store, clock.now_ms)
    discovery = Discovery(settings, bench.buses, memory, use, configured, clock, told.append)

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(use.run())
            group.create_task(discovery.run())

    running = asyncio.create_task(run())
    return Looking(bench, discovery, memory, instruments, told, changed, running, store.close)
