"""Print the figures of chevet.signals on the developer data (../shared/data), and write them as JSON.

    python benchmarks/signals.py                     # everything, about four minutes on one core
    python benchmarks/signals.py qrs waves           # some parts
    python benchmarks/signals.py --json figures.json

Parts: qrs, stream, waves, swaps, faults, sound, heart, lung, pleth, peers, pictures, live, quality.
Times are CPU time of this process.
"""

import argparse
import json
import sys
import time

import numpy as np
import signals_adapters as ours
import signals_heart
import signals_live
import signals_lung
import signals_pictures
import signals_pleth_peers
from signals_data import DATA, bidmc, f1, in_vf, ludb, matched, mitdb, oxiwear, sounds
from signals_faults import fault_table
from signals_swaps import swap_table

from chevet.signals import ecg, heart_sound, pleth
from chevet.signals.quality import ecg_quality, pleth_quality, sound_quality


def qrs(streaming=False, seconds=None):
    hits = missed = extra = 0
    offsets, cpu, signal_s = [], 0.0, 0.0
    for _, x, rate, beats, vf in mitdb():
        x = x[: seconds * rate] if seconds else x
        beats = beats[beats < len(x)]
        start = time.process_time()
        found = _streamed(x, rate) if streaming else ecg.detect_qrs(x, rate)
        cpu += time.process_time() - start
        signal_s += len(x) / rate
        beats, found = beats[~in_vf(beats, vf, rate)], found[~in_vf(found, vf, rate)]
        pairs, lost, wrong = matched(beats, found, 0.15 * rate)
        hits, missed, extra = hits + len(pairs), missed + lost, extra + wrong
        offsets += [(found[j] - beats[i]) * 1000 / rate for i, j in pairs]
    away = np.array(offsets) - np.median(offsets)
    return {
        "F1 150 ms %": 100 * f1(hits, missed, extra),
        "missed": missed,
        "extra": extra,
        "R jitter RMS ms": float(np.sqrt(np.mean(away**2))),
        "x real time": signal_s / cpu,
    }


def _streamed(x, rate):
    detector = ecg.QrsDetector(rate)
    step = int(0.1 * rate)
    parts = [detector.feed(x[s : s + step]) for s in range(0, len(x), step)]
    return np.concatenate([*parts, detector.flush()])


def waves():
    tally, cpu, count = {}, 0.0, 0
    for _, leads, rate, marks in ludb():
        start = time.process_time()
        found = ours.delineate12(leads.T, rate)
        cpu, count = cpu + time.process_time() - start, count + 1
        known = [m for (lead, _), values in marks.items() if lead == "ii" for m in values]
        low, high = min(known) - 0.05 * rate, max(known) + 0.05 * rate
        for name, values in found.items():
            reference = sorted(marks.get(("ii", name), []))
            inside = np.sort(values[(values >= low) & (values <= high)])
            pairs, lost, wrong = matched(reference, inside, 0.15 * rate)
            row = tally.setdefault(name, [0, 0, 0, []])
            row[0], row[1], row[2] = row[0] + len(pairs), row[1] + lost, row[2] + wrong
            row[3] += [(inside[j] - reference[i]) * 1000 / rate for i, j in pairs]
    table = {
        k: f"F1 {100 * f1(a, b, c):.2f} %, {np.mean(e):+.1f} +- {np.std(e):.1f} ms"
        for k, (a, b, c, e) in tally.items()
    }
    return table | {"x real time": 10 * count / cpu}


def sound():
    away = []
    with (DATA / "pcg" / "cinc2016" / "reference.csv").open() as file:
        header, *rows = [line.strip().split(",") for line in file]
    beats = {
        row[0]: (int(row[header.index("beats")]), float(row[header.index("duration_s")])) for row in rows
    }
    for path, x, rate in sounds("cinc2016"):
        count, seconds = beats[path.stem]
        if count >= 4:
            away.append(abs((heart_sound.heart_rate(x, rate) or 0) - 60 * count / seconds))
    hits = missed = extra = 0
    for path, x, rate in sounds("circor"):
        states = np.loadtxt(path.with_suffix(".tsv"), ndmin=2)
        states = states[states[:, 2] > 0]
        for onsets, code in zip(ours.sound_onsets(x, rate), (1, 3), strict=True):
            at = onsets / rate
            inside = np.any((at[:, None] >= states[:, 0] - 0.1) & (at[:, None] <= states[:, 1]), axis=1)
            pairs, lost, wrong = matched(states[states[:, 2] == code, 0], at[inside], 0.1)
            hits, missed, extra = hits + len(pairs), missed + lost, extra + wrong
    return {
        "S1/S2 F1 100 ms % (6 recordings of 2 children)": 100 * f1(hits, missed, extra),
        "heart rate within 5 bpm % (None counts as wrong)": 100 * float(np.mean(np.array(away) <= 5)),
        "heart rate MAE bpm": float(np.mean(away)),
    }


def pulses():
    rate_away, breath_away, asked, windows = [], [], 0, 0
    for _, file in bidmc():
        x = file["ppg"].astype(float)
        for start in range(0, 450, 30):
            monitor = np.nanmedian(file["num_pulse"][start : start + 30])
            if monitor > 0:
                windows += 1
                rate = pleth.pulse_rate(x[start * 125 : (start + 30) * 125], 125)
                rate_away += [] if rate is None else [abs(rate - monitor)]
        for start in range(0, 449 * 125, 32 * 125):
            inside = [v[(v >= start) & (v < start + 4000)] for v in (file["breaths1"], file["breaths2"])]
            counted = [60 * 125 / np.mean(np.diff(v)) if len(v) > 2 else np.nan for v in inside]
            if np.all(np.isfinite(counted)) and abs(counted[0] - counted[1]) <= 2:
                asked += 1
                found = pleth.respiration_rate(x[start : start + 4000], 125)
                breath_away += [] if found is None else [abs(found - np.mean(counted))]
    pairs = np.array([(pleth.spo2(r, i, f) or np.nan, truth) for r, i, f, truth in oxiwear()])
    line = np.polyfit(pairs[:, 0], pairs[:, 1], 1)
    return {
        "pulse rate MAE bpm (30 s)": float(np.mean(rate_away)),
        "pulse rate coverage %": 100 * len(rate_away) / windows,
        "respiration MAE /min": float(np.mean(breath_away)),
        "respiration coverage %": 100 * len(breath_away) / asked,
        "SpO2 RMSE %, line refitted": float(np.std(pairs[:, 1] - np.polyval(line, pairs[:, 0]))),
    }


def quality():
    good = {
        "LUDB 12 leads 10 s": [ecg_quality(x, r) for _, x, r, _ in ludb()],
        "CinC 2016 sounds": [sound_quality(x, r) for _, x, r in sounds("cinc2016")],
        "CirCor sounds": [sound_quality(x, r) for _, x, r in sounds("circor")],
        "BIDMC pleth 8 s": [
            pleth_quality(f["ppg"][s : s + 1000].astype(float), 125)
            for _, f in bidmc()
            for s in range(0, 59000, 6000)
        ],
    }
    return {
        f"accepted % {name}": 100 * float(np.mean([q.usable for q in verdicts]))
        for name, verdicts in good.items()
    }


PARTS = {
    "qrs": qrs,
    "stream": lambda: qrs(streaming=True, seconds=300),
    "waves": waves,
    "swaps": swap_table,
    "faults": fault_table,
    "sound": sound,
    "heart": signals_heart.figures,
    "lung": signals_lung.figures,
    "pleth": pulses,
    "peers": signals_pleth_peers.figures,
    "pictures": signals_pictures.figures,
    "live": signals_live.figures,
    "quality": quality,
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", help="which parts; all when none is named")
    parser.add_argument("--json", help="write the figures to this file")
    args = parser.parse_args()
    unknown = set(args.parts) - set(PARTS)
    if unknown:
        parser.error(f"no part {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    if not DATA.is_dir():
        print(f"skipped: the developer data are not at {DATA}")
        return
    figures = {}
    for name in args.parts or PARTS:
        print(f"== {name}", file=sys.stderr, flush=True)
        figures[name] = PARTS[name]()
        for label, value in figures[name].items():
            print(f"{name:9s} {label:50s} {value if isinstance(value, str) else f'{value:.3f}'}", flush=True)
    if args.json:
        with open(args.json, "w") as file:  # noqa: PTH123
            json.dump(figures, file, indent=1)


if __name__ == "__main__":
    main()
