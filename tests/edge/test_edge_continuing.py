"""A visit that continues a case: the right patient, the right point, the consent that was given for it."""

from typing import Any

import pytest
from edge_fakes import NAME, Box
from test_edge_api import kiosk
from test_edge_visit import complete, open_visit, opened, refused

from chevet.edge.bodies import VisitChanges
from chevet.edge.continuing import continued_words
from chevet.edge.identity import new_id
from chevet.edge.visit import ANSWERS_AT_MOST
from chevet.study.case import Author, Message
from chevet.study.study import Patient


def sent_case(box: Box) -> str:
    visit = open_visit(box)
    complete(box, visit, reason="breathlessness", urgency="urgent")
    return box.bedside.rules.send(visit).id


def ask_again(box: Box, case: str, *, verified: bool = True, kind: str = "retake") -> str:
    step, site = ("heart_sound", "M") if kind == "retake" else ("", "")
    message = Message(new_id(), case, kind, "Longer, please", Author("s1", "Dr A"), 5, step=step, site=site)
    box.bedside.cases.keep_message(message, verified=verified)
    return message.id


async def test_a_retake_begins_at_the_point_with_the_consent_and_the_question_of_its_case(box: Box) -> None:
    case = sent_case(box)
    message = ask_again(box, case)
    async with kiosk(box) as client:
        shown = (await client.get(f"/api/cases/{case}")).json()
        assert (shown["retakes"], shown["unread"]) == ([message], True)
        answer = await client.post("/api/visits", json={"patient": "p1", "case": case, "message": message})
    visit = answer.json()
    assert visit["continues"] == {
        "case": case, "message": message, "step": "heart_sound", "site": "M", "side": "",
        "text": "Longer, please",
    }  # fmt: skip
    before = box.bedside.visits.get(case).words
    assert before.consent is not None
    assert visit["consent"]["given_ms"] == before.consent.given_ms
    assert (visit["question"], visit["reason"], visit["urgency"]) == (
        "Is this normal?",
        "breathlessness",
        "urgent",
    )


def test_a_sent_retake_settles_the_request_and_says_what_it_continues(box: Box) -> None:
    case = sent_case(box)
    message = ask_again(box, case)
    words = continued_words(box.bedside.visits, box.bedside.cases, "p1", case, message)
    again = box.bedside.rules.send(box.bedside.rules.open("p1", "amina", words).id)
    assert again.words.continues == case
    assert box.bedside.cases.get(case).words.retakes == ()
    notes = opened(box, again.id).notes
    assert (notes["continues"], notes["retake"]) == (case, message)


@pytest.mark.parametrize("how", ["other_patient", "unknown_case", "unverified", "note"])
def test_only_a_verified_request_about_this_patient_is_taken_up(box: Box, how: str) -> None:
    case = sent_case(box)
    message = ask_again(box, case, verified=how != "unverified", kind="note" if how == "note" else "retake")
    box.bedside.patients.add(Patient("p2", NAME, 1980, "F"))
    patient = "p2" if how == "other_patient" else "p1"
    wanted = new_id() if how == "unknown_case" else case
    problem = refused(
        lambda: continued_words(box.bedside.visits, box.bedside.cases, patient, wanted, message)
    )
    assert problem.code == ("conflict" if how == "other_patient" else "not_found")


def test_a_follow_up_needs_no_request(box: Box) -> None:
    case = sent_case(box)
    words = continued_words(box.bedside.visits, box.bedside.cases, "p1", case)
    assert words.continues is not None
    assert (words.continues.case, words.continues.message) == (case, "")


async def test_answers_join_each_other_and_travel_with_the_study(box: Box) -> None:
    visit = open_visit(box)
    complete(box, visit)
    async with kiosk(box) as client:

        async def write(**changes: Any) -> dict[str, Any]:
            answer = await client.patch(f"/api/visits/{visit}", json=changes)
            assert answer.status_code == 200
            shape: dict[str, Any] = answer.json()
            return shape

        await write(history={"since": "days", "cough.blood": "yes"}, path="stroke")
        shown = await write(history={"cough.blood": "", "nihss.1a": "2"})
    assert (shown["history"], shown["path"]) == ({"since": "days", "nihss.1a": "2"}, "stroke")
    box.bedside.rules.send(visit)
    notes = opened(box, visit).notes
    assert notes["path"] == "stroke"
    assert {key: word for key, word in notes.items() if key.startswith("history:")} == {
        "history:since": "days",
        "history:nihss.1a": "2",
    }


def test_answers_do_not_grow_without_end(box: Box) -> None:
    visit = open_visit(box)
    for first in range(0, ANSWERS_AT_MOST, 48):
        box.bedside.rules.write(visit, {"history": {f"a{first + n}": "x" for n in range(48)}})
    assert refused(lambda: box.bedside.rules.write(visit, {"history": {"b": "x"}})).code == "too_large"


@pytest.mark.parametrize("history", [{"Name": "x"}, {"a": "x" * 121}, {"a.b.c": "x"}, {"a": 3}])
def test_answers_are_coded_and_short(history: Any) -> None:
    with pytest.raises(ValueError, match="history"):
        VisitChanges.model_validate({"history": history})


async def test_consent_overridden_in_an_emergency_says_so_to_the_end(box: Box) -> None:
    visit = open_visit(box)
    async with kiosk(box) as client:
        body = {"purposes": ["care"], "override": "stroke"}
        shown = (await client.put(f"/api/visits/{visit}/consent", json=body)).json()
        assert shown["override"] == "stroke"
        unknown = await client.put(f"/api/visits/{visit}/consent", json=body | {"override": "haste"})
        assert unknown.status_code == 422
    box.bedside.rules.write(visit, {"question": "?", "specialty": "cardiology"})
    box.bedside.rules.send(visit)
    assert opened(box, visit).notes["consent_override"] == "stroke"


async def test_a_face_is_kept_beside_the_answer(box: Box) -> None:
    case = sent_case(box)
    async with kiosk(box) as client:
        shown = (await client.post(f"/api/cases/{case}/feedback", json={"face": "good"})).json()
        assert shown["feedback"] == "good"
        assert (await client.post(f"/api/cases/{case}/feedback", json={"face": "ok"})).status_code == 422
        assert (await client.post(f"/api/cases/{new_id()}/feedback", json={"face": "bad"})).status_code == 404
    assert box.bedside.cases.get(case).words.feedback == "good"
