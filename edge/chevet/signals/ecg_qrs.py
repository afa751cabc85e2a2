"""QRS detection over a whole recording.

The idea is that of Pan and Tompkins (1985, doi 10.1109/TBME.1985.325532): band-pass, slope, short
integration, adaptive levels. What differs: everything up to the candidates is zero-phase and vectorised;
the energy is taken to its root, so that one wide premature beat does not raise the threshold out of reach
of its neighbours; the levels follow a running median of accepted beats and only begin the choice, which a
second pass makes over the whole recording (`ecg_choice`); the reported index is the extremum of the ECG
itself, not of the feature.
"""

from itertools import pairwise

import numpy as np
from scipy import ndimage, signal

from chevet.signals.arrays import Floats, Indices, Mask, bridged, widened
from chevet.signals.ecg_choice import choose
from chevet.signals.ecg_levels import QrsLevels
from chevet.signals.ecg_odds import Candidates, looked_at, sharp_band
from chevet.signals.filters import zero_phase

LOW_HZ, HIGH_HZ = 8.0, 28.0
PLACING_HZ = (3.0, 25.0)  # R peaks agree best with manual marks here: T and P are low, muscle noise is out
PLACING_REACH_S = 0.065
R_SHARE = 0.75  # of the deepest wave, from which readers mark the R instead (MIT-BIH 0.65-0.95, LUDB lower)
INTEGRATION_S = 0.10
REFRACTORY_S = 0.20
CANDIDATE_S = 0.12  # no QRS hides behind noise that peaks so close to it
WORKING_RATE_HZ = 175.0  # the feature needs no more; higher rates are thinned by a whole factor


def detect(x: Floats, rate_hz: float) -> Indices:
    """Return the R peaks of one lead [n] in mV; see `chevet.signals.ecg.detect_qrs`."""
    y, gap = bridged(x)
    step = max(1, int(rate_hz / WORKING_RATE_HZ))
    seen, first = begun(y, gap, rate_hz, step)
    beats = seen.at[choose(seen, first)]
    return refined(y, gap, beats * step, rate_hz)


def begun(y: Floats, gap: Mask, rate_hz: float, step: int) -> tuple[Candidates, Mask]:
    """Return the candidates of `y` [n] at every `step`th sample, and which the first pass takes for beats."""
    rate = rate_hz / step
    thin = _thinned(y, rate_hz, step)
    fast, sharp = quick(thin, rate), sharp_band(thin, rate)
    feature = energy_of(fast, rate)
    blind = widened(gap, int(0.05 * rate_hz))[::step][: len(feature)]
    feature[blind] = sharp[blind] = 0.0
    at = candidates(feature, rate)
    return looked_at(fast, feature, sharp, at, rate), first_pass(at, feature, rate)


def _thinned(y: Floats, rate_hz: float, step: int) -> Floats:
    if step == 1:
        return y
    return zero_phase(y, rate_hz, 2, (None, 0.4 * rate_hz / step), 9)[::step]


def quick(y: Floats, rate_hz: float) -> Floats:
    """Return `y` [.., n] band-passed to where the QRS stands out, zero-phase."""
    return zero_phase(y, rate_hz, 2, (LOW_HZ, HIGH_HZ), int(rate_hz))


def energy_of(fast: Floats, rate_hz: float) -> Floats:
    """Return the root of the slope's energy over 100 ms of `fast` [.., n]."""
    energy = ndimage.uniform_filter1d(
        np.gradient(fast, axis=-1) ** 2, max(3, int(INTEGRATION_S * rate_hz)), mode="nearest"
    )
    root: Floats = np.sqrt(np.maximum(energy, 0))
    return root


def slope_energy(y: Floats, rate_hz: float) -> Floats:
    """Return the detection feature of `y` [.., n] (no gaps)."""
    return energy_of(quick(y, rate_hz), rate_hz)


def candidates(feature: Floats, rate_hz: float) -> Indices:
    """Return the peaks of the feature, at least 120 ms apart."""
    at, _ = signal.find_peaks(feature, distance=max(1, int(CANDIDATE_S * rate_hz)))
    found: Indices = at.astype(np.int64)
    return found


def first_pass(at: Indices, feature: Floats, rate_hz: float) -> Mask:
    """Return which candidates reach the adaptive levels, one after the other; of close ones the taller."""
    taken = np.zeros(len(at), dtype=bool)
    if not len(at):
        return taken
    height = feature[at]
    rising, close = np.diff(height) > 0, np.diff(at) < REFRACTORY_S * rate_hz
    tall = np.ones(len(at), dtype=bool)
    tall[:-1] &= ~(close & rising)
    tall[1:] &= ~(close & ~rising)
    at, height = at[tall], height[tall]
    levels = QrsLevels.from_first(height[at < max(8 * rate_hz, at[0] + 1)])
    judged = zip((at / rate_hz).tolist(), height.tolist(), strict=True)
    taken[tall] = [levels.accepts(a, h) for a, h in judged]
    return taken


def refined(y: Floats, gap: Mask, near: Indices, rate_hz: float) -> Indices:
    """Move every index to the extremum of the ECG within 65 ms; drop what lies in a gap or falls together."""
    if not len(near):
        return near
    flat = placing(y, rate_hz)
    reach = int(PLACING_REACH_S * rate_hz)
    moved = peak_near(flat, np.clip(near, 0, len(y) - 1), reach)
    moved = np.unique(moved[~gap[moved]])
    keep = [True, *(b - a > 0.1 * rate_hz for a, b in pairwise(moved))]
    kept: Indices = moved[np.array(keep[: len(moved)], dtype=bool)]
    return kept


def placing(y: Floats, rate_hz: float) -> Floats:
    """Return `y` [n] as R peaks are placed in it."""
    return zero_phase(y, rate_hz, 1, PLACING_HZ, int(rate_hz))


def peak_near(flat: Floats, at: Indices, reach: int) -> Indices:
    """Return the index of the R, or of the deepest wave where R is small, of `flat` [n] within `reach`."""
    grid = np.clip(at[:, None] + np.arange(-reach, reach + 1), 0, len(flat) - 1)
    window = flat[grid]
    up, down = window.max(1), -window.min(1)
    sign = np.where(up >= R_SHARE * down, 1.0, -1.0)
    best = np.argmax(window * sign[:, None], axis=1)
    found: Indices = grid[np.arange(len(at)), best].astype(np.int64)
    return found
