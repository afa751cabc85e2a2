"""Prediction over time and across rows in integers: what is expected, and back from what was not.

A row is cut into segments of equal length. Each has coefficients of its own: over the samples just before in
its own row, and over samples about the same time in the rows above it, up to some that are still to come.
Rows are read staggered so that those above are always far enough ahead. Section 3 of docs/formats.md.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from chevet.study.codec_tokens import Whole

Real = NDArray[np.float64]

_EXACT = 1 << 52
"""Below this a float64 holds every integer and every half."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Which samples a prediction is made of.

    Attributes:
        own: how many before it in its own row.
        rows: how many rows above it.
        back: how many in each of these up to its own time, which is the last of them.
        ahead: how many after its own time.
        scale: bits after the point of a coefficient.
    """

    own: int
    rows: int
    back: int
    ahead: int
    scale: int

    @property
    def width(self) -> int:
        """Samples used of each row above."""
        return self.back + self.ahead

    @property
    def taps(self) -> int:
        """Coefficients of one segment: own row, oldest sample first, then the rows upwards, each likewise."""
        return self.own + self.rows * self.width

    @property
    def lag(self) -> int:
        """Steps that a row is behind the one above it."""
        return self.ahead + 1


def beside(segments: Whole, row: int, place: int, reach: Reach, into: Real) -> None:
    """Put what predicts one segment of `segments` [rows, places, samples] into float64 [taps, samples].

    Beyond either end of the segment all samples are 0, and so are rows that do not exist.
    """
    length = segments.shape[2]
    into[:] = 0
    for tap in range(reach.own):
        late = reach.own - tap
        into[tap, late:] = segments[row, place, : max(length - late, 0)]
    for above in range(1, min(reach.rows, row) + 1):
        for tap in range(reach.width):
            late = reach.back - 1 - tap
            samples = segments[row - above, place]
            line = into[reach.own + (above - 1) * reach.width + tap]
            if late >= 0:
                line[late:] = samples[: max(length - late, 0)]
            else:
                line[:late] = samples[-late:]


def expected(columns: Real, coefficients: Whole, scale: int) -> Whole:
    """Return what the coefficients predict from `columns` [taps, samples], exactly."""
    largest = max(columns.max(initial=0), -columns.min(initial=0)) * float(np.abs(coefficients).sum())
    if largest < _EXACT:
        product = coefficients.astype(np.float64) @ columns
        return np.asarray(np.floor((product + (1 << scale) / 2) / (1 << scale)), np.int64)
    whole: Whole = (coefficients @ columns.astype(np.int64) + (1 << scale >> 1)) >> scale
    return whole


def left_over(segments: Whole, coefficients: Whole, reach: Reach) -> Whole:
    """Return what coefficients [rows, places, taps] leave of segments [rows, places, samples]."""
    rest = np.empty_like(segments)
    columns = np.empty((reach.taps, segments.shape[2]))
    for row, place in np.ndindex(*segments.shape[:2]):
        beside(segments, row, place, reach, columns)
        rest[row, place] = segments[row, place] - expected(columns, coefficients[row, place], reach.scale)
    return rest


def restored(rest: Whole, coefficients: Whole, reach: Reach) -> Whole:
    """Return segments [rows, places, samples] from what was left of them and [rows, places, taps].

    Sums that run over 64 bits wrap: only damaged bytes lead there.
    """
    rows, places, length = rest.shape
    front = max(reach.own, reach.rows * reach.lag + reach.back)
    steps = length + (rows - 1) * reach.lag
    line = np.zeros((reach.rows + rows, places, front + steps + reach.ahead), np.int64)
    staggered = np.zeros((steps, rows, places), np.int64)
    for row in range(rows):
        staggered[row * reach.lag : row * reach.lag + length, row] = rest[row].T
    turns = {row * reach.lag + end for row in range(rows) for end in (0, length)}
    own = above = coefficients
    lines = line[reach.rows :]
    others = _above(line, rows, front, reach)
    half, scale = (1 << reach.scale) >> 1, reach.scale
    for step in range(steps):
        if step in turns:
            own, above = _there(coefficients, step, length, reach)
        at = front + step
        total = np.einsum("rpt,rpt->rp", lines[:, :, at - reach.own : at], own)
        if reach.rows:
            total += np.einsum("rpat,rpat->rp", others[step], above)
        lines[:, :, at] = ((total + half) >> scale) + staggered[step]
    ends = [front + row * reach.lag for row in range(rows)]
    return np.stack([lines[row, :, end : end + length] for row, end in enumerate(ends)])


def _there(coefficients: Whole, step: int, length: int, reach: Reach) -> tuple[Whole, Whole]:
    """Return the coefficients over the own row and over those above; 0 before a row begins and after it."""
    rows, places, _ = coefficients.shape
    begun = np.arange(rows) * reach.lag
    now = coefficients * ((begun <= step) & (step < begun + length))[:, None, None]
    across = now[:, :, reach.own :].reshape(rows, places, reach.rows, reach.width)
    return np.ascontiguousarray(now[:, :, : reach.own]), np.ascontiguousarray(across)


def _above(line: Whole, rows: int, front: int, reach: Reach) -> Whole:
    """Return a view [steps, rows, places, rows above, samples] of what lies beside each step."""
    by_row, by_place, by_step = line.strides
    steps = line.shape[2] - front - reach.ahead
    first = line[max(reach.rows - 1, 0) :, :, front - reach.lag - reach.back + 1 :]
    # One row up is one row of `line` earlier and `lag` steps earlier in it.
    return as_strided(
        first,
        (steps, rows, line.shape[1], reach.rows, reach.width),
        (by_step, by_row, by_place, -by_row - reach.lag * by_step, by_step),
        writeable=False,
    )
