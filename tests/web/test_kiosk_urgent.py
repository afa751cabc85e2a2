"""The time-critical path: the clock, the sheet, the telephone; nothing optional stands in the way."""

import time
from collections.abc import Callable

import pytest
from kiosk.kiosk_browser import edge, hand, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import Hand
from playwright.sync_api import expect

pytestmark = pytest.mark.web
NIHSS_ITEMS = 15


@pytest.mark.parametrize(("language", "size"), [("fr", "small"), ("ar", "large")])
def test_a_stroke_is_sent_without_any_optional_step(
    hand: Callable[..., Hand],  # noqa: F811
    language: str,
    size: str,
) -> None:
    worker = hand(language, size)
    worker.sign_in()
    worker.touch("start.new")
    worker.touch("sign.stroke")
    worker.main()
    worker.fits("call-stroke")
    worker.touch("path.go.stroke")
    worker.fits("patient-unknown")
    worker.touch("patient.unknown")
    worker.heading("path.stroke")
    visit = worker.edge.visit
    assert visit is not None
    assert (visit["urgency"], visit["override"], visit["path"]) == ("emergency", "stroke", "stroke")
    expect(worker.page.locator(".urgent-call")).to_contain_text("+212 535 00 00 00")
    worker.main()
    worker.heading("onset.title.stroke")
    worker.fits("onset")
    worker.page.locator(".onset-about .button").nth(3).click()
    expect(worker.page.locator(".urgent-clock")).to_contain_text("2:0")
    type_and_save(worker, "glucose", "110")
    fill_nihss(worker)
    expect(worker.page.locator("[data-step=nihss]")).to_contain_text("15/42")
    worker.fits("stroke-board")
    worker.touch("path.send_now")
    worker.sees("delivery.on_box.title")
    case = next(iter(worker.edge.far.cases.values()))
    assert (case["urgency"], case["specialty"]) == ("emergency", "internal-medicine")
    assert "NIHSS 15/42: 1a=1, 1b=1" in worker.edge.far.full[case["id"]]["question"]
    unopened_for_too_long(worker, case["id"])


def type_and_save(worker: Hand, step: str, number: str) -> None:
    worker.page.locator(f"[data-step={step}]").click()
    worker.page.keyboard.type(number)
    worker.page.keyboard.press("Enter")
    expect(worker.page.locator(f"[data-step={step}].urgent-done")).to_be_visible()


def fill_nihss(worker: Hand) -> None:
    """One point everywhere."""
    worker.page.locator("[data-step=nihss]").click()
    for n in range(NIHSS_ITEMS):
        expect(worker.page.locator(".page-step")).to_contain_text(f"{n + 1}/{NIHSS_ITEMS}")
        if n in (0, 6):
            worker.fits(f"nihss-{n}")
        worker.page.locator(".sheet-answer").nth(1).click()
    worker.fits("nihss-whole")
    worker.main()


def unopened_for_too_long(worker: Hand, case: str) -> None:
    """After two minutes the screen asks for the telephone."""
    worker.edge.far.cases[case]["created_ms"] = round(time.time() * 1000) - 150_000
    worker.edge.tell_case(case)
    worker.sees("escalate.title")
    worker.fits("escalation")
    worker.edge.far.move(case, "opened")
    worker.edge.tell_case(case)
    expect(worker.page.locator(".escalation")).to_have_count(0)


@pytest.mark.parametrize("path", ["chest_pain", "newborn"])
def test_the_first_step_of_each_path_is_the_one_that_counts(hand: Callable[..., Hand], path: str) -> None:  # noqa: F811
    worker = hand("en", "small")
    worker.sign_in()
    worker.touch("start.new")
    worker.touch(f"sign.{path}")
    worker.main()
    worker.touch(f"path.go.{path}")
    worker.page.locator(".case-row").first.click()
    for n in (0, 1):
        worker.page.locator(".identifier").nth(n).click()
    worker.touch("confirm.go")
    worker.heading(f"path.{path}")
    first = worker.page.locator(".urgent-step").first
    expect(first).to_have_attribute("data-step", "ecg" if path == "chest_pain" else "newborn")
    worker.fits(f"{path}-board")
    worker.touch("path.leave")
    worker.heading("tiles.title")
    assert worker.edge.visit is not None
    assert worker.edge.visit["path"] == ""
