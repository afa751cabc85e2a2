"""Where the QRS of a median beat begins and ends.

Each limit is first where the spatial velocity of all leads falls to a share of its greatest. Thresholds on
one curve are pulled about by a slow foot or a late wave of few leads; so with six leads and more the walk is
repeated at several shares, jointly and lead by lead, and a linear model of where these ends lie against each
other moves the limit. Its weights were learnt by `benchmarks/signals_fit_limits.py` against the marks of all
leads of LUDB (doi 10.13026/eegm-h675).
"""

import numpy as np
from scipy import ndimage

from chevet.signals.arrays import Floats, Mask
from chevet.signals.ecg_weights_limits import OFFSET, ONSET

_ON, _OFF = 0.04, 0.085  # share of the greatest speed
SHARES = (0.02, 0.04, 0.06, 0.085, 0.12, 0.2, 0.35)
LEAD_SHARES = (0.04, 0.085, 0.2)
_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)  # of the leads' own ends
_ENOUGH_LEADS = 6
_USUAL_MS = 100.0
_FARTHEST_MS = 50.0  # an end farther away says no more than that
_QUIET_S = (0.014, 0.020)  # how long the speed must stay low before and after the QRS
_REACH_S = (0.12, 0.16)


def qrs_limits(beat: Floats, centre: int, rate_hz: float) -> tuple[int, int]:
    """Return onset and end of the QRS.

    Args:
        beat: median beat, weighted leads [c, w].
        centre: index of the R peak.
        rate_hz: sampling rate.
    """
    on, off = plain_limits(beat, centre, rate_hz)
    if len(beat) < _ENOUGH_LEADS:
        return on, off
    moved = []
    for side, (at, weights) in enumerate(((on, ONSET), (off, OFFSET))):
        by_ms = float(limit_inputs(beat, centre, rate_hz, (on, off), side) @ weights)
        moved.append(round(at + np.clip(by_ms, -_FARTHEST_MS, _FARTHEST_MS) * rate_hz / 1000))
    first, last = max(moved[0], 0), min(moved[1], beat.shape[1] - 1)
    return (first, last) if first < centre < last else (on, off)


def plain_limits(beat: Floats, centre: int, rate_hz: float) -> tuple[int, int]:
    """Return the limits by one threshold on the spatial velocity."""
    speed = _speed(beat, rate_hz)
    top, floor, high = _top(speed, centre, rate_hz)
    return (
        _end(speed, top, floor + _ON * high, centre, rate_hz, 0),
        _end(speed, top, floor + _OFF * high, centre, rate_hz, 1),
    )


def limit_inputs(beat: Floats, centre: int, rate_hz: float, limits: tuple[int, int], side: int) -> Floats:
    """Return what the model is fed for one limit: ends in ms against the plain limit, and a constant.

    Args:
        beat: median beat [c, w].
        centre: index of the R peak.
        rate_hz: sampling rate.
        limits: the plain limits.
        side: 0 for the onset, 1 for the end.
    """
    speed = _speed(beat, rate_hz)
    top, floor, high = _top(speed, centre, rate_hz)
    ends = [_end(speed, top, floor + share * high, centre, rate_hz, side) for share in SHARES]
    own = np.array([_lead_ends(row, centre, rate_hz, limits, side) for row in _lead_speeds(beat, rate_hz)])
    of_leads = np.quantile(own, _QUANTILES, axis=0).T.ravel()
    ms = (np.concatenate([ends, of_leads]) - limits[side]) * 1000 / rate_hz
    width = (limits[1] - limits[0]) * 1000 / rate_hz - _USUAL_MS
    clipped = np.clip(np.append(ms, width), -_FARTHEST_MS, _FARTHEST_MS)
    return np.append(clipped, 1.0)


def _lead_ends(speed: Floats, centre: int, rate_hz: float, limits: tuple[int, int], side: int) -> list[int]:
    margin = int(0.04 * rate_hz)
    low, high = max(limits[0] - margin, 0), min(limits[1] + margin, len(speed))
    top = low + int(np.argmax(speed[low:high]))
    floor = _floor(speed, centre, rate_hz)
    rise = float(speed[top]) - floor
    return [_end(speed, top, floor + share * rise, centre, rate_hz, side) for share in LEAD_SHARES]


def _lead_speeds(beat: Floats, rate_hz: float) -> Floats:
    """Size of the slope of every lead, smoothed over about 10 ms."""
    slope = np.gradient(ndimage.gaussian_filter1d(beat, 0.003 * rate_hz, axis=-1), axis=-1)
    smooth: Floats = ndimage.uniform_filter1d(np.abs(slope), max(1, int(0.01 * rate_hz)))
    return smooth


def _speed(beat: Floats, rate_hz: float) -> Floats:
    """Spatial velocity: root of the summed squared slopes of all leads, smoothed over about 10 ms."""
    calm = ndimage.gaussian_filter1d(beat, 0.003 * rate_hz, axis=-1)
    speed = np.sqrt(np.sum(np.gradient(calm, axis=-1) ** 2, axis=0))
    smooth: Floats = ndimage.uniform_filter1d(speed, max(1, int(0.01 * rate_hz)))
    return smooth


def _top(speed: Floats, centre: int, rate_hz: float) -> tuple[int, float, float]:
    """Index of the greatest speed near the R peak, the resting speed, and the height between them."""
    reach = int(_REACH_S[0] * rate_hz)
    near = speed[centre - reach : centre + reach]
    top = centre - reach + int(np.argmax(near * np.hanning(len(near))))
    floor = _floor(speed, centre, rate_hz)
    return top, floor, float(speed[top]) - floor


def _floor(speed: Floats, centre: int, rate_hz: float) -> float:
    calm = np.sort(speed[: centre - int(0.05 * rate_hz)])
    return float(calm[len(calm) // 5])


def _end(speed: Floats, top: int, under: float, centre: int, rate_hz: float, side: int) -> int:
    """Walk from the top until the speed stays under a threshold; where that began."""
    quiet = int(_QUIET_S[side] * rate_hz)
    last = centre + (1, -1)[side == 0] * int(_REACH_S[side] * rate_hz)
    part = speed[max(last, 0) + 1 : top + 1][::-1] if side == 0 else speed[top:last]
    low = np.concatenate([[0], np.cumsum(part < under)])
    run = low[quiet + 1 :] - low[: -quiet - 1] > quiet if len(part) > quiet else np.zeros(0, dtype=bool)
    steps = int(np.argmax(run)) if run.any() else len(part) - _tail(part < under)
    return top - steps if side == 0 else top + steps


def _tail(low: Mask) -> int:
    """How many of the last samples are all low."""
    high = np.flatnonzero(~low)
    return len(low) - 1 - int(high[-1]) if len(high) else len(low)
