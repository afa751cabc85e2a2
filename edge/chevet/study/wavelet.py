"""The 9/7 wavelet of Cohen, Daubechies and Feauveau by lifting, along the last axis, for any length.

Daubechies and Sweldens, J. Fourier Anal. Appl. 4 (1998), section 7.7, with their scaling, which is nearly
orthogonal: one step size for all bands gives nearly the least error.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]

_LIFTS: Final = (-1.586134342059924, -0.052980118572961, 0.882911075530934, 0.443506852043971)
_SCALE: Final = 1.149604398860241


def analyse(rows: Rows, levels: int) -> list[Rows]:
    """Return the bands of float64 [rows, samples], the coarsest first: 1 + `levels` arrays.

    Samples beyond either end are taken to repeat those at it.
    """
    bands: list[Rows] = []
    for _ in range(levels):
        even, odd = rows[:, 0::2].copy(), rows[:, 1::2].copy()
        for place, factor in enumerate(_LIFTS):
            if place % 2:
                _to_even(even, odd, factor)
            else:
                _to_odd(odd, even, factor)
        bands.append(odd / _SCALE)
        rows = even * _SCALE
    return [rows, *reversed(bands)]


def synthesise(bands: list[Rows], count: int) -> Rows:
    """Return the rows of `count` samples whose bands these are."""
    rows = bands[0]
    sizes = [count]
    while len(sizes) < len(bands) - 1:
        sizes.append((sizes[-1] + 1) // 2)
    for band, size in zip(bands[1:], reversed(sizes), strict=True):
        even, odd = rows / _SCALE, band * _SCALE
        for place, factor in reversed(list(enumerate(_LIFTS))):
            if place % 2:
                _to_even(even, odd, -factor)
            else:
                _to_odd(odd, even, -factor)
        rows = np.empty((len(even), size))
        rows[:, 0::2], rows[:, 1::2] = even, odd
    return rows


def band_sizes(count: int, levels: int) -> list[int]:
    """Return the length of each band of `count` samples, the coarsest first."""
    sizes: list[int] = []
    for _ in range(levels):
        sizes.append(count // 2)
        count -= count // 2
    return [count, *reversed(sizes)]


def _to_odd(odd: Rows, even: Rows, factor: float) -> None:
    after = np.concatenate([even[:, 1:], even[:, -1:]], axis=1)
    size = odd.shape[1]
    odd += factor * (even[:, :size] + after[:, :size])


def _to_even(even: Rows, odd: Rows, factor: float) -> None:
    if not odd.shape[1]:
        return
    size = even.shape[1]
    before = np.concatenate([odd[:, :1], odd], axis=1)[:, :size]
    here = np.concatenate([odd, odd[:, -1:]], axis=1)[:, :size]
    even += factor * (before + here)
