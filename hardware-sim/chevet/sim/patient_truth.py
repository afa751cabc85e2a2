"""What really happened to a simulated patient: what a detector should find."""

from dataclasses import dataclass

import numpy as np

from chevet.sim.heart import lungs
from chevet.sim.heart.blocks import Floats
from chevet.sim.heart.rhythm import Beat
from chevet.sim.heart.valves import Closing, closing
from chevet.sim.patient_person import Person

WAVES = ("p_on", "p_peak", "p_off", "qrs_on", "qrs_peak", "qrs_off", "t_on", "t_peak", "t_off")


@dataclass(frozen=True, slots=True)
class BloodPressure:
    """One reading in mm[Hg], whole numbers as a cuff shows them."""

    systolic: int
    diastolic: int
    mean: int


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Ground truth of one window; all times in seconds since the patient's time zero, ascending.

    Rows of beats belong together; a beat is in the window if its R peak is. Spans have shape [k, 2].

    Attributes:
        beats: R peaks, shape [k].
        kinds: "normal", "premature" or "escape" for each.
        waves: by name (`WAVES`), shape [k] each, NaN where a beat has no such wave.
        p_waves: onsets of all P waves, conducted or not.
        s1, s2: spans of the heart sounds, [k, 2]; S2 from aortic closure to the end of the pulmonary part.
        s3: onsets of third sounds.
        murmurs: spans.
        murmur_kind: "ejection", "regurgitation" or "".
        pulses: systolic peaks at the finger, of beats in the window.
        breaths: onsets of inspiration.
        crackles: onsets.
        crackles_side: "left", "right" or "".
        wheezes: spans; on both sides.
        heart_rate_per_min: over the window; NaN with fewer than two beats.
        respiration_per_min: mean over the window.
        spo2_pct: mean over the window.
        perfusion_pct: infrared pulse against mean light.
        ears: eardrum drawing by side.
    """

    beats: Floats
    kinds: tuple[str, ...]
    waves: dict[str, Floats]
    p_waves: Floats
    s1: Floats
    s2: Floats
    s3: Floats
    murmurs: Floats
    murmur_kind: str
    pulses: Floats
    breaths: Floats
    crackles: Floats
    crackles_side: str
    wheezes: Floats
    heart_rate_per_min: float
    respiration_per_min: float
    spo2_pct: float
    perfusion_pct: float
    ears: dict[str, str]


def truth_of(person: Person, start_s: float, seconds: float) -> Truth:
    """Return what happens to `person` from `start_s` (0 or later) on for `seconds` (more than 0)."""
    stop_s = start_s + seconds
    near = person.rhythm.beats(start_s - 0.5, stop_s)
    beats = [beat for beat in near if start_s <= _r_s(person, beat) < stop_s]
    r_s = np.array([_r_s(person, beat) for beat in beats])
    waves = [person.conduction.waves(beat) for beat in beats]
    sounds = [_closing(person, beat) for beat in beats]
    breaths, crackles, wheezes = _breathing(person, start_s, stop_s)
    return Truth(
        beats=r_s,
        kinds=tuple(beat.kind for beat in beats),
        waves={name: np.array([getattr(one, name) for one in waves]) for name in WAVES},
        p_waves=np.array(person.rhythm.p_waves(start_s, stop_s)),
        s1=_spans([(one.s1_on, one.s1_off) for one in sounds]),
        s2=_spans([(one.s2_on, one.s2_off) for one in sounds]),
        s3=np.array([one.s3_on for one in sounds if one.s3_on == one.s3_on]),
        murmurs=_spans([(one.murmur_on, one.murmur_off) for one in sounds]),
        murmur_kind=person.voice.murmur.kind if person.voice.murmur else "",
        pulses=np.array([person.vessels.peak_s(beat) for beat in beats]),
        breaths=breaths,
        crackles=crackles,
        crackles_side=person.airways.crackles_side if person.airways.crackles_per_breath else "",
        wheezes=wheezes,
        heart_rate_per_min=60 / float(np.diff(r_s).mean()) if len(r_s) > 1 else np.nan,
        respiration_per_min=float(np.diff(person.rhythm.breath.count(np.array([start_s, stop_s])))[0])
        * 60
        / seconds,
        spo2_pct=float(person.vessels.saturation(np.linspace(start_s, stop_s, 21)).mean()),
        perfusion_pct=person.vessels.perfusion_pct,
        ears=dict(person.ears),
    )


def _r_s(person: Person, beat: Beat) -> float:
    return beat.qrs_s + person.conduction.shapes[beat.kind].r_s


def _closing(person: Person, beat: Beat) -> Closing:
    return closing(beat, person.voice, person.rhythm.breath.filled(beat.qrs_s))


def _breathing(person: Person, start_s: float, stop_s: float) -> tuple[Floats, Floats, Floats]:
    """Return onsets of breaths and crackles, and spans of wheezes, that begin in the window."""
    breath, airways, seed = person.rhythm.breath, person.airways, person.seed
    first, last = (int(np.floor(breath.count(np.array(edge)))) for edge in (start_s, stop_s))
    numbers = range(first, last + 1)
    breaths = [breath.time_of(number) for number in numbers]
    crackles = [one.at_s for k in numbers for one in lungs.crackles(breath, airways, seed, k)]
    wheezes = [one for k in numbers if (one := lungs.wheeze(breath, airways, seed, k))]
    return (
        np.array([at for at in breaths if start_s <= at < stop_s]),
        np.array([at for at in crackles if start_s <= at < stop_s]),
        _spans([(one.on_s, one.off_s) for one in wheezes if start_s <= one.on_s < stop_s]),
    )


def _spans(pairs: list[tuple[float, float]]) -> Floats:
    """Return `pairs` as [k, 2], without those that are not there (NaN)."""
    kept = [pair for pair in pairs if pair[0] == pair[0]]
    return np.array(kept, dtype=np.float64).reshape(len(kept), 2)
