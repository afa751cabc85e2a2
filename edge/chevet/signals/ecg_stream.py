"""The streaming form of QRS detection: bounded memory, and the same beats however the samples are cut.

The features and the levels are those of `chevet.signals.ecg_qrs`, with causal filters whose delay is taken
out again. Work is done in fixed steps of 40 ms counted from the first sample, which is what makes the cut
irrelevant.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import signal

from chevet.signals.arrays import Floats, Indices, check_rate
from chevet.signals.ecg_levels import QrsLevels
from chevet.signals.ecg_qrs import HIGH_HZ, INTEGRATION_S, LOW_HZ, REFRACTORY_S, peak_near, placing
from chevet.signals.errors import WrongShapeError

_STEP_S = 0.04
_CONFIRM_S = 0.12
_LEARN_S = 2.0
_KEPT_S = 4.0  # longer than learning, so that its beats can still be placed


class QrsDetector:
    """Detects QRS complexes in a stream of one lead.

    After two seconds of learning, a beat is emitted at most 0.4 s after its R peak (see `delay_s`); the
    beats of the learning time come together at its end. A gap (NaN) gives no beats.

    Attributes:
        delay_s: the longest time from an R peak to its emission, once learnt, with samples fed one by one.
    """

    def __init__(self, rate_hz: float) -> None:
        check_rate(rate_hz, 100, 2000, "the ECG")
        self._rate_hz = float(rate_hz)
        self._step = max(1, int(_STEP_S * rate_hz))
        self._filters = _Filters(rate_hz)
        self._confirm = int(_CONFIRM_S * rate_hz)
        self._refractory = int(REFRACTORY_S * rate_hz)
        self._waiting: list[Floats] = []
        self._waiting_count = 0
        self._first = 0  # index of the first kept sample
        self._feature = np.zeros(0)
        self._held = np.zeros(0)
        self._searched = 0  # candidates before this index are settled
        self._learning: list[tuple[int, float]] = []
        self._levels: QrsLevels | None = None
        self._last = self._last_at = -(10**9)
        self.delay_s = self._filters.delay_s + _CONFIRM_S + 2 * _STEP_S + 1 / rate_hz

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
        rest = np.concatenate([*self._waiting, np.full(self._step, np.nan)])
        self._waiting, self._waiting_count = [], 0
        length = self._first + len(self._feature) + len(rest) - self._step
        found = self._advance(rest)
        tail = np.full(self._confirm + self._filters.delay + self._step, np.nan)
        found += self._advance(tail)
        if self._levels is None:
            found += self._learn()
        return np.array([i for i in found if i < length], dtype=np.int64)

    def _advance(self, x: Floats) -> list[int]:
        feature, held = self._filters.run(x)
        self._feature = np.concatenate([self._feature, feature])
        self._held = np.concatenate([self._held, held])
        found = self._judge(self._candidates())
        surplus = len(self._feature) - int(_KEPT_S * self._rate_hz)
        if surplus > 0:
            self._feature, self._held = self._feature[surplus:], self._held[surplus:]
            self._first += surplus
        return found

    def _candidates(self) -> list[tuple[int, float]]:
        """Local maxima of the feature over 120 ms to both sides that are not settled yet."""
        f, first = self._feature, self._first
        end = first + len(f) - self._confirm
        found: list[tuple[int, float]] = []
        start = max(self._searched - first, 1)
        if end - first <= start:
            return []
        inner = f[start : end - first]
        rising = (inner > f[start - 1 : end - first - 1]) & (inner >= f[start + 1 : end - first + 1])
        for k in np.flatnonzero(rising) + start:
            around = f[max(k - self._confirm, 0) : k + self._confirm + 1]
            if f[k] >= around.max():
                found.append((int(k) + first, float(f[k])))
        self._searched = max(end, self._searched)
        return found

    def _judge(self, candidates: list[tuple[int, float]]) -> list[int]:
        if self._levels is None:
            self._learning += candidates
            if self._searched < _LEARN_S * self._rate_hz:
                return []
            return self._learn()
        return [p for at, height in candidates for p in self._accept(self._levels, at, height)]

    def _learn(self) -> list[int]:
        self._levels = QrsLevels.from_first(np.array([h for _, h in self._learning]))
        return self._judge(self._learning)

    def _accept(self, levels: QrsLevels, at: int, height: float) -> list[int]:
        if at - self._last_at < self._refractory or not levels.accepts(at / self._rate_hz, height):
            return []
        self._last_at = at
        placed = self._first + self._placed(at - self._filters.delay - self._first)
        if placed - self._last < 0.1 * self._rate_hz:
            return []
        self._last = placed
        return [placed]

    def _placed(self, near: int) -> int:
        """Place the R peak: zero-phase over what is kept around it, as batch detection does."""
        start = max(near - int(0.5 * self._rate_hz), 0)
        around = self._held[start : near + int(0.25 * self._rate_hz)]
        flat = placing(around, self._rate_hz)
        return start + int(peak_near(flat, np.array([max(near, 0) - start]), int(0.08 * self._rate_hz))[0])


class _Filters:
    """Causal filters with their state: they make the QRS feature of a stream."""

    def __init__(self, rate_hz: float) -> None:
        self._fast = signal.butter(2, [LOW_HZ, HIGH_HZ], "band", fs=rate_hz, output="sos")
        width = max(3, int(INTEGRATION_S * rate_hz))
        self._mean = np.ones(width) / width
        self._fast_state = np.zeros((len(self._fast), 2))
        self._energy_tail = np.zeros(width - 1)
        self._last_fast = 0.0
        self._held: float | None = None
        self._blind = 0
        self._blind_after = int(0.05 * rate_hz)
        at = np.array([11.5, 12.5])
        delay = _delay(self._fast, at, rate_hz) + width / 2
        self.delay = round(delay)
        self.delay_s = delay / rate_hz

    def run(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the feature and the bridged ECG of the next samples."""
        held = self._bridge(x)
        fast, self._fast_state = signal.sosfilt(self._fast, held, zi=self._fast_state)
        slope = np.diff(fast, prepend=self._last_fast)
        self._last_fast = float(fast[-1])
        energy = np.concatenate([self._energy_tail, slope**2])
        self._energy_tail = energy[len(x) :]
        feature = np.sqrt(np.maximum(np.convolve(energy, self._mean, "valid"), 0))
        feature[self._in_gap(x)] = 0.0
        return feature, held

    def _bridge(self, x: Floats) -> Floats:
        """Hold the last sample over a gap; start from the first sample so that no step is filtered."""
        if self._held is None:
            here = np.flatnonzero(np.isfinite(x))
            if not len(here):
                return np.zeros(len(x))
            self._held = float(x[here[0]])
            self._fast_state = signal.sosfilt_zi(self._fast) * self._held
        last = np.where(np.isfinite(x), np.arange(len(x)), -1)
        last = np.maximum.accumulate(last)
        held = np.where(last >= 0, x[np.maximum(last, 0)], self._held)
        self._held = float(held[-1])
        return held

    def _in_gap(self, x: Floats) -> Indices:
        """Indices of the block where the feature may not be trusted: in a gap and shortly after it."""
        blind = []
        for i, arrived in enumerate(np.isfinite(x)):
            self._blind = self._blind - 1 if arrived else self._blind_after
            if self._blind > 0:
                blind.append(i)
        self._blind = max(self._blind, 0)
        return np.array(blind, dtype=np.int64)


def _delay(sos: Floats, at_hz: Floats, rate_hz: float) -> float:
    _, response = signal.sosfreqz(sos, worN=at_hz, fs=rate_hz)
    turn = -np.diff(np.unwrap(np.angle(response)))[0]
    return float(turn / (2 * np.pi * np.diff(at_hz)[0]) * rate_hz)
