"""Judging QRS candidates of a stream one by one, from what has been heard so far.

The idea is that of the batch (`ecg_choice`): a small network weighs how a candidate compares with the beats
before it. What a stream cannot know, the beats to come, is replaced by the rhythm so far. Memory is bounded:
a few heights, intervals and shapes. Weights: `benchmarks/signals_fit_stream.py`.
"""

import math
from collections import deque
from dataclasses import dataclass
from statistics import median

import numpy as np

from chevet.signals.arrays import Floats

_BEATS, _OTHERS, _INTERVALS = 15, 21, 9
_MOST_SHAPES = 5
_ALIKE = 0.85
_CALM = -1.5  # log of floor against level, above which shapes are hardly learnt
_PACE, _PACE_RESTLESS = 0.1, 0.02
_FADES = 0.99  # of a shape's count, a beat
_SILENCE_S = 2.5  # without a beat the levels are learnt anew
_RIVALS_S = (0.16, 0.36, 0.60)
_BLIND_S = 0.36
_UNSTEADY = 0.1
_LEAST = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """One candidate of a stream.

    Attributes:
        at_s: seconds from the start.
        height, keen: of the features of the two bands.
        floor, keen_floor: quiet levels of both around it.
        after, keen_after: height of the tallest sample of both features after it, as far as they are known.
        wide: the first band around it, with `lag` samples of room to each side.
        lag: samples.
    """

    at_s: float
    height: float
    keen: float
    floor: float
    keen_floor: float
    after: float
    keen_after: float
    wide: Floats
    lag: int


class LiveJudge:
    """Remembers the beats of a stream and tells what `LIVE` is fed about the next candidate."""

    def __init__(self, first: list[Heard]) -> None:
        self._beats: deque[tuple[float, float, float]] = deque(maxlen=_BEATS)
        self._others: deque[tuple[float, float]] = deque(maxlen=_OTHERS)
        self._intervals: deque[float] = deque(maxlen=_INTERVALS)
        self._recent: deque[tuple[float, float, float]] = deque(maxlen=32)
        self._shapes = np.zeros((0, 0))
        self._counts: list[float] = []
        self._sizes: list[float] = []
        self._last_s = first[0].at_s if first else 0.0
        self._last_odds = 0.0
        self._any = False
        self._fit = (0.0, 0.0, 0, 0)  # likeness, amount, shape, lag of the candidate asked about last
        self._learn_levels([(c.height, c.keen) for c in first])

    def _learn_levels(self, heights: list[tuple[float, float]]) -> None:
        """Beats are the upper fifth of what was heard, noise its lower half."""
        if not heights:
            return
        both = np.maximum(np.array(heights), _LEAST)
        high, low = np.quantile(both, 0.85, axis=0), np.quantile(both, 0.3, axis=0)
        low = np.minimum(low, 0.3 * high)
        self._beats.clear()
        self._others.clear()
        self._beats.append((float(high[0]), float(high[1]), 0.0))
        self._others.append((float(low[0]), float(low[1])))

    def inputs(self, c: Heard) -> Floats:
        """Return the network's inputs [28] for the next candidate; ratios alone."""
        if c.at_s - self._last_s > _SILENCE_S:
            self._learn_levels([(h, k) for at, h, k in self._recent if c.at_s - at < _SILENCE_S])
            self._last_s = c.at_s - 0.8 * _SILENCE_S
        level, keen_level = (median(b[i] for b in self._beats) for i in (0, 1))
        other, keen_other = (median(o[i] for o in self._others) for i in (0, 1))
        likeness, amount, common = self._compared(c)
        rest = math.sqrt(max(1 - likeness**2, 1e-4)) * float(np.linalg.norm(self._own(c, c.lag)))
        rest /= max(max(self._sizes, default=1.0), _LEAST)
        height, keen = max(c.height, _LEAST), max(c.keen, _LEAST)
        return np.array(
            [
                _log(height / level, -3, 1.5),
                _log(height / other, -1, 4),
                _log(height / c.floor, -1, 5),
                _log(c.floor / level, -5, 0),
                _log(other / level, -4, 0.5),
                _log(keen / keen_level, -3, 1.5),
                _log(keen / keen_other, -1, 4),
                _log(keen / c.keen_floor, -1, 5),
                _log(c.keen_floor / keen_level, -5, 0),
                _log(keen_other / keen_level, -4, 0.5),
                likeness,
                amount,
                common,
                _log(rest, -4, 1.5),
                _log(_speed(self._own(c, c.lag)), -4, 1),
                _log(c.after / height, -4, 2),
                _log(c.keen_after / keen, -4, 2),
                *self._rivals(c),
                *self._timing(c),
            ]
        )

    def take(self, c: Heard, odds: float, is_beat: bool) -> None:
        """Learn from the candidate that `inputs` was asked about."""
        self._recent.append((c.at_s, c.height, c.keen))
        if not is_beat:
            self._others.append((max(c.height, _LEAST), max(c.keen, _LEAST)))
            return
        if self._any and c.at_s - self._last_s < 3:
            self._intervals.append(min(max(c.at_s - self._last_s, 0.25), 2.0))
        self._last_s, self._last_odds, self._any = c.at_s, odds, True
        self._beats.append((max(c.height, _LEAST), max(c.keen, _LEAST), odds))
        self._learn_shape(c)

    def since_s(self, at_s: float) -> float:
        """Seconds since the last beat; long before the first."""
        return at_s - self._last_s if self._any else 9.0

    @staticmethod
    def _own(c: Heard, start: int) -> Floats:
        return c.wide[start : start + len(c.wide) - 2 * c.lag]

    def _compared(self, c: Heard) -> tuple[float, float, float]:
        self._fit = (0.0, 0.0, 0, c.lag)
        if not self._counts:
            return 0.0, 0.0, -5.0
        width = self._shapes.shape[1]
        rows = np.lib.stride_tricks.sliding_window_view(c.wide, width)
        product = rows @ self._shapes.T
        size = np.maximum(np.sqrt(np.einsum("ij,ij->i", rows, rows)), _LEAST)
        likeness = product / size[:, None]
        lag, shape = divmod(int(np.argmax(likeness)), len(self._counts))
        best = float(likeness[lag, shape])
        self._fit = (best, float(product[lag, shape]), shape, lag)
        amount = _log(max(float(product[lag, shape]), _LEAST) / self._sizes[shape], -3, 1.5)
        return best, amount, math.log(self._counts[shape] / sum(self._counts))

    def _learn_shape(self, c: Heard) -> None:
        likeness, amount, shape, lag = self._fit
        calm = c.floor < math.exp(_CALM) * median(b[0] for b in self._beats)
        own = self._own(c, lag)
        size = float(np.linalg.norm(own))
        if size <= _LEAST:
            return
        self._counts = [_FADES * count for count in self._counts]
        if self._counts and likeness > _ALIKE:
            pace = _PACE if calm else _PACE_RESTLESS
            mean = (1 - pace) * self._shapes[shape] + pace * own / size
            self._shapes[shape] = mean / max(float(np.linalg.norm(mean)), _LEAST)
            self._sizes[shape] += pace * (amount - self._sizes[shape])
            self._counts[shape] += 1
        elif not self._counts or calm:
            self._add_shape(own / size, size)

    def _add_shape(self, unit: Floats, size: float) -> None:
        if not self._counts:
            self._shapes = unit[None].copy()
        elif len(self._counts) < _MOST_SHAPES:
            self._shapes = np.vstack([self._shapes, unit])
        else:
            rarest = int(np.argmin(self._counts))
            self._shapes[rarest], self._sizes[rarest], self._counts[rarest] = unit, size, 1.0
            return
        self._counts.append(1.0)
        self._sizes.append(size)

    def _rivals(self, c: Heard) -> list[float]:
        """Log height of the tallest candidate in each stretch before, against the own, in both bands."""
        tallest, keenest = [_LEAST] * len(_RIVALS_S), [_LEAST] * len(_RIVALS_S)
        for at, height, keen in reversed(self._recent):
            apart = c.at_s - at
            if apart > _RIVALS_S[-1]:
                break
            i = next(k for k, far in enumerate(_RIVALS_S) if apart <= far)
            tallest[i], keenest[i] = max(tallest[i], height), max(keenest[i], keen)
        rivals = [_log(t / max(c.height, _LEAST), -4, 2) for t in tallest]
        return rivals + [_log(k / max(c.keen, _LEAST), -4, 2) for k in keenest]

    def _timing(self, c: Heard) -> list[float]:
        """How the interval since the last beat fits the rhythm so far."""
        usual = median(self._intervals) if self._intervals else 0.8
        ratio = (c.at_s - self._last_s) / usual if self._any else 1.0
        steps = [abs(math.log(i / usual)) for i in self._intervals]
        steady = 1 / (1 + (median(steps) / _UNSTEADY) ** 2) if len(steps) > 2 else 0.3
        close = self._any and c.at_s - self._last_s < _BLIND_S
        return [
            min(max(math.log(max(ratio, 0.05)), -2), 1.2),
            max(0.75 - ratio, 0) * steady * 4,
            min(max(ratio - 1.25, 0), 1.5),
            steady,
            min(max(self._last_odds, -1), 6) if close else 0.0,
        ]


def _log(ratio: float, low: float, high: float) -> float:
    return min(max(math.log(max(ratio, 1e-9)), low), high)


def _speed(own: Floats) -> float:
    slope = np.diff(own)
    return math.sqrt(float(slope @ slope) / max(float(own @ own), _LEAST))
