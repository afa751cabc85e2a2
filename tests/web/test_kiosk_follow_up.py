"""A follow-up visit: the programme, its few measurements, the trend, and a prompt with its source."""

import time
from collections.abc import Callable

import pytest
from kiosk.kiosk_browser import edge, hand, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import Hand
from playwright.sync_api import expect

pytestmark = pytest.mark.web
DAY_MS = 86_400_000


@pytest.mark.parametrize(("language", "size"), [("ar", "small")])
def test_two_kilograms_more_are_told_with_their_source(
    hand: Callable[..., Hand],  # noqa: F811
    language: str,
    size: str,
) -> None:
    worker = hand(language, size)
    now = round(time.time() * 1000)
    worker.edge.earlier["weight"] = [
        {"visit": f"v{n}", "at_ms": now - days * DAY_MS, "value": value, "unit": "kg"}
        for n, (days, value) in enumerate([(40, 61.0), (21, 60.4), (9, 60.9), (2, 61.2)])
    ]
    worker.edge.prompts = [
        {"programme": "heart_failure", "code": "weight_gain", "kind": "weight", "value": 2.3, "limit": 2.0,
         "unit": "kg", "days": 3, "source": "ESC HF 2021"}
    ]  # fmt: skip
    worker.sign_in()
    worker.to_tiles()
    worker.touch("do.back")
    worker.touch("reason.follow_up")
    worker.fits("follow-up")
    worker.touch("programme.heart_failure")
    worker.main()
    worker.heading("visit_reason.heart_failure")
    worker.touch("history.since.weeks")
    worker.touch("symptom.swelling")
    worker.main()
    worker.heading("tiles.title")
    worker.main()
    worker.heading("exam.weight")
    worker.page.keyboard.type("63.5")
    worker.page.keyboard.press("Enter")
    worker.heading("tiles.title")
    worker.touch("trends.title")
    expect(worker.page.locator(".hint-attention").first).to_contain_text("ESC HF 2021")
    expect(worker.page.locator(".trend-dot")).to_have_count(5)
    worker.fits("trends")
    worker.main()
    worker.touch("tiles.review")
    worker.heading("review.title")
    expect(worker.page.locator(".prompts .hint")).to_have_count(1)
    worker.fits("review-prompts")
    assert worker.edge.visit is not None
    answers = worker.edge.visit["history"]
    assert (answers["programme.heart_failure"], answers["symptom.swelling"], answers["symptom.lying"]) == (
        "yes",
        "yes",
        "no",
    )
