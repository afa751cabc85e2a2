"""Signing in by a badge, a card before the camera, a photograph, and consent that has to wait."""

import time
from collections.abc import Callable

import pytest
from kiosk.kiosk_browser import edge, hand, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import Hand
from playwright.sync_api import expect

pytestmark = pytest.mark.web
BADGE = "TWBCDEFGHIJKLNOPRSBCDEFGHIJKLNOPRS"


def test_a_badge_signs_in_and_an_unknown_one_says_what_to_do(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr", "small")
    worker.edge.badges["w2"] = BADGE
    worker.page.keyboard.type("11112222\n")
    worker.sees("error.wrong_badge")
    worker.page.get_by_role("button", name="Amina Berrada").click()  # a PIN half typed is no obstacle
    worker.page.keyboard.type(f"{BADGE}\n")
    expect(worker.page.get_by_role("heading", level=1)).to_contain_text("Youssef")


def test_a_card_before_the_camera_finds_its_patient_who_is_photographed(
    hand: Callable[..., Hand],  # noqa: F811
) -> None:
    worker = hand("fr", "small")
    worker.sign_in()
    worker.to_patient()
    worker.touch("card.look")
    worker.sees("card.look.wait")
    worker.edge.card_seen = "p2"
    worker.heading("confirm.title")
    expect(worker.page.locator(".page-step")).to_contain_text("Brahim")
    worker.touch("photo.take")
    worker.touch("photo.keep")
    expect(worker.page.locator(".patient-photo")).to_be_visible()
    assert list(worker.edge.photos) == ["p2"]
    worker.touch("photo.take")
    worker.touch("photo.forget")
    expect(worker.page.locator(".patient-photo")).to_have_count(0)
    assert worker.edge.photos == {}


def test_consent_that_had_to_wait_is_asked_for_until_it_is_given(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr", "small")
    worker.sign_in()
    worker.to_patient()
    worker.page.locator(".case-row").first.click()
    worker.page.locator(".identifier").nth(0).click()
    worker.page.locator(".identifier").nth(1).click()
    worker.touch("confirm.go")
    worker.touch("consent.later")
    worker.heading("reason.title")
    visit = worker.edge.visit
    assert visit is not None
    assert (visit["override"], visit["consent"]["purposes"]) == ("emergency", ["care"])
    worker.touch("visit_reason.other")
    worker.touch("consent.later.now")
    worker.heading("consent.title")
    expect(worker.page.locator(".purpose[aria-pressed=true]")).to_have_count(0)
    for purpose in ("care", "research"):  # each can be heard by itself, and hearing it agrees to nothing
        with worker.page.expect_request(f"**/voice/fr/consent.{purpose}.help.opus"):
            worker.touch("voice.say", what=worker.words[f"consent.{purpose}"])
    expect(worker.page.locator(".purpose[aria-pressed=true]")).to_have_count(0)
    worker.page.locator(".purpose").first.click()
    worker.touch("consent.go")
    worker.heading("tiles.title")
    expect(worker.page.locator(".ask-consent")).to_have_count(0)
    assert worker.edge.visit is not None
    assert worker.edge.visit["override"] == ""


def test_breaths_are_counted_by_touch_over_half_a_minute(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr", "small")
    page = worker.page
    worker.sign_in()
    worker.to_tiles()
    worker.exam("respiration")
    worker.touch("breath.count")
    circle = page.locator(".breath")
    expect(circle).to_be_visible()
    page.clock.install()
    page.clock.pause_at(time.time() + 600)
    circle.dispatch_event("pointerdown")  # the clock begins with a breath, those after it count
    for _ in range(8):
        page.clock.run_for(3500)
        circle.dispatch_event("pointerdown")
    expect(page.locator(".breath-count")).to_have_text("8")
    expect(page.locator(".main-button")).to_have_attribute("aria-disabled", "true")
    page.clock.run_for(3000)
    expect(page.locator(".main-button")).to_contain_text("16")
    page.clock.resume()
    worker.main()
    worker.main()
    expect(page.locator("[data-exam=respiration]")).to_contain_text("16")


def test_tamazight_is_typed_in_tifinagh_and_names_of_the_register_in_latin(
    hand: Callable[..., Hand],  # noqa: F811
) -> None:
    worker = hand("zgh", "small")
    page = worker.page
    worker.sign_in()
    worker.to_patient()
    page.locator("input[type=search]").tap()
    page.locator(".touch-keys").get_by_text("ⵣ", exact=True).tap()
    expect(page.locator("input[type=search]")).to_have_value("ⵣ")
    page.locator(".touch-keys").get_by_text("abc").tap()
    page.locator(".touch-keys").get_by_text("m", exact=True).tap()
    expect(page.locator("input[type=search]")).to_have_value("ⵣm")
    worker.fits("tifinagh-keys")
