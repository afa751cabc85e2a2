"""Pleth (photoplethysmogram): pulses, pulse rate.

Arrays are float64, linear light or the device's own scale, pulses pointing up; NaN marks samples that never
arrived.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage, signal

from chevet.signals.arrays import Floats, Indices, Mask, bridged, check_rate, one_channel, widened
from chevet.signals.filters import band_passed

_LOW_HZ, _HIGH_HZ = 0.5, 8.0
_REFRACTORY_S = 0.27  # 220 a minute


def detect_pulses(pleth: ArrayLike, rate_hz: float) -> Indices:
    """Find the systolic peak of every pulse.

    Peaks of the 0.5-8 Hz signal whose prominence reaches 0.35 of the running median prominence.

    Args:
        pleth: shape [n], at least 2 s; any scale and offset; NaN where nothing arrived.
        rate_hz: 25 to 1000.

    Returns:
        int64 [k], ascending; none inside a gap.

    Raises:
        ValueError: empty, too short, not one channel, NaN only, or a rate out of range; says the remedy.
    """
    check_rate(rate_hz, 25, 1000, "the pleth")
    x = one_channel(pleth, rate_hz, 2.0, "the pleth")
    y, gap = bridged(x)
    calm = band_passed(y, rate_hz, _LOW_HZ, _HIGH_HZ)
    if not np.ptp(calm) > 1e-9 * max(1.0, float(np.abs(y).max())):
        return np.zeros(0, dtype=np.int64)
    at, found = signal.find_peaks(calm, distance=max(1, int(_REFRACTORY_S * rate_hz)), prominence=0)
    keep = _stands_out(found["prominences"]) & ~widened(gap, int(0.1 * rate_hz))[at]
    pulses: Indices = at[keep].astype(np.int64)
    return pulses


def _stands_out(prominence: Floats) -> Mask:
    if not len(prominence):
        return np.zeros(0, dtype=bool)
    usual = ndimage.percentile_filter(prominence, 70, size=min(15, len(prominence)), mode="nearest")
    kept: Mask = prominence > 0.35 * usual
    return kept


def pulse_rate(pleth: ArrayLike, rate_hz: float) -> float | None:
    """Return the pulse rate per minute: 60 over the median interval between pulses.

    None with fewer than 3 intervals, or where they disagree by more than 40 % (median deviation): no guess.

    Args:
        pleth: shape [n], at least 2 s.
        rate_hz: 25 to 1000.

    Raises:
        ValueError: as `detect_pulses`.
    """
    interval = np.diff(detect_pulses(pleth, rate_hz)) / rate_hz
    if len(interval) < 3:
        return None
    usual = float(np.median(interval))
    if np.median(np.abs(interval - usual)) > 0.4 * usual:
        return None
    return 60.0 / usual
