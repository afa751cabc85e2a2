"""Finding the coefficients: weighted least squares, the same to the last bit on every machine.

What lies in a wave's steep parts must not spoil the prediction of the quiet between, where most samples are;
so each error counts relative to the errors around it. Sums are of integers that a float64 holds exactly,
and the equations are solved by element-wise operations, which IEEE 754 defines to the last bit.
"""

from typing import Final

import numpy as np

from chevet.study.codec_predict import Reach, Real, beside, expected
from chevet.study.codec_tokens import Whole

_AROUND: Final = 9
"""Errors that make the weight of the one in their middle."""
_LARGEST: Final = 31
"""The largest root of a weight."""
_BITS: Final = 15
"""Of a sample where sums are made: 2 * (15 + 5) and 12 for the count stay below the 53 of a float64."""
_BATCH: Final = 1 << 12
_RIDGE: Final = 1e-9
LIMIT: Final = 1 << 18
"""Coefficients stay below it."""


def coefficients(segments: Whole, reach: Reach) -> Whole:
    """Return the coefficients [rows, places, taps] that leave least of `segments` [rows, places, samples]."""
    rows, places, length = segments.shape
    found = np.zeros((rows, places, reach.taps), np.int64)
    # One pair of arrays for all: fetching fresh memory costs more than the sums.
    both, weighted = np.empty((2, reach.taps + 1, length))
    for turn in range(2):
        sums = np.empty((rows, places, reach.taps, reach.taps + 1))
        for row, place in np.ndindex(rows, places):
            beside(segments, row, place, reach, both[:-1])
            # The first differences weigh the first round, what that leaves the second.
            rest = np.diff(segments[row, place], prepend=0)
            if turn:
                rest = segments[row, place] - expected(both[:-1], found[row, place], reach.scale)
            both[-1] = segments[row, place]
            sums[row, place] = _sums(both, _roots(rest), weighted)
        solved = _solved(sums.reshape(-1, reach.taps, reach.taps + 1))
        solved = np.clip(np.rint(solved * (1 << reach.scale)), -LIMIT, LIMIT)
        found = solved.astype(np.int64).reshape(found.shape)
    return found


def _sums(both: Real, roots: Real, weighted: Real) -> Real:
    """Return the weighted normal equations [taps, taps + 1] of columns and target, the right side last."""
    wide = int(max(both.max(), -both.min())).bit_length() - _BITS
    if wide > 0:
        np.multiply(both, 0.5**wide, out=weighted)
        np.floor(weighted, out=weighted)
        weighted *= roots
    else:
        np.multiply(both, roots, out=weighted)
    total = np.zeros((len(both) - 1, len(both)))
    for first in range(0, both.shape[1], _BATCH):
        batch = weighted[:, first : first + _BATCH]
        total += batch[:-1] @ batch.T
    return total


def _roots(rest: Whole) -> Real:
    """Return the roots of the weights, integers from 1 to 31: what is quiet weighs most."""
    padded = np.pad(np.abs(rest), (_AROUND // 2 + 1, _AROUND // 2))
    total = np.cumsum(padded)
    around = total[_AROUND:] - total[:-_AROUND] + _AROUND // 2
    quiet = int(np.partition(around, len(around) // 8)[len(around) // 8])
    roots: Real = np.clip(_LARGEST * quiet // around, 1, _LARGEST).astype(np.float64)
    return roots


def _solved(sums: Real) -> Real:
    """Return the solutions of many systems [systems, n, n + 1], which are spoiled, by plain elimination."""
    size = sums.shape[1]
    left = np.arange(size)
    diagonal = sums[:, left, left]
    sums[:, left, left] += _RIDGE * diagonal + _RIDGE * diagonal.max(1, initial=0.0, keepdims=True) + 1.0
    for row in range(size):
        # No pivot is below what was added to it but by rounding.
        sums[:, row, row] = np.maximum(sums[:, row, row], 1.0)
        factor = sums[:, row + 1 :, row] / sums[:, row, row, None]
        sums[:, row + 1 :, row:] -= factor[:, :, None] * sums[:, row, None, row:]
    found: Real = sums[:, :, -1]
    for row in range(size - 1, -1, -1):
        found[:, row] /= sums[:, row, row]
        found[:, :row] -= sums[:, :row, row] * found[:, row, None]
    return found
