"""Fingers only: a kiosk without keys registers a patient and asks a question; the answer prints."""

from collections.abc import Callable

import pytest
from kiosk.kiosk_browser import edge, hand, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import Hand
from playwright.sync_api import expect

pytestmark = pytest.mark.web


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
