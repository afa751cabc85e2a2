"""Plays a scenario in a room: each step at its second, whatever the steps before it take."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from chevet.sim.errors import FaultError
from chevet.sim.room import PATIENT, Room
from chevet.sim.scenario import Scenario, ScenarioError, Step

log = logging.getLogger(__name__)


def check(scenario: Scenario, room: Room) -> None:
    """Refuse a scenario whose steps the room cannot do.

    Raises:
        ScenarioError: the first such step, with its line.
    """
    for step in scenario.steps:
        if not step.target:
            continue
        try:
            fault = room.fault(step.target, step.fault)
            if step.on:
                fault.check(step.value)
            elif fault.once:
                raise ValueError("happens once: there is nothing to turn off")
        except (FaultError, ValueError) as error:
            key = "value" if isinstance(error, ValueError) else "fault"
            raise ScenarioError(scenario.place, step.line, key, str(error)) from error


class Conductor:
    """Conducts one scenario.

    Args:
        scenario: what happens.
        room: where; `check` it before.
        say: tells the tester about each step.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        scenario: Scenario,
        room: Room,
        say: Callable[[str], None] = print,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.scenario = scenario
        self._room = room
        self._say = say
        self._clock = clock
        self._began = clock()
        self._failed: list[dict[str, Any]] = []
        self._doing: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Play to the end, again and again where the scenario repeats; then wait to be cancelled."""
        self._began = self._clock()
        try:
            while True:
                for step in self.scenario.steps:
                    await self._until(self._began + step.at_s)
                    self._begin(step)
                if not self.scenario.repeat_s:
                    break
                await self._until(self._began + self.scenario.repeat_s)
                self._began += self.scenario.repeat_s
                self._failed.clear()
                await self._calm()
            await asyncio.get_running_loop().create_future()
        finally:
            for task in self._doing:
                task.cancel()

    def state(self) -> dict[str, Any]:
        """Return timeline and place in it, for the tester's page."""
        scenario = self.scenario
        return {
            "title": scenario.title,
            "story": scenario.story,
            "repeat_s": scenario.repeat_s,
            "lasts_s": scenario.lasts_s,
            "now_s": round(self._clock() - self._began, 1),
            "steps": [{"s": step.at_s, "tells": step.sentence()} for step in scenario.steps],
            "failed": list(self._failed),
        }

    async def _until(self, at: float) -> None:
        await asyncio.sleep(max(0.0, at - self._clock()))

    def _begin(self, step: Step) -> None:
        self._say(f"{step.at_s:8.1f} s  {step.sentence()}")
        if not step.target:
            return
        task = asyncio.create_task(self._do(step))
        self._doing.add(task)
        task.add_done_callback(self._doing.discard)

    async def _do(self, step: Step) -> None:
        try:
            await self._room.set_fault(step.target, step.fault, on=step.on, value=step.value)
        except FaultError as error:
            log.warning("line %d: %s", step.line, error)
            self._failed.append({"s": step.at_s, "error": str(error)})

    async def _calm(self) -> None:
        """Turn everything off that is on, and let the patient be as at the beginning."""
        for instrument in self._room.instruments:
            for fault in list(instrument.active):
                await instrument.set_fault(fault, False, "")
        if self.scenario.patient is not None and self._room.bedside.heart is not None:
            await self._room.set_fault(PATIENT, "condition", value=self.scenario.patient)
