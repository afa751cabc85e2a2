"""Fit the weights of the pulse choice on BIDMC (../shared/data) and write pleth_weights.py.

    PYTHONPATH=edge python benchmarks/signals_fit_pulses.py            # cross-validated errors, then the file
    PYTHONPATH=edge python benchmarks/signals_fit_pulses.py --dry-run  # figures only
    PYTHONPATH=edge python benchmarks/signals_fit_pulses.py --rate     # when `pulse_rate` should abstain

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

from chevet.signals import ecg, pleth, pleth_pulses
from chevet.signals.filters import band_passed
from chevet.signals.pleth_sequence import sequence

FOLDS = 9
ROUNDS = 3
GOAL_BPM = 0.68  # something to spare below the 0.7 asked for
SPREADS, CHANGES = (9.0, 0.4, 0.34, 0.3, 0.28, 0.24, 0.2, 0.15), (9.0, 0.1, 0.06, 0.04)
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


def rate_windows():
    """Return for each window of 30 s: patient, rate, spread, change, the monitor's and the ECG's rate."""
    rows = []
    for patient, (_, file) in enumerate(bidmc()):
        x, beats = file["ppg"].astype(float), ecg_beats(file)
        for start in range(0, 450 * 125, 30 * 125):
            monitor = np.nanmedian(file["num_pulse"][start // 125 : start // 125 + 30])
            interval = np.diff(pleth.detect_pulses(x[start : start + 30 * 125], 125)) / 125
            heart = np.diff(beats[(beats >= start) & (beats < start + 30 * 125)])
            if monitor > 0 and min(len(interval), len(heart)) >= 3:
                usual, spread, changed = pleth.interval_summary(interval)
                rows.append((patient, 60 / usual, spread, changed, monitor, 7500 / np.median(heart)))
    return np.array(rows)


def rate_report():
    """Print the error against the monitor by the limits, and with limits from the other patients only."""
    patient, rate, spread, changed, monitor, ecg_rate = rate_windows().T
    away = np.abs(rate - monitor)
    limits = [(spread_limit, change) for spread_limit in SPREADS for change in CHANGES]
    for limit in limits:
        use = (spread <= limit[0]) & (changed <= limit[1])
        print(
            f"spread <= {limit[0]:.2f}, change <= {limit[1]:.2f}: {100 * use.mean():.1f} % of windows, "
            f"MAE {away[use].mean():.3f} bpm; decimals cut as the monitor does "
            f"{np.abs(np.floor(rate) - monitor)[use].mean():.3f}; "
            f"the simultaneous ECG {np.abs(ecg_rate - monitor)[use].mean():.3f}"
        )
    kept = np.zeros(len(away), dtype=bool)
    for one in np.unique(patient):
        others = patient != one
        best = (0.0, limits[-1])
        for limit in limits:
            use = others & (spread <= limit[0]) & (changed <= limit[1])
            if away[use].mean() <= GOAL_BPM:
                best = max(best, (use.mean(), limit))
        kept |= ~others & (spread <= best[1][0]) & (changed <= best[1][1])
    print(
        f"limits from the other patients, most windows at {GOAL_BPM} bpm: "
        f"{100 * kept.mean():.1f} % of windows, MAE {away[kept].mean():.3f} bpm"
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dry-run", action="store_true", help="print figures, write nothing")
    parser.add_argument("--rate", action="store_true", help="print the pulse rate's errors by its spread")
    args = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"skipped: {DATA} is not there")
    if args.rate:
        rate_report()
        return
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
