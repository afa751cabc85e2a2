"""Chaos: kill -9, link cuts, power cuts and full disks, and then whether a single study is missing.

A box, a relay and a broker run as real processes, enrolled, by mutual TLS 1.3, every study sealed. A worker
at the box sends small studies without a pause and writes down each one that was acknowledged. Meanwhile the
programs are killed, the power of either machine is cut (ext4's shutdown ioctl: what was not on the disk is
gone), the link is cut, and disks are filled. At the end all is let run dry, and what was acknowledged is
matched, byte for byte, with what lies in the archive and what the desk shows.

  sudo .venv/bin/python benchmarks/chaos.py                                  500 kills, 100 and 100 cuts
  sudo .venv/bin/python benchmarks/chaos.py --kills 20 --cuts 4 --power 4    two minutes
  .venv/bin/python benchmarks/chaos.py --power 0                             without root: no power cuts
  .venv/bin/python benchmarks/chaos.py --json chaos.json --broker mosquitto
"""

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaos_ends import Ends, read_ends
from chaos_plan import Plan, plans
from chaos_player import StageFell
from chaos_report import figures, told
from chaos_stage import Machine, Stage, cut_power, staged

from chevet.sim.matcher import read_ledger

STUCK_S = 240.0
"""So long nothing may arrive while everything runs; then the faults stop and the run has failed."""
DRY_S = 600.0
MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Fault:
    """One fault that was done. Times are seconds; `at` since the start of the run."""

    kind: str
    at: float
    wall: float
    restart_s: float


@dataclass
class Chaos:
    """Does the faults, each machine and the link in a thread of its own.

    Attributes:
        failed: why the run was given up, "" while it goes on.
    """

    stage: Stage
    options: argparse.Namespace
    began: float = field(default_factory=time.monotonic)
    faults: list[Fault] = field(default_factory=list)
    failed: str = ""
    _tell: threading.Lock = field(default_factory=threading.Lock)

    def run(self, plans: dict[str, Plan]) -> None:
        """Do all faults."""
        does = {"box": self._at_box, "relay": self._at_relay, "link": self._at_link}
        threads = [
            threading.Thread(target=self._suffer, args=(name, plan, does[name]), name=name)
            for name, plan in plans.items()
        ]
        total = sum(len(plan.kinds) for plan in plans.values())
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads):
                time.sleep(self.options.every)
                self._progress(total)
                self._watch()
        except BaseException:
            self.failed = "interrupted"  # so that the threads end too
            raise

    def _suffer(self, name: str, plan: Plan, do: Callable[[str, random.Random], float]) -> None:
        rng = random.Random(f"{self.options.seed} {name}")
        for kind in plan.kinds:
            time.sleep(rng.expovariate(1 / self.options.calm))
            if self.failed:
                return
            at, wall = time.monotonic() - self.began, time.time()
            try:
                restart_s = do(kind, rng)
            except Exception as error:  # noqa: BLE001 - whatever it was, the run has failed and says why
                self._fail(f"{kind} at the {name}: {error}")
                return
            with self._tell:
                self.faults.append(Fault(kind, at, wall, restart_s))

    def _at_box(self, kind: str, rng: random.Random) -> float:
        stage = self.stage
        if kind == "box disk full":
            return self._full(stage.near, rng)
        if kind == "box power":
            return cut_power(stage.near, stage.box)
        stage.box.kill()
        return stage.box.start()

    def _at_relay(self, kind: str, rng: random.Random) -> float:
        stage = self.stage
        if kind == "relay disk full":
            return self._full(stage.far, rng)
        if kind == "relay power":
            return cut_power(stage.far, stage.broker, stage.relay)
        player = stage.relay if kind == "kill relay" else stage.broker
        player.kill()
        return player.start()

    def _at_link(self, kind: str, rng: random.Random) -> float:
        began = time.monotonic()
        self.stage.link.cut(silently=kind == "link silent")
        time.sleep(rng.uniform(0.2, 4.0))
        self.stage.link.mend()
        return time.monotonic() - began

    def _full(self, machine: Machine, rng: random.Random) -> float:
        """Fill a disk to the last byte for some seconds."""
        disk = machine.disk
        if disk is None:
            raise StageFell("this machine has no disk that can be filled")
        began = time.monotonic()
        disk.fill()
        time.sleep(rng.uniform(1.0, 5.0))
        disk.fill()  # also what was given up meanwhile
        time.sleep(rng.uniform(0.5, 2.0))
        disk.empty()
        return time.monotonic() - began

    def _progress(self, total: int) -> None:
        sent, settled = _count(self.stage)
        minutes = (time.monotonic() - self.began) / 60
        print(
            f"{minutes:6.1f} min  {len(self.faults)} of {total} faults, {sent} studies acknowledged,"
            f" {settled} at the relay",
            file=sys.stderr,
            flush=True,
        )

    def _watch(self) -> None:
        """Give up where nothing arrives any more though all is there."""
        last = max((row["at"] for row in read_ledger(self.stage.ledger) if "settled" in row), default=0.0)
        started = time.time() - (time.monotonic() - self.began)
        if time.time() - max(last, started) > STUCK_S and not self.failed:
            self._fail(f"nothing arrived at the relay for {STUCK_S:.0f} s")

    def _fail(self, why: str) -> None:
        self.failed = self.failed or why
        print(f"GIVEN UP: {why}", file=sys.stderr, flush=True)


def run_dry(stage: Stage) -> str:
    """Let everything that was sent arrive; return what is stuck, "" for nothing."""
    stage.box.end(within_s=0.0)
    stage.box.argv = (*stage.box.argv, "--backlog", "0")
    for player in (stage.broker, stage.relay, stage.box):
        if not player.alive:
            player.start()
    until = time.monotonic() + DRY_S
    while time.monotonic() < until:
        time.sleep(0.5)
        rows = list(read_ledger(stage.ledger))
        missing = {row["sent"] for row in rows if "sent" in row} - {
            row["settled"] for row in rows if "settled" in row
        }
        waiting = [row for row in rows if "started" in row or "waiting" in row][-1].get("waiting")
        if not missing and waiting == 0:  # those too that nobody was told about
            return ""
    return f"{len(missing)} studies did not arrive within {DRY_S:.0f} s, {waiting} wait at the box"


def _count(stage: Stage) -> tuple[int, int]:
    rows = list(read_ledger(stage.ledger))
    return sum("sent" in row for row in rows), sum("settled" in row for row in rows)


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the disks are taken away
    began = time.monotonic()
    with _folder(options) as folder, staged(
        folder, engine=options.broker, power=bool(options.power or options.disk_full), seed=options.seed,
        disk_mb=options.disk_mb,
    ) as stage:  # fmt: skip
        if stage.no_power:
            print(f"No power cuts and no full disks: {stage.no_power}", file=sys.stderr)
            options.power = options.disk_full = 0
        chaos = Chaos(stage, options)
        chaos.run(plans(options))
        faults_s = time.monotonic() - chaos.began
        print("All faults done; what was sent runs dry ...", file=sys.stderr, flush=True)
        stuck = run_dry(stage)
        stuck = chaos.failed or stuck
        try:
            ends = read_ends(stage, folder)
        finally:
            if options.keep_logs:
                _keep(stage, options.keep_logs)
        found = _found(stage, options, chaos, ends, stuck) | {
            "faults_s": round(faults_s, 1),
            "whole_s": round(time.monotonic() - began, 1),
        }
    print(told(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    return 0 if found["passed"] else 1


def _found(stage: Stage, options: argparse.Namespace, chaos: Chaos, ends: Ends, stuck: str) -> dict[str, Any]:
    asked = {
        name: getattr(options, name) for name in ("kills", "cuts", "power", "disk_full", "seed", "broker")
    }
    faults = [
        {"kind": one.kind, "at": round(one.at, 2), "wall": one.wall, "restart_s": round(one.restart_s, 3)}
        for one in chaos.faults
    ]
    settled = sorted(row["at"] for row in read_ledger(stage.ledger) if "settled" in row)
    return figures(asked, faults, settled, ends, stuck, stage)


@contextmanager
def _folder(options: argparse.Namespace) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="chevet-chaos-", dir=options.dir) as folder:
        (Path(folder) / "logs").mkdir()
        yield Path(folder)


def _keep(stage: Stage, to: Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    for log in (*(stage.folder / "logs").iterdir(), stage.ledger, stage.folder / "box.json"):
        if log.exists():
            shutil.copy(log, to)
    if (stage.folder / "archive").exists():
        shutil.copytree(stage.folder / "archive", to / "archive", dirs_exist_ok=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    number = {"type": int, "metavar": "N"}
    parser.add_argument("--kills", default=500, help="kill -9 of box, relay and broker (500)", **number)
    parser.add_argument("--cuts", default=100, help="link cuts, half of them silent (100)", **number)
    parser.add_argument(
        "--power", default=100, help="power cuts, a quarter at the relay's machine (100)", **number
    )
    parser.add_argument("--disk-full", default=10, help="times that a disk is filled (10)", **number)
    parser.add_argument("--seed", default=1, help="the same seed, the same order of faults (1)", **number)
    parser.add_argument(
        "--disk-mb", default=64, help="size of the box's disk; the relay's is four times it", **number
    )
    parser.add_argument("--broker", choices=("iotcore", "mosquitto"), default="iotcore")
    parser.add_argument(
        "--calm",
        type=float,
        default=2.0,
        metavar="S",
        help="mean seconds from a program's being ready to the next fault at the same machine (2)",
    )
    parser.add_argument(
        "--every", type=float, default=15.0, metavar="S", help="seconds between lines of progress"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures and every fault here")
    parser.add_argument("--keep-logs", type=Path, metavar="DIR", help="keep logs, ledger and archive")
    parser.add_argument("--dir", type=Path, help="where the disks lie (the system's temporary folder)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
