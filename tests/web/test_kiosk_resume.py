"""A reload or a power cut costs one step at most; the keyboard alone is enough."""

from collections.abc import Callable

import pytest
from kiosk.fake_edge import FakeEdge
from kiosk.kiosk_browser import edge, hand, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import Hand
from playwright.sync_api import Browser, Route, expect

pytestmark = pytest.mark.web


def test_a_reload_at_any_step_comes_back_to_it(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr")
    worker.sign_in()
    worker.to_tiles()
    worker.page.reload()
    worker.heading("tiles.title")
    for exam in ("ecg", "temperature"):
        worker.exam(exam)
        worker.page.reload()
        worker.heading(f"exam.{exam}")
        worker.touch("do.back")
    worker.exam("otoscopy")
    worker.touch("side.left")
    worker.page.reload()
    worker.sees("side.left")
    worker.touch("do.back")
    worker.touch("do.back")
    worker.touch("tiles.review")
    worker.touch("review.go")
    worker.page.locator("textarea").fill("Souffle depuis trois mois")
    worker.touch("do.next")
    worker.heading("address.title")
    worker.page.reload()
    worker.heading("address.title")
    worker.touch("do.back")
    expect(worker.page.locator("textarea")).to_have_value("Souffle depuis trois mois")


def test_a_reload_while_recording_finds_the_recording_again(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr")
    worker.sign_in()
    worker.to_tiles()
    worker.edge.speed = 0.2  # long enough for a busy machine to be in the middle of it, twice
    worker.exam("ecg")
    worker.main()
    expect(worker.page.locator("count-ring")).to_be_visible()
    worker.page.reload()
    expect(worker.page.locator("count-ring")).to_be_visible()
    worker.edge.speed = 12
    worker.sees("result.good")
    worker.touch("result.keep")
    expect(worker.page.locator("[data-exam=ecg] .chip-ok")).to_be_visible()


def test_after_a_power_cut_the_start_screen_offers_the_draft(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr")
    worker.sign_in()
    worker.to_tiles()
    worker.placed("tiles")
    worker.edge.end_sessions()
    worker.page.goto("about:blank")
    worker.page.goto(worker.edge.url)
    worker.sign_in()
    expect(worker.button("start.new")).to_be_disabled()
    worker.picture("start-draft")
    worker.touch("start.resume")
    worker.heading("tiles.title")


def test_a_file_that_did_not_come_leaves_no_empty_screen(
    kiosk_chromium: Browser,  # noqa: F811
    edge: FakeEdge,  # noqa: F811
) -> None:
    page = kiosk_chromium.new_page()
    lost = ["/kiosk/app.js", "/kiosk/strings/fr.json"]

    def lose(route: Route) -> None:
        name = next((one for one in lost if route.request.url.endswith(one)), "")
        if name:
            lost.remove(name)
            route.abort()
        else:
            route.continue_()

    page.route("**/kiosk/**", lose)
    page.clock.install()
    page.goto(edge.url)
    expect(page.locator("#app > *")).to_have_count(0)
    assert lost == ["/kiosk/strings/fr.json"]
    page.clock.fast_forward(21_000)
    expect(page.locator(".worker").first).to_be_visible()
    assert lost == []
    page.close()


def test_the_language_changes_anywhere_and_is_kept_with_the_visit(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr")
    worker.sign_in()
    worker.to_tiles()
    worker.placed("tiles")
    with worker.page.expect_response(lambda answer: answer.request.method == "PATCH"):
        worker.page.get_by_role("button", name="العربية").click()
    expect(worker.page.locator("html")).to_have_attribute("dir", "rtl")
    expect(worker.page.get_by_role("heading", level=1)).to_have_text("الفحوص")
    assert worker.edge.visit is not None
    assert worker.edge.visit["language"] == "ar"


def test_the_keyboard_alone_signs_in_and_types_a_vital(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr")
    page = worker.page
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "worker":
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", (
        "focus must be seen"
    )
    page.keyboard.press("Enter")
    page.keyboard.type(worker.edge.pin)
    page.keyboard.press("Enter")
    expect(page.locator(".start-new")).to_be_visible()
    worker.to_tiles()
    page.locator("[data-exam=weight]").focus()
    page.keyboard.press("Enter")
    worker.heading("exam.weight")
    page.keyboard.type("61,5")
    page.keyboard.press("Enter")
    expect(page.locator("[data-exam=weight]")).to_contain_text("61,5")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="À propos de Chevet").focus()
    page.keyboard.press("Enter")
    worker.sees("about.statement")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
