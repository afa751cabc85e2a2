"""Heart sound: S1, systole, S2, diastole, and the heart rate.

Arrays are float64, linear, any scale; NaN marks samples that never arrived. Method and deviations from its
sources: `chevet.signals.heart_states`; live form: `chevet.signals.heart_stream`.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chevet.signals.arrays import Floats, Indices, Mask, bridged, check_rate, one_channel
from chevet.signals.filters import band_passed
from chevet.signals.heart_envelope import ENVELOPE_HZ
from chevet.signals.heart_odds import band_levels, silent, sound_odds
from chevet.signals.heart_states import S1, S2, Rhythm, States, best_states

_SHORTEST_S = 3.0
_FINE_HZ = 200.0
_FEWEST_PEAKS = 3
_IRREGULAR = 0.25  # spread of eight in ten cycles over the middle one; below that the sequence holds
_CLEAR = 0.43  # likeness of the sound to itself a cycle later that makes up for more
_LOOK_S, _SIDE_S = 0.03, 0.04  # how far an onset may be moved, and what is compared on its two sides


def segment(sound: ArrayLike, rate_hz: float, qrs: ArrayLike | None = None) -> NDArray[np.uint8]:
    """Divide a heart sound into the states of the heart cycle.

    Args:
        sound: shape [n], at least 3 s.
        rate_hz: 500 to 48000.
        qrs: R peaks in samples of `sound`, if an ECG was recorded at the same time; S1 is then looked for
            after them. Fewer than 3 are as none.

    Returns:
        uint8 [n]: 0 unknown (gaps, silence, nothing repeats), 1 S1, 2 systole, 3 S2, 4 diastole. S1
        and S2 begin within 5 ms, the other borders lie in 20 ms steps.

    Raises:
        ValueError: empty, too short, not one channel, NaN only, or a rate out of range; says the remedy.
    """
    x = _checked(sound, rate_hz)
    return states_of(x, rate_hz, qrs)[0]


def states_of(
    x: Floats, rate_hz: float, qrs: ArrayLike | None = None, known: Rhythm | None = None
) -> tuple[NDArray[np.uint8], Rhythm | None]:
    """Return the state of every sample of `x` [n], and the rhythm, None where nothing repeats.

    Args:
        x: at least 3 s; NaN where nothing arrived.
        rate_hz: 500 to 48000.
        qrs: R peaks, samples.
        known: the rhythm of a moment ago, in live use.
    """
    y, gap = bridged(x)
    states, empty = decoded(y, gap, rate_hz, qrs, known)
    if states is None:
        return np.zeros(len(x), dtype=np.uint8), None
    starts, kinds = _borders(y, rate_hz, states.frames)
    found = np.repeat(kinds, np.diff(np.append(starts, len(x))))
    found[np.repeat(empty, _frame_sizes(len(x), rate_hz, len(empty))) | gap] = 0
    return found, states.rhythm


def heart_rate(sound: ArrayLike, rate_hz: float, qrs: ArrayLike | None = None) -> float | None:
    """Return the heart rate per minute: 60 over the usual time from S1 to S1 and from S2 to S2.

    Args:
        sound: shape [n], at least 3 s.
        rate_hz: 500 to 48000.
        qrs: R peaks in samples of `sound`, if an ECG was recorded at the same time.

    Returns:
        Beats per minute, or None where nothing repeats, fewer than 3 cycles are heard, or the cycles spread
        over more than a quarter of their length and the sound repeats unclearly: in atrial fibrillation the
        sound alone does not tell which sounds are one beat's. With an ECG an irregular rhythm has the mean
        rate of the whole sound.

    Raises:
        ValueError: as `segment`.
    """
    x = _checked(sound, rate_hz)
    y, gap = bridged(x)
    states, empty = decoded(y, gap, rate_hz, qrs)
    if states is None:
        return None
    starts, kinds = _borders(y, rate_hz, states.frames)
    heard = ~empty[np.minimum((starts * (ENVELOPE_HZ / rate_hz)).astype(int), len(empty) - 1)]
    turns = [_turns(starts, kinds == sound, heard) for sound in (S1, S2)]
    if min(len(turn) for turn in turns) < 2:
        return None
    every = np.concatenate(turns)
    low, middle, high = np.quantile(every, [0.1, 0.5, 0.9])
    if high - low <= _IRREGULAR * middle:
        return float(60 * rate_hz / _middle(every))
    if _r_peaks(qrs) is not None:
        return float(60 * rate_hz / every.mean())
    return float(60 * rate_hz / _middle(every)) if states.rhythm.clear >= _CLEAR else None


def _turns(starts: Indices, wanted: Mask, heard: Mask) -> Indices:
    """Samples from each wanted state to the next, where all between was heard."""
    at = np.flatnonzero(wanted[1:]) + 1  # the first may have begun before the recording
    kept = [starts[b] - starts[a] for a, b in pairwise(at) if heard[a : b + 1].all()]
    return np.array(kept, dtype=np.int64)


def _middle(interval: Indices) -> float:
    """Mean of the middle half: as robust as the median, finer than the steps."""
    ordered = np.sort(interval)
    cut = len(ordered) // 4
    return float(ordered[cut : len(ordered) - cut].mean())


def _checked(sound: ArrayLike, rate_hz: float) -> Floats:
    check_rate(rate_hz, 500, 48000, "the sound")
    return one_channel(sound, rate_hz, _SHORTEST_S, "the sound")


def decoded(
    y: Floats, gap: Mask, rate_hz: float, qrs: ArrayLike | None = None, known: Rhythm | None = None
) -> tuple[States | None, Mask]:
    """Return the states of a sound without gaps, and which frames of 20 ms say nothing.

    Args:
        y: shape [n], at least 3 s.
        gap: which samples are bridged.
        rate_hz: 500 to 48000.
        qrs: R peaks, samples.
        known: the rhythm of a moment ago, in live use.
    """
    if not np.ptp(y) > 0:
        return None, np.ones(max(1, int(len(y) * ENVELOPE_HZ / rate_hz)), dtype=bool)
    whole = int(
        np.ceil(round(len(y) * ENVELOPE_HZ / rate_hz, 6) - 0.5)
    )  # thinning may add a frame at the end
    levels = band_levels(y, rate_hz)[:, : max(whole, 1)]
    count = levels.shape[1]
    sizes = _frame_sizes(len(y), rate_hz, count)
    edges = np.append(0, np.cumsum(sizes)[:-1])
    empty = (np.add.reduceat(gap.astype(float), edges) > 0.5 * sizes) | silent(levels)
    odds, first = (np.where(empty, 0.0, each) for each in sound_odds(levels))
    peaks = _r_peaks(qrs)
    beats = None if peaks is None else (peaks * (ENVELOPE_HZ / rate_hz)).astype(np.int64)
    return best_states(odds, first, beats, known), empty


def _r_peaks(qrs: ArrayLike | None) -> Floats | None:
    """Return R peaks in order, None where they are too few to tell a rhythm."""
    peaks = None if qrs is None else np.unique(np.asarray(qrs, dtype=np.float64).ravel())
    return None if peaks is None or len(peaks) < _FEWEST_PEAKS else peaks


def _frame_sizes(count: int, rate_hz: float, frames: int) -> Indices:
    edges = np.round(np.arange(frames + 1) * (rate_hz / ENVELOPE_HZ)).astype(np.int64)
    edges[-1] = count
    return np.diff(edges)


def _borders(y: Floats, rate_hz: float, frames: NDArray[np.uint8]) -> tuple[Indices, NDArray[np.uint8]]:
    """Return where each state begins (samples) and which it is; S1 and S2 at the steepest rise near by."""
    begin = np.flatnonzero(np.diff(frames, prepend=255) != 0)
    kinds = frames[begin]
    starts = np.round(begin * (rate_hz / ENVELOPE_HZ)).astype(np.int64)
    moved = (kinds == S1) | (kinds == S2)
    moved[0] = False
    starts[moved] = _steepest(y, rate_hz, starts[moved])
    return np.maximum.accumulate(starts), kinds


def _steepest(y: Floats, rate_hz: float, at: Indices) -> Indices:
    size = rate_hz / _FINE_HZ
    edges = np.round(np.arange(0, len(y), size)).astype(int)
    edges = edges[edges < len(y)]
    fast = band_passed(y, rate_hz, 25.0, min(150.0, 0.44 * rate_hz)) ** 2
    power = np.add.reduceat(fast, edges) / np.diff(np.append(edges, len(y)))
    level = np.log(np.maximum(power, 1e-12 * max(float(power.max()), 1e-300)))
    total = np.concatenate([[0.0], np.cumsum(level)])
    side, look = int(_SIDE_S * _FINE_HZ), int(_LOOK_S * _FINE_HZ)
    here = np.round(at / size).astype(int)[:, None] + np.arange(-look, look + 1)
    here = np.clip(here, side, max(len(level) - side, side))
    after = total[np.minimum(here + side, len(level))] - total[here]
    rise = after - (total[here] - total[here - side])
    best = here[np.arange(len(at)), np.argmax(rise, axis=1)]
    moved: Indices = np.round(best * size).astype(np.int64)
    return np.minimum(moved, len(y) - 1)
