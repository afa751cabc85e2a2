"""The waves of one median beat."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from chevet.signals.arrays import Floats, Indices, Mask
from chevet.signals.ecg_beats import BEFORE_S, Shape
from chevet.signals.ecg_limits import plain_limits, qrs_limits

# Shares of the greatest slope at which a wave is taken to begin or end; chosen on LUDB (doi
# 10.13026/eegm-h675).
_P_ON, _P_OFF = 0.25, 0.60
_T_ON, _T_OFF = 0.50, 0.30
_P_LIKENESS = 0.78  # median over beats; fibrillation and flutter lie below
_IRREGULAR = 0.15  # median change of interval over interval: atrial fibrillation
_P_SHORTEST_S = 0.03
# Readers mark the top in their lead, not over the line through the wave's ends; means on LUDB.
_P_PEAK_S, _T_PEAK_S = -0.003, 0.005


@dataclass(slots=True, eq=False)
class Waves:
    """Offsets in the median beat's window (-1: absent) and which member beats show P and T."""

    p: tuple[int, int, int]
    qrs: tuple[int, int]
    t: tuple[int, int, int]
    p_here: Mask
    t_here: Mask

    def marks(self) -> dict[str, int]:
        """Return offsets by the names of `Delineation`, all but the R peak."""
        ends = ("on", "peak", "off")
        found = ((wave, three) for wave, three in (("p", self.p), ("t", self.t)))
        named = {f"{wave}_{end}": at for wave, three in found for end, at in zip(ends, three, strict=True)}
        return named | {"qrs_on": self.qrs[0], "qrs_off": self.qrs[1]}


def waves_of(
    shape: Shape, rate_hz: float, interval: Indices, irregular: float, second: int | None = None
) -> Waves:
    """Find the waves of one shape.

    Args:
        shape: beats of one shape.
        rate_hz: sampling rate.
        interval: samples to the beat before and to the next, of every member, shape [2, k].
        irregular: median change from interval to interval, as a share of the interval.
        second: row of lead II among the standard twelve, if it is there.
    """
    beat = shape.beat
    centre = int(BEFORE_S * rate_hz)
    plain_on, _ = plain_limits(beat, centre, rate_hz)
    on, off = qrs_limits(beat, centre, rate_hz, second)
    usual = np.median(interval, axis=1) / rate_hz
    t_end = min(
        0.14 + 0.5 * float(np.sqrt(min(usual[1], 1.4))), 0.72 * usual[1], beat.shape[1] / rate_hz - BEFORE_S
    )
    t = _wave(beat, off + int(0.05 * rate_hz), centre + int(t_end * rate_hz), rate_hz, (_T_ON, _T_OFF), 12.0)
    p_start = max(plain_on - int(0.28 * rate_hz), int((BEFORE_S - 0.45 * usual[0]) * rate_hz), 0)
    p = _wave(beat, p_start, min(on, plain_on) - int(0.005 * rate_hz), rate_hz, (_P_ON, _P_OFF), 25.0)
    p, t = _peak_moved(p, _P_PEAK_S, rate_hz), _peak_moved(t, _T_PEAK_S, rate_hz)
    p_here = _shown(shape.each, p, rate_hz) & (irregular < _IRREGULAR)
    return Waves(p, (on, off), t, p_here, np.full(len(shape.members), t[1] >= 0))


def _wave(
    beat: Floats, low: int, high: int, rate_hz: float, shares: tuple[float, float], top_hz: float
) -> tuple[int, int, int]:
    """Onset, peak and end of the wave between two offsets, (-1, -1, -1) where there is no room for one."""
    if high - low < int(_P_SHORTEST_S * rate_hz) or low < 0:
        return (-1, -1, -1)
    margin = int(0.06 * rate_hz)
    start, end = max(low - margin, 0), min(high + margin, beat.shape[1])
    sigma = rate_hz / (2 * np.pi * top_hz) * 1.2
    part = ndimage.gaussian_filter1d(beat[:, start:end], sigma, axis=-1)
    inside = part[:, low - start : high - start]
    level = inside - np.linspace(0, 1, inside.shape[1]) * (inside[:, -1:] - inside[:, :1]) - inside[:, :1]
    axis = np.linalg.svd(level, full_matrices=False)[0][:, 0]
    one = axis @ level
    peak = int(np.argmax(np.abs(one)))
    slope = np.gradient(axis @ part) * np.sign(one[peak])
    at = peak + low - start
    on = _slope_ends(slope, at, -1, shares[0], low - start)
    off = _slope_ends(-slope, at, 1, shares[1], high - start)
    return (on + start, at + start, off + start)


def _peak_moved(wave: tuple[int, int, int], by_s: float, rate_hz: float) -> tuple[int, int, int]:
    on, peak, off = wave
    return (on, min(max(peak + round(by_s * rate_hz), on), off), off) if peak >= 0 else wave


def _slope_ends(slope: Floats, peak: int, step: int, share: float, limit: int) -> int:
    """Follow a flank from the peak to where its slope has fallen to a share of its steepest."""
    flank = slope[limit : peak + 1][::-1] if step < 0 else slope[peak:limit]
    if len(flank) < 3:
        return peak
    steepest = int(np.argmax(flank))
    after = np.flatnonzero(flank[steepest:] < share * flank[steepest])
    run = steepest + int(after[0]) if len(after) else len(flank) - 1
    return peak + step * run


def _shown(each: Floats, wave: tuple[int, int, int], rate_hz: float) -> Mask:
    """Which beats show the median beat's wave: those whose own stretch correlates with it."""
    count = each.shape[1]
    if wave[1] < 0:
        return np.zeros(count, dtype=bool)
    pad = int(0.03 * rate_hz)
    part = each[:, :, max(wave[0] - pad, 0) : wave[2] + pad]
    part = part - part.mean(-1, keepdims=True)
    usual = np.median(part, axis=1)
    own = np.einsum("ckw,cw->k", part, usual)
    size = np.sqrt(np.sum(part**2, axis=(0, 2)) * np.sum(usual**2))
    likeness = own / np.maximum(size, 1e-12)
    steady = float(np.median(likeness)) >= _P_LIKENESS
    shown: Mask = (likeness >= 0.2) & steady
    return shown
