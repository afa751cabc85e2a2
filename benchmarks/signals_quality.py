"""The quality parts of benchmarks/signals.py: noisy told from clean, and good recordings accepted.

Noise is the electrode motion of the stress test on MIT-BIH: minutes 5-7, 9-11 and so on noisy, the rest
clean, scored in windows of 10 s. The area under the ROC curve is that of the lead's score. One record in
three is asked of peers, who take long.
"""

import numpy as np
import signals_adapters as ours
from scipy.stats import rankdata
from signals_data import bidmc, ludb, mitdb, oxiwear, sounds, with_noise
from signals_ecg import spoilt_spells
from signals_pictures import pictures
from signals_run import OURS

from chevet.signals.quality import ecg_quality, picture_quality, pleth_quality, sound_quality

DECIBELS = (6, 0, -6)


def auc(clean, noisy):
    """Chance that a clean window scores above a noisy one; ties count half."""
    ranks = rankdata(np.concatenate([clean, noisy]))
    return (ranks[: len(clean)].sum() - len(clean) * (len(clean) + 1) / 2) / (len(clean) * len(noisy))


def noisy(run):
    """Scores of clean and noisy windows, at each SNR and of all together."""
    tools = run.tools("quality")
    clean, spoilt = {n: [] for n in tools}, {(n, db): [] for n in tools for db in DECIBELS}
    for number, (_, x, rate, beats, _) in enumerate(mitdb()):
        spells = spoilt_spells(len(x), rate)
        windows = spells[: len(x) // (10 * rate) * 10 * rate].reshape(-1, 10 * rate).mean(axis=1)
        asked = [n for n in tools if n == OURS or number % 3 == 0]
        for name in asked:
            clean[name] += list(scores(run, name, x, rate, windows == 0))
        for db in DECIBELS:
            y = np.where(spells, with_noise(x, beats, rate, "em", db, number), x)
            for name in asked:
                spoilt[name, db] += list(scores(run, name, y, rate, windows == 1))
    rows = {}
    for db in DECIBELS:
        rows[f"AUC, {db} dB"] = {n: auc(clean[n], spoilt[n, db]) for n in tools}
    pooled = {n: np.concatenate([spoilt[n, db] for db in DECIBELS]) for n in tools}
    rows["AUC, 6 dB and below"] = {n: auc(clean[n], pooled[n]) for n in tools}
    both = {n: np.concatenate([spoilt[n, 6], spoilt[n, 0]]) for n in tools}
    rows["AUC, 6 and 0 dB"] = {n: auc(clean[n], both[n]) for n in tools}
    rows["windows, clean and noisy"] = {n: f"{len(clean[n])}, {len(pooled[n])}" for n in tools}
    run.kept["roc"] = {n: {f"{db} dB": (clean[n], spoilt[n, db]) for db in DECIBELS} for n in tools}
    return rows


def scores(run, name, x, rate, wanted):
    """Scores of the wanted windows of 10 s."""
    if name == OURS:
        step = 10 * rate
        parts = [x[i * step : (i + 1) * step] for i in np.flatnonzero(wanted)]
        return [ours.ecg_scores(part, rate)[0] for part in parts]
    answer, _ = run.peers.ask("quality", name, x, rate)
    return [] if answer is None else answer[wanted[: len(answer)]]


def accepted(_):
    """Share of good recordings called usable."""
    verdicts = {
        "LUDB, 12 leads, 10 s": (ecg_quality(x, r) for _, x, r, _ in ludb()),
        "CinC 2016 sounds": (sound_quality(x, r) for _, x, r in sounds("cinc2016")),
        "CirCor sounds": (sound_quality(x, r) for _, x, r in sounds("circor")),
        "BIDMC pleth, 8 s": (
            pleth_quality(f["ppg"][s : s + 1000].astype(float), 125)
            for _, f in bidmc()
            for s in range(0, 59000, 6000)
        ),
        "OxiWear finger sensor, 2-7 s": (pleth_quality(-x, r) for _, x, r, _ in oxiwear()),
        "ear pictures": (picture_quality(image) for _, image in pictures()),
    }
    usable = {name: [quality.usable for quality in each] for name, each in verdicts.items()}
    rows = {f"{name} %": 100 * float(np.mean(each)) for name, each in usable.items()}
    return rows | {"all of these %": 100 * float(np.mean(np.concatenate(list(usable.values()))))}
