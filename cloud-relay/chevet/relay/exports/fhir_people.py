"""Who and with what: patient, site, authors, devices (FHIR R4)."""

from collections.abc import Iterator

from chevet.relay.exports.fhir_base import (
    CATEGORY,
    CHEVET,
    LOINC,
    MDC,
    URI,
    Json,
    coding,
    concept,
    ident,
    instant,
    patient,
    quantity,
    ref,
    resource,
)
from chevet.relay.exports.fhir_codes import AGE, DEVICES
from chevet.relay.exports.subject import Subject
from chevet.study.case import Author
from chevet.study.recording import Recording

GENDERS = {"F": "female", "M": "male"}


def people(subject: Subject) -> Iterator[Json]:
    """Yield Patient, Organization, the authors as Practitioner, and the patient's age."""
    who = subject.patient
    identifiers = [{"use": "usual", "system": URI, "value": f"urn:uuid:{who.id}"}]
    if who.local_number:
        register = f"{CHEVET}:register:{subject.study.site}"
        identifiers.append({"use": "secondary", "system": register, "value": who.local_number})
    yield resource(
        subject,
        "Patient",
        "patient",
        identifier=identifiers,
        name=[{"text": who.name}] if who.name else None,
        gender=GENDERS.get(who.sex, "unknown"),
        birthDate=str(who.birth_year) if who.birth_year else None,
        managingOrganization=ref(subject, "Organization", "site"),
    )
    yield resource(
        subject,
        "Organization",
        "site",
        identifier=[{"system": f"{CHEVET}:site", "value": subject.study.site}],
        name=subject.case.site_name if subject.identity == "full" else f"Site {subject.study.site}",
    )
    for author in authors(subject):
        yield resource(
            subject,
            "Practitioner",
            author_tail(author),
            identifier=[{"system": f"{CHEVET}:user", "value": author.id}],
            name=[{"text": author.name}] if subject.purpose == "care" else None,
            qualification=[{"code": concept(text=author.specialty)}] if author.specialty else None,
        )


def authors(subject: Subject) -> list[Author]:
    """Return who wrote opinions and messages, each once."""
    written = [*(one.author for one in subject.opinions), *(one.author for one in subject.messages)]
    return list({author.id: author for author in written}.values())


def author_tail(author: Author) -> str:
    """Return what tells a Practitioner apart: no more of their id than a resource's id may hold."""
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in author.id)
    return f"by-{plain[:20]}"


def age(subject: Subject) -> Iterator[Json]:
    """Yield the age in years, which a reader needs where the birth date is left out."""
    if subject.age is not None:
        yield resource(
            subject,
            "Observation",
            "age",
            status="final",
            category=[concept(coding(CATEGORY, "social-history"))],
            code=concept(coding(LOINC, *AGE)),
            subject=patient(subject),
            encounter=ref(subject, "Encounter"),
            effectiveDateTime=instant(subject.study.closed.wall_ms),
            valueQuantity=quantity(subject.age, "a"),
        )


def devices(subject: Subject) -> Iterator[Json]:
    """Yield each recording's Device, and a DeviceMetric where its calibration is known."""
    for number, recording in enumerate(subject.study.recordings, 1):
        yield _device(subject, recording, number)
        calibrated = recording.device.get("calibrated_on", "")
        if calibrated:
            yield resource(
                subject,
                "DeviceMetric",
                f"metric-{number}",
                type=concept(*_type(recording), text=recording.step),
                source=ref(subject, "Device", f"device-{number}"),
                category="measurement",
                calibration=[{"state": "calibrated", "time": f"{calibrated}T00:00:00Z"}],
            )


def _device(subject: Subject, recording: Recording, number: int) -> Json:
    device = recording.device
    return resource(
        subject,
        "Device",
        f"device-{number}",
        status="active",
        manufacturer=device.get("maker"),
        serialNumber=device.get("serial"),
        modelNumber=device.get("model"),
        deviceName=[{"name": recording.driver, "type": "model-name"}],
        type=concept(*_type(recording), text=recording.step.replace("_", " ")),
        version=[{"value": device["firmware"]}] if device.get("firmware") else None,
        note=[{"text": subject.statement}],
    )


def _type(recording: Recording) -> list[Json]:
    code = DEVICES.get(recording.step)
    return [coding(MDC, code)] if code else []


def device_of(subject: Subject, recording_id: str) -> Json | None:
    """Return the reference to the device that gave a recording."""
    for number, recording in enumerate(subject.study.recordings, 1):
        if recording.id == recording_id:
            return {"reference": f"Device/{ident(subject, f'device-{number}')}"}
    return None
