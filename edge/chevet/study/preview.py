"""Waveform previews: 125 Hz, coarsely quantised, at most 3.9 KiB; to look at, never to measure on.

Each channel is low-passed, decimated and rounded to a step; steps and, where a recording is long, time are
given up until the preview fits. Differences go through DEFLATE (RFC 1951). Of channels wider than 16 bits the
middle is taken away first and told as their offset: the voltage of electrodes is hundreds of times an ECG.
"""

import zlib
from dataclasses import replace
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from chevet.study.cbor import Row, Value, decode, encode
from chevet.study.errors import BundleError
from chevet.study.recording import Gap, Waveform
from chevet.study.rows import read_waveform_row, waveform_row
from chevet.study.sound import PREVIEW_BYTES

PREVIEW: Final = "application/vnd.chevet.preview"
VERSION: Final = 1
RATE_HZ: Final = 125.0
MAX_SAMPLES: Final = 1 << 17
_FINEST_MV: Final = 0.01
_LEVELS: Final = 256
_GROWTH: Final = 1.25
_COARSEST: Final = 24
_WIDEST: Final = 30_000
"""Steps that a preview of wide samples may span: under half of 16 bits, so that III = II - I stays within."""
_LIMB: Final = ("I", "II", "III", "aVR", "aVL", "aVF")
_DERIVED: Final = ("III", "aVR", "aVL", "aVF")


def write_preview(waveform: Waveform) -> bytes:
    """Return the finest preview of at most 3.9 KiB; of a long recording, its beginning."""
    factor = max(round(waveform.channels[0].rate_hz / RATE_HZ), 1)
    stored = _stored_rows(waveform)
    wide = waveform.values.dtype != np.int16
    if wide:
        waveform, values = _centred(waveform, derived=len(stored) < len(waveform.channels))
        coarse = _decimated(values[stored], factor)
    else:
        coarse = _decimated(waveform.values[stored], factor)
    while True:
        steps = _steps(waveform, coarse, wide=wide)
        best = _encode(waveform, factor, steps[-1], stored, coarse)
        if len(best) <= PREVIEW_BYTES or not coarse.shape[1]:
            break
        coarse = coarse[:, : int(coarse.shape[1] * min(PREVIEW_BYTES / len(best), 0.75))]
    low, high = 0, len(steps) - 1
    while low < high:  # a coarser step is hardly ever larger, so halving finds the finest that fits
        middle = (low + high) // 2
        data = _encode(waveform, factor, steps[middle], stored, coarse)
        if len(data) <= PREVIEW_BYTES:
            best, high = data, middle
        else:
            low = middle + 1
    return best


def read_preview(data: bytes) -> Waveform:
    """Return the preview as a waveform at its own rate, gain and step.

    Derived limb leads that did not travel are computed from I and II (Einthoven, Goldberger).

    Raises:
        BundleError: the bytes are damaged or declare too much.
    """
    row = Row(decode(data))
    row.whole(VERSION, VERSION)
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


def _stored_rows(waveform: Waveform) -> list[int]:
    """Return the rows that must travel: all, or without the limb leads that follow from I and II."""
    names = [channel.name for channel in waveform.channels]
    same = len({(item.unit, item.gain, item.offset) for item in waveform.channels}) == 1
    if tuple(names[:6]) != _LIMB or not same or waveform.channels[0].offset != 0:
        return list(range(len(names)))
    return [index for index, name in enumerate(names) if name not in _DERIVED]


def _centred(waveform: Waveform, *, derived: bool) -> tuple[Waveform, NDArray[np.int64]]:
    """Return samples less the middle of what arrived, and the waveform with that in its channels' offsets.

    Limb leads that are to follow from I and II are moved so that they still do. In gaps the middle stands.
    """
    arrived = np.ones(waveform.values.shape[1], np.bool_)
    for gap in waveform.gaps:
        arrived[gap.first : gap.first + gap.count] = False
    there = waveform.values[:, arrived]
    middles = np.median(there, axis=1) if there.size else np.zeros(len(waveform.channels))
    middles = 2 * np.rint(middles / 2)  # even, so that the halves of augmented leads are whole
    if derived:
        one, two = middles[:2]
        middles[2:6] = [two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    values = np.where(arrived, waveform.values - middles[:, None].astype(np.int64), 0)
    channels = tuple(
        replace(item, offset=item.offset + float(middle) * item.gain)
        for item, middle in zip(waveform.channels, middles, strict=True)
    )
    return replace(waveform, channels=channels), values


def _decimated(values: NDArray[np.signedinteger[Any]], factor: int) -> NDArray[np.float64]:
    if factor == 1 or not values.shape[1]:
        return values.astype(np.float64)
    return cast("NDArray[np.float64]", resample_poly(values.astype(np.float64), 1, factor, axis=1))


def _steps(waveform: Waveform, coarse: NDArray[np.float64], *, wide: bool) -> list[int]:
    """Return steps in raw units, from the finest worth having to the coarsest worth looking at."""
    channel = waveform.channels[0]
    spread = float(np.ptp(coarse)) if coarse.size else 0.0
    finest = _FINEST_MV / abs(channel.gain) if channel.unit == "mV" and channel.gain else spread / _LEVELS
    finest = max(finest, 2 * float(np.abs(coarse).max(initial=0)) / _WIDEST) if wide else min(finest, 32768.0)
    steps = [max(round(finest * _GROWTH**power), 1) for power in range(_COARSEST)]
    return list(dict.fromkeys(steps))


def _encode(
    waveform: Waveform, factor: int, step: int, stored: list[int], coarse: NDArray[np.float64]
) -> bytes:
    values = np.clip(np.rint(coarse / step), -32768, 32767).astype(np.int32)
    channels = tuple(
        replace(item, rate_hz=item.rate_hz / factor, gain=item.gain * step) for item in waveform.channels
    )
    shape = np.broadcast_to(np.int16(0), (len(channels), values.shape[1]))
    small = Waveform(channels, shape, _gaps(waveform.gaps, factor, values.shape[1]))
    rows: list[Value] = list(stored)
    row: list[Value] = [VERSION, waveform_row(small), rows, _differences(values)]
    return encode(row)


def _gaps(gaps: tuple[Gap, ...], factor: int, count: int) -> tuple[Gap, ...]:
    """Return gaps in preview samples, each widened to whole samples and those that touch joined."""
    out: list[Gap] = []
    for gap in gaps:
        first, end = gap.first // factor, min(-(-(gap.first + gap.count) // factor), count)
        if out and first <= out[-1].first + out[-1].count:
            first = out.pop().first
        if first < end:
            out.append(Gap(first, end - first))
    return tuple(out)


def _differences(values: NDArray[np.int32]) -> bytes:
    """Return rows as differences of neighbours, 16 bits, low bytes before high bytes, deflated."""
    steps = np.diff(values, axis=1, prepend=0).astype("<i2")
    zigzag = ((steps << 1) ^ (steps >> 15)).astype("<u2")
    planes = (zigzag & 0xFF).astype(np.uint8).tobytes() + (zigzag >> 8).astype(np.uint8).tobytes()
    return min((_deflated(planes, how) for how in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED)), key=len)


def _deflated(data: bytes, strategy: int) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9, strategy)
    return deflate.compress(data) + deflate.flush()


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
