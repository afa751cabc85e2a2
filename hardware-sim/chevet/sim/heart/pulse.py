"""The pulse at the finger: volume, and red and infrared light through it.

Each beat sends a wave of a systolic and a reflected part (two bell curves are known to suffice: Tang et al.
2020, doi 10.1038/s41598-020-69076-x; here the first is a gamma curve for its steep foot) and a slow
runoff; it arrives after ejection and travel. Light follows Beer and Lambert; the share of red against
infrared pulsation is the ratio R that the calibration gives for the saturation, so an oximeter with that
calibration reads it back.
"""

from dataclasses import dataclass

import numpy as np

from chevet.sim.heart.blocks import Floats, Wander, white
from chevet.sim.heart.rhythm import Beat, Rhythm

CALIBRATION = (110.0, -25.0, 0.0)
"""SpO2 = a + b R + c R^2: the textbook line (Webster 1997, doi 10.1201/9780367806446)."""
PRE_EJECTION_S = 0.105
INFRARED_DC, RED_DC = 1.0, 0.8
LIGHT_NOISE = 1.0e-4
"""RMS against the light's mean."""
LASTS_S = 2.2
RUNOFF, RUNOFF_S = 0.24, 0.5
"""Share and time constant of the slow emptying of the vessels in diastole."""


@dataclass(frozen=True, slots=True)
class Vessels:
    """How the pulse reaches the finger.

    Attributes:
        spo2_pct: mean arterial saturation.
        swing_pct: how far it slowly drifts to both sides.
        perfusion_pct: height of the infrared pulse against its mean light.
        travel_s: from the aortic valve to the finger.
        reflected: height of the reflected wave against the first.
        reflected_s: when it arrives, after the foot.
    """

    spo2_pct: float
    swing_pct: float
    perfusion_pct: float
    travel_s: float
    reflected: float
    reflected_s: float

    def saturation(self, at_s: Floats) -> Floats:
        """Return SpO2 in per cent, never over 100."""
        drift = np.sin(2 * np.pi * at_s / 47.0) * 0.7 + np.sin(2 * np.pi * at_s / 19.0) * 0.3
        return np.minimum(100.0, self.spo2_pct + self.swing_pct * drift)

    def foot_s(self, beat: Beat) -> float:
        """Return when the pulse of `beat` begins to rise."""
        late = 0.02 if beat.stroke < 0.6 else 0.0  # a poorly filled ventricle opens its valve later
        return beat.qrs_s + PRE_EJECTION_S + self.travel_s + late

    def peak_s(self, beat: Beat) -> float:
        """Return when its systolic part is highest."""
        return self.foot_s(beat) + SYSTOLIC_S


SYSTOLIC_S = 0.180


def ratio_of(spo2_pct: Floats, calibration: tuple[float, float, float]) -> Floats:
    """Return the ratio R whose calibrated saturation is `spo2_pct`; the smaller root of a parabola.

    Raises:
        ValueError: the calibration never gives this saturation.
    """
    a, b, c = calibration
    if not c:
        if not b:
            raise ValueError(f"calibration {calibration} does not depend on R: give it a slope")
        return np.asarray((spo2_pct - a) / b)
    inside = b * b - 4 * c * (a - spo2_pct)
    if np.any(inside < 0):
        raise ValueError(f"calibration {calibration} never reaches {np.max(spo2_pct):.1f} %: check its terms")
    roots = np.stack([(-b + np.sqrt(inside)) / (2 * c), (-b - np.sqrt(inside)) / (2 * c)])
    return np.asarray(np.min(np.where(roots > 0, roots, np.inf), axis=0))


class Finger:
    """Pulsing volume and light at one rate; both blocks fit `Blocks`."""

    def __init__(
        self,
        rhythm: Rhythm,
        vessels: Vessels,
        calibration: tuple[float, float, float],
        *,
        seed: int,
    ) -> None:
        self._rhythm, self._vessels, self._calibration = rhythm, vessels, calibration
        self._seed = seed
        self._drift = Wander((seed, 29))

    def volume(self, _k: int, at_s: Floats) -> Floats:
        """Return the arterial volume, pulses up, about 0 to 1, shape [n]."""
        total = np.zeros(len(at_s))
        for beat in self._rhythm.beats(at_s[0] - LASTS_S - 0.6, at_s[-1]):
            self._add_pulse(total, at_s, beat)
        filled = self._rhythm.breath.volume(at_s)
        breathing = (1 - 0.10 * (filled - 0.4)) * total - 0.16 * (filled - 0.4)
        return np.asarray(breathing + 0.05 * self._drift.at(at_s))

    def _add_pulse(self, total: Floats, at_s: Floats, beat: Beat) -> None:
        vessels = self._vessels
        foot = vessels.foot_s(beat)
        first, stop = np.searchsorted(at_s, [foot, foot + LASTS_S])
        if first == stop:
            return
        after = at_s[first:stop] - foot
        rise = after / SYSTOLIC_S
        shape = 0.88 * rise**3.0 * np.exp(3.0 * (1 - rise))
        quick = min(1.0, beat.usual_rr_s / 0.8) ** 0.4
        back = (after - vessels.reflected_s * quick) / 0.085
        shape += vessels.reflected * np.exp(-0.5 * back**2) * np.minimum(1.0, rise)
        shape += RUNOFF * np.minimum(1.0, rise) * np.exp(-after / RUNOFF_S) * (1 - after / LASTS_S)
        total[first:stop] += beat.stroke**1.3 * (1 + 0.02 * beat.vary[3]) * shape

    def light(self, k: int, at_s: Floats) -> Floats:
        """Return red and infrared light that arrives, shape [2, n], linear, falling with each pulse."""
        absorbed = self.volume(k, at_s) * self._vessels.perfusion_pct / 100
        ratio = ratio_of(self._vessels.saturation(at_s), self._calibration)
        noise = 1 + LIGHT_NOISE * white((self._seed, 30, round(1 / (at_s[1] - at_s[0]))), k, (2, len(at_s)))
        red, infrared = RED_DC * np.exp(-ratio * absorbed), INFRARED_DC * np.exp(-absorbed)
        return np.asarray(np.stack([red, infrared]) * noise)
