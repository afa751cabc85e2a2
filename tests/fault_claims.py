"""One cell of the matrix: an instrument under a fault, and what is asked of the driver's account of it."""

import asyncio
from dataclasses import dataclass, field

from fault_table import (
    ALWAYS,
    ASKED,
    AWAY,
    CLAIMS,
    DAMAGING,
    EXACTLY,
    FAULTS,
    GAPS,
    GONE,
    LATE_ONE,
    METERS,
    NO_SAMPLES,
    NOT_TOLD,
    NOTHING_TO_HIT,
    NUMBERED,
    NUMBERED_IN_PACKETS,
    OFTEN,
    OWN_LINE,
    REOPENED,
    RESTARTED,
    ROUNDS,
    SLOW,
    SOME,
    TOLD,
    UNCHECKED,
    UNTOUCHED,
)
from ground_truth import Judged

from chevet.devices.samples import Notice, Reading, SampleBlock

LONGEST_S, BACK_WITHIN_S = 20.0, 14.0
PACKET, ANSWER_SAMPLES = 25, 125
USUAL = {
    "heart_rate": {75.0, 76.0, 77.0},
    "respiration_rate": {16.0},
    "temperature": {36.6},
    "spo2": {97.0},
    "pulse_rate": {72.0},
    "systolic": {120.0},
    "diastolic": {80.0},
    "mean_pressure": {93.0},
    "weight": {70.5},
    "glucose": {95.0},
}
"""Numbers that instruments without a finger have to tell."""
RANGES = {"battery": (0, 100), "rr_interval": (600, 1000)}


@dataclass
class Cell:
    """What came while a fault was on, and after it."""

    name: str
    fault: str
    on: list = field(default_factory=list)
    after: list = field(default_factory=list)
    later: list = field(default_factory=list)
    judged: Judged = field(default_factory=Judged)
    counted: dict = field(default_factory=dict)
    hits: int = 0
    ended: list = field(default_factory=list)
    back_s: float | None = None
    seconds: float = 0.0

    @property
    def events(self):
        return self.on + self.after

    @property
    def claim(self):
        return CLAIMS.get((self.name, self.fault), (FAULTS[self.fault].claim, ""))[0]


def heard(name, events):
    """Return whether the instrument told what it is there for."""
    if name not in NO_SAMPLES:
        return any(isinstance(event, SampleBlock) for event in events)
    return any(isinstance(event, Reading) and event.value is not None for event in events)


async def lived_through(bench, truth, fault):
    """Let an instrument suffer a fault and get over it."""
    cell, row = Cell(bench.name, fault), FAULTS[fault]
    before, hits = _totals(bench), bench.disturbed
    ended, once = len(bench.lost), bench.instrument.fault(fault).once
    began = bench.now
    often = ALWAYS if bench.name in METERS else OFTEN if bench.name in NO_SAMPLES else SOME
    await bench.set_fault(fault, True, often if row.value == SOME else row.value)
    if bench.name in METERS:
        await _measured(bench)
    cell.on = await bench.run(0.3)
    cell.later = await bench.run(2.2 if bench.name in NO_SAMPLES else 1.2)
    while row.value == SOME and bench.disturbed == hits and bench.now < began + LONGEST_S:
        if bench.name in METERS and bench.name != "battery":
            await _measured(bench)
        cell.later += await bench.run(0.5)
    if fault == "slow_reconnect":
        await asyncio.sleep(0.2)  # the device comes back by the host's own clock
    cell.on += cell.later
    cell.seconds = bench.now - began
    judged = [truth.judge(_blocks(cell.on))]
    if not once:
        await bench.set_fault(fault, False)
    if (bench.name, fault) in SLOW:
        await bench.reopen()
    if bench.name in METERS:
        await _measured(bench)
    await _until_back(bench, cell)
    cell.judged = _added([*judged, truth.judge(_blocks(cell.after))])
    cell.counted = {key: value - before[key] for key, value in _totals(bench).items()}
    cell.hits, cell.ended = bench.disturbed - hits, bench.lost[ended:]
    return cell


async def _measured(bench):
    await bench.set_fault("measure", True)
    if bench.link is not None:
        await bench.reopen()


async def _until_back(bench, cell):
    began, fresh = bench.now, []
    while not heard(bench.name, fresh) and bench.now < began + BACK_WITHIN_S:
        fresh = await bench.run(0.5)
        cell.after += fresh
    cell.back_s = bench.now - began if heard(bench.name, fresh) else None
    cell.after += await bench.run(3.0 if bench.name in ASKED else 0.7)


def _totals(bench):
    counters = bench.driver.counters
    return {"bad": counters.bad_frames, "lost": counters.lost_samples, "resyncs": counters.resyncs}


def _blocks(events):
    return [event for event in events if isinstance(event, SampleBlock)]


def _added(found):
    moved = [step for one in found for step in one.moved]
    sums = {key: sum(getattr(one, key) for one in found) for key in ("delivered", "missing", "wrong", "anew")}
    return Judged(moved=moved, **sums)


def complaints(cell, witness):
    """Return what is wrong with a cell, in words."""
    asked = [
        *_of_all(cell, witness),
        *_CLAIMS.get(cell.claim, _nothing_more)(cell),
    ]
    return [sentence for holds, sentence in asked if not holds]


def _of_all(cell, witness):
    """What is asked whatever happened."""
    judged, row = cell.judged, FAULTS[cell.fault]
    yield cell.back_s is not None, f"nothing came within {BACK_WITHIN_S} s after the fault"
    ends = {reason for reason in cell.ended if reason != "reopened"}
    meter = cell.name in METERS and ends <= GONE  # they hang up by themselves, and speak after that
    yield meter or ends == set(row.ends), f"the link ended with {ends}, not {set(row.ends)}"
    spared = row.value != SOME or (cell.name, cell.fault) in NOTHING_TO_HIT
    yield spared or cell.hits > 0, "the fault hit nothing: the cell says nothing"
    damaged = cell.name in UNCHECKED and cell.fault in DAMAGING
    contact = cell.name in OWN_LINE and cell.fault in ("lead_off", "sensor_off", "electrode_off")
    if not damaged and not contact:
        late = (cell.name, cell.fault) in LATE_ONE
        yield judged.wrong <= late, f"{judged.wrong} samples that no sensor gave"
    if not damaged:
        strange = list(_strange(cell.events, witness.shown))
        yield not strange, f"numbers that nobody measured: {strange[:3]}"
    if not cell.ended and not damaged and not contact:
        lost = cell.counted["lost"]
        yield judged.missing == lost, f"{judged.missing} places left out, but {lost} samples told as lost"
    yield from _places(cell, damaged)


def _strange(events, shown):
    for event in events:
        if not isinstance(event, Reading) or event.value is None:
            continue
        low, high = RANGES.get(event.kind, (0, 0))
        kind = "pulse_rate" if event.kind == "heart_rate" else event.kind  # a strap's beats are the finger's
        known = USUAL.get(event.kind, set()) | {one for one in shown.get(kind, ()) if one is not None}
        if not low <= event.value <= high and not any(abs(event.value - one) < 0.06 for one in known):
            yield event.kind, event.value


def _places(cell, damaged):
    """Samples do not change their places unless the device cannot know better."""
    moved, name = cell.judged.moved, cell.name
    if cell.ended or cell.claim == RESTARTED or cell.fault == "counter_jump":
        return
    if name in ROUNDS and cell.fault != "duplicate":
        yield all(step % ROUNDS[name] == 0 for step in moved), f"samples moved by {moved[:5]}"
    elif name in NUMBERED:
        yield not moved or damaged, f"samples moved by {moved[:5]}"
    elif name in NUMBERED_IN_PACKETS:
        yield all(abs(step) <= 2 * PACKET for step in moved), f"samples moved by {moved[:5]}"


def _untouched(cell):
    judged, counted = cell.judged, cell.counted
    yield judged.missing == 0, f"{judged.missing} samples missing"
    yield not judged.moved, f"samples moved by {judged.moved[:5]}"
    yield not any(counted.values()), f"counted {counted}"
    if cell.name not in NO_SAMPLES:
        yield judged.delivered > 0, "no samples"


def _told(cell):
    yield from () if cell.name in OWN_LINE else _untouched(cell)
    codes = {(event.code, event.on) for event in cell.events if isinstance(event, Notice)}
    blank = any(isinstance(event, Reading) and event.value is None for event in cell.on)
    if (cell.name, cell.fault) not in NOT_TOLD:
        yield (cell.fault, True) in codes or blank, f"nothing told: {codes}"
        yield (cell.fault, False) in codes or blank, f"not told that it is over: {codes}"


def _gaps(cell):
    if cell.fault in ("checksum", "lost_bytes") and cell.name not in UNCHECKED:
        yield any(cell.counted.values()), "damaged frames were not counted"


def _away(cell):
    if cell.name not in UNCHECKED or cell.fault != "wrong_baud":
        yield not heard(cell.name, cell.later), "something came all the same"
    if cell.fault == "silence" and cell.name not in NO_SAMPLES:
        moved = abs(sum(cell.judged.moved))
        yield (
            moved <= (ANSWER_SAMPLES if cell.name in ASKED else 3),
            f"the gap is {moved} samples too long or too short",
        )


def _exactly(cell):
    wanted = int(FAULTS[cell.fault].value)
    yield cell.judged.missing == wanted, f"{cell.judged.missing} samples missing, not {wanted}"
    moved = [-wanted] if cell.fault == "counter_jump" else []
    yield cell.judged.moved == moved, f"samples moved by {cell.judged.moved}"


def _anew(cell):
    if cell.name not in NO_SAMPLES:
        yield (
            cell.judged.missing > 0
            or cell.judged.anew > 0
            or cell.fault
            not in (
                "unplug",
                "ble_drop",
            ),
            "no gap",
        )


def _nothing_more(_cell):
    return ()


_CLAIMS = {
    UNTOUCHED: _untouched,
    TOLD: _told,
    AWAY: _away,
    EXACTLY: _exactly,
    REOPENED: _anew,
    RESTARTED: _anew,
    GAPS: _gaps,
}
