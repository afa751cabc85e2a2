"""Delivery over bad links: ours beside plain paho and a tus-style upload, on the kernel's own TCP, with TLS.

Needs root (network namespaces and TUN devices, as `chevet-sim link` makes them). Every run is a link of its
own with its own broker; all systems see the same losses for the same seed.

  sudo .venv/bin/python benchmarks/delivery.py                five seeds, about a quarter of an hour
  sudo .venv/bin/python benchmarks/delivery.py --quick        one seed of each, three minutes
  sudo .venv/bin/python benchmarks/delivery.py --only cuts --systems chevet --json figures.json
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from delivery_common import Task
from delivery_far import MOSQUITTO

from chevet.sim.link.profiles import KBIT, Profile

FAR = Path(__file__).parent / "delivery_far.py"
SYSTEMS = ("chevet", "paho", "tus")
NAMES = {"chevet": "Chevet", "paho": "plain paho, all published", "tus": "tus-style HTTP"}
STUDY = [(0, 1_100), (1, 3_900), (3, 75_000)]
VISIT = [(0, 1_100), (1, 3_900), (2, 60_000)]
PORT = 18_830
SIXTY_FOUR = Profile(64 * KBIT, 128 * KBIT, 0.6)
THIRTY_TWO = Profile(32 * KBIT, 64 * KBIT, 0.8)
CUT_AT, CUT_S = 8.0, 20.0


@dataclass(frozen=True)
class Case:
    """One row of the table: what is done over which link."""

    kind: str
    name: str
    system: str
    task: Task
    profile: Profile
    seconds: float


@dataclass(frozen=True)
class Goal:
    """What the specification asks of a figure of ours."""

    case: str
    figure: str
    least: float | None = None
    most: float | None = None
    take: str = "median"


GOALS = (
    Goal("64 kbit/s, 600 ms, loss 0 %", "goodput", least=0.85),
    Goal("64 kbit/s, 600 ms, loss 2 %", "goodput", least=0.75),
    Goal("64 kbit/s, 600 ms, loss 5 %", "goodput", least=0.65),
    Goal("64 kbit/s, 600 ms, loss 0 %", "extra", most=0.09),
    Goal("64 kbit/s, 600 ms, loss 2 %", "extra", most=0.13),
    Goal("64 kbit/s, 600 ms, loss 0 %", "urgent_s", most=2.5, take="p95"),
    Goal("64 kbit/s, 600 ms, loss 2 %", "urgent_s", most=2.5, take="p95"),
    Goal("preview, 32 kbit/s, 800 ms, loss 0 %", "preview_s", most=2.5),
    Goal("preview, 32 kbit/s, 800 ms, loss 5 %", "preview_s", most=6.0, take="p95"),
    Goal("cut of 20 s", "noticed_s", most=13.0, take="worst"),
    Goal("cut of 20 s", "back_s", most=9.0, take="p95"),
    Goal("cut of 20 s, new address, loss 5 %", "noticed_s", most=13.0, take="worst"),
    Goal("cut of 20 s, new address, loss 5 %", "back_s", most=9.0, take="p95"),
)


def main() -> int:
    options = _options()
    if os.geteuid():
        sys.exit("The links need root: run with sudo (chevet-sim link --help tells what is done).")
    seeds = range(1, 2 if options.quick else options.seeds + 1)
    cases = [case for case in _cases() if case.kind in options.only and case.system in options.systems]
    runs = [(case, seed) for case in cases for seed in seeds]
    # the longest first, so that none runs alone at the end
    runs.sort(key=lambda run: -run[0].seconds)
    tls = "mutual TLS 1.3" if MOSQUITTO else "no TLS (mosquitto is not installed)"
    print(f"{len(runs)} runs, {options.jobs} at a time, {tls}, {len(seeds)} seeds ...", file=sys.stderr)
    with ThreadPoolExecutor(options.jobs) as pool:
        found = list(pool.map(lambda run: _run(*run), runs))
    figures: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for (case, _), figure in zip(runs, found, strict=True):
        figures.setdefault((case.name, case.system), []).append(figure)
    ordered = {(case.name, case.system): figures[case.name, case.system] for case in cases}
    _print(ordered)
    if options.json:
        rows = [{"case": name, "system": system, "runs": runs} for (name, system), runs in ordered.items()]
        options.json.write_text(json.dumps(rows, indent=2) + "\n")
    return _judge(ordered)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one seed of each")
    parser.add_argument("--seeds", type=int, default=5, help="seeds of each case (default 5)")
    parser.add_argument("--jobs", type=int, default=6, help="links at a time (default 6)")
    parser.add_argument(
        "--only", nargs="+", choices=("bulk", "preview", "cuts"), default=["bulk", "preview", "cuts"]
    )
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every run's figures")
    return parser.parse_args()


def _cases() -> Iterator[Case]:
    tls = MOSQUITTO is not None
    bulk = Task("", [STUDY] * 6, 4.0, 12, 0.0, 0.0, PORT, "", tls)
    for loss in (0, 2, 5):
        for system in SYSTEMS:
            profile = replace(SIXTY_FOUR, loss=loss / 100)
            name = f"64 kbit/s, 600 ms, loss {loss} %"
            yield Case("bulk", name, system, replace(bulk, system=system), profile, 80.0)
    first = Task("chevet", [VISIT], 0.0, 0, 3.0, 0.0, PORT, "", tls)
    for loss in (0, 5):
        profile = replace(THIRTY_TWO, loss=loss / 100)
        yield Case("preview", f"preview, 32 kbit/s, 800 ms, loss {loss} %", "chevet", first, profile, 30.0)
    cut = Task("", [STUDY] * 4, 0.0, 0, 0.0, 0.0, PORT, "", tls, CUT_AT, CUT_S)
    for name, more in (
        ("cut of 20 s", {}),
        ("cut of 20 s, new address, loss 5 %", {"rebind": True, "loss": 0.05}),
    ):
        for system in SYSTEMS[:2]:
            profile = replace(SIXTY_FOUR, **more)
            yield Case("cuts", name, system, replace(cut, system=system), profile, 90.0)


def _run(case: Case, seed: int) -> dict[str, Any]:
    words = {"task": asdict(case.task), "profile": asdict(case.profile), "seed": seed, "limit_s": 400.0}
    done = subprocess.run(
        [sys.executable, FAR, json.dumps(words)], capture_output=True, text=True, check=False
    )
    try:
        found = json.loads(done.stdout)
    except ValueError:
        found = {"failed": done.stderr.strip().splitlines()[-1:] or "no answer"}
    if "failed" in found:
        print(f"{case.name}, {case.system}, seed {seed}: {found['failed']}", file=sys.stderr)
        return {"failed": found["failed"]}
    figures = {"bulk": _bulk, "preview": _preview, "cuts": _cut}[case.kind](case, found)
    print(f"{case.name}, {case.system}, seed {seed}: {figures}", file=sys.stderr, flush=True)
    return figures


def _bulk(case: Case, found: dict[str, Any]) -> dict[str, Any]:
    near, seen = found["near"], found["seen"]
    payload = near["more"].get("sealed") or case.task.payload + 200 * case.task.urgents
    took = max(seen["complete"].values()) - near["connected"][0]
    up = found["up"]["offered_bytes"]
    return {
        "goodput": payload / took / case.profile.up,
        "extra": up / payload - 1,
        "urgent_s": [seen["complete"][ident] - at for ident, at in near["urgent"].items()],
        "down_share": found["down"]["offered_bytes"] / payload,
        "repeated": seen["duplicates"],
    }


def _preview(_case: Case, found: dict[str, Any]) -> dict[str, Any]:
    near, seen = found["near"], found["seen"]
    ((ident, put),) = near["put"].items()
    layers = seen["objects"][ident]
    return {
        "preview_s": layers["1"] - put,
        "diagnostic_s": seen["complete"][ident] - put,
    }


def _cut(case: Case, found: dict[str, Any]) -> dict[str, Any]:
    near, seen = found["near"], found["seen"]
    begins, ends = found["cut"]["begins"], found["cut"]["ends"]
    gone = [at for at in near["disconnected"] if at > begins]
    after = [at for at in seen["fresh"] if at > ends]
    return {
        "noticed_s": gone[0] - begins if gone else None,
        "back_s": min(after) - ends if after else None,
        "repeated": seen["duplicates"],
        "whole": len(seen["complete"]) == len(case.task.studies),
    }


def _pooled(runs: list[dict[str, Any]], figure: str) -> list[float]:
    values: list[float] = []
    for run in runs:
        value = run.get(figure)
        values += value if isinstance(value, list) else [value] if value is not None else []
    return values


def _p95(values: list[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, -(-95 * len(ordered) // 100) - 1)]


TAKES: dict[str, Callable[[list[float]], float]] = {
    "median": statistics.median,
    "p95": _p95,
    "worst": max,
}


def _print(figures: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    print("\nMedian (lowest to highest; p95). Shares are of the link's rate, and of what was to be moved.")
    last = ""
    for (name, system), runs in figures.items():
        if name != last:
            print(f"\n{name}")
        last = name
        keys = [key for key in runs[0] if any(_pooled(runs, key))] if "failed" not in runs[0] else []
        told = []
        for key in keys:
            values = [float(value) for value in _pooled(runs, key)]
            span = f"{min(values):.2f} to {max(values):.2f}; {_p95(values):.2f}"
            told.append(f"{key} {statistics.median(values):.3f} ({span})")
        failed = sum("failed" in run for run in runs)
        print(
            f"  {NAMES[system]:<28}" + ("\n" + " " * 30).join(told) + (f"  {failed} FAILED" if failed else "")
        )


def _judge(figures: dict[tuple[str, str], list[dict[str, Any]]]) -> int:
    missed = 0
    print("\nGoals")
    for goal in GOALS:
        values = _pooled(figures.get((goal.case, "chevet"), []), goal.figure)
        if not values:
            continue
        value = TAKES[goal.take](values)
        good = (goal.least is None or value >= goal.least) and (goal.most is None or value <= goal.most)
        missed += not good
        bound = f">= {goal.least}" if goal.least is not None else f"<= {goal.most}"
        print(
            f"  {'reached' if good else 'MISSED '}  {goal.case}:"
            f" {goal.take} {goal.figure} {value:.3f} {bound}"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
