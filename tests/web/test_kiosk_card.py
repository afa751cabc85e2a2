"""A patient by the card, whatever the keyboard; a person whose name is not to be known."""

import re
from collections.abc import Callable

import pytest
from kiosk.fake_routes import card_of
from kiosk.kiosk_browser import edge, hand, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import Hand
from playwright.sync_api import expect

pytestmark = pytest.mark.web


@pytest.mark.parametrize(("language", "size"), [("ar", "large")])
def test_a_card_is_printed_and_read_by_a_scanner(hand: Callable[..., Hand], language: str, size: str) -> None:  # noqa: F811
    worker = hand(language, size)
    page = worker.page
    worker.sign_in()
    worker.to_patient()
    worker.fits("patient-scan")
    page.locator("input[type=search]").click()
    page.keyboard.type(card_of("p2") + "\n")
    worker.heading("confirm.title")
    expect(page.locator(".page-step")).to_contain_text("Brahim")
    worker.touch("card.print")
    expect(page.locator(".qr path")).to_have_attribute("d", re.compile("^M"))
    worker.fits("card")
    page.emulate_media(media="print")
    expect(page.locator(".page-foot")).to_be_hidden()
    page.emulate_media(media="screen")
    worker.main()
    worker.heading("confirm.title")
    page.keyboard.type(card_of("nobody") + "\n")
    worker.sees("card.elsewhere")


def test_a_coded_person_is_registered_without_a_name(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr", "small")
    worker.sign_in()
    worker.to_patient()
    worker.touch("patient.new")
    worker.touch("patient.coded")
    expect(worker.page.locator("#name")).to_have_count(0)
    worker.fits("coded")
    worker.page.locator("#born").fill("44")
    worker.touch("sex.M")
    worker.main()
    worker.heading("confirm.title")
    worker.sees("confirm.code")
    expect(worker.page.get_by_text("Code 7KM-4Q2").first).to_be_visible()
