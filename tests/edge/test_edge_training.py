"""Training is kept apart from care, in both directions."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from edge_fakes import Box, make_box
from test_edge_api import PIN, at_work, error, kiosk
from test_edge_visit import NAME, ecg_block, refused

from chevet.edge.api import make_app
from chevet.edge.closing import Closing
from chevet.edge.errors import SettingsError
from chevet.edge.live_up import LiveUp
from chevet.edge.settings import DeviceSettings, all_devices, load_settings
from chevet.edge.training import OVER_AFTER_MS
from chevet.edge.training_lessons import (
    FATIMA,
    LESSONS,
    PATIENTS,
    RETAKE,
    START,
    TRAINING_PREFIX,
)
from chevet.edge.training_store import FAILED, MARKS_AT_MOST, OPEN, PASSED, Attempt, Attempts, marked
from chevet.edge.visits import CLOSED, CLOSING, DRAFT
from chevet.study.study import HTEST, EdgeClock, Patient

# --- apart from care ------------------------------------------------------------------------------


def test_while_a_lesson_is_open_only_invented_people_are_found_and_examined(box: Box) -> None:
    training, rules = box.bedside.training, box.bedside.rules
    box.bedside.patients.add(Patient("p1", NAME, 1974, "F", "A-17"))
    assert [one.id for one in training.search("")] == ["p1"]
    training.begin("amina", "identity")
    assert {one.id for one in training.search("")} == {one.id for one in PATIENTS}
    assert training.new_patient_id().startswith(TRAINING_PREFIX)
    assert refused(lambda: training.words_for("amina", "p1")).code == "conflict"
    assert refused(lambda: training.words_for("youssef", FATIMA.id)).code == "conflict"
    words = training.words_for("amina", FATIMA.id)
    assert words is not None
    visit = rules.open(FATIMA.id, "amina", words)
    assert box.bedside.visit(visit)["label"] == HTEST
    training.stop()
    assert [one.id for one in training.search("")] == ["p1"]
    assert not training.new_patient_id().startswith(TRAINING_PREFIX)
    assert refused(lambda: training.words_for("amina", FATIMA.id)).code == "conflict"
    assert training.words_for("amina", "p1") is None


def test_a_visit_of_training_is_closed_and_never_sealed(box: Box) -> None:
    training, rules = box.bedside.training, box.bedside.rules
    training.begin("amina", "send")
    visit = training.lay_ready("amina")
    rules.write(visit.id, {"question": "Is this normal?", "specialty": "cardiology", "urgency": "urgent"})
    assert refused(lambda: rules.send(visit.id)).code == "conflict"
    training.send(visit.id)
    assert box.bedside.visits.get(visit.id).state == CLOSED
    assert box.bedside.cases.all() == []
    assert box.bedside.spool.pending_ids() == []
    assert training.finish("amina").state == PASSED
    sealing: Closing = rules.closing
    with pytest.raises(AssertionError, match="never sealed"):
        sealing.finish(box.bedside.visits.get(visit.id))


def test_a_site_that_asks_few_passes_the_lessons_that_ask_for_cardiology(tmp_path: Path) -> None:
    asked = {step.arg for lesson in LESSONS for step in lesson.steps if step.check == "specialty"}
    box = make_box(tmp_path, specialties=("paediatrics",))
    bedside = box.bedside
    assert bedside.status()["specialties"] == ["paediatrics"]
    bedside.training.begin("amina", "send")
    assert asked <= set(bedside.status()["specialties"])
    visit = bedside.training.lay_ready("amina")
    bedside.rules.write(
        visit.id, {"question": "Is this normal?", "specialty": "cardiology", "urgency": "urgent"}
    )
    bedside.training.send(visit.id)
    assert bedside.training.finish("amina").state == PASSED
    assert bedside.status()["specialties"] == ["paediatrics"]
    box.close()


def test_an_incomplete_visit_of_training_names_what_is_missing(box: Box) -> None:
    training = box.bedside.training
    training.begin("amina", "send")
    visit = training.lay_ready("amina")
    assert refused(lambda: training.send(visit.id)).field == "question"


def test_a_real_visit_cannot_be_closed_as_training(box: Box) -> None:
    box.bedside.patients.add(Patient("p1", NAME, 1974, "F", "A-17"))
    visit = box.bedside.rules.open("p1", "amina")
    assert refused(lambda: box.bedside.training.send(visit.id)).code == "conflict"
    assert box.bedside.visits.get(visit.id).state == DRAFT


def test_a_power_cut_while_a_training_visit_closes_sends_nothing(box: Box) -> None:
    training = box.bedside.training
    training.begin("amina", "send")
    visit = training.lay_ready("amina")
    box.bedside.visits.begin_closing(visit.id, EdgeClock(1, "b", 1.0, "ok"))
    assert box.bedside.visits.get(visit.id).state == CLOSING
    box.bedside.rules.resume_closing()
    assert box.bedside.visits.get(visit.id).state == CLOSED
    assert box.bedside.spool.pending_ids() == []


def test_training_does_not_begin_over_an_open_visit_nor_twice(box: Box) -> None:
    training = box.bedside.training
    box.bedside.patients.add(Patient("p1", NAME, 1974, "F", "A-17"))
    visit = box.bedside.rules.open("p1", "amina")
    busy = refused(lambda: training.begin("amina", "danger"))
    assert (busy.code, busy.field) == ("visit_open", visit.id)
    box.bedside.rules.abandon(visit.id, "")
    training.begin("amina", "danger")
    assert refused(lambda: training.begin("amina", "danger")).code == "training_open"
    assert refused(lambda: training.begin("amina", "nothing")).code == "not_found"


def test_another_worker_or_a_forgotten_lesson_ends_training_at_sign_in(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = box.bedside.training
    training.begin("amina", "oximeter")
    draft = training.lay_ready("amina")
    training.signed_in("amina")
    assert training.require("amina").marks["signed_in"]
    training.signed_in("youssef")
    assert training.attempts.current() is None
    assert box.bedside.visits.get(draft.id).state == "abandoned"
    training.begin("amina", "oximeter")
    later = box.bedside.clock.now_ms() + OVER_AFTER_MS + 1000
    monkeypatch.setattr(type(box.bedside.clock), "now_ms", lambda _: later)
    training.signed_in("amina")
    assert training.attempts.current() is None
    training.signed_in("amina")  # with no lesson open it is an ordinary sign-in
    assert refused(lambda: training.require("amina")).code == "not_training"


def test_a_lesson_that_begins_at_the_first_screen_lays_nothing_ready(box: Box) -> None:
    training = box.bedside.training
    for lesson in LESSONS:
        training.begin("amina", lesson.code)
        if lesson.begins == START:
            assert refused(lambda: training.lay_ready("amina")).code == "conflict"
        else:
            visit = training.lay_ready("amina")
            assert visit.words.training
            assert (visit.words.continues is not None) == (lesson.begins == RETAKE)
        training.stop()


def test_marks_are_limited_and_history_and_certificate_are_of_one_worker(box: Box) -> None:
    attempts: Attempts = box.bedside.training.attempts
    full = Attempt("a", "amina", "danger", OPEN, 1, marks={"answer_read": list(range(MARKS_AT_MOST))})
    assert refused(lambda: marked(full, "signed_in", 1)).code == "too_large"
    assert box.bedside.training.certificate("amina") is None
    for number, lesson in enumerate(LESSONS):
        at = 1000 + number
        attempts.add(Attempt(f"f{number}", "amina", lesson.code, FAILED, at, at, 20))
        attempts.add(Attempt(f"w{number}", "amina", lesson.code, PASSED, at, at, 82))
        if number:
            attempts.add(Attempt(f"p{number}", "amina", lesson.code, PASSED, at, at + 1, 100))
    certificate = box.bedside.training.certificate("amina")
    assert certificate is not None
    assert certificate.points == round((82 + 100 * (len(LESSONS) - 1)) / len(LESSONS))
    assert certificate.at_ms == 1000 + len(LESSONS)
    assert box.bedside.training.certificate("youssef") is None
    assert attempts.of_worker("youssef") == []
    assert refused(lambda: attempts.change("w0", lambda one: one)).code == "conflict"


# --- instruments ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("simulated", "kept_for_training", "label", "in_training", "in_care"),
    [
        (False, False, "", False, True),
        (True, True, "", True, False),
        (True, False, "", True, True),
        (False, False, HTEST, True, True),
        (True, True, HTEST, True, True),
    ],
)
def test_which_instruments_serve_what(
    box: Box, simulated: bool, kept_for_training: bool, label: str, in_training: bool, in_care: bool
) -> None:
    one = box.bedside.instruments["ecg"]
    one.simulated = simulated
    one.settings = DeviceSettings(
        id="ecg",
        driver="fake",
        link="x:",
        simulated=simulated or kept_for_training,
        training=kept_for_training,
    )
    assert one.serves(training=True, label=label) is in_training
    assert one.serves(training=False, label=label) is in_care


def test_a_simulator_s_devices_are_kept_for_training_and_may_be_missing(tmp_path: Path) -> None:
    config = tmp_path / "edge.toml"
    text = 'data_dir = "box"\nprogramme = "p.json"\n[training]\ndevices_file = "sim.json"\n'
    config.write_text(text)
    assert all_devices(load_settings(config)) == ()
    (tmp_path / "sim.json").write_text('[{"id": "ecg", "driver": "kit-ecg", "link": "serial:/x"}]')
    (device,) = all_devices(load_settings(config))
    assert (device.id, device.simulated, device.training) == ("training-ecg", True, True)
    one = '[[devices]]\nid = "ecg"\ndriver = "kit-ecg"\nlink = "serial:/x"\ntraining = true\n'
    config.write_text('data_dir = "box"\nprogramme = "p.json"\n' + one)
    with pytest.raises(SettingsError, match="simulated = true"):
        load_settings(config)


# --- the interface --------------------------------------------------------------------------------


async def begin(client: httpx.AsyncClient, lesson: str) -> dict[str, Any]:
    answer = await client.post("/api/training", json={"lesson": lesson})
    assert answer.status_code == 201
    return dict(answer.json())


async def test_a_lesson_is_begun_marked_finished_and_listed(box: Box) -> None:
    async with kiosk(box) as client:
        course = (await client.get("/api/training")).json()
        assert [one["code"] for one in course["lessons"]] == [lesson.code for lesson in LESSONS]
        assert (course["open"], course["history"], course["certificate"]) == (None, [], None)
        assert "right" not in str(course["lessons"][1]["question"])
        assert course["missing"] == ["oximeter", "ecg", "stethoscope", "otoscope"]
        assert (await begin(client, "danger"))["state"] == OPEN
        status = (await client.get("/api/status")).json()
        assert (status["label"], status["training"]) == (HTEST, "danger")
        for mark in ("called:chest_pain", "answer:call"):
            assert (await client.post("/api/training/marks", json={"mark": mark})).status_code == 200
        finished = (await client.post("/api/training/finish", json={})).json()
        assert (finished["state"], finished["points"]) == (PASSED, 100)
        assert [step["value"] for step in finished["steps"]] == [1.0, 1.0, 1.0]
        after = (await client.get("/api/training")).json()
        assert after["lessons"][1]["best"] == 100
        assert [one["lesson"] for one in after["history"]] == ["danger"]
        status = (await client.get("/api/status")).json()
        assert (status["label"], status["training"]) == ("", "")


async def test_what_is_no_lesson_and_no_mark_is_refused(box: Box) -> None:
    async with kiosk(box) as client:
        assert error(await client.post("/api/training", json={"lesson": "x"}))[:2] == (404, "not_found")
        assert error(await client.post("/api/training/finish", json={}))[:2] == (409, "not_training")
        await begin(client, "danger")
        for mark in ("signed_in", "called:", "answer:Not a code", "x" * 400):
            answer = await client.post("/api/training/marks", json={"mark": mark})
            assert error(answer)[:2] == (422, "invalid"), mark
        assert (await client.post("/api/training/stop", json={})).status_code == 204
        assert (await client.get("/api/training")).json()["open"] is None
    async with kiosk_again(box) as stranger:
        assert (await stranger.get("/api/training")).status_code == 401


def kiosk_again(box: Box) -> httpx.AsyncClient:

    return httpx.AsyncClient(transport=httpx.ASGITransport(make_app(box.bedside)), base_url="http://kiosk")


async def test_signing_in_is_what_the_first_lesson_waits_for(box: Box) -> None:
    async with kiosk(box) as client:
        await begin(client, "sign_in")
        await client.delete("/api/session")
        answer = await client.post("/api/session", json={"worker": "amina", "pin": PIN})
        assert answer.status_code == 200
        steps = (await client.get("/api/training")).json()["open"]["steps"]
        assert steps[0] == {"check": "signed_in", "arg": "", "part": "action", "must": True, "value": 1.0}


async def test_a_training_visit_records_from_simulated_instruments_alone(tmp_path: Path) -> None:
    box = make_box(tmp_path)
    async with at_work(box) as client:
        await begin(client, "electrodes")
        visit = (await client.post("/api/training/visit", json={})).json()
        assert (visit["training"], visit["label"]) == (True, HTEST)
        asked = {"step": "ecg", "seconds": 1}
        refusal = await client.post(f"/api/visits/{visit['id']}/captures", json=asked)
        assert error(refusal)[:2] == (503, "device_absent")
        box.bedside.instruments["ecg"].simulated = True
        capture = (await client.post(f"/api/visits/{visit['id']}/captures", json=asked)).json()
        box.devices["ecg"].play(ecg_block(0, 500))
        stopped = (await client.post(f"/api/captures/{capture['id']}/stop", json={})).json()
        assert stopped["recording"] is None or stopped["recording"]["simulated"]
        await client.post(f"/api/captures/{capture['id']}/discard", json={})
        finished = (await client.post("/api/training/finish", json={})).json()
        assert finished["state"] == FAILED
        assert (await client.get("/api/visits/current")).json() == {"visit": None}
        assert not list((tmp_path / "box" / "journals").glob("*.journal"))
    box.close()


async def test_an_invented_patient_is_registered_and_sent_within_a_lesson(box: Box) -> None:
    async with kiosk(box) as client:
        await begin(client, "whole")
        person = {"name": "New Person", "birth_year": 1990, "sex": "F", "local_number": ""}
        patient = (await client.post("/api/patients", json=person)).json()
        assert patient["id"].startswith(TRAINING_PREFIX)
        visit = (await client.post("/api/visits", json={"patient": patient["id"]})).json()
        assert visit["training"]
        await client.put(f"/api/visits/{visit['id']}/consent", json={"purposes": ["care"], "witness": ""})
        words = {"question": "Is this normal?", "specialty": "cardiology"}
        await client.patch(f"/api/visits/{visit['id']}", json=words)
        assert (await client.post(f"/api/visits/{visit['id']}/send", json={})).json() == {"case": ""}
        assert (await client.get("/api/cases")).json()["cases"] == []
        coded = (await client.post("/api/patients/coded", json={"birth_year": None, "sex": ""})).json()
        assert coded["id"].startswith(TRAINING_PREFIX)


def test_nobody_watches_a_visit_of_training(box: Box) -> None:
    facts = LiveUp._facts
    watching = SimpleNamespace(_bedside=box.bedside, sender=SimpleNamespace(cases=list))
    box.bedside.training.begin("amina", "oximeter")
    box.bedside.training.lay_ready("amina")
    assert facts(watching)[0] is None
    box.bedside.training.stop()
    box.bedside.patients.add(Patient("p1", NAME, 1974, "F", "A-17"))
    real = box.bedside.rules.open("p1", "amina")
    box.bedside.rules.consent(real.id, ("care",), "")
    found = facts(watching)[0]
    assert found is not None
    assert found.id == real.id
