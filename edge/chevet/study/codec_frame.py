"""One frame of a waveform: rows that belong together, for as long as memory likes.

Section 3 of docs/formats.md describes the bytes.
"""

import struct
from typing import Final

import numpy as np

from chevet.study.codec_fit import LIMIT, coefficients
from chevet.study.codec_levels import Levels
from chevet.study.codec_numbers import read_numbers, write_numbers
from chevet.study.codec_predict import Reach, left_over, restored
from chevet.study.codec_tokens import Whole
from chevet.study.errors import BundleError

_HEAD: Final = struct.Struct("<BBBBBBH")
_SIDE: Final = struct.Struct("<II")
_MOST_OWN, _MOST_ABOVE, _MOST_BESIDE, _MOST_SCALE, _MOST_SHIFT = 64, 15, 32, 16, 32
_LEAST_SEGMENT: Final = 1024
_MOST_SEGMENT: Final = 1 << 15
_BESIDE: Final = 512
"""Numbers beside the samples, for each row; and one for each sample, where its values are listed."""

_SEGMENT: Final = (4096, 16384)
_LANES: Final = 16
_SLOW: Final = 6
"""From this mean of what is left on, the coder follows its size more slowly."""


def write_frame(samples: Whole) -> bytes:
    """Return samples [rows, samples] of at least one row and sample as bytes.

    Raises:
        OverflowError: a prediction went too far to be taken back in 33 bits.
    """
    levels = [Levels.of(row) for row in samples]
    lists = [one.numbers for one in levels]
    moving = [one.ranks(row) for one, row in zip(levels, samples, strict=True) if one.step]
    if not moving:
        return _HEAD.pack(0, 0, 0, 0, 0, 0, 1) + _write_side(lists)
    ranks = np.array(moving)
    reach, places = _reach(len(ranks)), _places(*ranks.shape)
    laid = _segments(ranks, places)
    starts = np.diff(laid[:, :, 0], axis=1, prepend=0)
    laid -= laid[:, :, :1].copy()
    found = coefficients(laid, reach)
    rest = left_over(laid, found, reach)
    shifts = _shifts(rest)
    lists += [starts.ravel(), shifts.ravel(), found.T.ravel()]
    head = _HEAD.pack(len(ranks), reach.own, reach.rows, reach.back, reach.ahead, reach.scale, places)
    pace = int(np.abs(rest).mean() >= _SLOW)
    return head + _write_side(lists) + write_numbers(rest.ravel(), np.repeat(shifts, laid.shape[2]), pace)


def read_frame(data: bytes, shape: tuple[int, int]) -> Whole:
    """Return the samples [rows, samples] of a frame.

    Raises:
        BundleError: the bytes are damaged.
    """
    if len(data) < _HEAD.size + _SIDE.size:
        raise BundleError("waveform_length")
    moving, *reaching, places = _HEAD.unpack_from(data)
    reach = Reach(*reaching)
    _check_head(shape, moving, reach, places)
    side, at = _read_side(data, shape)
    levels: list[Levels] = []
    for _ in range(shape[0]):
        one, side = Levels.read(side)
        levels.append(one)
    if sum(one.step > 0 for one in levels) != moving or len(side) != moving * places * (2 + reach.taps):
        raise BundleError("waveform_levels")
    ranks = iter(_read_ranks(data[at:], side, (moving, places, -(-shape[1] // places)), reach))
    still = np.zeros(shape[1], np.int64)
    return np.stack([one.values(next(ranks)[: shape[1]] if one.step else still) for one in levels])


def _read_ranks(data: bytes, side: Whole, shape: tuple[int, int, int], reach: Reach) -> Whole:
    """Return the rows that move, [rows, samples], from what is left of them and what lies beside it."""
    moving, places, length = shape
    if not moving:
        if data:
            raise BundleError("waveform_length")
        return np.empty((0, length), np.int64)
    starts, shifts, found = np.split(side, (moving * places, 2 * moving * places))
    if shifts.min() < 0 or shifts.max() > _MOST_SHIFT or np.abs(found).max(initial=0) > LIMIT:
        raise BundleError("waveform_stream")
    rest = read_numbers(data, np.repeat(shifts, length)).reshape(shape)
    laid = restored(rest, found.reshape(reach.taps, places, moving).T, reach)
    laid += np.cumsum(starts.reshape(moving, places), axis=1)[:, :, None]
    return laid.reshape(moving, places * length)


def _write_side(lists: list[Whole]) -> bytes:
    """Return what lies beside the samples: how many numbers, how many bytes, and these."""
    numbers = np.concatenate(lists)
    data = write_numbers(numbers, np.zeros_like(numbers))
    return _SIDE.pack(len(numbers), len(data)) + data


def _read_side(data: bytes, shape: tuple[int, int]) -> tuple[Whole, int]:
    """Return the numbers beside the samples, and where those begin."""
    count, length = _SIDE.unpack_from(data, _HEAD.size)
    at = _HEAD.size + _SIDE.size
    if count > shape[0] * (shape[1] + _BESIDE) or at + length > len(data):
        raise BundleError("waveform_length")
    return read_numbers(data[at : at + length], np.zeros(count, np.int64)), at + length


def _check_head(shape: tuple[int, int], moving: int, reach: Reach, places: int) -> None:
    """Raise for what nobody writes: it could take more time or memory than the samples are worth."""
    length = -(-shape[1] // max(places, 1))
    cut = places == 1 or (places > 1 and shape[1] // places >= _LEAST_SEGMENT)
    wide = reach.own <= _MOST_OWN and reach.width <= _MOST_BESIDE and reach.scale <= _MOST_SCALE
    rows = (reach.back > 0) if reach.rows else reach.width == 0
    above = reach.rows <= min(_MOST_ABOVE, max(moving - 1, 0))
    if not (moving <= shape[0] and cut and length <= _MOST_SEGMENT and wide and rows and above):
        raise BundleError("waveform_stream")


def _places(rows: int, count: int) -> int:
    """Return into how many segments to cut: enough for the decoder's speed, few enough to cost little."""
    return min(max(-(-_LANES // rows), count // _SEGMENT[1]), max(count // _SEGMENT[0], 1))


def _segments(rows: Whole, places: int) -> Whole:
    """Return rows cut into equal segments, the last filled up with the last sample."""
    length = -(-rows.shape[1] // places)
    filled = np.pad(rows, ((0, 0), (0, places * length - rows.shape[1])), "edge")
    return filled.reshape(len(rows), places, length)


def _reach(rows: int) -> Reach:
    """Return what pays on real recordings: `benchmarks/codec.py`."""
    if rows == 1:
        return Reach(16, 0, 0, 0, 12)
    if rows == 2:
        return Reach(16, 1, 8, 4, 12)
    return Reach(16, min(rows - 1, 7), 2, 1, 12)


def _shifts(rest: Whole) -> Whole:
    """Return by row and segment how many low bits are noise even where it is quiet."""
    total = np.cumsum(np.pad(np.abs(rest), ((0, 0), (0, 0), (16, 0))), axis=2)
    around = (total[:, :, 16:] - total[:, :, :-16]) >> 4
    quiet = np.partition(around, around.shape[2] // 4, axis=2)[:, :, around.shape[2] // 4]
    shifts: Whole = np.clip(np.frexp(quiet.astype(np.float64))[1] - 3, 0, _MOST_SHIFT).astype(np.int64)
    return shifts
