"""Which peaks of a pleth are pulses.

Every peak of the 0.5-8 Hz signal gets log odds from how it compares with the pulses around it (prominence,
rise, steepness, shape, place in the rhythm), by a small logistic model; then the most plausible sequence is
chosen (`chevet.signals.pleth_sequence`). Time since the pulse before is looked at in seconds too:
a dicrotic wave follows its pulse within 0.45 s at any heart rate. The weights were fitted by
`benchmarks/signals_fit_pulses.py` on 27 patients of BIDMC (doi 10.13026/C2208R), cross-validated by patient.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, signal

from chevet.signals.arrays import Floats, Indices, Mask, windows_at
from chevet.signals.pleth_sequence import sequence
from chevet.signals.pleth_weights import WEIGHTS

_CLOSEST_S = 0.2
_REACH_S = 0.45  # how far a dicrotic wave or its own pulse can be
_SHARE, _STEEP = 0.27, 3.0  # share of the usual prominence at even odds, and log odds for e times that
_ROUNDS = 3
_AROUND = 15
_TOO_FEW = 4  # pulses that teach nothing about a rhythm
_TINY = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """The peaks that may be pulses, each array [k].

    Attributes:
        at: samples.
        prominence: of the peak, unit of the pleth.
        rise: height above the lowest point since the peak before.
        steep: greatest slope on the way up, per second.
        up_s: seconds from that lowest point.
        level: value at the peak.
    """

    at: Indices
    prominence: Floats
    rise: Floats
    steep: Floats
    up_s: Floats
    level: Floats


def peaks_of(calm: Floats, rate_hz: float) -> Peaks:
    """Measure every peak of a band-passed pleth [n]."""
    at, found = signal.find_peaks(calm, distance=max(1, int(_CLOSEST_S * rate_hz)), prominence=0)
    before = np.concatenate([np.maximum(at[:1] - int(0.6 * rate_hz), 0), at[:-1]])
    feet = np.array([a + int(np.argmin(calm[a : b + 1])) for a, b in zip(before, at, strict=True)], dtype=int)
    slope = np.gradient(calm) * rate_hz
    steep = np.array([slope[f : a + 1].max() for f, a in zip(feet, at, strict=True)])
    return Peaks(
        at.astype(np.int64),
        np.maximum(found["prominences"], _TINY),
        np.maximum(calm[at] - calm[feet], _TINY),
        np.maximum(steep, _TINY),
        np.maximum(at - feet, 1) / rate_hz,
        calm[at],
    )


def pulses_among(calm: Floats, peaks: Peaks, rate_hz: float) -> Mask:
    """Return which peaks are pulses, shape [k]."""
    if not len(peaks.at):
        return np.zeros(0, dtype=bool)
    chosen = first_choice(peaks, rate_hz)
    for _ in range(_ROUNDS):
        if chosen.sum() < _TOO_FEW:
            return chosen
        odds = odds_inputs(calm, peaks, chosen, rate_hz) @ WEIGHTS
        chosen = sequence(odds, peaks.at / rate_hz, chosen)
    return chosen


def first_choice(peaks: Peaks, rate_hz: float) -> Mask:
    """Return which peaks are prominent enough among their neighbours, in a plausible rhythm."""
    prominence = peaks.prominence
    usual = ndimage.percentile_filter(prominence, 70, size=min(_AROUND, len(prominence)), mode="nearest")
    odds = np.clip(_STEEP * np.log(prominence / (_SHARE * np.maximum(usual, _TINY))), -20, 6)
    chosen = odds > 0
    for _ in range(2):
        chosen = sequence(odds, peaks.at / rate_hz, chosen)
    return chosen


def odds_inputs(calm: Floats, peaks: Peaks, chosen: Mask, rate_hz: float) -> Floats:
    """Return what the logistic model looks at, shape [k, 20].

    Args:
        calm: band-passed pleth [n].
        peaks: of it.
        chosen: which of them are taken for pulses so far, at least 4.
        rate_hz: sampling rate.
    """
    prominence, rise, steep = (
        _against_usual(v, peaks, chosen) for v in (peaks.prominence, peaks.rise, peaks.steep)
    )
    slow = np.clip(np.log(peaks.up_s / _usual(peaks.up_s, peaks, chosen)), -2, 2)
    level = (peaks.level - _usual(peaks.level, peaks, chosen)) / _usual(peaks.rise, peaks, chosen)
    since, early, late = _place(peaks, chosen, rate_hz)
    steeper = _rivals(peaks.steep, peaks.at, rate_hz)
    taller = _rivals(peaks.prominence, peaks.at, rate_hz)
    like = _likeness(calm, peaks, chosen, rate_hz)
    overall = np.clip(np.log(peaks.steep / float(np.median(peaks.steep[chosen]))), -4, 1.5)
    own = [np.ones(len(peaks.at)), prominence, rise, steep, slow, np.clip(level, -2, 2)]
    place = [early, late, early**2, late**2, *steeper, *taller, np.clip(since, 0, 0.6)]
    joint = [like * prominence, steep * steeper[0], prominence * np.abs(prominence)]
    return np.stack([*own, *place, overall, like, *joint], axis=1)


def _usual(values: Floats, peaks: Peaks, chosen: Mask) -> Floats:
    """Running median over the chosen, carried to every peak."""
    size = min(_AROUND, int(chosen.sum()))
    middle = ndimage.median_filter(values[chosen], size=size, mode="nearest")
    carried: Floats = np.interp(peaks.at, peaks.at[chosen], middle)
    return carried


def _against_usual(values: Floats, peaks: Peaks, chosen: Mask) -> Floats:
    usual = np.maximum(_usual(values, peaks, chosen), _TINY)
    ratio: Floats = np.clip(np.log(values / usual), -4, 1.5)
    return ratio


def _place(peaks: Peaks, chosen: Mask, rate_hz: float) -> tuple[Floats, Floats, Floats]:
    """Seconds since the chosen pulse before; log of that and of the wait for the next in usual intervals."""
    now, taken = peaks.at / rate_hz, peaks.at[chosen] / rate_hz
    interval = np.diff(taken)
    usual = np.interp(
        now, taken[1:], ndimage.median_filter(interval, size=min(_AROUND, len(interval)), mode="nearest")
    )
    before = np.concatenate([[taken[0] - 9], taken])[np.searchsorted(taken, now, "left")]
    after = np.concatenate([taken, [taken[-1] + 9]])[np.searchsorted(taken, now, "right")]
    early, late = (
        np.clip(np.log(np.clip(wait, 0.05, 3) / usual), -2, 0.7) for wait in (now - before, after - now)
    )
    return now - before, early, late


def _rivals(size: Floats, at: Indices, rate_hz: float) -> tuple[Floats, Floats]:
    """Log size of the largest neighbour within reach before and after, against the peak's own."""
    before, after = np.full(len(at), _TINY), np.full(len(at), _TINY)
    for k in range(1, min(4, len(at))):
        close = at[k:] - at[:-k] < _REACH_S * rate_hz
        before[k:] = np.maximum(before[k:], np.where(close, size[:-k], _TINY))
        after[:-k] = np.maximum(after[:-k], np.where(close, size[k:], _TINY))
    return np.clip(np.log(before / size), -3, 3), np.clip(np.log(after / size), -3, 3)


def _likeness(calm: Floats, peaks: Peaks, chosen: Mask, rate_hz: float) -> Floats:
    """Correlation of each peak's surroundings with the mean of the chosen pulses next to it."""
    reach = max(2, int(0.25 * rate_hz))
    each = windows_at(calm, peaks.at, reach, reach)[:, :: max(1, int(rate_hz / 50))]
    each = each - each.mean(1, keepdims=True)
    unit = each / np.maximum(np.linalg.norm(each, axis=1), _TINY)[:, None]
    total = np.concatenate([np.zeros((1, unit.shape[1])), np.cumsum(unit[chosen], axis=0)])
    rank = np.searchsorted(peaks.at[chosen], peaks.at)
    mean = total[np.minimum(rank + 9, int(chosen.sum()))] - total[np.maximum(rank - 8, 0)]
    mean = mean - chosen[:, None] * unit  # a pulse must not be compared with itself
    like: Floats = np.einsum("ij,ij->i", unit, mean) / np.maximum(np.linalg.norm(mean, axis=1), _TINY)
    return like
