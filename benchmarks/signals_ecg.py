"""The ECG parts of benchmarks/signals.py: beats (clean, in noise, live), waves, display filters."""

import time

import numpy as np
import signals_adapters as ours
from signals_data import f1, in_vf, ludb, matched, mitdb, with_noise
from signals_run import OURS

from chevet.signals import ecg
from chevet.signals.filters import LiveEcgFilter, ecg_display

CALM = ("101", "106", "112", "115", "118", "122", "124", "209", "220", "223")  # those of bench_nst.py
MARKS = tuple(f"{wave}_{end}" for wave in ("P", "QRS", "T") for end in ("on", "peak", "off"))
WORST = 4


def asked(run, task, name, way, *given):
    """Return an answer and its CPU seconds, of ours by `way` or of a peer; None becomes nothing found."""
    if name != OURS:
        answer, cpu = run.peers.ask(task, name, *given)
        return (np.array([], dtype=int) if answer is None else answer), cpu
    start = time.process_time()
    answer = way(*given)
    return answer, time.process_time() - start


def whole(found, n):
    found = np.unique(np.asarray(found, dtype=float).astype(int)) if len(found) else np.array([], dtype=int)
    return found[(found >= 0) & (found < n)]


class Score:
    """Hits, misses and extras of one tool over all records, with the offsets of its beats."""

    def __init__(self):
        self.counts = {0.15: np.zeros(3, dtype=int), 0.05: np.zeros(3, dtype=int)}
        self.offsets_ms, self.cpu_s, self.signal_s = [], 0.0, 0.0

    def add(self, beats, found, rate):
        """Count one record; returns the samples of what was missed or too much at 150 ms."""
        for within, total in self.counts.items():
            pairs, missed, extra = matched(beats, found, within * rate)
            total += (len(pairs), missed, extra)
            if within == 0.15:
                self.offsets_ms += [(found[j] - beats[i]) * 1000 / rate for i, j in pairs]
                lost = np.delete(beats, [i for i, _ in pairs])
                wrong = np.delete(found, [j for _, j in pairs])
        return np.concatenate([lost, wrong])

    def rows(self):
        """Return label to figure."""
        away = np.array(self.offsets_ms) - np.median(self.offsets_ms or [0.0])
        return {
            "F1 150 ms %": 100 * f1(*self.counts[0.15]),
            "F1 50 ms %": 100 * f1(*self.counts[0.05]),
            "missed": float(self.counts[0.15][1]),
            "extra": float(self.counts[0.15][2]),
            "R jitter RMS ms": float(np.sqrt(np.mean(away**2))) if len(away) else np.nan,
            "x real time": self.signal_s / max(self.cpu_s, 1e-9),
        }


def turned(by_tool):
    """Turn {tool: {label: value}} into {label: {tool: value}}."""
    labels = next(iter(by_tool.values()))
    return {label: {tool: rows[label] for tool, rows in by_tool.items()} for label in labels}


def qrs(run):
    """Beats of MIT-BIH, channel 1, whole records, ventricular flutter left out."""
    scores = {name: Score() for name in run.tools("qrs")}
    worst = []
    for record, x, rate, beats, vf in mitdb():
        steady = beats[~in_vf(beats, vf, rate)]
        for name, score in scores.items():
            found, cpu = asked(run, "qrs", name, ecg.detect_qrs, x, rate)
            found = whole(found, len(x))
            found = found[~in_vf(found, vf, rate)]
            score.cpu_s, score.signal_s = score.cpu_s + cpu, score.signal_s + len(x) / rate
            wrong = score.add(steady, found, rate)
            if name == OURS and len(wrong):
                worst.append(worst_piece(record, x, rate, beats, found, wrong))
    run.kept["R against the mark, ms"] = {n: np.array(s.offsets_ms) for n, s in scores.items()}
    run.kept["worst ecg"] = sorted(worst, key=lambda w: -w["count"])[:WORST]
    return turned({name: score.rows() for name, score in scores.items()})


def worst_piece(record, x, rate, beats, found, wrong):
    """The 10 s of a record that hold most misses and extras."""
    counts = np.bincount(wrong // (10 * rate))
    start = int(counts.argmax()) * 10 * rate
    inside = slice(start, start + 10 * rate)
    near = [v[(v >= start) & (v < start + 10 * rate)] - start for v in (beats, found)]
    return {"record": record, "count": len(wrong), "x": x[inside], "rate": rate, "start_s": start / rate,
            "beats": near[0], "found": near[1]}  # fmt: skip


def noise(run):
    """Beats under electrode motion: noisy and calm spells of two minutes in turn after 5 min of quiet."""
    tools = [n for n in run.tools("qrs") if n not in ("xqrs", "heartpy")]
    decibels = (6, 0) if run.quick else (12, 6, 0, -6)
    totals = {(name, db): np.zeros(3, dtype=int) for name in tools for db in decibels}
    calm = [r for r in mitdb() if r[0] in CALM]
    for seed, (_, x, rate, beats, _) in enumerate(calm):
        spells = spoilt_spells(len(x), rate)
        for db in decibels:
            y = np.where(spells, with_noise(x, beats, rate, "em", db, seed), x)
            for name in tools:
                found = whole(asked(run, "qrs", name, ecg.detect_qrs, y, rate)[0], len(x))
                pairs, missed, extra = matched(beats[spells[beats]], found[spells[found]], 0.15 * rate)
                totals[name, db] += (len(pairs), missed, extra)
    rows = {f"F1 at {db} dB %": {n: 100 * f1(*totals[n, db]) for n in tools} for db in decibels}
    return {"records": ", ".join(r[0] for r in calm)} | rows


def spoilt_spells(n, rate):
    """Where the stress test's noise is: minutes 5-7, 9-11, ..."""
    second = np.arange(n) / rate - 300
    return (second >= 0) & (second % 240 < 120) & (second // 240 < (n / rate - 300 - 120) / 240)


def stream(run):
    """`QrsDetector` in blocks of 0.1 s: the same beats, and how late they come."""
    seconds = 300 if run.quick else None
    score, late = Score(), 0.0
    for _, x, rate, beats, vf in mitdb():
        x = x[: seconds * rate] if seconds else x
        beats = beats[beats < len(x)]
        start = time.process_time()
        found, delay = streamed(x, rate)
        score.cpu_s += time.process_time() - start
        score.signal_s += len(x) / rate
        late = max(late, delay)
        score.add(beats[~in_vf(beats, vf, rate)], found[~in_vf(found, vf, rate)], rate)
    part = "first 5 min of each record" if seconds else "whole records"
    return {"of": part} | score.rows() | {"longest delay s": late}


def streamed(x, rate):
    """Return the beats, and the longest time from a beat to the samples that told it.

    Counted to the first sample of the telling block: over many beats its largest value comes within a sample
    of the detector's own delay, without the wait for the block. The first seconds, whose beats are told all
    at once when the detector has learnt, are left out.
    """
    detector, step = ecg.QrsDetector(rate), int(0.1 * rate)
    parts, late = [], 0.0
    for start in range(0, len(x), step):
        parts.append(detector.feed(x[start : start + step]))
        if len(parts[-1]) and start > 10 * rate:
            late = max(late, (start - parts[-1].min()) / rate)
    return np.concatenate([*parts, detector.flush()]), late


def waves(run):
    """LUDB: twelve leads in, against the marks of lead II between its first and last mark."""
    ways = {name: {mark: [0, 0, 0, []] for mark in MARKS} for name in run.tools("waves")}
    spent, worst, count = dict.fromkeys(ways, 0.0), [], 0
    for record, leads, rate, marks in ludb():
        count += 1
        for name, table in ways.items():
            found, cpu = asked(run, "waves", name, lambda x, r: ours.delineate12(x.T, r), leads, rate)
            spent[name] += cpu
            away = count_marks(table, marks, found if len(found) else {}, rate)
            if name == OURS and away:
                worst.append((max(away), record, leads[1], rate, marks, found))
    for mark in ("P_on", "QRS_on", "QRS_off", "T_off"):
        run.kept[f"{mark.replace('_', ' ')} against lead II's mark, ms"] = {
            name: np.array(table[mark][3]) for name, table in ways.items()
        }
    run.kept["worst waves"] = sorted(worst, key=lambda w: -w[0])[:WORST]
    each = {
        name: wave_rows(table) | {"x real time": 10 * count / spent[name]} for name, table in ways.items()
    }
    return turned(each)


def count_marks(table, marks, found, rate):
    """Add one record; returns how far each mark of ours and theirs lie apart, ms."""
    known = [m for (lead, _), values in marks.items() if lead == "ii" for m in values]
    low, high = min(known) - 0.05 * rate, max(known) + 0.05 * rate
    away = []
    for mark, row in table.items():
        reference = sorted(marks.get(("ii", mark), []))
        values = np.sort(np.asarray(found.get(mark, []), dtype=float))
        inside = values[(values >= low) & (values <= high)]
        pairs, lost, wrong = matched(reference, inside, 0.15 * rate)
        row[0], row[1], row[2] = row[0] + len(pairs), row[1] + lost, row[2] + wrong
        errors = [(inside[j] - reference[i]) * 1000 / rate for i, j in pairs]
        row[3] += errors
        away += [abs(e) for e in errors]
    return away


def wave_rows(table):
    rows = {}
    for mark, (hits, lost, wrong, errors) in table.items():
        label = mark.replace("_", " ")
        rows |= {f"{label}: F1 %": 100 * f1(hits, lost, wrong), f"{label}: bias ms": float(np.mean(errors)),
                 f"{label}: SD ms": float(np.std(errors))}  # fmt: skip
    ends = ("QRS on", "QRS off", "T off")
    return rows | {"largest bias of QRS and T ends ms": max(abs(rows[f"{end}: bias ms"]) for end in ends)}


def filters(_):
    """The impulse of the standard: 3 mV for 100 ms; how deep the line falls below zero after it."""
    rate, rows = 500, {}
    x = np.zeros(20 * rate)
    x[10 * rate : 10 * rate + rate // 10] = 3.0
    after = slice(10 * rate + rate // 10 + rate // 20, None)
    rows["zero phase mV"] = -float(ecg_display(x, rate)[after].min())
    rows["live mV"] = -float(LiveEcgFilter(rate, 1).feed(x[None])[0, after].min())
    return {f"undershoot after 3 mV, 100 ms: {k}": v for k, v in rows.items()}
