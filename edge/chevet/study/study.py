"""All recordings and vitals of one visit with reason, question and consent; immutable once closed."""

from dataclasses import dataclass, field

from chevet.study.recording import QualityMark, Recording

URGENCIES = ("routine", "urgent", "emergency")
CONSENT_PURPOSES = ("care", "teaching", "research", "recording")
HTEST = "HTEST"
"""Label of everything simulated or for training: HL7 v3 ActReason, test health data."""


@dataclass(frozen=True, slots=True)
class Patient:
    """Who was examined. `id` is random and the only part that may leave a sealed bundle.

    Attributes:
        id: UUIDv7 as text.
        name: as given by the patient.
        birth_year: or None where unknown.
        sex: "F", "M" or "".
        local_number: the site's register number (second identifier).
    """

    id: str
    name: str
    birth_year: int | None
    sex: str
    local_number: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """What the patient allowed, by purpose, and when (edge wall clock, Unix ms)."""

    purposes: tuple[str, ...]
    given_ms: int
    witness: str = ""


@dataclass(frozen=True, slots=True)
class Vital:
    """One vital sign of the visit; None when the device gave no number.

    `source` is a driver's name or "manual"; `recording` the id it came from, "" if typed.
    """

    kind: str
    value: float | None
    unit: str
    source: str
    at_ms: int
    quality: QualityMark
    recording: str = ""


@dataclass(frozen=True, slots=True)
class EdgeClock:
    """When, by the box: wall clock, boot id and monotonic time; order comes from the latter two.

    `quality` is "synchronised", "free-running" or "unknown".
    """

    wall_ms: int
    boot_id: str
    monotonic_s: float
    quality: str = "unknown"


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """One closed visit.

    Attributes:
        id: UUIDv7 as text; also the id of the case it opens.
        site: the site's short code, at most 6 characters of a-z and 0-9.
        worker: the worker's id.
        reason: coded reason for the visit.
        question: the worker's words to the specialist.
        specialty: one of `chevet.study.specialties`.
        urgency: one of URGENCIES.
        label: HTEST for simulated or training data, else "".
    """

    id: str
    site: str
    worker: str
    patient: Patient
    consent: Consent
    reason: str
    question: str
    specialty: str
    urgency: str
    closed: EdgeClock
    recordings: tuple[Recording, ...] = ()
    vitals: tuple[Vital, ...] = ()
    language: str = "fr"
    label: str = ""
    notes: dict[str, str] = field(default_factory=dict[str, str])
