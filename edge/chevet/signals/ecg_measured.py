"""One draft number with what it rests on."""

from dataclasses import dataclass

import numpy as np

from chevet.signals.arrays import Floats

FEWEST = 3  # beats; fewer make a number a guess


@dataclass(frozen=True, slots=True)
class Measured:
    """One draft number.

    Attributes:
        kind: such as "heart_rate", "qtc_fridericia".
        value: in `unit`; None rather than a guess.
        unit: UCUM code.
        method: how it was found.
        beats: how many beats it rests on.
        quality: 0..1, agreement of the beats it rests on.
    """

    kind: str
    value: float | None
    unit: str
    method: str
    beats: int = 0
    quality: float = 0.0


def spread_of(values: Floats) -> float:
    """Return half the range of the middle half: unlike the median deviation it sees two groups."""
    low, high = np.quantile(values, (0.25, 0.75))
    return float(high - low) / 2
