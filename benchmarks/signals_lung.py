"""Lung sounds: draft marks against ICBHI's cycles, and how much of a heart is taken out of a lung sound.

    PYTHONPATH=edge python benchmarks/signals_lung.py

A cycle counts as marked with a wheeze if the marks in it last 0.1 s or more, with crackles if it holds
two or more. One patient only, who speaks a good part of the time, and whose marks cannot all be heard:
the share of unmarked breaths that are marked counts most. Wheezes (1.4 of the breath's deviation, 0.3 s)
and crackles (8 times, 3 ms) made by computation are added between the words. Separation: real heart
sounds (25-400 Hz) added to real lung sounds (60-1500 Hz), scale-invariant signal-to-distortion ratio (Le
Roux et al. 2019) of the lung before and after.
"""

import sys

import numpy as np
from scipy import ndimage, signal
from signals_data import DATA, sounds

from chevet.signals import heart_sound
from chevet.signals.filters import band_passed
from chevet.signals.lung_sound import lung_marks, without_heart
from chevet.signals.sound_voice import ridges, voiced

KINDS = ("wheeze", "crackle")
QUIET_HEARTS = ("e00087", "e00406", "e00644", "e01472", "e01952", "d0007")


def si_sdr(estimate, target):
    estimate, target = estimate - estimate.mean(), target - target.mean()
    part = (estimate @ target) / (target @ target) * target
    return 10 * np.log10((part @ part) / max((estimate - part) @ (estimate - part), 1e-30))


def cycles():
    """Yield (start, end, crackles, wheezes, marks) of every annotated breath."""
    for path, x, rate in sounds("../lung/icbhi"):
        marks = lung_marks(x, rate, KINDS)
        for start, end, crackles, wheezes in np.loadtxt(path.with_suffix(".txt"), ndmin=2):
            inside = [m for m in marks if m.start_s < end and m.end_s > start]
            yield bool(crackles), bool(wheezes), inside


def share(rows):
    return f"{100 * np.mean(rows):.0f} % of {len(rows)}" if rows else "none there"


def made(rng):
    """Marks found of wheezes and crackles added to real breath between the words, and of none."""
    hits = {"wheeze": [], "crackle": []}
    for _, x, rate in sounds("../lung/icbhi"):
        seen = ridges(x, rate)
        spoken = ndimage.binary_dilation(voiced(seen), iterations=20)
        quiet = [t for t in seen.times_s[~spoken] if 0.5 < t < len(x) / rate - 1]
        loud = np.std(band_passed(x, rate, 100, 1000))
        for at in rng.choice(quiet, 6, replace=False):
            t = np.arange(int(0.3 * rate)) / rate
            tone = np.sin(2 * np.pi * rng.uniform(200, 800) * t) * np.hanning(len(t))
            burst = np.sin(2 * np.pi * rng.uniform(200, 600) * t[: int(0.02 * rate)])
            burst *= np.exp(-t[: len(burst)] / 0.003)
            for kind, sound in (("wheeze", tone * 1.4), ("crackle", burst * 8)):
                y = x.copy()
                y[int(at * rate) : int(at * rate) + len(sound)] += loud * sound
                hits[kind].append(
                    any(
                        m.kind == kind and at - 0.05 < m.start_s < at + 0.3
                        for m in lung_marks(y, rate, KINDS)
                    )
                )
    return {f"made {kind}: found": share(rows) for kind, rows in hits.items()}


def figures():
    """The part of benchmarks/signals.py."""
    wheeze, crackle = {True: [], False: []}, {True: [], False: []}
    for crackles, wheezes, marks in cycles():
        long = sum(m.end_s - m.start_s for m in marks if m.kind == "wheeze")
        wheeze[wheezes].append(long >= 0.1)
        crackle[crackles].append(sum(m.kind == "crackle" for m in marks) >= 2)
    found = {
        "wheeze: marked of cycles with it": share(wheeze[True]),
        "wheeze: marked of cycles without": share(wheeze[False]),
        "crackles: marked of cycles with them": share(crackle[True]),
        "crackles: marked of cycles without": share(crackle[False]),
    }
    found |= made(np.random.default_rng(2))
    hearts = [signal.resample_poly(x, 2, 1) for p, x, r in sounds("cinc2016") if p.stem in QUIET_HEARTS]
    lungs = [band_passed(x, 4000, 60, 1500) for _, x, _ in sounds("../lung/icbhi")]
    for ratio_db in (10, 0):
        before, after = [], []
        for heart in hearts:
            for lung in lungs:
                n = min(len(heart), len(lung))
                a, b = band_passed(heart[:n], 4000, 25, 400), lung[:n]
                a = a * np.std(b) / np.std(a) * 10 ** (ratio_db / 20)
                apart, _ = without_heart(a + b, 4000, heart_sound.segment(a + b, 4000))
                before.append(si_sdr(a + b, b))
                after.append(si_sdr(apart, b))
        found[f"heart {ratio_db} dB above lung: SI-SDR of lung"] = (
            f"{np.mean(before):.1f} to {np.mean(after):.1f} dB ({len(after)} mixtures)"
        )
    return found


def main():
    if not DATA.is_dir():
        sys.exit(f"skipped: {DATA} is not there")
    for label, value in figures().items():
        print(f"{label:50s} {value}")


if __name__ == "__main__":
    main()
