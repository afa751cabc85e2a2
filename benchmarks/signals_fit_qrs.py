"""Fit the weights of the QRS choice on the MIT-BIH records of ../shared/data and write ecg_weights.py.

    python benchmarks/signals_fit_qrs.py            # cross-validated errors, then the file is written
    python benchmarks/signals_fit_qrs.py --dry-run  # figures only

Clean records teach with weight 1. So that noise is known too, the same records are added with
electrode-motion and muscle noise at 6 and 0 dB, with weight 0.2. Ventricular fibrillation is left out.
Folds are by record.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from signals_data import DATA, in_vf, mitdb, with_noise

from chevet.signals import ecg_choice, ecg_qrs

FOLDS = 6
ROUNDS = 4
OUT = Path(__file__).parents[1] / "edge/chevet/signals/ecg_weights.py"


def logistic(x, y, weight, ridge=1.0):
    w = np.zeros(x.shape[1])
    for _ in range(40):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        h = (x * (weight * np.maximum(p * (1 - p), 1e-6))[:, None]).T @ x + ridge * np.eye(len(w))
        step = np.linalg.solve(h, x.T @ (weight * (y - p)) - ridge * w)
        w += step
        if np.abs(step).max() < 1e-6:
            break
    return w


def one(name, x, rate, beats, vf, weight):
    fast = ecg_qrs.quick(x, rate)
    feature = ecg_qrs.energy_of(fast, rate)
    at = ecg_qrs.candidates(feature, rate)
    truth = np.zeros(len(at), dtype=bool)
    for beat in beats:
        i, j = np.searchsorted(at, [beat - 0.12 * rate, beat + 0.12 * rate])
        if j > i:
            truth[i + np.argmax(feature[at[i:j]])] = True
    return {
        "name": name,
        "rate": rate,
        "fast": fast,
        "feature": feature,
        "at": at,
        "truth": truth,
        "weight": weight,
        "use": ~in_vf(at, vf, rate),
        "missed": len(beats) - int(truth.sum()),
        "chosen": ecg_qrs.first_pass(at, feature, rate),
    }


def fitted(sets, rows, folds):
    take = [i for i, s in enumerate(sets) if s["fold"] in folds]
    x = np.concatenate([rows[i][sets[i]["use"]] for i in take])
    y = np.concatenate([sets[i]["truth"][sets[i]["use"]] for i in take])
    weight = np.concatenate([np.full(sets[i]["use"].sum(), sets[i]["weight"]) for i in take])
    return logistic(x, y, weight)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dry-run", action="store_true", help="print figures, write nothing")
    args = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"skipped: {DATA} is not there")
    sets = []
    for fold, (name, x, rate, beats, vf) in enumerate(mitdb()):
        sets.append(one(name, x, rate, beats, vf, 1.0) | {"fold": fold % FOLDS})
        for noise, snr in (("em", 6), ("em", 0), ("ma2", 6), ("ma2", 0)):
            noisy = with_noise(x[: 600 * rate], beats, rate, noise, snr, fold)
            some = beats[beats < 600 * rate]
            sets.append(one(f"{name}+{noise}{snr}", noisy, rate, some, vf, 0.2) | {"fold": fold % FOLDS})
    everything = set(range(FOLDS))
    for turn in range(ROUNDS):
        sets = [s for s in sets if s["chosen"].sum() > 3]
        rows = [
            ecg_choice.odds_inputs(s["fast"], s["feature"], s["at"], s["chosen"], s["rate"]) for s in sets
        ]
        weights = {f: fitted(sets, rows, everything - {f}) for f in everything}
        for s, row in zip(sets, rows, strict=True):
            s["chosen"] = ecg_choice.sequence(row @ weights[s["fold"]], s["at"] / s["rate"], s["chosen"])
        report(turn, sets)
    final = fitted(sets, rows, everything)
    print(np.round(final, 3))
    if not args.dry_run:
        numbers = ", ".join(f"{w:.4f}" for w in final)
        OUT.write_text(
            '"""Weights of the QRS choice, written by benchmarks/signals_fit_qrs.py; '
            'do not edit by hand."""\n\n'
            f"import numpy as np\n\nWEIGHTS = np.array([{numbers}])\n"
        )


def report(turn, sets):
    for kind in ("", "em6", "em0", "ma26", "ma20"):
        some = [s for s in sets if (s["name"].partition("+")[2]) == kind]
        missed = [int((s["truth"] & ~s["chosen"] & s["use"]).sum()) + s["missed"] for s in some]
        extra = [int((~s["truth"] & s["chosen"] & s["use"]).sum()) for s in some]
        worst = sorted(
            zip(missed, extra, [s["name"] for s in some], strict=True), key=lambda t: -t[0] - t[1]
        )[:7]
        print(f"round {turn + 1} {kind or 'clean':6s} missed {sum(missed)} extra {sum(extra)}  worst {worst}")


if __name__ == "__main__":
    main()
