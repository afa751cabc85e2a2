"""A picture in means of blocks, gathered in strips of rows.

Fresh memory as large as a picture costs more time than the sums do; a strip stays in the processor's cache.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chevet.signals.errors import WrongShapeError

Image = NDArray[np.uint8]
Small = NDArray[np.float32]
_Sums = NDArray[np.uint16] | NDArray[np.uint32]

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_SMALLEST = 48
_BLOCKS = 95  # blocks along the shorter side, in whose means is measured what need not be fine
_STRIP_ROWS = 40  # rows of a strip, about
_UINT16_SIZE = 16  # the largest block of bytes whose sum 16 bits hold
_WHITE, _TOP = 215, 254  # all colours above the one: a reflection; any at the other: burnt out


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Means of square blocks of a picture; what is left of a block at the right and below is not looked at.

    Attributes:
        size: pixels along a block's side.
        colours: mean red, green and blue, 0..255, shape [3, h, w].
        grey: mean luma [h, w].
        glaring: share of white pixels [h, w].
        burning: share of pixels with a colour at the top of the range [h, w].
    """

    size: int
    colours: Small
    grey: Small
    glaring: Small
    burning: Small


def checked_image(image: Image) -> Image:
    """Return `image` if it is RGB uint8 of at least 48x48, else raise WrongShapeError."""
    a = np.asarray(image)
    if a.ndim != 3 or a.shape[2] != 3 or a.dtype != np.uint8:
        raise WrongShapeError("the picture", a.shape, "hand in RGB as uint8, shape [h, w, 3]")
    if min(a.shape[:2]) < _SMALLEST:
        raise WrongShapeError("the picture", a.shape, f"use at least {_SMALLEST}x{_SMALLEST} pixels")
    return a


def blocks_of(image: Image) -> Blocks:
    """Return the blocks of a checked picture, about 95 along its shorter side."""
    size = max(2, round(min(image.shape[:2]) / _BLOCKS))
    h, w = (n // size for n in image.shape[:2])
    sums = np.empty((h, w, 3), dtype=np.float32)
    marks = np.empty((2, h, w), dtype=np.float32)
    step = max(1, _STRIP_ROWS // size)
    for first in range(0, h, step):
        rows = slice(first, min(first + step, h))
        part = image[rows.start * size : rows.stop * size, : w * size]
        strip = np.ascontiguousarray(part).reshape(len(part), -1)
        sums[rows] = _sums(strip, size)
        marks[0, rows], marks[1, rows] = _marked(strip, size)
    sums /= size**2
    marks /= size**2
    colours = np.ascontiguousarray(np.moveaxis(sums, 2, 0))
    return Blocks(size, colours, luma(colours), marks[0], marks[1])


def luma(planes: NDArray[np.uint8] | NDArray[np.int16] | Small) -> Small:
    """Return the luma of red, green and blue, shape [3, ..]."""
    grey: Small = planes[0] * np.float32(LUMA[0])
    part = planes[1] * np.float32(LUMA[1])
    grey += part
    grey += np.multiply(planes[2], np.float32(LUMA[2]), out=part)
    return grey


def block_mean(plane: Small, size: int) -> Small:
    """Return the means of the blocks of `plane` [h, w], shape [h // size, w // size]."""
    h, w = (n // size for n in plane.shape)
    rows = plane[: h * size, : w * size].reshape(h, size, w * size).sum(1)  # whole rows first: much faster
    mean: Small = rows.reshape(h, w, size).sum(2) / np.float32(size**2)
    return mean


def _sums(values: NDArray[np.uint8], size: int) -> _Sums:
    """Return the sums of the blocks of `values` [r, 3 w], shape [r // size, w // size, 3]."""
    rows = values.reshape(len(values) // size, size, -1)
    start = rows[:, 0]
    down: _Sums = start.astype(np.uint16) if size <= _UINT16_SIZE else start.astype(np.uint32)
    for k in range(1, size):
        down += rows[:, k]
    total = down.copy()
    for k in range(1, size):  # at every third byte, for few of them are needed but whole rows are quick
        total[:, : -3 * k] += down[:, 3 * k :]
    return total.reshape(len(rows), -1, 3 * size)[:, :, :3]


def _marked(strip: NDArray[np.uint8], size: int) -> tuple[_Sums | int, ...]:
    """Return how many pixels of each block are white, and how many burnt out, each [r, w] or 0 for none."""
    # Every byte with the two after it: at every third stand the three colours of one pixel.
    flat = strip.reshape(-1)
    low, high = np.zeros_like(flat), np.zeros_like(flat)
    np.minimum(flat[:-2], flat[1:-1], out=low[:-2])
    np.minimum(low[:-2], flat[2:], out=low[:-2])
    np.maximum(flat[:-2], flat[1:-1], out=high[:-2])
    np.maximum(high[:-2], flat[2:], out=high[:-2])
    return tuple(
        _sums(mark.view(np.uint8).reshape(strip.shape), size)[:, :, 0] if mark.any() else 0
        for mark in (low > _WHITE, high >= _TOP)
    )
