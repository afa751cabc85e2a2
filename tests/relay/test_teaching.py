"""The teaching library: what is taken of a case, who sees it, and that nothing of the patient is in it."""

import io
import json
import zipfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import select

from chevet.relay.archive.looks import LOOK_MS
from chevet.relay.archive.schema import audit
from chevet.relay.archive.schema_teaching import lessons
from chevet.relay.erasure import sweep, withdraw
from chevet.relay.exports.plain_picture import plain
from chevet.relay.teaching.identity import band, identifying
from chevet.relay.teaching.lesson import Item, Lesson, items_of, read, written
from chevet.relay.teaching.masked import BEGIN_MS
from chevet.study.ids import uuid7
from chevet.study.recording import StoredClip, StoredFile, StoredPicture
from chevet.study.study import Consent, Patient

from .conftest import NOON, code, ear, ecg, heart_sound

DAY = 24 * 3_600_000
WORDS = {
    "title": "A murmur in the third decade",
    "specialty": "cardiology",
    "story": "Breathless on stairs since the spring.",
    "question": "What is heard at the apex?",
    "answer": "A diastolic rumble: mitral stenosis.",
    "points": ["Listen on the left side.", " "],
}


def photo():
    held = io.BytesIO()
    Image.new("RGB", (48, 48), (160, 90, 80)).save(held, "JPEG")
    return held.getvalue()


@pytest.fixture
def case(sent):
    """A case of everything, whose patient consents to teaching; its best still is the second of two."""
    heart = replace(heart_sound(1), device={"serial": "SN-9"})
    still = StoredPicture(photo(), "image/jpeg", 0.5, True)
    film = StoredClip(b"a film", "image/avif", 0.0, 2.0)
    look = replace(ear(), pictures=(replace(still, best=False), still), clip=film)
    cart = ecg(1, source=StoredFile(b"a cart's own file: Seededname", "application/dicom"))
    patient = Patient(uuid7(NOON, b"0123456789"), "Zahra Seededname", 1971, "F", "R-77")
    return sent(
        recordings=(cart, heart, look), consent=Consent(("care", "teaching"), NOON, ""), patient=patient
    )


def body(case, **changes):
    cart, heart, look = (one.id for one in case.recordings)
    items = [
        {"recording": cart, "kind": "signal"},
        {"recording": heart, "kind": "sound", "looked": True},
        {"recording": look, "kind": "picture", "number": 1, "looked": True},
    ]
    return WORDS | {"items": items} | changes


@pytest.fixture
def people(world):
    return [
        world.user("dr"),
        world.user("second"),
        world.user("outside", "expert"),
        world.user("co", "coordinator"),
    ]


async def added(desk, case):
    answer = await desk.post(f"/api/cases/{case.id}/teaching", json=body(case))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def told(world):
    with world.relay.database.read() as view:
        rows = view.execute(select(audit).where(audit.c.what.like("teaching.%")).order_by(audit.c.seq)).all()
    return [(row.who, row.what) for row in rows]


async def test_a_case_is_listed_once_a_second_person_approved_it_and_its_answer_shows_when_asked(
    world, client, people, case
):
    async with client(people[0]) as mine, client(people[1]) as other, client(people[2]) as guest:
        look = (await mine.get(f"/api/cases/{case.id}/teaching")).json()
        assert (look["allowed"], look["whole"], look["patient"]) == (
            True,
            True,
            {"sex": "F", "band": "50-59"},
        )
        assert [(one["kind"], one["look"]) for one in look["items"]] == [
            ("signal", False),
            ("sound", True),
            ("picture", True),
            ("picture", True),
            ("clip", True),
        ]
        ident = await added(mine, case)
        one = f"/api/teaching/{ident}"
        assert (await guest.get("/api/teaching")).json() == {"lessons": []}
        assert code(await guest.get(one)) == (404, "not_found")
        assert code(await mine.post(f"{one}/approve")) == (409, "own_lesson")
        (waiting,) = (await other.get("/api/teaching")).json()["lessons"]
        assert (waiting["state"], waiting["approves"], waiting["added_by"]["id"]) == ("waiting", True, "dr")
        assert (await other.get(one)).status_code == 200
        assert (await other.post(f"{one}/approve")).status_code == 204
        (listed,) = (await guest.get("/api/teaching")).json()["lessons"]
        assert (listed["state"], listed["approves"]) == ("listed", False)
        assert listed["steps"] == ["ecg", "heart_sound", "otoscopy"]
        opened = await guest.get(one)
        assert "rumble" not in opened.text
        assert "Listen on the left" not in opened.text
        assert (await guest.get(f"{one}/answer")).json() == {
            "answer": WORDS["answer"],
            "points": ["Listen on the left side."],
        }
        assert code(await mine.post(f"/api/cases/{case.id}/teaching", json=body(case))) == (409, "in_library")
        assert (await mine.delete(one)).status_code == 204
        assert code(await guest.get(one)) == (404, "not_found")
        assert (await mine.get(f"/api/cases/{case.id}/teaching")).json()["lessons"] == []
    acts = told(world)
    assert [act for act in acts if act[1] not in ("teaching.list", "teaching.look")] == [
        ("dr", "teaching.add"),
        ("second", "teaching.read"),
        ("second", "teaching.approve"),
        ("outside", "teaching.read"),
        ("outside", "teaching.answer"),
        ("dr", "teaching.take_down"),
    ]


async def test_a_page_left_open_is_one_look_in_the_audit_until_ten_minutes_are_over(
    world, client, people, case
):
    async with client(people[0]) as mine, client(people[1]) as other:
        one = f"/api/teaching/{await added(mine, case)}"
        for _ in range(3):
            world.clock.ms += 20_000
            assert (await other.get("/api/teaching")).status_code == 200
            assert (await other.get(one)).status_code == 200
            assert (await other.get(f"{one}/answer")).status_code == 200
        world.clock.ms += LOOK_MS
        assert (await other.get(one)).status_code == 200
        world.clock.ms -= 2 * LOOK_MS  # a clock that was set back hides nothing
        assert (await other.get(one)).status_code == 200
    acts = [what for who, what in told(world) if who == "second"]
    assert [acts.count(f"teaching.{what}") for what in ("list", "read", "answer")] == [1, 3, 3]


async def test_a_lesson_shows_what_was_chosen_and_nothing_of_who_where_and_when(world, client, people, case):
    secret = [
        "Seeded", "Zahra", "R-77", "1971", "amina", "SN-9", "abc", case.id, case.patient.id, str(NOON),
        *(one.id for one in case.recordings),
    ]  # fmt: skip
    async with client(people[0]) as mine, client(people[1]) as other:
        world.clock.ms += 60_000  # the library may say when it was added, not when the visit was
        ident = await added(mine, case)
        one = f"/api/teaching/{ident}"
        found = await other.get(one)
        lesson = found.json()
        assert [word for word in secret if word in found.text] == []
        cart, heart, look = lesson["recordings"]
        assert (look["pictures"], look["clip"], cart["source"]) == (
            [{"media_type": "image/jpeg", "at_s": 0.5, "best": True, "bytes": look["pictures"][0]["bytes"]}],
            None,
            None,
        )
        assert lesson["vitals"][0]["at_ms"] == BEGIN_MS == cart["started_ms"]
        parts = {
            f"{cart['id']}/waveform": 200,
            f"{cart['id']}/waveform?layer=preview": 200,
            f"{heart['id']}/sound": 200,
            f"{look['id']}/pictures/0": 200,
            f"{look['id']}/pictures/1": 404,
            f"{look['id']}/clip": 404,
            f"{case.recordings[0].id}/waveform": 404,
        }
        for path, status in parts.items():
            answer = await other.get(f"{one}/recordings/{path}")
            assert answer.status_code == status, path
            head = answer.content[:600]
            assert [word for word in secret if word.encode() in head] == [], path
        picture = await other.get(f"{one}/recordings/{look['id']}/pictures/0")
        assert picture.content == plain(case.recordings[2].pictures[1].data, "image/jpeg")
        assert picture.headers["content-type"] == "image/jpeg"


async def test_an_exported_lesson_holds_its_words_and_none_of_the_seeded_identifiers(
    world, client, people, case
):
    secret = [
        b"Seeded", b"Zahra", b"R-77", b"amina", b"SN-9", case.id.encode(), case.patient.id.encode(), b"2026",
        *(one.id.encode() for one in case.recordings),
    ]  # fmt: skip
    async with client(people[0]) as mine, client(people[2]) as guest:
        ident = await added(mine, case)
        assert code(await guest.get(f"/api/teaching/{ident}/export?form=wfdb")) == (403, "not_allowed")
        for form in ("wfdb", "edf", "wav", "dicom", "fhir"):
            answer = await mine.get(f"/api/teaching/{ident}/export?form={form}")
            assert answer.status_code == 200, answer.text
            assert ident in answer.headers["content-disposition"]
            with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
                held = {name: bundle.read(name) for name in bundle.namelist()}
            words = json.loads(held[f"{ident}/lesson.json"])
            assert (words["question"], words["patient"]["band"]) == (WORDS["question"], "50-59")
            assert len(held) > 2
            left = [
                (name, word)
                for name, data in held.items()
                for word in secret
                if word in data or word in name.encode()
            ]
            assert left == [], form


async def test_a_lesson_is_hidden_as_soon_as_consent_to_teaching_is_withdrawn(world, client, people, case):
    async with client(people[0]) as mine, client(people[1]) as other:
        ident = await added(mine, case)
        one = f"/api/teaching/{ident}"
        assert (await other.post(f"{one}/approve")).status_code == 204
        look = (await other.get(one)).json()["recordings"][0]["id"]
        before = world.clock.ms
        withdrawal = {"purposes": ["teaching"]}
        assert (await mine.post(f"/api/cases/{case.id}/withdrawal", json=withdrawal)).status_code == 200
        assert (await other.get("/api/teaching")).json() == {"lessons": []}
        shut = (one, f"{one}/answer", f"{one}/export?form=wfdb", f"{one}/recordings/{look}/waveform")
        for path in shut:
            assert code(await other.get(path)) == (404, "not_found"), path
        assert world.clock.ms - before <= 60_000
        assert (await other.get(f"/api/cases/{case.id}")).status_code == 200  # care goes on
        again = await mine.post(f"/api/cases/{case.id}/teaching", json=body(case))
        assert code(again) == (403, "no_consent")


def test_the_words_of_a_lesson_are_sealed_and_destroyed_with_its_case(world, people, case):
    relay = world.relay
    lesson = Lesson("Seededtitle", "cardiology", "", "What?", "That.", (), ())
    ident = relay.lessons.add(case.id, lesson, frozenset(), people[0])
    held = b"".join(one.read_bytes() for one in world.settings.archive.glob("relay.sqlite3*"))
    assert b"Seeded" not in held
    withdraw(relay, case.id, ("care",), "dr")
    assert relay.lessons.all(people[1]) == []
    world.clock.ms += (relay.settings.erasure_days + 1) * DAY
    assert len(sweep(relay)) == 1
    with relay.database.read() as view:
        row = view.execute(select(lessons)).one()
    assert (row.id, row.words, row.added_by) == (ident, None, "dr")


async def test_what_nobody_looked_at_or_names_somebody_is_not_taken(world, client, people, case):
    here = f"/api/cases/{case.id}/teaching"
    cart, heart, look = (one.id for one in case.recordings)
    wrong = [
        (body(case, items=[{"recording": heart, "kind": "sound"}]), "not_looked", "items"),
        (body(case, items=[{"recording": look, "kind": "clip"}]), "not_looked", "items"),
        (body(case, items=[{"recording": cart, "kind": "picture", "looked": True}]), "invalid", "items"),
        (body(case, items=[{"recording": "other", "kind": "signal"}]), "invalid", "items"),
        (body(case, story="Mme ZÀHRA vient de loin"), "identifying_name", "story"),
        (body(case, answer="Voir le registre r-77"), "identifying_name", "answer"),
        (body(case, points=["Seen on 12/03/2026"]), "identifying_date", "points"),
        (body(case, question="Call 06 12 34 56 78?"), "identifying_number", "question"),
        (body(case, specialty="astrology"), "invalid", "specialty"),
        (body(case, title="  "), "invalid", "title"),
    ]
    async with client(people[0]) as mine:
        for sent_body, why, field in wrong:
            answer = await mine.post(here, json=sent_body)
            assert (answer.status_code, answer.json()["error"]["code"]) == (422, why), (why, answer.text)
            assert answer.json()["error"]["field"].startswith(field)
            assert "Seeded" not in answer.text
        assert (await mine.get("/api/teaching")).json() == {"lessons": []}


async def test_a_case_that_is_not_whole_or_whose_patient_does_not_consent_is_not_taken(
    world, client, people, sent
):
    study = sent()
    nothing = WORDS | {"items": []}
    async with client(people[0]) as mine:
        assert (await mine.get(f"/api/cases/{study.id}/teaching")).json()["allowed"] is False
        assert code(await mine.post(f"/api/cases/{study.id}/teaching", json=nothing)) == (403, "no_consent")
        assert code(await mine.post("/api/cases/none/teaching", json=nothing)) == (404, "not_found")
        for method, path in (("GET", ""), ("GET", "/answer"), ("POST", "/approve"), ("DELETE", "")):
            assert code(await mine.request(method, f"/api/teaching/none{path}")) == (404, "not_found")


@given(st.integers(-3, 130))
def test_every_age_is_in_one_band_that_is_wider_than_a_year(age):
    found = band(age)
    if age < 0:
        assert found == ""
    elif age >= 90:
        assert found == "90+"
    else:
        low, high = map(int, found.split("-"))
        assert low <= age <= high > low
    assert band(None) == ""


@given(st.text(max_size=200))
def test_a_text_without_digits_and_known_names_passes_and_any_text_is_judged(text):
    assert identifying(text, ["Zahra Seededname", ""]) in ("", "name", "number", "date")
    assert identifying("A soft murmur, heard late.", [text[:0], "Zahra"]) == ""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("زَهرة تشكو من ضيق", "name"),
        ("BÉNALI a écrit", "name"),
        ("الهاتف ٠٦١٢٣٤٥٦٧٨", "number"),
        ("vu le ٢٠٢٦-٠٣-١٢", "date"),
        ("120/80 mmHg, 37.5 C, 98 %", ""),
        ("V1-V4, 25 mm/s", ""),
    ],
)
def test_names_numbers_and_dates_are_found_in_any_writing(text, found):
    assert identifying(text, ["زهرة", "Dr S. Benali"]) == found


def test_a_lesson_is_read_as_it_was_written(make_study):
    items = items_of(make_study().recordings)
    lesson = Lesson("t", "ent", "s", "q", "a", ("one", "two"), items)
    assert read(written(lesson)) == lesson
    assert Item(make_study().recordings[0].id, "signal").number == 0
    assert {one.kind for one in items} == {"signal", "picture"}
