"""Numbers of the rhythm: intervals from beat to beat, rate, regularity, and QT corrected for rate."""

import numpy as np

from chevet.signals.arrays import Floats, Indices, Mask, windows_at
from chevet.signals.ecg_measured import FEWEST, Measured

_HIDES_S = 0.05  # missing samples from which a beat may hide between two others
_LOWEST, _HIGHEST = 15.0, 350.0  # beats per minute; beyond it is no rate
_STEADY = 0.2  # spread of RR over RR, up to which one RR stands for all
_ALIKE, _COMPARED = 0.6, 120  # likeness below which "beats" are noise, and how many are compared at most
_AROUND_S = 0.08


def likeness(fast: Floats, beats: Indices, rate_hz: float) -> float:
    """Return how much the beats of a lead are like each other, 0..1; 1 with less than three of them.

    The median over beats of the correlation that two fifths of the others surpass. Below 0.5 in 9 of 10
    stretches of noise and above 0.6 in 98.5 % of windows of 10 s of MIT-BIH.

    Args:
        fast: the lead where its QRS stands out (`ecg_qrs.quick`) [n].
        beats: R peaks [k].
        rate_hz: sampling rate.
    """
    if len(beats) < FEWEST:
        return 1.0
    some = beats[np.linspace(0, len(beats) - 1, min(len(beats), _COMPARED)).astype(int)]
    reach = int(_AROUND_S * rate_hz)
    each = windows_at(fast, some, reach, reach + 1)
    unit = each / np.maximum(np.linalg.norm(each, axis=1), 1e-12)[:, None]
    alike = unit @ unit.T
    np.fill_diagonal(alike, np.nan)
    return float(np.clip(np.median(np.nanquantile(alike, 0.6, axis=1)), 0, 1))


def rr_intervals(beats: Indices, gap: Mask, rate_hz: float) -> Floats:
    """Return seconds from each beat to the next, shape [k - 1]; NaN where a beat may hide in a gap.

    Args:
        beats: R peaks [k].
        gap: which samples never arrived [n].
        rate_hz: sampling rate.
    """
    if len(beats) < 2:
        return np.zeros(0)
    missing = np.concatenate([[0], np.cumsum(gap)])[beats]
    rr: Floats = np.where(np.diff(missing) >= _HIDES_S * rate_hz, np.nan, np.diff(beats) / rate_hz)
    return rr


def heart_rate(rr: Floats, alike: float = 1.0) -> Measured:
    """Return the ventricular rate: 60 over the mean RR interval without the longest and shortest fifth.

    None where beats are hardly `alike` (see `likeness`): what was found is noise then.
    """
    kind, unit, method = "heart_rate", "/min", "60 / mean RR, outer fifths left out"
    known = np.sort(rr[np.isfinite(rr)])
    beats = len(known) + 1 if len(known) else 0
    if beats < FEWEST:
        return Measured(kind, None, unit, method, beats)
    cut = len(known) // 5
    middle = float(known[cut : len(known) - cut].mean())
    spread = float(np.median(np.abs(known - np.median(known))))
    quality = float(np.clip(1 - 2 * spread / middle, 0, 1)) * alike
    inside = alike >= _ALIKE and _LOWEST <= 60 / middle <= _HIGHEST
    return Measured(kind, round(60 / middle, 1) if inside else None, unit, method, beats, quality)


def irregularity(rr: Floats) -> Measured:
    """Return the median change from one RR interval to the next over the median interval."""
    kind, method = "rr_irregularity", "median change of RR over median RR"
    change = np.abs(np.diff(rr))
    change = change[np.isfinite(change)]
    if len(change) < FEWEST:
        return Measured(kind, None, "1", method, len(change))
    usual = float(np.nanmedian(rr))
    spread = float(np.median(np.abs(change - np.median(change)))) / usual
    value = round(float(np.median(change)) / usual, 3)
    return Measured(kind, value, "1", method, len(change) + 2, float(np.clip(1 - 2 * spread, 0, 1)))


def corrected(qt: Measured, rr: Floats) -> tuple[Measured, Measured, Measured, Measured]:
    """Return QT corrected by Bazett, Fridericia, Framingham and Hodges (QT in ms, RR in s).

    Formulas: QT / RR^(1/2) (Bazett 1920), QT / RR^(1/3) (Fridericia 1920), QT + 154 (1 - RR)
    (Sagie et al. 1992, doi 10.1016/0002-9149(92)90562-D), QT + 1.75 (60 / RR - 60) (Hodges 1983).
    None without QT, or where the intervals spread by more than a fifth: no single RR stands for them.
    """
    known = rr[np.isfinite(rr)]
    usual = float(np.median(known)) if len(known) else 1.0
    steady = len(known) >= FEWEST and float(np.median(np.abs(known - usual))) < _STEADY * usual
    value = qt.value if steady else None

    def one(kind: str, name: str, corrected_ms: float) -> Measured:
        shown = None if value is None else round(corrected_ms)
        return Measured(kind, shown, "ms", f"{name}, median QT and RR", qt.beats, qt.quality)

    ms = value or 0.0
    return (
        one("qtc_bazett", "Bazett", ms / usual**0.5),
        one("qtc_fridericia", "Fridericia", ms / usual ** (1 / 3)),
        one("qtc_framingham", "Framingham", ms + 154 * (1 - usual)),
        one("qtc_hodges", "Hodges", ms + 1.75 * (60 / usual - 60)),
    )
