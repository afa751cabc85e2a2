"""Heart sounds beyond the clean batch: in noise, with an ECG, and live; S1/S2 F1 within 100 ms.

    PYTHONPATH=edge python benchmarks/signals_heart.py

CirCor (six recordings of two children; weights learned on them, too: see signals_fit_heart.py for figures
cross-validated by patient). The ECG is made from the marks: R 45 ms before S1, scattered by 12 ms, so that
only the marked seconds can be used for it. Noise as in signals_fit_heart.py.
"""

import sys
import time

import numpy as np
from signals_data import DATA, f1, matched, sounds
from signals_fit_heart import with_noise

from chevet.signals import heart_sound
from chevet.signals.heart_stream import HeartSoundStates


def live_states(x, rate):
    live = HeartSoundStates(rate)
    step = int(0.1 * rate)
    parts = [live.feed(x[s : s + step]) for s in range(0, len(x), step)]
    return np.concatenate([*parts, live.flush()])


def score(states, rate, marks, offset_s=0.0):
    total = np.zeros(3, dtype=int)
    for code in (1, 3):
        at = (np.flatnonzero(np.diff((states == code).astype(int), prepend=0) == 1)) / rate + offset_s
        inside = np.any((at[:, None] >= marks[:, 0] - 0.1) & (at[:, None] <= marks[:, 1]), axis=1)
        pairs, missed, extra = matched(marks[marks[:, 2] == code, 0], at[inside], 0.1)
        total += (len(pairs), missed, extra)
    return total


def figures():
    """The part of benchmarks/signals.py."""
    found, spent, seconds = {}, 0.0, 0.0
    for snr_db in (None, 6, 0, -6):
        rng = np.random.default_rng(3)
        totals = {way: np.zeros(3, dtype=int) for way in ("batch", "live", "marked part", "with ECG")}
        for path, x, rate in sounds("circor"):
            marks = np.loadtxt(path.with_suffix(".tsv"), ndmin=2)
            marks = marks[marks[:, 2] > 0]
            y = x if snr_db is None else with_noise(x, rate, snr_db, rng)
            totals["batch"] += score(heart_sound.segment(y, rate), rate, marks)
            start = time.process_time()
            totals["live"] += score(live_states(y, rate), rate, marks)
            spent, seconds = spent + time.process_time() - start, seconds + len(y) / rate
            begin, end = marks[0, 0], marks[-1, 1]
            part = y[int(begin * rate) : int(end * rate)]
            first = marks[marks[:, 2] == 1, 0]
            beats = (first - 0.045 + 0.012 * rng.standard_normal(len(first)) - begin) * rate
            alone = heart_sound.segment(part, rate)
            gated = heart_sound.segment(part, rate, beats[beats >= 0].astype(int))
            totals["marked part"] += score(alone, rate, marks, begin)
            totals["with ECG"] += score(gated, rate, marks, begin)
        noise = "clean" if snr_db is None else f"noise {snr_db} dB"
        found |= {f"{noise}: {way} F1 %": 100 * f1(*total) for way, total in totals.items()}
    return found | {"live: x real time": seconds / spent}


def main():
    if not DATA.is_dir():
        sys.exit(f"skipped: {DATA} is not there")
    for label, value in figures().items():
        print(f"{label:40s} {value:.1f}")


if __name__ == "__main__":
    main()
