"""The four states of the heart cycle in a sound: explicit-duration hidden Markov model.

After Schmidt et al. 2010 (doi 10.1088/0967-3334/31/4/004) and Springer et al. 2016 (doi
10.1109/TBME.2015.2475278). Differences: emissions only tell sound from silence
(`chevet.signals.heart_odds`); several heart rates are tried and the most plausible sequence wins, since a
wrong octave is the main error; S1 is told from S2 for the whole sequence at once, by the time between
them, which follows from the heart rate, and by their mean difference in character; the search is
vectorised over durations. Sound durations (S1 122 ms, S2 92 ms, each +- 22 ms) are Schmidt's. The time
from S1 to S2 is that of Weissler et al. 1968 (doi 10.1161/01.CIR.37.2.149), Q to S2 in 546 - 2.1 ms per
beat a minute, less 66 ms from Q to S1.
"""

from dataclasses import dataclass
from operator import add

import numpy as np
from numpy.typing import NDArray

from chevet.signals.arrays import Floats, Indices
from chevet.signals.heart_envelope import ENVELOPE_HZ, likeness_of

S1, SYSTOLE, S2, DIASTOLE = 1, 2, 3, 4
_S1_S, _S2_S, _SOUND_SPREAD_S = 0.122, 0.092, 0.022
_SLOWEST, _FASTEST = 38.0, 210.0
_HYPOTHESES = 5
_SURE = 2.5  # log odds: a faint S2 must not rule a rhythm out
_TRUST = 0.25  # of the odds: frames of 20 ms are not independent
_USUAL_CYCLE_S, _CYCLE_SPREAD = 0.78, 0.45  # middle and deviation of the cycle's logarithm
_SYSTOLE_SPREAD_S = 0.035
_FAR = 3.0  # deviations beyond which nothing gets worse
_REPEATS = 5.0  # weight of how clearly the sound repeats
_CHARACTER = 2.0  # weight of how S1 and S2 differ in character
_ECG_SURE = 3.0  # per frame
_UNEVEN, _MOST_UNEVEN = 0.12, 0.6  # spread of diastole, share of it
_MISSED = 2.5  # cycles without an R peak
_FEWEST_CHANGES = 8  # two cycles
_EXCHANGE = np.array([0, S2, DIASTOLE, S1, SYSTOLE], dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A guess at the cycle: its length and the time from S1's to S2's onset, in seconds."""

    cycle_s: float
    systole_s: float
    clear: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """The best sequence: states per frame (50 Hz), its rhythm, and how plausible it is (higher is better)."""

    frames: NDArray[np.uint8]
    rhythm: Rhythm
    plausible: float


def usual_systole_s(cycle_s: float) -> float:
    """Return the usual time from S1's to S2's onset in a cycle of this length."""
    return float(np.clip(0.48 - 0.0021 * 60 / cycle_s, 0.12, 0.5 * cycle_s))


def best_states(
    odds: Floats, first: Floats, beats: Indices | None = None, known: Rhythm | None = None
) -> States | None:
    """Return the most plausible states of a sound.

    Args:
        odds: log odds of "sound" at 50 Hz, at least 3 s.
        first: log odds that a frame, if it holds sound, is of S1 and not of S2.
        beats: R peaks in frames, where an ECG was recorded too.
        known: the rhythm of a moment ago, in live use; one more guess.

    Returns:
        None where nothing repeats.
    """
    odds, first = np.clip(odds, -_SURE, _SURE), np.clip(first, -_SURE, _SURE)
    guesses = _rhythms(odds, beats)
    if known and beats is None:
        guesses = _with(known, guesses)
    tried = [_decoded(odds, first, rhythm, beats) for rhythm in guesses]
    found = [states for states in tried if states is not None]
    return max(found, key=lambda s: s.plausible) if found else None


def _rhythms(odds: Floats, beats: Indices | None) -> list[Rhythm]:
    likeness = likeness_of(1 / (1 + np.exp(-np.clip(odds, -20, 20))))
    if beats is not None and len(beats) > 2:
        cycle = float(np.median(np.diff(beats))) / ENVELOPE_HZ
        return [Rhythm(cycle, _systole_s(likeness, cycle))]
    lag = np.arange(len(likeness)) / ENVELOPE_HZ
    inside = (lag >= 60 / _FASTEST) & (lag <= 60 / _SLOWEST)
    peak = np.zeros(len(lag), dtype=bool)
    peak[1:-1] = (likeness[1:-1] >= likeness[:-2]) & (likeness[1:-1] > likeness[2:])
    at = np.flatnonzero(inside & peak & (likeness > 0.05))
    prior = np.exp(-0.5 * (np.log(lag[at] / 0.8) / _CYCLE_SPREAD) ** 2)
    best = at[np.argsort(-likeness[at] * prior)][:_HYPOTHESES]
    return [Rhythm(float(lag[k]), _systole_s(likeness, float(lag[k])), float(likeness[k])) for k in best]


def _with(known: Rhythm, guesses: list[Rhythm]) -> list[Rhythm]:
    """Add a rhythm to the guesses; where it is one of them, the clearer of both stays."""
    lengths = (known.cycle_s, known.systole_s)
    same = [guess for guess in guesses if (guess.cycle_s, guess.systole_s) == lengths]
    clearest = max([*same, known], key=lambda guess: guess.clear)
    return [guess for guess in guesses if guess not in same] + [clearest]


def _systole_s(likeness: Floats, cycle_s: float) -> float:
    """The lag near the usual systole at which the sound is most like itself."""
    lag = np.arange(len(likeness)) / ENVELOPE_HZ
    inside = np.flatnonzero((lag > 0.12) & (lag < cycle_s - 0.1))
    usual = usual_systole_s(cycle_s)
    if not len(inside):
        return usual
    worth = likeness[inside] - 0.1 * ((lag[inside] - usual) / 0.05) ** 2
    return float(lag[inside[int(np.argmax(worth))]])


def _decoded(odds: Floats, first: Floats, rhythm: Rhythm, beats: Indices | None) -> States | None:
    gain = _TRUST * np.stack([odds, -odds, odds, -odds]) / 2
    if beats is not None:
        gain = gain + _expected(beats, rhythm, len(odds))
    pad = int(rhythm.cycle_s * ENVELOPE_HZ) + 1
    padded = np.pad(gain, ((0, 0), (pad, pad)))
    uneven = _UNEVEN if beats is None else _uneven(beats)
    path, value = _viterbi(padded, [_durations(m, s) for m, s in _spans(rhythm, uneven)])
    frames = path[pad : pad + len(odds)]
    if (np.diff(frames) != 0).sum() < _FEWEST_CHANGES:
        return None
    per_second = value / (len(odds) / ENVELOPE_HZ)
    if beats is not None:
        return States(frames, rhythm, per_second)
    return _judged(frames, rhythm, per_second, first)


def _judged(frames: NDArray[np.uint8], rhythm: Rhythm, per_second: float, first: Floats) -> States:
    """Weigh a sequence by how usual its rhythm is, and exchange S1 and S2 if that makes it more so."""
    one, two = intervals(frames)
    systole, diastole = _middle(one), _middle(two)
    usual = usual_systole_s(systole + diastole)
    off = min(abs(systole - usual), abs(diastole - usual)) / _SYSTOLE_SPREAD_S
    unlike = float(first[frames == S1].mean() - first[frames == S2].mean())
    plausible = per_second - 0.5 * (np.log((systole + diastole) / _USUAL_CYCLE_S) / _CYCLE_SPREAD) ** 2
    plausible += _REPEATS * rhythm.clear + _CHARACTER * min(abs(unlike), 1.5) - min(off, _FAR) ** 2
    unsteady = float(np.log(_spread_s(two) / _spread_s(one)))  # diastole varies more than systole
    fits = ((diastole - usual) ** 2 - (systole - usual) ** 2) / (2 * _SYSTOLE_SPREAD_S**2)
    exchange = fits + _CHARACTER * unlike + 0.25 * np.clip(unsteady, -1.5, 1.5) < 0
    return States(_EXCHANGE[frames] if exchange else frames, rhythm, float(plausible))


def _middle(interval: Floats) -> float:
    ordered = np.sort(interval)
    cut = len(ordered) // 4
    return float(ordered[cut : len(ordered) - cut].mean())


def _spread_s(interval: Floats) -> float:
    low, high = np.quantile(interval, [0.2, 0.8])
    return max(float(high - low), 1 / ENVELOPE_HZ)


def intervals(frames: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Return the seconds from each S1 to the next S2, and from each S2 to the next S1."""
    starts = np.flatnonzero(np.diff(frames, prepend=frames[:1]) != 0)
    starts = starts[(frames[starts] == S1) | (frames[starts] == S2)]
    kind, gap = frames[starts], np.diff(starts) / ENVELOPE_HZ
    turn = kind[1:] != kind[:-1]
    return gap[turn & (kind[:-1] == S1)], gap[turn & (kind[:-1] == S2)]


def _uneven(beats: Indices) -> float:
    """How far cycles may differ, as a share of diastole, when an ECG says how far they do."""
    turns = np.diff(beats)
    if len(turns) < 2:
        return _UNEVEN
    low, middle, high = np.quantile(turns, [0.1, 0.5, 0.9])
    return float(np.clip((high - low) / max(middle, 1.0), _UNEVEN, _MOST_UNEVEN))


def _expected(beats: Indices, rhythm: Rhythm, count: int) -> Floats:
    """S1 begins 10 to 110 ms after R, S2 a systole later; shape [4, count].

    Each is lowered in the first half of the other's time, so that they cannot be exchanged, and S1 until the
    next R, unless that is so far away that the ECG must have missed one.
    """
    gain = np.zeros((4, count))
    systole = int(rhythm.systole_s * ENVELOPE_HZ)
    usual = rhythm.cycle_s * ENVELOPE_HZ
    waits = np.append(np.diff(beats), usual)
    for beat, wait in zip(beats, waits, strict=True):
        one = max(int(beat), 0)
        two = max(one + systole - 1, 0)
        until = one + int(wait if wait < _MISSED * usual else 0.85 * usual)
        gain[0, one + 1 : one + 7] += _ECG_SURE / 3
        gain[2, one : one + 8] -= _ECG_SURE
        gain[2, two : two + 8] += _ECG_SURE / 6
        gain[0, one + 11 : max(one + 12, until)] -= _ECG_SURE
    return gain


def _spans(rhythm: Rhythm, uneven: float) -> list[tuple[float, float]]:
    """Mean and spread of each state's length in seconds, S1, systole, S2, diastole."""
    first = min(_S1_S, 0.55 * rhythm.systole_s)
    second = min(_S2_S, 0.5 * (rhythm.cycle_s - rhythm.systole_s))
    rest = max(rhythm.cycle_s - rhythm.systole_s - second, 0.05)
    return [
        (first, _SOUND_SPREAD_S),
        (max(rhythm.systole_s - first, 0.05), 0.03),
        (second, _SOUND_SPREAD_S),
        (rest, 0.04 + uneven * rest),
    ]


def _durations(mean_s: float, spread_s: float) -> tuple[int, Floats]:
    """Shortest length in frames, and the log probabilities from there on."""
    mean, spread = mean_s * ENVELOPE_HZ, max(spread_s * ENVELOPE_HZ, 0.8)
    low, high = max(1, int(mean - 3 * spread)), int(mean + 3 * spread) + 2
    d = np.arange(low, high)
    log_p: Floats = -0.5 * ((d - mean) / spread) ** 2 - np.log(spread)
    return low, log_p


def _viterbi(gain: Floats, durations: list[tuple[int, Floats]]) -> tuple[NDArray[np.uint8], float]:
    """Best sequence of S1, systole, S2, diastole, ... over `gain` [4, t], and its value.

    Plain numbers: on the dozen durations of a state NumPy takes twice the time.
    """
    sums = np.concatenate([np.zeros((4, 1)), np.cumsum(gain, axis=1)], axis=1)
    frames = sums.shape[1]
    best = [[0.0] + [-np.inf] * (frames - 1) for _ in range(4)]  # of a sequence whose state ends before frame
    length = [[0] * frames for _ in range(4)]
    open_value = [[-float(sums[(j + 1) % 4, 0])] for j in range(4)]  # what the next state starts from
    total: list[list[float]] = sums.tolist()
    found = zip(total, total[1:] + total[:1], best, length, open_value, strict=True)
    states = [
        (open_value[j - 1], low, log_p.tolist(), *rows)
        for j, ((low, log_p), rows) in enumerate(zip(durations, found, strict=True))
    ]
    for t in range(1, frames):
        for before, low, log_p, own, following, value, lasting, opened in states:
            first = t - low
            if first < 0:
                opened.append(-np.inf)
                continue
            stop = first - len(log_p)
            each = list(map(add, before[first : stop if stop >= 0 else None : -1], log_p))
            most = max(each)
            value[t] = most + own[t]
            lasting[t] = low + each.index(most)
            opened.append(value[t] - following[t])
    return _traced(np.array(best), np.array(length))


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
