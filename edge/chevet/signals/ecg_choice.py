"""The second pass of QRS detection: which candidates of a whole recording are beats.

Every candidate gets log odds from how it compares with the beats of its recording (`ecg_odds`), by a small
neural network of one hidden layer; then the most plausible sequence is chosen by dynamic programming with a
cost for intervals that do not fit the rhythm. What the rhythm is, is told by the sure beats alone. The
weights were learnt by `benchmarks/signals_fit_qrs.py` on 24 records of the MIT-BIH Arrhythmia Database (doi
10.13026/C2F305), clean and with noise of the MIT-BIH Noise Stress Test (doi 10.13026/C2HS3T).
"""

import math

import numpy as np
from scipy import ndimage

from chevet.signals.arrays import Floats, Indices, Mask
from chevet.signals.ecg_odds import Candidates, odds_inputs
from chevet.signals.ecg_weights import BATCH

_SHORTEST_S = 0.19
_RARE_S = 0.30  # shorter intervals are rarer still than the rhythm says
_RARE_COST = 30.0  # log odds a second
_SHORT_COST = 4.0  # log odds for an interval of half the usual length, in a regular rhythm
_LONG_COST = 3.0  # log odds for one of twice the usual length, growing to twice as much
_LONG, _LONG_STEP = 1.35, 0.65  # times the usual: free up to here, and what each `_LONG_COST` more allows
_PAUSES, _PAUSE_SHARE = 31, 80  # sure intervals around, and the share (%) of them that is free as well:
_PAUSE_ROOM = 1.1  # where pauses are common, after premature beats, none needs a beat to fill it
_UNSTEADY = 0.1  # change of log interval from beat to beat at which shortness costs half
_SURE = 3.0  # log odds from which a beat may teach the rhythm
_SURE_ENOUGH = 8  # such intervals, else all teach it
_CALM_BONUS = 0.7  # log odds in calm stretches, where a missed beat is likelier than an extra one
_CALM, _RESTLESS = -2.5, -1.5  # log of the feature's floor against the beats
_QUIET = 11  # the column of `odds_inputs` that says so
_HOPELESS = -7.0
_ROUNDS = 3
_TOO_FEW = 4  # beats that teach nothing about a rhythm


def choose(seen: Candidates, first: Mask) -> Mask:
    """Return which candidates are beats, starting from those the first pass took.

    Args:
        seen: the candidates.
        first: mask of the first pass [k].
    """
    chosen = first
    for _ in range(_ROUNDS):
        if chosen.sum() < _TOO_FEW:
            return chosen
        before, chosen = chosen, sequence(odds_of(odds_inputs(seen, chosen)), seen.at_s, chosen)
        if np.array_equal(chosen, before):  # another round would say the same
            return chosen
    return chosen


def odds_of(inputs: Floats) -> Floats:
    """Return log odds of being a beat [k] from `odds_inputs` [k, 26]."""
    calm = np.clip((_RESTLESS - inputs[:, _QUIET]) / (_RESTLESS - _CALM), 0, 1)
    odds: Floats = BATCH.odds(inputs) + _CALM_BONUS * calm
    return odds


def sequence(odds: Floats, at_s: Floats, known: Mask) -> Mask:
    """Return the most plausible sequence of beats in the rhythm of those `known`."""
    if known.sum() < _TOO_FEW:
        return known
    usual, steady, free = _rhythm(odds, at_s, known)
    picked = np.zeros(len(odds), dtype=bool)
    picked[_most_plausible(odds, at_s, usual, _SHORT_COST * steady, free)] = True
    return picked


def _rhythm(odds: Floats, at_s: Floats, known: Mask) -> tuple[Floats, Floats, Floats]:
    """Return what the sure beats around every candidate tell.

    Returns:
        The usual interval (s), how steady it is (0 chaotic to 1), and up to how many times the usual one an
        interval is as good as any.
    """
    times, sure = at_s[known], odds[known] > _SURE
    apart = np.diff(times)
    interval = np.clip(apart, 0.3, 1.6)
    change = np.abs(np.diff(np.log(interval)))
    both = _enough(sure[1:] & sure[:-1])
    all_three = _enough(sure[2:] & sure[1:-1] & sure[:-2])
    ends = times[1:][both]
    usual: Floats = np.interp(at_s, ends, _running(interval[both], 15))
    unsteady = np.interp(at_s, times[1:-1][all_three], _running(change[all_three], 21))
    steady: Floats = 1 / (1 + (unsteady / _UNSTEADY) ** 2)
    ratio = np.minimum(apart[both] / np.interp(ends, at_s, usual), _LONG + 2 * _LONG_STEP)
    size = min(_PAUSES, len(ratio))
    pause = ndimage.percentile_filter(ratio, _PAUSE_SHARE, size=size, mode="nearest")
    return usual, steady, np.maximum(_LONG, _PAUSE_ROOM * np.interp(at_s, ends, pause))


def _enough(some: Mask) -> Mask:
    return some if some.sum() >= _SURE_ENOUGH else np.ones(len(some), dtype=bool)


def _running(values: Floats, count: int) -> Floats:
    middle: Floats = ndimage.median_filter(values, size=min(count, len(values)), mode="nearest")
    return middle


def _most_plausible(odds: Floats, at_s: Floats, usual_s: Floats, short: Floats, free: Floats) -> Indices:
    """Dynamic programming: the sequence whose odds, less the costs of its intervals, are greatest.

    Beyond the longest interval all predecessors cost the same, so there the best of them all is taken.
    """
    hopeful = np.flatnonzero(odds > _HOPELESS)
    if not len(hopeful):
        return hopeful
    columns = (a[hopeful].tolist() for a in (at_s, odds, usual_s, short, free))
    times: list[float] = []
    best: list[float] = []
    came: list[int] = []
    leaders: list[int] = []  # which sequence is best so far, up to each candidate
    for j, (now, gain, usual, hurry, pause) in enumerate(zip(*columns, strict=True)):
        top, source, i = -_LONG_COST * j, -1, j - 1
        longest = (pause + 2 * _LONG_STEP) * usual
        while i >= 0 and now - times[i] < longest:
            value = best[i] - _cost(now - times[i], usual, hurry, pause)
            if value > top:
                top, source = value, i
            i -= 1
        if i >= 0 and best[leaders[i]] - 2 * _LONG_COST > top:
            source = leaders[i]
            top = best[source] - 2 * _LONG_COST
        times.append(now)
        best.append(top + gain)
        came.append(source)
        leaders.append(j if not j or best[j] > best[leaders[-1]] else leaders[-1])
    return hopeful[_back_from(leaders[-1], came)]


def _cost(interval: float, usual: float, hurry: float, pause: float) -> float:
    ratio = interval / usual
    if 0.75 <= ratio <= pause and interval >= _RARE_S:
        return 0.0
    if interval < _SHORTEST_S:
        return math.inf
    rare = (_RARE_S - interval) * _RARE_COST if interval < _RARE_S else 0.0
    if ratio < 0.75:
        return rare + hurry * (0.75 - ratio) * 4
    return rare + _LONG_COST * (ratio - pause) / _LONG_STEP if ratio > pause else rare


def _back_from(last: int, came: list[int]) -> Indices:
    chain = []
    while last >= 0:
        chain.append(last)
        last = came[last]
    return np.array(chain[::-1], dtype=np.int64)
