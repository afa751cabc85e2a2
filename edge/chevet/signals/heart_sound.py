"""Heart sound: S1, systole, S2, diastole, and the heart rate.

Arrays are float64, linear, any scale; NaN marks samples that never arrived. Method and deviations from its
sources: `chevet.signals.heart_states`.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chevet.signals.arrays import Floats, Indices, check_rate, one_channel
from chevet.signals.heart_envelope import ENVELOPE_HZ, envelope
from chevet.signals.heart_states import S1, States, best_states

_SHORTEST_S = 3.0


def segment(sound: ArrayLike, rate_hz: float, qrs: ArrayLike | None = None) -> NDArray[np.uint8]:
    """Divide a heart sound into the states of the heart cycle.

    Args:
        sound: shape [n], at least 3 s.
        rate_hz: 500 to 48000.
        qrs: R peaks in samples of `sound`, if an ECG was recorded at the same time; S1 is then looked for
            after them.

    Returns:
        uint8 [n]: 0 unknown (gaps, or nothing repeats), 1 S1, 2 systole, 3 S2, 4 diastole; 20 ms steps.

    Raises:
        ValueError: empty, too short, not one channel, NaN only, or a rate out of range; says the remedy.
    """
    x = _checked(sound, rate_hz)
    states, empty = _states(x, rate_hz, qrs)
    found = np.zeros(len(x), dtype=np.uint8)
    if states is None:
        return found
    frames = np.where(empty, 0, states.frames)
    frame = np.minimum((np.arange(len(x)) * (ENVELOPE_HZ / rate_hz)).astype(np.int64), len(frames) - 1)
    found[:] = frames[frame]
    found[~np.isfinite(x)] = 0
    return found


def heart_rate(sound: ArrayLike, rate_hz: float, qrs: ArrayLike | None = None) -> float | None:
    """Return the heart rate per minute: 60 over the median time from S1 to S1.

    Args:
        sound: shape [n], at least 3 s.
        rate_hz: 500 to 48000.
        qrs: R peaks in samples of `sound`, if an ECG was recorded at the same time.

    Returns:
        Beats per minute, or None where nothing repeats or fewer than 3 cycles are heard.

    Raises:
        ValueError: as `segment`.
    """
    x = _checked(sound, rate_hz)
    states, _ = _states(x, rate_hz, qrs)
    if states is None:
        return None
    is_first = states.frames == S1
    starts = np.flatnonzero(is_first[1:] & ~is_first[:-1]) + 1
    if len(starts) < 3:
        return None
    return float(60 * ENVELOPE_HZ / _middle(np.diff(starts)))


def _middle(interval: Indices) -> float:
    """Mean of the middle half: as robust as the median, finer than the 20 ms frames."""
    ordered = np.sort(interval)
    cut = len(ordered) // 4
    return float(ordered[cut : len(ordered) - cut].mean())


def _checked(sound: ArrayLike, rate_hz: float) -> Floats:
    check_rate(rate_hz, 500, 48000, "the sound")
    return one_channel(sound, rate_hz, _SHORTEST_S, "the sound")


def _states(x: Floats, rate_hz: float, qrs: ArrayLike | None) -> tuple[States | None, NDArray[np.bool_]]:
    level, empty = envelope(x, rate_hz)
    if not level.max() > 0:
        return None, empty
    beats = None if qrs is None else np.asarray(np.asarray(qrs) * (ENVELOPE_HZ / rate_hz), dtype=np.int64)
    return best_states(level, beats), empty
