"""A whole visit at the kiosk, in its four languages, by what the worker sees."""

from collections.abc import Callable

import pytest
from kiosk.kiosk_browser import edge, hand, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import Hand
from playwright.sync_api import expect

pytestmark = pytest.mark.web

COUNT_NOTES = """() => {
  const start = OscillatorNode.prototype.start;
  window.notes = 0;
  OscillatorNode.prototype.start = function (...at) { window.notes += 1; return start.apply(this, at); };
}"""


@pytest.mark.parametrize("language", ["fr", "ar", "zgh", "en"])
def test_a_visit_runs_from_sign_in_to_the_answer(hand: Callable[..., Hand], language: str) -> None:  # noqa: F811
    worker = hand(language)
    worker.keeps = language in ("fr", "ar")  # pictures cost time; `make screens` has those of every language
    worker.sign_in()
    expect(worker.page.locator(".htest")).to_contain_text("HTEST")
    worker.picture("start")
    worker.to_tiles()
    worker.picture("tiles")
    measure_everything(worker)
    ask_and_send(worker)
    follow_to_the_answer(worker)


def measure_everything(worker: Hand) -> None:
    for exam in ("oximetry", "ecg"):
        worker.exam(exam)
        worker.sees("coach.good")
        worker.picture(exam)
        worker.record()
        worker.sees("result.good")
        worker.touch("result.keep")
        expect(worker.page.locator(f"[data-exam={exam}] .chip-ok")).to_be_visible()
    worker.exam("heart_sound")
    for site in "APETM":
        expect(worker.page.locator(f".place-active[data-site={site}]")).to_be_visible()
        worker.record()
        worker.touch("result.keep")
    worker.heading("tiles.title")
    both_ears(worker)
    worker.exam("blood_pressure")
    worker.page.keyboard.type("148")
    worker.page.keyboard.press("Enter")
    worker.page.keyboard.type("92")
    worker.page.keyboard.press("Enter")
    expect(worker.page.locator("[data-exam=blood_pressure]")).to_contain_text("148/92")


def both_ears(worker: Hand) -> None:
    worker.exam("otoscopy")
    worker.heading("ears.title")
    worker.picture("ears")
    worker.touch("side.right")
    for side in ("right", "left"):
        worker.sees(f"side.{side}")
        worker.sees("coach.good")
        worker.record()
        expect(worker.page.locator(".still")).to_have_count(5)
        expect(worker.page.locator(".still[aria-checked=true]")).to_contain_text(worker.text("otoscope.best"))
        worker.page.locator(".still").nth(1).click()
        worker.picture(f"ear-{side}")
        worker.touch("result.keep")
    worker.heading("tiles.title")
    assert [one["side"] for one in worker.edge.visit["recordings"] if one["side"]] == ["right", "left"]  # type: ignore[index]


def ask_and_send(worker: Hand) -> None:
    worker.touch("tiles.review")
    worker.heading("review.title")
    expect(worker.page.locator(".recording-row")).to_have_count(9)
    worker.picture("review")
    worker.touch("review.go")
    worker.touch("phrase.opinion")
    expect(worker.page.locator("textarea")).to_have_value(worker.text("phrase.opinion"))
    worker.touch("do.next")
    worker.heading("address.title")
    expect(worker.page.get_by_role("radio", name=worker.text("specialty.cardiology"))).to_be_checked()
    worker.page.get_by_role("radio", name=worker.text("urgency.urgent.help")).click()
    worker.picture("address")
    worker.main()


def follow_to_the_answer(worker: Hand) -> None:
    box = worker.edge
    worker.sees("delivery.on_box.title")
    case = next(iter(box.far.cases))
    for state, percent in (("travelling", 43), ("at_relay", 100), ("opened", 100)):
        box.far.move(case, state, percent)
        box.tell_case(case)
        worker.sees(f"delivery.{state}.title")
        worker.picture(state)
    worker.page.evaluate(COUNT_NOTES)
    box.far.answer(case, advice="40 mg")
    box.tell_case(case)
    box.tell({"type": "status", "status": box.status()})
    expect(worker.page.locator(".bar-read")).to_have_text("1")
    worker.page.wait_for_function("window.notes >= 2")
    assert worker.page.evaluate("notes") == 2
    worker.touch("case.read")
    worker.heading("answer.title")
    worker.sees("answer.verified")
    worker.sees("answer.stay")
    if worker.language != "zgh":  # Tamazight waits for a person's voice
        expect(worker.button("voice.say", what=worker.words["answer.stay"])).to_be_visible()
    expect(worker.page.get_by_text("Dr K. Amrani")).to_be_visible()
    expect(worker.page.locator(".answer-advice")).to_have_text("40 mg")
    worker.picture("answer")
    worker.touch("answer.read")
    expect(worker.page.locator(".start-new")).to_be_visible()
    assert not box.far.cases[case]["unread"]
    box.tell({"type": "status", "status": box.status()})
    expect(worker.page.locator(".bar-read")).to_have_count(0)


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_only_the_layout_is_mirrored_never_the_body(hand: Callable[..., Hand], language: str) -> None:  # noqa: F811
    worker = hand(language)
    worker.sign_in()
    worker.to_tiles()
    main = centre(worker, ".page-foot .main-button")
    assert (main > 640) is (language == "fr")
    worker.exam("ecg")
    assert centre(worker, "[data-site=V1]") < centre(worker, "[data-site=V6]")
    assert centre(worker, "[data-site=R]") < centre(worker, "[data-site=L]")
    worker.touch("do.back")
    worker.exam("otoscopy")
    assert centre(worker, ".ear-right") < centre(worker, ".ear-left")


def centre(worker: Hand, selector: str) -> float:
    box = worker.page.locator(selector).first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2


def test_a_sign_of_danger_gives_the_telephone_before_any_instrument(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr")
    worker.sign_in()
    worker.touch("start.new")
    worker.touch("sign.bleeding")
    worker.main()
    worker.heading("call.title")
    expect(worker.page.get_by_text("+212 535 00 00 00")).to_be_visible()
    worker.picture("call")
    worker.touch("call.continue")
    worker.page.locator(".case-row").first.click()
    worker.page.locator(".identifier").nth(0).click()
    expect(worker.page.locator(".main-button")).to_have_attribute("aria-disabled", "true")
    worker.page.locator(".identifier").nth(1).click()
    worker.touch("confirm.go")
    worker.heading("consent.title")
    assert worker.edge.visit is not None
    assert worker.edge.visit["red_flags"] == ["bleeding"]


def test_a_new_patient_needs_a_possible_age(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr")
    worker.sign_in()
    worker.to_patient()
    worker.touch("patient.new")
    worker.page.get_by_label("Nom et prénom").fill("Malika Oubella")
    worker.page.get_by_label("Âge en années").fill("540")
    worker.sees("patient.why.birth")
    worker.page.get_by_label("Âge en années").fill("34")
    worker.touch("sex.F")
    worker.touch("do.next")
    worker.heading("confirm.title")
    assert worker.edge.patients[0]["name"] == "Malika Oubella"


def test_an_unverified_answer_is_not_to_be_followed(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr")
    worker.edge.far.add("c1", {
        "patient": worker.edge.patients[0], "urgency": "routine", "specialty": "ent", "reason": "cough",
        "recordings": [], "vitals": [], "question": "?",
    })  # fmt: skip
    worker.edge.far.answer("c1", verified=False, transfer=True)
    worker.sign_in()
    expect(worker.page.locator(".case-row")).not_to_contain_text("Fatima")
    worker.page.locator(".case-row").click()
    worker.sees("answer.unverified.help")
    worker.sees("answer.transfer")
    worker.picture("answer-unverified")
