"""Small integers of wavelet bands as bits: each expected by what stands around it.

A coefficient is likely large where its neighbours in time, in the lead before and in the band below are.
"""

from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from chevet.study.bits import BitReader, BitWriter, Model, new_models
from chevet.study.errors import BundleError

Band = NDArray[np.int64]

_EDGES: Final = (1, 2, 3, 5, 8, 12, 20, 40, 80)
"""Where the sum over the neighbourhood changes the model."""
_CONTEXTS: Final = len(_EDGES) + 1
_KINDS: Final = 3  # the coarsest band, the next, all finer ones
_UNARY: Final = 14  # magnitudes up to here bit by bit, larger ones as Exp-Golomb numbers
_STEPS: Final = 8  # models of the bit by bit part
_LONGEST: Final = 20  # bits of an Exp-Golomb number
_CONTEXT_OF: Final = [sum(total >= edge for edge in _EDGES) for total in range(_EDGES[-1] + 1)]


class _Models:
    def __init__(self) -> None:
        self.zero = new_models(_KINDS * _CONTEXTS)
        self.more = new_models(_STEPS * _CONTEXTS)

    def of(self, kind: int, context: int) -> tuple[Model, list[Model]]:
        """Return the model of "not zero" and those of "and larger"."""
        return self.zero[kind * _CONTEXTS + context], self.more[context * _STEPS : (context + 1) * _STEPS]


def write_bands(bands: list[Band], at_most: int) -> bytes | None:
    """Return bands, the coarsest first, each int64 [rows, n]; None where `at_most` bytes do not hold them."""
    out, models = BitWriter(), _Models()
    below: Band | None = None
    for place, band in enumerate(bands):
        size = np.abs(band)
        contexts = _contexts(size, below)
        kind = min(place, _KINDS - 1)
        for values, row in zip(band.tolist(), contexts.tolist(), strict=True):
            for value, context in zip(values, row, strict=True):
                _write(out, value, *models.of(kind, context))
            if len(out.out) > at_most:
                return None
        below = size if place else None
    data = out.end()
    return data if len(data) <= at_most else None


def read_bands(data: bytes, rows: int, sizes: list[int]) -> list[Band]:
    """Return what `write_bands` wrote: one array [rows, n] for each n of `sizes`.

    Raises:
        BundleError: the bytes end too early, or hold a number that no writer writes.
    """
    source, models = BitReader(data), _Models()
    bands: list[Band] = []
    below: list[list[int]] | None = None
    for place, count in enumerate(sizes):
        kind = min(place, _KINDS - 1)
        band: list[list[int]] = []
        size: list[list[int]] = []
        for row in range(rows):
            around = _around(size, below[row] if below else None, row, count)
            values = _read_row(source, models, kind, around)
            band.append(values)
            size.append([abs(value) for value in values])
        bands.append(np.array(band, np.int64).reshape(rows, count))
        below = size if place else None
    return bands


def _write(out: BitWriter, value: int, zero: Model, more: list[Model]) -> None:
    if value == 0:
        out.put(0, zero)
        return
    out.put(1, zero)
    out.put_even(value < 0, 1)
    left = abs(value) - 1
    for step in range(_UNARY - 1):
        if step >= left:
            out.put(0, more[min(step, _STEPS - 1)])
            return
        out.put(1, more[min(step, _STEPS - 1)])
    number = left - _UNARY + 2
    bits = number.bit_length()
    out.put_even(0, bits - 1)
    out.put_even(number, bits)


def _read_row(source: BitReader, models: _Models, kind: int, around: list[int]) -> list[int]:
    values: list[int] = []
    last = before = 0
    for rest in around:
        total = 4 * last + 2 * before + rest
        zero, more = models.of(kind, _CONTEXT_OF[min(total, _EDGES[-1])])
        value = _read(source, more) if source.take(zero) else 0
        values.append(value)
        last, before = abs(value), last
    return values


def _read(source: BitReader, more: list[Model]) -> int:
    minus = source.take_even(1)
    size = 1
    for step in range(_UNARY - 1):
        if not source.take(more[min(step, _STEPS - 1)]):
            return -size if minus else size
        size += 1
    bits = 1
    while not source.take_even(1):
        bits += 1
        if bits > _LONGEST:
            raise BundleError("preview_damaged")
    size += (1 << (bits - 1) | source.take_even(bits - 1)) - 1
    return -size if minus else size


def _contexts(size: Band, below: Band | None) -> Band:
    """Return the context of every coefficient, from magnitudes [rows, n] and those of the band below."""
    rows, count = size.shape
    wide = np.zeros((rows + 2, count + 3), np.int64)  # two rows above, two columns before, one after
    wide[2:, 2:-1] = size
    total = 4 * wide[2:, 1:-2] + 2 * wide[2:, :-3]
    total += 2 * wide[1:-1, 2:-1] + wide[1:-1, 3:] + wide[1:-1, 1:-2] + wide[:-2, 2:-1]
    if below is not None and below.size:
        total += 2 * below[:, np.minimum(np.arange(count) // 2, below.shape[1] - 1)]
    return cast("Band", np.searchsorted(_EDGES, total, side="right"))


def _around(size: list[list[int]], below: list[int] | None, row: int, count: int) -> list[int]:
    """Return, for a row to be read, what its neighbourhood sums to but for the row itself."""
    total = [0] * count
    if row > 0:
        above = [0, *size[row - 1], 0]
        total = [2 * above[i + 1] + above[i + 2] + above[i] for i in range(count)]
    if row > 1:
        total = [one + two for one, two in zip(total, size[row - 2], strict=True)]
    if below:
        last = len(below) - 1
        total = [one + 2 * below[min(i // 2, last)] for i, one in enumerate(total)]
    return total
