"""What a simulated patient can have: nineteen conditions, each a row of plain values.

Values are usual ones of textbooks for a typical case, chosen so that the finding is plain to see or hear;
mild and doubtful cases are not among them.
"""

from dataclasses import dataclass, field

from chevet.sim.heart import shapes
from chevet.sim.heart.lungs import Airways
from chevet.sim.heart.rhythm import Pace
from chevet.sim.heart.shapes import Bell, Shape
from chevet.sim.heart.valves import Murmur, Voice

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; a patient is drawn from its ranges.

    Attributes:
        title: in plain words.
        age_years: youngest and oldest.
        pace: the rhythm; its rate is varied by `rate_spread`.
        rate_spread: share by which patients' rates differ, to both sides.
        shape: of a conducted beat.
        p_wave, p_s: bells and length of P.
        fibrillation_mv: size of f waves.
        voice, airways: heart and lungs to the ear.
        breaths_per_min: range.
        spo2_pct, perfusion_pct, systolic, diastolic, temperature_cel: ranges.
        ear: drawing of the eardrum on the affected side; see `chevet.sim.eardrum.CONDITIONS`.
    """

    title: str
    age_years: Range = (25, 60)
    pace: Pace = field(default_factory=lambda: Pace("sinus", 70))
    rate_spread: float = 0.10
    shape: Shape = shapes.NORMAL
    p_wave: tuple[Bell, ...] = shapes.P_WAVE
    p_s: float = shapes.P_WAVE_S
    fibrillation_mv: float = 0.0
    voice: Voice = field(default_factory=Voice)
    airways: Airways = field(default_factory=Airways)
    breaths_per_min: Range = (12, 17)
    spo2_pct: Range = (96.5, 99)
    perfusion_pct: Range = (1.2, 4)
    systolic: Range = (108, 134)
    diastolic: Range = (66, 84)
    temperature_cel: Range = (36.4, 37.1)
    ear: str = "normal"


_EJECTION = Murmur("ejection", 0.30, 90.0, 190.0, (1.0, 0.65, 0.75, 0.40, 0.45))
_REGURGITATION = Murmur("regurgitation", 0.16, 130.0, 290.0, (0.15, 0.15, 0.40, 0.45, 1.0))

CONDITIONS = {
    "normal": Condition("healthy adult"),
    "child": Condition(
        "healthy child",
        age_years=(4, 8),
        pace=Pace("sinus", 98, respiratory=0.085, slow=0.025, pr_s=0.128),
        shape=shapes.CHILD,
        p_s=0.092,
        voice=Voice(first=1.1, second=1.1, pitch=1.18),
        breaths_per_min=(20, 26),
        systolic=(92, 106),
        diastolic=(54, 66),
    ),
    "bradycardia": Condition(
        "sinus bradycardia", pace=Pace("sinus", 44, respiratory=0.05, pr_s=0.175), rate_spread=0.08
    ),
    "tachycardia": Condition(
        "sinus tachycardia with fever",
        pace=Pace("sinus", 128, respiratory=0.012, slow=0.012, jitter=0.004, pr_s=0.135),
        rate_spread=0.06,
        voice=Voice(first=1.15),
        breaths_per_min=(20, 24),
        temperature_cel=(38.6, 39.4),
    ),
    "atrial-fibrillation": Condition(
        "atrial fibrillation",
        age_years=(62, 84),
        pace=Pace("fibrillation", 94, jitter=0.21),
        fibrillation_mv=0.055,
    ),
    "premature-beats": Condition(
        "premature ventricular beats", age_years=(40, 75), pace=Pace("premature", 72, premature=0.16)
    ),
    "complete-av-block": Condition(
        "complete atrioventricular block",
        age_years=(66, 86),
        pace=Pace("block", 37, atrial_per_min=82),
        rate_spread=0.08,
        shape=shapes.ESCAPE,
        systolic=(140, 165),
        diastolic=(58, 72),
    ),
    "anterior-infarction": Condition(
        "acute anterior myocardial infarction with ST elevation",
        age_years=(48, 75),
        pace=Pace("sinus", 92, respiratory=0.015, slow=0.01),
        shape=shapes.ANTERIOR_INFARCTION,
        breaths_per_min=(16, 21),
        spo2_pct=(93, 96),
        systolic=(98, 125),
    ),
    "inferior-infarction": Condition(
        "acute inferior myocardial infarction with ST elevation",
        age_years=(48, 75),
        pace=Pace("sinus", 62, respiratory=0.015, slow=0.01, pr_s=0.185),
        shape=shapes.INFERIOR_INFARCTION,
        breaths_per_min=(15, 20),
        systolic=(92, 118),
    ),
    "left-bundle-block": Condition(
        "left bundle branch block",
        age_years=(55, 80),
        shape=shapes.LEFT_BUNDLE_BLOCK,
        voice=Voice(first=0.75),
    ),
    "aortic-stenosis": Condition(
        "aortic stenosis, moderate to severe, with left ventricular strain",
        age_years=(66, 84),
        shape=shapes.LEFT_VENTRICLE_STRAINED,
        voice=Voice(first=0.9, second=0.55, murmur=_EJECTION),
        systolic=(102, 122),
        diastolic=(70, 84),
    ),
    "mitral-regurgitation": Condition(
        "mitral regurgitation with a large left atrium",
        age_years=(45, 75),
        p_wave=shapes.P_WAVE_BROAD,
        p_s=shapes.P_WAVE_BROAD_S,
        voice=Voice(first=0.70, murmur=_REGURGITATION),
    ),
    "third-sound": Condition(
        "failing heart with a third sound",
        age_years=(55, 80),
        pace=Pace("sinus", 96, respiratory=0.012, slow=0.008),
        rate_spread=0.06,
        voice=Voice(first=0.85, third=0.62),
        breaths_per_min=(18, 23),
        spo2_pct=(92, 95),
        systolic=(96, 115),
    ),
    "crackles": Condition(
        "pneumonia of one base with crackles",
        pace=Pace("sinus", 98, respiratory=0.02, slow=0.012),
        airways=Airways(crackles_per_breath=9.0, crackles_side="one"),
        breaths_per_min=(20, 26),
        spo2_pct=(91, 94),
        temperature_cel=(38.2, 39.3),
    ),
    "wheeze": Condition(
        "airway obstruction with wheezes",
        age_years=(18, 50),
        pace=Pace("sinus", 104, respiratory=0.02, slow=0.012),
        airways=Airways(wheeze_hz=(262.0, 388.0)),
        breaths_per_min=(19, 25),
        spo2_pct=(92, 95),
    ),
    "hypoxia": Condition(
        "low oxygen saturation",
        pace=Pace("sinus", 112, respiratory=0.015, slow=0.01),
        breaths_per_min=(25, 30),
        spo2_pct=(80, 86),
    ),
    "low-perfusion": Condition(
        "cold, badly perfused fingers",
        pace=Pace("sinus", 104, respiratory=0.012, slow=0.008),
        perfusion_pct=(0.15, 0.26),
        systolic=(84, 96),
        diastolic=(48, 58),
        temperature_cel=(35.4, 36.0),
    ),
    "otitis-media": Condition(
        "acute otitis media of one ear",
        age_years=(4, 8),
        pace=Pace("sinus", 112, respiratory=0.05, slow=0.02, pr_s=0.122),
        shape=shapes.CHILD,
        p_s=0.092,
        voice=Voice(first=1.1, second=1.1, pitch=1.18),
        breaths_per_min=(21, 27),
        systolic=(94, 108),
        diastolic=(54, 66),
        temperature_cel=(38.3, 39.4),
        ear="bulging",
    ),
    "ear-wax": Condition("wax that closes one ear canal", ear="wax"),
}
