"""Waveform previews of at most 3.9 KiB: to look at, never to measure on.

Each channel is low-passed to about 250 Hz, split by a wavelet, rounded to one step for all and coded by
context; the step is the finest that fits. Where that misses what lies above 125 Hz, the full rate is tried;
of a recording too long for either, 125 Hz are kept and, at last, only its beginning. The middle of each
channel is taken away first and told as its offset.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from chevet.study import preview_one
from chevet.study.cbor import Row, Value, decode, encode
from chevet.study.coefficients import read_bands, write_bands
from chevet.study.errors import BundleError
from chevet.study.recording import Gap, Waveform
from chevet.study.rows import read_waveform_row, waveform_row
from chevet.study.sound import PREVIEW_BYTES
from chevet.study.wavelet import Rows, analyse, band_sizes, synthesise

PREVIEW: Final = "application/vnd.chevet.preview"
VERSION: Final = 2
RATE_HZ: Final = 250.0
COARSE_HZ: Final = 125.0
GOOD: Final = 0.07
"""Error of a preview, as a part of the signal, that is not worth a second try; the goal is under 0.08."""
MAX_COEFFICIENTS: Final = 48_000
"""Stored rows times samples: what a reader is asked to take time for."""

_LEVELS: Final = 5
_FINER: Final = 8  # preview integers per step, so that reading rounds no more away
_FINEST_MV: Final = 0.005
_SPREAD: Final = 512
_COARSEST: Final = 16  # steps in the whole span, below which a curve is no picture any more
_WIDEST: Final = 1_500
"""Steps from the middle to the farthest sample, so that III = II - I stays within 16 bits."""
_GROWTH: Final = 1.1
_FURTHEST: Final = (
    24.0  # gains further apart than 2**24 are no two gains of one thing: errors in them do not compare
)
_DEAD: Final = 0.4  # rounds a little toward zero: fewer bits than they cost in error
_LIMB: Final = ("I", "II", "III", "aVR", "aVL", "aVF")
_DERIVED: Final = ("III", "aVR", "aVL", "aVF")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A preview that fits, and its error as a part of the signal, over what it covers."""

    data: bytes
    error: float


def write_preview(waveform: Waveform) -> bytes:
    """Return the finest preview of at most 3.9 KiB; of a long recording, its beginning."""
    stored = _stored_rows(waveform)
    middles = _middles(waveform, derived=len(stored) < len(waveform.channels))
    exact = (_centred(waveform, middles) * _weights(waveform)[:, None])[stored]
    best: _Candidate | None = None
    for factor in _factors(waveform.channels[0].rate_hz, exact.size):
        found = _finest(waveform, middles, stored, exact, factor)
        if found and (best is None or found.error < best.error):
            best = found
        if best and best.error <= GOOD:
            break
    return best.data if best else _beginning(waveform)


def read_preview(data: bytes) -> Waveform:
    """Return the preview as a waveform at its own rate, gain and offset.

    Derived limb leads that did not travel are computed from I and II (Einthoven, Goldberger).

    Raises:
        BundleError: the bytes are damaged or declare too much.
    """
    row = Row(decode(data))
    if row.whole(1, VERSION) == 1:
        return preview_one.read_fields(row)
    blank, count = read_waveform_row(row.row())
    channels = len(blank.channels)
    stored = [Row([item]).whole(high=channels - 1) for item in row.items()]
    packed = row.data()
    row.end()
    if blank.values.dtype != np.int16:
        raise BundleError("contradiction")
    if channels * count > preview_one.MAX_SAMPLES or len(stored) * count > MAX_COEFFICIENTS:
        raise BundleError("too_large")
    if len(set(stored)) != len(stored):
        raise BundleError("contradiction")
    values = np.zeros((channels, count), np.int16)
    if stored and count:
        bands = [
            band.astype(np.float64) for band in read_bands(packed, len(stored), band_sizes(count, _LEVELS))
        ]
        values[stored] = _to_16_bits(synthesise(bands, count) * _FINER)
    return replace(blank, values=_with_derived(blank, stored, values))


def _stored_rows(waveform: Waveform) -> list[int]:
    """Return the rows that must travel: all, or without the limb leads that follow from I and II."""
    names = [channel.name for channel in waveform.channels]
    same = len({(item.unit, item.gain, item.offset) for item in waveform.channels}) == 1
    if tuple(names[:6]) != _LIMB or not same or waveform.channels[0].offset != 0:
        return list(range(len(names)))
    return [index for index, name in enumerate(names) if name not in _DERIVED]


def _arrived(waveform: Waveform) -> NDArray[np.bool_]:
    arrived = np.ones(waveform.values.shape[1], np.bool_)
    for gap in waveform.gaps:
        arrived[gap.first : gap.first + gap.count] = False
    return arrived


def _middles(waveform: Waveform, *, derived: bool) -> NDArray[np.float64]:
    """Return the middle of what arrived of each channel, whole numbers; leads that follow still do."""
    there = waveform.values[:, _arrived(waveform)]
    middles = np.median(there, axis=1) if there.size else np.zeros(len(waveform.channels))
    middles = 2 * np.rint(middles / 2)  # even, so that the halves of augmented leads are whole
    if derived:
        one, two = middles[:2]
        middles[2:6] = [two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    return cast("NDArray[np.float64]", middles)


def _centred(waveform: Waveform, middles: NDArray[np.float64]) -> Rows:
    """Return samples less their middles; in gaps the middle itself stands."""
    return np.where(_arrived(waveform), waveform.values - middles[:, None], 0.0)


def _weights(waveform: Waveform) -> NDArray[np.float64]:
    """Return what makes rows of one unit but several gains comparable: an error in one is as large in all."""
    gains = np.array([channel.gain for channel in waveform.channels])
    if len({channel.unit for channel in waveform.channels}) > 1 or not gains.all():
        return np.ones(len(gains))
    sizes = np.log2(np.abs(gains))
    if sizes.max() - sizes.min() > _FURTHEST:
        return np.ones(len(gains))
    return cast("NDArray[np.float64]", gains / gains[0])


def _factors(rate_hz: float, size: int) -> Iterator[int]:
    """Yield by how much to thin the samples out: to about 250 Hz, then not at all, then to about 125 Hz."""
    usual, coarse = (max(round(rate_hz / wanted), 1) for wanted in (RATE_HZ, COARSE_HZ))
    for factor in dict.fromkeys((usual, 1, coarse)):
        if -(-size // factor) <= MAX_COEFFICIENTS:
            yield factor


def _beginning(waveform: Waveform) -> bytes:
    """Return the preview of as much of the beginning as fits."""
    count = waveform.values.shape[1]
    factor = max(round(waveform.channels[0].rate_hz / COARSE_HZ), 1)
    most = MAX_COEFFICIENTS * factor // len(waveform.channels)
    kept = most if most < count else count * 3 // 4
    gaps = tuple(
        Gap(gap.first, min(gap.count, kept - gap.first)) for gap in waveform.gaps if gap.first < kept
    )
    return write_preview(replace(waveform, values=waveform.values[:, :kept], gaps=gaps))


def _finest(
    waveform: Waveform, middles: NDArray[np.float64], stored: list[int], exact: Rows, factor: int
) -> _Candidate | None:
    """Return the preview with the finest step that fits, or None where not even a coarse one does."""
    coarse = _resampled(exact, 1, factor)
    bands = analyse(coarse, _LEVELS)
    steps = _steps(waveform, coarse)
    low, high, found = 0, len(steps) - 1, b""
    place = high
    while low <= high:  # a coarser step is hardly ever larger, so halving finds the finest that fits
        middle = (low + high) // 2
        data = _encode(waveform, middles, stored, bands, coarse.shape[1], factor, steps[middle])
        if data is not None:
            found, place, high = data, middle, middle - 1
        else:
            low = middle + 1
    return _Candidate(found, _error(exact, bands, factor, steps[place])) if found else None


def _resampled(rows: Rows, up: int, down: int) -> Rows:
    if up == down or not rows.shape[1]:
        return rows.astype(np.float64)
    return cast("Rows", resample_poly(rows, up, down, axis=1, padtype="line"))


def _steps(waveform: Waveform, coarse: Rows) -> list[float]:
    """Return steps in raw units, from the finest worth having to the coarsest worth looking at."""
    channel = waveform.channels[0]
    spread = float(np.ptp(coarse, axis=1).max()) if coarse.size else 0.0
    finest = _FINEST_MV / abs(channel.gain) if channel.unit == "mV" and channel.gain else spread / _SPREAD
    finest = max(finest, float(np.abs(coarse).max(initial=0.0)) / _WIDEST, 0.5)
    steps = [finest]
    while steps[-1] < spread / _COARSEST:
        steps.append(steps[-1] * _GROWTH)
    return steps


def _rounded(band: Rows, step: float) -> NDArray[np.int64]:
    return cast("NDArray[np.int64]", (np.sign(band) * np.floor(np.abs(band) / step + _DEAD)).astype(np.int64))


def _encode(
    waveform: Waveform,
    middles: NDArray[np.float64],
    stored: list[int],
    bands: list[Rows],
    count: int,
    factor: int,
    step: float,
) -> bytes | None:
    """Return the preview with this step, or None where it does not fit."""
    channels = tuple(
        replace(
            item,
            rate_hz=item.rate_hz / factor,
            gain=item.gain / float(weight) * step / _FINER,
            offset=item.offset + float(middle) * item.gain,
        )
        for item, middle, weight in zip(waveform.channels, middles, _weights(waveform), strict=True)
    )
    shape = np.broadcast_to(np.int16(0), (len(channels), count))
    small = Waveform(channels, shape, _gaps(waveform.gaps, factor, count))
    rows: list[Value] = list(stored)
    head: list[Value] = [VERSION, waveform_row(small), rows]
    packed: bytes | None = b""
    if count and stored:
        packed = write_bands([_rounded(band, step) for band in bands], PREVIEW_BYTES - len(encode(head)) - 3)
    return None if packed is None else encode([*head, packed])


def _error(exact: Rows, bands: list[Rows], factor: int, step: float) -> float:
    """Return the root of error energy over that of the signal about its means (PRDN, as a part of 1)."""
    if not exact.size:
        return 0.0
    count = -(-exact.shape[1] // factor)
    shown = synthesise([_rounded(band, step).astype(np.float64) * step for band in bands], count)
    rest = exact - _resampled(shown, factor, 1)[:, : exact.shape[1]]
    energy = float(((exact - exact.mean(axis=1, keepdims=True)) ** 2).sum())
    return float(np.sqrt((rest**2).sum() / energy)) if energy else 0.0


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


def _to_16_bits(values: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.clip(np.rint(values), -32768, 32767).astype(np.int16)


def _with_derived(blank: Waveform, stored: list[int], values: NDArray[np.int16]) -> NDArray[np.int16]:
    missing = [index for index in range(len(blank.channels)) if index not in stored]
    if not missing:
        return values
    if missing != [2, 3, 4, 5] or tuple(channel.name for channel in blank.channels[:6]) != _LIMB:
        raise BundleError("contradiction")
    one, two = values[:2].astype(np.float64)
    values[2:6] = _to_16_bits(np.stack([two - one, -(one + two) / 2, one - two / 2, two - one / 2]))
    return values
