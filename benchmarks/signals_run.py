"""One run of the figures: which peers are there, what is kept for plots, and how a row is printed.

A part returns rows: label to a number, to words, or to numbers or words by tool ("chevet" and its peers).
"""

from collections import defaultdict
from dataclasses import dataclass, field

OURS = "chevet"
# What is asked for, by part and label: at least or at most, the floor, and what is aimed for.
GOALS = {
    ("qrs", "F1 150 ms %"): (">=", 99.82, 99.88),
    ("qrs", "F1 50 ms %"): (">=", 99.3, None),
    ("qrs", "R jitter RMS ms"): ("<=", 6.5, 5.0),
    ("qrs", "x real time"): (">=", 3000, 10000),
    ("noise", "F1 at 6 dB %"): (">=", 99.6, None),
    ("noise", "F1 at 0 dB %"): (">=", 93.0, 96.0),
    ("stream", "F1 150 ms %"): (">=", 99.6, None),
    ("stream", "longest delay s"): ("<=", 0.4, None),
    ("waves", "P peak: F1 %"): (">=", 94.5, 97.5),
    ("waves", "QRS on: SD ms"): ("<=", 8.0, 6.5),
    ("waves", "QRS off: SD ms"): ("<=", 11.6, None),
    ("waves", "T off: F1 %"): (">=", 99.0, None),
    ("waves", "T off: SD ms"): ("<=", 30.0, 24.0),
    ("waves", "largest bias of QRS and T ends ms"): ("<=", 5.0, None),
    ("waves", "x real time"): (">=", 200, None),
    ("swaps", "found % of all these"): (">=", 80.0, None),
    ("swaps", "false alarms % of none"): ("<=", 1.4, None),
    ("filters", "undershoot after 3 mV, 100 ms: zero phase mV"): ("<=", 0.1, None),
    ("filters", "undershoot after 3 mV, 100 ms: live mV"): ("<=", 0.1, None),
    ("sound", "S1/S2 F1 100 ms %"): (">=", 88.0, 94.0),
    ("sound", "heart rate within 5 bpm %"): (">=", 88.0, 93.0),
    ("sound", "x real time"): (">=", 200, None),
    ("pulses", "F1 150 ms %"): (">=", 98.7, 99.1),
    ("pulses", "pulse_rate MAE bpm"): ("<=", 0.7, 0.5),
    ("breathing", "MAE /min"): ("<=", 2.5, 1.6),
    ("breathing", "coverage %"): (">=", 80.0, None),
    ("spo2", "RMSE %, line refitted"): ("<=", 3.2, 2.6),
    ("pictures", "best of 7 %"): (">=", 90.0, 98.0),
    ("pictures", "640x480 ms (median)"): ("<=", 15.0, None),
    ("noisy", "AUC, 6 dB and below"): (">=", 0.97, None),
    ("accepted", "LUDB, 12 leads, 10 s %"): (">=", 97.0, None),
    ("accepted", "CinC 2016 sounds %"): (">=", 97.0, None),
    ("accepted", "CirCor sounds %"): (">=", 97.0, None),
    ("accepted", "BIDMC pleth, 8 s %"): (">=", 97.0, None),
    ("accepted", "ear pictures %"): (">=", 97.0, None),
    ("live", "all together, % of one core"): ("<=", 25.0, None),
    ("live", "peak memory MB"): ("<=", 250.0, None),
}


@dataclass
class Run:
    """What the parts share: `peers` to ask, `quick`, and arrays `kept` for the plots by plot and tool."""

    peers: object
    quick: bool = False
    kept: dict = field(default_factory=lambda: defaultdict(dict))

    def tools(self, task):
        """Ours first, then the peers that can do a task."""
        return [OURS, *self.peers.of(task)]


def verdict(part, label, value):
    """Say beside a figure what is asked for and whether it is met; empty where nothing is asked."""
    if (part, label) not in GOALS or isinstance(value, str):
        return ""
    sense, floor, aim = GOALS[part, label]
    better = (lambda limit: value >= limit) if sense == ">=" else (lambda limit: value <= limit)
    aimed = f", aim {aim:g} {'reached' if better(aim) else 'not reached'}" if aim is not None else ""
    return f"   [asked {sense} {floor:g}: {'met' if better(floor) else 'NOT MET'}{aimed}]"


def shown(value):
    """Return a figure as words: as many digits as it is worth."""
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}" if abs(value) < 10 else f"{value:.2f}"


def line(part, label, value):
    """Return one printed row."""
    each = value if isinstance(value, dict) else {OURS: value}
    ours = each.get(OURS, "-")
    rest = "   ".join(f"{name} {shown(v)}" for name, v in each.items() if name != OURS)
    return f"{part:9s} {label:46s} {shown(ours)}{verdict(part, label, ours)}{'   | ' + rest if rest else ''}"
