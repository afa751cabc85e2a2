"""Our functions in the shapes that outside measuring scripts call."""

import numpy as np

from chevet.signals import ecg, heart_sound, pleth, quality_ecg

OXIWEAR = (110.72, -32.08, 0.0)  # of that finger sensor alone, by signals_fit_spo2.py
_BENCH = {"p": "P", "qrs": "QRS", "t": "T"}


def delineate12(x, rate):
    """Take (samples, leads); return P_on .. T_off as sample indices, absent waves left out."""
    leads = np.atleast_2d(np.asarray(x, float).T)
    found = ecg.delineate(leads, rate, ecg.beats_of(leads, rate))
    return {
        f"{_BENCH[wave]}_{end}": (lambda v: v[v >= 0])(getattr(found, f"{wave}_{end}"))
        for wave in _BENCH
        for end in ("on", "peak", "off")
    }


def sound_onsets(x, rate):
    """Return the onsets of S1 and S2, samples."""
    states = heart_sound.segment(x, rate)
    starts = np.flatnonzero(np.diff(states, prepend=0) != 0)
    return starts[states[starts] == 1], starts[states[starts] == 3]


def ecg_scores(x, rate):
    """Return the lead's score for every 10 s."""
    step = 10 * int(rate)
    return [
        float(quality_ecg.lead_scores(x[None, s : s + step], rate)[0])
        for s in range(0, len(x) - step + 1, step)
    ]


def breaths(x, rate):
    """Return breaths per minute, NaN where the signal does not say."""
    told = pleth.respiration_rate(x, rate)
    return np.nan if told is None else told


def spo2_calibrated(red, infrared, rate):
    """Return SpO2 by the line of the OxiWear sensor, NaN where the channels do not pulse together."""
    told = pleth.spo2(red, infrared, rate, OXIWEAR)
    return np.nan if told is None else told
