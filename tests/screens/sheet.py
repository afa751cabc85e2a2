"""All pictures of a run on one page, and as one picture for each language and size."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

COLUMNS = 6
WIDE = 426
GAP = 10
CAPTION = 18
STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 16px; background: #f4f1ea; color: #14213d }
table { border-collapse: collapse } td, th { padding: 6px; vertical-align: top; text-align: left }
th { position: sticky; top: 0; background: #f4f1ea }
td img { width: 300px; border: 1px solid #cbbfa8; display: block }
.wrong { color: #b3261e; max-width: 300px; font-size: 13px; overflow-wrap: anywhere }
"""


@dataclass(frozen=True, slots=True)
class Look:
    """One screen in one language, size and light, and what is wrong with it."""

    name: str
    column: str
    picture: Path
    wrong: tuple[str, ...]


def write_page(looks: Sequence[Look], path: Path) -> None:
    """Write one HTML table: a row for each screen, a column for each language, size and light."""
    columns = list(dict.fromkeys(look.column for look in looks))
    rows = list(dict.fromkeys(look.name for look in looks))
    by_place = {(look.name, look.column): look for look in looks}
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    lines = []
    for name in rows:
        cells = "".join(_cell(by_place.get((name, column)), path.parent) for column in columns)
        lines.append(f"<tr><th>{html.escape(name)}</th>{cells}</tr>")
    wrong = sum(bool(look.wrong) for look in looks)
    title = f"Chevet: {len(rows)} screens, {len(looks)} pictures, {wrong} with something wrong"
    path.write_text(
        f'<!doctype html><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style><h1>{title}</h1>'
        f"<table><tr><th></th>{head}</tr>{''.join(lines)}</table>\n",
        "utf-8",
    )


def _cell(look: Look | None, folder: Path) -> str:
    if look is None:
        return "<td></td>"
    where = look.picture.relative_to(folder).as_posix()
    wrong = "".join(f"<p class=wrong>{html.escape(one)}</p>" for one in look.wrong)
    picture = f'<img loading="lazy" src="{where}" alt="{html.escape(look.name)}">'
    return f'<td><a href="{where}">{picture}</a>{wrong}</td>'


def write_picture(looks: Sequence[Look], path: Path) -> None:
    """Write all pictures of one column as one, small."""
    with Image.open(looks[0].picture) as first:
        tall = round(first.height * WIDE / first.width)
    rows = -(-len(looks) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * (WIDE + GAP) + GAP, rows * (tall + CAPTION + GAP) + GAP), "#f4f1ea")
    pen = ImageDraw.Draw(sheet)
    for n, look in enumerate(looks):
        x = GAP + n % COLUMNS * (WIDE + GAP)
        y = GAP + n // COLUMNS * (tall + CAPTION + GAP)
        with Image.open(look.picture) as picture:
            small = picture.convert("RGB").resize((WIDE, round(picture.height * WIDE / picture.width)))
            sheet.paste(small.crop((0, 0, WIDE, min(tall, small.height))), (x, y + CAPTION))
        pen.text((x, y), look.name, fill="#b3261e" if look.wrong else "#14213d")
    sheet.save(path)
