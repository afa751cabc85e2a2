"""From a sound card's rate to 4000 Hz, exactly: a linear-phase low-pass whose every sample is reproducible.

The filter is a sinc cut off at 2000 Hz under a Kaiser window (Kaiser 1974; Oppenheim and Schafer,
Discrete-Time Signal Processing, 7.5) that reaches 6.8 ms to both sides:

* passband 0 to 1800 Hz, flat to within 0.001 dB, no high-pass at all (a constant stays that constant);
* stopband from 2200 Hz, at least 86 dB down, so that nothing folds back below 1800 Hz;
* linear phase: each output sample lies at the middle of what it is made of; the delay of 6.8 ms is a wait
  for the card's later samples, not a shift in time.

Coefficients are whole numbers, so are samples, and all sums stay below 2**53: they are exact in float64 in
any order, and the same sound gives the same samples however it was cut and whatever machine added it up.
"""

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

OUT_HZ = 4000
PASS_HZ, STOP_HZ = 1800.0, 2200.0
ATTENUATION_DB = 86.0
"""Asked of the window: a little more than is promised."""
SHIFT = 26
"""Coefficients are units of 2**-26: with samples of 24 bits sums stay below 2**51."""
CELLS_AT_MOST = 8
"""A block is made of equal cells where the ratio allows: a smaller matrix with fewer zeros fits the cache."""
BLOCK_S = 0.02
"""Samples come out in blocks on a grid of about 20 ms."""
LOWEST_HZ, HIGHEST_HZ = 8000, 192_000


class Decimator:
    """Turns samples at a card's rate into samples at 4000 Hz.

    The output has a grid of blocks: block b holds output samples b * block_out on, and is given when all
    card samples that it is made of are there. What a gap touches is never given.

    Attributes:
        block_in: card samples a block.
        block_out: output samples a block.
        reach: card samples that are needed to both sides of a block.
    """

    def __init__(self, rate_hz: int, bits: int) -> None:
        """Design the filter.

        Args:
            rate_hz: of the card, 8000 to 192000; the ratio to 4000 need not be whole.
            bits: of the card's samples, at most 24; more than they can hold is cut off.

        Raises:
            ValueError: the rate is too low, too high or too odd.
        """
        ratio = Fraction(rate_hz, OUT_HZ)
        if not LOWEST_HZ <= rate_hz <= HIGHEST_HZ or ratio.denominator > OUT_HZ // 10:
            raise ValueError(f"no filter from {rate_hz} Hz; record at 44100, 48000 or 96000 Hz")
        several = math.ceil(OUT_HZ * BLOCK_S / ratio.denominator)
        self.block_out = ratio.denominator * several
        self.block_in = ratio.numerator * several
        self.reach = math.ceil(rate_hz * half_length_s())
        cells = max(n for n in range(1, CELLS_AT_MOST + 1) if several % n == 0)
        self._cell_in, self._cell_out = self.block_in // cells, self.block_out // cells
        self._matrix = _coefficients(ratio, self._cell_in, self._cell_out, self.reach)
        self._cells = np.empty((cells, len(self._matrix)))
        self._kept = np.empty(4 * (self.block_in + 2 * self.reach))
        self._length = 0  # of what is kept
        self._limit = float(2 ** (bits - 1))
        self._dtype = np.dtype(np.int16 if bits <= 16 else np.int32)
        self._start = 0  # card index of the first kept sample
        self._block = self._first_block()

    def _first_block(self) -> int:
        """Return the first block whose samples all come from `_start` on."""
        return -(-(self._start + self.reach) // self.block_in)

    def add(
        self, values: NDArray[np.int32], first: int
    ) -> list[tuple[int, NDArray[np.int16] | NDArray[np.int32]]]:
        """Take card samples; return the output blocks that they complete.

        Args:
            values: shape [n].
            first: card index of the first; what is missing before it is a gap.

        Returns:
            For each block the output index of its first sample, and its samples.
        """
        if first != self._start + self._length:
            self._length, self._start = 0, first
            self._block = max(self._block, self._first_block())
        self._keep(values)
        width = self.block_in + 2 * self.reach
        begin = self._block * self.block_in - self.reach - self._start
        out = []
        while begin + width <= self._length:
            self._cells[:] = self._overlapping(begin)  # one after the other: BLAS takes no overlapping rows
            sums = (self._cells @ self._matrix).ravel()
            out.append((self._block * self.block_out, self._round(sums)))
            self._block += 1
            begin += self.block_in
        if out:
            self._forget(begin)
        return out

    def _keep(self, values: NDArray[np.int32]) -> None:
        length = self._length + len(values)
        if length > len(self._kept):
            self._kept = np.concatenate([self._kept, np.empty(length)])
        self._kept[self._length : length] = values
        self._length = length

    def _forget(self, begin: int) -> None:
        """Drop what is before `begin`."""
        rest = self._length - begin
        self._kept[:rest] = self._kept[begin : self._length].copy()
        self._start, self._length = self._start + begin, rest

    def _overlapping(self, begin: int) -> NDArray[np.float64]:
        """Return a view of the cells of one block, which share the filter's reach."""
        (step,) = self._kept.strides
        return np.ndarray(
            self._cells.shape, np.float64, self._kept.data, begin * step, (self._cell_in * step, step)
        )

    def _round(self, sums: NDArray[np.float64]) -> NDArray[np.int16] | NDArray[np.int32]:
        values = np.floor(sums * 2.0**-SHIFT + 0.5)  # exact: a power of two, and 51 bits in all
        rounded: NDArray[np.int16] | NDArray[np.int32]
        rounded = np.minimum(np.maximum(values, -self._limit), self._limit - 1).astype(self._dtype)
        return rounded


def half_length_s() -> float:
    """Return how far the filter reaches to each side, in seconds: Kaiser's estimate for the length."""
    return (ATTENUATION_DB - 7.95) / (14.36 * (STOP_HZ - PASS_HZ)) / 2


def _coefficients(ratio: Fraction, cell_in: int, cell_out: int, reach: int) -> NDArray[np.float64]:
    """Return the whole coefficients [cell_in + 2 * reach, cell_out]: one column makes one output sample."""
    rate_hz = float(ratio) * OUT_HZ
    rows = np.arange(-reach, cell_in + reach)[:, np.newaxis]
    places = np.array([float(ratio * column) for column in range(cell_out)])
    at_s = (rows - places) / rate_hz
    half_s = half_length_s()
    inside = np.sqrt(np.clip(1.0 - (at_s / half_s) ** 2, 0.0, None))
    beta = 0.1102 * (ATTENUATION_DB - 8.7)
    window = np.where(np.abs(at_s) <= half_s, np.i0(beta * inside) / np.i0(beta), 0.0)
    shape = np.sinc((PASS_HZ + STOP_HZ) * at_s) * window
    whole: NDArray[np.float64] = np.rint(shape / shape.sum(axis=0) * 2**SHIFT)
    middle = np.argmax(whole, axis=0)
    whole[middle, np.arange(cell_out)] += 2**SHIFT - whole.sum(axis=0)
    return whole
