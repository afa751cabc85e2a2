"""The audit as AuditEvents (FHIR R4, codes of DICOM CID 400): who did what to which case."""

from typing import Final

from chevet.relay.archive.audit import Record
from chevet.relay.exports.fhir_base import ACT_REASON, CHEVET, Json, coding, concept, instant

DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
ACTIVITY = coding(DCM, "110100", "Application Activity")
EXPORT = coding(DCM, "110106", "Export")
PATIENT_RECORD = coding(DCM, "110110", "Patient Record")
ALERT = coding(DCM, "110113", "Security Alert")
AUTHENTICATION = coding(DCM, "110114", "User Authentication")
SUBTYPES: Final = {
    "glass.break": coding(DCM, "110127", "Emergency Override Started"),
    "session.open": coding(DCM, "110122", "Login"),
    "session.close": coding(DCM, "110123", "Logout"),
}
AT_THE_DOOR: Final = frozenset({"session", "factor", "passkey", "password", "provider"})
EXPORTS: Final = frozenset({"case.export", "case.exported", "teaching.export", "report.file"})
PATIENTS: Final = frozenset(
    {
        *("case", "recording", "object", "delivery", "opinion", "message", "consent", "draft", "voice"),
        *("discussion", "teaching"),
    }
)
ACTIONS: Final = {
    "R": frozenset(
        {"read", "list", "look", "heard", "watched", "read_offline", "export", "exported", "opened"}
    ),
    "C": frozenset(
        {"add", "sign", "open", "begin", "sealed", "register", "invite", "note", "retake", "rung", "accepted"}
    ),
    "D": frozenset({"destroy", "remove", "drop", "take_down", "sweep", "close", "revoke", "end"}),
}
EXECUTED, UPDATED = "E", "U"
FAILED: Final = ("wrong_", "refused")


def audit_event(record: Record, programme: str, *, simulated: bool) -> Json:
    """Return one record as an AuditEvent; it holds no patient data, as the audit does not."""
    event: Json = {
        "resourceType": "AuditEvent",
        "id": str(record.seq),
        "type": _type(record),
        "subtype": [*_subtype(record), coding(f"{CHEVET}:audit", record.what)],
        "action": _action(record.what),
        "recorded": instant(record.at_ms),
        "outcome": "4" if record.what.partition(".")[2].startswith(FAILED) else "0",
        "agent": [{"who": _named("who", record.who), "requestor": True}],
        "source": {"observer": {"display": programme}},
    }
    if simulated:
        event["meta"] = {"security": [coding(ACT_REASON, "HTEST", "test health data")]}
    if record.what == "glass.break":
        event["purposeOfEvent"] = [concept(coding(ACT_REASON, "ETREAT", "Emergency Treatment"))]
    entity = _entity(record)
    return event | ({"entity": [entity]} if entity else {})


def _type(record: Record) -> Json:
    room = record.what.partition(".")[0]
    if record.what == "glass.break":
        return ALERT
    if record.what in EXPORTS:
        return EXPORT
    if room in AT_THE_DOOR:
        return AUTHENTICATION
    return PATIENT_RECORD if room in PATIENTS and record.subject else ACTIVITY


def _subtype(record: Record) -> list[Json]:
    known = SUBTYPES.get(record.what)
    return [known] if known else []


def _action(what: str) -> str:
    if what == "glass.break":
        return EXECUTED
    act = what.partition(".")[2]
    return next((letter for letter, words in ACTIONS.items() if act in words), UPDATED)


def _entity(record: Record) -> Json:
    """Return what was touched: the Encounter of a case, else the id that the record has."""
    entity: Json = {}
    if record.subject:
        case = record.what.partition(".")[0] in PATIENTS or record.what == "glass.break"
        entity["what"] = (
            {"reference": f"Encounter/{record.subject}"} if case else _named("id", record.subject)
        )
    if record.detail:
        entity["detail"] = [{"type": "detail", "valueString": record.detail}]
    return entity


def _named(kind: str, value: str) -> Json:
    return {"identifier": {"system": f"{CHEVET}:{kind}", "value": value or "nobody"}}
