"""Print the figures of chevet.signals on the developer data (../shared/data) beside open tools.

    python benchmarks/signals.py                     # everything: about an hour of CPU, half of it live
    python benchmarks/signals.py --quick             # one recording in four: some minutes; figures say less
    python benchmarks/signals.py qrs waves           # some parts
    python benchmarks/signals.py --json figures.json --plots artefacts/signals

The peers (wfdb, sleepecg, NeuroKit2, HeartPy, ecgdeli) and matplotlib are the dependency group `bench`. They
need an older pandas than our own tools, so they live in an environment of their own and are asked from there:

    python3 -m venv .venv-bench
    .venv-bench/bin/pip install --upgrade pip       # 25.1 or newer knows groups
    .venv-bench/bin/pip install --group bench

Another Python that has them can be named with --peers. What is missing is said and left out; so is everything
where the data are missing. "x real time" is seconds of signal by CPU seconds of the process that worked.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # read when NumPy is loaded; one core for all
    os.environ.setdefault(_threads, "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / room) for room in ("edge", "hardware-sim", "devices", "firmware-bridge")]

import signals_ecg  # noqa: E402
import signals_heart  # noqa: E402
import signals_live  # noqa: E402
import signals_lung  # noqa: E402
import signals_pictures  # noqa: E402
import signals_pleth  # noqa: E402
import signals_quality  # noqa: E402
import signals_sound  # noqa: E402
from signals_data import DATA, QUICK_STEP, Taking  # noqa: E402
from signals_faults import fault_table  # noqa: E402
from signals_peers import MISSING, Peers  # noqa: E402
from signals_run import GOALS, OURS, Run, line, verdict  # noqa: E402
from signals_swaps import swap_table  # noqa: E402

PARTS = {
    "qrs": signals_ecg.qrs,
    "noise": signals_ecg.noise,
    "stream": signals_ecg.stream,
    "waves": signals_ecg.waves,
    "swaps": lambda _: swap_table(),
    "filters": signals_ecg.filters,
    "sound": signals_sound.sound,
    "heart": lambda _: signals_heart.figures(),
    "lung": lambda _: signals_lung.figures(),
    "pulses": signals_pleth.pulses,
    "breathing": signals_pleth.breathing,
    "spo2": signals_pleth.spo2,
    "pictures": signals_pictures.figures,
    "noisy": signals_quality.noisy,
    "accepted": signals_quality.accepted,
    "faults": lambda _: fault_table(),
    "live": lambda run: signals_live.figures_apart(2.0 if run.quick else 60.0),
}


def options():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all when none is named"
    )
    parser.add_argument("--quick", action="store_true", help=f"one recording in {QUICK_STEP}")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--plots", type=Path, help="write plots to this folder (default: none)")
    parser.add_argument("--alone", action="store_true", help="leave the peers out")
    parser.add_argument(
        "--peers", type=Path, help="Python that has the peers (default: .venv-bench/bin/python)"
    )
    args = parser.parse_args()
    unknown = set(args.parts) - set(PARTS)
    if unknown:
        parser.error(f"no part {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    if args.peers and not args.peers.exists():
        parser.error(f"there is no {args.peers}")
    return args


def measured(names, run):
    """Run the parts, print their rows as they come, and return them."""
    figures = {}
    for count, name in enumerate(names, 1):
        print(f"-- {count}/{len(names)} {name}", file=sys.stderr, flush=True)
        start = time.monotonic()
        figures[name] = PARTS[name](run)
        for label, value in figures[name].items():
            print(line(name, label, value), flush=True)
        print(f"-- {name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    return figures


def summed(figures):
    """Count the goals met, and name the others."""
    judged = {}
    for part, label in GOALS:
        value = figures.get(part, {}).get(label)
        if value is not None:
            judged[f"{part}: {label}"] = verdict(
                part, label, value[OURS] if isinstance(value, dict) else value
            )
    short = [name for name, words in judged.items() if "NOT MET" in words]
    print(f"\n{len(judged) - len(short)} of {len(judged)} goals met")
    for name in short:
        print(f"not met: {name}")


def main():
    args = options()
    if not DATA.is_dir():
        print(f"skipped: the developer data are not at {DATA}")
        return
    if args.quick:
        Taking.step = QUICK_STEP
        print(f"QUICK: one recording in {QUICK_STEP}, and less of some parts; the figures are rough.")
    Taking.telling = sys.stderr.isatty()
    run = Run(Peers(args.peers, idle=args.alone), quick=args.quick)
    told = ", ".join(f"{name} {version}" for name, version in sorted(run.peers.versions.items()))
    print(f"peers under {run.peers.python}: {told or 'none'}")
    if args.alone:
        print("ALONE: no peer is asked.")
    elif run.peers.absent():
        print(f"skipped, {', '.join(run.peers.absent())}: {MISSING}")
    figures = measured(args.parts or list(PARTS), run)
    summed(figures)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        whole = {"quick": args.quick, "peers": run.peers.versions, "figures": figures}
        args.json.write_text(json.dumps(whole, indent=1, default=float))
    if args.plots:
        drawn(run, args.plots)
    run.peers.close()


def drawn(run, folder):
    """Draw in the peers' Python where ours has no matplotlib: there it is sure to be."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in run.peers.plots(dict(run.kept), str(folder.resolve())):
        print(f"drawn: {path}")


if __name__ == "__main__":
    main()
