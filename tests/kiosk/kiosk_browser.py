"""Fixtures: Debian's Chromium on the kiosk's screens, served by the fake box."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from kiosk.fake_edge import FakeEdge
from kiosk.worker_hand import Hand
from playwright.sync_api import Browser, expect, sync_playwright

SIZES = {"large": (1280, 800), "small": (800, 480)}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--mute-audio"]
FLAGS += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENTS = {"fr": "Fatima Bouchra", "zgh": "Fatima Bouchra", "en": "Fatima Bouchra", "ar": "فاطمة بوشرى"}
FIRST_CHOICES = """if (location.protocol === 'http:') {
  localStorage.setItem('chevet.language', 'LANGUAGE');
  localStorage.setItem('chevet.by_itself', localStorage.getItem('chevet.by_itself') ?? 'off');
}"""
"""A test touches "Record" itself: a recording that begins by itself would race with its hand."""
PATIENCE_MS = 30_000  # two cores may be shared with other tests
FIRST_LOOK_MS = 60_000  # a browser that has just started reads all modules of the screens


@pytest.fixture(scope="module")
def kiosk_chromium() -> Iterator[Browser]:
    """A browser for one module: an open one would stand in the way of asyncio tests that follow."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: `apt-get install chromium` enables the tests of the kiosk's screens")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def edge() -> Iterator[FakeEdge]:
    """A box with two patients; recordings run twelve times as fast as life."""
    with FakeEdge(speed=12) as edge:
        yield edge


@pytest.fixture
def hand(kiosk_chromium: Browser, edge: FakeEdge) -> Iterator[Callable[..., Hand]]:
    """Open the kiosk in a language and size; an error on the page's console fails the test."""
    troubles: list[str] = []
    contexts = []

    def opened(language: str = "fr", size: str = "large") -> Hand:
        edge.patients = [
            {
                "id": "p1",
                "name": PATIENTS[language],
                "birth_year": 1972,
                "sex": "F",
                "local_number": "A-1042",
            },
            {
                "id": "p2",
                "name": "Brahim Ait Lahcen",
                "birth_year": 1958,
                "sex": "M",
                "local_number": "A-0077",
            },
        ]
        width, height = SIZES[size]
        context = kiosk_chromium.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce", has_touch=True
        )
        contexts.append(context)
        context.add_init_script(FIRST_CHOICES.replace("LANGUAGE", language))
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "console", lambda said: troubles.append(said.text) if is_trouble(said.type, said.text) else None
        )
        page.goto(edge.url)
        expect(page.locator(".worker").first).to_be_visible(timeout=FIRST_LOOK_MS)
        return Hand(page, edge, language, size)

    yield opened
    for context in contexts:
        context.close()
    assert not troubles, troubles


def is_trouble(kind: str, text: str) -> bool:
    """Refused calls are part of the tests; everything else the browser complains about is ours."""
    return kind == "error" and "Failed to load resource" not in text and "WebSocket" not in text
