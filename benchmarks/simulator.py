"""Print the tables of docs/simulator.md: simulated patients beside real recordings, and what detectors find.

    python benchmarks/simulator.py                # everything, about three minutes on one core
    python benchmarks/simulator.py ecg sound      # some parts

Parts: ecg, sound, lungs, pleth, detectors, speed. Real recordings: ../shared/data beside the project, see
docs/signals.md. Numbers are median (10th to 90th percentile).
"""

import argparse
import time
import wave
from itertools import pairwise

import numpy as np
from signals_data import DATA, bidmc, f1, ludb, matched, sounds

from chevet.signals import ecg, heart_sound, pleth
from chevet.sim.patient import Patient
from chevet.sim.patient_conditions import CONDITIONS

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
HEART_BANDS = ((25, 50), (50, 100), (100, 200), (200, 400), (400, 900))
LUNG_BANDS = ((60, 100), (100, 200), (200, 400), (400, 800), (800, 1600))
ECG_BANDS = ((0.7, 5), (5, 15), (15, 40), (40, 150))
RHYTHM = "Rhythm: Sinus rhythm"
AXES = {f"Electric axis of the heart: {axis}" for axis in ("normal", "vertical", "horizontal")}


def told(values, digits=0):
    found = np.array([value for value in values if value is not None and np.isfinite(value)])
    if not len(found):
        return "-"
    low, middle, high = np.percentile(found, [10, 50, 90])
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f}) n={len(found)}"


def row(name, real, simulated, digits=0):
    print(f"| {name} | {told(real, digits)} | {told(simulated, digits)} |", flush=True)


def shares(x, rate, bands):
    power = np.abs(np.fft.rfft((x - x.mean()) * np.hanning(len(x)))) ** 2
    hz = np.fft.rfftfreq(len(x), 1 / rate)
    parts = np.array([power[(hz >= low) & (hz < high)].sum() for low, high in bands])
    return parts / parts.sum()


def plain_ludb():
    """Yield the leads of records whose header tells sinus rhythm, a usual axis and nothing else."""
    for record, leads, _, _ in ludb():
        lines = (DATA / "ecg" / "ludb" / f"{record}.hea").read_text().splitlines()
        start = lines.index("#<diagnoses>:")
        found = {line[1:].strip().rstrip(".") for line in lines[start + 1 :] if line.strip("# ")}
        if RHYTHM in found and found - {RHYTHM} <= AXES:
            yield leads


def measured(leads):
    got = ecg.measure(leads, 500, LEADS)
    numbers = {
        name: getattr(got, name).value
        for name in ("heart_rate", "pr", "qrs", "qt", "qtc_fridericia", "qrs_axis", "t_axis")
    }
    beats = ecg.beats_of(leads, 500, LEADS)
    cut = [leads[:, at - 150 : at + 225] for at in beats if at >= 150 and at + 225 <= leads.shape[1]]
    beat = np.median(cut, axis=0)
    beat = beat - np.median(beat[:, 105:120], axis=1, keepdims=True)
    qrs, t = beat[:, 120:185], beat[:, 200:]
    for lead in ("II", "V1", "V2", "V3", "V4", "V5", "V6"):
        at = LEADS.index(lead)
        numbers[f"R {lead}"], numbers[f"S {lead}"] = qrs[at].max(), qrs[at].min()
        numbers[f"T {lead}"] = t[at][np.argmax(np.abs(t[at]))]
    for (low, high), share in zip(ECG_BANDS, shares(leads[1], 500, ECG_BANDS), strict=True):
        numbers[f"II {low}-{high} Hz %"] = 100 * share
    return numbers


def part_ecg():
    real = [measured(leads) for leads in plain_ludb()]
    simulated = [measured(Patient(seed).ecg(5, 10)) for seed in range(24)]
    print("\n| normal 12-lead ECG | LUDB | simulated |\n|---|---|---|")
    for name in real[0]:
        digits = 2 if name[:2] in ("R ", "S ", "T ") else 1 if name.endswith("%") else 0
        row(name, [one[name] for one in real], [one[name] for one in simulated], digits)


def part_sound():
    classes = {}
    for line in (DATA / "pcg" / "cinc2016" / "reference.csv").read_text().splitlines()[1:]:
        words = line.split(",")
        classes[words[0]] = words[2].strip()
    real = [
        10 * np.log10(shares(x, rate, HEART_BANDS))
        for path, x, rate in sounds("cinc2016")
        if classes.get(path.stem) == "-1"
    ]
    simulated = [10 * np.log10(shares(Patient(s).heart_sound(5, 20), 4000, HEART_BANDS)) for s in range(10)]
    _bands("heart sound dB", "CinC 2016, normal", HEART_BANDS, real, simulated)


def part_lungs():
    real = []
    for path in sorted((DATA / "lung" / "icbhi").glob("*.wav")):
        with wave.open(str(path)) as file:
            x = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
            real.append(10 * np.log10(shares(x, file.getframerate(), LUNG_BANDS)))
    simulated = [10 * np.log10(shares(Patient(s).lung_sound(5, 20), 4000, LUNG_BANDS)) for s in range(10)]
    _bands("lung sound dB", "ICBHI, one patient", LUNG_BANDS, real, simulated)


def _bands(title, source, bands, real, simulated):
    print(f"\n| {title} | {source} | simulated |\n|---|---|---|")
    for place, (low, high) in enumerate(bands):
        row(f"{low}-{high} Hz", [one[place] for one in real], [one[place] for one in simulated], 1)


def pulse_shape(x, rate):
    feet = []
    for start, stop in pairwise(pleth.detect_pulses(x, rate)):
        if 0.4 * rate < stop - start < 1.8 * rate:
            feet.append(start + int(np.argmin(x[start:stop])))
    rises, wide = [], []
    for start, stop in pairwise(feet):
        if not 0.4 * rate < stop - start < 1.8 * rate:
            continue
        cycle = x[start:stop] - x[start]
        rises.append(100 * np.argmax(cycle) / len(cycle))
        wide.append(100 * np.mean(cycle > 0.5 * cycle.max()))
    return (np.median(rises), np.median(wide)) if rises else (np.nan, np.nan)


def part_pleth():
    real = [pulse_shape(arrays["ppg"][: 125 * 60].astype(float), 125) for _, arrays in bidmc()]
    simulated = [pulse_shape(Patient(seed).pulse_wave(5, 60, 125), 125) for seed in range(10)]
    print("\n| pleth | BIDMC, intensive care | simulated |\n|---|---|---|")
    row("rise, % of a cycle", [one[0] for one in real], [one[0] for one in simulated])
    row("above half height, %", [one[1] for one in real], [one[1] for one in simulated])


def part_detectors():
    print("\n| condition | QRS F1 % | rate from sound, error /min | pulses F1 % |\n|---|---|---|---|")
    for name in CONDITIONS:
        counts, pulses, errors = np.zeros(3), np.zeros(3), []
        for seed in range(10):
            patient = Patient(seed, name)
            true = patient.truth(5, 60)
            leads = patient.ecg(5, 60)
            found = ecg.beats_of(leads, 500, LEADS)
            pairs, missed, extra = matched((true.beats - 5) * 500, found, 75)
            counts += len(pairs), missed, extra
            wave_ = patient.pulse_wave(5, 60, 125)
            pairs, missed, extra = matched((true.pulses - 5) * 125, pleth.detect_pulses(wave_, 125), 31)
            pulses += len(pairs), missed, extra
            rate = heart_sound.heart_rate(patient.heart_sound(5, 20), 4000)
            errors.append(abs(rate - patient.truth(5, 20).heart_rate_per_min) if rate else np.nan)
        line = f"| {name} | {100 * f1(*counts):.2f} | {np.nanmax(errors):.1f} | {100 * f1(*pulses):.2f} |"
        print(line, flush=True)


def part_speed():
    print("\n| signal, 10 s of a fresh patient | CPU ms |\n|---|---|")
    for name, call in (
        ("twelve leads, 500 Hz", lambda p: p.ecg(0, 10)),
        ("heart sound, 4 kHz", lambda p: p.heart_sound(0, 10)),
        ("lung sound, 4 kHz", lambda p: p.lung_sound(0, 10)),
        ("red and infrared light", lambda p: p.pleth(0, 10)),
    ):
        spent = []
        for seed in range(7):
            patient, began = Patient(seed), time.process_time()
            call(patient)
            spent.append(1000 * (time.process_time() - began))
        print(f"| {name} | {np.median(spent):.0f} |")


PARTS = {
    "ecg": part_ecg,
    "sound": part_sound,
    "lungs": part_lungs,
    "pleth": part_pleth,
    "detectors": part_detectors,
    "speed": part_speed,
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", default=list(PARTS), metavar="PART")
    for part in parser.parse_args().parts:
        PARTS[part]()


if __name__ == "__main__":
    main()
