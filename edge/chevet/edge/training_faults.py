"""Faults of the simulator in a lesson: switched on while the trainee works, off by the right hand.

A simulated instrument has no cable to pull and no finger to warm. So the trainee says what the hands do, out
of the same six things in every lesson, and the box tells the simulator, over the socket that lies beside its
devices.json (docs/seams.md, "Simulator").
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chevet.edge.errors import Refusal
from chevet.edge.settings import EdgeSettings
from chevet.edge.training import Training
from chevet.edge.training_lessons import BY_CODE, LAID, LESSONS, RECORDING, Fault, Lesson
from chevet.edge.training_store import Attempt, marked
from chevet.edge.visits import RECORDING as RECORDS
from chevet.edge.visits import CaptureRow

log = logging.getLogger(__name__)

CONTROL: Final = "control.sock"
ANSWER_WITHIN_S: Final = 15.0
LONGEST_ANSWER: Final = 1 << 20
BEGUN_S: Final = 2.0
"""So far into a recording that the hand has left the button."""
FAULT, MENDED = "fault", "mended"


class Simulator:
    """The control socket of `chevet-sim serve`, where this box has one."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    async def set(self, target: str, fault: Fault, *, on: bool) -> bool:
        """Turn a fault on or off; tell whether the simulator did it."""
        asked = {"target": target, "fault": fault.name, "on": on, "value": fault.value if on else ""}
        if self.path is None:
            return False
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                reader, writer = await asyncio.open_unix_connection(str(self.path), limit=LONGEST_ANSWER)
                try:
                    writer.write(json.dumps(asked).encode() + b"\n")
                    await writer.drain()
                    answer = json.loads(await reader.readline() or b"{}")
                finally:
                    writer.close()
                    with contextlib.suppress(OSError):
                        await writer.wait_closed()
        except (OSError, ValueError, TimeoutError):
            return False
        return bool(isinstance(answer, dict) and answer.get("ok"))


@dataclass(frozen=True, slots=True)
class Hands:
    """What a trainee's hands do to simulated instruments; call it from the loop.

    Attributes:
        targets: the simulator's names of the instruments of a kind.
    """

    training: Training
    simulator: Simulator
    targets: Callable[[str], Sequence[str]]
    seen: set[str]
    tasks: set[asyncio.Task[None]]

    async def before(self, code: str) -> None:
        """Bring the simulator's instruments into order for a lesson.

        Raises:
            Refusal: no_simulator: the lesson needs its faults, and nobody there makes them.
        """
        self.seen.clear()
        lesson = BY_CODE.get(code)
        for other in LESSONS:
            if other.fault is not None:
                answered = await self._throw(other.fault, on=False)
                if other is lesson and not answered:
                    raise Refusal(
                        "no_simulator",
                        "The simulated instruments do not answer; start `chevet-sim serve` beside this box.",
                        status=503,
                    )

    async def laid(self, attempt: Attempt) -> None:
        """Switch on what is wrong from the beginning."""
        fault = BY_CODE[attempt.lesson].fault
        if fault is not None and fault.when == LAID and FAULT not in attempt.marks:
            await self._begin(attempt, fault)

    def capture_changed(self, row: CaptureRow) -> None:
        """Switch on what goes wrong in the middle of a recording, in the first one."""
        if row.state != RECORDS or row.elapsed_s < BEGUN_S or row.id in self.seen:
            return
        self.seen.add(row.id)
        task = asyncio.get_running_loop().create_task(self._due(row.step), name="a lesson's fault")
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def act(self, worker: str, act: str) -> tuple[bool, Attempt]:
        """Do what the trainee's hands do; tell whether that mended it.

        Raises:
            Refusal: not_training, too_large, no_simulator.
        """
        attempt = await asyncio.to_thread(self.training.require, worker)
        fault = BY_CODE[attempt.lesson].fault
        attempt = await self._mark(attempt, f"act:{act}")
        if fault is None or fault.act != act or FAULT not in attempt.marks or MENDED in attempt.marks:
            return False, attempt
        if not await self._throw(fault, on=False):
            raise Refusal("no_simulator", "The simulated instruments do not answer.", status=503)
        return True, await self._mark(attempt, MENDED)

    async def after(self) -> None:
        """Leave the instruments in order for who comes next."""
        with contextlib.suppress(Refusal):
            await self.before("")

    async def _due(self, step: str) -> None:
        attempt = await asyncio.to_thread(self.training.attempts.current)
        fault = BY_CODE[attempt.lesson].fault if attempt else None
        if (
            attempt
            and fault
            and fault.when == RECORDING
            and fault.step == step
            and FAULT not in attempt.marks
        ):
            with contextlib.suppress(Refusal):  # the lesson was ended meanwhile
                await self._begin(attempt, fault)

    async def _begin(self, attempt: Attempt, fault: Fault) -> None:
        if await self._throw(fault, on=True):
            await self._mark(attempt, FAULT)
        else:
            log.warning("the simulator did not switch on %s", fault.name)

    async def _mark(self, attempt: Attempt, mark: str) -> Attempt:
        now_ms = self.training.clock.now_ms()
        return await asyncio.to_thread(
            self.training.attempts.change, attempt.id, lambda one: marked(one, mark, now_ms)
        )

    async def _throw(self, fault: Fault, *, on: bool) -> bool:
        """Throw the switch on every simulated instrument of the kind: the trainee may hold any."""
        done = [await self.simulator.set(target, fault, on=on) for target in self.targets(fault.instrument)]
        return any(done)


def make_hands(settings: EdgeSettings, training: Training, targets: Callable[[str], Sequence[str]]) -> Hands:
    """Return the hands of one box; its simulator's socket lies beside the list of its devices."""
    listing = settings.training.devices_file or settings.devices_file
    return Hands(training, Simulator(listing.with_name(CONTROL) if listing else None), targets, set(), set())


def lesson_acts(lesson: Lesson) -> list[str]:
    """Return what the hands may do in a lesson, the same in each that has a fault."""
    return sorted(one.fault.act for one in LESSONS if one.fault) if lesson.fault else []
