"""The visit, the question, the conversation, the consent and the signed answer (FHIR R4)."""

import base64
from collections.abc import Iterator

from chevet.exchange.manifest import read_manifest
from chevet.relay.exports.fhir_base import (
    ACT_CODE,
    ACT_REASON,
    CHEVET,
    LOINC,
    URI,
    Json,
    coding,
    concept,
    instant,
    patient,
    ref,
    resource,
)
from chevet.relay.exports.fhir_codes import CONSULTATION, PRESSURES, PRIVACY_CONSENT
from chevet.relay.exports.fhir_people import author_tail
from chevet.relay.exports.subject import Subject
from chevet.study.case import Message, Opinion

PRIORITIES = {"routine": "routine", "urgent": "urgent", "emergency": "stat"}
PURPOSES = {"care": "TREAT", "teaching": "TRAIN", "research": "HRESCH"}
SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
SIGNATURE = coding("urn:iso-astm:E1762-95:2013", "1.2.840.10065.1.12.1.1", "Author's Signature")
TASKS = {"arriving": "requested", "waiting": "received", "claimed": "in-progress", "answered": "completed"}
"""Task.status by the case's state; `on-hold` while a retake is asked for."""


def visit(subject: Subject) -> Iterator[Json]:
    """Yield Encounter, ServiceRequest, Task and Consent."""
    study = subject.study
    answered = subject.case.state == "answered"
    times = [recording.started_ms for recording in study.recordings]
    period = {"start": instant(min([*times, study.closed.wall_ms])), "end": instant(study.closed.wall_ms)}
    reason = [concept(coding(f"{CHEVET}:reason", study.reason))] if study.reason else None
    yield resource(
        subject,
        "Encounter",
        status="finished" if answered else "in-progress",
        class_=coding(ACT_CODE, "VR", "virtual"),
        serviceType=concept(coding(f"{CHEVET}:specialty", study.specialty)),
        subject=patient(subject),
        period=period,
        reasonCode=reason,
        serviceProvider=ref(subject, "Organization", "site"),
    )
    yield resource(
        subject,
        "ServiceRequest",
        "request",
        status="completed" if answered else "active",
        intent="order",
        priority=PRIORITIES.get(study.urgency, "routine"),
        code=concept(text=f"teleconsultation, {study.specialty}"),
        subject=patient(subject),
        encounter=ref(subject, "Encounter"),
        authoredOn=instant(study.closed.wall_ms),
        requester=ref(subject, "Organization", "site"),
        reasonCode=reason,
        note=[{"text": study.question}] if study.question and subject.purpose == "care" else None,
    )
    yield resource(
        subject,
        "Task",
        "task",
        status=_task_status(subject),
        intent="order",
        priority=PRIORITIES.get(study.urgency, "routine"),
        focus=ref(subject, "ServiceRequest", "request"),
        for_=patient(subject),
        encounter=ref(subject, "Encounter"),
        authoredOn=instant(study.closed.wall_ms),
        lastModified=instant(subject.case.answered_ms or subject.case.received_ms),
    )
    yield _consent(subject)


def conversation(subject: Subject) -> Iterator[Json]:
    """Yield notes as Communication and retake requests as CommunicationRequest."""
    for number, message in enumerate(subject.messages, 1):
        retake = message.kind == "retake"
        words = _words(subject, message)
        yield resource(
            subject,
            "CommunicationRequest" if retake else "Communication",
            f"message-{number}",
            status=("completed" if subject.opinions else "active") if retake else "completed",
            category=[concept(coding(f"{CHEVET}:message", message.kind))],
            subject=patient(subject),
            encounter=ref(subject, "Encounter"),
            about=[ref(subject, "ServiceRequest", "request")],
            payload=[{"contentString": words}] if words else None,
            sender=ref(subject, "Practitioner", author_tail(message.author)),
            **{"authoredOn" if retake else "sent": instant(message.at_ms)},
        )


def answer(subject: Subject) -> Iterator[Json]:
    """Yield the newest signed opinion as DiagnosticReport; each version's signature as Provenance."""
    if subject.opinions:
        yield _report(subject, subject.opinions[-1])
    for opinion in subject.opinions:
        yield resource(
            subject,
            "Provenance",
            f"signed-{opinion.version}",
            target=[ref(subject, "DiagnosticReport", "report")],
            recorded=instant(opinion.signed_ms),
            agent=[{"who": ref(subject, "Practitioner", author_tail(opinion.author))}],
            signature=[
                {
                    "type": [SIGNATURE],
                    "when": instant(opinion.signed_ms),
                    "who": ref(subject, "Practitioner", author_tail(opinion.author)),
                    "sigFormat": "application/octet-stream",
                    "data": base64.b64encode(opinion.signature.value).decode("ascii"),
                }
            ],
        )
    yield _origin(subject)


def _task_status(subject: Subject) -> str:
    """Return where the request stands: a retake asked for and not answered holds it."""
    state = subject.case.state
    asked = any(message.kind == "retake" for message in subject.messages)
    return "on-hold" if asked and state != "answered" else TASKS[state]


def _consent(subject: Subject) -> Json:
    given = subject.study.consent
    codes = [
        coding(ACT_REASON, PURPOSES[word]) if word in PURPOSES else coding(f"{CHEVET}:purpose", word)
        for word in given.purposes
    ]
    return resource(
        subject,
        "Consent",
        "consent",
        status="active",
        scope=concept(coding(SCOPE, "patient-privacy")),
        category=[concept(coding(LOINC, PRIVACY_CONSENT))],
        patient=patient(subject),
        dateTime=instant(given.given_ms),
        policyRule=concept(text="said to the worker at the site, for the purposes told"),
        provision={"type": "permit", "purpose": codes} if codes else {"type": "deny"},
    )


def _words(subject: Subject, message: Message) -> str:
    coded = " ".join(word for word in (message.step, message.site, message.side) if word)
    text = message.text if subject.purpose == "care" else ""
    return ": ".join(word for word in (coded, text) if word)


def _report(subject: Subject, opinion: Opinion) -> Json:
    lines = [opinion.impression, f"Certainty: {opinion.certainty}", f"Advice: {opinion.advice}"]
    lines += [f"Medicine: {item.name} {item.how}".rstrip() for item in opinion.medicines]
    lines += [f"Also said aloud: {round(opinion.voice.length_ms / 1000)} s."] if opinion.voice else []
    lines += ["Transfer the patient."] if opinion.transfer else []
    lines += [f"Follow-up: {opinion.follow_up_date}"] if opinion.follow_up_date else []
    numbers = [f"vital-{n}" for n in range(1, 1 + _singles(subject))]
    return resource(
        subject,
        "DiagnosticReport",
        "report",
        identifier=[{"system": URI, "value": f"urn:uuid:{opinion.id}"}],
        basedOn=[ref(subject, "ServiceRequest", "request")],
        status="amended" if opinion.version > 1 else "final",
        code=concept(coding(LOINC, *CONSULTATION)),
        subject=patient(subject),
        encounter=ref(subject, "Encounter"),
        effectiveDateTime=instant(subject.study.closed.wall_ms),
        issued=instant(opinion.signed_ms),
        performer=[ref(subject, "Practitioner", author_tail(opinion.author))],
        result=[ref(subject, "Observation", tail) for tail in numbers],
        conclusion="\n".join(lines) if subject.purpose == "care" else None,
    )


def _singles(subject: Subject) -> int:
    return sum(vital.kind not in PRESSURES for vital in subject.study.vitals)


def _origin(subject: Subject) -> Json:
    """Return who sent the study: the box's own signature over the hashes of everything sealed."""
    manifest = read_manifest(subject.case.manifest)
    when = instant(subject.study.closed.wall_ms)
    return resource(
        subject,
        "Provenance",
        "origin",
        target=[ref(subject, "Encounter")],
        recorded=when,
        agent=[{"who": ref(subject, "Organization", "site")}],
        entity=[
            {
                "role": "source",
                "what": {
                    "identifier": {"system": f"{CHEVET}:manifest-sha256", "value": manifest.digest.hex()}
                },
            }
        ],
        signature=[
            {
                "type": [SIGNATURE],
                "when": when,
                "who": ref(subject, "Organization", "site"),
                "sigFormat": "application/cbor",
                "data": base64.b64encode(subject.case.manifest).decode("ascii"),
            }
        ],
    )
