"""The device's clock on the host's: where samples are in time, and which are missing."""

import math
from dataclasses import dataclass

MIN_POINTS = 8
"""Fewer arrivals than this say nothing about a rate."""


class DeviceClock:
    """Maps sample indices to host time by a running least-squares line, and so measures the true rate.

    Arrival times jitter late, never early, so the line lies a mean latency behind the instant of sampling.
    Old points fade with time constant `memory_s`, so that a drifting crystal is followed.
    """

    def __init__(self, rate_hz: float, memory_s: float = 60.0) -> None:
        """Start with the rate the device claims.

        Args:
            rate_hz: nominal rate, above 0.
            memory_s: time constant in seconds with which old arrivals fade.

        Raises:
            ValueError: a rate or memory that is not above 0.
        """
        if not (rate_hz > 0 and memory_s > 0):
            raise ValueError("rate and memory must be above 0")
        self.nominal_hz = rate_hz
        self._memory_s = memory_s
        self._points = 0
        self._weight = 0.0
        self._index = 0.0  # weighted means ...
        self._at = 0.0
        self._spread = 0.0  # ... and weighted sums of squares about them
        self._product = 0.0
        self._reach = 0.0
        self._first_at = 0.0
        self._last_at = 0.0

    def add(self, index: int, at: float) -> None:
        """Note that the sample before `index` arrived at host time `at`; times going back are ignored."""
        if self._points == 0:
            self._first_at = self._last_at = at
        if at < self._last_at:
            return
        fade = math.exp(-(at - self._last_at) / self._memory_s)
        self._last_at = at
        self._points += 1
        # West's weighted update of means and co-moments: exact for indices far from 0.
        old = self._weight * fade
        self._weight = old + 1.0
        ahead, late = index - self._index, at - self._at
        self._index += ahead / self._weight
        self._at += late / self._weight
        self._spread = self._spread * fade + old / self._weight * late * late
        self._product = self._product * fade + old / self._weight * late * ahead
        self._reach = self._reach * fade + old / self._weight * ahead * ahead

    @property
    def span_s(self) -> float:
        """Seconds between the first and the last arrival."""
        return self._last_at - self._first_at

    @property
    def rate_hz(self) -> float:
        """The measured rate; the nominal one while too little is known."""
        if self._points < MIN_POINTS or self._spread <= 0:
            return self.nominal_hz
        rate = self._product / self._spread
        return rate if rate > 0 else self.nominal_hz

    @property
    def error(self) -> float:
        """How far the true rate is from the nominal one: 0.01 means 1 % faster."""
        return self.rate_hz / self.nominal_hz - 1.0

    @property
    def error_doubt(self) -> float:
        """Standard error of `error`, from how far the arrivals lie off the line; 1 while little is known."""
        if self._points < MIN_POINTS or self._spread <= 0 or self._weight <= 2:
            return 1.0
        off = max(0.0, self._reach - self._product * self._product / self._spread)
        return math.sqrt(off / (self._weight - 2) / self._spread) / self.nominal_hz

    def host_time(self, index: float) -> float | None:
        """Return the host time of sample `index`, in seconds; None before the first arrival."""
        if self._points == 0:
            return None
        return self._at + (index - self._index) / self.rate_hz


@dataclass(frozen=True, slots=True)
class Placed:
    """Where samples stand: `first` without wrap, and `lost` samples missing before it.

    `restarted` marks that the device began to count anew, so that `lost` is only an estimate from host time.
    """

    first: int
    lost: int
    restarted: bool = False


class IndexTrack:
    """Turns a device's wrapping counter into an index that only grows, and finds the gaps.

    When the device restarts (its counter jumps back, or ahead further than time allows), the index goes on
    after a gap as long as the host's clock says, at least one sample: both sides are never joined.
    """

    def __init__(self, modulus: int, slack_s: float = 10.0) -> None:
        """Start without any sample.

        Args:
            modulus: the counter goes from 0 to modulus - 1.
            slack_s: a jump ahead is believed if it is at most this much longer than the host's clock says.
        """
        self._modulus = modulus
        self._slack_s = slack_s
        self._started = False
        self._next: int | None = None  # the counter's next value ...
        self._index = 0  # ... and the index that belongs to it
        self._at = 0.0

    def restart(self) -> None:
        """Take note that what comes next is counted anew (the link was opened again)."""
        self._next = None

    def place(self, first: int, count: int, at: float, rate_hz: float) -> Placed:
        """Place `count` samples from counter value `first` on; the last arrived at host time `at`."""
        placed = self._follow(first, count, at, rate_hz) if self._started else Placed(first, 0)
        self._started = True
        self._next = (first + count) % self._modulus
        self._index = placed.first + count
        self._at = at
        return placed

    def _follow(self, first: int, count: int, at: float, rate_hz: float) -> Placed:
        elapsed = (at - self._at) * rate_hz
        if self._next is not None:
            lost = (first - self._next) % self._modulus
            if lost <= 2 * elapsed + self._slack_s * rate_hz:
                return Placed(self._index + lost, lost)
        lost = max(1, round(elapsed) - count)
        return Placed(self._index + lost, lost, restarted=True)
