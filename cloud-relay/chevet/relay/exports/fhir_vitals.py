"""Vital signs and draft measurements as Observations, after the vital-signs profiles of FHIR R4."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from chevet.relay.exports.fhir_base import (
    ABSENT,
    CATEGORY,
    CHEVET,
    LOINC,
    Json,
    coding,
    concept,
    instant,
    patient,
    quantity,
    ref,
    resource,
)
from chevet.relay.exports.fhir_codes import (
    DRAFTS,
    GLUCOSE_MOLAR,
    PRESSURE,
    PRESSURES,
    PROFILE,
    SIGNS,
    Sign,
)
from chevet.relay.exports.fhir_people import device_of
from chevet.relay.exports.subject import Subject
from chevet.study.recording import Measurement, QualityMark, Recording
from chevet.study.study import Vital

NO_NUMBER = concept(coding(ABSENT, "unknown"))
BARE = Sign("", (), "")


def vitals(subject: Subject) -> Iterator[Json]:
    """Yield one Observation a vital sign; the pressures of one measurement are one."""
    singles = [vital for vital in subject.study.vitals if vital.kind not in PRESSURES]
    for number, vital in enumerate(singles, 1):
        sign = _sign(vital)
        yield _observation(subject, f"vital-{number}", sign, vital, **_value(vital))
    for number, group in enumerate(_measured_together(subject.study.vitals), 1):
        yield _pressure(subject, f"bp-{number}", group)


def drafts(subject: Subject) -> Iterator[Json]:
    """Yield what was computed from each recording: always preliminary, with its method."""
    for number, recording in enumerate(subject.study.recordings, 1):
        for index, draft in enumerate(recording.measurements, 1):
            yield _draft(subject, recording, f"draft-{number}-{index}", draft)


def signed(subject: Subject) -> str:
    """Return the status of what was measured: preliminary until a specialist signed."""
    return "final" if subject.opinions else "preliminary"


def _sign(vital: Vital) -> Sign:
    """Return how a vital is told; a profile only where its unit is the profile's."""
    if vital.kind == "glucose" and vital.unit == GLUCOSE_MOLAR.unit:
        return GLUCOSE_MOLAR
    sign = SIGNS.get(vital.kind, BARE)
    return sign if vital.unit == sign.unit else replace(sign, profile="")


def _measured_together(all_vitals: Sequence[Vital]) -> list[dict[str, Vital]]:
    groups: dict[tuple[str, str, int], dict[str, Vital]] = {}
    for vital in all_vitals:
        if vital.kind in PRESSURES:
            groups.setdefault((vital.source, vital.recording, vital.at_ms), {})[vital.kind] = vital
    return list(groups.values())


def _pressure(subject: Subject, tail: str, group: dict[str, Vital]) -> Json:
    """Return a blood pressure; the profile wants systolic and diastolic, told absent where they are."""
    components = []
    for kind, sign in PRESSURES.items():
        vital = group.get(kind)
        if vital is not None:
            components.append({"code": concept(*sign.codings()), **_value(vital)})
        elif kind != "mean_pressure":
            components.append({"code": concept(*sign.codings()), "dataAbsentReason": NO_NUMBER})
    first = next(iter(group.values()))
    sign = PRESSURE if all(vital.unit == PRESSURE.unit for vital in group.values()) else BARE_PRESSURE
    return _observation(subject, tail, sign, first, component=components)


BARE_PRESSURE = replace(PRESSURE, profile="")


def _observation(subject: Subject, tail: str, sign: Sign, vital: Vital, **value: object) -> Json:
    profile = [f"{PROFILE}{sign.profile}"] if sign.profile else []
    return resource(
        subject,
        "Observation",
        tail,
        *profile,
        status=signed(subject),
        category=[concept(coding(CATEGORY, sign.category))],
        code=concept(*sign.codings(), text=vital.kind.replace("_", " ")),
        subject=patient(subject),
        encounter=ref(subject, "Encounter"),
        effectiveDateTime=instant(vital.at_ms),
        method=concept(text="typed by hand") if vital.source == "manual" else concept(text=vital.source),
        device=device_of(subject, vital.recording),
        note=_notes(vital.quality),
        **value,
    )


def _value(vital: Vital) -> Json:
    if vital.value is None:
        return {"dataAbsentReason": NO_NUMBER}
    return {"valueQuantity": quantity(vital.value, vital.unit)}


def _notes(mark: QualityMark) -> list[Json]:
    if mark.usable and not mark.reasons:
        return []
    state = "usable" if mark.usable else "not usable"
    return [{"text": f"quality {mark.score:g}, {state}: {', '.join(mark.reasons) or 'no reason told'}"}]


def _draft(subject: Subject, recording: Recording, tail: str, draft: Measurement) -> Json:
    sign = SIGNS.get(draft.kind, BARE)
    fits = bool(sign.profile) and sign.unit == draft.unit
    codes = sign.codings() if fits else [coding(LOINC, *DRAFTS[draft.kind])] if draft.kind in DRAFTS else []
    category = coding(CATEGORY, sign.category if fits else "procedure")
    number = {"valueQuantity": quantity(draft.value, draft.unit)} if draft.value is not None else {}
    return resource(
        subject,
        "Observation",
        tail,
        *([f"{PROFILE}{sign.profile}"] if fits else []),
        status="preliminary",
        category=[concept(category)],
        code=concept(*codes, coding(f"{CHEVET}:measurement", draft.kind), text=draft.kind.replace("_", " ")),
        subject=patient(subject),
        encounter=ref(subject, "Encounter"),
        effectiveDateTime=instant(recording.started_ms),
        method=concept(text=draft.method),
        device=device_of(subject, recording.id),
        note=[{"text": "a draft computed from the recording, for a physician to over-read"}],
        **(number or {"dataAbsentReason": NO_NUMBER}),
    )
