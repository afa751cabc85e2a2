"""The envelope of a heart sound at 50 Hz, and how it repeats itself."""

import numpy as np
from scipy import signal

from chevet.signals.arrays import Floats, Mask, bridged
from chevet.signals.filters import band_passed

ENVELOPE_HZ = 50.0


def envelope(x: Floats, rate_hz: float, low_hz: float = 25.0, high_hz: float = 100.0) -> tuple[Floats, Mask]:
    """Return the amplitude envelope of `x` [n] at 50 Hz, never negative, and the mask of its gaps."""
    y, gap = bridged(x)
    quiet = band_passed(y, rate_hz, low_hz, high_hz)
    quiet[gap] = 0.0
    size = rate_hz / ENVELOPE_HZ
    edges = np.round(np.arange(0, len(y) + 1, size)).astype(int)
    edges = edges[edges < len(y)]
    width = np.diff(np.append(edges, len(y)))
    power = np.add.reduceat(quiet**2, edges) / width
    level = np.sqrt(np.convolve(power, [0.25, 0.5, 0.25], "same"))
    empty = np.add.reduceat(gap.astype(float), edges) / width > 0.5
    return level, empty


def periodicity(level: Floats) -> Floats:
    """Return the unbiased autocorrelation of an envelope's capped logarithm, up to half its length."""
    floor = max(float(np.quantile(level, 0.2)), 1e-12)
    return likeness_of(np.log(np.clip(level, floor, np.quantile(level, 0.98)) / floor + 0.3))


def likeness_of(series: Floats) -> Floats:
    """Return the unbiased autocorrelation of a series without its trend, up to half its length."""
    z = signal.detrend(series)
    n = len(z)
    spectrum = np.fft.rfft(z, 2 * n)
    raw = np.fft.irfft(np.abs(spectrum) ** 2)[: n // 2 + 1]
    unbiased: Floats = raw / (n - np.arange(n // 2 + 1)) / max(raw[0] / n, 1e-18)
    return unbiased
