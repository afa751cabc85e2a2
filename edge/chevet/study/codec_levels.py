"""Which values occur in a row: all, every so many, or few enough to list."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from chevet.study.codec_tokens import Whole
from chevet.study.errors import BundleError

_FIELDS: Final = 3
_MOST_STEP: Final = 1 << 32
_WORTH: Final = 0.1
"""Bits a sample that a list of values has to save."""


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """The values of a row as whole numbers that lie close together.

    Attributes:
        lowest: value of number 0.
        step: all values lie so far apart or a multiple of it; 0 where there is but one.
        gaps: from each value that occurs to the next, in steps; empty where numbers count steps.
    """

    lowest: int
    step: int
    gaps: Whole

    @classmethod
    def of(cls, row: Whole) -> Self:
        """Return what the values of a row of at least one sample lie on."""
        lowest = int(row.min())
        step = int(np.gcd.reduce(row - lowest))
        if not step:
            return cls(lowest, 0, row[:0])
        used, counts = np.unique((row - lowest) // step, return_counts=True)
        gaps = np.diff(used)
        # What a gap between two values saves whenever one of them occurs, and what its own number costs.
        widths = _octaves(np.append(gaps, gaps[-1]))
        saved = float(widths @ counts) - float((2 * widths + 3).sum())
        return cls(lowest, step, gaps if saved > _WORTH * len(row) else gaps[:0])

    @property
    def numbers(self) -> Whole:
        """All of this as a list."""
        return np.concatenate([np.array([self.lowest, self.step, len(self.gaps)], np.int64), self.gaps])

    @classmethod
    def read(cls, numbers: Whole) -> tuple[Self, Whole]:
        """Return the levels that `numbers` begins with, and the rest of the list.

        Raises:
            BundleError: there are none.
        """
        if len(numbers) < _FIELDS:
            raise BundleError("waveform_levels")
        lowest, step, count = numbers[:_FIELDS].tolist()
        gaps, rest = numbers[_FIELDS : _FIELDS + max(count, 0)], numbers[_FIELDS + max(count, 0) :]
        if not 0 <= step <= _MOST_STEP or len(gaps) != count or gaps.min(initial=1) < 1:
            raise BundleError("waveform_levels")
        return cls(lowest, step, gaps), rest

    def ranks(self, row: Whole) -> Whole:
        """Return values as numbers."""
        steps = (row - self.lowest) // self.step
        return np.searchsorted(self._used(), steps) if len(self.gaps) else steps

    def values(self, ranks: Whole) -> Whole:
        """Return numbers as values.

        Raises:
            BundleError: a number has no value.
        """
        if len(self.gaps):
            if ranks.min() < 0 or ranks.max() > len(self.gaps):
                raise BundleError("waveform_levels")
            ranks = self._used()[ranks]
        return self.lowest + ranks * self.step

    def _used(self) -> Whole:
        return np.append(0, np.cumsum(self.gaps))


def _octaves(values: Whole) -> np.ndarray:
    """Return about the logarithm to base 2, the same on every machine."""
    fraction, exponent = np.frexp(values.astype(np.float64))
    octaves: np.ndarray = exponent - 2 + 2 * fraction
    return octaves
