"""The files of the screens: all there, all licensed, nothing inline, nothing from elsewhere."""

import re
from pathlib import Path

import pytest

from chevet.kiosk.files import INDEX, KIOSK, SHARED, STATIC

OURS = [
    path
    for path in STATIC.rglob("*")
    if path.suffix in {".js", ".css", ".html"} and "vendor" not in path.parts
]
ICONS = SHARED / "icons"
DESK = STATIC.parents[3] / "cloud-relay" / "chevet" / "relay" / "desk"


def at(url: str) -> Path:
    """Return the file that the box serves under an absolute address."""
    return STATIC / url.lstrip("/")


def test_the_roots_are_where_the_servers_look() -> None:
    assert INDEX.is_file()
    assert (SHARED / "tokens.css").is_file()
    assert (KIOSK / "main.js").is_file()


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(STATIC)))
def test_everything_a_file_names_is_shipped(path: Path) -> None:
    text = path.read_text("utf-8")
    named = re.findall(r"""(?:from |import |import\()"(/[^"]+)\"""", text)
    named += re.findall(r"""(?:src|href)="(/[^"$]+)\"""", text) + re.findall(r"url\((/[^)$]+)\)", text)
    missing = [
        url for url in named if not at(url).is_file() and not at(url.replace(".js", ".d.ts")).is_file()
    ]
    assert missing == []


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(STATIC)))
def test_files_are_short_and_stay_at_home(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 500
    assert re.findall(r"https?://(?!www\.w3\.org)", text) == []


def test_nothing_is_inline() -> None:
    page = INDEX.read_text("utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert "<style" not in page
    for path in OURS:
        text = path.read_text("utf-8")
        assert not re.search(r"\son\w+=\"", text), f"{path.name}: handlers are functions"
        assert "<style" not in text
        assert not re.search(r'\sstyle="', text), f"{path.name}: a style attribute breaks the policy"


def icons_used() -> set[str]:
    """Icon names that stand in the code of kiosk, desk and shared instruments."""
    files = [*SHARED.rglob("*.js"), *KIOSK.rglob("*.js"), *DESK.rglob("*.js")]
    code = "\n".join(path.read_text("utf-8") for path in files if "vendor" not in path.parts)
    return {name for name in icons_shipped() if re.search(rf'["\']{re.escape(name)}["\']', code)}


def icons_shipped() -> set[str]:
    return {str(path.relative_to(ICONS).with_suffix("")) for path in ICONS.rglob("*.svg")}


def test_only_icons_in_use_are_shipped() -> None:
    assert icons_shipped() - icons_used() == set()


def test_every_icon_asked_for_is_shipped() -> None:
    code = "\n".join(path.read_text("utf-8") for path in KIOSK.rglob("*.js"))
    asked = set(re.findall(r'(?:name|icon)="([a-z0-9_/-]+)"', code)) | set(
        re.findall(r'"(med/[a-z0-9_]+)"', code)
    )
    assert asked - icons_shipped() == set()


def test_every_borrowed_thing_has_its_licence() -> None:
    for licence in (
        SHARED / "fonts" / "OFL-noto-sans.txt",
        SHARED / "fonts" / "OFL-noto-sans-arabic.txt",
        ICONS / "LICENSE-lucide.txt",
        ICONS / "med" / "LICENSE-healthicons.txt",
        SHARED / "vendor" / "htm-preact" / "LICENSE-htm.txt",
        SHARED / "vendor" / "htm-preact" / "LICENSE-preact.txt",
    ):
        assert len(licence.read_text("utf-8")) > 500, licence.name


def test_fonts_named_are_fonts_shipped() -> None:
    named = set(re.findall(r"/shared/fonts/([\w.-]+\.woff2)", (SHARED / "tokens.css").read_text("utf-8")))
    assert named == {path.name for path in (SHARED / "fonts").glob("*.woff2")}
