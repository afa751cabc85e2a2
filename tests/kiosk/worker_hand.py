"""A health worker at the screen: finds things by the words of the language, touches them, looks."""

import json
import re
import time
from pathlib import Path
from typing import Any

from kiosk.fake_edge import FakeEdge
from playwright.sync_api import Locator, Page, expect

from chevet.kiosk.files import KIOSK, SHARED

PICTURES = Path(__file__).parents[2] / "artefacts" / "screens"
TARGET_PX = 48
LOOK = """(target) => {
  const seen = [], page = document.documentElement, body = document.querySelector('.page-body');
  if (page.scrollWidth > innerWidth + 1 || page.scrollHeight > innerHeight + 1) seen.push('the page scrolls');
  const tall = body && body.scrollHeight > body.clientHeight + 2;
  if (tall && document.querySelector('.coach')) seen.push('the coach scrolls');
  for (const one of document.querySelectorAll('button')) {
    const box = one.getBoundingClientRect(), name = one.textContent.trim() || one.getAttribute('aria-label');
    if (!box.width) continue;
    const size = Math.min(box.width, box.height);
    if (size < target - 0.5) seen.push(`small: ${name} ${size}`);
    if (one.scrollWidth > one.clientWidth + 2) seen.push(`cut off: ${name}`);
    const out = box.left < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1;
    if (out && !body?.contains(one)) seen.push(`outside: ${name}`);
    if (!name) seen.push('a button without a name');
  }
  return seen;
}"""
_ISOLATES = "[\u2066-\u2069]*"


def strings(language: str) -> dict[str, Any]:
    """Return all words of one language, as the kiosk loads them."""
    words: dict[str, Any] = {}
    for room in (SHARED, KIOSK):
        words |= json.loads((room / "strings" / f"{language}.json").read_text("utf-8"))
    return words


class Hand:
    """One worker on one page."""

    def __init__(self, page: Page, edge: FakeEdge, language: str, size: str) -> None:
        self.page = page
        self.edge = edge
        self.language = language
        self.size = size
        self.words = strings(language)
        self.pictures = 0
        self.keeps = True

    def text(self, key: str, **params: str) -> re.Pattern[str]:
        """Return what a person reads for a key; parameters may stand inside direction marks."""
        found = self.words[key]
        assert isinstance(found, str), f"{key} has plural forms: look for it by its place"
        pattern = re.escape(found.replace("\u202f", " ").replace("\u00a0", " ")).replace(r"\ ", r"\s")
        for name, value in params.items():
            shown = _ISOLATES + re.escape(str(value)) + _ISOLATES
            pattern = pattern.replace(re.escape("{" + name + "}"), shown)
        return re.compile(pattern)

    def button(self, key: str, **params: str) -> Locator:
        return self.page.get_by_role("button", name=self.text(key, **params))

    def touch(self, key: str, **params: str) -> None:
        """Touch the button that says this."""
        self.button(key, **params).first.click()

    def main(self) -> None:
        """Touch the one main button."""
        main = self.page.locator(".page-foot .main-button")
        expect(main).not_to_have_attribute("aria-disabled", "true")
        main.click()

    def sees(self, key: str, **params: str) -> None:
        expect(self.page.get_by_text(self.text(key, **params)).first).to_be_visible()

    def heading(self, key: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self.text(key))

    def picture(self, name: str) -> None:
        """Keep what is on the screen, to be looked at."""
        if not self.keeps:
            return
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.pictures += 1
        path = PICTURES / f"kiosk-{self.language}-{self.size}-{self.pictures:02d}-{name}.png"
        self.page.screenshot(path=path, animations="disabled")

    def fits(self, name: str) -> None:
        """Keep a picture of the screen; nothing on it is cut off, out of reach or too small for a glove."""
        self.picture(name)
        assert self.page.evaluate(LOOK, TARGET_PX) == [], name

    # --- whole steps -----------------------------------------------------------------------------

    def sign_in(self) -> None:
        self.page.get_by_role("button", name="Amina Berrada").click()
        self.page.keyboard.type(self.edge.pin)
        self.touch("signin.enter")
        expect(self.page.locator(".start-new").first).to_be_visible()

    def to_patient(self) -> None:
        """From the start, past the signs of danger, to the patient's page."""
        self.touch("start.new")
        self.heading("danger.title")
        self.touch("danger.none")
        self.heading("patient.title")

    def to_tiles(self) -> None:
        """From the start to the examinations of a known patient."""
        self.to_patient()
        self.page.locator(".case-row").first.click()
        self.page.locator(".identifier").nth(0).click()
        self.page.locator(".identifier").nth(1).click()
        self.touch("confirm.go")
        self.heading("consent.title")
        self.page.locator(".purpose").first.click()
        self.touch("consent.go")
        self.heading("reason.title")
        self.touch("visit_reason.breathlessness")
        self.heading("visit_reason.breathlessness")
        self.touch("history.since.days")
        self.main()
        self.heading("tiles.title")

    def placed(self, screen: str) -> None:
        """Wait until the box has noted where the worker is: what happens before that costs the step."""
        deadline = time.monotonic() + 30
        while (self.edge.visit or {}).get("screen") != screen:
            assert time.monotonic() < deadline, f"the box never heard of {screen}"
            self.page.wait_for_timeout(20)

    def listens(self) -> None:
        """Wait until the screen's line to the box is open: what the box tells before reaches nobody."""
        deadline = time.monotonic() + 30
        while not self.edge.sockets:
            assert time.monotonic() < deadline, "the screen never listened"
            self.page.wait_for_timeout(20)

    def exam(self, key: str) -> None:
        self.page.locator(f"[data-exam={key}]").click()

    def record(self) -> None:
        """Touch "Record", wait for its end; on a busy machine the ring has gone before it is looked for."""
        self.main()
        expect(self.page.locator(".coach.result, .absent-bad")).to_be_visible(timeout=20_000)
