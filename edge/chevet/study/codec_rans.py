"""Interleaved asymmetric numeral systems: many lanes of tokens at once, with tables that learn.

J. Duda, "Asymmetric numeral systems", arXiv:1311.2540; lanes as in F. Giesen, "Interleaved entropy
coders", arXiv:1402.3392. Each lane has a state of its own; all take their 16-bit words from one stream.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chevet.study.codec_tokens import (
    PRECISION,
    SEEN,
    STEP,
    TABLES,
    Whole,
    first_counts,
    frequencies,
    table_of,
    tables_before,
)
from chevet.study.errors import BundleError

WORD: Final = 16
LEAST: Final = 1 << 16
"""The least state of a lane, which is also where each begins."""
_LEARNING: Final = 32
"""Steps between two looks at what has been seen, after the first few."""


def lanes_of(count: int) -> int:
    """Return how many lanes so many tokens have: each costs about 3 bytes, and steps cost time."""
    return max(1, min(count // 512, 8), min(count // 2048, 256))


def runs(steps: int) -> Iterator[tuple[int, int]]:
    """Yield first and end of the steps that share one state of the tables: 1, 1, 2, 4, 8, 16, then 32."""
    first = 0
    while first < steps:
        end = min(steps, first + min(max(first, 1), _LEARNING))
        yield first, end
        first = end


def write_tokens(tokens: Whole, size: int, before: int, pace: int) -> bytes:
    """Return tokens, all below `size`, as states and words; `before` is the magnitude before each lane."""
    lanes = lanes_of(len(tokens))
    steps = -(-len(tokens) // lanes)
    laid = np.zeros(lanes * steps, np.int64)
    laid[: len(tokens)] = tokens
    laid = np.ascontiguousarray(laid.reshape(lanes, steps).T)
    share, first = _expected(laid, tables_before(SEEN[laid], before, pace), size)
    return _states(share.astype(np.uint64), first.astype(np.uint64))


def _expected(laid: Whole, tables: Whole, size: int) -> tuple[Whole, Whole]:
    """Return the frequency of each token, and those of the tokens before it in its table."""
    counts = first_counts(size)
    share, first = np.empty_like(laid), np.empty_like(laid)
    for begin, end in runs(len(laid)):
        shares = frequencies(counts)
        place = tables[begin:end] * size + laid[begin:end]
        share[begin:end] = shares.ravel()[place]
        first[begin:end] = (np.cumsum(shares, axis=1) - shares).ravel()[place]
        counts += STEP * np.bincount(place.ravel(), minlength=counts.size).reshape(counts.shape)
    return share, first


def _states(share: NDArray[np.uint64], first: NDArray[np.uint64]) -> bytes:
    """Return the lanes' last states and their words, from frequencies [steps, lanes]."""
    steps, lanes = share.shape
    state = np.full(lanes, LEAST, np.uint64)
    full = share << np.uint64(2 * WORD - PRECISION)
    words: list[NDArray[np.uint16]] = []
    for step in range(steps - 1, -1, -1):
        over = state >= full[step]
        if over.any():
            words.append(state[over].astype(np.uint16))
            state = np.where(over, state >> np.uint64(WORD), state)
        whole, rest = np.divmod(state, share[step])
        state = (whole << np.uint64(PRECISION)) + rest + first[step]
    stream = np.concatenate(words[::-1]) if words else np.zeros(0, np.uint16)
    return state.astype("<u4").tobytes() + stream.astype("<u2").tobytes()


def read_tokens(data: bytes, count: int, size: int, before: int, pace: int) -> Whole:
    """Return `count` tokens.

    Raises:
        BundleError: the words end before the tokens, or the other way round.
    """
    lanes = lanes_of(count)
    if len(data) < 4 * lanes or len(data) % 2:
        raise BundleError("waveform_length")
    steps = -(-count // lanes)
    reader = _Lanes(data, (steps, lanes), size, before, pace)
    laid = np.empty((steps, lanes), np.int64)
    for first, end in runs(steps):
        reader.run(laid[first:end])
    reader.end()
    return laid.T.ravel()[:count]


class _Lanes:
    """What the lanes know while they are read."""

    def __init__(self, data: bytes, shape: tuple[int, int], size: int, before: int, pace: int) -> None:
        steps, lanes = shape
        self._state = np.frombuffer(data, "<u4", lanes).astype(np.int64)
        self._words = np.frombuffer(data, "<u2", offset=4 * lanes).astype(np.int64)
        self._at = 0
        self._size, self._pace = size, pace
        self._counts = first_counts(size)
        self._sums = np.empty(((16 << pace) + steps + 1, lanes), np.int64)
        self._step = 16 << pace
        self._sums[: self._step + 1] = before * np.arange(self._step + 1)[:, None]

    def run(self, into: Whole) -> None:
        """Read as many steps as `into` has rows, then learn from them."""
        shares = frequencies(self._counts)
        firsts = (np.cumsum(shares, axis=1) - shares).ravel()
        starts = firsts + np.repeat(np.arange(TABLES) << PRECISION, self._size)
        flat = shares.ravel()
        places = np.empty_like(into)
        for row in range(len(into)):
            table = table_of(self._sums, self._step, self._pace)
            slot = self._state & ((1 << PRECISION) - 1)
            place = starts.searchsorted((table << PRECISION) + slot, "right") - 1
            self._state = flat[place] * (self._state >> PRECISION) + slot - firsts[place]
            self._refill()
            places[row] = place
            into[row] = token = place - table * self._size
            np.add(self._sums[self._step], SEEN[token], out=self._sums[self._step + 1])
            self._step += 1
        self._counts += STEP * np.bincount(places.ravel(), minlength=flat.size).reshape(shares.shape)

    def _refill(self) -> None:
        empty = self._state < LEAST
        wanted = int(np.count_nonzero(empty))
        if wanted:
            if self._at + wanted > len(self._words):
                raise BundleError("waveform_length")
            words = self._words[self._at : self._at + wanted]
            self._state[empty] = self._state[empty] << WORD | words
            self._at += wanted

    def end(self) -> None:
        if self._at != len(self._words) or np.any(self._state != LEAST):
            raise BundleError("waveform_stream")
