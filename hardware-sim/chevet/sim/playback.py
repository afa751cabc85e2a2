"""Real recordings, played round and round without a seam."""

from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

Int16 = NDArray[np.int16]

LIMB_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF")
FADE_S = 0.02
"""Sounds are cross-faded at the seam: 20 ms is shorter than a heart sound and free of clicks."""


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """Samples whose end joins their beginning.

    Attributes:
        values: int16, shape [channels, samples].
        rate_hz: sample rate of the source.
        names: one per channel.
        numbers: what a monitor showed meanwhile, at 1 Hz, by reading kind.
    """

    values: Int16
    rate_hz: float
    names: tuple[str, ...]
    numbers: dict[str, Int16]

    @property
    def length(self) -> int:
        """Samples in one round."""
        return int(self.values.shape[1])

    def take(self, first: int, count: int) -> Int16:
        """Return samples `first` to `first + count` of the endless signal, shape [channels, count]."""
        return self.values[:, np.arange(first, first + count) % self.length]

    def between(self, row: int, first: int, count: int, rate_hz: float) -> NDArray[np.float64]:
        """Return samples `first` on at another rate, along straight lines; exact at the loop's own rate."""
        if rate_hz == self.rate_hz:
            exact: NDArray[np.float64] = self.take(first, count)[row].astype(np.float64)
            return exact
        at = np.arange(first, first + count) * (self.rate_hz / rate_hz) % self.length
        closed = np.append(self.values[row], self.values[row, 0]).astype(np.float64)
        return np.asarray(np.interp(at, np.arange(self.length + 1), closed), np.float64)

    def number(self, kind: str, at_s: float) -> int:
        """Return the monitor's number `at_s` seconds into the endless signal."""
        second = int(at_s % (self.length / self.rate_hz))
        return int(self.numbers[kind][second])


def load(name: str) -> Loop:
    """Load a shipped recording, such as "ecg-ludb-152", and close its seam.

    Raises:
        FileNotFoundError: no such recording is shipped.
    """
    path = resources.files("chevet.sim") / "recordings" / f"{name}.npz"
    with path.open("rb") as file, np.load(file) as cut:
        parts: dict[str, NDArray[Any]] = {key: cut[key] for key in cut.files}
    names = tuple(str(channel) for channel in parts["names"])
    first, stop = (int(edge) for edge in parts["loop"])
    rate_hz = float(parts["rate_hz"])
    if names == ("sound",):
        values = _cross_fade(parts["values"], first, stop, int(FADE_S * rate_hz))
    else:
        values = _level_ends(parts["values"], first, stop)
    if names[: len(LIMB_LEADS)] == LIMB_LEADS:
        values = _with_derived_leads(values)
    numbers: dict[str, Int16] = {
        kind: parts[kind].astype(np.int16) for kind in ("spo2", "pulse") if kind in parts
    }
    return Loop(values, rate_hz, names, numbers)


def _cross_fade(values: Int16, first: int, stop: int, fade: int) -> Int16:
    """Blend the loop's last samples into those before its beginning (at least `fade` must lie there)."""
    loop = values[:, first:stop].astype(np.float64)
    weight = np.linspace(0.0, 1.0, fade)
    loop[:, -fade:] = loop[:, -fade:] * (1 - weight) + values[:, first - fade : first] * weight
    return np.rint(loop).astype(np.int16)


def _level_ends(values: Int16, first: int, stop: int) -> Int16:
    """Tilt the loop by a straight line so that its ends meet; slow drift only, no wave is bent."""
    loop = values[:, first:stop].astype(np.float64)
    step = (values[:, stop].astype(np.float64) - values[:, first])[:, np.newaxis]
    tilt = np.linspace(0.5, -0.5, loop.shape[1])
    return np.rint(loop + step * tilt).astype(np.int16)


def _with_derived_leads(values: Int16) -> Int16:
    """Compute III, aVR, aVL and aVF from I and II as an eight-channel front end does, halves towards zero."""
    leads = values.astype(np.int32)
    one, two = leads[0], leads[1]
    leads[2] = two - one
    leads[3] = _half(-(one + two))
    leads[4] = _half(2 * one - two)
    leads[5] = _half(2 * two - one)
    return leads.astype(np.int16)


def _half(doubled: NDArray[np.int32]) -> NDArray[np.int32]:
    halves: NDArray[np.int32] = np.sign(doubled) * (np.abs(doubled) // 2)
    return halves
