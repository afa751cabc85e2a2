"""Every read and write of patient data leaves a record: each route of the application is tried."""

from dataclasses import replace

import pytest
from relay_desk.signals_for_desk import eardrum
from sqlalchemy import select

from chevet.relay.archive.schema import audit
from chevet.study.recording import StoredFile, StoredPicture

from .conftest import NOON, OPINION, ear, ecg
from .test_desk_aids import film, sound_wave
from .test_desk_rights import MAY, PUBLIC

CASE = "/api/cases/{case_id}"
RECORDING = CASE + "/recordings/{recording_id}"
TOLD = {
    ("GET", "/api/inbox"): "inbox.read",
    ("GET", "/api/discussions"): "agenda.read",
    ("GET", CASE): "case.read",
    ("POST", CASE + "/claim"): "case.claim",
    ("POST", CASE + "/release"): "case.release",
    ("GET", CASE + "/delivery"): "delivery.read",
    ("GET", CASE + "/earlier"): "case.earlier",
    ("GET", CASE + "/export"): "case.export",
    ("POST", CASE + "/snooze"): "case.snooze",
    ("POST", CASE + "/discussions"): "discussion.open",
    ("GET", CASE + "/discussions"): "discussion.read",
    ("GET", CASE + "/teaching"): "teaching.look",
    ("POST", CASE + "/opinions"): "opinion.sign",
    ("POST", CASE + "/messages"): "message.note",
    ("DELETE", CASE + "/draft"): "draft.drop",
    ("GET", RECORDING + "/waveform"): "recording.read",
    ("GET", RECORDING + "/sound"): "recording.read",
    ("GET", RECORDING + "/pictures/{number}"): "recording.read",
    ("GET", RECORDING + "/clip"): "recording.read",
    ("GET", RECORDING + "/source"): "recording.read",
    ("GET", RECORDING + "/marks"): "recording.read",
    ("GET", RECORDING + "/print"): "recording.read",
    ("GET", RECORDING + "/sound/without-heart"): "recording.read",
    ("GET", RECORDING + "/pictures/{number}/enhanced"): "recording.read",
    ("GET", RECORDING + "/clip/frames"): "recording.read",
    ("GET", RECORDING + "/clip/frames/{number}"): "recording.read",
    ("PUT", RECORDING + "/drawings/{number}"): "drawing.keep",
    ("GET", "/fhir/{kind}"): "case.export",
    ("GET", "/fhir/{kind}/{ident}"): "case.export",
}
"""What the audit says of each route that touches a case."""
NO_PATIENT = (
    {
        key: "sealed to the specialists' own keys: the relay holds nothing it could read"
        for key in MAY
        if key[1].startswith("/api/sealed/")
    }
    | {
        key: "an act in a discussion; test_discussions.py holds its record"
        for key in MAY
        if "/discussions/{discussion_id}" in key[1]
    }
    | {
        key: "what is known of nobody; test_teaching.py holds its record"
        for key in MAY
        if key[1].startswith("/api/teaching")
    }
    | {
        key: "accounts and sites; test_programme_pages.py holds its record"
        for key in MAY
        if key[1].startswith("/api/programme/")
    }
    | {
        ("PUT", "/api/password"): "the caller's own password",
        ("POST", CASE + "/teaching"): "needs consent to teaching; test_teaching.py holds its record",
        ("GET", "/api/experts"): "accounts: names, roles, specialties",
        ("POST", CASE + "/want"): "needs a case on its way; test_downlink.py holds its record",
        ("PUT", CASE + "/draft"): "writes the caller's own words; test_answer_drafts.py holds its record",
        ("POST", CASE + "/keep"): "needs an unanswered case; test_kept_cases.py holds its record",
        ("GET", "/api/kept"): "the caller's own devices",
        ("DELETE", "/api/kept/{device_id}"): "the caller's own device",
        ("POST", CASE + "/glass"): "gives no data; test_accounts_glass.py holds its record",
        ("POST", CASE + "/voice"): "codes the caller's own speech and keeps nothing",
        (
            "GET",
            CASE + "/voices/{voice_id}",
        ): "needs words that name it; test_voice_notes.py holds its record",
        ("POST", CASE + "/withdrawal"): "gives no data; test_accounts_erasure.py holds its record",
        ("POST", CASE + "/allocation"): "a coordinator's act; test_duty.py holds its record",
        ("POST", CASE + "/handover"): "ends the caller's claim; test_duty.py holds its record",
        ("GET", "/api/colleagues"): "specialists: names, specialties, load",
        ("GET", "/api/allocation"): "ids of cases and of people",
        ("GET", "/api/report"): "counts and times",
        ("GET", "/api/report/file"): "counts and times",
        ("GET", "/api/on-call"): "specialists and times",
        ("POST", "/api/on-call"): "a specialist and a time",
        ("DELETE", "/api/on-call/{number}"): "a number",
        ("GET", "/api/contact"): "the caller's own address",
        ("PUT", "/api/contact"): "the caller's own address",
        ("GET", "/api/push"): "the caller's own browsers",
        ("POST", "/api/push"): "the caller's own browsers",
        ("DELETE", "/api/push/{number}"): "the caller's own browsers",
        ("POST", "/api/push/{number}/trial"): "the caller's own browsers",
        ("GET", "/api/glass"): "ids, coded reasons and times",
        ("POST", "/api/glass/{number}/review"): "a number",
        ("GET", "/fhir/metadata"): "what the server can do",
        ("GET", "/fhir/AuditEvent"): "ids, coded words and times of the audit; the reading is in it too",
        ("GET", "/api/refused"): "ids and coded reasons of bundles",
        ("DELETE", "/api/session"): "the caller's own session",
        ("GET", "/api/passkeys"): "the caller's own passkeys",
        ("POST", "/api/passkeys"): "the caller's own passkey",
        ("POST", "/api/passkeys/proof"): "a random challenge",
        ("POST", "/api/passkeys/options"): "a random challenge",
        ("POST", "/api/passkeys/{passkey_id}/removal"): "the caller's own passkey",
        ("GET", "/api/sessions"): "the caller's own sessions",
        ("DELETE", "/api/sessions"): "the caller's own sessions",
        ("DELETE", "/api/sessions/{session_id}"): "the caller's own session",
    }
)
SOUND = {"sound", "sound/without-heart"}
EAR = {"pictures/{number}", "pictures/{number}/enhanced", "clip", "clip/frames", "clip/frames/{number}"}
BODIES = {
    "/opinions": OPINION,
    "/discussions": {"starts_ms": NOON, "questions": "Seededwords?"},
    "/snooze": {"minutes": 0, "why": "later_today"},
    "/messages": {"kind": "note", "text": "Seededwords"},
    "/drawings/{number}": {"shapes": []},
}


def test_every_route_is_in_one_of_the_tables():
    tables = [set(TOLD), set(NO_PATIENT), set(PUBLIC)]
    assert set().union(*tables) == PUBLIC | MAY.keys()
    assert sum(map(len, tables)) == len(set().union(*tables))


@pytest.fixture
def case(sent):
    """A case that holds something for every route."""
    heart = ecg(step="heart_sound", site="M", waveforms=sound_wave(), driver="kit-stethoscope")
    still = StoredPicture(eardrum("left", "lossless")[0], "image/jpeg", 0.5, True)
    cart = ecg(source=StoredFile(b"a cart's own file", "application/dicom"))
    return sent(recordings=(cart, heart, replace(ear(), pictures=(still,), clip=film())))


def address(study, path):
    tail = path.removeprefix(RECORDING + "/")
    at = 1 if tail in SOUND else 2 if tail in EAR or tail.startswith("drawings") else 0
    ids = {"case_id": study.id, "recording_id": study.recordings[at].id}
    where = path.format(**ids, number=0, kind="Observation", ident=f"{study.id}.patient", session_id="s")
    if path == "/fhir/{kind}":
        return f"{where}?encounter={study.id}"
    if path == "/fhir/{kind}/{ident}":
        return f"/fhir/Patient/{study.id}.patient"
    return where + ("?form=wfdb" if path.endswith("/export") else "")


def newest(world):
    with world.relay.database.read() as connection:
        return connection.execute(select(audit).order_by(audit.c.seq.desc())).first()


async def test_whoever_reads_or_writes_a_case_is_named_in_the_audit(world, client, case):
    user = world.user()
    async with client(user) as desk:
        await desk.post(f"/api/cases/{case.id}/claim")
        last = [("POST", CASE + "/release")]  # after it nothing can be signed
        for method, path in [key for key in TOLD if key not in last] + last:
            before = newest(world).seq
            body = next((BODIES[end] for end in BODIES if path.endswith(end)), None)
            answer = await desk.request(method, address(case, path), json=body)
            assert answer.status_code < 300, (method, path, answer.text)
            with world.relay.database.read() as connection:
                found = connection.execute(select(audit).where(audit.c.seq > before)).all()
            mine = [row for row in found if (row.who, row.what) == (user.id, TOLD[method, path])]
            assert mine, (method, path, found)
            if path not in ("/api/inbox", "/api/discussions"):
                assert mine[0].subject == case.id, path
            assert "Seeded" not in str(found)
    with world.relay.database.read() as connection:
        assert world.relay.audit.verify(connection) is None


async def test_what_is_refused_leaves_nothing_to_read(world, client, case):
    async with client(world.user("nosy", "auditor")) as desk:
        for method, path in TOLD:
            answer = await desk.request(method, address(case, path), json={})
            if "auditor" in MAY[method, path]:
                continue
            assert answer.status_code == 403, path
            assert case.patient.name not in answer.text
