"""Instruments come and go: found and used with one touch, measuring by themselves, all on one page."""

from collections.abc import Callable

import pytest
from kiosk.kiosk_browser import edge, hand, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import Hand
from playwright.sync_api import Route, expect

pytestmark = pytest.mark.web

PRESSURE = (("systolic", 152, "mm[Hg]"), ("diastolic", 91, "mm[Hg]"), ("pulse_rate", 78, "/min"))


def test_a_found_instrument_is_offered_and_used_with_one_touch(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr", "small")
    worker.sign_in()
    worker.listens()
    worker.edge.come_into_reach("blood_pressure", "blood-pressure", name="A&D_UA-651BLE")
    expect(worker.page.locator(".offer")).to_contain_text("Tensiomètre")
    worker.fits("offer")
    worker.page.locator(".offer").get_by_role("button", name=worker.text("found.yes")).click()
    expect(worker.page.locator(".offer")).to_have_count(0)
    assert worker.edge.found["A&D_UA-651BLE"]["state"] == "used"


def test_an_offer_told_while_the_list_was_on_its_way_outlives_the_list(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr")
    held: list[Route] = []
    worker.page.route("**/api/found", lambda route: held.append(route))
    with worker.page.expect_request("**/api/found"):
        worker.sign_in()
    worker.listens()
    worker.edge.come_into_reach("blood_pressure", "blood-pressure", name="A&D_UA-651BLE")
    expect(worker.page.locator(".offer")).to_be_visible()
    with worker.page.expect_response("**/api/found"):
        held[0].fulfill(json={"found": []})
    worker.page.locator(".offer").get_by_role("button", name=worker.text("found.yes")).click()
    expect(worker.page.locator(".offer")).to_have_count(0)
    assert worker.edge.found["A&D_UA-651BLE"]["state"] == "used"


def test_a_refused_offer_does_not_come_back(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr")
    worker.edge.come_into_reach("oximeter", "nonin-ble", name="Nonin3230_501")
    worker.sign_in()
    worker.page.locator(".offer").get_by_role("button", name=worker.text("found.no")).click()
    expect(worker.page.locator(".offer")).to_have_count(0)
    worker.page.reload()
    expect(worker.page.locator(".start-new").first).to_be_visible()
    assert worker.edge.found["Nonin3230_501"]["state"] == "refused"
    expect(worker.page.locator(".offer")).to_have_count(0)


@pytest.mark.parametrize(("language", "size"), [("fr", "large"), ("ar", "small")])
def test_numbers_of_a_cuff_are_looked_at_and_taken(
    hand: Callable[..., Hand],  # noqa: F811
    language: str,
    size: str,
) -> None:
    worker = hand(language, size)
    worker.edge.add_meter("blood_pressure", "blood-pressure")
    worker.sign_in()
    worker.to_tiles()
    worker.exam("blood_pressure")
    worker.sees("meter.wait")
    worker.fits("meter-waits")
    worker.edge.measure("blood_pressure", *PRESSURE, reasons=("motion",))
    worker.sees("meter.again")
    worker.fits("meter-doubt")
    worker.edge.measure("blood_pressure", *PRESSURE)
    worker.sees("meter.good")
    worker.fits("meter-measured")
    worker.main()
    worker.heading("tiles.title")
    expect(worker.page.locator("[data-exam=blood_pressure]")).to_contain_text("152/91")
    worker.fits("meter-taken")
    assert worker.edge.visit is not None
    assert [vital["source"] for vital in worker.edge.visit["vitals"]] == ["blood_pressure"] * 3


def test_numbers_that_came_while_nobody_looked_wait_on_the_tile(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr")
    worker.edge.add_meter("thermometer", "thermometer")
    worker.sign_in()
    worker.to_tiles()
    worker.edge.measure("thermometer", ("temperature", 38.4, "Cel"))
    expect(worker.page.locator("[data-exam=temperature]")).to_contain_text(worker.text("tile.take"))
    worker.exam("temperature")
    worker.sees("meter.good")
    worker.touch("meter.type")
    expect(worker.page.locator(".keypad")).to_be_visible()


@pytest.mark.parametrize(("language", "size"), [("fr", "large"), ("ar", "small"), ("en", "small")])
def test_one_page_tells_how_the_instruments_are(
    hand: Callable[..., Hand],  # noqa: F811
    language: str,
    size: str,
) -> None:
    worker = hand(language, size)
    worker.edge.add_meter("scale", "weight-scale")
    worker.edge.devices["ecg"] |= {
        "rate_wrong": True,
        "measured_hz": 520.4,
        "rates": {"I": 500.0, "II": 500.0},
    }
    worker.edge.devices["otoscope"] |= {"state": "failed", "problem": "busy"}
    worker.edge.come_into_reach("oximeter", "nonin-df2", "nonin-df7", name="FT232R USB UART")
    worker.edge.come_into_reach("", name="CP2102", state="unknown")
    worker.sign_in()
    worker.page.locator(".bar").get_by_role("button", name=worker.text("about.title")).click()
    worker.picture("about")
    worker.page.locator("dialog").get_by_role("button", name="AHA").click()
    expect(worker.page.locator("dialog").get_by_role("button", name="AHA")).to_have_attribute(
        "aria-pressed", "true"
    )
    assert worker.edge.electrodes == "aha", "kept by the box, for this browser forgets"
    worker.page.locator("dialog").get_by_role("button", name=worker.text("about.devices")).click()
    worker.heading("about.devices")
    worker.sees("devices.rate_wrong")
    worker.sees("trouble.busy")
    worker.fits("devices")
    row = worker.page.locator("[data-found='FT232R USB UART']")
    row.get_by_role("button", name=worker.text("found.yes")).click()
    worker.page.locator("dialog").get_by_role("button", name="nonin-df7").click()
    expect(row).to_have_count(0)
    assert worker.edge.devices["oximeter"]["driver"] == "nonin-df7"
    worker.page.locator("[data-found=CP2102]").get_by_role("button", name=worker.text("found.ask")).click()
    expect(worker.page.locator("[data-found=CP2102]")).to_contain_text(worker.text("instrument.ecg"))
    details = worker.page.locator("[data-device=scale-1]").get_by_role(
        "button", name=worker.text("devices.more")
    )
    details.click()
    worker.page.locator("dialog input[type=date]").fill("2026-01-15")
    worker.fits("device")
    worker.page.locator("dialog .main-button").click()
    expect(worker.page.locator("dialog")).to_have_count(0)
    assert worker.edge.devices["scale"]["calibrated_on"] == "2026-01-15"
    details.click()
    worker.page.locator("dialog").get_by_role("button", name=worker.text("devices.forget")).click()
    expect(worker.page.locator("[data-device=scale-1]")).to_have_count(0)


@pytest.mark.parametrize(("language", "size"), [("fr", "large"), ("ar", "small"), ("en", "small")])
def test_what_a_meter_had_stored_is_shown_apart_with_its_own_time(
    hand: Callable[..., Hand],  # noqa: F811
    language: str,
    size: str,
) -> None:
    worker = hand(language, size)
    worker.edge.add_meter("glucose", "glucose")
    worker.edge.stored = [
        stored("glucose-1", 95.0, "2025-03-14T09:30:05", None),
        stored("glucose-1", 112.4, "2025-03-13T18:02:00", 1_741_888_800_000),
        stored("glucose-1", None, "", None),
        stored("glucose-2", 301.0, "2025-03-12T07:00:00", None),
    ]
    worker.sign_in()
    worker.page.locator(".bar").get_by_role("button", name=worker.text("about.title")).click()
    worker.page.locator("dialog").get_by_role("button", name=worker.text("about.devices")).click()
    more = {"name": worker.text("devices.more")}
    worker.page.locator("[data-device=oximeter-1]").get_by_role("button", **more).click()
    expect(worker.page.locator("dialog .about-facts")).to_be_visible()
    expect(worker.page.locator(".device-stored")).to_have_count(0)
    worker.page.keyboard.press("Escape")
    worker.page.locator("[data-device=glucose-1]").get_by_role("button", **more).click()
    worker.page.locator(".device-stored summary").click()
    worker.sees("devices.stored.not_now")
    rows = worker.page.locator(".device-stored li")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text(worker.text("devices.stored.its_clock"))
    expect(rows.nth(0)).to_contain_text("09:30")
    expect(rows.nth(1)).not_to_contain_text(worker.text("devices.stored.its_clock"))
    expect(rows.nth(2)).to_contain_text(worker.text("devices.stored.no_time"))
    expect(worker.page.locator(".device-stored")).not_to_contain_text("301")
    worker.fits("device-stored")


def stored(device: str, value: float | None, taken: str, taken_ms: int | None) -> dict[str, object]:
    number = {"device": device, "kind": "glucose", "value": value, "unit": "mg/dL", "status": []}
    return number | {"taken": taken, "taken_ms": taken_ms, "fetched_ms": 1_741_900_000_000}
