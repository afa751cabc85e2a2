"""A whole visit of five instruments in training on the real box, by touch alone; its touches are counted.

make taps
.venv/bin/python tests/screens/taps.py --json artefacts/taps.json

Oximeter, ECG, stethoscope (five points), otoscope (both ears) and thermometer, from "New visit" to "Send";
signing in by PIN and choosing the lesson are counted apart. The exit code is 1 above 45 touches.
"""

import argparse
import json
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from kiosk.kiosk_browser import CHROMIUM, FIRST_LOOK_MS, FLAGS  # noqa: E402 - found in the folder above
from kiosk.worker_hand import strings  # noqa: E402
from playwright.sync_api import Locator, Page, expect, sync_playwright  # noqa: E402
from running_kit import running  # noqa: E402

from chevet.sim import demo  # noqa: E402

GOAL = 45
LESSON = "whole"
PATIENT_NUMBER = "T-1042"
TEMPERATURE = "37,2"
SLOW_MS = 120_000
COUNT = """() => {
  window.touches = 0;
  const count = (event) => { if (event.isTrusted && event.detail > 0) window.touches += 1; };
  addEventListener('click', count, true);
}"""


class Counted:
    """A finger on the glass, and what it did in each part of the visit."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.words = strings("fr")
        self.parts: list[tuple[str, int, float]] = []
        self.before, self.began = 0, time.monotonic()

    def tap(self, what: str | Locator) -> None:
        """Touch one thing, found by its selector."""
        (self.page.locator(what).first if isinstance(what, str) else what).tap()

    def says(self, key: str) -> None:
        """Touch the button with these words."""
        self.tap(self.page.get_by_role("button", name=self.words[key], exact=True))

    def main(self) -> None:
        """Touch the main button, once it may be touched."""
        main = self.page.locator(".page-foot .main-button")
        expect(main).not_to_have_attribute("aria-disabled", "true")
        main.tap()

    def keys(self, text: str) -> None:
        """Touch the keypad."""
        for letter in text:
            self.tap(self.page.locator(".keypad .key").get_by_text(letter, exact=True))

    def done(self, part: str) -> None:
        """Note what a part of the visit took."""
        touches = int(self.page.evaluate("window.touches"))
        self.parts.append((part, touches - self.before, time.monotonic() - self.began))
        self.before, self.began = touches, time.monotonic()


def before(hand: Counted) -> None:
    """Sign in by PIN and begin the lesson."""
    hand.page.evaluate(COUNT)
    hand.tap(".worker")
    hand.keys(demo.PIN)
    hand.tap(".pin-enter")
    hand.done("sign in by PIN")
    hand.tap(".start-training")
    lesson = hand.page.locator(".lesson-row").get_by_text(hand.words[f"training.lesson.{LESSON}"])
    expect(lesson).to_be_visible()
    hand.tap(lesson)
    hand.main()
    expect(hand.page.locator(".training-strip")).to_be_visible()
    hand.done("choose the lesson")


def begin(hand: Counted) -> None:
    """From "New visit" to the instruments."""
    hand.tap(".start-new")
    hand.main()
    hand.tap(hand.page.locator(".case-row").filter(has_text=PATIENT_NUMBER))
    hand.tap(hand.page.locator(".identifier").nth(0))
    hand.tap(hand.page.locator(".identifier").nth(1))
    hand.main()
    hand.done("signs of danger and identity")
    hand.tap(".purpose")
    hand.main()
    hand.done("consent")
    hand.says("visit_reason.breathlessness")
    hand.says("history.since.days")
    hand.main()
    expect(hand.page.locator(".tiles")).to_be_visible()
    hand.done("reason and history")


def keep(hand: Counted) -> None:
    """Keep a recording once it is there."""
    expect(hand.page.locator(".coach.result")).to_be_visible()
    hand.main()


def measure(hand: Counted) -> None:
    """The five instruments; oximeter and ECG begin by themselves."""
    for part, exam in (("oximeter", "oximetry"), ("ECG", "ecg")):
        hand.main()
        keep(hand)
        expect(hand.page.locator(f"[data-exam={exam}] .chip-ok")).to_be_visible()
        hand.done(part)
    hand.main()
    for site in "APETM":
        expect(hand.page.locator(f".place-active[data-site={site}]")).to_be_visible()
        expect(hand.page.locator(".hint-ok")).to_be_visible()
        hand.main()
        keep(hand)
    hand.done("stethoscope, five points")
    hand.tap("[data-exam=otoscopy]")
    hand.tap(".ear-right")
    for _ in ("right", "left"):
        expect(hand.page.locator(".hint-ok")).to_be_visible()
        hand.main()
        keep(hand)
    hand.done("otoscope, both ears")
    hand.tap("[data-exam=temperature]")
    hand.keys(TEMPERATURE)
    hand.main()
    hand.done("thermometer, typed")


def send(hand: Counted) -> None:
    """Look it over, ask, send."""
    expect(hand.page.locator(".tiles")).to_be_visible()
    hand.says("tiles.review")
    hand.main()
    hand.says("phrase.opinion")
    hand.main()
    expect(hand.page.locator(".address")).to_be_visible()
    hand.main()
    expect(hand.page.locator(".training-steps")).to_be_visible()
    hand.done("look over, question, send")


def walk(page: Page) -> list[tuple[str, int, float]]:
    """Walk the visit; return each part with its touches and its seconds."""
    hand = Counted(page)
    for part in (before, begin, measure, send):
        part(hand)
    return hand.parts


def main() -> int:
    """Start the box, walk, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    if CHROMIUM is None:
        print("There is no Chromium here: sudo apt install chromium", file=sys.stderr)
        return 2
    expect.set_options(timeout=SLOW_MS)
    for box in running("iotcore"):
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            context = browser.new_context(viewport={"width": 800, "height": 480}, has_touch=True)
            page = context.new_page()
            page.set_default_timeout(SLOW_MS)
            page.goto(box.ports.kiosk_url)
            expect(page.locator(".worker").first).to_be_visible(timeout=FIRST_LOOK_MS)
            parts = walk(page)
            browser.close()
    return report(parts, options.json)


def report(parts: list[tuple[str, int, float]], path: Path | None) -> int:
    """Print the table; answer 1 above the goal."""
    for part, touches, seconds in parts:
        print(f"{part:32} {touches:3} touches {seconds:6.0f} s")
    visit = sum(touches for _, touches, _ in parts[2:])
    minutes = sum(seconds for _, _, seconds in parts[2:]) / 60
    print(
        f"\nThe visit, from New visit to Send: {visit} touches (goal {GOAL}), "
        f"{minutes:.1f} min on this machine"
    )
    print(
        f"With signing in by PIN and choosing the lesson: {sum(touches for _, touches, _ in parts)} touches"
    )
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [
            {"part": part, "touches": touches, "seconds": round(seconds, 1)}
            for part, touches, seconds in parts
        ]
        path.write_text(
            json.dumps({"goal": GOAL, "visit": visit, "minutes": minutes, "parts": rows}, indent=1) + "\n"
        )
    return int(visit > GOAL)


if __name__ == "__main__":
    sys.exit(main())
