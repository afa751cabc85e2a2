"""Draft measurements of an ECG: each with value or None, unit, method, beats used and quality."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from chevet.signals import ecg_qrs
from chevet.signals.arrays import Floats, Indices, bridged, check_rate, names_of, several_leads


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
    """Draft measurements of one recording; `all()` lists them."""

    heart_rate: Measured

    def all(self) -> tuple[Measured, ...]:
        """Return every measurement, in the order of the fields."""
        return tuple(m for m in (getattr(self, f.name) for f in fields(self)) if isinstance(m, Measured))


def measure(leads: ArrayLike, rate_hz: float, lead_names: tuple[str, ...] | None = None) -> EcgMeasurements:
    """Measure an ECG.

    Args:
        leads: mV, shape [c, n] or [n], at least 2 s.
        rate_hz: 100 to 2000.
        lead_names: names of the rows; None means the standard twelve, or numbers.

    Returns:
        Drafts; a value is None where fewer than 3 beats, or beats that disagree, would make it a guess.

    Raises:
        ValueError: too short, NaN only, wrong shape or rate.
    """
    check_rate(rate_hz, 100, 2000, "the ECG")
    x = several_leads(leads, rate_hz, 2.0)
    names = names_of(lead_names, len(x))
    beats = beats_of(x, rate_hz, names)
    return EcgMeasurements(heart_rate(beats, rate_hz))


def beats_of(x: Floats, rate_hz: float, names: tuple[str, ...]) -> Indices:
    """Return the R peaks of the lead in which QRS complexes stand out most, limb lead II where equal."""
    scored = []
    for name, row in zip(names, x, strict=True):
        if np.isfinite(row).sum() < 0.8 * len(row):
            continue
        scored.append((clearness(row, rate_hz) * (1.1 if name == "II" else 1.0), name))
    if not scored:
        return np.zeros(0, dtype=np.int64)
    return ecg_qrs.detect(x[names.index(max(scored)[1])], rate_hz)


def clearness(row: Floats, rate_hz: float) -> float:
    """Return how far the QRS feature of one lead stands above its median, capped."""
    feature = ecg_qrs.slope_energy(bridged(row)[0], rate_hz)
    floor = float(np.median(feature))
    if floor <= 0 and not feature.max() > 0:
        return 0.0
    return float(min(np.quantile(feature, 0.96) / max(floor, 1e-9), 50.0))


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
