"""The pleth parts of benchmarks/signals.py: pulses and rates of BIDMC, breathing, SpO2; each beside peers.

The true pulses are the beats of the simultaneous ECG (our QRS) after the patient's own pulse delay. A rate of
a peer is 60 over its median interval in each window of 30 s, 0 where there are fewer than two intervals,
and is compared with the monitor's pulse; so is ours, and beside it what `pulse_rate` tells, which abstains.
"""

import numpy as np
from signals_data import bidmc, f1, matched, oxiwear
from signals_ecg import asked, turned, whole
from signals_fit_pulses import delay_of, ecg_beats
from signals_run import OURS

from chevet.signals import pleth

RATE = 125
WORST = 4


def monitored(file):
    """Yield (start s, monitor's pulse) of every window of 30 s in which it gave one."""
    for second in range(0, 450, 30):
        monitor = np.nanmedian(file["num_pulse"][second : second + 30])
        if monitor > 0:
            yield second, float(monitor)


def pulses(run):
    """Pulses within 150 ms and rates in 30 s."""
    names = run.tools("pulses")
    counts = {name: np.zeros(3, dtype=int) for name in names}
    away, told = {name: [] for name in names}, []
    spent, seconds, worst = dict.fromkeys(names, 0.0), 0.0, []
    for patient, file in bidmc():
        x, beats, windows = file["ppg"].astype(float), ecg_beats(file), list(monitored(file))
        seconds += len(x) / RATE
        for name in names:
            found, cpu = asked(run, "pulses", name, pleth.detect_pulses, x, RATE)
            found, spent[name] = whole(found, len(x)), spent[name] + cpu
            due = beats + (delay_of(beats, found) if len(found) else 0)
            due = due[due < len(x)]  # the pulse of the last beat comes after the end
            pairs, missed, extra = matched(due, found, 0.15 * RATE)
            counts[name] += (len(pairs), missed, extra)
            away[name] += [interval_rate(found, s) - monitor for s, monitor in windows]
            if name == OURS and missed + extra:
                worst.append(worst_piece(patient, x, due, found))
        rates = [(pleth.pulse_rate(x[s * RATE : (s + 30) * RATE], RATE), monitor) for s, monitor in windows]
        told += [np.nan if rate is None else rate - monitor for rate, monitor in rates]
    run.kept["pulse rate against the monitor, bpm"] = {n: np.array(v) for n, v in away.items()} | {
        "chevet pulse_rate": np.array(told)[np.isfinite(told)]
    }
    run.kept["worst pleth"] = sorted(worst, key=lambda w: -w["count"])[:WORST]
    rows = {
        name: {
            "F1 150 ms %": 100 * f1(*counts[name]),
            "rate of all windows: MAE bpm": float(np.mean(np.abs(away[name]))),
            "x real time": seconds / spent[name],
        }
        for name in names
    }
    return turned(rows) | {
        "pulse_rate MAE bpm": float(np.nanmean(np.abs(told))),
        "pulse_rate coverage %": 100 * float(np.mean(np.isfinite(told))),
    }


def interval_rate(found, second):
    inside = found[(found >= second * RATE) & (found < (second + 30) * RATE)]
    return 60 * RATE / np.median(np.diff(inside)) if len(inside) > 2 else 0.0


def worst_piece(patient, x, due, found):
    """The 15 s in which most pulses are missed or too much."""
    pairs, _, _ = matched(due, found, 0.15 * RATE)
    wrong = np.concatenate([np.delete(due, [i for i, _ in pairs]), np.delete(found, [j for _, j in pairs])])
    start = int(np.bincount(wrong.astype(int) // (15 * RATE)).argmax()) * 15 * RATE
    near = [v[(v >= start) & (v < start + 15 * RATE)] - start for v in (due, found)]
    return {"record": patient, "count": len(wrong), "x": x[start : start + 15 * RATE], "rate": RATE,
            "start_s": start / RATE, "beats": near[0], "found": near[1]}  # fmt: skip


def breathing(run):
    """Breaths per minute in 32 s, where two readers counted within 2 /min of each other."""
    names = run.tools("breathing")
    away = {name: [] for name in names}
    for _, file in bidmc():
        x = file["ppg"].astype(float)
        for start in range(0, 449 * RATE, 32 * RATE):
            inside = [v[(v >= start) & (v < start + 32 * RATE)] for v in (file["breaths1"], file["breaths2"])]
            counted = [60 * RATE / np.mean(np.diff(v)) if len(v) > 2 else np.nan for v in inside]
            if not np.all(np.isfinite(counted)) or abs(counted[0] - counted[1]) > 2:
                continue
            part = x[start : start + 32 * RATE]
            for name in names:
                found = told_breaths(run, name, part)
                away[name].append(found - np.mean(counted))
    run.kept["breathing against two readers, /min"] = {
        n: np.array(v)[np.isfinite(v)] for n, v in away.items()
    }
    return turned({
        name: {
            "MAE /min": float(np.nanmean(np.abs(v))),
            "median error /min": float(np.nanmedian(np.abs(v))),
            "coverage %": 100 * float(np.mean(np.isfinite(v))),
        }
        for name, v in away.items()
    })  # fmt: skip


def told_breaths(run, name, part):
    if name == OURS:
        rate = pleth.respiration_rate(part, RATE)
        return np.nan if rate is None else rate
    answer, _ = run.peers.ask("breathing", name, part, RATE)
    return np.nan if answer is None else float(answer)


def spo2(run):
    """Each tool's number against the value in the file's name, after the best straight line."""
    names = run.tools("spo2")
    pairs = {name: [] for name in names}
    for red, infrared, rate, truth in oxiwear():
        for name in names:
            given = (red, infrared, rate)
            found = pleth.spo2(*given) if name == OURS else run.peers.ask("spo2", name, *given)[0]
            pairs[name].append((np.nan if found is None else found, truth))
    rows = {}
    for name, values in pairs.items():
        found, truth = np.array([v for v in values if np.isfinite(v[0])]).T
        left = truth - np.polyval(np.polyfit(found, truth, 1), found)
        run.kept["SpO2 after the line, %"][name] = -left
        rows[name] = {"RMSE %, line refitted": float(np.std(left)), "recordings": float(len(found))}
    return turned(rows)
