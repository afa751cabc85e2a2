"""Fingers only: a kiosk without keys registers a patient and asks a question; the answer prints."""

import re
from collections.abc import Callable

import pytest
from kiosk.kiosk_browser import edge, hand, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import Hand, strings
from playwright.sync_api import expect

pytestmark = pytest.mark.web
CATCH_PRINT = """() => {
  const page = document.documentElement;
  window.print = () => { page.dataset.printed = page.lang + " " + document.body.innerText };
}"""


@pytest.mark.parametrize(("language", "size"), [("fr", "small"), ("ar", "large")])
def test_a_name_is_written_on_the_glass(
    hand: Callable[..., Hand],  # noqa: F811
    language: str,
    size: str,
) -> None:
    worker = hand(language, size)
    worker.sign_in()
    worker.to_patient()
    worker.touch("patient.new")
    page = worker.page
    page.locator("#name").tap()
    keys = page.locator(".touch-keys")
    expect(keys).to_be_visible()
    word = "ali" if language == "fr" else "علي"
    for letter in word:
        keys.get_by_role("button", name=letter, exact=True).click()
    keys.get_by_role("button", name=worker.text("key.back")).click()
    expect(page.locator("#name")).to_have_value(word[:-1])
    expect(page.locator("#name")).to_be_in_viewport()
    worker.picture("touch-keys")
    keys.get_by_role("button", name=worker.text("keys.done")).click()
    expect(keys).to_have_count(0)
    worker.sees("patient.why.second")


def test_a_mouse_brings_no_keys(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr")
    worker.sign_in()
    worker.to_patient()
    worker.page.locator("input[type=search]").click()
    expect(worker.page.locator(".touch-keys")).to_have_count(0)


def test_the_answer_on_paper_says_what_it_is(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr")
    worker.edge.far.add(
        "c1",
        {
            "patient": worker.edge.patients[0],
            "urgency": "routine",
            "specialty": "cardiology",
            "reason": "cough",
            "recordings": [],
            "vitals": [],
            "question": "?",
        },
    )
    worker.edge.far.answer("c1")
    worker.sign_in()
    worker.page.locator(".case-row").click()
    worker.sees("answer.verified")
    worker.page.emulate_media(media="print")
    worker.page.set_viewport_size({"width": 559, "height": 794})
    expect(worker.page.locator(".bar")).to_be_hidden()
    expect(worker.page.locator(".htest")).to_be_visible()
    worker.sees("about.statement")
    worker.picture("paper")


def test_the_paper_is_in_the_patients_language_and_the_screen_stays(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr", "small")
    page = worker.page
    worker.edge.far.add("c1", {
        "patient": worker.edge.patients[0], "urgency": "routine", "specialty": "ent", "reason": "cough",
        "recordings": [], "vitals": [], "question": "?", "language": "ar",
    })  # fmt: skip
    worker.edge.far.answer("c1")
    page.evaluate(CATCH_PRINT)
    worker.sign_in()
    page.locator(".case-row").click()
    expect(page.locator(".medicines")).to_contain_text("Furosémide 40 mg")
    worker.fits("answer-medicines")
    page.get_by_role("button", name=worker.text("feedback.good")).click()
    worker.sees("feedback.thanks")
    assert worker.edge.far.cases["c1"]["feedback"] == "good"
    worker.touch("answer.print")
    worker.sees("paper.title")
    expect(page.locator("dialog .button-main")).to_have_text("العربية")
    page.locator("dialog .button-main").click()
    paper = re.compile("^ar .*" + strings("ar")["answer.medicines"], re.DOTALL)
    expect(page.locator("html")).to_have_attribute("data-printed", paper)
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    worker.heading("answer.title")
