"""The streaming form of QRS detection: bounded memory, and the same beats however the samples are cut.

The features are those of the batch in causal form: symmetric kernels (second derivatives of a Gaussian,
largest at 14 and 28 Hz, blind to level and drift) whose delay is known and taken out again. Work is done in
fixed steps of 20 ms counted from the first sample, which is what makes the cut irrelevant. Candidates are
judged by `ecg_live` when the feature is known for 170 ms after them.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from chevet.signals.arrays import Floats, Indices, Mask, check_rate, widened
from chevet.signals.ecg_live import Heard, LiveJudge
from chevet.signals.ecg_qrs import CANDIDATE_S, INTEGRATION_S, PLACING_REACH_S, peak_near, placing
from chevet.signals.ecg_weights_live import LIVE
from chevet.signals.errors import WrongShapeError

_STEP_S = 0.02
_LOOK_S = 0.17
_LEARN_S = 2.0
_KEPT_S = 4.0  # longer than learning, so that its beats can still be placed
_KERNEL_S = 0.06
_PEAKS_HZ = (14.0, 28.0)
_KEEN_S = 0.06
_FLOOR_S, _FLOOR_SHARE = 1.6, 0.4
_HALF_S, _LAG_S = 0.08, 0.03
_SHAPE_RATE_HZ = 175.0
_REFRACTORY_S = 0.19
_BLIND_S = 0.05
_LEAST = 1e-12


class QrsDetector:
    """Detects QRS complexes in a stream of one lead.

    After two seconds of learning, a beat is emitted at most 0.4 s after its R peak (see `delay_s`); the
    beats of the learning time come together at its end. A gap (NaN) gives no beats.

    Attributes:
        delay_s: the longest time from an R peak to its emission, once learnt, with samples fed one by one.
    """

    def __init__(self, rate_hz: float) -> None:
        check_rate(rate_hz, 100, 2000, "the ECG")
        self._features = LiveFeatures(float(rate_hz))
        self._step = max(1, int(_STEP_S * rate_hz))
        self._near = int(PLACING_REACH_S * rate_hz)
        self._waiting: list[Floats] = []
        self._waiting_count = 0
        self._held = np.zeros(0)  # the last seconds, gaps bridged
        self._gap = np.zeros(0, dtype=bool)
        self._first = 0  # index of the first kept sample
        self._level: float | None = None
        self._searched = 0  # candidates before this index are settled
        self._learning: list[tuple[int, Heard]] = []
        self._judge: LiveJudge | None = None
        self._last = -(10**9)
        rate = float(rate_hz)
        self._rate_hz = rate
        self._ahead = self._features.reach + int(_LOOK_S * rate)
        self.delay_s = (self._ahead + self._step + 1) / rate + 0.08

    def feed(self, samples: ArrayLike) -> Indices:
        """Take the next samples, shape [n] in mV (NaN where nothing arrived).

        Returns:
            R peaks that are now certain, counted from the first sample ever fed; ascending, each once.
        """
        x = np.asarray(samples, dtype=np.float64)
        if x.ndim != 1:
            raise WrongShapeError("the block", x.shape, "hand in one lead, shape [n]")
        self._waiting.append(x)
        self._waiting_count += len(x)
        if self._waiting_count < self._step:
            return np.zeros(0, dtype=np.int64)
        waiting = np.concatenate(self._waiting)
        whole = len(waiting) // self._step * self._step
        found: list[int] = []
        for start in range(0, whole, self._step):
            found += self._advance(waiting[start : start + self._step])
        self._waiting = [waiting[whole:]]
        self._waiting_count = len(waiting) - whole
        return np.array(found, dtype=np.int64)

    def flush(self) -> Indices:
        """Return the beats still undecided at the end of the stream; feed nothing after it."""
        rest = np.concatenate(self._waiting) if self._waiting else np.zeros(0)
        self._waiting, self._waiting_count = [], 0
        length = self._first + len(self._held) + len(rest)
        found = self._advance(rest) if len(rest) else []
        found += self._advance(np.full(self._ahead + self._step, np.nan))
        if self._judge is None:
            found += self._learn()
        return np.array([i for i in found if i < length], dtype=np.int64)

    def _advance(self, x: Floats) -> list[int]:
        self._held = np.concatenate([self._held, self._bridged(x)])
        self._gap = np.concatenate([self._gap, ~np.isfinite(x)])
        surplus = len(self._held) - int(_KEPT_S * self._rate_hz)
        if surplus > 0:
            self._held, self._gap = self._held[surplus:], self._gap[surplus:]
            self._first += surplus
        end = self._first + len(self._held) - self._ahead
        if end <= self._searched:
            return []
        start, self._searched = self._searched, end
        found = self._features.heard(self._held, self._gap, self._first, start, end)
        if self._judge is None:
            self._learning += found
            return self._learn() if end >= _LEARN_S * self._rate_hz else []
        return [beat for at, heard in found for beat in self._decide(self._judge, at, heard)]

    def _bridged(self, x: Floats) -> Floats:
        """Hold the last sample over a gap."""
        if self._level is None:
            here = x[np.isfinite(x)]
            if not len(here):
                return np.zeros(len(x))
            self._level = float(here[0])
            if len(self._held):
                self._held[:] = self._level  # nothing has arrived so far
        last = np.maximum.accumulate(np.where(np.isfinite(x), np.arange(len(x)), -1))
        held = np.where(last >= 0, x[np.maximum(last, 0)], self._level)
        self._level = float(held[-1])
        return held

    def _learn(self) -> list[int]:
        if not self._learning:
            return []
        self._judge = LiveJudge([heard for _, heard in self._learning])
        found = [beat for at, heard in self._learning for beat in self._decide(self._judge, at, heard)]
        self._learning = []
        return found

    def _decide(self, judge: LiveJudge, at: int, heard: Heard) -> list[int]:
        odds = float(LIVE.odds(judge.inputs(heard)[None])[0])
        is_beat = odds > 0 and judge.since_s(heard.at_s) >= _REFRACTORY_S
        judge.take(heard, odds, is_beat)
        if not is_beat:
            return []
        placed = self._first + self._placed(at - self._first)
        if placed - self._last < 0.1 * self._rate_hz or self._gap[placed - self._first]:
            return []
        self._last = placed
        return [placed]

    def _placed(self, near: int) -> int:
        """Place the R peak: zero-phase over what is kept around it, as batch detection does."""
        near = min(max(near, 0), len(self._held) - 1)
        start = max(near - int(0.5 * self._rate_hz), 0)
        around = self._held[start : near + self._ahead]
        flat = placing(around, self._rate_hz)
        return start + int(peak_near(flat, np.array([near - start]), self._near)[0])


class LiveFeatures:
    """The features of a stream, and the candidates in them; holds only constants of the rate.

    Attributes:
        reach: samples needed on each side of a sample to know its features.
    """

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._kernels = [_hat(f, rate_hz) for f in _PEAKS_HZ]
        self._half = len(self._kernels[0]) // 2
        self._mean = int(INTEGRATION_S / 2 * rate_hz)
        self._keen = int(_KEEN_S / 2 * rate_hz)
        self.reach = self._half + self._mean + 1
        self._apart = int(CANDIDATE_S * rate_hz)
        self._apart_keen = int(_HALF_S * rate_hz)
        self._before = int(_FLOOR_S * rate_hz) + self.reach
        self._thin = max(1, int(rate_hz / _SHAPE_RATE_HZ))

    def heard(self, held: Floats, gap: Mask, first: int, start: int, end: int) -> list[tuple[int, Heard]]:
        """Return the candidates with indices from `start` to `end` (exclusive).

        Args:
            held: the last samples, gaps bridged [n]; known for at least `reach` + 170 ms after `end`.
            gap: which of them never arrived [n].
            first: index of `held[0]`.
            start: first index asked for.
            end: index after the last.
        """
        look = int(_LOOK_S * self._rate_hz)
        low = max(start - first - self._apart - 1 - self.reach, 0)
        high = min(end - first + look + self.reach, len(held))
        _, feature = self._band(held[low:high], 0, self._mean, gap[low:high])
        inside = _peaks(feature, start - first - low, end - first - low, self._apart)
        return [(i + low + first, self._look(held, gap, i + low, first, feature[i:])) for i in inside]

    def _band(self, part: Floats, which: int, mean: int, gap: Mask) -> tuple[Floats, Floats]:
        """One band of a stretch and its feature; the feature is 0 in and near gaps."""
        kernel = self._kernels[which]
        padded = _held_out(part, self._half, self._half)
        band = np.convolve(padded, kernel, "valid")
        power = np.gradient(band) ** 2 if which == 0 else band**2
        total = np.cumsum(_held_out(power, mean + 1, mean))
        feature = np.sqrt(np.maximum(total[2 * mean + 1 :] - total[: -2 * mean - 1], 0) / (2 * mean + 1))
        feature[widened(gap, int(_BLIND_S * self._rate_hz))] = 0.0
        return band, feature

    def _look(self, held: Floats, gap: Mask, at: int, first: int, ahead: Floats) -> Heard:
        look = int(_LOOK_S * self._rate_hz)
        low, high = max(at - self._before, 0), min(at + look + self.reach, len(held))
        band, feature = self._band(held[low:high], 0, self._mean, gap[low:high])
        _, keen = self._band(held[low:high], 1, self._keen, gap[low:high])
        here = at - low
        reach = int(0.05 * self._rate_hz)
        around = np.abs(band[max(here - reach, 0) : here + reach + 1])
        centre = max(here - reach, 0) + int(np.argmax(around))
        lag = int(_LAG_S * _SHAPE_RATE_HZ)
        half = int(_HALF_S * _SHAPE_RATE_HZ) + lag
        grid = np.clip(centre + np.arange(-half, half + 1) * self._thin, 0, len(band) - 1)
        near = int(0.03 * self._rate_hz)
        later = keen[centre + self._apart_keen : here + look + 1]
        known = slice(self.reach if low else 0, here + look)
        return Heard(
            at_s=(at + first) / self._rate_hz,
            height=float(feature[here]),
            keen=float(keen[max(centre - near, 0) : centre + near + 1].max()),
            floor=_low(feature[known][:: 4 * self._thin]),
            keen_floor=_low(keen[known][:: 4 * self._thin]),
            after=_second_rise(ahead[: look + 1]),
            keen_after=float(later.max()) if len(later) else _LEAST,
            wide=band[grid],
            lag=lag,
        )


def _held_out(x: Floats, before: int, after: int) -> Floats:
    """Return `x` [n] with its first and last sample repeated; on short pieces faster than `np.pad`."""
    return np.concatenate([np.full(before, x[0]), x, np.full(after, x[-1])])


def _hat(peak_hz: float, rate_hz: float) -> Floats:
    """Second derivative of a Gaussian that passes `peak_hz` best; no gain at level and drift."""
    half = int(_KERNEL_S * rate_hz)
    turns = np.arange(-half, half + 1) / rate_hz * math.pi * peak_hz
    kernel = (1 - 2 * turns**2) * np.exp(-(turns**2))
    kernel -= kernel.mean()
    shaped: Floats = kernel / np.abs(kernel).sum()
    return shaped


def _peaks(feature: Floats, start: int, end: int, apart: int) -> list[int]:
    """Indices from `start` to `end` (exclusive) where the feature is largest within `apart` to both sides."""
    start = max(start, 1)
    inner = feature[start:end]
    if not len(inner):
        return []
    rising = (inner > feature[start - 1 : end - 1]) & (inner >= feature[start + 1 : end + 1][: len(inner)])
    return [
        int(k)
        for k in np.flatnonzero(rising) + start
        if feature[k] >= feature[max(k - apart, 0) : k + apart + 1].max()
    ]


def _low(values: Floats) -> float:
    return max(float(np.quantile(values, _FLOOR_SHARE)), _LEAST) if len(values) else _LEAST


def _second_rise(ahead: Floats) -> float:
    """The tallest point after the feature has fallen from its peak."""
    rise = ahead - np.minimum.accumulate(ahead)
    k = int(np.argmax(rise))
    return float(ahead[k]) if rise[k] > 0 else _LEAST
