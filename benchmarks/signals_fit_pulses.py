"""Fit the weights of the pulse choice on BIDMC (../shared/data) and write pleth_weights.py.

    PYTHONPATH=edge python benchmarks/signals_fit_pulses.py            # cross-validated errors, then the file
    PYTHONPATH=edge python benchmarks/signals_fit_pulses.py --dry-run  # figures only

The truth are the beats of the simultaneous ECG, delayed by the patient's own pulse delay. Each patient is
also taught at 1.5 and 0.75 times his heart rate (weight 0.3), so that the weights do not depend on the rates
of 27 adults. Folds are by patient.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from signals_data import DATA, bidmc, f1, matched
from signals_logistic import logistic

from chevet.signals import ecg, pleth_pulses
from chevet.signals.filters import band_passed
from chevet.signals.pleth_sequence import sequence

FOLDS = 9
ROUNDS = 3
SPEEDS = ((1.0, 1.0), (1.5, 0.3), (0.75, 0.3))
OUT = Path(__file__).parents[1] / "edge/chevet/signals/pleth_weights.py"


def ecg_beats(file):
    raw = file["ecg"].astype(float)
    return ecg.detect_qrs(1.5 * raw / max(np.ptp(np.quantile(raw, [0.01, 0.99])), 1), 125)


def delay_of(beats, pulses):
    """Samples from the R peak to the systolic peak at which most of them meet within 50 ms."""
    return max(range(0, 140, 2), key=lambda lag: len(matched(beats + lag, pulses, 6)[0]))


def one(name, x, beats, speed, weight):
    rate = 125.0 * speed
    calm = band_passed(x, rate, 0.5, 8.0)
    peaks = pleth_pulses.peaks_of(calm, rate)
    chosen = pleth_pulses.first_choice(peaks, rate)
    lag = delay_of(beats, peaks.at[chosen])
    truth = np.zeros(len(peaks.at), dtype=bool)
    for beat in beats + lag:
        i, j = np.searchsorted(peaks.at, [beat - 19, beat + 19.01])
        if j > i:
            truth[i + np.argmax(peaks.prominence[i:j])] = True
    return {
        "name": name, "rate": rate, "calm": calm, "peaks": peaks, "chosen": chosen, "truth": truth,
        "beats": beats, "weight": weight,
    }  # fmt: skip


def fitted(sets, rows, folds):
    take = [i for i, s in enumerate(sets) if s["fold"] in folds]
    x = np.concatenate([rows[i] for i in take])
    y = np.concatenate([sets[i]["truth"] for i in take])
    return logistic(x, y, np.concatenate([np.full(len(rows[i]), sets[i]["weight"]) for i in take]))


def report(turn, sets):
    for speed, _ in SPEEDS:
        total = np.zeros(3, dtype=int)
        for s in sets:
            if s["rate"] == 125.0 * speed:
                found = s["peaks"].at[s["chosen"]]
                pairs, missed, extra = matched(s["beats"] + delay_of(s["beats"], found), found, 0.15 * 125)
                total += (len(pairs), missed, extra)
        print(f"round {turn} speed {speed}: F1 {100 * f1(*total):.2f} %, missed {total[1]}, extra {total[2]}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dry-run", action="store_true", help="print figures, write nothing")
    args = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"skipped: {DATA} is not there")
    sets = []
    for i, (name, file) in enumerate(bidmc()):
        beats = ecg_beats(file)
        for speed, weight in SPEEDS:
            sets.append(one(name, file["ppg"].astype(float), beats, speed, weight) | {"fold": i % FOLDS})
    report(0, sets)
    everything = set(range(FOLDS))
    for turn in range(1, ROUNDS + 1):
        rows = [pleth_pulses.odds_inputs(s["calm"], s["peaks"], s["chosen"], s["rate"]) for s in sets]
        weights = {f: fitted(sets, rows, everything - {f}) for f in everything}
        for s, row in zip(sets, rows, strict=True):
            s["chosen"] = sequence(row @ weights[s["fold"]], s["peaks"].at / s["rate"], s["chosen"])
        report(turn, sets)
    final = fitted(sets, rows, everything)
    print(np.round(final, 2))
    if not args.dry_run:
        numbers = "".join(f"        {w:.4f},\n" for w in final)
        OUT.write_text(
            '"""Weights of the pulse choice, written by benchmarks/signals_fit_pulses.py; '
            'do not edit by hand."""\n\n'
            f"import numpy as np\n\nWEIGHTS = np.array(\n    [\n{numbers}    ]\n)\n"
        )


if __name__ == "__main__":
    main()
