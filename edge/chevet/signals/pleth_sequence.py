"""The most plausible sequence of pulses among peaks with log odds, by dynamic programming.

As for the QRS (`chevet.signals.ecg_choice`), with costs of its own: the weights of the pulse choice were
learned with these.
"""

import math

import numpy as np
from scipy import ndimage

from chevet.signals.arrays import Floats, Indices, Mask

_SHORTEST_S = 0.19
_RARE_S = 0.30  # shorter intervals are rarer still than the rhythm says
_RARE_COST = 30.0  # log odds a second
_SHORT_COST = 4.0  # log odds for an interval of half the usual length, in a regular rhythm
_LONG_COST = 3.0  # log odds for one of twice the usual length
_UNSTEADY = 0.1  # change of log interval from pulse to pulse at which shortness costs half
_PREDECESSORS = 10
_HOPELESS = -7.0
_TOO_FEW = 4  # pulses that teach nothing about a rhythm


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
