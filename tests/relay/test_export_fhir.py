"""FHIR R4: models accept every resource, profiles hold, nothing dangles, and the facade serves the same."""

import base64
import hashlib
import io
import json
from functools import partial

import numpy as np
import pytest
import soundfile as sf
from fhir.resources.R4B import get_fhir_model_class

from chevet.relay.archive.answers import Draft, Note
from chevet.relay.archive.audit import Record
from chevet.relay.errors import RefusedError
from chevet.relay.exports.fhir_audit import DCM, audit_event
from chevet.relay.exports.fhir_base import ACT_REASON
from chevet.relay.exports.fhir_bundle import KINDS, resources
from chevet.relay.exports.fhir_codes import LEADS
from chevet.relay.exports.subject import subject
from chevet.study.recording import Gap, Measurement, QualityMark
from chevet.study.study import Consent, Vital

from .conftest import NOON, OPINION, PASSWORD, code
from .export_cases import (
    TWELVE,
    ear,
    exported,
    height,
    jpeg,
    pulse,
    recording,
    send_exact,
    sound,
    visit,
    with_gaps,
)
from .fhir_rules import ID, codes, profile_faults, references

GOOD = QualityMark(1.0, True)
POOR = QualityMark(0.2, False, ("motion",))
HTEST = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}


def vital(kind, value, unit, source="nonin-df2", quality=GOOD, at_ms=NOON):
    return Vital(kind, value, unit, source, at_ms, quality)


VITALS = (
    vital("spo2", 97.0, "%"),
    vital("pulse_rate", 71.0, "/min", quality=POOR),
    vital("heart_rate", 72.0, "/min"),
    vital("respiration_rate", None, "/min"),
    vital("temperature", 36.8, "Cel", "manual"),
    vital("temperature", 98.2, "[degF]", "manual"),
    vital("weight", 61.5, "kg"),
    vital("height", 164.0, "cm", "manual"),
    vital("perfusion_index", 2.1, "%"),
    vital("glucose", 102.0, "mg/dL"),
    vital("glucose", 5.6, "mmol/L"),
    vital("systolic", 128.0, "mm[Hg]", "blood-pressure"),
    vital("diastolic", 81.0, "mm[Hg]", "blood-pressure"),
    vital("mean_pressure", 97.0, "mm[Hg]", "blood-pressure"),
    vital("systolic", 131.0, "mm[Hg]", "manual", at_ms=NOON + 1000),
    vital("walk_distance", 402.0, "m", "manual"),
)
DRAFTS = (
    Measurement("heart_rate", 72.0, "/min", "median RR"),
    Measurement("qtc_fridericia", 412.0, "ms", "Fridericia"),
    Measurement("qrs_axis", None, "deg", "net areas"),
    Measurement("irregularity", 0.02, "1", "RR"),
)


@pytest.fixture
def sent(world, make_study):
    return partial(send_exact, world, make_study)


@pytest.fixture
def bundle(world, sent):
    """A whole case as a transaction, with its entries by name."""

    def make(**options):
        changes = {"recordings": (), "vitals": VITALS} | options.pop("changes", {})
        study = options.pop("study", None) or sent(**changes)
        files = exported(world.relay, study, "fhir", **options)
        (name,) = set(files) - {"contents.json"}
        return json.loads(files[name])

    return make


@pytest.fixture
def answered(world, sent):
    """A case with a note, a retake request and an opinion amended once."""
    recordings = list(visit())
    recordings[0] = recording("ecg", waveforms=recordings[0].waveforms, measurements=DRAFTS)
    study, doctor = sent(recordings=tuple(recordings), vitals=VITALS), world.user()
    words = {key: OPINION[key] for key in Draft.__dataclass_fields__ if key in OPINION}
    world.relay.cases.claim(study.id, doctor)
    world.relay.answers.send_message(study.id, doctor, Note("note", "", "", "", "Seededwords to the nurse."))
    world.relay.answers.send_message(study.id, doctor, Note("retake", "heart_sound", "A", "", ""))
    key = world.relay.sign_in.signing_key(doctor, PASSWORD)
    world.relay.answers.give_opinion(study.id, doctor, Draft(**words | {"transfer": True}), key)
    world.relay.answers.give_opinion(study.id, doctor, Draft(**words), key)
    return study


def entries(bundle, kind):
    return [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == kind]


def test_models_accept_every_resource_and_every_reference_resolves(bundle, answered):
    whole = bundle(study=answered)
    get_fhir_model_class("Bundle").model_validate(whole)
    names = {f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in whole["entry"]}
    assert len(names) == len(whole["entry"])
    assert {name.partition("/")[0] for name in names} == set(KINDS)
    for one in whole["entry"]:
        kind, ident = one["resource"]["resourceType"], one["resource"]["id"]
        get_fhir_model_class(kind).model_validate(one["resource"])
        assert ID.fullmatch(ident)
        assert one["request"] == {"method": "PUT", "url": f"{kind}/{ident}"}
        assert one["fullUrl"].endswith(f"/fhir/{kind}/{ident}")
    assert set(references(whole)) - names == set()


def test_vital_signs_keep_their_profiles(bundle):
    signs = entries(bundle(), "Observation")
    assert [(one["id"], profile_faults(one)) for one in signs if profile_faults(one)] == []
    told = {name.rpartition("/")[2] for one in signs for name in one["meta"].get("profile", [])}
    assert told == {"oxygensat", "heartrate", "resprate", "bodytemp", "bodyweight", "bodyheight", "bp"}
    by_text = {}
    for one in signs:
        by_text.setdefault(one["code"].get("text"), []).append(one)
    spo2 = by_text["spo2"][0]
    assert codes(spo2["code"]) == {"2708-6", "59408-5"}
    assert codes(spo2["code"], "urn:iso:std:iso:11073:10101") == {"150456"}
    assert spo2["valueQuantity"] == {
        "value": 97,
        "unit": "%",
        "system": "http://unitsofmeasure.org",
        "code": "%",
    }
    assert spo2["status"] == "preliminary"
    assert "dataAbsentReason" in by_text["respiration rate"][0]
    assert "motion" in by_text["pulse rate"][0]["note"][0]["text"]
    celsius, fahrenheit = by_text["temperature"]
    assert "profile" in celsius["meta"]
    assert "profile" not in fahrenheit["meta"]
    assert [codes(one["code"]) for one in by_text["glucose"]] == [{"41653-7"}, {"15074-8"}]
    assert by_text["glucose"][0]["category"][0]["coding"][0]["code"] == "laboratory"
    assert by_text["walk distance"][0]["valueQuantity"]["code"] == "m"


def test_the_pressures_of_one_measurement_are_one_and_a_missing_one_is_told_absent(bundle):
    cuff, typed = (one for one in entries(bundle(), "Observation") if "bp-" in one["id"])
    values = [part["valueQuantity"]["value"] for part in cuff["component"]]
    assert values == [128, 81, 97]
    assert [sorted(part) for part in typed["component"]] == [
        ["code", "valueQuantity"],
        ["code", "dataAbsentReason"],
    ]


def test_the_rules_find_what_breaks_a_profile(bundle):
    signs = {one["id"].partition(".")[2]: one for one in entries(bundle(), "Observation")}
    spo2, cuff = signs["vital-1"], signs["bp-1"]
    spo2["valueQuantity"]["code"] = "percent"
    assert profile_faults(spo2) == ["unit"]
    del spo2["valueQuantity"], spo2["category"], spo2["subject"]
    spo2["code"]["coding"] = spo2["code"]["coding"][1:]
    assert profile_faults(spo2) == ["category", "code", "subject or time", "neither value nor reason"]
    del cuff["component"][0]
    assert profile_faults(cuff) == ["components"]


def test_samples_in_an_observation_are_exact_and_a_millivolt_is_one(bundle):
    wave = with_gaps(pulse(offset=-2.5, gain=0.00488), Gap(400, 37))
    found = bundle(changes={"recordings": (recording("ecg", waveforms=(wave,)),)})
    (ecg,) = (one for one in entries(found, "Observation") if "wave" in one["id"])
    assert codes(ecg["code"]) == {"11524-6"}
    for part, name, row in zip(ecg["component"], TWELVE, wave.values, strict=True):
        assert codes(part["code"], "urn:iso:std:iso:11073:10101") == {LEADS[name]}
        data = part["valueSampledData"]
        words = np.array(data["data"].split(" "))
        there = words != "E"
        assert there.sum() == 1500 - 37
        assert np.array_equal(words[there].astype(int), row[there])
        physical = words[there].astype(float) * data["factor"] + data["origin"]["value"]
        assert height(physical) == pytest.approx(1.0, abs=0.00488)
        assert (data["period"], data["dimensions"], data["origin"]["code"]) == (2.0, 1, "mV")


def test_a_long_ecg_is_a_document_beside_its_observation(bundle):
    whole = bundle(changes={"recordings": (recording("ecg", waveforms=(pulse(seconds=11),)),)})
    (ecg,) = (one for one in entries(whole, "Observation") if "wave" in one["id"])
    assert "component" not in ecg
    (document,) = entries(whole, "DocumentReference")
    assert ecg["derivedFrom"] == [{"reference": f"DocumentReference/{document['id']}"}]
    (binary,) = entries(whole, "Binary")
    assert binary["contentType"] == "application/x-edf"
    assert base64.b64decode(binary["data"])[192:197] == b"EDF+C"


def test_pictures_and_sounds_are_media_with_their_place_side_and_hash(bundle):
    whole = bundle(changes={"recordings": visit()[1:]})
    binaries = {one["id"]: base64.b64decode(one["data"]) for one in entries(whole, "Binary")}
    media = entries(whole, "Media")
    assert {one["content"]["contentType"] for one in media} == {"audio/wav", "image/jpeg", "image/avif"}
    for one in media:
        content = one["content"]
        data = binaries[content["url"].removeprefix("Binary/")]
        assert base64.b64decode(content["hash"]) == hashlib.sha1(data).digest()
        assert content["size"] == len(data)
    sides = [
        one["bodySite"]["coding"][0]["code"] for one in media if one["content"]["contentType"] == "image/jpeg"
    ]
    assert sides == ["89644007", "89644007", "25577004", "25577004"]
    heart = next(one for one in media if one["bodySite"]["text"].startswith("M:"))
    assert heart["bodySite"]["coding"][0]["code"] == "117137004"
    values = sf.read(io.BytesIO(binaries[heart["content"]["url"].removeprefix("Binary/")]), dtype="int16")[0]
    assert np.array_equal(values, sound().values[0])
    assert jpeg(seed=1) in binaries.values()


def test_an_ear_without_its_side_does_not_leave(bundle):
    whole = bundle(
        changes={"recordings": (ear(side=""), recording("heart_sound", site="M", waveforms=(sound(),)))}
    )
    assert {one["content"]["contentType"] for one in entries(whole, "Media")} == {"audio/wav"}
    assert len(entries(whole, "ImagingStudy")[0]["series"]) == 1


def test_a_case_that_nobody_answered_waits(bundle):
    whole = bundle(changes={"recordings": (), "vitals": ()})
    assert entries(whole, "Task")[0]["status"] == "received"
    assert entries(whole, "Encounter")[0]["status"] == "in-progress"
    assert entries(whole, "ServiceRequest")[0]["priority"] == "urgent"
    assert entries(whole, "DiagnosticReport") == entries(whole, "ImagingStudy") == []


def test_an_asked_retake_holds_the_task(world, sent, bundle):
    study, doctor = sent(recordings=()), world.user()
    world.relay.answers.send_message(study.id, doctor, Note("retake", "ecg", "", "", "again"))
    whole = bundle(study=study)
    assert entries(whole, "Task")[0]["status"] == "on-hold"
    (asked,) = entries(whole, "CommunicationRequest")
    assert (asked["status"], asked["payload"]) == ("active", [{"contentString": "ecg: again"}])


def test_the_newest_opinion_is_the_report_and_each_version_keeps_its_signature(bundle, answered):
    whole = bundle(study=answered)
    (report,) = entries(whole, "DiagnosticReport")
    assert report["status"] == "amended"
    assert "Normal sinus rhythm." in report["conclusion"]
    assert "Transfer" not in report["conclusion"]
    assert {one["status"] for one in entries(whole, "Observation") if ".vital-" in one["id"]} == {"final"}
    drafts = [one for one in entries(whole, "Observation") if ".draft-" in one["id"]]
    assert {one["status"] for one in drafts} == {"preliminary"}
    assert [one["method"]["text"] for one in drafts] == ["median RR", "Fridericia", "net areas", "RR"]
    signatures = [one["signature"][0] for one in entries(whole, "Provenance")]
    assert [len(base64.b64decode(one["data"])) for one in signatures[:2]] == [64, 64]
    assert signatures[2]["sigFormat"] == "application/cbor"


def test_consent_is_told_and_nothing_leaves_for_another_purpose(world, sent, bundle):
    whole = bundle()
    (consent,) = entries(whole, "Consent")
    assert [one["code"] for one in consent["provision"]["purpose"]] == ["TREAT"]
    study = sent(recordings=())
    for wrong in ({"purpose": "research"}, {"purpose": "sale"}):
        with pytest.raises(RefusedError):
            subject(world.relay, study.id, "dr", "fhir", **wrong)
    given = sent(recordings=(), consent=Consent(("care", "research", "recording"), NOON))
    with pytest.raises(RefusedError, match="care only"):
        subject(world.relay, given.id, "dr", "fhir", purpose="research", identity="full")
    told = bundle(study=given, purpose="research")
    assert len(entries(told, "Consent")[0]["provision"]["purpose"]) == 3
    assert "Seededquestion" not in json.dumps(told)
    nothing = sent(recordings=(), consent=Consent((), NOON))
    with pytest.raises(RefusedError, match="consent"):
        subject(world.relay, nothing.id, "dr", "fhir")


def test_nobody_is_named_unless_care_needs_it(bundle):
    text = json.dumps(bundle())
    assert not any(word in text for word in ("Zahra", "R-77", "birthDate"))
    named = entries(bundle(identity="full"), "Patient")[0]
    assert (named["name"], named["birthDate"]) == ([{"text": "Zahra Seededname"}], "1971")
    assert named["identifier"][1]["value"] == "R-77"
    age = next(one for one in json.loads(text)["entry"] if one["resource"]["id"].endswith(".age"))
    assert age["resource"]["valueQuantity"]["value"] == 55


def test_simulated_cases_say_so_on_every_resource_and_leave_a_training_relay_only(world, sent):
    study = sent("HTEST", recordings=visit()[4:5])
    with pytest.raises(RefusedError):
        exported(world.relay, study, "fhir")
    files = exported(world.again(label="HTEST"), study, "fhir")
    whole = json.loads(files["HTEST-bundle.json"])
    for one in whole["entry"]:
        assert HTEST in [
            {k: v for k, v in label.items() if k != "display"}
            for label in one["resource"]["meta"]["security"]
        ]
    assert json.loads(files["contents.json"])["label"] == "HTEST"


async def test_auditors_read_who_did_what_as_audit_events(world, client, answered):
    auditor, coordinator = world.user("eye", "auditor"), world.user("co", "coordinator")
    async with client(coordinator) as desk:
        glass = await desk.post(f"/api/cases/{answered.id}/glass", json={"reason": "life_at_risk"})
        assert glass.status_code in (200, 201), glass.text
    async with client(auditor) as desk:
        said = await desk.get("/fhir/AuditEvent", params={"encounter": f"Encounter/{answered.id}"})
        whole = said.json()
        get_fhir_model_class("Bundle").model_validate(whole)
        events = [one["resource"] for one in whole["entry"]]
        for one in events:
            get_fhir_model_class("AuditEvent").model_validate(one)
        told = {one["subtype"][-1]["code"]: one for one in events}
        assert told["opinion.sign"]["type"]["code"] == "110110"
        assert told["opinion.sign"]["action"] == "C"
        assert told["opinion.sign"]["entity"][0]["what"] == {"reference": f"Encounter/{answered.id}"}
        alert = told["glass.break"]
        assert (alert["type"]["code"], alert["action"]) == ("110113", "E")
        assert codes({"coding": alert["subtype"]}, DCM) == {"110127"}
        assert codes(alert["purposeOfEvent"][0], ACT_REASON) == {"ETREAT"}
        assert alert["agent"][0]["who"]["identifier"]["value"] == "co"
        assert "Seeded" not in said.text
        first = (await desk.get("/fhir/AuditEvent?_from=1&_count=2")).json()
        assert [one["resource"]["id"] for one in first["entry"]] == ["1", "2"]
        following = (await desk.get(first["link"][1]["url"])).json()
        assert following["entry"][0]["resource"]["id"] == "3"
        mine = (await desk.get("/fhir/AuditEvent?agent=eye&_count=1")).json()["entry"][0]["resource"]
        assert mine["subtype"][-1]["code"] == "audit.read"
        unknown = await desk.get("/fhir/AuditEvent?patient=x")
        assert (unknown.status_code, unknown.json()["resourceType"]) == (422, "OperationOutcome")
        stated = (await desk.get("/fhir/metadata")).json()
        get_fhir_model_class("CapabilityStatement").model_validate(stated)
        (told,) = (one for one in stated["rest"][0]["resource"] if one["type"] == "AuditEvent")
        assert [one["name"] for one in told["searchParam"]] == ["encounter", "agent"]
    async with client(world.user("doctor")) as desk:
        assert (await desk.get("/fhir/AuditEvent")).status_code == 403


@pytest.mark.parametrize(
    ("what", "action"),
    [
        ("object.read", "R"),
        ("discussion.open", "C"),
        ("teaching.approve", "U"),
        ("opinion.sealed", "C"),
        ("message.sealed", "C"),
    ],
)
def test_an_act_on_a_case_names_its_encounter_and_is_of_a_patients_record(what, action):
    event = audit_event(Record(7, NOON, "dr", what, "case-1", ""), "Programme", simulated=False)
    get_fhir_model_class("AuditEvent").model_validate(event)
    assert event["entity"] == [{"what": {"reference": "Encounter/case-1"}}]
    assert (event["type"]["code"], event["action"]) == ("110110", action)
    bare = audit_event(Record(7, NOON, "dr", "teaching.list", "", ""), "Programme", simulated=False)
    assert ("entity" in bare, bare["type"]["code"]) == (False, "110100")


async def test_the_facade_reads_and_searches_one_case(world, client, answered):
    doctor = world.user("reader")
    async with client(doctor) as desk:
        said = await desk.get("/fhir/metadata")
        get_fhir_model_class("CapabilityStatement").model_validate(said.json())
        assert said.headers["content-type"].startswith("application/fhir+json")
        assert said.headers["cache-control"] == "no-store"
        listed = (await desk.get("/fhir/Encounter")).json()
        get_fhir_model_class("Bundle").model_validate(listed)
        (encounter,) = (one["resource"] for one in listed["entry"])
        assert encounter["id"] == answered.id
        where = {"encounter": f"Encounter/{answered.id}"}
        rates = (
            await desk.get("/fhir/Observation", params=where | {"code": "http://loinc.org|8867-4"})
        ).json()
        assert rates["total"] == 3
        assert {one["search"]["mode"] for one in rates["entry"]} == {"match"}
        final = where | {"status": "final", "category": "laboratory"}
        assert (await desk.get("/fhir/Observation", params=final)).json()["total"] == 2
        patient = (await desk.get(f"/fhir/Patient/{answered.id}.patient")).json()
        get_fhir_model_class("Patient").model_validate(patient)
        assert "Seeded" not in json.dumps(patient)
        found = (await desk.get("/fhir/Media", params={"patient": patient["id"]})).json()
        picture = await desk.get(f"/fhir/{found['entry'][-1]['resource']['content']['url']}")
        assert picture.headers["content-type"] == "image/jpeg"
        assert picture.headers["content-security-policy"]
        assert picture.content[:2] == b"\xff\xd8"
        asked = {"accept": "application/fhir+json"}
        binary = await desk.get(f"/fhir/{found['entry'][-1]['resource']['content']['url']}", headers=asked)
        assert base64.b64decode(binary.json()["data"]) == picture.content
    with world.relay.database.read() as connection:
        rows = connection.exec_driver_sql("select who, what, detail from audit").all()
    assert ("reader", "case.export", "fhir Media care pseudonym") in rows


async def test_the_facade_pages_and_refuses_in_its_own_form(world, client, sent):
    study = sent(recordings=(), vitals=VITALS)
    async with client(world.user()) as desk:
        where = {"encounter": study.id, "_count": 5}
        page = (await desk.get("/fhir/Observation", params=where)).json()
        seen = [one["resource"]["id"] for one in page["entry"]]
        while len(page["link"]) > 1:
            page = (await desk.get(page["link"][1]["url"])).json()
            seen += [one["resource"]["id"] for one in page["entry"]]
        assert len(seen) == len(set(seen)) == page["total"]
        beyond = (await desk.get("/fhir/Observation", params=where | {"_offset": 900})).json()
        assert "entry" not in beyond
        for path, status in [
            ("/fhir/Observation", 422),
            (f"/fhir/Observation?encounter={study.id}&value=3", 422),
            (f"/fhir/Observation?encounter={study.id}&_count=x", 422),
            ("/fhir/Observation?encounter=a%20b", 422),
            ("/fhir/Library?_id=1", 404),
            ("/fhir/Patient/nobody", 404),
            ("/fhir/Patient/.patient", 404),
            (f"/fhir/Patient/{study.id}.other", 404),
        ]:
            refused = await desk.get(path)
            assert refused.status_code == status, path
            get_fhir_model_class("OperationOutcome").model_validate(refused.json())
    async with client() as nobody:
        assert code(await nobody.get("/fhir/Patient")) == (401, "not_signed_in")


def test_only_what_is_asked_for_is_opened(world, sent):
    study = sent(recordings=visit())
    about = subject(world.relay, study.id, "dr", "fhir")
    before = world.relay.vault.part.cache_info().misses
    assert [one["resourceType"] for one in resources(about, "Patient")] == ["Patient"]
    assert world.relay.vault.part.cache_info().misses == before
