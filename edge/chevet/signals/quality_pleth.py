"""Quality of a pleth."""

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from chevet.signals.arrays import Floats, Indices, bridged, check_rate, flat_tops, one_channel, windows_at
from chevet.signals.errors import NoSamplesError, TooShortError
from chevet.signals.filters import band_passed
from chevet.signals.pleth import detect_pulses
from chevet.signals.verdict import Quality, Reason, verdict

_SHORTEST_S = 2.0
_MOVED = 0.75  # 97 in 100 windows of BIDMC (doi 10.13026/C2208R) lie above it


def pleth_quality(pleth: ArrayLike, rate_hz: float, perfusion_index_pct: float | None = None) -> Quality:
    """Judge a pleth.

    The score is the median correlation of pulses with their median pulse (template matching after
    Orphanidou et al. 2015, doi 10.1109/JBHI.2014.2338351).

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
    if len(pulses) < max(2, 0.4 * seconds):
        return 0.2, [*faults, (0.3, Reason("no_pulse"))]
    calm = band_passed(y, rate_hz, 0.5, 8.0)
    agree = _likeness(calm, pulses) * _steadiness(calm, pulses)
    if agree < _MOVED:
        faults = [*faults, (0.3, Reason("motion"))]
    return float(np.clip((agree - 0.58) / 0.2, 0, 1)), faults


def _steadiness(calm: Floats, pulses: Indices) -> float:
    """Return 1 for pulses of one height in a steady rhythm; less where either scatters.

    An irregular heart (median change of interval up to 30 %) loses hardly anything.
    """
    heights = np.array([np.ptp(calm[a:b]) for a, b in pairwise(pulses)])
    usual = max(float(np.median(heights)), 1e-12)
    spread = float(np.median(np.abs(heights - usual))) / usual
    gap = np.diff(pulses)
    hurry = float(np.median(np.abs(np.diff(gap)))) / float(np.median(gap)) if len(gap) > 2 else 0.0
    height = float(np.clip(1 - 0.5 * (spread - 0.2) / 0.4, 0.5, 1))
    return height * float(np.clip(1 - 1.2 * (hurry - 0.2), 0.3, 1))


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
