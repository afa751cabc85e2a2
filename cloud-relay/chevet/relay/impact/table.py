"""The report as CSV that any spreadsheet opens, and as PDF to hand round."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas

from chevet.relay.impact.figures import ALL, Line, Report, Share
from chevet.relay.impact.words import WORDS
from chevet.relay.printing.text import BOLD, PLAIN, draw, draw_ending, register_fonts, width

COLUMNS: Final = (
    "month", "site", "cases", "answered", "late", "rated", "helped", "allocate_min", "answer_min",
    "close_min", "recordings", "unreadable", "unreadable_share", "specialists",
    "discussions",
)  # fmt: skip
PAGE: Final = landscape(A4)
MARGIN: Final = 40.0
ROW: Final = 16.0
SIZE: Final = 8.5
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def cells(line: Line) -> list[str]:
    """Return one line as text: numbers with a point, nothing where there is nothing."""
    share = f"{line.unreadable / line.recordings:.3f}" if line.recordings else ""
    minutes = [
        "" if one is None else f"{one:.1f}" for one in (line.allocate_min, line.answer_min, line.close_min)
    ]
    counts = [str(one) for one in (line.cases, line.answered, line.late, line.rated, line.helped)]
    site = line.site if line.site != ALL else "*"
    heard = [str(line.recordings), str(line.unreadable), share, str(line.specialists), str(line.discussions)]
    return [line.month, site, *counts, *minutes, *heard]


def as_csv(report: Report) -> bytes:
    """Return the report as CSV, with UTF-8's mark so that a spreadsheet reads accents; `*` is all sites."""
    text = io.StringIO(newline="")
    write = csv.writer(text)
    write.writerow(COLUMNS)
    write.writerows(cells(line) for line in report.lines)
    for name, shares in (("device", report.devices), ("worker", report.workers)):
        write.writerow([])
        write.writerow([name, "recordings", "unreadable", "unreadable_share"])
        write.writerows(_share_cells(one) for one in shares)
    return ("\ufeff" + text.getvalue()).encode()


def _share_cells(one: Share) -> list[str]:
    # a name that began with a formula's sign would be run by the spreadsheet that opens it
    name = f"'{one.what}" if one.what.startswith(FORMULA) else one.what
    return [name, str(one.recordings), str(one.unreadable), f"{one.unreadable / one.recordings:.3f}"]


@dataclass(slots=True)
class _Paper:
    """A pen on pages: where the next row goes, and which way lines read."""

    page: Canvas
    rtl: bool
    y: float = 0.0
    number: int = 0

    def row(self, texts: Sequence[str], widths: Sequence[float], font: str = PLAIN) -> None:
        x = MARGIN
        pairs = list(zip(texts, widths, strict=True))
        for place, (text, wide) in enumerate(reversed(pairs) if self.rtl else pairs):
            if place == 0 and not self.rtl:
                draw(self.page, x, self.y, text, SIZE, font)
            else:
                draw_ending(self.page, x + wide - 6, self.y, text, SIZE, font)
            x += wide
        self.y -= ROW


def as_pdf(report: Report, programme: str, between: tuple[str, str], language: str, now_ms: int) -> bytes:
    """Return the report as PDF, A4 across."""
    register_fonts()
    said = WORDS.get(language, WORDS["en"])
    held = io.BytesIO()
    page = Canvas(held, pagesize=PAGE, pageCompression=1, invariant=1)
    page.setTitle(f"{said['title']} {between[0]} - {between[1]}")
    paper = _Paper(page, rtl=language == "ar")
    made = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    for title, head, rows, widths in _tables(report, said):
        _table(
            paper,
            (f"{programme} · {said['title']}", f"{between[0]} - {between[1]} · {made}"),
            title,
            head,
            rows,
            widths,
        )
    page.showPage()
    page.save()
    return held.getvalue()


Table = tuple[str, list[str], list[list[str]], list[float]]


def _tables(report: Report, said: dict[str, str]) -> Iterator[Table]:
    room = PAGE[0] - 2 * MARGIN
    wide = [52.0, 60.0] + [(room - 112.0) / 13] * 13
    lines = [[cell if cell != "*" else said["all_sites"] for cell in cells(line)] for line in report.lines]
    yield said["title"], [said[name] for name in COLUMNS], lines, wide
    for name, shares in (("device", report.devices), ("worker", report.workers)):
        head = [said[one] for one in (name, "recordings", "unreadable", "unreadable_share")]
        yield (
            said[f"by_{name}"],
            head,
            [_share_cells(one) for one in shares],
            [room - 300, 100.0, 100.0, 100.0],
        )


def _table(
    paper: _Paper,
    top: tuple[str, str],
    title: str,
    head: list[str],
    rows: list[list[str]],
    widths: list[float],
) -> None:
    if paper.number == 0 or paper.y < MARGIN + 4 * ROW:
        _begin(paper, top)
    _heading(paper, title, head, widths)
    for row in rows:
        if paper.y < MARGIN + ROW:
            _begin(paper, top)
            _heading(paper, title, head, widths)
        paper.row(row, widths)
    paper.y -= ROW


def _begin(paper: _Paper, top: tuple[str, str]) -> None:
    if paper.number:
        paper.page.showPage()
    paper.number += 1
    wide, high = PAGE
    first, second = (wide - MARGIN, MARGIN) if paper.rtl else (MARGIN, wide - MARGIN)
    (draw_ending if paper.rtl else draw)(paper.page, first, high - MARGIN, top[0], 13, BOLD)
    (draw if paper.rtl else draw_ending)(paper.page, second, high - MARGIN, top[1], SIZE)
    draw_ending(paper.page, wide - MARGIN, MARGIN / 2, str(paper.number), SIZE)
    paper.y = high - MARGIN - 2 * ROW


def _heading(paper: _Paper, title: str, head: list[str], widths: list[float]) -> None:
    wide = PAGE[0]
    if paper.rtl:
        draw_ending(paper.page, wide - MARGIN, paper.y, title, 10.5, BOLD)
    else:
        draw(paper.page, MARGIN, paper.y, title, 10.5, BOLD)
    paper.y -= ROW * 1.3
    paper.row([_fitting(text, room) for text, room in zip(head, widths, strict=True)], widths, BOLD)
    paper.page.line(MARGIN, paper.y + ROW - 4, wide - MARGIN, paper.y + ROW - 4)


def _fitting(text: str, room: float) -> str:
    while width(text, SIZE, BOLD) > room - 8 and " " in text:
        text = text.rpartition(" ")[0] + "."
    return text
