"""Pleth (photoplethysmogram): pulses, pulse rate, respiration rate, SpO2 and perfusion.

Arrays are float64, linear light or the device's own scale, pulses pointing up; NaN marks samples that never
arrived.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from chevet.signals.arrays import Floats, Indices, bridged, check_rate, one_channel, widened
from chevet.signals.errors import WrongShapeError
from chevet.signals.filters import band_passed
from chevet.signals.pleth_breathing import breathing
from chevet.signals.pleth_pulses import peaks_of, pulses_among
from chevet.signals.pleth_spo2 import CALIBRATION, ratio_of_ratios

_LOW_HZ, _HIGH_HZ = 0.5, 8.0
_SPREAD = 0.28  # 22 in 100 windows of 30 s of BIDMC (doi 10.13026/C2208R) lie above it
_CHANGED = 0.06  # share by which the two halves' rates may differ
_HALVES_FROM = 20  # intervals; fewer in a half change with every breath


def detect_pulses(pleth: ArrayLike, rate_hz: float) -> Indices:
    """Find the systolic peak of every pulse.

    Method: `chevet.signals.pleth_pulses`, our own; beat detectors for the pleth are compared by Charlton et
    al. 2022 (doi 10.1088/1361-6579/ac826d).

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
    peaks = peaks_of(calm, rate_hz)
    keep = pulses_among(calm, peaks, rate_hz) & ~widened(gap, int(0.1 * rate_hz))[peaks.at]
    return peaks.at[keep]


def pulse_rate(pleth: ArrayLike, rate_hz: float) -> float | None:
    """Return the pulse rate per minute: 60 over the usual interval between pulses.

    The usual interval is the mean of the middle half of the intervals: nearly as robust as the median, and
    finer than the samples. None with fewer than 3 intervals, or where no one number would say it: the middle
    eight in ten intervals spread over more than 0.28 of the usual one (atrial fibrillation, motion),
    or, from 20 intervals on, the rate changed by more than 6 % from the first to the second half. The limits
    were chosen by `benchmarks/signals_fit_pulses.py --rate`.

    Args:
        pleth: shape [n], at least 2 s.
        rate_hz: 25 to 1000.

    Raises:
        ValueError: as `detect_pulses`.
    """
    interval = np.diff(detect_pulses(pleth, rate_hz)) / rate_hz
    if len(interval) < 3:
        return None
    usual, spread, changed = interval_summary(interval)
    return None if spread > _SPREAD or changed > _CHANGED else 60.0 / usual


def interval_summary(interval: Floats) -> tuple[float, float, float]:
    """Return the usual one of some intervals, how far they spread, and how far they changed.

    Args:
        interval: seconds, in order, at least 3.

    Returns:
        Mean of the middle half, seconds; distance between the tenth and the ninetieth percentile over that;
        difference of the two halves' usual intervals over that, 0 below 20 intervals.
    """
    usual = _middle(interval)
    low, high = np.quantile(interval, [0.1, 0.9])
    half = (len(interval) + 1) // 2
    changed = abs(_middle(interval[:half]) - _middle(interval[half:])) if len(interval) >= _HALVES_FROM else 0
    return usual, float(high - low) / usual, changed / usual


def _middle(interval: Floats) -> float:
    ordered = np.sort(interval)
    cut = len(ordered) // 4
    return float(ordered[cut : len(ordered) - cut].mean())


def respiration_rate(pleth: ArrayLike, rate_hz: float) -> float | None:
    """Return breaths per minute; method in `chevet.signals.pleth_breathing`.

    Args:
        pleth: shape [n], at least 20 s, better 32 s.
        rate_hz: 25 to 1000.

    Returns:
        5 to 42 a minute, or None: it abstains where the modulations show no clear breathing, and where less
        than 20 s of the samples arrived.

    Raises:
        ValueError: too short, not one channel, NaN only, or a rate out of range; says the remedy.
    """
    check_rate(rate_hz, 25, 1000, "the pleth")
    x = one_channel(pleth, rate_hz, 20.0, "the pleth")
    y, gap = bridged(x)
    if np.count_nonzero(~gap) < int(20.0 * rate_hz):
        return None
    return breathing(y, float(rate_hz), detect_pulses(x, rate_hz))


def perfusion_index(infrared: ArrayLike, rate_hz: float) -> float | None:
    """Return the perfusion index in per cent: median pulse height over mean of unscaled infrared light.

    Args:
        infrared: light that arrives, unscaled (with its DC part), shape [n], at least 2 s.
        rate_hz: 25 to 1000.

    Returns:
        Per cent, or None without pulses or without a positive mean.

    Raises:
        ValueError: as `detect_pulses`.
    """
    x = one_channel(infrared, rate_hz, 2.0, "the infrared light")
    beats = detect_pulses(x, rate_hz)
    mean = float(np.nanmean(x))
    if len(beats) < 2 or mean <= 0:
        return None
    calm = band_passed(bridged(x)[0], rate_hz, _LOW_HZ, _HIGH_HZ)
    heights = [np.ptp(calm[a:b]) for a, b in pairwise(beats)]
    return float(100 * np.median(heights) / mean)


def spo2(
    red: ArrayLike, infrared: ArrayLike, rate_hz: float, calibration: tuple[float, float, float] = CALIBRATION
) -> float | None:
    """Estimate oxygen saturation from red and infrared light; an engineering value.

    Method: `chevet.signals.pleth_spo2`.

    Args:
        red: light that arrives, unscaled (with its DC part), shape [n], at least 2 s.
        infrared: same length.
        rate_hz: 25 to 1000.
        calibration: (a, b, c) of the sensor: SpO2 = a + b R + c R^2. The default is the textbook line 110 -
            25 R and fits no real sensor.

    Returns:
        Per cent within 50 to 100, or None where the channels do not pulse together.

    Raises:
        ValueError: too short, lengths that differ, NaN only, or a rate out of range; says the remedy.
    """
    check_rate(rate_hz, 25, 1000, "the light")
    one = one_channel(red, rate_hz, 2.0, "the red light")
    two = one_channel(infrared, rate_hz, 2.0, "the infrared light")
    if len(one) != len(two):
        raise WrongShapeError(
            "the infrared light", two.shape, f"give it as many samples as red has ({len(one)})"
        )
    ratio = ratio_of_ratios(one, two, float(rate_hz))
    if ratio is None:
        return None
    a, b, c = calibration
    return float(np.clip(a + b * ratio + c * ratio**2, 50.0, 100.0))
