"""What a reader looks at beside the ear: a spectrogram, and the envelope of murmurs over the heart cycle.

Pictures of the sound as it is; nothing is judged here.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import signal

from chevet.signals.arrays import Floats, bridged, check_rate, one_channel, runs_of
from chevet.signals.errors import WrongShapeError
from chevet.signals.filters import band_passed
from chevet.signals.heart_states import S1

_SHORTEST_S = 0.5
_WINDOW_S, _HOP_S = 0.064, 0.016
_FLOOR_DB = -120.0
MURMUR_BAND_HZ = (80.0, 500.0)
_ENVELOPE_HZ = 200.0
_CYCLE_POINTS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Spectrogram:
    """Loudness over time and frequency.

    Attributes:
        times_s: middle of each column, seconds, shape [m].
        frequencies_hz: of each row, ascending, shape [k].
        level_db: dB relative to a sine of full scale (1), at least -120, shape [k, m]; NaN in gaps.
    """

    times_s: Floats
    frequencies_hz: Floats
    level_db: Floats


@dataclass(frozen=True, slots=True, eq=False)
class MurmurEnvelope:
    """How loud the sound is at 80-500 Hz, where most murmurs lie.

    Attributes:
        times_s: seconds, every 5 ms, shape [m].
        amplitude: RMS of 10 ms (three steps of 5 ms, weighted 1:2:1), unit of the sound, shape [m]; NaN in
            gaps.
        cycle: median over all heart cycles, from S1 to S1 in 100 equal steps, shape [100]; None with fewer
            than 3 cycles or without states.
        cycles: how many it rests on.
    """

    times_s: Floats
    amplitude: Floats
    cycle: Floats | None
    cycles: int


def spectrogram(sound: ArrayLike, rate_hz: float, top_hz: float = 1000.0) -> Spectrogram:
    """Return the spectrogram of a heart or lung sound: Hann windows of 64 ms every 16 ms.

    Args:
        sound: linear, full scale +-1, shape [n], at least 0.5 s; NaN where nothing arrived.
        rate_hz: 500 to 48000.
        top_hz: highest frequency wanted; half of the rate at most.

    Returns:
        Levels of what was recorded, its mean taken off; the last window that would hang over is left out.

    Raises:
        ValueError: empty, too short, not one channel, NaN only, or a rate out of range; says the remedy.
    """
    check_rate(rate_hz, 500, 48000, "the sound")
    y, gap = bridged(one_channel(sound, rate_hz, _SHORTEST_S, "the sound"))
    size, hop = round(_WINDOW_S * rate_hz), round(_HOP_S * rate_hz)
    frequency = np.fft.rfftfreq(size, 1 / rate_hz).astype(np.float64)
    wanted = frequency <= top_hz
    window = signal.get_window("hann", size)
    frames = np.lib.stride_tricks.sliding_window_view(y - y.mean(), size)[::hop]
    power = np.abs(np.fft.rfft(frames * window, axis=1)[:, wanted].T * (2 / window.sum())) ** 2
    level = np.maximum(10 * np.log10(np.maximum(power, 1e-30)), _FLOOR_DB)
    missing = np.lib.stride_tricks.sliding_window_view(gap, size)[::hop].any(axis=1)
    level[:, missing] = np.nan
    times = (np.arange(level.shape[1]) * hop + size / 2) / rate_hz
    return Spectrogram(times, frequency[wanted], level)


def murmur_envelope(
    sound: ArrayLike, rate_hz: float, states: NDArray[np.uint8] | None = None
) -> MurmurEnvelope:
    """Return the envelope at 80-500 Hz, and its course over the heart cycle where states are given.

    Args:
        sound: linear, shape [n], at least 0.5 s; NaN where nothing arrived.
        rate_hz: 500 to 48000.
        states: from `heart_sound.segment`, shape [n].

    Returns:
        The envelope, and its median course over the cycle; cycles of under 0.25 s or over 2 s, and those with
        a gap, are left out. Our own; it is shown, not judged.

    Raises:
        ValueError: as `spectrogram`, or states of another length.
    """
    check_rate(rate_hz, 500, 48000, "the sound")
    y, gap = bridged(one_channel(sound, rate_hz, _SHORTEST_S, "the sound"))
    if states is not None and len(states) != len(y):
        raise WrongShapeError("the states", states.shape, f"give one for each of the {len(y)} samples")
    low, high = MURMUR_BAND_HZ
    fast = band_passed(y, rate_hz, low, min(high, 0.44 * rate_hz)) ** 2
    fast[gap] = np.nan
    step = rate_hz / _ENVELOPE_HZ
    edges = np.round(np.arange(0, len(y), step)).astype(int)
    edges = edges[edges < len(y)]
    power = np.add.reduceat(fast, edges) / np.diff(np.append(edges, len(y)))
    amplitude = np.sqrt(np.convolve(np.pad(power, 1, mode="edge"), [0.25, 0.5, 0.25], "valid"))
    course, count = (None, 0) if states is None else _over_cycles(amplitude, states, rate_hz)
    return MurmurEnvelope((edges + step / 2) / rate_hz, amplitude, course, count)


def _over_cycles(amplitude: Floats, states: NDArray[np.uint8], rate_hz: float) -> tuple[Floats | None, int]:
    starts = runs_of(states == S1)[:, 0] * (_ENVELOPE_HZ / rate_hz)
    place = np.linspace(0, 1, _CYCLE_POINTS, endpoint=False)
    at = np.arange(len(amplitude), dtype=np.float64)
    rows = [
        np.interp(begin + place * (end - begin), at, amplitude)
        for begin, end in pairwise(starts)
        if 0.25 * _ENVELOPE_HZ < end - begin < 2 * _ENVELOPE_HZ
    ]
    whole = [row for row in rows if np.isfinite(row).all()]
    return (np.median(whole, axis=0) if len(whole) >= 3 else None), len(whole)
