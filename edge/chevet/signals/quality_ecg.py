"""Quality of an ECG, lead by lead.

Faults are found in physical units (mV), so the leads must be in mV. How far the beats of a lead resemble
each other tells motion from everything that has a name (after Orphanidou et al. 2015, doi
10.1109/JBHI.2014.2338351; here the median over beats, so that an extrasystole now and then does no harm,
and the noise between beats is weighed too).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from chevet.signals import ecg_qrs
from chevet.signals.arrays import (
    Floats,
    Indices,
    Mask,
    bridged_rows,
    check_rate,
    flat_tops,
    long_runs,
    names_of,
    several_leads,
    windows_at,
)
from chevet.signals.ecg_choice import choose
from chevet.signals.errors import NoSamplesError, TooShortError
from chevet.signals.filters import MAINS_HZ, band_passed, hum_of_each
from chevet.signals.verdict import Quality, Reason, verdict

_SHORTEST_S = 2.0
_FLAT_MV = 0.03  # a limb lead at right angles to the heart's axis still shows more than 0.05 mV
_HUM_MV = 0.05  # RMS; 0.14 mV peak to peak, 1.4 mm on paper
_TREMOR_MV = 0.03  # median deviation 35-95 Hz; twice the noisiest of LUDB
# Muscle at 20-95 Hz, and how it compares with what lies at 0.7-8 Hz: 0.4 in 100 leads of LUDB (doi
# 10.13026/eegm-h675) and of MIT-BIH exceed both; recorded muscle noise (doi 10.13026/C2HS3T) of 0.12 mV does.
_MUSCLE_MV, _MUSCLE_SHARE = 0.02, 0.3
_WANDER_MV = 2.0  # peak to peak below 0.5 Hz, 2 cm on paper
_RAIL_MV = 0.8  # closer to the middle a flat top is a coarse converter's, not a rail's
_GAP_SHARE = 0.02
_SURELY_ALIKE, _SURELY_CALM = 0.95, 0.1
_FAST_RATE_HZ = 200.0  # slower ones do not carry 95 Hz; tremor is not judged then


@dataclass(frozen=True, slots=True)
class LeadLook:
    """What one lead looks like, in mV unless said.

    Attributes:
        gaps: share of samples that never arrived.
        still: share of samples in runs without any change of 1 s and more.
        range_mv: 1st to 99th percentile.
        railed: share of samples stuck at the lead's highest or lowest value.
        hum_mv: RMS at 50 or 60 Hz.
        tremor_mv: median deviation at 35-95 Hz, mains left out.
        muscle_mv: the same at 20-95 Hz.
        muscle_share: that over the median deviation at 0.7-8 Hz.
        wander_mv: peak to peak below 0.5 Hz.
        likeness: median correlation of beats with their median beat, 0 where there are too few.
        restless: noise between beats over the height of the QRS, about 0.05 in a clean lead.
    """

    gaps: float
    still: float
    range_mv: float
    railed: float
    hum_mv: float
    tremor_mv: float
    muscle_mv: float
    muscle_share: float
    wander_mv: float
    likeness: float
    restless: float


def ecg_quality(leads: ArrayLike, rate_hz: float, lead_names: tuple[str, ...] | None = None) -> Quality:
    """Judge an ECG.

    Args:
        leads: mV, shape [c, n] or [n]; NaN where nothing arrived. 3 s and more say most; below 2 s the
            verdict is `too_short`.
        rate_hz: 100 to 2000.
        lead_names: names of the rows for the reasons' details; None means the standard twelve, or numbers.

    Returns:
        Score: mean of the leads' scores and of the worst. A lead that is off or flat makes it unusable.

    Raises:
        ValueError: wrong shape, names that do not fit, or a rate out of range.
    """
    check_rate(rate_hz, 100, 2000, "the ECG")
    try:
        x = several_leads(leads, rate_hz, _SHORTEST_S)
    except TooShortError:
        return Quality(0.0, False, (Reason("too_short"),))
    except NoSamplesError:
        return Quality(0.0, False, (Reason("gaps"),))
    names = names_of(lead_names, len(x))
    looks = look_at_leads(x, rate_hz)
    off = [_is_off(look) for look in looks]
    if all(off) and all(look.gaps < 1 for look in looks):
        return Quality(0.0, False, (Reason("flat"),))
    faults = [(1.0, Reason("lead_off", name)) for name, gone in zip(names, off, strict=True) if gone]
    scores = []
    for name, look, gone in zip(names, looks, off, strict=True):
        if not gone:
            found = _lead_faults(name, look)
            scores.append(verdict(_clean(look), found).score)
            faults += [(0.0, reason) for _, reason in found]
    score = 0.5 * min(scores) + 0.5 * float(np.mean(scores))
    return verdict(score, _gathered(faults, len(x)))


def lead_scores(x: Floats, rate_hz: float) -> Floats:
    """Return the score of every lead [c, n], shape [c]; see `ecg_quality`."""
    looks = look_at_leads(x, rate_hz)
    return np.array([0.0 if _is_off(k) else verdict(_clean(k), _lead_faults("", k)).score for k in looks])


def look_at_leads(x: Floats, rate_hz: float) -> list[LeadLook]:
    """Measure every lead of `x` [c, n]; see `LeadLook`."""
    y, gap = bridged_rows(x)
    bands = _bands_of(y, rate_hz)  # all leads at once: much faster
    mains = np.max([hum_of_each(y, rate_hz, f)[0] for f in MAINS_HZ], axis=0)
    return [_look_at(y[i], gap[i], bands[:, i], float(mains[i]), rate_hz) for i in range(len(x))]


def _bands_of(y: Floats, rate_hz: float) -> Floats:
    """Return of `y` [c, n] beats, wander, waves, muscle and tremor, shape [5, c, n]."""
    wander = y - band_passed(y, rate_hz, 0.5, 0.45 * rate_hz, order=1)
    ways = [(0.7, 40.0), (0.7, 8.0), *([(20.0, 95.0), (35.0, 95.0)] if rate_hz >= _FAST_RATE_HZ else [])]
    calm, waves, *fast = (band_passed(y, rate_hz, low, high) for low, high in ways)
    return np.stack([calm, wander, waves, *(fast or [0 * y, 0 * y])])


def _look_at(y: Floats, gap: Mask, bands: Floats, mains: float, rate_hz: float) -> LeadLook:
    """Measure one lead: bridged, its gaps, its bands [5, n] of `_bands_of`, and its mains hum."""
    calm, wander, waves, muscles, tremor = bands
    gaps = float(gap.mean())
    still = _still_share(y, gap, rate_hz)
    low, high = np.quantile(y[~gap], [0.01, 0.99]) if gaps < 1 else (0.0, 0.0)
    if high - low < _FLAT_MV or gaps > 0.5:
        return LeadLook(gaps, still, float(high - low), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    likeness, restless = _agreement(y, gap, calm, rate_hz)
    muscle = _fast(muscles, mains)
    return LeadLook(
        gaps=gaps,
        still=still,
        range_mv=float(high - low),
        railed=_railed_share(y, gap, rate_hz),
        hum_mv=mains,
        tremor_mv=_fast(tremor, mains),
        muscle_mv=muscle,
        muscle_share=muscle / max(_usual_size(waves), 1e-6),
        wander_mv=float(np.ptp(wander)),
        likeness=likeness,
        restless=restless,
    )


def _still_share(y: Floats, gap: Mask, rate_hz: float) -> float:
    same = np.concatenate([[False], np.diff(y) == 0]) & ~gap
    width = max(2, int(1.0 * rate_hz))
    return float(long_runs(same, width).mean())


def _railed_share(y: Floats, gap: Mask, rate_hz: float) -> float:
    """Share of samples in flat tops: runs of 30 ms and more at the very highest or lowest value."""
    width = max(3, int(0.03 * rate_hz))
    return flat_tops(y, ~gap, width, _RAIL_MV)


def _fast(y: Floats, mains_mv: float) -> float:
    """Median deviation of a lead above 20 or 35 Hz, without mains."""
    spread = _usual_size(y)
    steady = 1.5 * mains_mv  # a sine's median size, taken for a bell curve's, is 1.48 times its RMS
    return float(np.sqrt(max(spread**2 - steady**2, 0.0)))


def _usual_size(y: Floats) -> float:
    return 1.4826 * float(np.median(np.abs(y)))


def _agreement(y: Floats, gap: Mask, calm: Floats, rate_hz: float) -> tuple[float, float]:
    """Return likeness and restlessness of a lead's beats, see `LeadLook`.

    Where the beats of the first pass are alike and calm between, as in nine of ten clean leads, the second
    pass, which takes as long again, would find the same ones.
    """
    step = max(1, int(rate_hz / ecg_qrs.WORKING_RATE_HZ))
    seen, first = ecg_qrs.begun(y, gap, rate_hz, step)
    likeness, restless = _beats_agree(calm, ecg_qrs.refined(y, gap, seen.at[first] * step, rate_hz), rate_hz)
    if likeness >= _SURELY_ALIKE and restless <= _SURELY_CALM:
        return likeness, restless
    beats = ecg_qrs.refined(y, gap, seen.at[choose(seen, first)] * step, rate_hz)
    return _beats_agree(calm, beats, rate_hz)


def _beats_agree(calm: Floats, beats: Indices, rate_hz: float) -> tuple[float, float]:
    for before_s, after_s in ((0.2, 0.4), (0.1, 0.2)):  # seconds as short as two hold few beats whole
        before, after = int(before_s * rate_hz), int(after_s * rate_hz)
        inside = beats[(beats >= before) & (beats < len(calm) - after)]
        if len(inside) >= 2:
            break
    else:
        return 0.0, 1.0
    each = windows_at(calm, inside, before, after)
    each = each - each.mean(1, keepdims=True)
    usual = np.median(each, axis=0)
    size = np.linalg.norm(each, axis=1) * np.linalg.norm(usual)
    likeness = float(np.median(each @ usual / np.maximum(size, 1e-12)))
    half = int(0.05 * rate_hz)
    height = float(np.median(np.ptp(windows_at(calm, inside, half, half), axis=1)))
    residual = float(np.sqrt(np.median((each - usual) ** 2)))
    return max(likeness, 0.0), min(residual / max(height, 1e-9), 1.0)


def _is_off(look: LeadLook) -> bool:
    return look.range_mv < _FLAT_MV or look.gaps > 0.5 or look.still > 0.5


def _clean(look: LeadLook) -> float:
    """How much the beats of a lead stand out of what is no beat, 0..1."""
    alike = np.clip((look.likeness - 0.4) / 0.57, 0, 1)
    quiet = 1 / (1 + (look.restless / 0.2) ** 2)  # no corner: the calmest leads are still told apart
    return float(0.15 + 0.85 * alike * quiet)


def _lead_faults(name: str, look: LeadLook) -> list[tuple[float, Reason]]:
    faults: list[tuple[float, Reason]] = []
    if look.gaps > _GAP_SHARE:
        faults.append((min(1.0, 2 * look.gaps), Reason("gaps", name)))
    if look.still > 0.1:
        faults.append((0.6, Reason("flat", name)))
    if look.railed > 0.01:
        faults.append((0.6, Reason("saturated", name)))
    if look.hum_mv > _HUM_MV:
        faults.append((min(0.7, 0.2 * look.hum_mv / _HUM_MV), Reason("mains_hum", name)))
    shaking = look.muscle_mv > _MUSCLE_MV and look.muscle_share > _MUSCLE_SHARE
    if shaking or look.tremor_mv > _TREMOR_MV:
        strength = max(look.tremor_mv / _TREMOR_MV, 1.0 if shaking else 0.0)
        faults.append((min(0.7, 0.2 * strength), Reason("tremor", name)))
    if look.wander_mv > _WANDER_MV:
        faults.append((min(0.6, 0.2 * look.wander_mv / _WANDER_MV), Reason("baseline_wander", name)))
    if _clean(look) < 0.5 and not shaking:  # muscle is reason enough why beats differ
        faults.append((0.0, Reason("motion", name)))
    return faults


def _gathered(faults: list[tuple[float, Reason]], leads: int) -> list[tuple[float, Reason]]:
    """Name a fault of most leads once, without leads: hum in twelve leads is one thing to mend."""
    counts: dict[str, int] = {}
    for _, reason in faults:
        counts[reason.code] = counts.get(reason.code, 0) + 1
    whole = {code for code, count in counts.items() if count > 0.5 * leads and code != "lead_off"}
    kept = [(weight, reason) for weight, reason in faults if reason.code not in whole]
    return kept + [(0.0, Reason(code)) for code in counts if code in whole]
