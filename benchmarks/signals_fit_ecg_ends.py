"""Learn where the QRS ends in each lead from LUDB's marks in ../shared/data and write ecg_weights_ends.py.

    python benchmarks/signals_fit_ecg_ends.py            # cross-validated errors, then the file is written
    python benchmarks/signals_fit_ecg_ends.py --dry-run  # cross-validated errors only

Every shape of every record teaches with all its leads together, and, with half the weight, with each lead
alone; lead II, by which delineation is judged, counts three times. The truth of a step is the share of the
shape's marks that lie beyond it. Folds are by record.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from signals_data import DATA, LUDB_LEADS, ludb
from signals_learning import as_text, taught

from chevet.signals import ecg, ecg_ends, ecg_limits
from chevet.signals.ecg_beats import BEFORE_S, shapes_of
from chevet.signals.ecg_delineate import weighted_leads
from chevet.signals.ecg_net import Net

FOLDS, HIDDEN, EPOCHS, SHRINK = 13, 16, 20, 1e-3
SECOND, SECOND_WEIGHT, ALONE_WEIGHT, MOST_MARKS, NEAR = 1, 3.0, 0.5, 8, 100
OUT = Path(__file__).parents[1] / "edge/chevet/signals/ecg_weights_ends.py"


def beats():
    """Yield record, median beat at 500 Hz, index of its R peak, and marks of every lead and side."""
    for record, leads, rate, marks in ludb():
        centre = int(BEFORE_S * rate)
        for shape in shapes_of(weighted_leads(leads, rate), rate, ecg.beats_of(leads, rate)):
            found = [
                [_near(marks.get((lead, end), []), shape.centres) + centre for end in ("QRS_on", "QRS_off")]
                for lead in LUDB_LEADS
            ]
            yield record, shape.beat, centre, found


def _near(marks, centres):
    """Marks nearest to each R peak, against it, as far as they may belong to it."""
    if not marks:
        return np.zeros(0)
    away = np.array([min((m - c for m in marks), key=abs) for c in centres])
    return away[np.abs(away) < NEAR]


def rows_of(side):
    rows = []
    for i, (record, beat, centre, marks) in enumerate(beats()):
        for alone in (False, True):
            parts = [beat[k : k + 1] for k in range(len(beat))] if alone else [beat]
            at = 0
            for part in parts:
                limits = ecg_limits.plain_limits(part, centre, ecg_ends.RATE_HZ)
                inputs = ecg_ends.end_inputs(ecg_ends.curves_of(part, limits), limits, centre, side)
                for row in inputs:
                    mark = np.array(marks[at][side], float)
                    if len(mark):
                        rows.append(_row(row, mark, limits[side], side) | _named(record, i, at, alone))
                    at += 1
    return rows


def _row(inputs, marks, first, side):
    beyond = ((marks - first) * (-1, 1)[side])[:, None] > ecg_ends.STEPS
    return {"inputs": inputs, "truth": beyond.mean(0), "marks": marks, "first": first}


def _named(record, shape, lead, alone):
    return {"record": record, "shape": shape, "lead": lead, "alone": alone}


def fitted(rows):
    x, y = np.concatenate([r["inputs"] for r in rows]), np.concatenate([r["truth"] for r in rows])
    each = [
        min(len(r["marks"]), MOST_MARKS)
        * (SECOND_WEIGHT if r["lead"] == SECOND else 1.0)
        * (ALONE_WEIGHT if r["alone"] else 1.0)
        for r in rows
    ]
    weight = np.repeat(each, len(ecg_ends.STEPS)) / np.mean(each)
    return Net(*taught(x, y, weight, hidden=HIDDEN, epochs=EPOCHS, shrink=SHRINK, batch=1024))


def placed(net, row, side):
    return row["first"] + (-1, 1)[side] * ecg_ends.how_far(net.odds(row["inputs"]))


def cross_validated(side):
    rows = rows_of(side)
    names = sorted({r["record"] for r in rows})
    for k in range(FOLDS):
        some = set(names[k::FOLDS])
        net = fitted([r for r in rows if r["record"] not in some])
        for row in (r for r in rows if r["record"] in some):
            row["found"] = placed(net, row, side)
    report(rows, side)
    return fitted(rows)


def report(rows, side):
    joint = {}
    for shape in {r["shape"] for r in rows}:
        own = {r["lead"]: r["found"] for r in rows if r["shape"] == shape and not r["alone"]}
        ends = np.array([own.get(k, np.nan) for k in range(len(LUDB_LEADS))])
        middle = np.nanmedian(ends)
        second = ends[SECOND] if np.isfinite(ends[SECOND]) else middle
        joint[shape] = middle + ecg_limits.SECOND_SHARE * (second - middle)
    views = {
        "lead II, joint": [(joint[r["shape"]], r) for r in rows if r["lead"] == SECOND and not r["alone"]],
        "all leads, joint": [(joint[r["shape"]], r) for r in rows if not r["alone"]],
        "all leads, own": [(r["found"], r) for r in rows if not r["alone"]],
        "lead II alone": [(r["found"], r) for r in rows if r["lead"] == SECOND and r["alone"]],
        "first guess, lead II": [(r["first"], r) for r in rows if r["lead"] == SECOND and not r["alone"]],
    }
    for name, some in views.items():
        error = np.concatenate([(found - r["marks"]) * 1000 / ecg_ends.RATE_HZ for found, r in some])
        print(f"{('onset', 'end')[side]:6s}{name:22s}{error.mean():+.1f} +- {error.std():.1f} ms", flush=True)


def as_net(name, net):
    parts = (net.middle, net.spread, net.hidden, net.bias, net.out, [net.start])
    text = as_text(np.concatenate([np.ravel(p) for p in parts]))
    return f'{name} = net_of(\n    {len(net.middle)},\n    """\n{text}\n""",\n)\n'


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dry-run", action="store_true", help="print figures, write nothing")
    args = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"skipped: {DATA} is not there")
    onset, end = cross_validated(0), cross_validated(1)
    if not args.dry_run:
        OUT.write_text(
            '"""Weights of the QRS limits, written by benchmarks/signals_fit_ecg_ends.py; do not edit."""\n\n'
            "from chevet.signals.ecg_net import net_of\n\n" + as_net("ONSET", onset) + as_net("END", end)
        )


if __name__ == "__main__":
    main()
