"""The four states of the heart cycle in a sound: explicit-duration hidden Markov model.

After Schmidt et al. 2010 (doi 10.1088/0967-3334/31/4/004) and Springer et al. 2016 (doi
10.1109/TBME.2015.2475278). Differences: emissions are not trained but follow from the loudness of the
recording itself; several heart rates are tried and the most plausible sequence wins, since a wrong octave
is the main error; the search is vectorised over durations. Sound durations (S1 122 ms, S2 92 ms, each +- 22
ms) are Schmidt's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chevet.signals.arrays import Floats, Indices
from chevet.signals.heart_envelope import ENVELOPE_HZ, periodicity

S1, SYSTOLE, S2, DIASTOLE = 1, 2, 3, 4
_S1_S, _S2_S, _SOUND_SPREAD_S = 0.122, 0.092, 0.022
_SLOWEST, _FASTEST = 38.0, 210.0
_HYPOTHESES = 4
_STEEP = 8.0  # log odds of "sound" for a step from the quiet to the loud level
_ECG_BONUS = 2.0
_PRIOR_SPREAD = 0.45  # of the log of the cycle length around 0.8 s


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A guess at the cycle: its length and the time from S1's to S2's onset, in seconds."""

    cycle_s: float
    systole_s: float


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """The best sequence: states per frame (50 Hz), its rhythm, and its log likelihood per second."""

    frames: NDArray[np.uint8]
    rhythm: Rhythm
    plausible: float


def best_states(level: Floats, beats: Indices | None = None) -> States | None:
    """Return the most plausible states of an envelope at 50 Hz.

    Args:
        level: envelope, never negative, at least 3 s.
        beats: R peaks in frames, where an ECG was recorded too.

    Returns:
        None where nothing repeats.
    """
    odds = _sound_odds(level)
    tried = [_decoded(odds, rhythm, beats) for rhythm in _rhythms(level, beats)]
    return max(tried, key=lambda s: s.plausible) if tried else None


def _sound_odds(level: Floats) -> Floats:
    """Log odds that a frame is S1 or S2, from its loudness between the recording's quiet and loud levels."""
    z = np.log(np.maximum(level, 1e-9 * max(float(level.max()), 1e-12)))
    quiet, loud = np.quantile(z, [0.25, 0.92])
    place = np.clip((z - quiet) / max(float(loud - quiet), 0.3), -0.3, 1.2)
    odds: Floats = _STEEP * (place - 0.55)
    return odds


def _rhythms(level: Floats, beats: Indices | None) -> list[Rhythm]:
    likeness = periodicity(level)
    if beats is not None and len(beats) > 2:
        cycle = float(np.median(np.diff(beats))) / ENVELOPE_HZ
        return [Rhythm(cycle, s) for s in _systoles(likeness, cycle)]
    lag = np.arange(len(likeness)) / ENVELOPE_HZ
    inside = (lag >= 60 / _FASTEST) & (lag <= 60 / _SLOWEST)
    peak = np.zeros(len(lag), dtype=bool)
    peak[1:-1] = (likeness[1:-1] >= likeness[:-2]) & (likeness[1:-1] > likeness[2:])
    at = np.flatnonzero(inside & peak & (likeness > 0.05))
    prior = np.exp(-0.5 * (np.log(lag[at] / 0.8) / _PRIOR_SPREAD) ** 2)
    best = at[np.argsort(-likeness[at] * prior)][:_HYPOTHESES]
    return [Rhythm(float(lag[k]), s) for k in best for s in _systoles(likeness, float(lag[k]))]


def _systoles(likeness: Floats, cycle_s: float) -> list[float]:
    """The lag below half a cycle at which the sound is most like itself, else the usual one."""
    usual = 0.2 + 0.13 * cycle_s  # about 0.3 s at 75 a minute
    low, high = int(0.2 * ENVELOPE_HZ), int(min(0.55 * cycle_s, 0.5) * ENVELOPE_HZ)
    if high - low < 3:
        return [min(usual, 0.5 * cycle_s)]
    part = likeness[low:high]
    k = int(np.argmax(part))
    if 0 < k < len(part) - 1:
        return [(low + k) / ENVELOPE_HZ]
    return [min(usual, 0.48 * cycle_s)]


def _decoded(odds: Floats, rhythm: Rhythm, beats: Indices | None) -> States:
    gain = np.stack([odds, -odds, odds, -odds]) / 2
    if beats is not None:
        _favour_after_r(gain, beats)
    pad = int(rhythm.cycle_s * ENVELOPE_HZ) + 1
    gain = np.pad(gain, ((0, 0), (pad, pad)))
    path, value = _viterbi(gain, [_durations(m, s) for m, s in _spans(rhythm)])
    seconds = len(odds) / ENVELOPE_HZ
    prior = -0.5 * (np.log(rhythm.cycle_s / 0.8) / _PRIOR_SPREAD) ** 2
    return States(path[pad : pad + len(odds)], rhythm, value / seconds + prior)


def _favour_after_r(gain: Floats, beats: Indices) -> None:
    """S1 begins 10 to 80 ms after R: raise it there, lower S2."""
    for beat in beats:
        start = max(int(beat) + 1, 0)
        gain[0, start : start + 6] += _ECG_BONUS
        gain[2, start : start + 6] -= _ECG_BONUS


def _spans(rhythm: Rhythm) -> list[tuple[float, float]]:
    """Mean and spread of each state's length in seconds, S1, systole, S2, diastole."""
    squeeze = min(1.0, rhythm.systole_s / 0.28)
    first, second = _S1_S * squeeze, _S2_S * squeeze
    rest = max(rhythm.cycle_s - rhythm.systole_s - second, 0.06)
    return [
        (first, _SOUND_SPREAD_S),
        (max(rhythm.systole_s - first, 0.06), 0.03),
        (second, _SOUND_SPREAD_S),
        (rest, 0.04 + 0.1 * rest),
    ]


def _durations(mean_s: float, spread_s: float) -> tuple[int, Floats]:
    """Shortest length in frames, and the log probabilities from there on."""
    mean, spread = mean_s * ENVELOPE_HZ, max(spread_s * ENVELOPE_HZ, 0.8)
    low, high = max(1, int(mean - 3 * spread)), int(mean + 3 * spread) + 2
    d = np.arange(low, high)
    log_p: Floats = -0.5 * ((d - mean) / spread) ** 2 - np.log(spread)
    return low, log_p


def _viterbi(gain: Floats, durations: list[tuple[int, Floats]]) -> tuple[NDArray[np.uint8], float]:
    """Best sequence of S1, systole, S2, diastole, ... over `gain` [4, t], and its value."""
    count = gain.shape[1]
    total = np.concatenate([np.zeros((4, 1)), np.cumsum(gain, axis=1)], axis=1)
    best = np.full((4, count + 1), -np.inf)  # best value of a sequence whose state j ends before frame t
    best[:, 0] = 0.0
    length = np.zeros((4, count + 1), dtype=np.int64)
    open_value = best - total[[1, 2, 3, 0]]  # what the next state starts from, its own sum taken off
    for t in range(1, count + 1):
        for j in range(4):
            low, log_p = durations[j]
            first = t - low
            if first < 0:
                continue
            n = min(len(log_p), first + 1)
            before = open_value[j - 1, first - n + 1 : first + 1][::-1]
            value = before + log_p[:n]
            k = int(value.argmax())
            best[j, t] = value[k] + total[j, t]
            length[j, t] = low + k
            open_value[j, t] = best[j, t] - total[(j + 1) % 4, t]
    return _traced(best, length)


def _traced(best: Floats, length: Indices) -> tuple[NDArray[np.uint8], float]:
    t = best.shape[1] - 1
    j = int(np.argmax(best[:, t]))
    value = float(best[j, t])
    path = np.zeros(t, dtype=np.uint8)
    while t > 0 and np.isfinite(best[j, t]) and length[j, t] > 0:
        start = t - int(length[j, t])
        path[start:t] = j + 1
        t, j = start, (j - 1) % 4
    return path, value
