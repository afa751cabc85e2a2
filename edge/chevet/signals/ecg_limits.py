"""Where the QRS of a median beat begins and ends.

First each limit is where the spatial velocity of all leads falls to a share of its greatest; then it is
placed in every lead (`ecg_ends`), and the leads are joined: their median, and with the standard twelve mostly
lead II, the rhythm lead, which readers mark first.
"""

import numpy as np
from scipy import interpolate, ndimage

from chevet.signals.arrays import Floats, Mask
from chevet.signals.ecg_ends import RATE_HZ, lead_ends

SECOND_SHARE = 0.85  # of lead II, the rest is the median of all; 0.7-1 do about as well on LUDB
_ON, _OFF = 0.04, 0.085  # share of the greatest speed
_QUIET_S = (0.014, 0.020)  # how long the speed must stay low before and after the QRS
_REACH_S = (0.12, 0.16)


def qrs_limits(beat: Floats, centre: int, rate_hz: float, second: int | None = None) -> tuple[int, int]:
    """Return onset and end of the QRS.

    Args:
        beat: median beat, weighted leads [c, w].
        centre: index of the R peak.
        rate_hz: sampling rate.
        second: row of lead II among the standard twelve; None where it is not known or missing.
    """
    fine, middle = _at_working_rate(beat, centre, rate_hz)
    ends = lead_ends(fine, plain_limits(fine, middle, RATE_HZ), middle)
    joint = np.median(ends, axis=1)
    if second is not None:
        joint += SECOND_SHARE * (ends[:, second] - joint)
    at = np.rint(centre + (joint - middle) * rate_hz / RATE_HZ).astype(int)
    return max(min(int(at[0]), centre - 1), 0), min(max(int(at[1]), centre + 1), beat.shape[1] - 1)


def _at_working_rate(beat: Floats, centre: int, rate_hz: float) -> tuple[Floats, int]:
    """Return the beat at 500 Hz with its R peak on a sample, and where that is."""
    if rate_hz == RATE_HZ:
        return beat, centre
    step, last = rate_hz / RATE_HZ, beat.shape[1] - 1
    middle = int(centre / step)
    at = centre + np.arange(-middle, int((last - centre) / step) + 1) * step
    fine: Floats = interpolate.CubicSpline(np.arange(last + 1), beat, axis=1)(at)
    return fine, middle


def plain_limits(beat: Floats, centre: int, rate_hz: float) -> tuple[int, int]:
    """Return the limits by one threshold on the spatial velocity."""
    speed = _speed(beat, rate_hz)
    top, floor, high = _top(speed, centre, rate_hz)
    return (
        _end(speed, top, floor + _ON * high, centre, rate_hz, 0),
        _end(speed, top, floor + _OFF * high, centre, rate_hz, 1),
    )


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
