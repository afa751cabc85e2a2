"""The desk when things are empty, slow, refused, simulated or away; the inbox; keys."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from relay_desk.cases_for_desk import ident
from relay_desk.desk_browser import (  # noqa: F401 - fixtures
    chromium,
    desk_opener,
    fresh_relay,
    profiles,
    running_fake,
    screenshots,
)
from relay_desk.fake_relay import PASSWORD, FakeRelay

pytestmark = pytest.mark.web

FIRST = ident(256)


def test_sign_in_refuses_in_words_and_then_lets_in(
    open_desk: Callable[..., Page], relay: FakeRelay, shot: Callable[..., Any]
) -> None:
    relay.user = None
    page = open_desk("", quiet=False)
    shot(page, "sign-in")
    page.get_by_label("User name").fill("amrani")
    page.get_by_label("Password").fill("no")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("Wrong user name or password.")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".row")).to_have_count(5)


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_inbox_goes_by_clock_and_names_nobody(
    open_desk: Callable[..., Page], shot: Callable[..., Any], language: str
) -> None:
    page = open_desk("", language=language)
    rows = page.locator(".row")
    expect(rows).to_have_count(5)
    assert [re.search(r"urgency-(\w+)", row.get_attribute("class") or "")[1] for row in rows.all()] == [  # type: ignore[index]
        "emergency", "urgent", "routine", "routine", "routine",
    ]  # fmt: skip
    text = page.locator(".inbox").inner_text()
    assert "Bouzid" not in text
    assert "Imilchil" in text
    expect(rows.first.locator("progress")).to_be_visible()
    assert not re.search(r"\b[a-z_]+\.[a-z_]+\b", page.locator("#app").inner_text()), (
        "an untranslated key shows"
    )
    shot(page, f"inbox-{language}")


def test_a_desk_that_a_poor_link_left_empty_offers_to_try_again(
    open_desk: Callable[..., Page], relay: FakeRelay
) -> None:
    page = open_desk(quiet=False)
    expect(page.locator(".row").first).to_be_visible()
    expect(page.locator(".boot")).to_be_hidden()
    page.route("**/desk/inbox.js", lambda route: route.abort())
    page.reload()
    expect(page.locator("#app")).to_be_empty()
    expect(page.locator(".boot a")).to_be_visible()
    page.unroute_all()
    page.locator(".boot a").click()
    expect(page.locator(".row").first).to_be_visible()


def test_a_new_case_appears_by_itself(open_desk: Callable[..., Page], relay: FakeRelay) -> None:
    kept = relay.cases.pop(FIRST)
    page = open_desk("")
    expect(page.locator(".row")).to_have_count(4)
    relay.cases[FIRST] = kept
    relay.tell_soon({"type": "inbox"})
    expect(page.locator(".row")).to_have_count(5)


def test_an_empty_inbox_is_a_designed_page(
    open_desk: Callable[..., Page], relay: FakeRelay, shot: Callable[..., Any]
) -> None:
    relay.cases.clear()
    page = open_desk("")
    expect(page.get_by_text("All read")).to_be_visible()
    shot(page, "empty")


def test_loading_shows_where_things_will_be(open_desk: Callable[..., Page], relay: FakeRelay) -> None:
    page = open_desk("")
    expect(page.locator(".row")).to_have_count(5)
    relay.slow.set()
    page.locator(".row").nth(1).click()
    expect(page.locator(".ghost-paper")).to_be_visible()
    relay.slow.clear()
    expect(page.locator(".strip").first).to_be_visible()


def test_a_failing_list_and_recording_offer_to_try_again(
    open_desk: Callable[..., Page], relay: FakeRelay, shot: Callable[..., Any]
) -> None:
    relay.faults[f"/api/cases/{FIRST}/recordings"] = (500, "internal")
    page = open_desk(f"#/case/{FIRST}/ecg", quiet=False)
    expect(page.locator(".meanwhile")).to_contain_text("The relay met an error")
    shot(page, "failure")
    relay.faults.clear()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("ecg-paper")).to_be_visible()
    relay.faults["/api/inbox"] = (500, "internal")
    page.reload()
    expect(page.locator(".inbox").get_by_role("button", name="Try again")).to_be_visible()


def test_what_has_not_arrived_says_so_and_opens_by_itself(
    open_desk: Callable[..., Page], relay: FakeRelay, shot: Callable[..., Any]
) -> None:
    recording = relay.cases[FIRST]["recordings"][0]
    kept = {layer: part["total"] for layer, part in recording["layers"].items()}
    for part in recording["layers"].values():
        part["have"] = 0
    page = open_desk(f"#/case/{FIRST}/ecg")
    expect(page.get_by_text("Not here yet")).to_be_visible()
    shot(page, "not-yet")
    for layer, part in recording["layers"].items():
        part["have"] = kept[layer]
    relay.tell_soon({"type": "case", "id": FIRST})
    expect(page.locator("ecg-paper")).to_be_visible()


def test_a_lost_relay_is_said_and_what_was_read_stays(
    open_desk: Callable[..., Page], shot: Callable[..., Any]
) -> None:
    page = open_desk(f"#/case/{FIRST}/ecg", quiet=False)
    expect(page.locator("ecg-paper")).to_be_visible()
    page.context.set_offline(True)
    page.evaluate("import('/desk/line.js').then(line => line.disconnect())")
    expect(page.get_by_text("The relay cannot be reached")).to_be_visible()
    expect(page.locator("ecg-paper")).to_be_visible()
    shot(page, "offline")


def test_a_session_that_ended_leads_back_to_sign_in(open_desk: Callable[..., Page], relay: FakeRelay) -> None:
    page = open_desk("", quiet=False)
    expect(page.locator(".row")).to_have_count(5)
    relay.user = None
    page.locator(".row").first.click()
    expect(page.get_by_text("Your session has ended")).to_be_visible()


def test_refused_bundles_are_shown_with_reason_and_remedy(
    open_desk: Callable[..., Page], relay: FakeRelay, shot: Callable[..., Any]
) -> None:
    page = open_desk("#/refused")
    expect(page.get_by_role("heading", name="Signature not valid")).to_be_visible()
    expect(page.locator(".letter")).to_contain_text("Check that this site’s key")
    shot(page, "refused")
    relay.refused.clear()
    page.reload()
    expect(page.get_by_text("Nothing was refused")).to_be_visible()


def test_everything_simulated_stands_in_a_yellow_frame(
    open_desk: Callable[..., Page], relay: FakeRelay
) -> None:
    page = open_desk(f"#/case/{FIRST}/ecg")
    frame = page.locator(".training")
    expect(frame).to_contain_text("HTEST")
    assert frame.evaluate("f => getComputedStyle(f).borderLeftColor") == "rgb(255, 212, 0)"
    expect(page.locator("ecg-paper")).to_have_attribute("watermark", "HTEST")
    page.goto(f"{relay.url}/#/case/{ident(1280)}/ecg")
    expect(page.locator("ecg-paper")).not_to_have_attribute("watermark", "HTEST")
    expect(frame).to_have_count(0)


def test_about_says_what_this_is_not(open_desk: Callable[..., Page]) -> None:
    page = open_desk("")
    page.get_by_role("button", name="About Chevet").click()
    expect(page.get_by_role("dialog")).to_contain_text("Not a medical device")
    expect(page.get_by_role("dialog")).to_contain_text("Chevet makes no diagnosis")


def test_the_keyboard_alone_goes_through_cases_and_panes(open_desk: Callable[..., Page]) -> None:
    page = open_desk("")
    expect(page.locator(".row")).to_have_count(5)
    page.keyboard.press("j")
    expect(page.locator(".strip-name").first).to_have_text("Moha Ouali")
    page.keyboard.press("j")
    expect(page.locator(".strip-name").first).to_have_text("Fatima Bouzid")
    for key, tab in (("s", "Sounds"), ("o", "Ears"), ("v", "Vitals"), ("t", "Thread"), ("e", "ECG")):
        page.keyboard.press(key)
        expect(page.get_by_role("tab", selected=True)).to_contain_text(tab)
    page.keyboard.press("f")
    expect(page.locator(".inbox")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Keyboard shortcuts")


def test_letters_turn_the_open_pane_and_can_be_switched_off(open_desk: Callable[..., Page]) -> None:
    page = open_desk(f"#/case/{FIRST}/ecg")
    paper = page.locator("ecg-paper")
    expect(paper).to_have_attribute("order", "standard")
    for key in "cglm":
        page.keyboard.press(key)
    expect(paper).to_have_attribute("order", "cabrera")
    expect(paper).to_have_attribute("gain", "20")
    expect(paper).to_have_attribute("layout", "6x2")
    expect(paper).to_have_attribute("data-facts", re.compile("marks: automatic draft"))
    page.keyboard.press("s")
    expect(page.locator("sound-player")).to_have_attribute("point", re.compile("^A "))
    page.keyboard.press("n")
    expect(page.locator("sound-player")).to_have_attribute("point", re.compile("^M "))
    page.keyboard.press("?")
    page.get_by_label("Single letters are shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("o")
    expect(page.get_by_role("tab", selected=True)).to_contain_text("Sounds")
    page.keyboard.press("?")
    expect(page.get_by_label("Single letters are shortcuts")).not_to_be_checked()


def test_each_case_keeps_its_own_colour_on_every_pane(open_desk: Callable[..., Page]) -> None:
    page = open_desk(f"#/case/{FIRST}/vitals")
    strips = page.locator(".strip")
    expect(strips).to_have_count(2)
    colours = {strip.evaluate("s => getComputedStyle(s).borderTopColor") for strip in strips.all()}
    assert len(colours) == 1
    for strip in strips.all():
        expect(strip).to_contain_text("Fatima Bouzid")
        expect(strip).to_contain_text("2231")


def test_vitals_show_unit_source_and_time(open_desk: Callable[..., Page], shot: Callable[..., Any]) -> None:
    page = open_desk(f"#/case/{FIRST}/vitals")
    pressure = page.locator(".vital", has_text="Blood pressure")
    expect(pressure).to_contain_text("148/92 mmHg")
    expect(pressure).to_contain_text("typed by hand")
    oxygen = page.locator(".vital", has_text="SpO₂")
    expect(oxygen).to_contain_text("nonin-df2")
    assert re.search(r"\d\d:\d\d", oxygen.inner_text())
    expect(page.locator("canvas.pleth")).to_be_visible()
    shot(page, "vitals")


def test_language_changes_at_once_and_stays(open_desk: Callable[..., Page]) -> None:
    page = open_desk(f"#/case/{FIRST}/heart")
    page.get_by_role("button", name="العربية").click()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.locator("sound-player .play")).to_have_text("تشغيل")
    page.reload()
    expect(page.locator("sound-player .play")).to_have_text("تشغيل")
