"""Every screen of the kiosk in every language and size, judged and on one sheet.

make screens                                               all of it; about half an hour
.venv/bin/python tests/screens/run.py --language ar --size small
.venv/bin/python tests/screens/run.py --only ecg --only tiles --dark

Pictures and sheets stand in artefacts/screens/all (index.html). The exit code is 1 where axe-core finds a
violation of WCAG 2.2 A or AA, or where something is cut off, out of reach or too small for a glove.
"""

import argparse
import contextlib
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE.parent)]

from kiosk.fake_edge import FakeEdge  # noqa: E402 - found in the folder above
from kiosk.kiosk_browser import CHROMIUM, FLAGS, PATIENCE_MS, SIZES  # noqa: E402
from playwright.sync_api import Browser, Error, expect, sync_playwright  # noqa: E402
from screens import sights_after, sights_instruments  # noqa: E402, F401 - they add their screens
from screens.judged import accessible, reachable  # noqa: E402
from screens.sheet import Look, write_page, write_picture  # noqa: E402
from screens.sights import SIGHTS  # noqa: E402
from screens.stage import Stage, opened  # noqa: E402

ALL = ROOT / "artefacts" / "screens" / "all"
QUIET_MS = 5000
LANGUAGES = ("fr", "ar", "zgh", "en")


def main() -> int:
    """Walk what the options name; answer 1 where anything is wrong."""
    options = _options()
    if CHROMIUM is None:
        print("There is no Chromium here: sudo apt install chromium", file=sys.stderr)
        return 2
    expect.set_options(timeout=PATIENCE_MS)
    ALL.mkdir(parents=True, exist_ok=True)
    looks: list[Look] = []
    with sync_playwright() as playwright, FakeEdge(speed=12) as edge:
        edge.keep_files = True
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for language in options.language or LANGUAGES:
            for size in options.size or SIZES:
                for light in _lights(options, language, size):
                    looks += _walk(browser, edge, language, size, light, options.only)
        browser.close()
    write_page(looks, ALL / "index.html")
    wrong = [look for look in looks if look.wrong]
    print(f"{len(looks)} pictures, {len(wrong)} with something wrong: {ALL.relative_to(ROOT)}/index.html")
    return 1 if wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--language", action="append", choices=LANGUAGES)
    parser.add_argument("--size", action="append", choices=sorted(SIZES))
    parser.add_argument(
        "--only", action="append", help="a screen's name; may be given several times", choices=sorted(SIGHTS)
    )
    parser.add_argument("--dark", action="store_true", help="the dark screens only")
    return parser.parse_args()


def _lights(options: argparse.Namespace, language: str, size: str) -> Sequence[str]:
    """Dark screens are walked once in each direction of writing; colours do not depend on the language."""
    if options.dark:
        return ("dark",)
    return ("light", "dark") if (language, size) in {("fr", "large"), ("ar", "small")} else ("light",)


def _walk(
    browser: Browser, edge: FakeEdge, language: str, size: str, light: str, only: Sequence[str] | None
) -> list[Look]:
    column = f"{language}-{size}-{light}"
    folder = ALL / column
    if only is None:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(exist_ok=True)
    with opened(browser, language, size, light) as page:
        stage = Stage(page, edge, language, size)
        looks = []
        for name in only or SIGHTS:
            looks.append(_look(stage, name, folder / f"{name}.png", column))
            for one in looks[-1].wrong:
                print(f"  {column} {name}: {one}", flush=True)
    print(f"{column}: {len(looks)} screens", flush=True)
    if only is None:
        write_picture(looks, ALL / f"{column}.png")
    return looks


def _look(stage: Stage, name: str, picture: Path, column: str) -> Look:
    stage.clean()
    SIGHTS[name](stage)
    with contextlib.suppress(Error):  # a screen may ask its box again and again
        stage.page.wait_for_load_state("networkidle", timeout=QUIET_MS)  # waveforms and pictures have come
    stage.page.screenshot(path=picture, animations="disabled")
    return Look(name, column, picture, (*accessible(stage.page), *reachable(stage.page)))


if __name__ == "__main__":
    sys.exit(main())
