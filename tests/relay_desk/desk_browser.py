"""Fixtures: the desk in Debian's Chromium against the fake relay.

A test module imports all six functions; where there is no browser its tests are skipped with a sentence.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from relay_desk.cases_for_desk import DOCTOR
from relay_desk.fake_relay import ROOT, FakeRelay, serving

expect.set_options(timeout=60_000)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--mute-audio"]
# Each page starts without what an earlier one kept; what it keeps itself survives its reloads.
FRESH = """if (!sessionStorage.getItem('fresh')) {
  localStorage.clear();
  localStorage.setItem('chevet.language', '%s');
  sessionStorage.setItem('fresh', 'yes');
}"""
SIZES = {"desk": (1280, 800), "phone": (390, 844)}


@pytest.fixture(name="browser", scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for one module: an open one would stand in the way of asyncio tests that follow."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: `apt-get install chromium` enables the tests of the desk")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(name="server", scope="module")
def running_fake() -> Iterator[FakeRelay]:
    """One server for a module: the browser then keeps the desk's files between them."""
    with serving(FakeRelay()) as running:
        yield running


@pytest.fixture(name="relay")
def fresh_relay(server: FakeRelay) -> FakeRelay:
    """The fake relay with its five cases as new, and a specialist already signed in."""
    server.reset()
    server.user = DOCTOR
    return server


@pytest.fixture(name="contexts", scope="module")
def profiles(browser: Browser) -> Iterator[Callable[[str, float], BrowserContext]]:
    """One browser profile for each size of screen."""
    known: dict[tuple[str, float], BrowserContext] = {}

    def context(size: str, sharp: float) -> BrowserContext:
        if (size, sharp) not in known:
            width, height = SIZES[size]
            known[size, sharp] = browser.new_context(
                viewport={"width": width, "height": height},
                device_scale_factor=sharp,
                has_touch=size == "phone",
                reduced_motion="reduce",
                service_workers="block",  # a fault of a file shows then where it is asked for
            )
        return known[size, sharp]

    yield context
    for one in known.values():
        one.close()


@pytest.fixture(name="open_desk")
def desk_opener(
    contexts: Callable[[str, float], BrowserContext], relay: FakeRelay
) -> Iterator[Callable[..., Page]]:
    """Open the desk in a language and size; any error in the page's console fails the test."""
    pages: list[Page] = []
    troubles: list[str] = []

    def opened(
        path: str = "", *, language: str = "en", size: str = "desk", sharp: float = 1, quiet: bool = True
    ) -> Page:
        page = contexts(size, sharp).new_page()
        pages.append(page)
        page.set_default_timeout(60_000)
        page.add_init_script(FRESH % language)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        if quiet:
            page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
        page.goto(f"{relay.url}/{path}")
        page.wait_for_selector("#app > *")
        return page

    yield opened
    for page in pages:
        page.context.set_offline(False)
        page.close()
    assert not troubles, troubles


@pytest.fixture(name="shot")
def screenshots() -> Callable[[Page, str], Path]:
    """Save what the person sees, to be looked at."""
    folder = ROOT / "artefacts" / "screens"
    folder.mkdir(parents=True, exist_ok=True)

    def saved(page: Page, name: str) -> Path:
        path = folder / f"desk-{name}.png"
        page.screenshot(path=path)
        return path

    return saved
