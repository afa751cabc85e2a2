"""Integer samples as the formats want them: gaps marked, widths chosen, never a sample changed."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chevet.study.recording import StoredSamples, Waveform

Ints = NDArray[np.signedinteger[Any]]
PIECE_SAMPLES = 1 << 16


def arrived(waveform: Waveform) -> NDArray[np.bool_]:
    """Return for each sample index whether anything arrived, shape [samples]."""
    there = np.ones(waveform.values.shape[1], np.bool_)
    for gap in waveform.gaps:
        there[gap.first : gap.first + gap.count] = False
    return there


def extremes(waveform: Waveform) -> tuple[int, int]:
    """Return the lowest and the highest sample that arrived; zeros where none did."""
    values = waveform.values[:, arrived(waveform)]
    return (int(values.min()), int(values.max())) if values.size else (0, 0)


def marked(values: StoredSamples, there: NDArray[np.bool_], mark: int) -> NDArray[np.int32]:
    """Return the samples as int32, with `mark` where nothing arrived."""
    out = values.astype(np.int32)
    out[:, ~there] = mark
    return out


def frames(values: NDArray[np.int32], width: int) -> Iterator[bytes]:
    """Yield samples interleaved by channel, little-endian two's complement of `width` bytes, in pieces.

    Args:
        values: shape [channels, samples], each within `width` bytes.
        width: 2, 3 or 4.
    """
    step = max(PIECE_SAMPLES // max(len(values), 1), 1)
    for at in range(0, values.shape[1], step):
        block: NDArray[np.int32] = np.ascontiguousarray(values[:, at : at + step].T, "<i4")
        yield block.view(np.uint8).reshape(-1, 4)[:, :width].tobytes()


def unused(waveform: Waveform, bits: int) -> int | None:
    """Return a number within `bits` that no arrived sample has, the lowest first; None without one."""
    values = waveform.values[:, arrived(waveform)]
    lowest = -(1 << (bits - 1))
    if not values.size or int(values.min()) > lowest:
        return lowest
    taken = np.unique(values)
    holes = np.flatnonzero(np.diff(taken.astype(np.int64)) > 1)
    if holes.size:
        return int(taken[holes[0]]) + 1
    return int(taken[-1]) + 1 if int(taken[-1]) + 1 < -lowest else None
