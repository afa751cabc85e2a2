"""Median beats: beats of a recording cut out, sorted by shape, aligned and averaged."""

from dataclasses import dataclass

import numpy as np

from chevet.signals.arrays import Floats, Indices, Mask, windows_at

BEFORE_S, AFTER_S = 0.40, 0.70
_QRS_S = (0.06, 0.10)
_ALIKE = 0.85
_SHIFT_S = 0.024
_MOST_SHAPES = 6
_CHUNK = 40  # beats averaged together at most: shapes drift over minutes


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """Beats of one shape.

    Attributes:
        members: which beats, rows of the input.
        centres: where each of them is aligned, samples.
        beat: median beat, shape [c, w]; the centre is at `BEFORE_S`.
        each: the aligned beats, shape [c, k, w].
    """

    members: Indices
    centres: Indices
    beat: Floats
    each: Floats


def shapes_of(x: Floats, rate_hz: float, qrs: Indices) -> list[Shape]:
    """Sort beats by shape and average them.

    Args:
        x: leads weighted as they should count, no gaps, shape [c, n].
        rate_hz: sampling rate.
        qrs: R peaks [k].
    """
    found: list[Shape] = []
    for start in range(0, len(qrs), _CHUNK):
        members = np.arange(start, min(start + _CHUNK, len(qrs)))
        found += _sorted_by_shape(x, rate_hz, qrs, members)
    return found


def _sorted_by_shape(x: Floats, rate_hz: float, qrs: Indices, members: Indices) -> list[Shape]:
    left = members
    found = []
    for _ in range(_MOST_SHAPES):
        if not len(left):
            break
        alike = _like_the_usual(x, rate_hz, qrs[left])
        found.append(_averaged(x, rate_hz, qrs, left[alike]))
        left = left[~alike]
    return found + [_averaged(x, rate_hz, qrs, left[i : i + 1]) for i in range(len(left))]


def _like_the_usual(x: Floats, rate_hz: float, at: Indices) -> Mask:
    each = _flattened(windows_at(x, at, int(_QRS_S[0] * rate_hz), int(_QRS_S[1] * rate_hz)))
    usual = np.median(each, axis=0)
    likeness = each @ usual / np.maximum(np.linalg.norm(each, axis=1) * np.linalg.norm(usual), 1e-12)
    if likeness.max() < _ALIKE:  # no majority: take the beats like the first one
        likeness = each @ each[0] / np.maximum(np.linalg.norm(each, axis=1) * np.linalg.norm(each[0]), 1e-12)
    alike: Mask = likeness >= min(_ALIKE, float(likeness.max()))
    return alike


def _flattened(windows: Floats) -> Floats:
    """[c, k, w] to [k, c * w], each lead without its mean."""
    centred = windows - windows.mean(-1, keepdims=True)
    flat: Floats = centred.transpose(1, 0, 2).reshape(windows.shape[1], -1)
    return flat


def _averaged(x: Floats, rate_hz: float, qrs: Indices, members: Indices) -> Shape:
    centres = qrs[members]
    if len(members) > 1:
        centres = _aligned(x, rate_hz, centres)
    each = windows_at(x, centres, int(BEFORE_S * rate_hz), int(AFTER_S * rate_hz))
    return Shape(members, centres, np.median(each, axis=1), each)


def _aligned(x: Floats, rate_hz: float, at: Indices) -> Indices:
    """Shift every beat to where its QRS correlates best with the median QRS."""
    reach = int(_SHIFT_S * rate_hz)
    before, after = int(_QRS_S[0] * rate_hz), int(_QRS_S[1] * rate_hz)
    usual = np.median(_flattened(windows_at(x, at, before, after)), axis=0)
    shifts = np.arange(-reach, reach + 1)
    likeness = np.stack([_flattened(windows_at(x, at + s, before, after)) @ usual for s in shifts])
    moved: Indices = at + shifts[np.argmax(likeness, axis=0)]
    return moved
