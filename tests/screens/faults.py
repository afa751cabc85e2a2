"""The six lessons in which something goes wrong, walked on the real box with simulated instruments.

make faults
.venv/bin/python tests/screens/faults.py --language fr --only fault_swap

A cold finger, a finger out of the clip, exchanged electrodes, a pulled cable, friction, the wrong ear: each
is seen in the language of the screen, tried with a hand that changes nothing, mended, recorded, scored.
The exit code is 1 where one of them is not passed. About a minute a lesson on a quiet machine.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from kiosk.kiosk_browser import CHROMIUM, FIRST_CHOICES, FIRST_LOOK_MS, FLAGS  # noqa: E402
from kiosk.worker_hand import strings  # noqa: E402
from playwright.sync_api import Browser, Page, expect, sync_playwright  # noqa: E402
from playwright.sync_api import TimeoutError as TooLong  # noqa: E402
from running_kit import running  # noqa: E402

from chevet.sim import demo  # noqa: E402

LANGUAGES = ("fr", "ar", "zgh", "en")
SLOW_MS = 120_000
ATTENTION = ".coach .hint-attention"


@dataclass(frozen=True)
class Walk:
    """One lesson: what is opened, what the screen says of the fault, what mends it.

    Attributes:
        exam: the tile.
        act: the hand that mends it.
        shown: sees the fault; called where it can be seen, on the coach or in the result.
        running: the fault begins while it is recorded.
        parts: recordings to keep.
    """

    exam: str
    act: str
    shown: Callable[["Trainee"], None]
    running: bool = False
    parts: int = 1


class Trainee:
    """One worker in training at one page."""

    def __init__(self, page: Page, url: str, language: str) -> None:
        self.page, self.url, self.words = page, url, strings(language)

    def main(self) -> None:
        """Touch the main button, once it may be touched."""
        main = self.page.locator(".page-foot .main-button")
        expect(main).not_to_have_attribute("aria-disabled", "true")
        main.tap()

    def reads(self, where: str, key: str) -> None:
        """Find a whole string of this language at a place."""
        expect(self.page.locator(where).filter(has_text=self.words[key]).first).to_be_visible()

    def hands(self, act: str, *, mends: bool) -> None:
        """Say what the hands do, and read whether it helped."""
        self.page.locator(".training-button", has_text=self.words["training.hands"]).tap()
        self.page.locator(".hands .choice", has_text=self.words[f"training.act.{act}"]).tap()
        expect(self.page.locator(f".hands .hint-{'ok' if mends else 'attention'}")).to_be_visible()
        if mends:
            self.page.locator(".hands .button-main").tap()
        else:
            self.page.keyboard.press("Escape")

    def record(self) -> None:
        """Record and wait for the end, whatever it is."""
        self.main()
        expect(self.page.locator(".coach.result, .absent-bad").first).to_be_visible()

    def clean(self) -> None:
        """Wait until the coach has nothing to say."""
        expect(self.page.locator(".coach .hint-ok")).to_be_visible()


def hint(key: str) -> Callable[[Trainee], None]:
    """The coach's sentence, with its picture."""

    def look(trainee: Trainee) -> None:
        trainee.reads(ATTENTION, key)
        expect(trainee.page.locator(f"{ATTENTION} .remedy")).to_be_visible()

    return look


def unplugged(trainee: Trainee) -> None:
    """What was recorded so far is there, the instrument is not."""
    trainee.reads("h2", "problem.device_lost")


def swapped(trainee: Trainee) -> None:
    """Both arms are lit on the body."""
    hint("reason.lead_swap.do")(trainee)
    for electrode in ("R", "L"):
        expect(trainee.page.locator(f".place-off[data-site={electrode}]")).to_have_count(1)


def the_picture_alone(trainee: Trainee) -> None:
    """A wrong ear cannot be told by a machine: the big letter and the picture are what there is."""
    expect(trainee.page.locator(".ear-big-right")).to_be_visible()
    trainee.clean()


WALKS = {
    "fault_cold": Walk("oximetry", "warm", hint("reason.low_perfusion.do")),
    "fault_finger": Walk("oximetry", "put_back", hint("reason.sensor_off.do"), running=True),
    "fault_swap": Walk("ecg", "swap_back", swapped),
    "fault_plug": Walk("ecg", "plug", unplugged, running=True),
    "fault_friction": Walk("heart_sound", "hold_still", hint("reason.friction.do"), running=True, parts=2),
    "fault_ear": Walk("otoscopy", "other_ear", the_picture_alone),
}


def lesson(trainee: Trainee, code: str, walk: Walk) -> str:
    """Walk one lesson; return its points."""
    page = trainee.page
    page.goto(f"{trainee.url}/#/training/{code}")
    trainee.reads(".situation", f"training.lesson.{code}.task")
    trainee.main()
    page.locator(f"[data-exam={walk.exam}]").tap()
    if code == "fault_ear":
        page.locator(".ear-right").tap()
    if walk.running:
        trainee.clean()
        trainee.record()
    walk.shown(trainee)
    trainee.hands("plug" if walk.act != "plug" else "warm", mends=False)
    trainee.hands(walk.act, mends=True)
    if walk.running:
        page.get_by_role("button", name=trainee.words["result.again"], exact=True).tap()
    for _ in range(walk.parts):
        trainee.clean()
        trainee.record()
        trainee.main()  # keep
    expect(page.locator(".training-dots .dot-full").first).to_be_visible()
    page.locator(".training-end").tap()
    trainee.main()
    expect(page.locator(".score-good .score-number")).to_be_visible()
    points = page.locator(".score-number").inner_text()
    page.goto(f"{trainee.url}/#/start")
    expect(page.locator(".start-new")).to_be_visible()
    return points


def walked(browser: Browser, url: str, language: str, codes: list[str]) -> list[str]:
    """Walk the lessons in one language; return the first not passed, and those not tried after it."""
    width, height = (800, 480) if language in ("fr", "zgh") else (1280, 800)
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=True)
    context.add_init_script(FIRST_CHOICES.replace("LANGUAGE", language))
    page = context.new_page()
    page.set_default_timeout(SLOW_MS)
    page.goto(url)
    expect(page.locator(".worker").first).to_be_visible(timeout=FIRST_LOOK_MS)
    page.locator(".worker").first.tap()
    page.keyboard.type(demo.PIN + "\n")
    expect(page.locator(".start-new").first).to_be_visible()
    trainee, failed = Trainee(page, url, language), []
    for code in codes:
        began = time.monotonic()
        try:
            points = lesson(trainee, code, WALKS[code])
        except (AssertionError, TooLong) as problem:
            untried = codes[codes.index(code) + 1 :]
            failed += [code, *untried]
            print(f"{language} {code:16} not passed: {str(problem).splitlines()[0]}", flush=True)
            for other in untried:
                print(f"{language} {other:16} not tried", flush=True)
            page.screenshot(path=HERE.parents[1] / "artefacts" / f"{language}-{code}.png")
            break
        print(f"{language} {code:16} {points:>4} points {time.monotonic() - began:5.0f} s", flush=True)
    context.close()
    return failed


def main() -> int:
    """Start the box, walk, print; answer 1 where a lesson was not passed."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--language", action="append", choices=LANGUAGES)
    parser.add_argument("--only", action="append", choices=sorted(WALKS), help="one lesson; may be repeated")
    options = parser.parse_args()
    if CHROMIUM is None:
        print("There is no Chromium here: sudo apt install chromium", file=sys.stderr)
        return 2
    expect.set_options(timeout=SLOW_MS)
    failed: list[str] = []
    for box in running("iotcore"):
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            for language in options.language or LANGUAGES:
                failed += walked(browser, box.ports.kiosk_url, language, options.only or list(WALKS))
            browser.close()
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
