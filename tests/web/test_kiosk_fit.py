"""Every screen fits both sizes of display in three languages; every target is large enough for a glove."""

from collections.abc import Callable

import pytest
from kiosk.kiosk_browser import edge, hand, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import Hand
from playwright.sync_api import expect

pytestmark = pytest.mark.web

TARGET_PX = 48
LOOK = """(target) => {
  const seen = [], page = document.documentElement, body = document.querySelector('.page-body');
  if (page.scrollWidth > innerWidth + 1 || page.scrollHeight > innerHeight + 1) seen.push('the page scrolls');
  const tall = body && body.scrollHeight > body.clientHeight + 2;
  if (tall && document.querySelector('.coach')) seen.push('the coach scrolls');
  for (const one of document.querySelectorAll('button')) {
    const box = one.getBoundingClientRect(), name = one.textContent.trim() || one.getAttribute('aria-label');
    if (!box.width) continue;
    const size = Math.min(box.width, box.height);
    if (size < target - 0.5) seen.push(`small: ${name} ${size}`);
    if (one.scrollWidth > one.clientWidth + 2) seen.push(`cut off: ${name}`);
    const out = box.left < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1;
    if (out && !body?.contains(one)) seen.push(`outside: ${name}`);
    if (!name) seen.push('a button without a name');
  }
  return seen;
}"""


def fits(worker: Hand, name: str) -> None:
    worker.picture(name)
    assert worker.page.evaluate(LOOK, TARGET_PX) == [], name


@pytest.mark.parametrize("size", ["large", "small"])
@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_screens_fit(hand: Callable[..., Hand], language: str, size: str) -> None:  # noqa: F811
    worker = hand(language, size)
    page = worker.page
    page.get_by_role("button", name="Amina Berrada").click()
    fits(worker, "pin")
    page.keyboard.type(worker.edge.pin + "\n")
    expect(page.locator(".start-new")).to_be_visible()
    worker.touch("start.new")
    fits(worker, "danger")
    worker.touch("danger.none")
    worker.touch("patient.new")
    fits(worker, "new-patient")
    worker.touch("do.back")
    worker.page.locator(".case-row").first.click()
    fits(worker, "confirm")
    worker.page.locator(".identifier").nth(0).click()
    worker.page.locator(".identifier").nth(1).click()
    worker.touch("confirm.go")
    fits(worker, "consent")
    worker.page.locator(".purpose").first.click()
    worker.touch("consent.go")
    fits(worker, "reason")
    worker.touch("visit_reason.fever")
    fits(worker, "tiles")
    for exam in ("oximetry", "ecg", "heart_sound"):
        worker.exam(exam)
        worker.sees("coach.good")
        fits(worker, exam)
        worker.touch("do.back")
    worker.exam("otoscopy")
    fits(worker, "ears")
    worker.touch("side.left")
    worker.sees("coach.good")
    fits(worker, "ear")
    worker.record()
    fits(worker, "ear-result")
    worker.touch("result.keep")
    worker.touch("do.back")
    worker.touch("do.back")
    worker.exam("blood_pressure")
    fits(worker, "blood-pressure")
    worker.touch("do.back")
    worker.touch("tiles.review")
    worker.touch("review.go")
    fits(worker, "question")
    worker.touch("phrase.opinion")
    worker.touch("do.next")
    fits(worker, "address")
