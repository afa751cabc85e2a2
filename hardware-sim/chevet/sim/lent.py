"""Virtual instruments lent to tests: each room of them runs in a thread of its own.

So a test may be a plain function, use any event loop, or start a program that opens the links itself.
"""

import asyncio
import concurrent.futures
import importlib
import tempfile
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from chevet.bridge.link import Link, open_link
from chevet.sim.control import obey
from chevet.sim.errors import ServeError
from chevet.sim.one_heart import named
from chevet.sim.room import TRUTH_S, Room
from chevet.sim.serve import ALL, DEVICES, Plan, served

STARTS_WITHIN_S = 30.0
ANSWERS_WITHIN_S = 20.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class LentDevice:
    """One virtual instrument.

    Attributes:
        id: its name among the simulator's instruments.
        driver: name of the driver that reads it, a key of `chevet.devices.driver.DRIVERS`.
        instrument: such as "ecg".
        extra: for Bluetooth, `bluetooth_backend` and `bluetooth_spec` as the agent's settings call them.
        room: where it is.
    """

    id: str
    driver: str
    instrument: str
    extra: dict[str, str]
    room: "LentRoom"

    @property
    def url(self) -> str:
        """Its link now: a fault may have plugged it in under another name."""
        return next(one["url"] for one in self.room.listing if one["id"] == self.id)

    def open_link(self) -> Link:
        """Return a link to it, not yet open; over the virtual radio where it speaks Bluetooth."""
        if "bluetooth_spec" not in self.extra:
            return open_link(self.url)
        module, _, function = self.extra["bluetooth_backend"].partition(":")
        backend = getattr(importlib.import_module(module), function)
        return open_link(self.url, bluetooth=backend(self.extra["bluetooth_spec"]))

    def set_fault(self, fault: str, *, on: bool = True, value: str = "") -> None:
        """Turn one of its faults on or off; returns when that has happened.

        Raises:
            FaultError: it does not know this fault, or not with this value.
        """
        self.room.set_fault(self.id, fault, on=on, value=value)

    @property
    def faults(self) -> tuple[str, ...]:
        """What can go wrong with it, by name."""
        known: list[str] = self.room.ask({"list": True})["targets"][self.id]
        return tuple(known)


class LentRoom:
    """Instruments that one test, or several, use; gone when the `with` block or the test run ends.

    Attributes:
        devices: by id.
        folder: as of `chevet-sim serve --dir`: devices.json, ports and sockets.
    """

    def __init__(self, plan: Plan) -> None:
        self.folder = plan.folder
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready: concurrent.futures.Future[Room] = concurrent.futures.Future()
        self._broken: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(plan,), name="chevet-sim", daemon=True)
        self._thread.start()
        self._room = self._ready.result(STARTS_WITHIN_S)
        self.devices = {one["id"]: self._device(dict(one)) for one in self.listing}

    def _device(self, one: dict[str, str]) -> LentDevice:
        extra = {key: value for key, value in one.items() if key.startswith("bluetooth_")}
        return LentDevice(one["id"], one["driver"], one["instrument"], extra, self)

    def _run(self, plan: Plan) -> None:
        try:
            self._loop.run_until_complete(self._serve(plan))
        except Exception as error:  # noqa: BLE001 - whoever asked for the room gets it
            self._broken = error
            if not self._ready.done():
                self._ready.set_exception(error)
        finally:
            self._loop.close()

    async def _serve(self, plan: Plan) -> None:
        async with served(plan) as room:
            self._ready.set_result(room)
            await room.until(self._stop)

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        if not self._thread.is_alive():
            work.close()
            why = self._broken or "their block has ended"
            raise ServeError("room", f"these virtual instruments are gone: {why}") from self._broken
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(ANSWERS_WITHIN_S)

    @property
    def listing(self) -> list[dict[str, str]]:
        """The entries of devices.json."""
        return self._room.listing

    def __getitem__(self, device: str) -> LentDevice:
        return self.devices[device]

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what a request as of `chevet-sim control` asks, and return the answer.

        Raises:
            SimError: it cannot be done.
        """
        return self._wait(obey(self._room, request))

    def set_fault(self, target: str, fault: str, *, on: bool = True, value: str = "") -> None:
        """Turn a fault of an instrument on or off, or change the target "patient"; returns when it is done.

        Raises:
            FaultError: there is no such target, fault or value.
        """
        self.ask({"target": target, "fault": fault, "on": on, "value": value})

    def truth(self, seconds: float = TRUTH_S) -> list[dict[str, Any]]:
        """Return what really happened to the patient in the last `seconds`; nothing for recordings."""
        happened: list[dict[str, Any]] = self.ask({"truth": seconds})["truth"]
        return happened

    def close(self) -> None:
        """Take the instruments away; again is harmless."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(ANSWERS_WITHIN_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


class LentRooms:
    """Makes rooms, and takes away those that are left.

    Args:
        seed: of rooms that choose none.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._rooms: list[LentRoom] = []
        self._folders: list[tempfile.TemporaryDirectory[str]] = []

    def __call__(
        self, *devices: str, patient: str | None = None, seed: int | None = None, tcp: bool = False
    ) -> LentRoom:
        """Return a room with these instruments, ready to be opened.

        Args:
            devices: as of `chevet-sim serve --devices`; without any, those that it serves without.
            patient: condition of the one simulated patient they touch; None plays recordings.
            seed: of patient and disturbances; None for that of --chevet-sim-seed.
            tcp: serial instruments also listen on TCP.

        Raises:
            SimError: there is no such instrument or condition.
        """
        if unknown := set(devices) - set(ALL):
            raise ServeError("devices", f"no device {', '.join(sorted(unknown))}; there are {', '.join(ALL)}")
        if len(set(devices)) < len(devices):
            raise ServeError("devices", "an instrument is named twice; each is there once")
        # Not pytest's own folders: the path of a Unix socket is short.
        self._folders.append(tempfile.TemporaryDirectory(prefix="chevet-"))
        chosen = self.seed if seed is None else seed
        condition = named(patient) if patient else None
        plan = Plan(Path(self._folders[-1].name), chosen, devices or DEVICES, patient=condition, tcp=tcp)
        self._rooms.append(LentRoom(plan))
        return self._rooms[-1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for room in self._rooms:
            room.close()
        for folder in self._folders:
            folder.cleanup()
