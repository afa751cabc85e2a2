"""Integers as tokens, their raw low bits, and the tables that expect each token.

A token says what a value is, or for a large one its sign and which eighth of an octave it lies in; the bits
below travel as they are. The size of the values just before chooses the table. Section 3 of docs/formats.md.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]

PRECISION: Final = 15
"""Bits of a probability: the frequencies of a table add up to 2 ** PRECISION."""
EXACT: Final = 32
"""Magnitudes below it are tokens of their own; above, each octave has eight."""
_MAGNITUDES: Final = EXACT + 8 * 27
"""For any 32-bit value: 27 octaves from 32 on."""
TOKENS: Final = 2 * _MAGNITUDES - 1
"""With two signs, but for 0."""
TABLES: Final = 44
"""Four for each octave of the magnitudes before."""
STEP: Final = 32
"""What one token seen adds to its count."""
MOST_PACE: Final = 3

_WEIGHT: Final = 1 << 13
_BREADTH: Final = 10


def magnitudes_of_tokens() -> tuple[Whole, Whole]:
    """Return, by half a token's number, the least magnitude it stands for and how many bits follow it."""
    place = np.arange(_MAGNITUDES) - EXACT
    octave = np.maximum(place, 0) >> 3
    lowest = np.where(place < 0, np.arange(_MAGNITUDES), (8 + (place & 7)) << (octave + 2))
    return lowest.astype(np.int64), np.where(place < 0, 0, octave + 2).astype(np.int64)


LOWEST, EXTRA = magnitudes_of_tokens()
SEEN: Final[Whole] = np.repeat(LOWEST + ((1 << EXTRA) >> 1), 2)[1:]
"""By token: the magnitude that later values go by, the middle of what it may be."""


_EDGES: Final = np.array([(4 + (table & 3)) << ((table >> 2) + 1) for table in range(TABLES)])
"""Where tables begin on the scale of 32 times the mean magnitude before, and 8: four for each octave."""
_TABLE: Final[Whole] = np.searchsorted(_EDGES, np.arange(_EDGES[-1] - 7) + 8, "right") - 1
"""By 32 times the mean magnitude; what is larger has the last."""


def split(values: Whole) -> tuple[Whole, Whole, Whole]:
    """Return the token of each value, the bits that follow it, and how many these are."""
    magnitude = np.abs(values)
    half = magnitude.copy()
    large = magnitude >= EXACT
    exponent = (magnitude[large].astype(np.float64).view(np.int64) >> 52) - 1023
    half[large] = EXACT + 8 * (exponent - 5) + ((magnitude[large] >> (exponent - 3)) & 7)
    return 2 * half - (values < 0), magnitude - LOWEST[half], EXTRA[half]


def joined(tokens: Whole, low: Whole) -> Whole:
    """Return the values of tokens with the bits that follow them."""
    magnitude = LOWEST[(tokens + 1) >> 1] + low
    values: Whole = np.where(tokens & 1, -magnitude, magnitude)
    return values


def table_of(sums: Whole, at: int, pace: int) -> Whole:
    """Return which table the value after place `at` of its lane is coded with.

    Args:
        sums: running sums of the magnitudes before, [places, lanes], at least 16 << pace places before `at`.
        at: how many magnitudes are in the last of them.
        pace: how quickly to follow: over 1, 4 and 16 magnitudes at 0, twice as many at 1, and so on.
    """
    short, middle, long = (sums[at - (many << pace)] for many in (1, 4, 16))
    tables: Whole = _TABLE[
        np.minimum((11 * sums[at] - 8 * short - 2 * middle - long) >> pace, len(_TABLE) - 1)
    ]
    return tables


def tables_before(seen: Whole, before: int, pace: int) -> Whole:
    """Return the table of each value; before the magnitudes `seen` [steps, lanes] all were `before`."""
    long = 16 << pace
    sums = np.cumsum(np.concatenate([np.full((long, seen.shape[1]), before, np.int64), seen]), axis=0)
    sums = np.concatenate([np.zeros((1, seen.shape[1]), np.int64), sums])
    steps = len(seen)
    weighted = 11 * sums[long : long + steps]
    for many, weight in ((1 << pace, 8), (4 << pace, 2), (long, 1)):
        weighted -= weight * sums[long - many : long - many + steps]
    tables: Whole = _TABLE[np.minimum(weighted >> pace, len(_TABLE) - 1)]
    return tables


@cache
def _first_weights() -> tuple[tuple[int, ...], ...]:
    rows = []
    for table in range(TABLES):
        spread = max(int(_EDGES[table]) * 9 // 8 - 6, 3)
        scale = _BREADTH * spread * spread
        row = []
        for token in range(TOKENS):
            half = (token + 1) >> 1
            extra = int(EXTRA[half])
            middle = 32 * (2 * int(LOWEST[half]) + (1 << extra) - 1) // 2
            row.append((scale**4 << extra + 24) // (scale + middle * middle) ** 4)
        whole = sum(row)
        rows.append(tuple(_WEIGHT * one // whole for one in row))
    return tuple(rows)


def first_counts(tokens: int) -> Whole:
    """Return the counts [tables, tokens] to begin with: a bell with broad feet, as wide as the table says."""
    return np.array(_first_weights(), np.int64)[:, :tokens] + 1


def frequencies(counts: Whole) -> Whole:
    """Return counts as frequencies that add up to 2 ** PRECISION in each table, none of them 0."""
    free = (1 << PRECISION) - counts.shape[1]
    shares: Whole = counts * free // counts.sum(1, keepdims=True) + 1
    shares[np.arange(len(shares)), counts.argmax(1)] += (1 << PRECISION) - shares.sum(1)
    return shares
