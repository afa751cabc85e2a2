"""The box's health, the code for the telephone, the blank screen, and a screen left alone."""

from collections.abc import Callable

import pytest
from kiosk.fake_routes import new_visit
from kiosk.kiosk_browser import edge, hand, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import Hand
from playwright.sync_api import expect

pytestmark = pytest.mark.web


@pytest.mark.parametrize(("language", "size"), [("fr", "small")])
def test_the_health_page_says_what_to_do(hand: Callable[..., Hand], language: str, size: str) -> None:  # noqa: F811
    worker = hand(language, size)
    worker.edge.celsius = 83.0
    worker.edge.power = {"source": "battery", "percent": 12}
    worker.sign_in()
    worker.page.get_by_role("button", name=worker.text("about.title")).click()
    worker.touch("health.title")
    worker.heading("health.title")
    worker.sees("health.heat.do")
    worker.sees("health.power.do")
    expect(worker.page.locator(".support-code")).to_have_text("0200-4JS8-10C5K")
    worker.fits("health")
    worker.touch("update.title")
    worker.sees("update.mains.do")
    worker.sees("update.wait")
    worker.fits("update")

    # A signed version lies on a stick: a worker begins it once the box is plugged in, and sees how far it is.
    there = {"version": "0.2.0", "by": "Programme Atlas", "made": "2026-11-20", "bytes": 9, "place": "stick"}
    worker.edge.update |= {"on": True, "available": there, "refused": [], "wanted": "", "last": None}
    worker.sees("update.there", version="0.2.0")
    main = worker.page.locator(".page-foot .main-button")
    expect(main).to_have_attribute("aria-disabled", "true")
    worker.edge.power = {"source": "mains", "percent": None}
    worker.main()
    worker.touch("update.begin")
    worker.sees("update.state.wanted")
    last = {"state": "rolled_back", "version": "0.2.0", "before": "0.1.0", "percent": 0, "at_ms": 0}
    worker.edge.update |= {"available": None, "last": last | {"reason": "did_not_start"}}
    worker.sees("update.rolled_back", version="0.2.0")
    expect(main).to_have_count(0)


def test_what_waits_goes_onto_the_courier_s_stick(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("ar", "small")
    worker.edge.uplink = "offline"
    visit = new_visit(worker.edge, worker.edge.patients[0]) | {"reason": "cough"}
    for number in (1, 2):
        worker.edge.far.add(f"c{number}", visit | {"specialty": "cardiology", "question": "?"})
    worker.sign_in()
    worker.page.locator(".bar-queue").click()
    worker.heading("queue.title")
    expect(worker.page.locator(".case-row")).to_have_count(2)
    worker.sees("stick.none")
    worker.edge.sticks["sticks"] = [{"name": "KIT", "free_bytes": 8_000_000_000, "brings": False}]
    worker.touch("stick.to")
    worker.sees("stick.leave")
    work = {"name": "KIT", "way": "to", "state": "done", "code": "", "written": 2, "there": 0, "left": 1}
    worker.edge.sticks["work"] = work
    worker.sees("stick.pull")
    worker.fits("courier")
    worker.edge.sticks["work"] = work | {"state": "failed", "code": "no_stick"}
    worker.sees("error.no_stick")
    assert len(worker.edge.far.cases) == 2


def test_the_screen_goes_dark_at_a_touch_and_locks_when_left_alone(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr", "small")
    worker.page.clock.install()
    worker.sign_in()
    worker.to_tiles()
    worker.page.get_by_role("button", name=worker.text("blank.title")).click()
    cover = worker.page.locator(".blank")
    expect(cover).to_be_visible()
    box = cover.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (800, 480)
    cover.click()
    worker.heading("tiles.title")
    worker.page.clock.fast_forward("06:00")
    worker.sees("signin.ended")
    worker.page.get_by_role("button", name="Amina Berrada").click()
    worker.page.keyboard.type(worker.edge.pin + "\n")
    worker.heading("tiles.title")
