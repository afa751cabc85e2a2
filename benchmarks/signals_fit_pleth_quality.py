"""Fit the odds that a pleth is disturbed by motion on BIDMC (../shared/data), cross-validated by patient.

    PYTHONPATH=edge python benchmarks/signals_fit_pleth_quality.py   # prints the weights for quality_pleth.py

Windows of 4 and 8 s as recorded, against the same with band noise of 0.3-4 Hz whose strength changes from
second to second, its deviation 0.35 to 1 of the pulses' whole range.
"""

import sys

import numpy as np
from scipy import signal
from signals_data import DATA, bidmc
from signals_logistic import logistic

from chevet.signals.filters import band_passed
from chevet.signals.pleth import detect_pulses
from chevet.signals.quality_pleth import motion_inputs

FOLDS = 9
BAND = signal.butter(2, [0.3, 4], "band", fs=125, output="sos")


def moved(x, strength, rng):
    noise = signal.sosfilt(BAND, rng.standard_normal(len(x) + 500))[500:]
    swell = np.repeat(rng.uniform(0.3, 1.7, len(x) // 125 + 1), 125)[: len(x)]
    return x + strength * np.ptp(x) * noise / noise.std() * swell


def windows(rng):
    """Yield (patient, strength, pleth)."""
    for name, file in bidmc():
        for start in range(0, 56000, 4000):
            for size in (500, 1000):
                x = file["ppg"][start : start + size].astype(float)
                for strength in (0.0, 0.0, rng.choice([0.35, 0.5, 0.7, 1.0])):
                    yield name, strength, moved(x, strength, rng) if strength else x


def main():
    if not DATA.is_dir():
        sys.exit(f"skipped: {DATA} is not there")
    rng = np.random.default_rng(8)
    rows, strengths, patients = [], [], []
    for name, strength, x in windows(rng):
        pulses = detect_pulses(x, 125)
        if len(pulses) >= max(3, 0.4 * len(x) / 125):
            rows.append(motion_inputs(band_passed(x, 125, 0.5, 8.0), pulses))
            strengths.append(strength)
            patients.append(name)
    rows, strengths = np.array(rows), np.array(strengths)
    fold = np.unique(patients, return_inverse=True)[1] % FOLDS
    odds = np.zeros(len(rows))
    bad = strengths > 0
    for k in range(FOLDS):
        odds[fold == k] = rows[fold == k] @ logistic(
            rows[fold != k], bad[fold != k], np.ones((fold != k).sum())
        )
    for accepted in (0.95, 0.97, 0.98):
        limit = np.quantile(odds[~bad], accepted)
        named = {
            float(s): round(float((odds[strengths == s] > limit).mean()), 2) for s in np.unique(strengths)
        }
        print(
            f"{100 * accepted:.0f} % of undisturbed accepted (odds {limit:.2f}); named of strength: {named}"
        )
    ranks = np.argsort(np.argsort(odds))
    area = (ranks[bad].mean() - (bad.sum() - 1) / 2) / (~bad).sum()
    print(f"area under the curve {area:.3f}")
    print(np.round(logistic(rows, bad, np.ones(len(rows))), 2))


if __name__ == "__main__":
    main()
