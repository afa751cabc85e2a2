"""The course: the lessons of a training day, in order, with what the box checks in each.

Only codes stand here; the screens have the words. A step's check is a function of `training_checks`, its
argument is what that function reads. The patients are invented, and two of them share a name on purpose:
telling them apart by a second identifier is what the course teaches first.
"""

from dataclasses import dataclass

from chevet.study.study import Patient

IDENTITY, ORDER, QUALITY, TIME, ACTION = "identity", "order", "quality", "time", "action"
PARTS = (IDENTITY, ORDER, QUALITY, TIME, ACTION)
LAID, RECORDING = "laid", "recording"
"""When a lesson's fault begins: before the trainee's first touch, or in the middle of the first recording."""
START, TILES, RETAKE = "start", "tiles", "retake"
"""Where a lesson begins: the first screen, the instruments of a visit laid ready, an answer to read."""

TRAINING_PREFIX = "training-"
"""Ids of training patients begin so; they are never offered in a visit of a real person."""

FATIMA, HOMONYM, BRAHIM, LAHCEN = (
    Patient("training-fatima-1", "Fatima Amrani", 1961, "F", "T-1042"),
    Patient("training-fatima-2", "Fatima Amrani", 1987, "F", "T-2210"),
    Patient("training-brahim", "Brahim Oubella", 1954, "M", "T-0077"),
    Patient("training-lahcen", "Lahcen Azoulay", 2019, "M", "T-3305"),
)
PATIENTS = (FATIMA, HOMONYM, BRAHIM, LAHCEN)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, which the box sees by itself.

    Attributes:
        check: a name of `training_checks.CHECKS`.
        arg: what it reads, such as "heart_sound:A,P,E,T,M".
        part: of the score.
        must: without it the lesson is not passed, whatever the score.
    """

    check: str
    arg: str = ""
    part: str = ACTION
    must: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """One question to think about; the right answer stays on the box.

    Attributes:
        code, options: what screens translate.
        right: one of the options.
    """

    code: str
    options: tuple[str, ...]
    right: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong in a lesson, switched on at the simulator.

    Attributes:
        instrument: its kind.
        step: the examination in which it shows.
        name, value: of the simulator.
        act: what the hands have to do.
        when: LAID, from the beginning, or RECORDING, in the middle of the first recording.
    """

    instrument: str
    step: str
    name: str
    value: str
    act: str
    when: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson.

    Attributes:
        code: its name.
        icon: of the kiosk's pictures.
        minutes: time allowed for full marks.
        begins: START, TILES or RETAKE.
        patient: who is examined.
        question: asked at its end, if any.
        fault: what goes wrong, if anything.
    """

    code: str
    icon: str
    minutes: float
    steps: tuple[Step, ...]
    begins: str = TILES
    patient: Patient = FATIMA
    question: Question | None = None
    fault: Fault | None = None

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """Return the steps, then the question and the time, which every lesson scores alike."""
        asked = (Step("answered", self.question.code, ACTION),) if self.question else ()
        return (*self.steps, *asked, Step("in_time", f"{self.minutes:g}", TIME, must=False))


WHO = Step("right_patient", part=IDENTITY)
CARE = Step("consent", "care")
HEART, LUNGS, EARS = "heart_sound:A,P,E,T,M", "lung_sound:Ar,Al,Lr,Ll,Pr,Pl,Br,Bl", "otoscopy:right,left"


def _good(step: str) -> Step:
    return Step("usable", step, QUALITY, must=False)


def _ask(code: str, right: str, *others: str) -> Question:
    """Make a question; options are sorted, so that the right one has no place of its own."""
    return Question(code, tuple(sorted((right, *others))), right)


def _wrong(code: str, icon: str, fault: Fault, recorded: str, patient: Patient = FATIMA) -> Lesson:
    """Make a lesson in which an instrument goes wrong: it is seen, mended, and only then is anything kept."""
    steps = (
        Step("noticed", fault.step, QUALITY),
        Step("mended", "", ACTION, must=False),
        Step("recorded", recorded),
        _good(fault.step),
    )
    return Lesson(code, icon, 5, steps, patient=patient, fault=fault)


SENT = Step("sent")
FAULTS: tuple[Lesson, ...] = (
    _wrong(
        "fault_cold",
        "med/pulse_oximeter",
        Fault("oximeter", "oximetry", "cold_finger", "0.03", "warm", LAID),
        "oximetry",
    ),
    _wrong(
        "fault_finger",
        "hand",
        Fault("oximeter", "oximetry", "sensor_off", "", "put_back", RECORDING),
        "oximetry",
        BRAHIM,
    ),
    _wrong(
        "fault_swap",
        "med/heart_cardiogram",
        Fault("ecg", "ecg", "swapped", "LA/RA", "swap_back", LAID),
        "ecg",
    ),
    _wrong("fault_plug", "unplug", Fault("ecg", "ecg", "unplug", "", "plug", RECORDING), "ecg", BRAHIM),
    _wrong(
        "fault_friction",
        "med/stethoscope",
        Fault("stethoscope", "heart_sound", "friction", "1", "hold_still", RECORDING),
        "heart_sound:A,P",
    ),
    _wrong(
        "fault_ear",
        "med/ear",
        Fault("otoscope", "otoscopy", "wrong_ear", "", "other_ear", LAID),
        "otoscopy:right",
        LAHCEN,
    ),
)
LESSONS: tuple[Lesson, ...] = (
    Lesson(
        "sign_in",
        "log-in",
        4,
        (Step("signed_in"),),
        START,
        question=_ask("pin", "nobody", "colleague", "chief"),
    ),
    Lesson(
        "danger",
        "phone",
        3,
        (Step("called", "chest_pain"),),
        START,
        question=_ask("first", "call", "ecg", "wait"),
    ),
    Lesson("identity", "user", 4, (Step("signs_asked", "", ORDER), WHO), START),
    Lesson("consent", "shield-check", 5, (WHO, Step("consent", "care,teaching")), START, BRAHIM),
    Lesson(
        "oximeter",
        "med/pulse_oximeter",
        4,
        (Step("recorded", "oximetry"), _good("oximetry")),
        question=_ask("cold", "warm", "accept", "other_person"),
    ),
    Lesson(
        "electrodes",
        "med/heart_cardiogram",
        6,
        (Step("recorded", "ecg"), _good("ecg")),
        question=_ask("v1", "right_4", "left_4", "left_5"),
    ),
    Lesson(
        "ecg_quality",
        "heart-pulse",
        6,
        (Step("recorded", "ecg"), Step("clean", "ecg", QUALITY)),
        patient=BRAHIM,
        question=_ask("tremor", "rest", "accept", "filter"),
    ),
    Lesson(
        "heart",
        "med/heart_organ",
        8,
        (Step("recorded", HEART), Step("in_order", HEART, ORDER, must=False), _good("heart_sound")),
    ),
    Lesson(
        "lungs",
        "med/lungs",
        10,
        (Step("recorded", LUNGS), Step("in_order", LUNGS, ORDER, must=False), _good("lung_sound")),
    ),
    Lesson(
        "otoscope",
        "med/ear",
        6,
        (Step("recorded", EARS), _good("otoscopy")),
        patient=LAHCEN,
        question=_ask("tip", "new", "wipe", "same"),
    ),
    Lesson(
        "vitals",
        "thermometer",
        5,
        (
            Step("typed", "systolic=148"),
            Step("typed", "diastolic=92"),
            Step("typed", "temperature=38.4"),
            Step("typed", "weight=71.5"),
        ),
        patient=BRAHIM,
    ),
    Lesson(
        "send",
        "send",
        6,
        (Step("asked"), Step("specialty", "cardiology"), Step("urgency", "urgent"), SENT),
        patient=BRAHIM,
    ),
    Lesson(
        "answer",
        "mail-open",
        6,
        (
            Step("answer_read"),
            Step("recorded", "heart_sound:M"),
            Step("in_order", "answer_first", ORDER),
            _good("heart_sound"),
            SENT,
        ),
        RETAKE,
    ),
    Lesson(
        "power",
        "plug",
        8,
        (Step("recorded", "oximetry"), Step("resumed", "", ORDER), SENT),
        patient=BRAHIM,
        question=_ask("offline", "go_on", "wait", "paper"),
    ),
    *FAULTS,
    Lesson(
        "whole",
        "graduation-cap",
        20,
        (
            Step("signs_asked", "", ORDER),
            WHO,
            CARE,
            Step("recorded", "oximetry"),
            Step("recorded", "ecg"),
            Step("recorded", HEART),
            Step("recorded", "otoscopy:right,left"),
            Step("typed", "temperature=37.2"),
            Step("usable", "", QUALITY, must=False),
            Step("asked"),
            Step("specialty", "cardiology"),
            SENT,
        ),
        START,
    ),
)
"""21 lessons, six of them with a fault; the last is the five-device visit that a new worker does in under
20 minutes (product requirements, "Measures for done")."""

BY_CODE = {lesson.code: lesson for lesson in LESSONS}
