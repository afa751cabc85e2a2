"""Screens without a violation of WCAG 2.2 A or AA: a sample here, all of them by `make screens`."""

import re
from pathlib import Path

import pytest
from kiosk.fake_edge import FakeEdge
from kiosk.kiosk_browser import kiosk_chromium  # noqa: F401
from playwright.sync_api import Browser, expect
from screens import sights_after, sights_instruments  # noqa: F401 - they add their screens
from screens.judged import AXE, HOW_TO_GET_AXE, accessible, reachable
from screens.sights import SIGHTS
from screens.stage import Stage, opened

from chevet.kiosk.files import KIOSK

pytestmark = pytest.mark.web
SAMPLE = (
    "who",
    "start-cases",
    "call",
    "confirm",
    "consent",
    "tiles-done",
    "ecg",
    "review",
    "address",
    "answer",
)


@pytest.mark.skipif(not AXE.is_file(), reason=HOW_TO_GET_AXE)
@pytest.mark.parametrize(("language", "size", "light"), [("ar", "small", "dark")])
def test_screens_can_be_read_and_reached_by_everybody(
    kiosk_chromium: Browser,  # noqa: F811
    language: str,
    size: str,
    light: str,
) -> None:
    with FakeEdge(speed=12) as edge, opened(kiosk_chromium, language, size, light) as page:
        edge.keep_files = True
        stage = Stage(page, edge, language, size)
        wrong = {}
        for name in SAMPLE:
            stage.clean()
            SIGHTS[name](stage)
            if found := [*accessible(page), *reachable(page)]:
                wrong[name] = found
        assert wrong == {}


LARGE = ("start-cases", "confirm", "tiles", "ecg", "address", "queue")
BESIDE = """() => [...document.querySelectorAll('button, h1, .hint, .card')].filter((one) => {
  const box = one.getBoundingClientRect();
  return box.width && (box.left < -1 || box.right > innerWidth + 1);
}).map((one) => one.textContent.trim() || one.getAttribute('aria-label'))"""
"""What cannot be reached by scrolling down alone."""


def test_letters_of_twice_the_size_make_one_column_that_scrolls(
    kiosk_chromium: Browser,  # noqa: F811
) -> None:
    with FakeEdge(speed=12) as edge, opened(kiosk_chromium, "ar", "small", "light") as page:
        edge.keep_files = True
        page.set_viewport_size({"width": 400, "height": 240})  # what 200 % leaves of 800x480
        stage = Stage(page, edge, "ar", "small")
        for name in LARGE:
            stage.clean()
            SIGHTS[name](stage)
            assert page.evaluate(BESIDE) == [], name
            last = page.locator(".page-foot button, .case-row").last
            last.scroll_into_view_if_needed()
            expect(last).to_be_in_viewport()


@pytest.mark.skipif(not AXE.is_file(), reason=HOW_TO_GET_AXE)
def test_more_contrast_is_a_touch_away_and_follows_the_system(
    kiosk_chromium: Browser,  # noqa: F811
) -> None:
    with FakeEdge(speed=12) as edge, opened(kiosk_chromium, "fr", "small", "light") as page:
        edge.keep_files = True
        stage = Stage(page, edge, "fr", "small")
        stage.clean()
        SIGHTS["about"](stage)
        ink = "getComputedStyle(document.body).color"
        usual = page.evaluate(ink)
        switch = page.get_by_role("switch", name=stage.hand.text("about.contrast"))
        switch.click()
        expect(switch).to_have_attribute("aria-checked", "true")
        assert (usual, page.evaluate(ink)) == ("rgb(20, 33, 61)", "rgb(0, 0, 0)")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            SIGHTS["start-cases"](stage)
            assert page.evaluate(ink) == {"light": "rgb(0, 0, 0)", "dark": "rgb(255, 255, 255)"}[scheme]
            assert [*accessible(page), *reachable(page)] == []
        page.evaluate("localStorage.removeItem('chevet.contrast')")
        page.emulate_media(contrast="more", color_scheme="light")
        SIGHTS["start-cases"](stage)
        assert page.evaluate(ink) == "rgb(0, 0, 0)"


@pytest.mark.skipif(not AXE.is_file(), reason=HOW_TO_GET_AXE)
def test_a_fault_on_a_screen_is_seen(kiosk_chromium: Browser) -> None:  # noqa: F811
    page = kiosk_chromium.new_page()
    page.set_content(
        "<html lang=fr><title>x</title><main><button style='width:9px'></button>"
        "<p style='color:#ccc'>pâle</p></main>"
    )
    found = " ".join(accessible(page))
    assert "button-name" in found
    assert "color-contrast" in found
    assert any("without a name" in one for one in reachable(page))
    page.close()


def test_every_screen_of_a_visit_is_looked_at() -> None:
    app = (KIOSK / "app.js").read_text("utf-8")
    table = re.search(r"const VISIT = .*?\(\{(.*?)\}\);", app, re.DOTALL)
    assert table is not None
    screens = re.findall(r"(\w+):", table[1])
    folder = Path(sights_after.__file__).parent
    looked = "".join(path.read_text("utf-8") for path in folder.glob("sights*.py"))
    missing = [one for one in screens if not re.search(rf'"(visit/)?{one}(/[\w]+)?"', looked)]
    assert len(screens) >= 15
    assert missing == []
