"""The second pass of QRS detection: which candidates of a whole recording are beats.

Every candidate gets log odds from how it compares with its surroundings (height, shape, noise, neighbours),
by a small logistic model; then the most plausible sequence is chosen by dynamic programming with a cost for
intervals that do not fit the local rhythm. The weights were fitted by `benchmarks/signals_fit_qrs.py` on 24
records of the MIT-BIH Arrhythmia Database (doi 10.13026/C2F305), cross-validated by record.
"""

import math

import numpy as np
from scipy import ndimage

from chevet.signals.arrays import Floats, Indices, Mask, windows_at
from chevet.signals.ecg_weights import WEIGHTS

_AROUND_BEATS = 15
_BLIND_S = 0.36  # within this a second QRS is unlikely (T wave rule of Pan and Tompkins)
_SHORTEST_S = 0.19
_RARE_S = 0.30  # shorter intervals are rarer still than the rhythm says
_RARE_COST = 30.0  # log odds a second
_SHORT_COST = 4.0  # log odds for an interval of half the usual length, in a regular rhythm
_LONG_COST = 3.0  # log odds for one of twice the usual length
_UNSTEADY = 0.1  # change of log interval from beat to beat at which shortness costs half
_PREDECESSORS = 10
_HOPELESS = -7.0
_ROUNDS = 3
_TOO_FEW = 4  # beats that teach nothing about a rhythm


def choose(fast: Floats, feature: Floats, at: Indices, first: Mask, rate_hz: float) -> Mask:
    """Return which candidates are beats, starting from those the first pass took.

    Args:
        fast: band-passed ECG [n].
        feature: slope energy [n].
        at: candidates [k].
        first: mask of the first pass [k].
        rate_hz: rate of `fast` and `feature`.
    """
    chosen = first
    for _ in range(_ROUNDS):
        if chosen.sum() < _TOO_FEW:
            return chosen
        odds = odds_inputs(fast, feature, at, chosen, rate_hz) @ WEIGHTS
        chosen = sequence(odds, at / rate_hz, chosen)
    return chosen


def sequence(odds: Floats, at_s: Floats, known: Mask) -> Mask:
    """Return the most plausible sequence of beats in the rhythm of those `known`."""
    if known.sum() < _TOO_FEW:
        return known
    usual, steady = _rhythm(at_s, known)
    picked = np.zeros(len(odds), dtype=bool)
    picked[_most_plausible(odds, at_s, usual, _SHORT_COST * steady)] = True
    return picked


def _rhythm(at_s: Floats, known: Mask) -> tuple[Floats, Floats]:
    """Return the usual interval around every candidate, and how steady it is (0 chaotic to 1)."""
    times = at_s[known]
    interval = np.clip(np.diff(times), 0.3, 1.6)
    change = np.abs(np.diff(np.log(interval), append=np.log(interval[-1])))
    middle = ndimage.median_filter(interval, size=min(15, len(interval)), mode="nearest")
    unsteady = ndimage.median_filter(change, size=min(21, len(interval)), mode="nearest")
    usual: Floats = np.interp(at_s, times[1:], middle)
    steady: Floats = 1 / (1 + (np.interp(at_s, times[1:], unsteady) / _UNSTEADY) ** 2)
    return usual, steady


def odds_inputs(fast: Floats, feature: Floats, at: Indices, first: Mask, rate_hz: float) -> Floats:
    """Return what the logistic model looks at, shape [k, 14].

    Args:
        fast: band-passed ECG [n].
        feature: slope energy [n].
        at: candidates [k].
        first: which of them the first pass took for beats, at least 3.
        rate_hz: rate of `fast` and `feature`.
    """
    height = np.maximum(feature[at], 1e-12)
    level = _running(height, at, first)
    noise = _running(height, at, ~first) if (~first).sum() > 2 else 0.1 * level
    like, blunt = _shape(fast, at, first, rate_hz)
    before, after = _rivals(height, at, rate_hz)
    share = np.clip(np.log(height / level), -3, 1.0)
    unrest = np.clip(np.log(noise / level), -4, 0) + 4
    return np.stack(
        [
            np.ones(len(at)),
            share,
            np.clip(np.log(height / noise), -1, 4),
            unrest,
            like,
            np.abs(like),
            np.clip(blunt, -2, 2),
            before,
            after,
            unrest * share,
            unrest * like,
            unrest * np.abs(like),
            unrest * before,
            unrest * after,
        ],
        axis=1,
    )


def _running(height: Floats, at: Indices, chosen: Mask) -> Floats:
    """Running median of the chosen heights, carried to every candidate."""
    size = min(_AROUND_BEATS, int(chosen.sum()))
    middle = ndimage.median_filter(height[chosen], size=size, mode="nearest")
    carried: Floats = np.interp(at, at[chosen], middle)
    return np.maximum(carried, 1e-12)


def _shape(fast: Floats, at: Indices, first: Mask, rate_hz: float) -> tuple[Floats, Floats]:
    """Correlation with the surrounding beats' mean shape, and log of slowness against theirs."""
    reach = int(0.05 * rate_hz)
    near = windows_at(np.abs(fast), at, reach, reach + 1)
    centre = at + np.argmax(near, axis=1) - reach
    every = max(1, int(rate_hz / 150))
    each = windows_at(fast, centre, int(0.07 * rate_hz), int(0.07 * rate_hz) + 1)[:, ::every]
    size = np.linalg.norm(each, axis=1)
    unit = each / np.maximum(size, 1e-12)[:, None]
    total = np.concatenate([np.zeros((1, unit.shape[1])), np.cumsum(unit[first], axis=0)])
    rank = np.searchsorted(at[first], at)
    low, high = np.maximum(rank - 8, 0), np.minimum(rank + 9, int(first.sum()))
    mean = total[high] - total[low]
    own = first.astype(float)[:, None] * unit  # a beat must not be compared with itself
    mean = mean - own
    like = np.einsum("ij,ij->i", unit, mean) / np.maximum(np.linalg.norm(mean, axis=1), 1e-12)
    speed = np.linalg.norm(np.diff(each, axis=1), axis=1) / np.maximum(size, 1e-12)
    blunt = np.log(np.maximum(speed, 1e-6))
    usual = np.interp(
        at, at[first], ndimage.median_filter(blunt[first], size=min(15, int(first.sum())), mode="nearest")
    )
    return like, blunt - usual


def _rivals(height: Floats, at: Indices, rate_hz: float) -> tuple[Floats, Floats]:
    """Log height of the tallest neighbour within 360 ms before and after, against the candidate's own."""
    blind = _BLIND_S * rate_hz
    best = [np.full(len(at), 1e-12), np.full(len(at), 1e-12)]
    for side, way in ((0, 1), (1, -1)):
        for k in (1, 2):
            if len(at) <= k:
                continue
            a, h = at[::way], height[::way]
            close = np.abs(a[k:] - a[:-k]) < blind
            found = np.where(close, h[:-k], 1e-12)
            view = best[side][::way]
            view[k:] = np.maximum(view[k:], found)
    return tuple(np.clip(np.log(b / height), -3, 2) for b in best)  # type: ignore[return-value]


def _most_plausible(odds: Floats, at_s: Floats, usual_s: Floats, short: Floats) -> Indices:
    """Dynamic programming: the sequence whose odds, less the costs of its intervals, are greatest."""
    hopeful = np.flatnonzero(odds > _HOPELESS)
    if not len(hopeful):
        return hopeful
    columns = (a[hopeful].tolist() for a in (at_s, odds, usual_s, short))
    times: list[float] = []
    best: list[float] = []
    came: list[int] = []
    for j, (now, gain, usual, hurry) in enumerate(zip(*columns, strict=True)):
        top, source = -_LONG_COST * j, -1
        for i in range(j - 1, max(j - 1 - _PREDECESSORS, -1), -1):
            value = best[i] - _cost(now - times[i], usual, hurry)
            if value > top:
                top, source = value, i
        times.append(now)
        best.append(top + gain)
        came.append(source)
    return hopeful[_back_from(int(np.argmax(best)), came)]


def _cost(interval: float, usual: float, hurry: float) -> float:
    if interval < _SHORTEST_S:
        return math.inf
    ratio = interval / usual
    rare = max(_RARE_S - interval, 0.0) * _RARE_COST
    if ratio < 0.75:
        return rare + hurry * (0.75 - ratio) * 4
    if ratio > 1.35:
        return rare + _LONG_COST * min((ratio - 1.35) / 0.65, 2.0)
    return rare


def _back_from(last: int, came: list[int]) -> Indices:
    chain = []
    while last >= 0:
        chain.append(last)
        last = came[last]
    return np.array(chain[::-1], dtype=np.int64)
