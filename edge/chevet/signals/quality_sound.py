"""Quality of a heart or lung sound."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from chevet.signals.arrays import Floats, bridged, check_rate, flat_tops, one_channel
from chevet.signals.errors import NoSamplesError, TooShortError
from chevet.signals.filters import band_passed
from chevet.signals.heart_envelope import ENVELOPE_HZ, envelope, periodicity
from chevet.signals.sound_voice import ridges, voiced
from chevet.signals.verdict import Quality, Reason, verdict

_SHORTEST_S = 2.0
_FAINT = 3e-4  # RMS 20-400 Hz of full scale (-70 dB): ten steps of a 16-bit converter
_CLIPPED = 0.002
# The next four from benchmarks/signals_faults.py: 45 heart sounds as they are (CinC 2016, doi
# 10.1088/0967-3334/37/12/2181; CirCor, doi 10.13026/tshs-mw03), and with friction and a room's noise on them.
_SCRAPED = 0.4  # high over low at their loudest; friction 0.58 and more, 41 of 45 below
_RESTING = 0.25  # the quiet quarter of the high sound over its loudest tenth; friction comes and goes
_BEATING = 0.4  # likeness of the high sound to itself a beat later, from which on it is the heart's own
_NOISY_FLOOR = 0.25  # quietest high sound over the loudest low one; a noisy room 0.37 and more, none of 45
_SPOKEN = 0.15  # 38 of 39 heart sounds of CinC 2016 have 0.05 and less


@dataclass(frozen=True, slots=True)
class SoundLook:
    """What a sound looks like; full scale is 1.

    Attributes:
        gaps: share of samples that never arrived.
        level: RMS at 20-400 Hz.
        clipped: share of samples in flat tops.
        rhythm: how clearly the envelope repeats at a heart's pace, 0..1.
        bursts: share of 20 ms frames far louder than the rest, as friction makes on breath.
        scraped: RMS at 300-900 Hz over that at 20-200 Hz, each in its loudest tenth, where the former comes
            and goes without a beat, else 0: friction over a heart.
        floor: RMS at 300-900 Hz in its quietest tenth over that at 20-200 Hz in its loudest: room noise.
        hiss: RMS at 300-900 Hz over RMS at 20-200 Hz, medians over time: room noise alone.
        voice: share of the time in which somebody speaks.
    """

    gaps: float
    level: float
    clipped: float
    rhythm: float
    bursts: float
    scraped: float
    floor: float
    hiss: float
    voice: float


def sound_quality(sound: ArrayLike, rate_hz: float, heart: bool = True) -> Quality:
    """Judge a heart or lung sound.

    Args:
        sound: linear, full scale +-1, shape [n]; NaN where nothing arrived. Below 2 s the verdict is
            `too_short`.
        rate_hz: 1000 to 48000.
        heart: whether heart sounds are to be heard in it; False for lung sites.

    Raises:
        ValueError: wrong shape or a rate out of range.
    """
    check_rate(rate_hz, 1000, 48000, "the sound")
    try:
        x = one_channel(sound, rate_hz, _SHORTEST_S, "the sound")
    except TooShortError:
        return Quality(0.0, False, (Reason("too_short"),))
    except NoSamplesError:
        return Quality(0.0, False, (Reason("gaps"),))
    if not np.nanmax(x) > np.nanmin(x):
        return Quality(0.0, False, (Reason("flat"),))
    look = look_at_sound(x, rate_hz)
    base = 1.0 if not heart else 0.55 + 0.45 * float(np.clip((look.rhythm - 0.1) / 0.4, 0, 1))
    return verdict(base, _faults(look, heart))


def look_at_sound(x: Floats, rate_hz: float) -> SoundLook:
    """Measure a sound [n]; see `SoundLook`."""
    y, gap = bridged(x)
    low = band_passed(y, rate_hz, 20.0, 400.0)
    level, empty = envelope(x, rate_hz, 20.0, 200.0)
    hiss, _ = envelope(x, rate_hz, 300.0, min(900.0, 0.44 * rate_hz))
    use = ~empty if (~empty).sum() > 10 else np.ones(len(level), dtype=bool)
    loud = max(float(np.quantile(level[use], 0.9)), 1e-12)
    return SoundLook(
        gaps=float(gap.mean()),
        level=float(np.sqrt(np.mean(low[~gap] ** 2))),
        clipped=flat_tops(y, ~gap, 3),
        rhythm=_rhythm(level),
        bursts=_bursts(level[use], hiss[use]),
        scraped=_scraped(hiss[use]) / loud,
        floor=float(np.quantile(hiss[use], 0.1)) / loud,
        hiss=float(np.median(hiss[use]) / max(float(np.mean(level[use])), 1e-12)),
        voice=float(voiced(ridges(y, rate_hz)).mean()),
    )


def _rhythm(level: Floats) -> float:
    likeness = periodicity(level)
    lag = np.arange(len(likeness)) / ENVELOPE_HZ
    inside = likeness[(lag > 0.3) & (lag < 1.6)]
    return float(max(inside.max(), 0.0)) if len(inside) else 0.0


def _bursts(level: Floats, hiss: Floats) -> float:
    """Share of frames in which everything, high and low, is far above the usual loudness of beats."""
    loud = level > 2.5 * np.quantile(level, 0.8)
    broad = hiss > 6 * max(float(np.median(hiss)), 1e-12)
    return float((loud & broad).mean())


def _rubbed(look: SoundLook, heart: bool) -> float:
    """How much friction takes off, 0 where there is none; a voice comes and goes too."""
    if not heart:
        return min(0.7, 0.1 + 4 * look.bursts) if look.bursts > 0.03 else 0.0
    if look.scraped <= _SCRAPED or look.voice > _SPOKEN:
        return 0.0
    return min(0.7, 0.1 + 0.25 * look.scraped)


def _scraped(hiss: Floats) -> float:
    """Return the high sound's loudness in its loudest tenth, 0 where it is steady or beats like a murmur."""
    quiet, loud = np.quantile(hiss, [0.25, 0.9])
    return float(loud) if quiet < _RESTING * loud and _rhythm(hiss) < _BEATING else 0.0


def _faults(look: SoundLook, heart: bool) -> list[tuple[float, Reason]]:
    faults: list[tuple[float, Reason]] = []
    if look.gaps > 0.02:
        faults.append((min(1.0, 2 * look.gaps), Reason("gaps")))
    if look.level < _FAINT:
        faults.append((0.7, Reason("too_faint")))
    if look.clipped > _CLIPPED:
        faults.append((min(0.8, 0.3 + 10 * look.clipped), Reason("clipping")))
    rubbed = _rubbed(look, heart)
    if rubbed > 0:
        faults.append((rubbed, Reason("friction")))
    hiss = min(0.7, 0.3 * look.hiss) if heart and look.hiss > 1.0 else 0.0
    if heart and look.floor > _NOISY_FLOOR:
        hiss = max(hiss, min(0.7, 0.1 + look.floor))
    voice = min(0.6, look.voice) if look.voice > _SPOKEN else 0.0
    if max(hiss, voice) > 0 and look.level >= _FAINT:  # a converter hisses too
        faults.append((max(hiss, voice), Reason("room_noise")))
    if heart and look.rhythm < 0.12:
        faults.append((0.4, Reason("no_heart_sound")))
    return faults
