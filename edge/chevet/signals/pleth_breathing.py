"""Breathing in a pleth: how it modulates baseline, pulse height and pulse interval.

After Karlen et al. 2013 (doi 10.1109/TBME.2013.2246160), who fuse three modulations and abstain where they
disagree. Here their spectra are multiplied before the peak is taken, each weighted by how pure it is, and
abstaining follows from the purity of the product.
"""

from itertools import pairwise

import numpy as np
from scipy import signal

from chevet.signals.arrays import Floats, Indices

_RATE_HZ = 4.0
_LOW_HZ, _HIGH_HZ = 0.085, 0.7
_PURE = 0.25  # share of the spectrum within 0.035 Hz of its peak; below it we abstain
_NEAR_HZ = 0.035
_POINTS = 2048


def breathing(y: Floats, rate_hz: float, pulses: Indices) -> float | None:
    """Return breaths per minute, or None; see `chevet.signals.pleth.respiration_rate`.

    Args:
        y: pleth without gaps, shape [n].
        rate_hz: sampling rate.
        pulses: systolic peaks.
    """
    if len(pulses) < 8:
        return None
    spectra = [_spectrum(each) for each in _modulations(y, rate_hz, pulses)]
    frequency = np.fft.rfftfreq(_POINTS, 1 / _RATE_HZ).astype(np.float64)
    band = (frequency >= _LOW_HZ) & (frequency <= _HIGH_HZ)
    joined = np.zeros(int(band.sum()))
    for spectrum in spectra:
        part = spectrum[band] / max(float(spectrum[band].sum()), 1e-18)
        joined += _purity(part, frequency[band]) * np.log(part + 1e-4 * part.max() + 1e-18)
    joined = np.exp(joined - joined.max())
    peak = int(np.argmax(joined))
    if peak in (0, len(joined) - 1) or _purity(joined, frequency[band]) < _PURE:
        return None
    return float(60 * frequency[band][peak])


def _modulations(y: Floats, rate_hz: float, pulses: Indices) -> list[Floats]:
    """Baseline, height and interval of the pulses, evenly at 4 Hz."""
    feet = np.array([a + int(np.argmin(y[a:b])) for a, b in pairwise(pulses)])
    peaks = pulses[1:]
    times = np.arange(pulses[0], pulses[-1], rate_hz / _RATE_HZ)
    series = [(feet, y[feet]), (peaks, y[peaks] - y[feet]), (peaks, np.diff(pulses).astype(np.float64))]
    return [np.interp(times, at, _calm(values)) for at, values in series]


def _calm(values: Floats) -> Floats:
    """Cut what lies beyond 3 deviations: one lost pulse must not drown the breathing."""
    middle = np.median(values)
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    cut: Floats = np.clip(values, middle - 3 * spread, middle + 3 * spread)
    return cut


def _spectrum(series: Floats) -> Floats:
    flat = signal.detrend(series)
    power: Floats = np.abs(np.fft.rfft(flat * np.hanning(len(flat)), _POINTS)) ** 2
    return power


def _purity(part: Floats, frequency: Floats) -> float:
    peak = frequency[int(np.argmax(part))]
    return float(part[np.abs(frequency - peak) <= _NEAR_HZ].sum() / max(float(part.sum()), 1e-18))
