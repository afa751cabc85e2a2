"""Previews of waveforms of version 1, which boxes wrote until version 2: read for ever, written no more."""

import zlib
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chevet.study.cbor import Row, Value
from chevet.study.errors import BundleError
from chevet.study.recording import Waveform
from chevet.study.rows import read_waveform_row

MAX_SAMPLES: Final = 1 << 17
_LIMB: Final = ("I", "II", "III", "aVR", "aVL", "aVF")


def read_fields(row: Row) -> Waveform:
    """Return the preview whose fields after the version are left in `row`.

    Raises:
        BundleError: the bytes are damaged or declare too much.
    """
    blank, count = read_waveform_row(row.row())
    stored, packed = [_index(item, len(blank.channels)) for item in row.items()], row.data()
    row.end()
    if blank.values.dtype != np.int16:
        raise BundleError("contradiction")
    if len(blank.channels) * count > MAX_SAMPLES or len(set(stored)) != len(stored):
        raise BundleError("too_large")
    values = np.zeros((len(blank.channels), count), np.int16)
    values[stored] = _integrated(packed, len(stored), count)
    _derive(blank, stored, values)
    return replace(blank, values=values)


def _integrated(packed: bytes, rows: int, count: int) -> NDArray[np.int16]:
    inflate = zlib.decompressobj(-15)
    size = rows * count * 2
    try:
        plain = inflate.decompress(packed, size + 1)
    except zlib.error:
        raise BundleError("preview_damaged") from None
    if len(plain) != size or not inflate.eof:
        raise BundleError("preview_damaged")
    low, high = np.frombuffer(plain, np.uint8).reshape(2, rows, count).astype(np.uint16)
    zigzag = low | high << 8
    steps = (zigzag >> 1).astype(np.int16) ^ -(zigzag & 1).astype(np.int16)
    return np.cumsum(steps, axis=1, dtype=np.int16)


def _index(value: Value, channels: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < channels:
        raise BundleError("wrong_type")
    return value


def _derive(blank: Waveform, stored: list[int], values: NDArray[np.int16]) -> None:
    missing = [index for index in range(len(blank.channels)) if index not in stored]
    if not missing:
        return
    names = tuple(channel.name for channel in blank.channels)
    if missing != [2, 3, 4, 5] or names[:6] != _LIMB:
        raise BundleError("contradiction")
    one, two = values[0].astype(np.int32), values[1].astype(np.int32)
    values[2:6] = np.stack([two - one, -(one + two) >> 1, (2 * one - two) >> 1, (2 * two - one) >> 1])
