"""Fit the weights of the breathing rate on BIDMC (../shared/data) and write pleth_breathing_weights.py.

    PYTHONPATH=edge python benchmarks/signals_fit_breathing.py            # cross-validated errors, then file
    PYTHONPATH=edge python benchmarks/signals_fit_breathing.py --dry-run  # figures only

The truth is the mean of two people's marks of breaths in windows of 32 s where they agree within 2 a minute.
Each window is also taught faster (times 1.67 and 1.33) and slower (times 0.77), so that the weights do not
depend on the rates of 27 adults. Folds are by patient.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy import optimize
from signals_data import DATA, bidmc

from chevet.signals import pleth
from chevet.signals import pleth_breathing as breathing

FOLDS = 9
STRETCHES = (0.6, 0.75, 1.3)
RIDGE = 10.0
OUT = Path(__file__).parents[1] / "edge/chevet/signals/pleth_breathing_weights.py"


def windows():
    """Yield (patient, pleth of 32 s, rate, breaths per minute) where both readers agree."""
    for name, file in bidmc():
        x = file["ppg"].astype(float)
        for start in range(0, 449 * 125, 32 * 125):
            inside = [v[(v >= start) & (v < start + 4000)] for v in (file["breaths1"], file["breaths2"])]
            counted = [60 * 125 / np.mean(np.diff(v)) if len(v) > 2 else np.nan for v in inside]
            if np.all(np.isfinite(counted)) and abs(counted[0] - counted[1]) <= 2:
                yield name, x[start : start + 4000], 125, float(np.mean(counted))


def stretched(series, factor):
    old = np.arange(series.shape[1])
    new = np.linspace(0, old[-1], int(len(old) * factor))
    return np.stack([np.interp(new, old, row) for row in series])


def target(rate):
    near = np.exp(-0.5 * ((breathing.RATES - rate) / 0.7) ** 2)
    return near / near.sum()


def fitted(sets):
    x = np.stack([s["x"] for s in sets])
    y = np.stack([target(s["rate"]) for s in sets])

    def loss(w):
        z = x @ w
        z -= z.max(1, keepdims=True)
        p = np.exp(z)
        p /= p.sum(1, keepdims=True)
        slope = np.einsum("ij,ijk->k", p - y, x, optimize=True) + RIDGE * w
        return -np.sum(y * np.log(p + 1e-300)) + RIDGE * (w @ w) / 2, slope

    return optimize.minimize(
        loss, np.zeros(x.shape[2]), jac=True, method="L-BFGS-B", options={"maxiter": 150}
    ).x


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dry-run", action="store_true", help="print figures, write nothing")
    args = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"skipped: {DATA} is not there")
    sets, patients = [], []
    for name, x, rate, breaths in windows():
        if name not in patients:
            patients.append(name)
        series = breathing.modulations(x, rate, pleth.detect_pulses(x, rate))
        for factor in (1.0, *STRETCHES):
            if 5 <= breaths / factor <= 42:
                one = series if factor == 1.0 else stretched(series, factor)
                sets.append({
                    "x": breathing.rate_inputs(one), "rate": breaths / factor,
                    "fold": patients.index(name) % FOLDS, "own": factor == 1.0,
                })  # fmt: skip
    found = []
    for fold in range(FOLDS):
        w = fitted([s for s in sets if s["fold"] != fold])
        for s in sets:
            if s["fold"] == fold and s["own"]:
                rate, confidence = breathing.best_rate(s["x"] @ w)
                found.append((confidence, abs(rate - s["rate"])))
    report(np.array(found))
    final = fitted(sets)
    print(np.round(final, 2))
    if not args.dry_run:
        numbers = "".join(f"        {v:.4f},\n" for v in final)
        OUT.write_text(
            '"""Weights of the breathing rate, written by benchmarks/signals_fit_breathing.py; '
            'do not edit by hand."""\n\n'
            f"import numpy as np\n\nWEIGHTS = np.array(\n    [\n{numbers}    ]\n)\n"
        )


def report(found):
    found = found[np.argsort(-found[:, 0])]
    for share in (1.0, 0.95, 0.9, 0.85, 0.8, 0.7):
        part = found[: int(share * len(found))]
        print(
            f"coverage {100 * share:.0f} %: MAE {part[:, 1].mean():.2f} /min, "
            f"median {np.median(part[:, 1]):.2f}, least confidence {part[-1, 0]:.2f}"
        )


if __name__ == "__main__":
    main()
