"""Stored integer samples as a reader's numbers."""

import numpy as np
from numpy.typing import NDArray

from chevet.study.recording import Waveform

Floats = NDArray[np.float64]
STANDARD = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")

LIMB = {"III": (-1.0, 1.0), "aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0)}
"""Leads as shares of I and II (Einthoven, Goldberger): a front end with eight leads sends only those."""


def physical(wave: Waveform) -> Floats:
    """Return float64 [channels, samples] in the channels' units, NaN where nothing arrived."""
    gain = np.array([[channel.gain] for channel in wave.channels])
    offset = np.array([[channel.offset] for channel in wave.channels])
    values: Floats = wave.values * gain + offset
    for gap in wave.gaps:
        values[:, gap.first : gap.first + gap.count] = np.nan
    return values


def leads(wave: Waveform) -> tuple[tuple[str, ...], Floats]:
    """Return the names and rows of an ECG in mV, with the limb leads that are missing but follow exactly."""
    rows = dict(zip((channel.name for channel in wave.channels), physical(wave), strict=True))
    if {"I", "II"} <= rows.keys():
        derived = {name: a * rows["I"] + b * rows["II"] for name, (a, b) in LIMB.items()}
        rows |= {name: row for name, row in derived.items() if name not in rows}
    order = [name for name in STANDARD if name in rows] + [name for name in rows if name not in STANDARD]
    return tuple(order), np.array([rows[name] for name in order])
