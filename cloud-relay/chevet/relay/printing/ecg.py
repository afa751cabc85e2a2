"""An ECG on A4 to scale: millimetre paper, calibration pulse, filter, drafts, and what this page is not."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from reportlab import rl_config
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from chevet.relay.printing.ecg_layout import (
    A4_MM,
    LEFT_MM,
    PULSE_MV,
    PULSE_S,
    TRACE_MM,
    Layout,
    Order,
    Panel,
    Sheet,
    sheet,
)
from chevet.relay.printing.text import BOLD, PLAIN, draw, draw_ending, is_arabic, register_fonts, width
from chevet.relay.printing.words import Words, words_of
from chevet.relay.reading.waves import Floats, leads
from chevet.signals.filters import DIAGNOSTIC, MONITOR, Band, ecg_display
from chevet.study.recording import Gap, Recording, Waveform
from chevet.study.study import HTEST, Patient

FILTERS: dict[str, Band | None] = {"diagnostic": DIAGNOSTIC, "monitor": MONITOR, "raw": None}
MOST_PAGES = 6
FIRST_DRAFTS = ("heart_rate", "pr", "qrs", "qt", "qtc_fridericia", "qtc_bazett", "qrs_axis")
SHORT = {"heart_rate": "HR", "pr": "PR", "qrs": "QRS", "qt": "QT", "qrs_axis": "QRS axis"}
UNITS = {"deg": "°"}
FAR_MV = 1.0
"""Further from zero than this a raw lead would leave its row: electrodes have a voltage of their own."""
INK = {"fine": (0.973, 0.855, 0.835), "bold": (0.906, 0.604, 0.565), "trace": (0.1, 0.1, 0.1)}
INK |= {"gap": (1.0, 0.945, 0.8), "warn": (0.48, 0.29, 0.0)}


rl_config.useA85 = 0  # plain compressed streams: a fifth smaller and a third of the time


@dataclass(frozen=True, slots=True)
class Print:
    """What is printed and how.

    Attributes:
        layout, order, speed_mm_s, gain_mm_mv, filter: as on the desk's paper.
        language: of the words, "fr", "ar" or "en".
        now_ms: Unix ms, printed as the time of printing.
    """

    layout: Layout
    order: Order
    speed_mm_s: int
    gain_mm_mv: int
    filter: str
    language: str
    now_ms: int


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose ECG it is and where it was recorded."""

    patient: Patient
    site: str
    recording: Recording
    swaps: Sequence[str]


def print_ecg(wave: Waveform, subject: Subject, how: Print) -> bytes:
    """Return a PDF of A4 pages across: 10 mm/mV and 25 mm/s are that on paper when printed at 100 %."""
    register_fonts()
    names, values = leads(wave)
    rate_hz = wave.channels[0].rate_hz
    shown, filter_text = _filtered(values, rate_hz, how, words_of(how.language))
    out = io.BytesIO()
    page = Canvas(out, pagesize=(A4_MM[0] * mm, A4_MM[1] * mm), pageCompression=1)
    page.setTitle("ECG")
    page.setAuthor("Chevet")
    span_s = TRACE_MM / how.speed_mm_s
    count = min(MOST_PAGES, max(1, int(np.ceil(values.shape[1] / rate_hz / span_s - 0.05))))
    for at in range(count):
        one = sheet(names, how.layout, how.order, how.speed_mm_s, at * span_s)
        _paper(page, one)
        _watermark(page, subject.recording)
        _pulses(page, one, how)
        for panel in one.panels:
            _gaps(page, panel, wave.gaps, rate_hz, how)
            _trace(page, panel, shown[names.index(panel.lead)], rate_hz, how, one.row_mm)
        _head(page, subject, how, (at + 1, count))
        _foot(
            page, subject, how, f"{how.speed_mm_s} mm/s  ·  {how.gain_mm_mv} mm/mV  ·  {filter_text}", rate_hz
        )
        page.showPage()
    page.save()
    return out.getvalue()


def _filtered(values: Floats, rate_hz: float, how: Print, words: Words) -> tuple[Floats, str]:
    band = FILTERS[how.filter]
    if band is None:
        middle = np.nanmedian(values, axis=1, keepdims=True)
        far = bool((np.abs(middle) > FAR_MV).any())
        moved: Floats = np.where(np.abs(middle) > FAR_MV, values - middle, values)
        return moved, f"{words['raw']}, {words['centred']}" if far else words["raw"]
    try:
        shown = ecg_display(values, rate_hz, band)
    except ValueError:  # too short to filter
        return values, words["raw"]
    high = band.high_hz if band.high_hz < 0.45 * rate_hz else rate_hz / 2
    text = f"{band.low_hz:g}–{high:g} Hz"
    return shown, f"{text} {words['view']}" if how.filter == "monitor" else text


def _y(mm_down: float) -> float:
    return (A4_MM[1] - mm_down) * mm


def _paper(page: Canvas, one: Sheet) -> None:
    left, top, right, bottom = one.grid_mm
    for bold in (False, True):
        page.setStrokeColorRGB(*INK["bold" if bold else "fine"])
        page.setLineWidth(0.18 if bold else 0.1)
        path = page.beginPath()
        for step in range(int(right - left) + 1):
            if (step % 5 == 0) == bold:
                path.moveTo((left + step) * mm, _y(top))
                path.lineTo((left + step) * mm, _y(bottom))
        for step in range(int(bottom - top) + 1):
            if (step % 5 == 0) == bold:
                path.moveTo(left * mm, _y(top + step))
                path.lineTo(right * mm, _y(top + step))
        page.drawPath(path)


def _ink(page: Canvas) -> None:
    page.setStrokeColorRGB(*INK["trace"])
    page.setFillColorRGB(*INK["trace"])
    page.setLineWidth(0.28 * mm)
    page.setLineJoin(1)
    page.setLineCap(1)


def _pulses(page: Canvas, one: Sheet, how: Print) -> None:
    _ink(page)
    across, up = PULSE_S * how.speed_mm_s, PULSE_MV * how.gain_mm_mv
    for x, y in one.pulses:
        path = page.beginPath()
        path.moveTo((x - 2) * mm, _y(y))
        for dx, dy in ((0.0, 0.0), (0.0, up), (across, up), (across, 0.0), (across + 2, 0.0)):
            path.lineTo((x + dx) * mm, _y(y - dy))
        page.drawPath(path)


def _trace(page: Canvas, panel: Panel, lead: Floats, rate_hz: float, how: Print, row_mm: float) -> None:
    _ink(page)
    draw(page, (panel.x_mm + 1) * mm, _y(panel.y_mm - min(9.5, 0.4 * row_mm)), panel.name, 9, BOLD)
    page.line(panel.x_mm * mm, _y(panel.y_mm - 2.5), panel.x_mm * mm, _y(panel.y_mm + 2.5))
    first = int(np.ceil(panel.from_s * rate_hz))
    last = min(len(lead), int(np.floor((panel.from_s + panel.seconds) * rate_hz)) + 1)
    path, drawing = page.beginPath(), False
    for i in range(first, last):
        value = lead[i] * panel.sign
        if np.isnan(value):  # a gap stays open: no line bridges it
            drawing = False
            continue
        x = (panel.x_mm + (i / rate_hz - panel.from_s) * how.speed_mm_s) * mm
        y = _y(panel.y_mm - value * how.gain_mm_mv)
        if drawing:
            path.lineTo(x, y)
        else:
            path.moveTo(x, y)
        drawing = True
    page.drawPath(path)


def _gaps(page: Canvas, panel: Panel, gaps: Sequence[Gap], rate_hz: float, how: Print) -> None:
    """Say where nothing arrived: an empty stretch of paper could be taken for a flat line."""
    for gap in gaps:
        begin = max(gap.first / rate_hz, panel.from_s) - panel.from_s
        end = min((gap.first + gap.count) / rate_hz, panel.from_s + panel.seconds) - panel.from_s
        if end <= begin:
            continue
        page.setFillColorRGB(*INK["gap"])
        left, wide = (panel.x_mm + begin * how.speed_mm_s) * mm, (end - begin) * how.speed_mm_s * mm
        page.rect(left, _y(panel.y_mm + 4), wide, 8 * mm, stroke=0, fill=1)
        page.setFillColorRGB(*INK["warn"])
        draw(page, left + 1, _y(panel.y_mm + 7), words_of(how.language)["gap"], 7)


def _watermark(page: Canvas, recording: Recording) -> None:
    if not recording.simulated:
        return
    page.saveState()
    page.setFillColorRGB(0.9, 0.9, 0.92)
    page.setFillAlpha(0.8)
    page.setFont(BOLD, 120)
    page.drawCentredString(A4_MM[0] / 2 * mm, A4_MM[1] / 2 * mm, HTEST)
    page.restoreState()


def _head(page: Canvas, subject: Subject, how: Print, place: tuple[int, int]) -> None:
    words, who, recording = words_of(how.language), subject.patient, subject.recording
    left, right = LEFT_MM * mm, (A4_MM[0] - LEFT_MM) * mm
    page.setFillColorRGB(0.08, 0.13, 0.24)
    draw(page, left, _y(12), who.name, 14, PLAIN if is_arabic(who.name) else BOLD)
    born = f"{words['born']} {who.birth_year}" if who.birth_year else ""
    number = f"{words['register']} {who.local_number}" if who.local_number else ""
    _line(page, left, 18.5, [part for part in (born, who.sex, number, subject.site) if part])
    draw_ending(page, right, _y(12), words["title"], 12, PLAIN if is_arabic(words["title"]) else BOLD)
    told = [f"{words['recorded']} {_when(recording.started_ms)}", f"{words['printed']} {_when(how.now_ms)}"]
    _line_ending(page, right, 18.5, [*told, f"{place[0]} / {place[1]}"])
    named = " ".join(
        part for part in (recording.device.get("model", ""), recording.device.get("serial", "")) if part
    )
    _line(page, left, 24, [f"{words['device']} {named or recording.driver}"])
    if not recording.quality.usable:
        page.setFillColorRGB(*INK["warn"])
        _line_ending(page, right, 24, [words["poor"]])


def _foot(page: Canvas, subject: Subject, how: Print, facts: str, rate_hz: float) -> None:
    words, left, right = words_of(how.language), LEFT_MM * mm, (A4_MM[0] - LEFT_MM) * mm
    page.setFillColorRGB(0.08, 0.13, 0.24)
    page.setLineWidth(0.2)
    draw(page, left, _y(190.5), f"{facts}  ·  {rate_hz:g} Hz", 9, BOLD)
    draw_ending(page, right, _y(190.5), words["scale"].format(pulse=how.gain_mm_mv), 8)
    end = draw(page, left, _y(196), words["drafts"], 8, PLAIN) + 2 * mm
    draw(page, end, _y(196), _drafts(subject.recording) or words["none"], 8, BOLD)
    if subject.swaps:
        page.setFillColorRGB(*INK["warn"])
        text = f"{words['swap']} "
        draw_ending(page, right, _y(196), ", ".join(subject.swaps), 8, BOLD)
        draw_ending(page, right - width(", ".join(subject.swaps), 8, BOLD) - 2 * mm, _y(196), text, 8)
    page.setFillColorRGB(0.36, 0.39, 0.47)
    draw(page, left, _y(202), words["statement"], 8)


def _line(page: Canvas, x: float, down: float, parts: Sequence[str]) -> None:
    for part in parts:
        x = draw(page, x, _y(down), part, 9) + 5 * mm


def _line_ending(page: Canvas, x: float, down: float, parts: Sequence[str]) -> None:
    for part in reversed(parts):
        draw_ending(page, x, _y(down), part, 9)
        x -= width(part, 9) + 5 * mm


def _when(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _drafts(recording: Recording) -> str:
    by_kind = {one.kind: one for one in recording.measurements}
    told = [by_kind[kind] for kind in FIRST_DRAFTS if kind in by_kind]
    return "   ".join(
        f"{_name(one.kind)} {one.value:.0f} {UNITS.get(one.unit, one.unit)}"
        for one in told
        if one.value is not None
    )


def _name(kind: str) -> str:
    first, _, second = kind.partition("_")
    return f"QTc {second.capitalize()}" if first == "qtc" and second else SHORT.get(kind, kind)
