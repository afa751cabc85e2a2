"""The room of one simulator: its patient, its instruments, and what a tester does to them."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from chevet.sim.bedside import Bedside
from chevet.sim.errors import FaultError
from chevet.sim.faults import Fault
from chevet.sim.instrument import Instrument
from chevet.sim.one_heart import named
from chevet.sim.patient_conditions import CONDITIONS

PATIENT = "patient"
"""Target of what is done to the patient."""
TRUTH_S = 10.0
LONGEST_TRUTH_S = 120.0


class Timeline(Protocol):
    """A scenario that is being played."""

    def state(self) -> dict[str, Any]:
        """Return its steps and the place in it."""
        ...


class Room:
    """Patient and instruments while they are served.

    Attributes:
        bedside: what the instruments share.
        instruments: all of them.
        conductor: plays the scenario, where there is one.
        page: URL of the tester's page, "" without.
        relisted: called when an instrument's link has changed.
    """

    def __init__(self, bedside: Bedside, instruments: Sequence[Instrument]) -> None:
        self.bedside = bedside
        self.instruments = list(instruments)
        self._by_id = {one.id: one for one in self.instruments}
        self._patient: dict[str, Fault] = self._patient_faults()
        self._tasks: list[asyncio.Task[None]] = []
        self.conductor: Timeline | None = None
        self.page = ""
        self.relisted: Callable[[], None] = lambda: None

    @property
    def listing(self) -> list[dict[str, str]]:
        """The entries of devices.json."""
        return [one.listing() for one in self.instruments]

    def start(self) -> None:
        """Run every instrument."""
        self._tasks = [asyncio.create_task(one.run(), name=one.id) for one in self.instruments]

    def add(self, work: Coroutine[None, None, None], name: str) -> None:
        """Run something beside the instruments; its error ends the simulator."""
        self._tasks.append(asyncio.create_task(work, name=name))

    async def linked(self, within_s: float) -> None:
        """Wait until every port is there.

        Raises:
            TimeoutError: one does not come.
        """
        async with asyncio.timeout(within_s):
            while not all(one.ready for one in self.instruments):
                self._check()
                await asyncio.sleep(0.01)

    async def until(self, stop: asyncio.Event) -> None:
        """Wait for `stop`; an instrument that ends by itself ends the simulator with its error."""
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait((waiting, *self._tasks), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        self._check()

    def _check(self) -> None:
        for task in self._tasks:
            if task.done():
                task.result()

    async def aclose(self) -> None:
        """Take every instrument away."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def set_fault(self, target: str, fault: str, *, on: bool = True, value: str = "") -> None:
        """Turn a fault of an instrument, or something about the patient, on or off.

        Raises:
            FaultError: there is no such target, fault or value.
        """
        if target == PATIENT:
            self._change_patient(fault, on, value)
            return
        self.fault(target, fault)
        before = self.listing
        await self._by_id[target].set_fault(fault, on, value)
        if self.listing != before:
            self.relisted()

    def _change_patient(self, fault: str, on: bool, value: str) -> None:
        known = self.fault(PATIENT, fault)
        try:
            if on:
                known.check(value)
            known.throw(on, value)
        except ValueError as error:
            raise FaultError(PATIENT, fault, f"{PATIENT} {fault}: {error}") from error

    def fault(self, target: str, fault: str) -> Fault:
        """Return a fault by the names of its target and its own.

        Raises:
            FaultError: there is none.
        """
        if target != PATIENT:
            instrument = self._by_id.get(target)
            if instrument is None:
                known = ", ".join((*self._by_id, PATIENT))
                raise FaultError(target, fault, f"no instrument {target!r}; there are {known}")
            return instrument.fault(fault)
        if self.bedside.heart is None:
            remedy = "start `chevet-sim serve` with --patient to have a patient to change"
            raise FaultError(PATIENT, fault, f"recordings are played: {remedy}")
        if fault not in self._patient:
            raise FaultError(PATIENT, fault, f"of the patient one can set {', '.join(self._patient)}")
        return self._patient[fault]

    def _patient_faults(self) -> dict[str, Fault]:
        heart = self.bedside.heart
        if heart is None:
            return {}

        def condition(on: bool, value: str) -> None:
            heart.become(value if on and value else "normal", heart.clock())

        def whole(value: str) -> int:
            if value and not value.isdecimal():
                raise ValueError("the value is a whole number, 0 or more")
            return int(value or self.bedside.seed)

        def seed(_on: bool, value: str) -> None:
            heart.become(heart.patient.condition, heart.clock(), whole(value))

        every = f"{', '.join(CONDITIONS)} (normal)"
        return {
            "condition": Fault(
                condition,
                "what the patient has from now on",
                every,
                kind="body",
                reads=lambda value: named(value or "normal"),
            ),
            "seed": Fault(
                seed, "another person with the same condition", "a whole number", True, "body", whole
            ),
        }

    def state(self) -> dict[str, Any]:
        """Return everything a tester may want to see: instruments, faults, what is on, the patient."""
        heart = self.bedside.heart
        return {
            "seed": self.bedside.seed,
            "patient": None
            if heart is None
            else {"condition": heart.patient.condition, "seed": heart.patient.seed, "began": heart.began},
            "conditions": {name: row.title for name, row in CONDITIONS.items()},
            "targets": [
                {
                    **one.listing(),
                    "faults": {name: fault.listing() for name, fault in sorted(one.faults.items())},
                    "active": dict(one.active),
                }
                for one in self.instruments
            ],
            "scenario": self.conductor.state() if self.conductor else None,
            "patient_faults": {name: fault.listing() for name, fault in self._patient.items()},
        }

    def truth(self, seconds: float = TRUTH_S) -> list[dict[str, Any]]:
        """Return what really happened to the patient in the last `seconds`; nothing for recordings."""
        heart = self.bedside.heart
        if heart is None:
            return []
        now = heart.clock()
        return heart.truth(max(heart.began, now - min(seconds, LONGEST_TRUTH_S)), now)
