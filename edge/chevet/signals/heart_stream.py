"""The states of the heart cycle while the sound arrives."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chevet.signals.arrays import Floats, Indices, check_rate
from chevet.signals.errors import WrongShapeError
from chevet.signals.heart_sound import states_of
from chevet.signals.heart_states import Rhythm

_WINDOW_S = 8.0  # what a decision looks back on
_STEP_S = 1.0
_LAG_S = 2.5
_SHORTEST_S = 3.0


class HeartSoundStates:
    """`chevet.signals.heart_sound.segment` with a fixed lag, for live use.

    Every second the last 8 s are decoded anew and the states of what is now 1.5 s old are handed out, so
    that each sample's state comes at most 2.5 s after it. Blocks of any size give the same states. Only the
    last 8 s and the block are held.

    Attributes:
        delay_s: the longest time from a sample to its state.
    """

    delay_s = _LAG_S

    def __init__(self, rate_hz: float) -> None:
        """Start with the first sample.

        Args:
            rate_hz: 500 to 48000.

        Raises:
            ValueError: a rate out of range.
        """
        check_rate(rate_hz, 500, 48000, "the sound")
        self._rate_hz = float(rate_hz)
        self._held: Floats = np.zeros(0)
        self._first = 0  # index of the first sample held, from the start
        self._told = 0  # samples whose state was handed out
        self._steps = 0
        self._beats: Indices = np.zeros(0, dtype=np.int64)
        self._with_ecg = False
        self._rhythm: Rhythm | None = None

    @property
    def rate_per_min(self) -> float | None:
        """Heart rate of the last 8 s; None where nothing repeats."""
        return None if self._rhythm is None else 60.0 / self._rhythm.cycle_s

    def feed(self, samples: ArrayLike, qrs: ArrayLike = ()) -> NDArray[np.uint8]:
        """Take the next samples and return the states that are now certain, in order.

        Args:
            samples: shape [n]; NaN where nothing arrived.
            qrs: R peaks that became known since, as samples from the start, of an ECG recorded along.

        Returns:
            uint8 [m], coded as in `segment`; over all calls one for each sample.

        Raises:
            ValueError: not one channel.
        """
        x = np.asarray(samples, dtype=np.float64)
        if x.ndim != 1:
            raise WrongShapeError("the block", x.shape, "hand in one channel, shape [n]")
        beats = np.asarray(qrs, dtype=np.int64)
        if len(beats):
            self._with_ecg = True
            self._beats = np.append(self._beats, beats)
        told: list[NDArray[np.uint8]] = []
        while len(x):
            due = round((self._steps + 1) * _STEP_S * self._rate_hz)
            part, x = np.split(x, [max(due - self._first - len(self._held), 0)])
            self._held = np.concatenate([self._held, part])
            if self._first + len(self._held) >= due:
                self._steps += 1
                told.append(self._decide(due - round((_LAG_S - _STEP_S) * self._rate_hz)))
        return np.concatenate(told) if told else np.zeros(0, dtype=np.uint8)

    def flush(self) -> NDArray[np.uint8]:
        """Return the states of what is left; the stream has ended."""
        return self._decide(self._first + len(self._held))

    def _decide(self, until: int) -> NDArray[np.uint8]:
        if until <= self._told:
            return np.zeros(0, dtype=np.uint8)
        states = self._states()[self._told - self._first : until - self._first]
        self._told = until
        drop = min(len(self._held) - round(_WINDOW_S * self._rate_hz), self._told - self._first)
        if drop > 0:
            self._held = self._held[drop:]
            self._first += drop
            self._beats = self._beats[self._beats >= self._first]
        return states

    def _states(self) -> NDArray[np.uint8]:
        x = self._held
        if len(x) < _SHORTEST_S * self._rate_hz or not np.isfinite(x).any():
            self._rhythm = None
            return np.zeros(len(x), dtype=np.uint8)
        inside = self._beats[self._beats < self._first + len(x)] - self._first
        states, self._rhythm = states_of(x, self._rate_hz, inside if self._with_ecg else None, self._rhythm)
        return states
