"""A simulated patient: one heart that is seen, heard and felt at once, and the truth about it.

Everything follows from a seed and a condition: the same patient gives the same samples in every run, in any
order of asking and however a signal is cut into windows. All signals share one clock that begins at zero.
"""

from collections.abc import Callable

import numpy as np

from chevet.sim.heart import lungs, valves
from chevet.sim.heart.blocks import Blocks, Floats
from chevet.sim.heart.dipole import Leads
from chevet.sim.heart.errors import PatientError
from chevet.sim.heart.lungs import LungSound
from chevet.sim.heart.pulse import CALIBRATION, Finger
from chevet.sim.heart.valves import HeartSound
from chevet.sim.otoscope_video import OtoscopeVideo
from chevet.sim.patient_conditions import CONDITIONS
from chevet.sim.patient_person import SIDES, draw
from chevet.sim.patient_truth import BloodPressure, Truth, truth_of

Maker = Callable[[int, Floats], Floats]

LATEST_PULSE_S = 1.0
"""After its QRS: by then any pulse has peaked at the finger."""
RATES_HZ = {
    "ecg": (100, 2000),
    "heart": (1000, 48000),
    "lungs": (2000, 48000),
    "light": (25, 1000),
    "pulse": (25, 1000),
}
"""Lowest and highest sample rate of each signal."""


class Patient:
    """One simulated person.

    Args:
        seed: another seed is another person with the same condition.
        condition: a name in `chevet.sim.patient_conditions.CONDITIONS`.
        spo2_pct: mean saturation instead of the condition's own, 60 to 100.
        calibration: (a, b, c) of the oximeter that will read the light: SpO2 = a + b R + c R^2.

    Attributes:
        seed, condition: as given.
        age_years: drawn from the condition's range.
        affected_side: "left" or "right": where a condition of one side is.

    Raises:
        PatientError: no such condition, or a saturation out of range.
    """

    def __init__(
        self,
        seed: int,
        condition: str = "normal",
        *,
        spo2_pct: float | None = None,
        calibration: tuple[float, float, float] = CALIBRATION,
    ) -> None:
        if condition not in CONDITIONS:
            raise PatientError("condition", condition, f"choose one of {', '.join(CONDITIONS)}")
        if spo2_pct is not None and not 60 <= spo2_pct <= 100:
            raise PatientError("spo2_pct", spo2_pct, "give 60 to 100")
        self.seed, self.condition = seed, condition
        self._person = draw(seed, CONDITIONS[condition], spo2_pct)
        self.age_years, self.affected_side = self._person.age_years, self._person.affected_side
        self._calibration = calibration
        self._signals: dict[tuple[str, str, float], Blocks] = {}

    def ecg(self, start_s: float, seconds: float, rate_hz: float = 500.0) -> Floats:
        """Return the twelve leads in standard order (I II III aVR aVL aVF V1 .. V6), mV, shape [12, n].

        Args:
            start_s: the window begins at the sample nearest to it; 0 or later.
            seconds: length; n = round(seconds * rate_hz).
            rate_hz: 100 to 2000.

        Raises:
            PatientError: a window without a sample, or a rate out of range.
        """
        return self._take("ecg", "", (start_s, seconds), rate_hz)

    def heart_sound(self, start_s: float, seconds: float, site: str = "M", rate_hz: float = 4000.0) -> Floats:
        """Return heart sound at `site` (A P E T M), full scale +-1, shape [n].

        Args:
            start_s: as for `ecg`.
            seconds: as for `ecg`.
            site: where the stethoscope lies.
            rate_hz: 1000 to 48000.

        Raises:
            PatientError: unknown site, a window without a sample, or a rate out of range.
        """
        _check_site(site, valves.SITES)
        return self._take("heart", site, (start_s, seconds), rate_hz)

    def lung_sound(self, start_s: float, seconds: float, site: str = "Pr", rate_hz: float = 4000.0) -> Floats:
        """Return lung sound at `site` (Tc Al Ar Pl Pr Ll Lr), full scale +-1, shape [n].

        Args:
            start_s: as for `ecg`.
            seconds: as for `ecg`.
            site: trachea, or anterior, posterior, lateral with left or right.
            rate_hz: 2000 to 48000.

        Raises:
            PatientError: unknown site, a window without a sample, or a rate out of range.
        """
        _check_site(site, lungs.SITES)
        return self._take("lungs", site, (start_s, seconds), rate_hz)

    def pleth(self, start_s: float, seconds: float, rate_hz: float = 125.0) -> Floats:
        """Return red and infrared light through the finger, linear with its DC part, shape [2, n].

        Light falls with each pulse, as a bare sensor sees it; for a wave that points up see `pulse_wave`.

        Args:
            start_s: as for `ecg`.
            seconds: as for `ecg`.
            rate_hz: 25 to 1000.

        Raises:
            PatientError: a window without a sample, or a rate out of range.
        """
        return self._take("light", "", (start_s, seconds), rate_hz)

    def pulse_wave(self, start_s: float, seconds: float, rate_hz: float = 75.0) -> Floats:
        """Return the pulse as an oximeter draws it, pointing up, about 0 to 1, shape [n]; else as `pleth`."""
        return self._take("pulse", "", (start_s, seconds), rate_hz)

    def spo2(self, at_s: float) -> float:
        """Return the true saturation, per cent."""
        return float(self._person.vessels.saturation(np.array(at_s)))

    def pulse_rate(self, at_s: float) -> float:
        """Return pulses a minute over the last 8 s, as a monitor averages them."""
        beats = [beat.rr_s for beat in self._person.rhythm.beats(at_s - 8.0, at_s)]
        return 60 / float(np.mean(beats)) if beats else 60 / self._person.rhythm.pace.rate_per_min

    def intervals(self, start_s: float, stop_s: float) -> list[tuple[float, float]]:
        """Return (R peak, interval since the beat before), both s, of beats whose R is in the span."""
        who = self._person
        beats = who.rhythm.beats(start_s - 0.2, stop_s)
        peaks = [(beat.qrs_s + who.conduction.shapes[beat.kind].r_s, beat.rr_s) for beat in beats]
        return [one for one in peaks if start_s <= one[0] < stop_s]

    def pulses(self, start_s: float, stop_s: float) -> list[float]:
        """Return when pulses peak at the finger, s, of beats as late as need be before the span."""
        who = self._person
        peaks = [who.vessels.peak_s(beat) for beat in who.rhythm.beats(start_s - LATEST_PULSE_S, stop_s)]
        return [peak for peak in peaks if start_s <= peak < stop_s]

    def forget(self, before_s: float) -> None:
        """Drop the memory of beats before `before_s`; signals there can no longer be asked for."""
        self._person.rhythm.forget(before_s)

    def lung_filling(self, at_s: float) -> float:
        """Return how full the lungs are, 0 (end of expiration) to 1 (end of inspiration)."""
        return self._person.rhythm.breath.filled(at_s)

    def breaths_per_min(self, at_s: float) -> float:
        """Return breaths a minute over the half minute around `at_s`."""
        count = self._person.rhythm.breath.count(np.array([at_s - 15.0, at_s + 15.0]))
        return 2 * float(count[1] - count[0])

    @property
    def perfusion_pct(self) -> float:
        """Height of the infrared pulse against its mean light, per cent."""
        return self._person.vessels.perfusion_pct

    def blood_pressure(self, at_s: float) -> BloodPressure:
        """Return what a cuff would show; the pressure changes slowly and with breath."""
        slow = 3.0 * np.sin(2 * np.pi * at_s / 210 + self.seed % 6)
        filled = self._person.rhythm.breath.filled(at_s)
        systolic = self._person.systolic + slow - 3.0 * (filled - 0.4)
        diastolic = self._person.diastolic + 0.6 * slow
        return BloodPressure(round(systolic), round(diastolic), round(diastolic + (systolic - diastolic) / 3))

    def temperature_cel(self, at_s: float) -> float:
        """Return body temperature; it hardly moves within a visit."""
        return float(self._person.temperature_cel + 0.04 * np.sin(2 * np.pi * at_s / 900))

    def ear(self, side: str) -> str:
        """Return the drawing of the eardrum on `side`; see `chevet.sim.eardrum.CONDITIONS`.

        Raises:
            PatientError: a side that is neither "left" nor "right".
        """
        if side not in SIDES:
            raise PatientError("side", side, "choose left or right")
        return self._person.ears[side]

    def otoscope(self, side: str) -> OtoscopeVideo:
        """Return the video of that ear.

        Raises:
            PatientError: as `ear`.
        """
        return OtoscopeVideo(self.ear(side), side, self.seed)

    def truth(self, start_s: float, seconds: float) -> Truth:
        """Return what happens from `start_s` on for `seconds`.

        Raises:
            PatientError: a window that is empty or begins before zero.
        """
        if start_s < 0 or not seconds > 0:
            raise PatientError("window", (start_s, seconds), "start at 0 s or later and give it a length")
        return truth_of(self._person, start_s, seconds)

    def _take(self, kind: str, site: str, window: tuple[float, float], rate_hz: float) -> Floats:
        key = (kind, site, float(rate_hz))
        low, high = RATES_HZ[kind]
        if not low <= rate_hz <= high:
            raise PatientError("rate_hz", rate_hz, f"give {low} to {high} Hz")
        if key not in self._signals:
            self._signals[key] = Blocks(float(rate_hz), self._maker(kind, site, float(rate_hz)))
        try:
            return self._signals[key].take(*window)
        except ValueError as wrong:
            raise PatientError(
                "window", window, "start at 0 s or later and ask for a sample or more"
            ) from wrong

    def _maker(self, kind: str, site: str, rate_hz: float) -> Maker:
        who = self._person
        if kind == "ecg":
            return Leads(who.rhythm, who.conduction, who.build, seed=self.seed, rate_hz=rate_hz).block
        if kind in ("light", "pulse"):
            finger = Finger(who.rhythm, who.vessels, self._calibration, seed=self.seed)
            return finger.light if kind == "light" else finger.volume
        near = "M" if kind == "lungs" else site
        heart = HeartSound(who.rhythm, who.voice, near, seed=self.seed, rate_hz=rate_hz)
        if kind == "heart":
            return heart.block
        breath = who.rhythm.breath
        return LungSound(breath, who.airways, heart, site, seed=self.seed, rate_hz=rate_hz).block


def _check_site(site: str, sites: tuple[str, ...]) -> None:
    if site not in sites:
        raise PatientError("site", site, f"choose one of {', '.join(sites)}")
