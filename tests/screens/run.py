"""Every screen of kiosk and desk in every language and size, judged and on one sheet.

make screens                                               all of it; about an hour
.venv/bin/python tests/screens/run.py --room kiosk --language ar --size small
.venv/bin/python tests/screens/run.py --room desk --size phone --only accounts

Pictures and sheets stand in artefacts/screens/all (index.html). The exit code is 1 where axe-core finds a
violation of WCAG 2.2 A or AA, or where something is cut off, out of reach or, at the kiosk, too small for a
glove.
"""

import argparse
import contextlib
import shutil
import sys
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE.parent)]

from kiosk.fake_edge import FakeEdge  # noqa: E402 - found in the folder above
from kiosk.kiosk_browser import CHROMIUM, FLAGS, PATIENCE_MS, SIZES  # noqa: E402
from playwright.sync_api import Browser, Error, expect, sync_playwright  # noqa: E402
from relay_desk.desk_browser import SIZES as DESK_SIZES  # noqa: E402
from relay_desk.fake_relay import FakeRelay, serving  # noqa: E402
from relay_desk.real_desk import RealDesk  # noqa: E402
from screens import desk_rooms, sights_after, sights_instruments  # noqa: E402, F401 - they add their screens
from screens.desk_sights import DESK_SIGHTS  # noqa: E402
from screens.desk_stage import PATIENCE_MS as DESK_PATIENCE_MS  # noqa: E402
from screens.desk_stage import DeskStage, desk_page, furnished  # noqa: E402
from screens.judged import accessible, reachable, within  # noqa: E402
from screens.sheet import Look, write_page, write_picture  # noqa: E402
from screens.sights import SIGHTS  # noqa: E402
from screens.stage import Stage, opened  # noqa: E402

ALL = ROOT / "artefacts" / "screens" / "all"
QUIET_MS = 5000
LANGUAGES = ("fr", "ar", "zgh", "en")
DESK_LANGUAGES = ("fr", "ar")
"""The desk speaks English too: words as long as the French ones, where Arabic turns every page round."""
DARK = {("fr", "large"), ("ar", "small"), ("fr", "desk"), ("ar", "phone")}


def main() -> int:
    """Walk what the options name; answer 1 where anything is wrong."""
    options = _options()
    if CHROMIUM is None:
        print("There is no Chromium here: sudo apt install chromium", file=sys.stderr)
        return 2
    expect.set_options(timeout=PATIENCE_MS)
    ALL.mkdir(parents=True, exist_ok=True)
    looks: list[Look] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        if options.room != "desk":
            looks += _kiosk(browser, options)
        if options.room != "kiosk":
            looks += _desk(browser, options)
        browser.close()
    write_page(looks, ALL / "index.html")
    wrong = [look for look in looks if look.wrong]
    print(f"{len(looks)} pictures, {len(wrong)} with something wrong: {ALL.relative_to(ROOT)}/index.html")
    return 1 if wrong else 0


def _kiosk(browser: Browser, options: argparse.Namespace) -> list[Look]:
    looks = []
    with FakeEdge(speed=12) as edge:
        edge.keep_files = True
        for language in options.language or LANGUAGES:
            for size in [one for one in options.size or SIZES if one in SIZES]:
                for light in _lights(options, language, size):
                    looks += _walk(browser, edge, language, size, light, _of(options, SIGHTS))
    return looks


def _desk(browser: Browser, options: argparse.Namespace) -> list[Look]:
    looks = []
    expect.set_options(timeout=DESK_PATIENCE_MS)
    with (
        tempfile.TemporaryDirectory() as folder,
        furnished(Path(folder)) as real,
        serving(FakeRelay()) as fake,
    ):
        for language in options.language or DESK_LANGUAGES:
            for size in [one for one in options.size or DESK_SIZES if one in DESK_SIZES]:
                for light in _lights(options, language, size):
                    column = Column(language, size, light)
                    looks += _walk_desk(browser, (fake, real), column, _of(options, DESK_SIGHTS))
    return looks


def _of(options: argparse.Namespace, sights: Collection[str]) -> Sequence[str] | None:
    """The names asked for that are of these screens, None for all of them."""
    return None if options.only is None else [name for name in options.only if name in sights]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--room", choices=("kiosk", "desk"), help="the screens of one of them alone")
    parser.add_argument("--language", action="append", choices=LANGUAGES)
    parser.add_argument("--size", action="append", choices=sorted({*SIZES, *DESK_SIZES}))
    parser.add_argument(
        "--only",
        action="append",
        help="a screen's name; may be given several times",
        choices=sorted({*SIGHTS, *DESK_SIGHTS}),
    )
    parser.add_argument("--dark", action="store_true", help="the dark screens only")
    return parser.parse_args()


def _lights(options: argparse.Namespace, language: str, size: str) -> Sequence[str]:
    """Dark screens are walked once in each direction of writing; colours do not depend on the language."""
    if options.dark:
        return ("dark",)
    return ("light", "dark") if (language, size) in DARK else ("light",)


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


@dataclass(frozen=True, slots=True)
class Column:
    """One language, size and light of the desk."""

    language: str
    size: str
    light: str

    @property
    def name(self) -> str:
        """What its folder and sheet are called."""
        return f"desk-{self.language}-{self.size}-{self.light}"


def _walk_desk(
    browser: Browser, relays: tuple[FakeRelay, RealDesk], column: Column, only: Sequence[str] | None
) -> list[Look]:
    folder = ALL / column.name
    if only is None:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(exist_ok=True)
    looks = []
    with desk_page(browser, column.language, column.size, column.light) as page:
        stage = DeskStage(page, *relays, column.size)
        for name in DESK_SIGHTS if only is None else only:
            looks.append(_look_desk(stage, name, folder / f"{name}.png", column.name))
            for one in looks[-1].wrong:
                print(f"  {column.name} {name}: {one}", flush=True)
    print(f"{column.name}: {len(looks)} screens", flush=True)
    if only is None:
        write_picture(looks, ALL / f"{column.name}.png")
    return looks


def _look_desk(stage: DeskStage, name: str, picture: Path, column: str) -> Look:
    stage.clean()
    try:
        DESK_SIGHTS[name](stage)
    except (Error, AssertionError) as error:
        stage.page.screenshot(path=picture)
        return Look(name, column, picture, (f"not reached: {str(error).splitlines()[0]}",))
    with contextlib.suppress(Error):
        stage.page.wait_for_load_state("networkidle", timeout=QUIET_MS)
    stage.whole()
    stage.page.screenshot(path=picture, animations="disabled")
    return Look(name, column, picture, (*accessible(stage.page), *within(stage.page)))


def _look(stage: Stage, name: str, picture: Path, column: str) -> Look:
    stage.clean()
    SIGHTS[name](stage)
    with contextlib.suppress(Error):  # a screen may ask its box again and again
        stage.page.wait_for_load_state("networkidle", timeout=QUIET_MS)  # waveforms and pictures have come
    stage.page.screenshot(path=picture, animations="disabled")
    return Look(name, column, picture, (*accessible(stage.page), *reachable(stage.page)))


if __name__ == "__main__":
    sys.exit(main())
