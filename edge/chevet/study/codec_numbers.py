"""A list of integers as bytes: tokens through the entropy coder, then the bits below them."""

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chevet.study.codec_rans import read_tokens, write_tokens
from chevet.study.codec_tokens import EXTRA, MOST_PACE, TOKENS, Whole, joined, split
from chevet.study.errors import BundleError

HEAD: Final = struct.Struct("<HBII")
_MOST_BEFORE: Final = (1 << 32) - 1


def write_numbers(values: Whole, shifts: Whole, pace: int = 0) -> bytes:
    """Return integers whose lowest `shifts` bits are noise; shifted right, none needs more than 33 bits.

    Raises:
        OverflowError: a value is too large.
    """
    upper = values >> shifts
    if upper.size and max(-int(upper.min()), int(upper.max())) > _MOST_BEFORE:
        raise OverflowError("a value needs more than 33 bits")
    tokens, low, extra = split(upper)
    before = int(np.abs(upper).mean()) if upper.size else 0
    size = int(tokens.max(initial=0)) + 1
    coded = write_tokens(tokens, size, before, pace)
    below = low << shifts | values & ((1 << shifts) - 1)
    return HEAD.pack(size, pace, before, len(coded)) + coded + write_bits(below, extra + shifts)


def read_numbers(data: bytes, shifts: Whole) -> Whole:
    """Return as many integers as there are shifts.

    Raises:
        BundleError: the bytes are damaged.
    """
    if len(data) < HEAD.size:
        raise BundleError("waveform_length")
    size, pace, before, length = HEAD.unpack_from(data)
    at = HEAD.size + length
    if not 1 <= size <= TOKENS or pace > MOST_PACE or at > len(data):
        raise BundleError("waveform_length")
    tokens = read_tokens(data[HEAD.size : at], len(shifts), size, before, pace)
    below = read_bits(data[at:], EXTRA[(tokens + 1) >> 1] + shifts)
    return (joined(tokens, below >> shifts) << shifts) + (below & ((1 << shifts) - 1))


def write_bits(values: Whole, counts: Whole) -> bytes:
    """Return the lowest `counts` bits of each value, one after the other, the highest first."""
    ends = np.cumsum(counts)
    bits = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    for place in range(int(counts.max(initial=0))):
        there = counts > place
        bits[ends[there] - 1 - place] = values[there] >> place & 1
    return np.packbits(bits).tobytes()


def read_bits(data: bytes, counts: Whole) -> Whole:
    """Return the values that `write_bits` wrote.

    Raises:
        BundleError: there are fewer or more bytes than these bits need.
    """
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    if len(data) != -(-total // 8):
        raise BundleError("waveform_length")
    bits: NDArray[np.uint8] = np.unpackbits(np.frombuffer(data, np.uint8))
    values = np.zeros(len(counts), np.int64)
    for place in range(int(counts.max(initial=0))):
        there = counts > place
        values[there] |= bits[ends[there] - 1 - place].astype(np.int64) << place
    return values
