"""Breathing in a pleth: how it modulates baseline, pulse height, pulse interval and rise.

Karlen et al. 2013 (doi 10.1109/TBME.2013.2246160) fuse the rates of three modulations and abstain where they
disagree. Here five modulations are asked about every rate from 4.5 to 45 a minute at once: their spectra and
autocorrelations there, at half and at twice the rate, go into one linear score, whose softmax over the rates
is the probability of each. We abstain where it is spread out. The weights were fitted by
`benchmarks/signals_fit_breathing.py` on 27 patients of BIDMC (doi 10.13026/C2208R), cross-validated by
patient, each also taught slower and faster than he breathed; the score also learns that 10 to 30 is more
common than 5 or 45.
"""

from itertools import pairwise

import numpy as np
from scipy import ndimage, signal

from chevet.signals.arrays import Floats, Indices
from chevet.signals.pleth_breathing_weights import WEIGHTS

RATES = np.exp(np.linspace(np.log(4.5), np.log(45.0), 93))
"""Breaths per minute that are asked about, shape [93], even in their logarithm."""

_SERIES_HZ = 4.0
_POINTS = 2048
_OCTAVE = 57  # rates of one octave to each side
_USUAL = 16.0  # per minute; only scales the score's own idea of common rates
_NEAR = 2.0  # per minute; probability within this of the best rate is the confidence
_CONFIDENT = 0.43  # 85 in 100 windows of 32 s of BIDMC lie above it
_LONGEST_S, _WINDOW_S, _STEP_S = 60.0, 32.0, 16.0


def breathing(y: Floats, rate_hz: float, pulses: Indices) -> float | None:
    """Return breaths per minute, or None; see `chevet.signals.pleth.respiration_rate`.

    What is longer than a minute is asked in windows of 32 s; the median of the clear ones counts, if they
    are at least a third.

    Args:
        y: pleth without gaps, shape [n].
        rate_hz: sampling rate.
        pulses: systolic peaks.
    """
    if len(y) <= _LONGEST_S * rate_hz:
        return _one_window(y, rate_hz, pulses)
    size = int(_WINDOW_S * rate_hz)
    starts = range(0, len(y) - size + 1, int(_STEP_S * rate_hz))
    asked = [
        _one_window(y[s : s + size], rate_hz, pulses[(pulses >= s) & (pulses < s + size)] - s) for s in starts
    ]
    clear = [rate for rate in asked if rate is not None]
    return float(np.median(clear)) if len(clear) >= len(asked) / 3 else None


def _one_window(y: Floats, rate_hz: float, pulses: Indices) -> float | None:
    if len(pulses) < 8:
        return None
    series = modulations(y, rate_hz, pulses)
    if series.shape[1] < 10 * _SERIES_HZ:
        return None
    rate, confidence = best_rate(rate_inputs(series) @ WEIGHTS)
    return rate if confidence >= _CONFIDENT else None


def best_rate(score: Floats) -> tuple[float, float]:
    """Return the most probable rate of `RATES` for their scores [93], and the probability around it."""
    probable = np.exp(score - score.max())
    probable /= probable.sum()
    top = RATES[int(np.argmax(np.convolve(probable, [0.5, 1, 1, 1, 0.5], "same")))]
    near = np.abs(RATES - top) <= 1.5
    rate = float((probable * RATES)[near].sum() / probable[near].sum())
    return rate, float(probable[np.abs(RATES - top) <= _NEAR].sum())


def modulations(y: Floats, rate_hz: float, pulses: Indices) -> Floats:
    """Return baseline, peak level, height, interval and rise time of the pulses, evenly at 4 Hz, [5, m]."""
    feet = np.array([a + int(np.argmin(y[a:b])) for a, b in pairwise(pulses)])
    peaks = pulses[1:]
    times = np.arange(pulses[0], pulses[-1], rate_hz / _SERIES_HZ)
    series = [
        (feet, y[feet]),
        (peaks, y[peaks]),
        (peaks, y[peaks] - y[feet]),
        (peaks, np.diff(pulses).astype(np.float64)),
        (peaks, (peaks - feet).astype(np.float64)),
    ]
    return np.stack([np.interp(times, at, _calm(values)) for at, values in series])


def _calm(values: Floats) -> Floats:
    """Cut what lies beyond 3 deviations: one lost pulse must not drown the breathing."""
    middle = np.median(values)
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    cut: Floats = np.clip(values, middle - 3 * spread, middle + 3 * spread)
    return cut


def rate_inputs(series: Floats) -> Floats:
    """Return what the score looks at for every rate, shape [93, 43].

    Args:
        series: modulations at 4 Hz, [5, m], at least 10 s.
    """
    flat = signal.detrend(series, axis=1)
    flat = flat / np.maximum(flat.std(axis=1, keepdims=True), 1e-12)
    each = np.stack([_of_one(row) for row in flat])  # modulation, input, rate
    repeats, share, above = each[:, 3], each[:, 0], each[:, 6]
    joint = [repeats.max(0), repeats.mean(0), share.mean(0), np.sort(repeats, 0)[-2]]
    joint += [above.max(0), np.sort(above, 0)[-2]]
    rows = np.concatenate([each.reshape(-1, len(RATES)), np.stack(joint)])
    distance = np.log(RATES / _USUAL)
    rows = np.concatenate([rows - rows.mean(1, keepdims=True), [distance, distance**2]])
    inputs: Floats = rows.T
    return inputs


def _of_one(row: Floats) -> Floats:
    """Log power at each rate, its half and double, autocorrelations, power above its octave; [7, 93]."""
    n, wanted = len(row), RATES / 60
    window = np.hanning(n)
    frequency = np.fft.rfftfreq(_POINTS, 1 / _SERIES_HZ)
    power = np.abs(np.fft.rfft(row * window, _POINTS)) ** 2
    power /= max(float(power[(frequency > 0.06) & (frequency < 0.8)].mean()), 1e-12)
    share, half, double = (np.log(np.interp(wanted * k, frequency, power) + 0.05) for k in (1, 0.5, 2))
    raw = np.fft.irfft(np.abs(np.fft.rfft(row, 2 * n)) ** 2)[:n] / (n - np.arange(n))
    repeat = raw / max(float(raw[0]), 1e-12)
    lag = np.arange(n) / _SERIES_HZ
    once, halfway, twice = (np.interp(k / wanted, lag, repeat) for k in (1, 0.5, 2))
    twice = np.where(2 / wanted < 0.8 * lag[-1], twice, 0.0)
    above = share - ndimage.uniform_filter1d(share, _OCTAVE, mode="nearest")
    return np.stack([share, half, double, once, halfway, twice, above])
