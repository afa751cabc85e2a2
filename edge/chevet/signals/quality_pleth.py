"""Quality of a pleth."""

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import signal

from chevet.signals.arrays import Floats, Indices, bridged, check_rate, flat_tops, one_channel, windows_at
from chevet.signals.errors import NoSamplesError, TooShortError
from chevet.signals.filters import band_passed
from chevet.signals.pleth import detect_pulses
from chevet.signals.verdict import Quality, Reason, verdict

_SHORTEST_S = 2.0
# Log odds of motion, from benchmarks/signals_fit_pleth_quality.py; 98 in 100 windows of BIDMC (doi
# 10.13026/C2208R) lie below the limit, nine in ten of those disturbed by more than half the pulse above.
MOTION = np.array([0.66, -3.26, -1.52, 0.37, 0.9, 1.22, 4.36, -2.7])
_MOVED = 1.2


def pleth_quality(pleth: ArrayLike, rate_hz: float, perfusion_index_pct: float | None = None) -> Quality:
    """Judge a pleth.

    The score falls with the odds of motion: how little pulses resemble their median pulse (template matching
    after Orphanidou et al. 2015, doi 10.1109/JBHI.2014.2338351), how little the signal repeats, how much
    heights and intervals change, how many more peaks than pulses there are.

    Args:
        pleth: any scale, shape [n]; NaN where nothing arrived. Below 2 s the verdict is `too_short`.
        rate_hz: 25 to 1000.
        perfusion_index_pct: what the oximeter itself says, if it does; most oximeters scale their pleth to
            full height, so that low perfusion cannot be seen in it.

    Raises:
        ValueError: wrong shape or a rate out of range.
    """
    check_rate(rate_hz, 25, 1000, "the pleth")
    try:
        x = one_channel(pleth, rate_hz, _SHORTEST_S, "the pleth")
    except TooShortError:
        return Quality(0.0, False, (Reason("too_short"),))
    except NoSamplesError:
        return Quality(0.0, False, (Reason("gaps"),))
    y, gap = bridged(x)
    faults: list[tuple[float, Reason]] = []
    if gap.mean() > 0.02:
        faults.append((min(1.0, 2 * float(gap.mean())), Reason("gaps")))
    if np.ptp(y) <= 1e-9 * max(1.0, float(np.abs(y).max())):
        return verdict(0.0, [*faults, (0.0, Reason("flat"))])
    if perfusion_index_pct is not None and perfusion_index_pct < 0.3:
        faults.append((0.4, Reason("low_perfusion")))
    railed = flat_tops(y, ~gap, 5)
    if railed > 0.05:
        faults.append((min(0.8, 0.3 + railed), Reason("saturated")))
    return verdict(*_pulses_agree(x, y, rate_hz, faults))


def _pulses_agree(
    x: Floats, y: Floats, rate_hz: float, faults: list[tuple[float, Reason]]
) -> tuple[float, list[tuple[float, Reason]]]:
    pulses = detect_pulses(x, rate_hz)
    seconds = len(x) / rate_hz
    calm = band_passed(y, rate_hz, 0.5, 8.0)
    if len(pulses) < max(2, 0.4 * seconds) or _only_noise(y, calm, rate_hz):
        return 0.2, [*faults, (0.3, Reason("no_pulse"))]
    if len(pulses) < 3:
        return float(np.clip((_likeness(calm, pulses) - 0.58) / 0.2, 0, 1)), faults
    odds = float(motion_inputs(calm, pulses) @ MOTION)
    if odds > _MOVED:
        faults = [*faults, (0.3, Reason("motion"))]
    return float(1 / (1 + np.exp(np.clip((odds - _MOVED) / 2, -20, 20)))), faults


def _only_noise(y: Floats, calm: Floats, rate_hz: float) -> bool:
    """Return whether more lies above pulses than in their band, as where a sensor feels nothing at all.

    In windows of BIDMC it is 6 % (97 in 100) and at most a third, in a converter's noise twice as much.
    """
    if rate_hz < 50:
        return False
    return float(np.std(band_passed(y, rate_hz, 8.0, 0.45 * rate_hz))) > float(np.std(calm))


def motion_inputs(calm: Floats, pulses: Indices) -> Floats:
    """Return what tells motion, shape [8]: 1, likeness, changes of height and interval, and their like.

    Args:
        calm: band-passed pleth [n].
        pulses: at least 3.
    """
    heights = np.array([np.ptp(calm[a:b]) for a, b in pairwise(pulses)])
    gap = np.diff(pulses)
    like = _likeness(calm, pulses)
    repeats = _repeats(calm, float(np.median(gap)))
    range_ = float(np.log(np.ptp(calm) / max(float(np.median(heights)), 1e-12)))
    rough = float(np.log(max(_change(heights), 0.02)))
    uneven = float(np.log(max(_change(gap), 0.02)))
    peaks = len(signal.argrelmax(calm)[0]) / len(pulses)
    return np.array([1.0, like, repeats, min(range_, 3.0), rough, uneven, min(peaks, 4.0), like * repeats])


def _repeats(calm: Floats, gap: float) -> float:
    """Autocorrelation at the usual interval, the best within a fifth of it."""
    n = len(calm)
    raw = np.fft.irfft(np.abs(np.fft.rfft(calm, 2 * n)) ** 2)[:n] / (n - np.arange(n))
    low, high = int(0.8 * gap), min(int(1.2 * gap) + 1, n)
    return float(raw[low:high].max() / max(float(raw[0]), 1e-18)) if high > low else 0.0


def _change(each: NDArray[np.floating] | Indices) -> float:
    """Median change from one to the next, or to the next but one if that is less, over the median."""
    if len(each) < 3:
        return 0.0
    steps = [float(np.median(np.abs(each[k:] - each[:-k]))) for k in (1, 2)]
    return (steps[0] if len(each) < 5 else min(steps)) / max(float(np.median(each)), 1e-12)


def _likeness(calm: Floats, pulses: Indices) -> float:
    usual_gap = float(np.median(np.diff(pulses)))
    before, after = int(0.35 * usual_gap), int(0.5 * usual_gap)
    inside = pulses[(pulses >= before) & (pulses < len(calm) - after)]
    if len(inside) < 2:
        return 0.5
    each = windows_at(calm, inside, before, after)
    each = each - each.mean(1, keepdims=True)
    usual = np.median(each, axis=0)
    size = np.linalg.norm(each, axis=1) * np.linalg.norm(usual)
    return float(np.median(each @ usual / np.maximum(size, 1e-12)))
