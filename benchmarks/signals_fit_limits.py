"""Learn where QRS limits lie from LUDB's marks in ../shared/data and write ecg_weights_limits.py.

    python benchmarks/signals_fit_limits.py            # cross-validated errors, then the file is written
    python benchmarks/signals_fit_limits.py --dry-run  # cross-validated errors only

Linear in what `ecg_limits.limit_inputs` returns, ridge, robust (Huber); folds by record. What is learnt is
the median of all leads' marks of a beat shape; what is printed is the error against lead II's own marks.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from signals_data import DATA, LUDB_LEADS, ludb
from signals_learning import as_text

from chevet.signals import ecg
from chevet.signals.ecg_beats import BEFORE_S, shapes_of
from chevet.signals.ecg_delineate import weighted_leads
from chevet.signals.ecg_limits import limit_inputs, plain_limits

FOLDS, RIDGE, HUBER_MS, NEAR_S = 13, 20000.0, 16.0, 0.15
OUT = Path(__file__).parents[1] / "edge/chevet/signals/ecg_weights_limits.py"


def rows_of(side):
    """One row for every shape of every record: inputs, target (ms), marks of lead II (ms), record."""
    for record, leads, rate, marks in ludb():
        beats = ecg.beats_of(leads, rate)
        centre = int(BEFORE_S * rate)
        for shape in shapes_of(weighted_leads(leads, rate), rate, beats):
            limits = plain_limits(shape.beat, centre, rate)
            at = shape.centres - centre + limits[side]
            away = {}
            for lead in LUDB_LEADS:
                known = np.array(sorted(marks.get((lead, ("QRS_on", "QRS_off")[side]), [])))
                near = [known[np.argmin(np.abs(known - a))] - a for a in at] if len(known) else []
                away[lead] = [m * 1000 / rate for m in near if abs(m) < NEAR_S * rate]
            if away["ii"]:
                inputs = limit_inputs(shape.beat, centre, rate, limits, side)
                yield inputs, np.median(np.concatenate(list(away.values()))), np.array(away["ii"]), record


def fitted(x, y, weight):
    robust = weight
    for _ in range(12):
        ridge = RIDGE * np.diag([1.0] * (x.shape[1] - 1) + [1e-6])
        w = np.linalg.solve((x * robust[:, None]).T @ x + ridge, x.T @ (robust * y))
        robust = weight * np.minimum(1, HUBER_MS / np.maximum(np.abs(y - x @ w), 1e-6))
    return w


def learnt(side):
    inputs, target, second, record = zip(*rows_of(side), strict=True)
    x, y, weight = np.array(inputs), np.array(target), np.array([float(len(m)) for m in second])
    fold = np.unique(record, return_inverse=True)[1] % FOLDS
    moved = np.zeros(len(y))
    for k in range(FOLDS):
        moved[fold == k] = x[fold == k] @ fitted(x[fold != k], y[fold != k], weight[fold != k])
    before = np.concatenate([-m for m in second])
    after = np.concatenate([p - m for p, m in zip(moved, second, strict=True)])
    for name, error in (("plain", before), ("learnt, cross-validated", after)):
        print(f"{('onset', 'end')[side]:6s} {name:24s} {error.mean():+.1f} +- {error.std():.1f} ms")
    return fitted(x, y, weight)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dry-run", action="store_true", help="print figures, write nothing")
    args = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"skipped: {DATA} is not there")
    onset, end = learnt(0), learnt(1)
    if not args.dry_run:
        OUT.write_text(
            '"""Weights of the QRS limits, written by benchmarks/signals_fit_limits.py."""\n\n'
            "from chevet.signals.ecg_net import numbers_of\n\n"
            f'ONSET = numbers_of(\n    """\n{as_text(onset)}\n"""\n)\n'
            f'OFFSET = numbers_of(\n    """\n{as_text(end)}\n"""\n)\n'
        )


if __name__ == "__main__":
    main()
