"""Draft measurements of an ECG: each with value or None, unit, method, beats used and quality."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from chevet.signals import ecg_qrs
from chevet.signals.arrays import (
    Floats,
    Indices,
    bridged,
    check_rate,
    names_of,
    several_leads,
    windows_at,
)
from chevet.signals.ecg_delineate import Delineation, delineated
from chevet.signals.ecg_measured import FEWEST, Measured, spread_of
from chevet.signals.ecg_rhythm import corrected, heart_rate, irregularity, likeness, rr_intervals

__all__ = ["EcgMeasurements", "Measured", "beats_of", "measure"]

_CLEAR_AXIS = 0.3  # quality of an axis below which its net areas say nothing
_MOST_ST_MV = 0.1  # spread over beats, from which an ST level is a guess
_ST_AFTER_S = 0.06
_LEVEL_S = 0.01  # half of the 20 ms a level is averaged over: a whole turn of mains hum


@dataclass(frozen=True, slots=True)
class EcgMeasurements:
    """Draft measurements of one recording; `all()` lists them.

    Attributes:
        heart_rate: ventricular rate.
        irregularity: median change from one RR interval to the next, as a share of the median interval.
        pr, qrs, qt: median intervals, ms.
        qtc_bazett, qtc_fridericia, qtc_framingham, qtc_hodges: QT corrected for rate, ms.
        p_axis, qrs_axis, t_axis: frontal axes, degrees from -179 to 180.
        st: ST level of each lead 60 ms after the end of QRS against the level before QRS, mV.
    """

    heart_rate: Measured
    irregularity: Measured
    pr: Measured
    qrs: Measured
    qt: Measured
    qtc_bazett: Measured
    qtc_fridericia: Measured
    qtc_framingham: Measured
    qtc_hodges: Measured
    p_axis: Measured
    qrs_axis: Measured
    t_axis: Measured
    st: tuple[Measured, ...]

    def all(self) -> tuple[Measured, ...]:
        """Return every measurement, ST levels last."""
        single = [getattr(self, f.name) for f in fields(self)]
        return tuple(m for m in single if isinstance(m, Measured)) + self.st


def measure(leads: ArrayLike, rate_hz: float, lead_names: tuple[str, ...] | None = None) -> EcgMeasurements:
    """Measure an ECG.

    Args:
        leads: mV, shape [c, n] or [n], at least 2 s.
        rate_hz: 100 to 2000.
        lead_names: names of the rows; None means the standard twelve, or numbers. Axes need I and aVF, or I
            and II.

    Returns:
        Drafts; a value is None where fewer than 3 beats, or beats that disagree, would make it a guess.

    Raises:
        ValueError: too short, NaN only, wrong shape or rate.
    """
    check_rate(rate_hz, 100, 2000, "the ECG")
    x = several_leads(leads, rate_hz, 2.0)
    names = names_of(lead_names, len(x))
    row = _clearest(x, rate_hz, names)
    beats = np.zeros(0, dtype=np.int64) if row is None else ecg_qrs.detect(x[row], rate_hz)
    lead, gap = bridged(x[row or 0])
    alike = likeness(ecg_qrs.quick(lead, rate_hz), beats, rate_hz)
    rr = rr_intervals(beats, gap, rate_hz)
    waves = delineated(x, rate_hz, beats)
    qt = interval("qt", waves.qrs_on, waves.t_off, rate_hz, 35.0)
    frontal = (x, names, rate_hz)
    return EcgMeasurements(
        heart_rate(rr, alike),
        irregularity(rr),
        interval("pr", waves.p_on, waves.qrs_on, rate_hz, 20.0),
        interval("qrs", waves.qrs_on, waves.qrs_off, rate_hz, 15.0),
        qt,
        *corrected(qt, rr),
        axis("p_axis", frontal, waves.p_on, waves.p_off),
        axis("qrs_axis", frontal, waves.qrs_on, waves.qrs_off),
        axis("t_axis", frontal, waves.t_on, waves.t_off),
        st_levels(x, names, waves, rate_hz),
    )


def interval(kind: str, start: Indices, end: Indices, rate_hz: float, widest_ms: float) -> Measured:
    """Return the median from `start` to `end`, ms.

    None where beats spread by more than `widest_ms` (see `spread_of`), or fewer than half show both ends.
    """
    method = "median over beats, limits over all leads (of twelve mostly II)"
    both = (start >= 0) & (end >= 0)
    spans = (end[both] - start[both]) * 1000 / rate_hz
    if len(spans) < max(FEWEST, len(start) / 2):
        return Measured(kind, None, "ms", method, len(spans))
    spread = spread_of(spans)
    value = round(float(np.median(spans))) if spread <= widest_ms else None
    return Measured(kind, value, "ms", method, len(spans), float(np.clip(1 - spread / widest_ms, 0, 1)))


def axis(kind: str, frontal: tuple[Floats, tuple[str, ...], float], start: Indices, end: Indices) -> Measured:
    """Return the frontal axis of a wave from its net areas in I and aVF (II - I/2 where that is missing)."""
    x, names, rate_hz = frontal
    method = "net areas in I and aVF, median over beats"
    both = (start >= 0) & (end > start)
    pair = _frontal_pair(x, names)
    if pair is None or not both.any():
        return Measured(kind, None, "deg", method, int(both.sum()))
    areas = np.array([_net_areas(pair, a, b, rate_hz) for a, b in zip(start[both], end[both], strict=True)])
    areas = areas[np.isfinite(areas).all(axis=1)]
    if len(areas) < FEWEST:
        return Measured(kind, None, "deg", method, len(areas))
    middle = np.median(areas, axis=0)
    size = float(np.hypot(*middle))
    spread = float(np.median(np.hypot(*(areas - middle).T)))
    quality = float(np.clip(1 - spread / max(size, 1e-12), 0, 1))
    degrees = float(np.degrees(np.arctan2(middle[1], middle[0])))
    value = 180 - (180 - round(degrees)) % 360 if quality > _CLEAR_AXIS else None
    return Measured(kind, value, "deg", method, len(areas), quality)


def _frontal_pair(x: Floats, names: tuple[str, ...]) -> Floats | None:
    """Return leads I and aVF times 2 / sqrt 3, at right angles and on one scale, shape [2, n]."""
    if "I" not in names or not {"aVF", "II"} & set(names):
        return None
    one = x[names.index("I")]
    foot = x[names.index("aVF")] if "aVF" in names else x[names.index("II")] - one / 2
    return np.stack([one, foot * 2 / np.sqrt(3)])


def _net_areas(pair: Floats, start: int, end: int, rate_hz: float) -> Floats:
    """Area of both leads over a line through the wave's ends, mV s."""
    part = pair[:, start : end + 1]
    line = part[:, :1] + (part[:, -1:] - part[:, :1]) * np.linspace(0, 1, part.shape[1])
    area: Floats = (part - line).sum(axis=1) / rate_hz
    return area


def st_levels(x: Floats, names: tuple[str, ...], waves: Delineation, rate_hz: float) -> tuple[Measured, ...]:
    """Return the ST level of every lead, 60 ms after the end of QRS against just before QRS."""
    half = max(1, round(_LEVEL_S * rate_hz))
    known = (waves.qrs_on >= 0) & (waves.qrs_off >= 0)
    at = waves.qrs_off[known] + int(_ST_AFTER_S * rate_hz)
    before = waves.qrs_on[known] - half
    inside = (at + half <= x.shape[1]) & (before >= half)
    after, rest = (windows_at(x, where[inside], half, half).mean(-1) for where in (at, before))
    return tuple(_st_level(name, level) for name, level in zip(names, after - rest, strict=True))


def _st_level(name: str, levels: Floats) -> Measured:
    levels = levels[np.isfinite(levels)]
    kind, method = f"st_{name}", "J + 60 ms against PQ level, 20 ms each, median over beats"
    if len(levels) < FEWEST:
        return Measured(kind, None, "mV", method, len(levels))
    middle = float(np.median(levels))
    spread = spread_of(levels)
    value = round(middle, 3) if spread < _MOST_ST_MV else None
    return Measured(kind, value, "mV", method, len(levels), float(np.clip(1 - spread / _MOST_ST_MV, 0, 1)))


def beats_of(x: Floats, rate_hz: float, names: tuple[str, ...] | None = None) -> Indices:
    """Return the R peaks of the lead in which QRS complexes stand out most, limb lead II where equal.

    Args:
        x: leads in mV, shape [c, n]; NaN where nothing arrived.
        rate_hz: 100 to 2000.
        names: of the rows; None means the standard twelve, or numbers.
    """
    row = _clearest(x, rate_hz, names_of(names, len(x)))
    return np.zeros(0, dtype=np.int64) if row is None else ecg_qrs.detect(x[row], rate_hz)


def _clearest(x: Floats, rate_hz: float, names: tuple[str, ...]) -> int | None:
    """Return the row that shows the QRS best; None where every lead misses more than a fifth."""
    here = [i for i, row in enumerate(x) if np.isfinite(row).sum() >= 0.8 * len(row)]
    if not here:
        return None
    clear = clearness(np.stack([bridged(x[i])[0] for i in here]), rate_hz)
    clear *= [1.1 if names[i] == "II" else 1.0 for i in here]
    return here[int(np.argmax(clear))]


def clearness(rows: Floats, rate_hz: float) -> Floats:
    """Return how far the QRS feature of each lead [c, n] (no gaps) stands above its median, capped; [c]."""
    feature = ecg_qrs.slope_energy(rows, rate_hz)
    floor = np.maximum(np.median(feature, axis=-1), 1e-9)
    clear: Floats = np.minimum(np.quantile(feature, 0.96, axis=-1) / floor, 50.0)
    return clear
