"""Lung sound: the heart taken out for listening, and draft marks where wheezes or crackles may be.

Marks are hints where to listen, each with its evidence; they are neither complete nor findings, and carry no
diagnosis. Arrays are float64, linear; NaN marks samples that never arrived.

Sources: computerised respiratory sound analysis after Sovijärvi et al. 2000 (Eur Respir Rev 10: 585-649):
wheezes are musical, longer than 80-100 ms, from 100 Hz; crackles are explosive, shorter than 20 ms.
"""

from collections.abc import Container
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage, signal

from chevet.signals.arrays import Floats, Mask, bridged, check_rate, one_channel, runs_of, widened
from chevet.signals.errors import WrongShapeError
from chevet.signals.filters import band_passed
from chevet.signals.heart_states import S1, S2
from chevet.signals.sound_voice import Ridges, ridges, voiced

_SHORTEST_S = 2.0
_HEART_TOP_HZ = 350.0
_SEPARATE_S = 0.064
_AROUND_S = 1.0  # from which the lung's own loudness under a heart sound is taken
_EDGE_S = 0.03
_NEAR_VOICE_S = 0.15  # breath and lips before and after a word
_LOWEST_WHEEZE_HZ = 150.0
_STANDS_OUT_DB = 14.0  # of a ridge above the median of 150 Hz around
_AUDIBLE_DB = 12.0  # of a ridge above the recording's median at its frequency
_SHORTEST_WHEEZE_S = 0.1
_CRACKLE_HZ = (150.0, 1200.0)
_CRACKLE_TIMES = 16.0  # peak over the median envelope of 0.3 s around
_CRACKLE_APART_S = 0.01
_LONGEST_CRACKLE_S = 0.012  # at half height of the envelope

Kind = Literal["wheeze", "crackle"]


@dataclass(frozen=True, slots=True)
class LungMark:
    """A draft mark: where something like a wheeze or a crackle is heard, and why.

    Attributes:
        kind: "wheeze" or "crackle".
        start_s: seconds from the start.
        end_s: the same.
        frequency_hz: of a wheeze's ridge (median), or where a crackle has most of its energy.
        evidence: how far it stands out: a wheeze in dB above the sound around its frequency, a crackle as
            the ratio of its peak to the sound around.
    """

    kind: Kind
    start_s: float
    end_s: float
    frequency_hz: float
    evidence: float


def without_heart(sound: ArrayLike, rate_hz: float, states: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Divide a chest sound into lung and heart, for listening only.

    Wherever S1 or S2 sounds, each frequency below 350 Hz is lowered to the loudness it has between heart
    sounds in the second around; what is taken off is the heart. Both add up to the sound.

    Args:
        sound: linear, shape [n], at least 2 s; NaN (nothing arrived) becomes silence in both.
        rate_hz: 1000 to 48000.
        states: from `heart_sound.segment`, shape [n].

    Returns:
        Lung and heart, each [n].

    Raises:
        ValueError: too short, not one channel, NaN only, states of another length, or a rate out of range;
            says the remedy.
    """
    y, gap = _checked(sound, rate_hz)
    if len(states) != len(y):
        raise WrongShapeError("the states", states.shape, f"give one for each of the {len(y)} samples")
    size = round(_SEPARATE_S * rate_hz / 4) * 4
    hop = size // 4
    _, times, bins = signal.stft(y, rate_hz, nperseg=size, noverlap=size - hop)
    loud = widened((states == S1) | (states == S2), int(_EDGE_S * rate_hz))
    here = loud[np.clip((times * rate_hz).astype(int), 0, len(y) - 1)]
    low = np.fft.rfftfreq(size, 1 / rate_hz) <= _HEART_TOP_HZ
    gain = np.ones(bins.shape)
    gain[low] = _gain(np.abs(bins[low]), here, int(_AROUND_S * rate_hz / hop))
    _, lung = signal.istft(bins * gain, rate_hz, nperseg=size, noverlap=size - hop)
    lung = np.pad(lung, (0, max(len(y) - len(lung), 0)))[: len(y)]
    heart = y - lung
    lung[gap] = heart[gap] = 0.0
    return lung, heart


def _gain(level: Floats, here: Mask, around: int) -> Floats:
    """Return 1 between heart sounds; within, what brings a bin down to its usual level between them."""
    if here.all() or not here.any():
        return np.ones(level.shape)
    rest = np.flatnonzero(~here)
    size = (1, min(len(rest), 2 * around + 1))
    usual = ndimage.median_filter(level[:, rest], size=size, mode="nearest")
    carried = np.stack([np.interp(np.arange(len(here)), rest, row) for row in usual])
    gain: Floats = np.where(here, np.minimum(1.0, carried / np.maximum(level, 1e-15)), 1.0)
    return gain


def lung_marks(
    sound: ArrayLike, rate_hz: float, kinds: Container[Kind] = ("wheeze",)
) -> tuple[LungMark, ...]:
    """Return draft marks of wheezes in a lung sound, by time; none where somebody speaks.

    Crackles are marked only when asked for, and are not for a reader's screen: on the one patient that there
    is to try them on (ICBHI 2017, doi 10.1088/1361-6579/ab03ea) two and more stand in 63 of 100 breaths that
    the set calls free of them, and with limits that spare these the only breath with crackles has no mark.

    Args:
        sound: linear, shape [n], at least 2 s; NaN where nothing arrived, which is never marked.
        rate_hz: 1000 to 48000.
        kinds: what to mark, of "wheeze" and "crackle".

    Raises:
        ValueError: too short, not one channel, NaN only, states of another length, or a rate out of range;
            says the remedy.
    """
    y, gap = _checked(sound, rate_hz)
    if not np.ptp(y) > 0:
        return ()
    near_gap = widened(gap, int(0.1 * rate_hz))
    seen = ridges(y, rate_hz)
    voice = voiced(seen)
    spoken = np.interp(np.arange(len(y)) / rate_hz, seen.times_s, voice.astype(float)) > 0
    near_gap |= widened(spoken, int(_NEAR_VOICE_S * rate_hz))
    marks = _wheezes(seen, voice) if "wheeze" in kinds else []
    marks += _crackles(y, rate_hz) if "crackle" in kinds else []
    kept = [m for m in marks if not near_gap[int(m.start_s * rate_hz) : int(m.end_s * rate_hz) + 1].any()]
    return tuple(sorted(kept, key=lambda m: m.start_s))


def _checked(sound: ArrayLike, rate_hz: float) -> tuple[Floats, Mask]:
    check_rate(rate_hz, 1000, 48000, "the sound")
    return bridged(one_channel(sound, rate_hz, _SHORTEST_S, "the sound"))


def _wheezes(seen: Ridges, voice: Mask) -> list[LungMark]:
    audible = seen.level_db - np.median(seen.level_db, axis=1, keepdims=True) > _AUDIBLE_DB
    inside = (seen.frequencies_hz >= _LOWEST_WHEEZE_HZ)[:, None]
    above = np.where(audible & inside & ~voice, seen.above_db, 0.0)
    times = seen.times_s
    peak = np.argmax(above, axis=0)
    clear = above[peak, np.arange(len(times))] > _STANDS_OUT_DB
    steady = np.abs(np.diff(peak, prepend=peak[:1])) <= 2
    marks = []
    for start, end in runs_of(clear & steady):
        if times[end - 1] - times[start] >= _SHORTEST_WHEEZE_S:
            ridge = peak[start:end]
            strength = float(np.median(above[ridge, np.arange(start, end)]))
            pitch = float(np.median(seen.frequencies_hz[ridge]))
            marks.append(LungMark("wheeze", float(times[start]), float(times[end - 1]), pitch, strength))
    return marks


def _crackles(y: Floats, rate_hz: float) -> list[LungMark]:
    low, high = _CRACKLE_HZ
    sharp = band_passed(y, rate_hz, low, min(high, 0.44 * rate_hz))
    envelope = ndimage.uniform_filter1d(np.abs(sharp), max(1, round(0.002 * rate_hz)))
    step = max(1, round(rate_hz / 200))
    usual = ndimage.median_filter(envelope[::step], size=max(3, round(0.3 * 200)), mode="nearest")
    around = np.repeat(usual, step)[: len(envelope)]
    around = np.maximum(around, 1e-9 + 0.3 * float(np.median(around)))
    at, _ = signal.find_peaks(envelope, distance=max(1, int(_CRACKLE_APART_S * rate_hz)), prominence=1e-12)
    at = at[envelope[at] > _CRACKLE_TIMES * around[at]]
    if not len(at):
        return []
    width, _, left, right = signal.peak_widths(envelope, at, rel_height=0.5)
    short = width <= _LONGEST_CRACKLE_S * rate_hz
    return [
        LungMark(
            "crackle", a / rate_hz, b / rate_hz, _pitch(sharp, k, rate_hz), float(envelope[k] / around[k])
        )
        for k, a, b in zip(at[short], left[short], right[short], strict=True)
    ]


def _pitch(sharp: Floats, at: int, rate_hz: float) -> float:
    """Frequency of most energy within 10 ms to both sides."""
    reach = int(0.01 * rate_hz)
    part = sharp[max(at - reach, 0) : at + reach]
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)), 4 * len(part))) ** 2
    return float(np.fft.rfftfreq(4 * len(part), 1 / rate_hz)[int(np.argmax(power))])
