"""Heart sounds in the clear, a part of benchmarks/signals.py: S1/S2 of CirCor, rates of CinC 2016.

Onsets count within 100 ms inside the marked seconds. A rate is right within 5 bpm of beats over duration;
none told counts as wrong, as it does for a peer, whose rate is 60 over the median interval of its S1.
"""

import csv
import time

import numpy as np
import signals_adapters as ours
from signals_data import DATA, f1, matched, sounds
from signals_ecg import turned
from signals_run import OURS

from chevet.signals import heart_sound


def sound(run):
    """Onsets and rates of ours and of the envelope baseline."""
    names = run.tools("sound")
    rows = {name: {} for name in names}
    counts = {name: np.zeros(3, dtype=int) for name in names}
    spent, seconds, worst = dict.fromkeys(names, 0.0), 0.0, []
    for path, x, rate in sounds("circor"):
        states = np.loadtxt(path.with_suffix(".tsv"), ndmin=2)
        states, seconds = states[states[:, 2] > 0], seconds + len(x) / rate
        for name in names:
            onsets, cpu = told_onsets(run, name, x, rate)
            spent[name] += cpu
            one = count_onsets(states, onsets, rate)
            counts[name] += one
            if name == OURS:
                worst.append({"record": path.stem, "count": int(one[1] + one[2]), "x": x, "rate": rate,
                              "states": states, "onsets": onsets})  # fmt: skip
    run.kept["worst sound"] = sorted(worst, key=lambda w: -w["count"])[:2]
    away = rates_away(run, names)
    for name in names:
        off = np.abs(away[name])
        rows[name] = {
            "S1/S2 F1 100 ms %": 100 * f1(*counts[name]),
            "heart rate within 5 bpm %": 100 * float(np.mean(off <= 5)),
            "heart rate told %": 100 * float(np.mean(np.isfinite(off))),
            "heart rate MAE where told bpm": float(np.nanmean(off)),
            "x real time": seconds / spent[name],
        }
    run.kept["heart rate from sound, bpm off"] = {n: v[np.isfinite(v)] for n, v in away.items()}
    return turned(rows)


def told_onsets(run, name, x, rate):
    start = time.process_time()
    if name == OURS:
        return ours.sound_onsets(x, rate), time.process_time() - start
    answer, cpu = run.peers.ask("sound", name, x, rate)
    return (answer or (np.array([]), np.array([]))), cpu


def count_onsets(states, onsets, rate):
    total = np.zeros(3, dtype=int)
    for at, code in zip(onsets, (1, 3), strict=True):
        at = np.sort(np.asarray(at, dtype=float)) / rate
        inside = np.any((at[:, None] >= states[:, 0] - 0.1) & (at[:, None] <= states[:, 1]), axis=1)
        pairs, missed, extra = matched(states[states[:, 2] == code, 0], at[inside], 0.1)
        total += (len(pairs), missed, extra)
    return total


def rates_away(run, names):
    """Rate less the reference by tool, NaN where none was told; recordings of four beats or more."""
    with (DATA / "pcg" / "cinc2016" / "reference.csv").open() as file:
        true = {row["record"]: (int(row["beats"]), float(row["duration_s"])) for row in csv.DictReader(file)}
    away = {name: [] for name in names}
    for path, x, rate in sounds("cinc2016"):
        beats, lasted_s = true[path.stem]
        if beats < 4:
            continue
        for name in names:
            if name == OURS:
                found = heart_sound.heart_rate(x, rate)
            else:
                first = told_onsets(run, name, x, rate)[0][0]
                found = 60 * rate / np.median(np.diff(first)) if len(first) > 2 else None
            away[name].append(np.nan if found is None else found - 60 * beats / lasted_s)
    return {name: np.array(values, dtype=float) for name, values in away.items()}
