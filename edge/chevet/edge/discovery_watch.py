"""Watching the buses: what comes, what goes, and who is behind a serial port."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from chevet.bridge.alsa_cards import SoundCard
from chevet.bridge.errors import LinkError, LinkUnavailable
from chevet.bridge.finding_air import Heard
from chevet.bridge.finding_cameras import FoundCamera
from chevet.bridge.finding_serial import SerialPort
from chevet.bridge.link import Link
from chevet.devices.recognise import recognise_advertisement, recognise_camera, recognise_sound_card
from chevet.devices.recognise_asking import questions_for
from chevet.edge.box import BoxClock
from chevet.edge.discovery_listening import Listened, Patience, ask, listen
from chevet.edge.discovery_things import (
    BLUETOOTH,
    CAMERA,
    LISTENING,
    OFFERED,
    SERIAL,
    SOUND,
    UNKNOWN,
    Thing,
    of_camera,
    of_heard,
    of_port,
    of_sound_card,
)
from chevet.edge.settings import DiscoverySettings

log = logging.getLogger(__name__)

LISTEN_AGAIN_S = 60.0
"""An adapter may be plugged in long before the instrument behind it is switched on."""
STRANGER_S = 60.0
"""An unknown Bluetooth device that was not heard for so long is forgotten: phones change their address."""
KEPT_S = 600.0
"""A meter advertises for seconds after a measurement; its offer stays for ten minutes."""
STRANGERS_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class Buses:
    """How this box looks around.

    Attributes:
        ports: lists the serial ports (called in a thread).
        cameras: lists the cameras (called in a thread).
        sound_cards: lists the sound cards that record (called in a thread).
        overhear: tells of Bluetooth advertisements for some seconds; raises LinkUnavailable without a radio.
        connect: opens links.
        virtual_radio: what is heard are programs.
        patience: how long to listen to a serial line.
    """

    ports: Callable[[], list[SerialPort]]
    cameras: Callable[[], list[FoundCamera]]
    sound_cards: Callable[[], Iterable[SoundCard]]
    overhear: Callable[[Callable[[Heard], None], float], Awaitable[None]]
    connect: Callable[[str], Link]
    virtual_radio: bool = False
    patience: Patience = field(default_factory=Patience)


class Decides(Protocol):
    """Who decides on what is found; all calls return at once."""

    def knows(self, thing: Thing) -> bool:
        """Settle a thing that has come by what is remembered; return whether anything was."""
        ...

    def judge(self, thing: Thing) -> None:
        """Settle a thing by what it was recognised as."""
        ...

    def seen(self, thing: Thing) -> None:
        """Learn that a thing was heard again."""
        ...

    def gone(self, thing: Thing) -> None:
        """Learn that a thing went away."""
        ...


class Watch:
    """Everything that is on the buses now.

    Attributes:
        things: by identity.
        problems: coded reason by bus where it cannot be looked at, such as bluetooth: no_adapter.
    """

    def __init__(
        self,
        settings: DiscoverySettings,
        buses: Buses,
        clock: BoxClock,
        decides: Decides,
    ) -> None:
        self.things: dict[str, Thing] = {}
        self.problems: dict[str, str] = {}
        self._settings = settings
        self._buses = buses
        self._clock = clock
        self._decides = decides
        self._tried_at: dict[str, float] = {}
        self._listening: dict[str, asyncio.Task[None]] = {}
        self._scans = 0

    @property
    def searching(self) -> bool:
        """Whether a search is under way."""
        return self._scans > 0 or bool(self._listening)

    async def run(self) -> None:
        """Look around until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._again(self._look_at_wires, self._settings.look_s), name="wires")
                if self._settings.bluetooth:
                    group.create_task(self._again(self._scan, self._settings.scan_every_s), name="air")
        finally:
            tasks = list(self._listening.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def look(self) -> None:
        """Look at every bus once more, and listen again to ports where nobody was recognised."""
        self._tried_at.clear()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_at_wires())
            if self._settings.bluetooth:
                group.create_task(self._scan())

    async def settled(self) -> None:
        """Wait until every port has been listened to."""
        while self._listening:
            await asyncio.wait(list(self._listening.values()))

    async def _again(self, look: Callable[[], Awaitable[None]], every_s: float) -> None:
        while True:
            began = self._clock.monotonic()
            try:
                await look()
            except Exception:
                # A bus that cannot be looked at must not take the instruments down with it.
                log.exception("looking for instruments failed")
            await asyncio.sleep(max(0.05, began + every_s - self._clock.monotonic()))

    async def _look_at_wires(self) -> None:
        if self._settings.serial:
            ports = await asyncio.to_thread(self._buses.ports)
            self._compare(SERIAL, [of_port(port, key) for key, port in told_apart(ports)])
        if self._settings.cameras:
            found = await asyncio.to_thread(self._buses.cameras)
            self._compare(CAMERA, [of_camera(camera) for camera in found])
        if self._settings.sound_cards:
            cards = await asyncio.to_thread(self._buses.sound_cards)
            # What is soldered to the board is no stethoscope.
            self._compare(SOUND, [of_sound_card(card) for card in cards if card.usb])

    def _compare(self, bus: str, present: list[Thing]) -> None:
        keys = {thing.identity for thing in present}
        for thing in [one for one in self.things.values() if one.bus == bus and one.identity not in keys]:
            self._depart(thing)
        for thing in present:
            before = self.things.get(thing.identity)
            if before is None or before.target != thing.target:
                self.arrive(thing)
            else:
                before.seen_at = self._clock.monotonic()
                self._listen_again(before)

    def arrive(self, thing: Thing) -> None:
        """Take up a thing that has come, or is to be looked at as if it had."""
        thing.seen_at = self._clock.monotonic()
        self.stop_listening(thing)
        self.things[thing.identity] = thing
        if self._decides.knows(thing):
            return
        if thing.bus == SERIAL:
            self._listen(thing)
            return
        if thing.bus == CAMERA:
            thing.recognition = recognise_camera()
        if thing.bus == SOUND:
            thing.recognition = recognise_sound_card()
        self._decides.judge(thing)

    def _depart(self, thing: Thing) -> None:
        self.stop_listening(thing)
        del self.things[thing.identity]
        self._tried_at.pop(thing.identity, None)
        self._decides.gone(thing)

    def _listen(self, thing: Thing) -> None:
        thing.state = LISTENING
        self._tried_at[thing.identity] = self._clock.monotonic()
        task = asyncio.create_task(self._recognise(thing), name=f"listen {thing.place}")
        self._listening[thing.identity] = task
        task.add_done_callback(lambda done: self._listened(thing, done))

    def _listen_again(self, thing: Thing) -> None:
        tried_at = self._tried_at.get(thing.identity)
        due = tried_at is None or self._clock.monotonic() - tried_at > LISTEN_AGAIN_S
        if thing.bus == SERIAL and thing.state == UNKNOWN and due:
            self._listen(thing)

    def _listened(self, thing: Thing, task: asyncio.Task[None]) -> None:
        if self._listening.get(thing.identity) is task:
            del self._listening[thing.identity]
        if thing.state == LISTENING:
            thing.state = UNKNOWN
        if not task.cancelled() and task.exception() is not None:
            log.error("listening to a port failed", exc_info=task.exception())

    def stop_listening(self, thing: Thing) -> None:
        """End listening to a port; whoever is decided on is not listened to."""
        task = self._listening.pop(thing.identity, None)
        if task is not None:
            task.cancel()

    async def _recognise(self, thing: Thing) -> None:
        heard = await listen(thing.target, self._buses.connect, thing.hints, self._buses.patience)
        if heard.silent and thing.usb in self._settings.ask:
            heard = await self._asked(thing)
        self._take(thing, heard)

    async def ask(self, thing: Thing) -> None:
        """Ask a silent instrument on a serial port who it is."""
        self.stop_listening(thing)
        self._take(thing, await self._asked(thing))

    async def _asked(self, thing: Thing) -> Listened:
        try:
            answer = await ask(thing.target, self._buses.connect, questions_for(thing.hints))
        except LinkError as error:
            return Listened(problem=error.reason)
        return Listened(answer) if answer else Listened(silent=True)

    def _take(self, thing: Thing, heard: Listened) -> None:
        thing.recognition, thing.problem = heard.recognition, heard.problem
        if self.things.get(thing.identity) is thing:
            self._decides.judge(thing)

    async def _scan(self) -> None:
        self._scans += 1
        try:
            await self._buses.overhear(self._heard, self._settings.scan_s)
            self.problems.pop(BLUETOOTH, None)
        except LinkUnavailable as error:
            self.problems[BLUETOOTH] = error.reason
        finally:
            self._scans -= 1
        self._sweep()

    def _heard(self, heard: Heard) -> None:
        thing = self.things.get(f"ble:{heard.address}")
        if thing is None:
            strangers = sum(one.bus == BLUETOOTH and one.state == UNKNOWN for one in self.things.values())
            thing = of_heard(heard, simulated=self._buses.virtual_radio)
            thing.recognition = recognise_advertisement(heard.name, heard.services)
            if thing.recognition.drivers or strangers < STRANGERS_AT_MOST:
                self.arrive(thing)
            return
        thing.seen_at, thing.rssi = self._clock.monotonic(), heard.rssi
        thing.name = heard.name or thing.name  # it may come with the answer to the scan only
        told = recognise_advertisement(thing.name, heard.services)
        if told.drivers and told != thing.recognition and thing.state in {UNKNOWN, OFFERED}:
            thing.recognition = told
            self._decides.judge(thing)
        self._decides.seen(thing)

    def _sweep(self) -> None:
        now = self._clock.monotonic()
        for thing in [one for one in self.things.values() if one.bus == BLUETOOTH]:
            if now - thing.seen_at > (STRANGER_S if thing.state == UNKNOWN else KEPT_S):
                self._depart(thing)


def told_apart(ports: Iterable[SerialPort]) -> list[tuple[str, SerialPort]]:
    """Return each port with an identity of its own; of two equal ones the second has its place in it."""
    found: dict[str, SerialPort] = {}
    for port in sorted(ports, key=lambda one: (one.location, one.path)):
        key = port.identity
        if key in found:
            key = f"{key}@{port.location or port.path}"
        found[key] = port
    return list(found.items())
