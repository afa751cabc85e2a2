"""Where in a stream the pulse stands: beep bits, marks in the wave, coloured lights, intervals."""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

APART_S = 0.3
"""Peaks of a recorded pleth nearer to each other than this are one pulse (200 /min)."""


@runtime_checkable
class Pulsing(Protocol):
    """A finger that knows its pulses."""

    def pulses_s(self, from_s: float, to_s: float) -> list[float]:
        """Return when pulses peak, `from_s` <= time < `to_s`, in seconds of the device."""
        ...


class PulseMarks:
    """Tells for each moment whether a pulse has just peaked.

    The finger is asked for a second at a time. One that does not know its pulses has none.

    Args:
        finger: in the sensor.
        length_s: how long a mark lasts.
    """

    def __init__(self, finger: object, length_s: float) -> None:
        self._finger = finger
        self._length_s = length_s
        self._from_s = self._to_s = 0.0
        self._peaks: list[float] = []

    def at(self, at_s: float) -> bool:
        """Return whether a pulse peaked at `at_s` or less than the mark's length before."""
        if not self._from_s <= at_s < self._to_s:
            self._from_s, self._to_s = at_s, at_s + 1.0
            self._peaks = pulses(self._finger, at_s - self._length_s, at_s + 1.0)
        return any(0 <= at_s - peak < self._length_s for peak in self._peaks)


def pulses(finger: object, from_s: float, to_s: float) -> list[float]:
    """Return when pulses of `finger` peak; none where it does not know."""
    return finger.pulses_s(from_s, to_s) if isinstance(finger, Pulsing) else []


def peaks_s(wave: NDArray[np.float64], rate_hz: float) -> list[float]:
    """Return where a pleth that points up peaks, in seconds, ascending.

    Args:
        wave: shape [n], any unit; above its middle nothing but pulses.
        rate_hz: its rate.
    """
    near = max(1, round(APART_S * rate_hz))
    middle = (float(wave.max()) + float(wave.min())) / 2
    found = [
        at
        for at in range(len(wave))
        if wave[at] > middle and at - max(0, at - near) == int(np.argmax(wave[max(0, at - near) : at + near]))
    ]
    return [at / rate_hz for at in found]


def repeated(peaks: list[float], length_s: float, from_s: float, to_s: float) -> list[float]:
    """Return the peaks of a recording that goes round and round, `from_s` <= time < `to_s`.

    Args:
        peaks: of one round, in seconds.
        length_s: of one round.
        from_s: may be below 0.
        to_s: after `from_s`.
    """
    rounds = range(int(np.floor(from_s / length_s)), int(np.floor(to_s / length_s)) + 1)
    found = [turn * length_s + peak for turn in rounds for peak in peaks]
    return [peak for peak in found if from_s <= peak < to_s]


def even(per_min: float, from_s: float, to_s: float) -> list[float]:
    """Return pulses at an even rate, the first half an interval after second 0."""
    every = 60 / per_min
    first, last = (int(np.ceil(end / every - 0.5)) for end in (from_s, to_s))
    return [(number + 0.5) * every for number in range(first, last)]
