"""Where waves begin, peak and end: on median beats over all leads, then beat by beat.

Template first: beats of one shape are averaged, the waves found once in the average, and moved to each
beat. In every part of the beat the leads are joined to the one sum in which that wave is clearest (first
principal component), and the limits are where the slope falls to a share of its greatest. After the ideas
of Martinez et al. 2004 (wavelet slopes, doi 10.1109/TBME.2003.821031) and Pilia et al. 2021 (ECGdeli, doi
10.1016/j.softx.2020.100639); differing from both in averaging first and in joining leads before, not after,
delineation.
"""

from dataclasses import dataclass, fields

import numpy as np

from chevet.signals.arrays import LEAD_NAMES, Floats, Indices, Mask, bridged_rows, widened
from chevet.signals.ecg_beats import BEFORE_S, Shape, shapes_of
from chevet.signals.ecg_waves import Waves, waves_of
from chevet.signals.filters import band_passed

_BAND_HZ = (0.5, 40.0)


@dataclass(frozen=True, slots=True, eq=False)
class Delineation:
    """Sample indices of every beat's waves, as long as the QRS list; -1 where a wave is absent."""

    p_on: Indices
    p_peak: Indices
    p_off: Indices
    qrs_on: Indices
    qrs_peak: Indices
    qrs_off: Indices
    t_on: Indices
    t_peak: Indices
    t_off: Indices


def delineated(x: Floats, rate_hz: float, qrs: Indices) -> Delineation:
    """Delineate the beats of `x` [c, n]; see `chevet.signals.ecg.delineate`."""
    marks = {f.name: np.full(len(qrs), -1, dtype=np.int64) for f in fields(Delineation)}
    marks["qrs_peak"] = qrs.copy()
    y, gaps = bridged_rows(x)
    here = gaps.mean(axis=1) < 0.5
    if not len(qrs) or not here.any():
        return Delineation(**marks)
    weighted = weighted_leads(y[here], rate_hz)
    interval = _neighbours(qrs, x.shape[1])
    irregular = irregularity(qrs)
    second = _row_of_second(here)
    for shape in shapes_of(weighted, rate_hz, qrs):
        waves = waves_of(shape, rate_hz, interval[:, shape.members], irregular, second)
        _place(marks, shape, waves, rate_hz, x.shape[1])
    _leave_gaps_out(marks, widened(gaps[here].all(axis=0), int(0.02 * rate_hz)))
    return Delineation(**marks)


def _row_of_second(here: Mask) -> int | None:
    """Return which of the leads that are `here` is lead II; None unless twelve were recorded and it is."""
    second = LEAD_NAMES.index("II")
    return int(here[:second].sum()) if len(here) == len(LEAD_NAMES) and here[second] else None


def weighted_leads(y: Floats, rate_hz: float) -> Floats:
    """Return the leads at 0.5-40 Hz over the root of their grain, so that clear leads count more."""
    high = min(_BAND_HZ[1], 0.4 * rate_hz)
    calm = band_passed(y, rate_hz, _BAND_HZ[0], high)
    grain = np.median(np.abs(np.diff(calm, axis=-1)), axis=-1)
    grain = np.maximum(grain, 0.3 * np.median(grain))
    weighted: Floats = calm / np.sqrt(np.maximum(grain, 1e-12))[:, None]
    return weighted


def _neighbours(qrs: Indices, length: int) -> Indices:
    """Samples from each beat back to the one before and on to the next, shape [2, k]."""
    back = np.diff(qrs, prepend=min(2 * int(qrs[0]) - length, -length))
    on = np.diff(qrs, append=length + max(length - int(qrs[-1]), 1))
    return np.stack([back, on])


def irregularity(qrs: Indices) -> float:
    """Return the median change from one RR interval to the next over the median interval; 0 with too few."""
    interval = np.diff(qrs)
    if len(interval) < 4:
        return 0.0
    return float(np.median(np.abs(np.diff(interval))) / np.median(interval))


def _place(marks: dict[str, Indices], shape: Shape, waves: Waves, rate_hz: float, length: int) -> None:
    origin = shape.centres - int(BEFORE_S * rate_hz)
    for name, offset in waves.marks().items():
        at = origin + offset
        inside = (offset >= 0) & (at >= 0) & (at < length)
        if name.startswith("p_"):
            inside &= waves.p_here
        if name.startswith("t_"):
            inside &= waves.t_here
        marks[name][shape.members] = np.where(inside, at, -1)


def _leave_gaps_out(marks: dict[str, Indices], gap: Mask) -> None:
    for values in marks.values():
        values[(values >= 0) & gap[np.maximum(values, 0)]] = -1
