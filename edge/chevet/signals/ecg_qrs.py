"""QRS detection over a whole recording.

The idea is that of Pan and Tompkins (1985, doi 10.1109/TBME.1985.325532): band-pass, slope, short
integration, adaptive levels. What differs: everything up to the candidates is zero-phase and vectorised;
the energy is taken to its root, so that one wide premature beat does not raise the threshold out of reach
of its neighbours; the levels follow a running median of accepted beats; the reported index is the extremum
of the ECG itself, not of the feature.
"""

from itertools import pairwise

import numpy as np
from scipy import ndimage, signal

from chevet.signals.arrays import Floats, Indices, Mask, bridged, widened
from chevet.signals.ecg_levels import QrsLevels

LOW_HZ, HIGH_HZ = 7.0, 22.0
INTEGRATION_S = 0.10
REFRACTORY_S = 0.20
WORKING_RATE_HZ = 200.0  # the feature needs no more; higher rates are thinned by a whole factor


def detect(x: Floats, rate_hz: float) -> Indices:
    """Return the R peaks of one lead [n] in mV; see `chevet.signals.ecg.detect_qrs`."""
    y, gap = bridged(x)
    step = max(1, int(rate_hz / WORKING_RATE_HZ))
    slow = _thinned(y, rate_hz, step)
    feature = slope_energy(slow, rate_hz / step)
    feature[widened(gap, int(0.05 * rate_hz))[::step][: len(feature)]] = 0.0
    at = _candidates(feature, rate_hz / step)
    beats = _accepted(at, feature, rate_hz / step)
    return refined(y, gap, beats * step, rate_hz)


def _thinned(y: Floats, rate_hz: float, step: int) -> Floats:
    if step == 1:
        return y
    sos = signal.butter(2, 0.4 * rate_hz / step, "low", fs=rate_hz, output="sos")
    thinned: Floats = signal.sosfiltfilt(sos, y)[::step]
    return thinned


def slope_energy(y: Floats, rate_hz: float) -> Floats:
    """Return the root of the slope's energy over 100 ms of `y` [n], zero-phase."""
    sos = signal.butter(2, [LOW_HZ, HIGH_HZ], "band", fs=rate_hz, output="sos")
    fast = signal.sosfiltfilt(sos, y, padlen=min(len(y) - 1, int(rate_hz)))
    energy = ndimage.uniform_filter1d(
        np.gradient(fast) ** 2, max(3, int(INTEGRATION_S * rate_hz)), mode="nearest"
    )
    root: Floats = np.sqrt(np.maximum(energy, 0))
    return root


def _candidates(feature: Floats, rate_hz: float) -> Indices:
    at, _ = signal.find_peaks(feature, distance=max(1, int(REFRACTORY_S * rate_hz)))
    return at.astype(np.int64)


def _accepted(at: Indices, feature: Floats, rate_hz: float) -> Indices:
    if not len(at):
        return at
    height = feature[at]
    levels = QrsLevels.from_first(height[at < 8 * rate_hz] if at[0] < 8 * rate_hz else height[:8])
    kept = [i for i, (a, h) in enumerate(zip(at / rate_hz, height, strict=True)) if levels.accepts(a, h)]
    return at[kept]


def refined(y: Floats, gap: Mask, near: Indices, rate_hz: float) -> Indices:
    """Move every index to the extremum of the ECG within 80 ms; drop what lies in a gap or falls together."""
    if not len(near):
        return near
    sos = signal.butter(1, [0.7, min(40.0, 0.4 * rate_hz)], "band", fs=rate_hz, output="sos")
    flat = signal.sosfiltfilt(sos, y, padlen=min(len(y) - 1, int(rate_hz)))
    reach = int(0.08 * rate_hz)
    moved = peak_near(flat, np.clip(near, 0, len(y) - 1), reach)
    moved = np.unique(moved[~gap[moved]])
    keep = [True, *(b - a > 0.1 * rate_hz for a, b in pairwise(moved))]
    kept: Indices = moved[np.array(keep[: len(moved)], dtype=bool)]
    return kept


def peak_near(flat: Floats, at: Indices, reach: int) -> Indices:
    """Return the index of the largest deflection of `flat` [n] within `reach` samples of every index."""
    grid = np.clip(at[:, None] + np.arange(-reach, reach + 1), 0, len(flat) - 1)
    window = flat[grid]
    up, down = window.max(1), -window.min(1)
    sign = np.where(up >= 0.7 * down, 1.0, -1.0)
    best = np.argmax(window * sign[:, None], axis=1)
    found: Indices = grid[np.arange(len(at)), best].astype(np.int64)
    return found
