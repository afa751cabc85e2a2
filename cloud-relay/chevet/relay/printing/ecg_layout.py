"""Where everything stands on a printed ECG, in millimetres from the left and the top of the paper. Pure."""

from dataclasses import dataclass
from math import ceil
from typing import Literal

from chevet.relay.reading.waves import STANDARD

Layout = Literal["3x4", "6x2", "12x1"]
Order = Literal["standard", "cabrera"]
LAYOUTS: dict[Layout, tuple[int, bool]] = {"3x4": (4, True), "6x2": (2, False), "12x1": (1, False)}
"""Columns, and whether a rhythm strip follows."""

A4_MM = (297.0, 210.0)
TOP_MM, FOOT_MM = 29.0, 26.0
LEFT_MM, EDGE_MM = 13.5, 5.0
TRACE_MM = 250.0
"""10 s at 25 mm/s; beside it stand the pulse and 5 mm on each side of it."""
PULSE_S, PULSE_MV = 0.2, 1.0
ROW_MM = 32.0

CABRERA = ("aVL", "I", "-aVR", "II", "aVF", "III")
"""Limb leads in the order of their angles, -30 to 120 degrees: 2007 AHA/ACCF/HRS statement, part I."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One lead's stretch of paper: left edge and baseline in mm, first second and length in seconds."""

    lead: str
    sign: float
    x_mm: float
    y_mm: float
    from_s: float
    seconds: float

    @property
    def name(self) -> str:
        """Return the lead's name as it is printed."""
        return f"\u2212{self.lead}" if self.sign < 0 else self.lead


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page: its panels, the foot of the rising edge of each calibration pulse, and the rows' height."""

    panels: tuple[Panel, ...]
    pulses: tuple[tuple[float, float], ...]
    row_mm: float
    grid_mm: tuple[float, float, float, float]


def sheet(names: tuple[str, ...], layout: Layout, order: Order, speed_mm_s: float, start_s: float) -> Sheet:
    """Lay out one page of A4 across, `TRACE_MM` long.

    With other than the twelve leads each gets a row of its own.
    """
    columns, rhythm = _columns(names, layout, order)
    rows = len(columns[0]) + len(rhythm)
    row_mm = min(ROW_MM, (A4_MM[1] - TOP_MM - FOOT_MM - EDGE_MM) / rows)
    trace_x = LEFT_MM + EDGE_MM + PULSE_S * speed_mm_s + EDGE_MM
    seconds = TRACE_MM / speed_mm_s
    each = seconds / len(columns)
    middle = [TOP_MM + round(EDGE_MM + (row + 0.5) * row_mm) for row in range(rows)]
    panels = [
        _panel(lead, trace_x + at * each * speed_mm_s, middle[row], start_s + at * each, each)
        for at, column in enumerate(columns)
        for row, lead in enumerate(column)
    ]
    panels += [
        _panel(lead, trace_x, middle[len(columns[0]) + at], start_s, seconds)
        for at, lead in enumerate(rhythm)
    ]
    high = EDGE_MM * ceil((EDGE_MM + rows * row_mm) / EDGE_MM)
    grid = (LEFT_MM, TOP_MM, LEFT_MM + TRACE_MM + 4 * EDGE_MM, TOP_MM + high)
    return Sheet(tuple(panels), tuple((LEFT_MM + EDGE_MM, y) for y in middle), row_mm, grid)


def _columns(
    names: tuple[str, ...], layout: Layout, order: Order
) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    if not set(STANDARD) <= set(names):
        return [names], ()
    limb = CABRERA if order == "cabrera" else STANDARD[:6]
    count, rhythm = LAYOUTS[layout]
    leads = (*limb, *STANDARD[6:])
    rows = len(leads) // count
    return [leads[at : at + rows] for at in range(0, len(leads), rows)], ("II",) if rhythm else ()


def _panel(lead: str, x_mm: float, y_mm: float, from_s: float, seconds: float) -> Panel:
    inverted = lead.startswith("-")
    return Panel(lead.removeprefix("-"), -1.0 if inverted else 1.0, x_mm, y_mm, from_s, seconds)
