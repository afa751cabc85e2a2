"""One simulated patient on the host's clock, touched by every virtual instrument at once.

A beat is seen by the ECG, heard by the stethoscope and felt by the finger clip at moments that belong
together, since all of them ask the same patient by the host's monotonic clock. The patient can become another
while everything runs; what comes before the change stays as it was.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chevet.sim.errors import SimError
from chevet.sim.heart.blocks import Floats
from chevet.sim.patient import Patient
from chevet.sim.patient_conditions import CONDITIONS

CROSSED_IN_S = 0.25
"""A change of condition fades over a quarter of a second, so that no instrument sees a step."""
KEPT_S = 1800.0
"""Beats older than this are forgotten; nobody asks for them, and a simulator may run for weeks."""
FORGET_EVERY_S = 600.0
WEIGHT_KG = {"child": (14.0, 27.0), "adult": (52.0, 94.0)}
GLUCOSE_MG_DL = (78.0, 128.0)


class ConditionError(SimError, ValueError):
    """No such condition.

    Attributes:
        condition: what was asked for.
    """

    def __init__(self, condition: str) -> None:
        super().__init__(f"no condition {condition!r}; there are {', '.join(CONDITIONS)}")
        self.condition = condition


def named(condition: str) -> str:
    """Return the condition's own name; words may be joined by _ or -.

    Raises:
        ConditionError: there is none.
    """
    name = condition.strip().lower().replace("_", "-").replace(" ", "-")
    if name not in CONDITIONS:
        raise ConditionError(condition)
    return name


@dataclass(frozen=True, slots=True)
class Chapter:
    """A stretch of the patient's life with one condition: from `from_s` of the patient's clock on."""

    from_s: float
    patient: Patient


@dataclass(frozen=True, slots=True)
class Found:
    """What one looks up at the patient: rounded as displays do; mm[Hg], Cel, /min, %."""

    systolic: int
    diastolic: int
    mean: int
    pulse_rate: int
    spo2: int
    temperature_cel: float


class OneHeart:
    """The patient in the room.

    Args:
        seed: the same seed gives the same patient.
        condition: a name in `chevet.sim.patient_conditions.CONDITIONS`.
        began: host's monotonic second at which the patient's clock shows 0.
        clock: the host's.

    Attributes:
        seed, began, clock: as given.
        weight_kg, glucose_mg_dl: what scale and meter find; they do not change with the condition.
    """

    def __init__(
        self, seed: int, condition: str, began: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.seed, self.began, self.clock = seed, began, clock
        self._chapters = [Chapter(0.0, Patient(seed, named(condition)))]
        self._forget_at = FORGET_EVERY_S
        rng = np.random.default_rng((seed, 50))
        age = self._chapters[0].patient.age_years
        self.weight_kg = round(float(rng.uniform(*WEIGHT_KG["child" if age < 12 else "adult"])), 1)
        self.glucose_mg_dl = round(float(rng.uniform(*GLUCOSE_MG_DL)))

    @property
    def patient(self) -> Patient:
        """The patient as of the last change."""
        return self._chapters[-1].patient

    def seconds(self, at: float) -> float:
        """Return the patient's clock at host time `at`, never below 0."""
        return max(0.0, at - self.began)

    def at(self, at: float) -> Patient:
        """Return who the patient is at host time `at`."""
        return self._chapter(self.seconds(at)).patient

    def become(self, condition: str, at: float, seed: int | None = None) -> None:
        """Change the condition from host time `at` on; another `seed` is another person.

        Raises:
            ConditionError: there is no such condition.
        """
        patient = Patient(self.seed if seed is None else seed, named(condition))
        from_s = max(self.seconds(at), self._chapters[-1].from_s)
        self._chapters.append(Chapter(from_s, patient))

    def index(self, at: float, rate_hz: float) -> int:
        """Return the number of the sample nearest to host time `at` on the patient's grid of `rate_hz`."""
        return max(0, round(self.seconds(at) * rate_hz))

    def take(self, kind: str, first: int, count: int, rate_hz: float, site: str = "") -> Floats:
        """Return `count` samples of a signal from number `first` of the patient's grid on.

        Args:
            kind: a signal of `Patient`: "ecg", "heart_sound", "lung_sound", "pleth" or "pulse_wave".
            first: 0 is the patient's beginning; samples before it repeat its first one.
            count: how many.
            rate_hz: sample rate.
            site: for sounds.

        Returns:
            What the patient's method of that name gives, last axis `count` long.
        """
        before = min(count, max(0, -first))
        if before:
            rest = self.take(kind, 0, max(1, count - before), rate_hz, site)
            held = np.repeat(rest[..., :1], before, axis=-1)
            return np.concatenate([held, rest[..., : count - before]], axis=-1)
        self._forget((first + count) / rate_hz)
        start_s = first / rate_hz
        last = self._chapter((first + count - 1) / rate_hz)
        samples = _of(last.patient, kind, site, start_s, count, rate_hz)
        return self._crossed(samples, last, kind, site, first, count, rate_hz)

    def _crossed(
        self, samples: Floats, last: Chapter, kind: str, site: str, first: int, count: int, rate_hz: float
    ) -> Floats:
        """Let the chapter before `last` fade into `samples`, where the window reaches back into it."""
        place = self._chapters.index(last)
        at_s = np.arange(first, first + count) / rate_hz
        new = np.clip((at_s - last.from_s) / CROSSED_IN_S, 0.0, 1.0)
        if place == 0 or new[0] == 1.0:
            return samples
        before = self._chapters[place - 1].patient
        old = _of(before, kind, site, first / rate_hz, count, rate_hz)
        return np.asarray(new * samples + (1 - new) * old)

    def _chapter(self, at_s: float) -> Chapter:
        return next((one for one in reversed(self._chapters) if one.from_s <= at_s), self._chapters[0])

    def _forget(self, at_s: float) -> None:
        if at_s < self._forget_at:
            return
        self._forget_at = at_s + FORGET_EVERY_S
        current = self._chapters.index(self._chapter(at_s - KEPT_S))
        del self._chapters[:current]
        for chapter in self._chapters:
            chapter.patient.forget(at_s - KEPT_S)

    def spo2(self, at: float) -> float:
        """Return the true saturation at host time `at`, per cent."""
        return self.at(at).spo2(self.seconds(at))

    def pulse_rate(self, at: float) -> float:
        """Return pulses a minute, as a monitor averages them."""
        return self.at(at).pulse_rate(self.seconds(at))

    def now(self, at: float | None = None) -> Found:
        """Return the patient's numbers at host time `at`, now if there is none given."""
        at = self.clock() if at is None else at
        seconds, patient = self.seconds(at), self.at(at)
        pressure = patient.blood_pressure(seconds)
        rate, spo2 = round(patient.pulse_rate(seconds)), round(patient.spo2(seconds))
        warm = patient.temperature_cel(seconds)
        return Found(pressure.systolic, pressure.diastolic, pressure.mean, rate, spo2, warm)

    def breaths_per_min(self, at: float) -> float:
        """Return breaths a minute, over the half minute around `at`."""
        return self.at(at).breaths_per_min(self.seconds(at))

    def beats(self, start: float, stop: float) -> list[tuple[float, float]]:
        """Return (host time of R, interval to the beat before in s) of beats from `start` to `stop`."""
        found: list[tuple[float, float]] = []
        for patient, from_s, to_s in self._spans(start, stop):
            found += [(self.began + at_s, rr_s) for at_s, rr_s in patient.intervals(from_s, to_s)]
        return found

    def pulses(self, start: float, stop: float) -> list[float]:
        """Return when pulses peak at the finger, host time, from `start` to `stop`."""
        spans = self._spans(start, stop)
        return [self.began + at_s for patient, *span in spans for at_s in patient.pulses(*span)]

    def _spans(self, start: float, stop: float) -> list[tuple[Patient, float, float]]:
        """Return who lives in which part of the span of host time, in the patient's seconds."""
        begin_s, end_s = self.seconds(start), self.seconds(stop)
        ends = [*(chapter.from_s for chapter in self._chapters[1:]), float("inf")]
        cut = [
            (chapter.patient, max(begin_s, chapter.from_s), min(end_s, until_s))
            for chapter, until_s in zip(self._chapters, ends, strict=True)
        ]
        return [one for one in cut if one[2] > one[1]]

    def truth(self, start: float, stop: float) -> list[dict[str, Any]]:
        """Return what happened between two moments of the host's clock, one entry a condition.

        Times in the entries are seconds of the host's monotonic clock; see `docs/simulator.md`.
        """
        return [self._told(*span) for span in self._spans(start, stop)]

    def _told(self, patient: Patient, from_s: float, to_s: float) -> dict[str, Any]:
        true = patient.truth(from_s, to_s - from_s)
        pressure = patient.blood_pressure(to_s)

        def on_host(times: Floats) -> list[Any]:
            return np.round(times + self.began, 4).tolist()  # type: ignore[no-any-return]

        numbers = {
            "heart_rate": round(patient.pulse_rate(to_s), 1),
            "spo2": round(patient.spo2(to_s), 1),
            "respiration_rate": round(true.respiration_per_min, 1),
            "temperature": round(patient.temperature_cel(to_s), 2),
            "blood_pressure": [pressure.systolic, pressure.diastolic, pressure.mean],
            "perfusion_index": round(true.perfusion_pct, 2),
        }
        events = ("beats", "p_waves", "s1", "s2", "s3", "murmurs", "pulses", "breaths", "crackles", "wheezes")
        return {
            "from": round(self.began + from_s, 4),
            "to": round(self.began + to_s, 4),
            "condition": patient.condition,
            "seed": patient.seed,
            **numbers,
            "kinds": list(true.kinds),
            **{name: on_host(getattr(true, name)) for name in events},
            "murmur_kind": true.murmur_kind,
            "crackles_side": true.crackles_side,
            "ears": true.ears,
        }


def _of(patient: Patient, kind: str, site: str, start_s: float, count: int, rate_hz: float) -> Floats:
    seconds = count / rate_hz
    match kind:
        case "ecg":
            return patient.ecg(start_s, seconds, rate_hz)
        case "heart_sound":
            return patient.heart_sound(start_s, seconds, site, rate_hz)
        case "lung_sound":
            return patient.lung_sound(start_s, seconds, site, rate_hz)
        case "pleth":
            return patient.pleth(start_s, seconds, rate_hz)
    return patient.pulse_wave(start_s, seconds, rate_hz)
