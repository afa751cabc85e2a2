"""Draft measurements of an ECG: each with value or None, unit, method, beats used and quality."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from chevet.signals import ecg_qrs
from chevet.signals.arrays import Floats, Indices, bridged, check_rate, names_of, several_leads, windows_at
from chevet.signals.ecg_delineate import Delineation, delineated, irregularity

_FEWEST = 3  # beats; fewer make a number a guess


@dataclass(frozen=True, slots=True)
class Measured:
    """One draft number.

    Attributes:
        kind: such as "heart_rate", "qtc_fridericia".
        value: in `unit`; None rather than a guess.
        unit: UCUM code.
        method: how it was found.
        beats: how many beats it rests on.
        quality: 0..1, agreement of the beats it rests on.
    """

    kind: str
    value: float | None
    unit: str
    method: str
    beats: int = 0
    quality: float = 0.0


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
    beats = beats_of(x, rate_hz, names)
    waves = delineated(x, rate_hz, beats)
    qt = interval("qt", waves.qrs_on, waves.t_off, rate_hz, 35.0)
    rate = heart_rate(beats, rate_hz)
    unsteady = irregularity(beats)
    frontal = (x, names, rate_hz)
    return EcgMeasurements(
        rate,
        Measured(
            "rr_irregularity",
            round(unsteady, 3) if len(beats) > 4 else None,
            "1",
            "median change of RR over median RR",
            len(beats),
            rate.quality,
        ),
        interval("pr", waves.p_on, waves.qrs_on, rate_hz, 20.0),
        interval("qrs", waves.qrs_on, waves.qrs_off, rate_hz, 15.0),
        qt,
        *corrected(qt, beats, rate_hz),
        axis("p_axis", frontal, waves.p_on, waves.p_off),
        axis("qrs_axis", frontal, waves.qrs_on, waves.qrs_off),
        axis("t_axis", frontal, waves.t_on, waves.t_off),
        st_levels(x, names, waves, rate_hz),
    )


def interval(kind: str, start: Indices, end: Indices, rate_hz: float, widest_ms: float) -> Measured:
    """Return the median from `start` to `end`, ms; None where beats spread by more than `widest_ms` (MAD)."""
    method = "median over beats, delineation over all leads"
    both = (start >= 0) & (end >= 0)
    spans = (end[both] - start[both]) * 1000 / rate_hz
    if len(spans) < _FEWEST:
        return Measured(kind, None, "ms", method, len(spans))
    spread = float(np.median(np.abs(spans - np.median(spans))))
    value = round(float(np.median(spans))) if spread <= widest_ms else None
    return Measured(kind, value, "ms", method, len(spans), float(np.clip(1 - spread / widest_ms, 0, 1)))


def corrected(qt: Measured, beats: Indices, rate_hz: float) -> tuple[Measured, Measured, Measured, Measured]:
    """Return QT corrected by Bazett, Fridericia, Framingham and Hodges (QT in ms, RR in s).

    Formulas: QT / RR^(1/2) (Bazett 1920), QT / RR^(1/3) (Fridericia 1920), QT + 154 (1 - RR)
    (Sagie et al. 1992, doi 10.1016/0002-9149(92)90562-D), QT + 1.75 (60 / RR - 60) (Hodges 1983).
    None without QT, or where the intervals spread by more than a fifth: no single RR stands for them.
    """
    rr = np.diff(beats) / rate_hz
    usual = float(np.median(rr)) if len(rr) else 0.0
    steady = len(rr) >= _FEWEST and float(np.median(np.abs(rr - usual))) < 0.2 * usual

    def one(kind: str, name: str, value: float) -> Measured:
        method = f"{name}, median QT and RR"
        return Measured(
            kind,
            round(value) if steady and qt.value is not None else None,
            "ms",
            method,
            qt.beats,
            qt.quality,
        )

    ms = qt.value or 0.0
    rr_s = max(usual, 0.1)
    return (
        one("qtc_bazett", "Bazett", ms / rr_s**0.5),
        one("qtc_fridericia", "Fridericia", ms / rr_s ** (1 / 3)),
        one("qtc_framingham", "Framingham", ms + 154 * (1 - rr_s)),
        one("qtc_hodges", "Hodges", ms + 1.75 * (60 / rr_s - 60)),
    )


def axis(kind: str, frontal: tuple[Floats, tuple[str, ...], float], start: Indices, end: Indices) -> Measured:
    """Return the frontal axis of a wave from its net areas in I and aVF (II - I/2 where that is missing)."""
    x, names, rate_hz = frontal
    method = "net areas in I and aVF, median over beats"
    both = (start >= 0) & (end > start)
    pair = _frontal_pair(x, names)
    if pair is None or both.sum() < _FEWEST:
        return Measured(kind, None, "deg", method, int(both.sum()))
    areas = np.array([_net_areas(pair, a, b, rate_hz) for a, b in zip(start[both], end[both], strict=True)])
    middle = np.nanmedian(areas, axis=0)
    size = float(np.hypot(*middle))
    spread = float(np.nanmedian(np.hypot(*(areas - middle).T)))
    quality = float(np.clip(1 - spread / max(size, 1e-12), 0, 1)) if np.isfinite(size) else 0.0
    degrees = float(np.degrees(np.arctan2(middle[1], middle[0])))
    return Measured(kind, round(degrees) if quality > 0.3 else None, "deg", method, int(both.sum()), quality)


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
    """Return the ST level of every lead: J + 60 ms against the 20 ms before QRS, median over beats."""
    method = "J + 60 ms against PQ level, median over beats"
    known = (waves.qrs_on >= 0) & (waves.qrs_off >= 0)
    at = waves.qrs_off[known] + int(0.06 * rate_hz)
    before = waves.qrs_on[known] - int(0.01 * rate_hz)
    inside = (at < x.shape[1] - 2) & (before > int(0.01 * rate_hz))
    found = []
    for name, row in zip(names, x, strict=True):
        half = max(1, int(0.01 * rate_hz))
        level = windows_at(row, at[inside], 1, 2).mean(-1) - windows_at(row, before[inside], half, half).mean(
            -1
        )
        level = level[np.isfinite(level)]
        spread = float(np.median(np.abs(level - np.median(level)))) if len(level) else 1.0
        good = len(level) >= _FEWEST and spread < 0.1
        value = round(float(np.median(level)), 3) if good else None
        found.append(
            Measured(f"st_{name}", value, "mV", method, len(level), float(np.clip(1 - spread / 0.1, 0, 1)))
        )
    return tuple(found)


def beats_of(x: Floats, rate_hz: float, names: tuple[str, ...] | None = None) -> Indices:
    """Return the R peaks of the lead in which QRS complexes stand out most, limb lead II where equal.

    Args:
        x: leads in mV, shape [c, n]; NaN where nothing arrived.
        rate_hz: 100 to 2000.
        names: of the rows; None means the standard twelve, or numbers.
    """
    names = names_of(names, len(x))
    here = [i for i, row in enumerate(x) if np.isfinite(row).sum() >= 0.8 * len(row)]
    if not here:
        return np.zeros(0, dtype=np.int64)
    clear = clearness(np.stack([bridged(x[i])[0] for i in here]), rate_hz)
    clear *= [1.1 if names[i] == "II" else 1.0 for i in here]
    return ecg_qrs.detect(x[here[int(np.argmax(clear))]], rate_hz)


def clearness(rows: Floats, rate_hz: float) -> Floats:
    """Return how far the QRS feature of each lead [c, n] (no gaps) stands above its median, capped; [c]."""
    feature = ecg_qrs.slope_energy(rows, rate_hz)
    floor = np.maximum(np.median(feature, axis=-1), 1e-9)
    clear: Floats = np.minimum(np.quantile(feature, 0.96, axis=-1) / floor, 50.0)
    return clear


def heart_rate(beats: Indices, rate_hz: float) -> Measured:
    """Return the ventricular rate: 60 over the mean RR interval without the longest and shortest fifth."""
    method = "60 / mean RR, outer fifths left out"
    rr = np.sort(np.diff(beats)) / rate_hz
    if len(rr) < 2:
        return Measured("heart_rate", None, "/min", method, len(beats))
    cut = len(rr) // 5
    middle = float(rr[cut : len(rr) - cut].mean())
    spread = float(np.median(np.abs(rr - np.median(rr))))
    value = 60 / middle
    quality = float(np.clip(1 - 2 * spread / middle, 0, 1))
    return Measured(
        "heart_rate", round(value, 1) if 15 <= value <= 350 else None, "/min", method, len(beats), quality
    )
