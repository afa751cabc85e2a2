"""The box of benchmarks/chaos.py: the real agent, and a tireless worker in its process.

Visits, recordings, sealing, spool and uplink are the agent's own. A study is acknowledged, that is written
into the ledger, when the agent's `send` has returned: from then on nothing may lose it.

  python benchmarks/chaos_box.py --config edge.toml --ledger FILE --seed N     works until it is killed
  python benchmarks/chaos_box.py --config edge.toml --tell FILE                writes what the box knows
"""

import argparse
import asyncio
import contextlib
import json
import random
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from chaos_digest import samples_digest
from numpy.typing import NDArray

from chevet.devices.samples import Channel, Event, SampleBlock
from chevet.edge.agent import Agent
from chevet.edge.cases import AT_RELAY, ON_BOX
from chevet.edge.errors import DiskFull, Refusal
from chevet.edge.identity import new_id
from chevet.edge.journal import Opening
from chevet.edge.settings import load_settings
from chevet.edge.spool import PENDING, SETTLED
from chevet.edge.visits import CaptureRow
from chevet.sim.bodies import EcgBody
from chevet.sim.matcher import Ledger, read_ledger
from chevet.study.recording import StoredFile
from chevet.study.study import Patient

RATE_HZ = 500.0
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
ECG = tuple(Channel(name, "mV", RATE_HZ, 0.001) for name in LEADS)
SECONDS = (0.0, 0.0, 0.0, 1.0, 2.0, 4.0)
"""Lengths of recordings, chosen among by chance; 0 for a visit of words and numbers alone."""
LOOK_S = 0.2


@dataclass
class Worker:
    """Fills in one visit after the other."""

    agent: Agent
    ledger: Ledger
    rng: random.Random
    backlog: int
    body: EcgBody

    async def run(self) -> None:
        """Send until the process is killed; where the box refuses, try again, as a person would."""
        bedside = self.agent.bedside
        while True:
            await asyncio.sleep(self.rng.uniform(0.0, 2 * LOOK_S))
            if bedside.spool.count(PENDING) >= self.backlog:
                continue
            try:
                await asyncio.to_thread(self.visit)
            except Refusal as refusal:
                self.ledger.write(refused=refusal.code, at=time.time())
                if isinstance(refusal, DiskFull):
                    await asyncio.sleep(5 * LOOK_S)
            bedside.spooled.set()

    def visit(self) -> None:
        """Make one visit and acknowledge it."""
        rules = self.agent.bedside.rules
        left = self.agent.bedside.visits.current()
        if left is not None:
            rules.abandon(left.id, "the box stopped")
        patient = Patient(new_id(), f"Chaos {self.rng.random()}", 1974, "F", str(self.rng.randrange(10**6)))
        self.agent.bedside.patients.add(patient)
        visit = rules.open(patient.id, "amina")
        rules.consent(visit.id, ("care",), "")
        urgency = "urgent" if self.rng.random() < 0.1 else "routine"
        words = {"question": f"Normal? {self.rng.random()}", "specialty": "cardiology", "urgency": urgency}
        rules.write(visit.id, words)
        rules.vital(visit.id, "heart_rate", float(self.rng.randrange(50, 120)), "/min")
        seconds = self.rng.choice(SECONDS)
        values = self.record(visit.id, seconds) if seconds else None
        case = rules.send(visit.id)
        samples = samples_digest([] if values is None else [values])
        self.ledger.write(sent=case.id, sha256=case.words.sha256, samples=samples, at=time.time())

    def record(self, visit_id: str, seconds: float) -> NDArray[np.int16]:
        """Take an ECG in, exact samples, with a file that does not compress beside it."""
        first = self.rng.randrange(100_000)
        values = self.body.take(first, round(seconds * RATE_HZ)).astype(np.int16)
        captures = self.agent.bedside.captures
        row = CaptureRow(new_id(), visit_id, "ecg", "", "", "chaos", seconds)
        source = StoredFile(self.rng.randbytes(self.rng.randrange(500, 12_000)), "application/octet-stream")
        events: list[Event] = [SampleBlock(ECG, values, 0, seconds)]
        captures.take_in(row, self.opening(row), events, source)
        self.agent.bedside.rules.accept(row.id, poor=True, best=None)
        return values

    def opening(self, row: CaptureRow) -> Opening:
        return Opening(
            capture=row.id,
            visit=row.visit,
            step=row.step,
            site="",
            side="",
            device=row.device,
            driver="kit-ecg",
            link="socket:127.0.0.1:1",
            seconds=row.seconds,
            started_ms=self.agent.bedside.clock.now_ms(),
            started_at=0.0,
            simulated=True,
        )

    async def watch(self, known: set[str]) -> None:
        """Write down what the box was told to be at the relay, once for each, and how many still wait."""
        cases, spool = self.agent.bedside.cases, self.agent.bedside.spool
        waiting = -1
        while True:
            if waiting != (now := spool.count(PENDING)):
                waiting = now
                self.ledger.write(waiting=now, at=time.time())
            for ident in set(await asyncio.to_thread(cases.awaiting)) - known:
                self.ledger.write(settled=ident, at=time.time())
                known.add(ident)
            await asyncio.sleep(LOOK_S)


async def work(agent: Agent, options: argparse.Namespace) -> None:
    """Run the agent and its worker until a signal or a kill."""
    known = {row["settled"] for row in read_ledger(options.ledger) if "settled" in row}
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, agent.stop)
    with Ledger(options.ledger) as ledger, socket.create_server(("127.0.0.1", 0)) as listening:
        ledger.write(started=time.time())
        seed = random.Random(f"{options.seed} {time.time_ns()}")  # no two lives send the same study
        worker = Worker(agent, ledger, seed, options.backlog, EcgBody(options.seed))
        extra = [asyncio.create_task(worker.watch(known))]
        if options.backlog:
            extra.append(asyncio.create_task(worker.run()))
        serving = asyncio.create_task(agent.run(listening))
        await asyncio.wait([serving, *extra], return_when=asyncio.FIRST_COMPLETED)
        for task in extra:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await serving


def tell(agent: Agent, file: Path) -> None:
    """Write what the box knows: every case with its content and whether a receipt settled it."""
    cases, spool = agent.bedside.cases.all(), agent.bedside.spool
    rows = {}
    for case in cases:
        spooled = spool.find(case.id)
        rows[case.id] = {
            "sha256": case.words.sha256,
            "state": case.state,
            "spool": spooled.state if spooled else "",
            "refused": case.refused or (spooled.reason if spooled else ""),
            "at_relay": case.state != ON_BOX,
            "settled": bool(spooled and spooled.state == SETTLED),
        }
    visits = [visit.id for visit in agent.bedside.visits.closing()]
    file.write_text(json.dumps({"cases": rows, "closing": visits, "word": AT_RELAY}))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--ledger", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--backlog", type=int, default=12, help="studies that may wait; 0 sends none")
    parser.add_argument("--tell", type=Path)
    options = parser.parse_args()
    agent = Agent(load_settings(options.config))
    try:
        if options.tell:
            tell(agent, options.tell)
        else:
            asyncio.run(work(agent, options))
    finally:
        agent.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
