"""The scale of an EDF+ signal: its header tells physical limits in eight characters each.

Eight characters cannot hold most limits of a 16-bit signal exactly. The digital limits are free to be any
numbers that enclose the samples, so those are chosen whose physical values fit best.
"""

from dataclasses import dataclass
from fractions import Fraction

FIELD = 8
STEPS = (1, 2, 4, 5, 8, 10, 16, 20, 25, 32, 40, 50, 64, 100, 125, 128, 200, 250, 256, 500, 512, 1000, 1024)


@dataclass(frozen=True, slots=True)
class Limits:
    """Digital limits and the physical values that stand for them, as written in a header."""

    low: int
    high: int
    physical_low: str
    physical_high: str

    @property
    def gain(self) -> float:
        """Return the physical size of one step, as a reader works it out."""
        return (float(self.physical_high) - float(self.physical_low)) / (self.high - self.low)

    @property
    def offset(self) -> float:
        """Return the physical value of digital zero, as a reader works it out."""
        return float(self.physical_low) - self.low * self.gain


def limits(gain: float, offset: float, low: int, high: int, bits: int) -> Limits:
    """Return limits that enclose `low` to `high` and lose least of the scale.

    Args:
        gain: physical size of one digital step, not 0.
        offset: physical value of digital zero.
        low: the lowest sample.
        high: the highest sample.
        bits: 16 for EDF+, 24 for BDF+.
    """
    edge = 1 << (bits - 1)
    exact_gain, exact_offset = Fraction(repr(gain)), Fraction(repr(offset))
    found = []
    for step in STEPS:
        below, above = -(edge // step) * step, ((edge - 1) // step) * step
        if below <= low and high <= above:
            found.append(_written(below, above, exact_gain, exact_offset))
    found.append(_written(-edge, edge - 1, exact_gain, exact_offset))
    return min(found, key=lambda one: _worst(one, gain, offset, low, high))


def _written(low: int, high: int, gain: Fraction, offset: Fraction) -> Limits:
    return Limits(low, high, number(low * gain + offset), number(high * gain + offset))


def _worst(one: Limits, gain: float, offset: float, low: int, high: int) -> float:
    """Return the largest error, in physical units, at the ends of what was measured."""
    if one.physical_low == one.physical_high:
        return float("inf")
    return max(abs(at * one.gain + one.offset - (at * gain + offset)) for at in (low, high, 0))


def number(value: Fraction) -> str:
    """Return a number in at most eight characters, as near as they allow."""
    whole = float(value)
    for digits in range(FIELD - 1, -1, -1):
        text = f"{whole:.{digits}f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        if len(text) <= FIELD:
            return "0" if text == "-0" else text
    raise ValueError("the limit does not fit into eight characters")
