"""Pulses beside open tools in one run: BIDMC, beats of the ECG (our QRS) within 150 ms, rates in 30 s.

    PYTHONPATH=edge python benchmarks/signals_pleth_peers.py

NeuroKit2 and HeartPy are used where they are installed, said skipped where not. The rate is 60 over the
median interval of each detector in each window against the monitor's pulse, 0 where there are fewer than two
intervals; ours is also given as `pulse_rate` tells it.
"""

import importlib.util
import sys
import time

import numpy as np
from signals_data import DATA, bidmc, f1, matched
from signals_fit_pulses import delay_of, ecg_beats

from chevet.signals import pleth


def neurokit(x, rate):
    import neurokit2

    return neurokit2.ppg_findpeaks(neurokit2.ppg_clean(x, rate), rate)["PPG_Peaks"]


def heartpy(x, rate):
    import heartpy

    found, _ = heartpy.process(heartpy.filter_signal(x, [0.5, 8], rate, 3, "bandpass"), rate)
    peaks = np.array(found["peaklist"])
    return peaks[np.array(found["binary_peaklist"]) == 1]


WAYS = {"chevet": pleth.detect_pulses, "neurokit2": neurokit, "heartpy": heartpy}


def figures():
    """The part of benchmarks/signals.py."""
    found = {}
    for name, way in WAYS.items():
        if name != "chevet" and importlib.util.find_spec(name) is None:
            found[name] = "skipped: not installed"
            continue
        total, away, cpu, seconds = np.zeros(3, dtype=int), [], 0.0, 0.0
        for _, file in bidmc():
            x = file["ppg"].astype(float)
            start = time.process_time()
            pulses = np.unique(np.asarray(way(x, 125), dtype=int))
            cpu, seconds = cpu + time.process_time() - start, seconds + len(x) / 125
            beats = ecg_beats(file)
            pairs, missed, extra = matched(beats + delay_of(beats, pulses), pulses, 0.15 * 125)
            total += (len(pairs), missed, extra)
            for second in range(0, 450, 30):
                monitor = np.nanmedian(file["num_pulse"][second : second + 30])
                inside = pulses[(pulses >= second * 125) & (pulses < (second + 30) * 125)]
                if monitor > 0:
                    away.append(abs(monitor - (7500 / np.median(np.diff(inside)) if len(inside) > 2 else 0)))
        found[f"{name} pulses"] = (
            f"F1 {100 * f1(*total):.2f} %, rate MAE {np.mean(away):.2f} bpm, {seconds / cpu:.0f} x real time"
        )
    return found | {"chevet pulse_rate": told()}


def told():
    asked, away = 0, []
    for _, file in bidmc():
        x = file["ppg"].astype(float)
        for second in range(0, 450, 30):
            monitor = np.nanmedian(file["num_pulse"][second : second + 30])
            if monitor > 0:
                asked += 1
                rate = pleth.pulse_rate(x[second * 125 : (second + 30) * 125], 125)
                away += [] if rate is None else [abs(rate - monitor)]
    covered = f"{100 * len(away) / asked:.0f} % coverage"
    return f"MAE {np.mean(away):.2f} bpm, median {np.median(away):.2f}, at {covered}"


def main():
    if not DATA.is_dir():
        sys.exit(f"skipped: {DATA} is not there")
    for label, value in figures().items():
        print(f"{label:24s} {value}")


if __name__ == "__main__":
    main()
