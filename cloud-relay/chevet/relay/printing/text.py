"""Words on a page of paper: fonts, and Arabic letters joined and set from right to left."""

import re
from functools import cache
from pathlib import Path

import arabic_reshaper
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

FONTS = Path(__file__).parent / "fonts"
PLAIN, BOLD, ARABIC = "ChevetSans", "ChevetSans-Semibold", "ChevetSansArabic"
FILES = {PLAIN: "noto-sans-400.ttf", BOLD: "noto-sans-600.ttf", ARABIC: "noto-sans-arabic-400.ttf"}

_ARABIC = re.compile(r"[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufeff]")
_PARTS = re.compile(rf"({_ARABIC.pattern}+(?: +{_ARABIC.pattern}+)*)")
_MIRRORED = str.maketrans("()[]", ")(][")
_MARKS = re.compile(r"[\u064b-\u0652\u0670]")


@cache
def register_fonts() -> None:
    """Make the fonts known; they go into every page, so that it looks alike everywhere."""
    for name, file in FILES.items():
        pdfmetrics.registerFont(TTFont(name, str(FONTS / file)))


def is_arabic(text: str) -> bool:
    """Return whether a text is written in Arabic letters, and so reads from right to left."""
    return bool(_ARABIC.search(text))


def runs(text: str, font: str) -> list[tuple[str, str]]:
    """Return (font, characters) from left to right as they stand on the paper.

    Arabic letters take the forms that join them (their vowel marks are left out: they are not needed to
    read); where a text has any, its runs stand from right to left. Characters no font has become "?".
    """
    if not is_arabic(text):
        return [(font, _drawable(text, font))]
    joined = arabic_reshaper.reshape(_MARKS.sub("", text))
    found = [
        (ARABIC, part[::-1]) if is_arabic(part) else (font, _turned(part)) for part in _PARTS.split(joined)
    ]
    return [(name, _drawable(part, name)) for name, part in reversed(found) if part]


def _turned(part: str) -> str:
    """Figures and Latin words keep their order; the spaces about them change sides."""
    core = part.strip()
    before, _, after = part.partition(core) if core else (part, "", "")
    return (after + core + before).translate(_MIRRORED)


def _drawable(text: str, font: str) -> str:
    found = pdfmetrics.getFont(font)
    assert isinstance(found, TTFont)
    glyphs = found.face.charToGlyph
    return "".join(letter if ord(letter) in glyphs or letter == " " else "?" for letter in text)


def width(text: str, size: float, font: str = PLAIN) -> float:
    """Return how wide a text stands, in points."""
    return sum(pdfmetrics.stringWidth(run, name, size) for name, run in runs(text, font))


def draw(page: Canvas, x: float, y: float, text: str, size: float, font: str = PLAIN) -> float:
    """Set a text with its left end at (x, y), points; return where it ends."""
    for name, run in runs(text, font):
        page.setFont(name, size)
        page.drawString(x, y, run)
        x += pdfmetrics.stringWidth(run, name, size)
    return x


def draw_ending(page: Canvas, x: float, y: float, text: str, size: float, font: str = PLAIN) -> None:
    """Set a text with its right end at (x, y), points."""
    draw(page, x - width(text, size, font), y, text, size, font)
