"""How likely each 20 ms of a sound holds S1 or S2: log odds from its loudness in four bands.

Loudness is compared with the quiet and the loud level of the 4 s around, and with what lies 0.2 s before and
after, so that neither gain nor a slow change of noise matters. The logistic weights were fitted by
`benchmarks/signals_fit_heart.py` on CirCor (doi 10.13026/tshs-mw03) and CinC 2016, with and without added
noise, cross-validated by patient.
"""

import numpy as np
from scipy import ndimage, signal

from chevet.signals.arrays import Floats, Mask
from chevet.signals.filters import band_passed
from chevet.signals.heart_envelope import ENVELOPE_HZ
from chevet.signals.heart_weights import FIRST, SOUND

BANDS = ((25.0, 50.0), (50.0, 100.0), (100.0, 200.0), (200.0, 400.0))
_AROUND_S = 4.0
_SILENT = 2.5  # 22 dB below the louder parts
_ENOUGH_HZ = 1000.0  # a sound is thinned out to between this and twice of it


def sound_odds(levels: Floats) -> tuple[Floats, Floats]:
    """Return two log odds for each frame of 20 ms, each of shape [frames].

    The first says that it lies in S1 or S2, the second that, if it does, it is S1. The second alone is weak:
    only its mean over a whole sequence is of use.

    Args:
        levels: see `band_levels`.
    """
    inputs = odds_inputs(levels)
    return inputs @ SOUND, inputs @ FIRST


def band_levels(y: Floats, rate_hz: float) -> Floats:
    """Return the log of the amplitude in `BANDS` at 50 Hz, shape [4, frames].

    Bands above 0.44 of the rate repeat the highest one that there is.
    """
    thinner = int(rate_hz / _ENOUGH_HZ)
    if thinner > 1:
        y, rate_hz = signal.resample_poly(y, 1, thinner), rate_hz / thinner
    step = rate_hz / ENVELOPE_HZ
    edges = np.round(np.arange(0, len(y), step)).astype(int)
    edges = edges[edges < len(y)]
    width = np.diff(np.append(edges, len(y)))
    levels: list[Floats] = []
    for low_hz, high_hz in BANDS:
        top_hz = min(high_hz, 0.44 * rate_hz)
        if top_hz < 1.2 * low_hz:
            levels.append(levels[-1])
            continue
        power = np.add.reduceat(band_passed(y, rate_hz, low_hz, top_hz) ** 2, edges) / width
        levels.append(0.5 * np.log(np.maximum(np.convolve(power, [0.25, 0.5, 0.25], "same"), 1e-18)))
    return np.stack(levels)


def odds_inputs(levels: Floats) -> Floats:
    """Return what the logistic model looks at, shape [frames, 21].

    Args:
        levels: see `band_levels`.
    """
    count = levels.shape[1]
    rows = [np.ones(count)]
    for level in levels:
        place = np.clip(_place(level), -0.5, 1.5)
        wide = np.convolve(np.pad(place, 15, mode="edge"), np.full(7, 1 / 7), "valid")
        near = np.convolve(np.pad(place, 2, mode="edge"), np.full(5, 0.2), "valid")
        before, after = wide[3 : 3 + count], wide[21 : 21 + count]  # 0.12 to 0.24 s away
        rows += [place, place * np.abs(place), near, before, after]
    return np.stack(rows, axis=1)


def _place(level: Floats) -> Floats:
    """Return 0 at the quiet level of the surroundings, 1 at the loud one."""
    size = min(len(level), int(_AROUND_S * ENVELOPE_HZ) | 1)
    quiet, loud = (
        ndimage.uniform_filter1d(ndimage.percentile_filter(level, share, size=size, mode="nearest"), size)
        for share in (25, 92)
    )
    place: Floats = (level - quiet) / np.maximum(loud - quiet, 0.3)
    return place


def silent(levels: Floats) -> Mask:
    """Return which frames lie in parts far below the usual loudness (sensor off the body), bool [frames]."""
    level = levels[0]
    size = min(len(level), int(2 * ENVELOPE_HZ) | 1)
    loud = ndimage.percentile_filter(level, 92, size=size, mode="nearest")
    far: Mask = loud < np.quantile(loud, 0.75) - _SILENT
    return far
