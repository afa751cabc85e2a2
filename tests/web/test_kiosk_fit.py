"""Every screen fits both sizes of display in three languages; every target is large enough for a glove."""

from collections.abc import Callable

import pytest
from kiosk.kiosk_browser import edge, hand, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import Hand
from playwright.sync_api import expect

pytestmark = pytest.mark.web


@pytest.mark.parametrize(
    ("language", "size"), [("fr", "small"), ("fr", "large"), ("ar", "small"), ("en", "large")]
)
def test_screens_fit(hand: Callable[..., Hand], language: str, size: str) -> None:  # noqa: F811
    worker = hand(language, size)
    page = worker.page
    page.get_by_role("button", name="Amina Berrada").click()
    worker.fits("pin")
    page.keyboard.type(worker.edge.pin + "\n")
    expect(page.locator(".start-new")).to_be_visible()
    worker.touch("start.new")
    worker.fits("danger")
    worker.touch("danger.none")
    worker.touch("patient.new")
    worker.fits("new-patient")
    worker.touch("do.back")
    worker.page.locator(".case-row").first.click()
    worker.fits("confirm")
    worker.page.locator(".identifier").nth(0).click()
    worker.page.locator(".identifier").nth(1).click()
    worker.touch("confirm.go")
    worker.fits("consent")
    worker.page.locator(".purpose").first.click()
    worker.touch("consent.go")
    worker.fits("reason")
    worker.touch("visit_reason.fever")
    worker.heading("visit_reason.fever")
    worker.fits("history")
    worker.touch("history.since.days")
    worker.main()
    worker.heading("tiles.title")
    worker.fits("tiles")
    for exam in ("oximetry", "ecg", "heart_sound"):
        worker.exam(exam)
        worker.sees("coach.good")
        worker.fits(exam)
        worker.touch("do.back")
    worker.exam("otoscopy")
    worker.fits("ears")
    worker.touch("side.left")
    worker.sees("coach.good")
    worker.fits("ear")
    worker.record()
    worker.fits("ear-result")
    worker.touch("result.keep")
    worker.touch("do.back")
    worker.touch("do.back")
    worker.exam("blood_pressure")
    worker.fits("blood-pressure")
    worker.touch("do.back")
    worker.touch("tiles.review")
    worker.touch("review.go")
    worker.fits("question")
    worker.touch("phrase.opinion")
    worker.touch("do.next")
    worker.fits("address")
