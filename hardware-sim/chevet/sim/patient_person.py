"""Drawing one person with a condition: everything about them that does not change."""

from dataclasses import dataclass, replace

import numpy as np

from chevet.sim.heart.breath import Breath
from chevet.sim.heart.dipole import Build, Conduction
from chevet.sim.heart.lungs import Airways
from chevet.sim.heart.pulse import Vessels
from chevet.sim.heart.rhythm import Rhythm
from chevet.sim.heart.shapes import PREMATURE, stretched
from chevet.sim.heart.valves import Voice
from chevet.sim.patient_conditions import Condition, Range

SIDES = ("left", "right")
PR_SPREAD = 0.13


@dataclass(frozen=True, slots=True)
class Person:
    """One drawn person.

    Attributes:
        seed: all randomness follows from it.
        age_years: whole years.
        affected_side: "left" or "right", where a condition has one side.
        rhythm, conduction, build: the heart, electrically.
        voice, airways, vessels: the same to the ear and the finger.
        systolic, diastolic: mean pressures, mm[Hg].
        temperature_cel: mean.
        ears: drawing of the eardrum by side.
    """

    seed: int
    age_years: int
    affected_side: str
    rhythm: Rhythm
    conduction: Conduction
    build: Build
    voice: Voice
    airways: Airways
    vessels: Vessels
    systolic: float
    diastolic: float
    temperature_cel: float
    ears: dict[str, str]


def draw(seed: int, row: Condition, spo2_pct: float | None) -> Person:
    """Draw the person of `seed` with the condition `row`; `spo2_pct` overrides the condition's."""
    rng = np.random.default_rng((seed, 10))
    age = round(_within(rng, row.age_years))
    side = SIDES[int(rng.integers(2))]
    faster, later = rng.uniform(-1, 1, 2)
    pace = replace(
        row.pace,
        rate_per_min=row.pace.rate_per_min * (1 + row.rate_spread * float(faster)),
        pr_s=row.pace.pr_s * (1 + PR_SPREAD * float(later)),
    )
    rhythm = Rhythm(pace, _breath(rng, row), seed)
    airways = replace(row.airways, crackles_side=side if row.airways.crackles_side == "one" else "both")
    return Person(
        seed=seed,
        age_years=age,
        affected_side=side,
        rhythm=rhythm,
        conduction=_conduction(rng, row),
        build=_build(rng),
        voice=row.voice,
        airways=airways,
        vessels=_vessels(rng, row, spo2_pct, age),
        systolic=_within(rng, row.systolic),
        diastolic=_within(rng, row.diastolic),
        temperature_cel=_within(rng, row.temperature_cel),
        ears={one: row.ear if one == side else "normal" for one in SIDES},
    )


def _within(rng: np.random.Generator, span: Range) -> float:
    return float(rng.uniform(*span))


def _breath(rng: np.random.Generator, row: Condition) -> Breath:
    return Breath(
        _within(rng, row.breaths_per_min),
        lead=_within(rng, (0, 1)),
        wander=_within(rng, (0.05, 0.12)),
        wander_s=_within(rng, (35, 55)),
    )


def _conduction(rng: np.random.Generator, row: Condition) -> Conduction:
    """Return the condition's shapes, a little wider or narrower in each person."""
    width = float(np.exp(0.04 * rng.standard_normal()))
    qt = float(np.exp(0.025 * rng.standard_normal()))
    usual = stretched(row.shape, width, qt)
    every = {"normal": usual, "escape": usual, "premature": stretched(PREMATURE, width, qt)}
    return Conduction(every, row.p_wave, row.p_s, row.fibrillation_mv)


def _build(rng: np.random.Generator) -> Build:
    roll, yaw = 0.16 * rng.standard_normal(), 0.12 * rng.standard_normal()
    size, repolarised = np.exp(0.16 * rng.standard_normal(2))
    contacts = tuple(float(one) for one in rng.normal(0.0, 0.8, 8))
    return Build(float(roll), float(yaw), float(size), float(repolarised), contacts)


def _vessels(rng: np.random.Generator, row: Condition, spo2_pct: float | None, age: int) -> Vessels:
    """Return the way to the finger: stiff vessels carry the pulse faster and reflect it sooner."""
    spo2 = _within(rng, row.spo2_pct)
    stiff = min(age, 85) / 85
    return Vessels(
        spo2_pct=spo2 if spo2_pct is None else spo2_pct,
        swing_pct=0.4,
        perfusion_pct=_within(rng, row.perfusion_pct),
        travel_s=0.205 - 0.06 * stiff + 0.01 * float(rng.standard_normal()),
        reflected=0.24 + 0.16 * stiff + 0.03 * float(rng.standard_normal()),
        reflected_s=0.42 - 0.07 * stiff,
    )
