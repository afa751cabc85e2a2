"""An ECG from the cart is offered where an ECG would be recorded, with whose it is."""

from collections.abc import Callable

import pytest
from kiosk.kiosk_browser import edge, hand, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import Hand
from playwright.sync_api import expect

pytestmark = pytest.mark.web


def at_the_ecg(hand: Callable[..., Hand], *patients: str, language: str = "en", size: str = "large") -> Hand:  # noqa: F811
    worker = hand(language, size)
    for hour, patient in enumerate(patients, 9):
        worker.edge.cart_brings(patient, f"2026-03-14T{hour:02d}:32:05")
    worker.sign_in()
    worker.to_tiles()
    worker.exam("ecg")
    return worker


@pytest.mark.parametrize(("language", "size"), [("fr", "large"), ("ar", "small"), ("en", "small")])
def test_the_ecg_of_this_patient_is_used_with_one_touch(
    hand: Callable[..., Hand],  # noqa: F811
    language: str,
    size: str,
) -> None:
    worker = at_the_ecg(hand, "same", language=language, size=size)
    worker.heading("cart.title")
    expect(worker.page.locator(".choice[aria-checked=true]")).to_contain_text("09:32")
    worker.sees("cart.patient.same")
    worker.fits("cart-offer")
    worker.main()
    worker.sees("result.keep")
    worker.main()
    worker.heading("tiles.title")
    assert [one["driver"] for one in worker.edge.visit["recordings"]] == ["scp-ecg"]


def test_the_ecg_of_another_patient_needs_a_word(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = at_the_ecg(hand, "other", size="small")
    worker.sees("cart.patient.other")
    worker.sees("cart.why")
    worker.page.locator(".choice").click()
    worker.main()
    worker.sees("cart.other.title")
    worker.picture("cart-other")
    worker.touch("cart.other.no")
    assert worker.edge.imports
    worker.main()
    worker.touch("cart.other.yes")
    worker.sees("result.keep")
    assert not worker.edge.imports


def test_of_several_the_worker_chooses_and_may_record_anew_instead(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = at_the_ecg(hand, "same", "other", "not_named", "same")
    expect(worker.page.locator(".choice")).to_have_count(3)
    expect(worker.page.locator(".choice[aria-checked=true]")).to_have_count(0)
    worker.fits("cart-several")
    worker.touch("cart.pass")
    expect(worker.page.locator("live-wave")).to_be_visible()
    worker.edge.cart_brings("same", "2026-03-14T15:00:00")
    worker.heading("cart.title")


def test_a_site_with_a_cart_alone_is_offered_its_ecg_too(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("en")
    worker.edge.devices["ecg"]["state"] = "absent"
    worker.sign_in()
    worker.to_tiles()
    worker.exam("ecg")
    worker.edge.cart_brings("not_named")
    worker.heading("cart.title")
    worker.sees("cart.patient.not_named")
    worker.main()
    worker.sees("result.keep")
    assert worker.edge.visit is not None
    assert worker.edge.visit["capture"]["step"] == "ecg"
