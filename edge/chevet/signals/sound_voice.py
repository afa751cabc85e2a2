"""Where somebody speaks in a chest sound.

A voice has a pitch of 90 to 350 Hz with several harmonics at once; wheezes seldom have more than two, hearts
and breath none.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, signal

from chevet.signals.arrays import Floats, Mask

_WINDOW_S = 0.1
_HOPS = 5  # in a window
_BAND_HZ = (80.0, 1500.0)
_PITCHES_HZ = np.arange(90.0, 351.0, 5.0)
_HARMONICS = 5
_AT_LEAST = 4  # harmonics that must stand out
_STANDS_OUT_DB = 8.0
_AROUND_HZ = 150.0
_SPREAD_FRAMES = 4  # syllables fade


@dataclass(frozen=True, slots=True, eq=False)
class Ridges:
    """How far each frequency stands out of its neighbourhood, 80-1500 Hz, windows of 100 ms.

    Attributes:
        times_s: middle of each column, seconds, shape [m].
        frequencies_hz: of each row, shape [k].
        level_db: amplitude, dB, shape [k, m].
        above_db: over the median of 150 Hz around, shape [k, m].
    """

    times_s: Floats
    frequencies_hz: Floats
    level_db: Floats
    above_db: Floats


def ridges(y: Floats, rate_hz: float) -> Ridges:
    """Return the ridges of a sound without gaps [n], at least 0.2 s."""
    thinner = max(1, int(rate_hz / 4000))
    if thinner > 1:
        y, rate_hz = signal.resample_poly(y, 1, thinner), rate_hz / thinner
    size = round(_WINDOW_S * rate_hz)
    hop = size // _HOPS
    frequency, times, bins = signal.stft(y, rate_hz, nperseg=size, noverlap=size - hop, boundary=None)
    band = (frequency >= _BAND_HZ[0]) & (frequency <= min(_BAND_HZ[1], 0.45 * rate_hz))
    frequency = frequency[band]
    level = 20 * np.log10(np.maximum(np.abs(bins[band]), 1e-9))
    wide = max(3, round(_AROUND_HZ / (frequency[1] - frequency[0])) | 1)
    return Ridges(times, frequency, level, level - _around(level, wide))


def _around(level: Floats, wide: int) -> Floats:
    """Return the running median over `wide` rows (odd); one column after the other, six times as fast."""
    half = wide // 2
    columns = np.pad(level.T, ((0, 0), (half, half)), mode="edge")
    middle = ndimage.median_filter(columns.ravel(), size=wide).reshape(columns.shape)
    around: Floats = middle[:, half:-half].T
    return around


def voiced(seen: Ridges) -> Mask:
    """Return in which columns somebody speaks, shape [m]."""
    near = ndimage.maximum_filter1d(seen.above_db, 3, axis=0) > _STANDS_OUT_DB
    step = seen.frequencies_hz[1] - seen.frequencies_hz[0]
    count = np.zeros((len(_PITCHES_HZ), len(seen.times_s)), dtype=int)
    for harmonic in range(1, _HARMONICS + 1):
        row = np.round((_PITCHES_HZ * harmonic - seen.frequencies_hz[0]) / step).astype(int)
        there = (row >= 0) & (row < len(seen.frequencies_hz))
        count[there] += near[row[there]]
    loud = count.max(axis=0) >= _AT_LEAST
    spread: Mask = ndimage.binary_dilation(
        ndimage.binary_opening(loud, iterations=1), iterations=_SPREAD_FRAMES
    )
    return spread
