"""The straight road's times and bytes: one consultation on the demo, repeated, medians and spread.

make road            three consultations
.venv/bin/python benchmarks/road.py --runs 5 --json road.json
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3, help="consultations to conduct (default 3)")
    parser.add_argument("--json", type=Path, help="also write all reports to this file")
    options = parser.parse_args()
    reports = [_one_run(number + 1, options.runs) for number in range(options.runs)]
    _print_recordings(reports)
    _print_study(reports)
    if options.json:
        options.json.write_text(json.dumps(reports, indent=2))
    return 0


def _one_run(number: int, runs: int) -> dict[str, Any]:
    print(f"Consultation {number} of {runs} ...", file=sys.stderr, flush=True)
    command = Path(sys.executable).parent / "chevet-sim"
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        done = subprocess.run(
            [command, "demo", "--once", "--json", report], capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"The consultation failed: {done.stderr.strip() or done.stdout.strip()}")
        found: dict[str, Any] = json.loads(report.read_text())
    return found


def _median(values: list[float]) -> str:
    low, high = min(values), max(values)
    return f"{statistics.median(values):.2f} ({low:.2f} to {high:.2f})"


def _print_recordings(reports: list[dict[str, Any]]) -> None:
    print(
        f"\n{'recording':<22}{'driver':<18}{'samples':>9}{'lost':>6}{'raw B':>10}  bytes per layer 1 / 2 / 3"
    )
    for row in reports[-1]["recordings"]:
        place = row.get("site") or row.get("side") or ""
        layers = row["layer_bytes"]
        sizes = " / ".join(f"{layers.get(key, 0):>7}" for key in ("1", "2", "3"))
        print(
            f"{row['step'] + ' ' + place:<22}{row['driver']:<18}{row['samples']:>9}{row['lost_samples']:>6}"
            f"{row['raw_bytes']:>10}  {sizes}"
        )


def _print_study(reports: list[dict[str, Any]]) -> None:
    print(f"\nMedian of {len(reports)} (lowest to highest); seconds from closing the study unless said")
    studies = [report["study"] for report in reports]
    for key in sorted(studies[0]):
        values = [study[key] for study in studies]
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            print(f"  {key:<26}{_median(values)}")
        elif isinstance(values[0], bool):
            print(f"  {key:<26}{'yes in all' if all(values) else 'NO'}")


if __name__ == "__main__":
    sys.exit(main())
