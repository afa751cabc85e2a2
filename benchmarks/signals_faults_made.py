"""Faults made on recordings, simulated or real, for the confusion table of `signals_faults.py`.

Each row: what it is called, the codes of which one must be named, and how it is made of a `Case`.
"""

from dataclasses import dataclass

import numpy as np
from signals_data import DATA
from signals_fit_pleth_quality import moved

from chevet.sim import patient_faults as sim


def real_noise(name, rate, count, seed=0):
    """Noise recorded for the stress test of MIT-BIH, mV, one channel; mirrored where more is needed."""
    with np.load(DATA / "ecg" / "noise.npz") as file:
        noise = file[name].astype(float)
    noise = noise[:, 0] if noise.ndim > 1 else noise
    noise = np.interp(np.arange(0, len(noise) - 1, 360 / rate), np.arange(len(noise)), noise - noise.mean())
    if count is None:
        return noise / 200.0
    both = np.concatenate([noise, noise[::-1]])
    start = np.random.default_rng(seed).integers(len(both))
    return both[(start + np.arange(count)) % len(both)] / noise.std()


@dataclass(frozen=True)
class Case:
    """A recording to spoil: x [n], or [12, n] in mV; rate in Hz; and where chance comes from."""

    x: np.ndarray
    rate: float
    rng: np.random.Generator

    @property
    def seed(self):
        """A number for functions that take a seed."""
        return int(self.rng.integers(1000))

    @property
    def loud(self):
        """Size of the loud parts."""
        return float(np.quantile(np.abs(self.x), 0.99))

    def white(self):
        """White noise as long as the recording."""
        return self.rng.standard_normal(self.x.shape)

    def until(self, seconds, value):
        """The recording whose first seconds have this value."""
        return np.where(np.arange(self.x.shape[-1]) < seconds * self.rate, value, self.x)


def one_lead(case, row, values):
    changed = case.x.copy()
    changed[row] = values
    return changed


def railed(case):
    t = np.arange(case.x.shape[1]) / case.rate
    swing = 3 * (np.sin(2 * np.pi * 0.3 * t + case.rng.uniform(0, 6)) > 0.5)
    return one_lead(case, 6, np.clip(case.x[6] + swing, None, 2.0))


def with_recorded(case, name, size_mv):
    """Add real noise of this deviation, another stretch in each lead."""
    count = case.x.shape[1]
    return case.x + size_mv * np.stack([real_noise(name, case.rate, count, case.seed) for _ in case.x])


def height(case):
    return float(np.median(np.ptp(case.x, axis=1)))


ECG_FAULTS = {
    "disconnected, one electrode": (("lead_off",), lambda c: one_lead(c, 7, 0.004 * c.white()[0])),
    "disconnected, a lead not sent": (("lead_off",), lambda c: one_lead(c, 7, np.nan)),
    "disconnected, all": (("flat", "lead_off"), lambda c: 0.003 * c.white()),
    "flat, one lead": (("lead_off", "flat"), lambda c: one_lead(c, 3, 0.0)),
    "flat for 3 s, one lead": (("flat",), lambda c: one_lead(c, 3, c.until(3, 0.1)[3])),
    "saturated, one lead": (("saturated",), railed),
    "mains 50 Hz, 0.1 mV": (("mains_hum",), lambda c: sim.with_mains(c.x, c.rate, hum_mv=0.14)),
    "mains 60 Hz, 0.1 mV": (
        ("mains_hum",),
        lambda c: sim.with_mains(c.x, c.rate, hum_mv=0.14, mains_hz=60.0),
    ),
    "tremor, simulated, 0.08 mV": (("tremor",), lambda c: sim.with_tremor(c.x, c.rate, seed=c.seed)),
    "tremor, muscles recorded": (("tremor",), lambda c: with_recorded(c, "ma2", 0.1 * height(c))),
    "motion, one electrode loose": (("motion",), lambda c: sim.loose(c.x, "LA", c.rate, seed=c.seed)),
    "motion, electrodes recorded": (("motion",), lambda c: with_recorded(c, "em2", 0.35 * height(c))),
    "baseline wander, recorded": (("baseline_wander",), lambda c: with_recorded(c, "bw2", 0.8)),
}


def hissing(case):
    """A room's noise: it falls with frequency, half as loud as the loudest of the heart."""
    f = np.fft.rfftfreq(len(case.x), 1 / case.rate)
    noise = np.fft.irfft(np.fft.rfft(case.white()) / np.sqrt(np.maximum(f, 50.0)), len(case.x))
    return 0.5 * case.loud * noise / noise.std()


def spoken(case):
    return sim.with_room_speech(0.3 * case.x / case.loud, case.rate, level=0.1, seed=case.seed)


SOUND_FAULTS = {
    "disconnected, converter's noise": (("too_faint", "flat"), lambda c: 3e-5 * c.white()),
    "disconnected, lies in a noisy room": (("no_heart_sound", "room_noise"), hissing),
    "flat": (("flat",), lambda c: 0 * c.x),
    "saturated, three times too loud": (
        ("clipping",),
        lambda c: np.clip(3 * c.x / np.abs(c.x).max(), -1, 1),
    ),
    "friction": (
        ("friction",),
        lambda c: sim.with_friction(0.3 * c.x / c.loud, c.rate, seed=c.seed),
    ),
    "speech": (("room_noise",), spoken),
    "room noise": (("room_noise",), lambda c: c.x + hissing(c)),
    "gap of 3 s": (("gaps",), lambda c: c.until(3, np.nan)),
}


def finger_out(case):
    light = np.stack([2 - case.x / np.ptp(case.x) * 0.02] * 2)
    return -sim.finger_off(light, case.rate, seed=case.seed)[1]


PLETH_FAULTS = {
    "disconnected, finger out": (("no_pulse", "flat", "motion"), finger_out),
    "disconnected, converter's noise": (("no_pulse", "flat"), lambda c: np.round(c.white())),
    "flat": (("flat",), lambda c: 0 * c.x + 300.0),
    "saturated, cut off at 60 %": (
        ("saturated",),
        lambda c: np.minimum(c.x, c.x.min() + 0.6 * np.ptp(c.x)),
    ),
    "motion, as large as the pulses": (("motion", "no_pulse"), lambda c: moved(c.x, 1.0, c.rng)),
    "motion, half as large": (("motion", "no_pulse"), lambda c: moved(c.x, 0.5, c.rng)),
    "gap of 2 s": (("gaps",), lambda c: c.until(2, np.nan)),
}
