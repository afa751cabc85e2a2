"""Which faults the quality engine names when they are made on real 12-lead recordings: a confusion table."""

from collections import Counter

import numpy as np
from signals_data import DATA, ludb

from chevet.signals.quality import ecg_quality

RECORDINGS = 30


def faulty(x, rate, rng):
    """Yield (fault, recording) for every fault, all twelve leads or one."""
    t = np.arange(x.shape[1]) / rate
    yield "none", x
    still, absent, stuck = x.copy(), x.copy(), x.copy()
    still[3], absent[7] = 0.0, np.nan
    stuck[6] = np.clip(stuck[6] + 3 * (np.sin(2 * np.pi * 0.3 * t) > 0.5), None, 2.0)
    yield "one lead flat", still
    yield "one lead absent", absent
    yield "one lead saturated", stuck
    yield "mains 50 Hz, 0.1 mV RMS", x + 0.15 * np.sin(2 * np.pi * 50 * t)
    yield "mains 60 Hz, 0.1 mV RMS", x + 0.15 * np.sin(2 * np.pi * 60 * t)
    yield "tremor, 0.08 mV RMS", x + 0.08 * rng.standard_normal(x.shape)
    with np.load(DATA / "ecg" / "noise.npz") as file:
        moving = file["em2"][:, 0].astype(float)
    moving = np.interp(t * 360, np.arange(len(moving)), moving / moving.std())
    yield "moving electrode, real noise", x + 0.6 * np.median(np.ptp(x, axis=1)) * moving


def fault_table():
    rng = np.random.default_rng(0)
    named, usable, count = {}, Counter(), 0
    for (_, x, rate, _), _ in zip(ludb(), range(RECORDINGS), strict=False):
        count += 1
        for fault, recording in faulty(x, rate, rng):
            verdict = ecg_quality(recording, rate)
            codes = {reason.code for reason in verdict.reasons} or {"no reason"}
            named.setdefault(fault, Counter()).update(codes)
            usable[fault] += verdict.usable
    return {
        fault: f"usable {100 * usable[fault] / count:3.0f} %; "
        + ", ".join(f"{code} {100 * n / count:.0f} %" for code, n in codes.most_common())
        for fault, codes in named.items()
    }
