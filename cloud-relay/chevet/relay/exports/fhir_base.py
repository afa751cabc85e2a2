"""The small pieces of FHIR R4 (4.0.1) that all resources share."""

from datetime import UTC, datetime
from typing import Any

from chevet.relay.exports.subject import Subject

Json = dict[str, Any]

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
MDC = "urn:iso:std:iso:11073:10101"
UCUM = "http://unitsofmeasure.org"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
INTEGRITY = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
URI = "urn:ietf:rfc:3986"
CHEVET = "urn:chevet"
"""Of words that are ours alone, such as "urn:chevet:site"."""
BASE = "http://chevet.invalid/fhir/"
"""Stands before ids where no server is known (RFC 2606): references within a bundle resolve by it."""


def resource(about: Subject, kind: str, tail: str = "", /, *profiles: str, **fields: Any) -> Json:
    """Return a resource with its id and labels; fields that hold nothing are left out.

    Args:
        about: the case; `tail` tells its resources of one kind apart.
        kind: such as "Observation".
        tail: what stands behind the case's id.
        profiles: canonical addresses that it conforms to.
        fields: by their FHIR names; a trailing "_" is dropped ("class_").
    """
    meta: Json = {"profile": list(profiles)} if profiles else {}
    meta["security"] = labels(about)
    body = {key.rstrip("_"): value for key, value in fields.items() if value not in (None, "", [], {})}
    return {"resourceType": kind, "id": ident(about, tail), "meta": meta, **body}


def labels(subject: Subject) -> list[Json]:
    """Return security labels: normal health data, simulated, pseudonymised."""
    found = [coding(CONFIDENTIALITY, "N", "normal")]
    if subject.label:
        found.append(coding(ACT_REASON, "HTEST", "test health data"))
    if subject.identity != "full":
        found.append(coding(INTEGRITY, "PSEUDED", "pseudonymized"))
    return found


def ident(subject: Subject, tail: str = "") -> str:
    """Return a resource's id: the case's, and what tells it apart."""
    return f"{subject.case.id}.{tail}" if tail else subject.case.id


def ref(subject: Subject, kind: str, tail: str = "") -> Json:
    """Return a reference to a resource of the same case."""
    return {"reference": f"{kind}/{ident(subject, tail)}"}


def patient(subject: Subject) -> Json:
    """Return the reference that `subject` fields hold."""
    return ref(subject, "Patient", "patient")


def coding(system: str, code: str, display: str = "") -> Json:
    """Return a Coding."""
    return {"system": system, "code": code, **({"display": display} if display else {})}


def concept(*codings: Json, text: str = "") -> Json:
    """Return a CodeableConcept."""
    return {**({"coding": list(codings)} if codings else {}), **({"text": text} if text else {})}


def quantity(value: float, unit: str) -> Json:
    """Return a Quantity whose code is the UCUM code; whole numbers stay whole."""
    number = int(value) if float(value).is_integer() else value
    return {"value": number, "unit": unit, "system": UCUM, "code": unit}


def instant(unix_ms: int) -> str:
    """Return a time in UTC, to the millisecond."""
    return (
        datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
