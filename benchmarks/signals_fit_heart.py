"""Fit the weights that tell heart sounds from silence, and S1 from S2, and write heart_weights.py.

    PYTHONPATH=edge python benchmarks/signals_fit_heart.py            # cross-validated errors, then the file
    PYTHONPATH=edge python benchmarks/signals_fit_heart.py --dry-run  # figures only

Data: ../shared/data. CirCor gives states of two children. CinC 2016 gives only numbers of beats; its
recordings teach with the states decoded from loudness alone, where the rate they give is within 4 bpm of
the reference. All are taught again with amplitude-modulated noise 8 dB below them. Folds are by patient;
the two children lie in different ones.
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage
from signals_data import DATA, f1, matched, sounds
from signals_logistic import logistic

from chevet.signals import heart_odds, heart_states
from chevet.signals.filters import band_passed

FOLDS = 4
HZ = 50.0
OUT = Path(__file__).parents[1] / "edge/chevet/signals/heart_weights.py"


def recordings():
    with (DATA / "pcg" / "cinc2016" / "reference.csv").open() as file:
        reference = {r["record"]: 60 * int(r["beats"]) / float(r["duration_s"]) for r in csv.DictReader(file)}
    for path, x, rate in sounds("circor"):
        states = np.loadtxt(path.with_suffix(".tsv"), ndmin=2)
        yield {"name": path.stem, "fold": int(path.stem.startswith("85345")), "x": x, "rate": rate,
               "states": states[states[:, 2] > 0]}  # fmt: skip
    for i, (path, x, rate) in enumerate(sounds("cinc2016")):
        yield {"name": path.stem, "fold": i % FOLDS, "x": x, "rate": rate, "bpm": reference[path.stem]}


def with_noise(x, rate, snr_db, rng):
    """Add noise that falls with frequency and swells twice a second by e^0.6; SNR at 25-400 Hz."""
    f = np.fft.rfftfreq(len(x), 1 / rate)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(len(x))) / np.sqrt(np.maximum(f, 20)), len(x))
    knots = np.arange(0, len(x) + rate, rate // 2)
    noise *= np.interp(np.arange(len(x)), knots, np.exp(0.6 * rng.standard_normal(len(knots))))
    loud = [np.std(band_passed(v, rate, 25.0, 400.0)) for v in (x, noise)]
    return x + noise * loud[0] / loud[1] * 10 ** (-snr_db / 20)


def loudness_odds(levels):
    """Odds before anything is learnt: loudness at 50-100 Hz between the recording's quiet and loud levels."""
    z = ndimage.uniform_filter1d(levels[1], 3)
    quiet, loud = np.quantile(z, [0.25, 0.92])
    return 8.0 * (np.clip((z - quiet) / max(loud - quiet, 0.3), -0.3, 1.2) - 0.55)


def truth_of(one, levels):
    """The state of every frame, 1 to 4; 0 where it is not known."""
    truth = np.zeros(levels.shape[1], dtype=int)
    if "states" in one:
        at = (np.arange(len(truth)) + 0.5) / HZ
        for start, end, state in one["states"]:
            truth[(at >= start) & (at < end)] = int(state)
        return truth
    states = heart_states.best_states(loudness_odds(levels), np.zeros(levels.shape[1]))
    if states is not None and abs(rate_of(states.frames) - one["bpm"]) <= 4:
        truth[:] = states.frames
    return truth


def onsets(frames, state):
    is_it = frames == state
    return (np.flatnonzero(is_it[1:] & ~is_it[:-1]) + 1) / HZ


def rate_of(frames):
    gap = np.sort(np.diff(onsets(frames, 1)))
    cut = len(gap) // 4
    return 60 / gap[cut : len(gap) - cut].mean() if len(gap) > 2 else 0.0


def fitted(sets, folds):
    """Weights of sound against silence, and of S1 against S2."""
    some = [s for s in sets if s["fold"] in folds and s["truth"].any()]
    pairs = []
    for among, wanted in (((1, 2, 3, 4), (1, 3)), ((1, 3), (1,))):
        use = [np.flatnonzero(np.isin(s["truth"], among))[::2] for s in some]
        x = np.concatenate([s["inputs"][u] for s, u in zip(some, use, strict=True)])
        y = np.concatenate([np.isin(s["truth"][u], wanted) for s, u in zip(some, use, strict=True)])
        share = [
            np.full(len(u), (3 if "states" in s else 1) * 250 / max(len(u), 30))
            for s, u in zip(some, use, strict=True)
        ]
        pairs.append(logistic(x, y, np.concatenate(share), ridge=3.0))
    return pairs


def report(label, sets, weights):
    total, away = np.zeros(3, dtype=int), []
    for s in sets:
        sound, first = (s["inputs"] @ w for w in weights[s["fold"]])
        states = heart_states.best_states(sound, first)
        frames = np.zeros(len(s["inputs"]), dtype=np.uint8) if states is None else states.frames
        if "bpm" in s:
            away.append(abs(rate_of(frames) - s["bpm"]))
            continue
        marks = s["states"]
        for state in (1, 3):
            at = onsets(frames, state)
            inside = np.any((at[:, None] >= marks[:, 0] - 0.1) & (at[:, None] <= marks[:, 1]), axis=1)
            pairs, missed, extra = matched(marks[marks[:, 2] == state, 0], at[inside], 0.1)
            total += (len(pairs), missed, extra)
    print(
        f"{label}: CirCor F1 at 100 ms {100 * f1(*total):.1f} %; CinC rate within 5 bpm "
        f"{100 * np.mean(np.array(away) <= 5):.1f} %, MAE {np.mean(away):.1f} bpm"
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dry-run", action="store_true", help="print figures, write nothing")
    args = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"skipped: {DATA} is not there")
    rng = np.random.default_rng(5)
    clean, noisy = [], {8: [], 6: [], 0: []}
    for one in recordings():
        levels = heart_odds.band_levels(one["x"], one["rate"])
        truth = truth_of(one, levels)
        clean.append(one | {"inputs": heart_odds.odds_inputs(levels), "truth": truth})
        for snr_db, sets in noisy.items():
            spoilt = heart_odds.band_levels(with_noise(one["x"], one["rate"], snr_db, rng), one["rate"])
            sets.append(one | {"inputs": heart_odds.odds_inputs(spoilt), "truth": truth})
    everything = set(range(FOLDS))
    taught = clean + noisy[8]
    weights = {f: fitted(taught, everything - {f}) for f in everything}
    report("clean", clean, weights)
    for snr_db in (6, 0):
        report(f"noise {snr_db} dB", noisy[snr_db], weights)
    final = fitted(taught, everything)
    for w in final:
        print(np.round(w, 2))
    if not args.dry_run:
        rows = "".join(
            f"{name} = np.array(\n    [\n" + "".join(f"        {v:.4f},\n" for v in w) + "    ]\n)\n"
            for name, w in zip(("SOUND", "FIRST"), final, strict=True)
        )
        OUT.write_text(
            '"""Weights of the heart sounds, written by benchmarks/signals_fit_heart.py; '
            'do not edit by hand."""\n\n'
            f"import numpy as np\n\n{rows}"
        )


if __name__ == "__main__":
    main()
