"""What the quality engine says of faults: a confusion table over ECG, sound and pleth.

    PYTHONPATH=edge:hardware-sim:devices:firmware-bridge python benchmarks/signals_faults.py
    python benchmarks/signals_faults.py ecg pleth        # some of ecg, sound, pleth

Every fault is made on simulated patients and on real recordings ("made on real"). Where a real example of
the fault exists it is there by itself ("real"): electrodes that were moved and muscles that were tensed for
the noise stress test of MIT-BIH, a patient of ICBHI who talks. There is none of mains hum, saturation, a
sensor that lies on the table, friction and low perfusion among the developer data.
"""

import argparse
import sys
from collections import Counter

import numpy as np
from signals_data import DATA, bidmc, ludb, mitdb, oxiwear, sounds
from signals_faults_made import ECG_FAULTS, PLETH_FAULTS, SOUND_FAULTS, Case, real_noise

from chevet.signals.pleth import perfusion_index
from chevet.signals.quality import ecg_quality, pleth_quality, sound_quality
from chevet.sim.patient import Patient

ECG_CONDITIONS = ("normal", "child", "tachycardia", "bradycardia", "atrial-fibrillation", "left-bundle-block")
SOUND_CONDITIONS = ("normal", "child", "tachycardia", "bradycardia", "premature-beats")
REAL = 30


class Table:
    """Counts of what was said, by fault and source."""

    def __init__(self):
        self.rows = {}

    def note(self, fault, source, quality):
        """Count one verdict."""
        said = self.rows.setdefault((fault, source), [Counter(), 0, 0])
        said[0].update({reason.code for reason in quality.reasons} or {"no reason"})
        said[1] += quality.usable
        said[2] += 1

    def lines(self, wanted):
        """Yield label and words; the code a fault should get stands first."""
        for (fault, source), (said, usable, count) in self.rows.items():
            first = wanted.get(fault, ("no reason",))
            named = ", ".join(f"{code} {100 * said[code] / count:.0f} %" for code in first)
            rest = ", ".join(
                f"{code} {100 * n / count:.0f} %" for code, n in said.most_common() if code not in first
            )
            yield f"{fault}; {source}, {count}", f"{named} | usable {100 * usable / count:.0f} % | {rest}"


def ecg_table():
    rng, table = np.random.default_rng(0), Table()
    sets = [("simulated", Patient(seed, c).ecg(5.0, 10.0)) for c in ECG_CONDITIONS for seed in range(1, 4)]
    sets += [("made on real", x) for (_, x, _, _), _ in zip(ludb(), range(REAL), strict=False)]
    for source, x in sets:
        plain = "simulated" if source == "simulated" else "real"
        table.note("none", plain, ecg_quality(x, 500))
        for fault, (_, make) in ECG_FAULTS.items():
            table.note(fault, source, ecg_quality(make(Case(x, 500.0, rng)), 500))
    for name, fault in (("em2", "motion"), ("ma2", "tremor"), ("bw2", "baseline wander")):
        noise = real_noise(name, 360.0, None)
        for start in range(0, len(noise) - 3600 + 1, 1200):
            table.note(f"{fault}, electrodes alone", "real", ecg_quality(noise[start : start + 3600], 360))
    for _, x, rate, _, _ in mitdb():
        for start in range(0, len(x) - 10 * rate, 180 * rate):
            table.note(
                "none, ambulatory lead with ectopics", "real", ecg_quality(x[start : start + 10 * rate], rate)
            )
    return dict(table.lines({fault: codes for fault, (codes, _) in ECG_FAULTS.items()} | {
        "motion, electrodes alone": ("motion",), "tremor, electrodes alone": ("tremor",),
        "baseline wander, electrodes alone": ("baseline_wander",),
    }))  # fmt: skip


def sound_table():
    rng, table = np.random.default_rng(1), Table()
    sets = [
        ("simulated", Patient(seed, c).heart_sound(5.0, 8.0, site, 4000.0), 4000)
        for c in SOUND_CONDITIONS for seed, site in ((1, "A"), (2, "M"), (3, "P"))
    ]  # fmt: skip
    for folder in ("cinc2016", "circor"):
        sets += [("made on real", x[: 10 * rate], rate) for _, x, rate in sounds(folder)]
    for source, x, rate in sets:
        table.note("none", "simulated" if source == "simulated" else "real", sound_quality(x, rate))
        for fault, (_, make) in SOUND_FAULTS.items():
            table.note(fault, source, sound_quality(make(Case(x, float(rate), rng)), rate))
    for seed in range(1, 9):
        lungs = Patient(seed, "normal").lung_sound(3.0, 10.0, "Pr", 4000.0)
        table.note("none, lung", "simulated", sound_quality(lungs, 4000, heart=False))
    for _, x, rate in sounds("../lung/icbhi"):
        for start in range(0, len(x) - 5 * rate + 1, 5 * rate):
            quality = sound_quality(x[start : start + 5 * rate], rate, heart=False)
            table.note("lung of a patient who talks", "real", quality)
    wanted = {fault: codes for fault, (codes, _) in SOUND_FAULTS.items()}
    return dict(table.lines(wanted | {"lung of a patient who talks": ("room_noise",)}))


def pleth_table():
    rng, table = np.random.default_rng(2), Table()
    sets = [
        ("simulated", -Patient(seed, c).pleth(5.0, 8.0, 125.0)[1], 125)
        for c in ECG_CONDITIONS
        for seed in (1, 2, 3)
    ]
    for _, file in bidmc():
        sets += [("made on real", file["ppg"][s : s + 1000].astype(float), 125) for s in (6000, 30000)]
    for source, x, rate in sets:
        table.note("none", "simulated" if source == "simulated" else "real", pleth_quality(x, rate))
        for fault, (_, make) in PLETH_FAULTS.items():
            table.note(fault, source, pleth_quality(make(Case(x, float(rate), rng)), rate))
    for _, infrared, rate, _ in oxiwear():
        table.note("none, finger sensor in the air of altitude", "real", pleth_quality(-infrared, rate))
        cold = infrared.mean() + 0.05 * (infrared - infrared.mean())
        quality = pleth_quality(-cold, rate, perfusion_index(cold, rate))
        table.note("low perfusion, pulses a twentieth", "made on real", quality)
    for c in ECG_CONDITIONS:
        patient = Patient(4, c)
        light = patient.pleth(5.0, 8.0, 125.0)[1]
        cold = light.mean() + 0.05 * (light - light.mean())
        quality = pleth_quality(-cold, 125, perfusion_index(cold, 125))
        table.note("low perfusion, pulses a twentieth", "simulated", quality)
    wanted = {fault: codes for fault, (codes, _) in PLETH_FAULTS.items()}
    return dict(table.lines(wanted | {"low perfusion, pulses a twentieth": ("low_perfusion",)}))


TABLES = {"ecg": ecg_table, "sound": sound_table, "pleth": pleth_table}


def fault_table():
    """The part of benchmarks/signals.py."""
    return {f"{name}: {label}": words for name, make in TABLES.items() for label, words in make().items()}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("which", nargs="*", help=f"of {', '.join(TABLES)}; all when none is named")
    args = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"skipped: {DATA} is not there")
    for name in args.which or TABLES:
        for label, words in TABLES[name]().items():
            print(f"{name:6s} {label:58s} {words}", flush=True)


if __name__ == "__main__":
    main()
