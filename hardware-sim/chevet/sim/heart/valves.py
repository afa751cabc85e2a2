"""Heart sounds: valves closing, a filling ventricle, and blood in disorder.

Each sound is a handful of damped oscillations, each a gamma-shaped burst (chest and valve as resonators); a
murmur is noise of a given band under an envelope between the valves. Times follow the ECG: systole from Q to
A2 by Weissler's regression (Weissler et al. 1968, doi 10.1161/01.CIR.37.2.149), about 546 - 2.1 x rate ms;
the pulmonary valve closes later while breathing in; the first sound is loud after a short PR interval and
soft after a long one, since the leaflets are then wide open or nearly shut.
"""

from dataclasses import dataclass

import numpy as np

from chevet.sim.heart.blocks import Coloured, Floats, band
from chevet.sim.heart.rhythm import Beat, Rhythm

SITES = ("A", "P", "E", "T", "M")
FULL_SCALE_AT_APEX = 0.16
"""Height of the first sound at the apex; full scale is 1."""
BACKGROUND = 0.0022
BREATH_HEARD = 0.0030
SETTLES_S = 0.28
"""No burst lasts longer."""

_LOUDNESS = {
    "A": (0.50, 0.25, 0.90, 0.30, 0.10),
    "P": (0.45, 0.30, 0.65, 0.65, 0.10),
    "E": (0.65, 0.45, 0.62, 0.40, 0.30),
    "T": (0.75, 0.60, 0.45, 0.25, 0.45),
    "M": (1.00, 0.30, 0.45, 0.10, 1.00),
}
"""Mitral, tricuspid, aortic, pulmonary closure and third sound, at each site."""


@dataclass(frozen=True, slots=True)
class Burst:
    """One damped oscillation: frequency in Hz, decay time in s, share of the sound's height."""

    hz: float
    decay_s: float
    share: float


_CLOSING_AV = (
    Burst(34.0, 0.0150, 0.60),
    Burst(56.0, 0.0115, 0.55),
    Burst(104.0, 0.0070, 0.30),
    Burst(172.0, 0.0038, 0.10),
)
_CLOSING_OUT = (
    Burst(42.0, 0.0120, 0.55),
    Burst(78.0, 0.0082, 0.58),
    Burst(138.0, 0.0050, 0.32),
    Burst(215.0, 0.0028, 0.11),
)
_FILLING = (Burst(30.0, 0.0160, 0.8), Burst(46.0, 0.0130, 0.4))


@dataclass(frozen=True, slots=True)
class Murmur:
    """Noise between the valves.

    Attributes:
        kind: "ejection" (rises and falls between the sounds) or "regurgitation" (even, through to A2).
        level: RMS at its loudest place and moment, against the first sound's height at the apex.
        low_hz, high_hz: band.
        heard: share at A, P, E, T, M.
    """

    kind: str
    level: float
    low_hz: float
    high_hz: float
    heard: tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Voice:
    """How a heart sounds.

    Attributes:
        first, second: factors on S1 and on the aortic part of S2.
        third: height of S3 against S1, 0 without one.
        pitch: factor on all frequencies of the valves; small chests sound higher.
        murmur: None without one.
    """

    first: float = 1.0
    second: float = 1.0
    third: float = 0.0
    pitch: float = 1.0
    murmur: Murmur | None = None


@dataclass(frozen=True, slots=True)
class Closing:
    """The sounds of one beat, in seconds; NaN where there is none.

    Attributes:
        s1_on, s1_off, s2_on, s2_off: audible beginning and end.
        pulmonary: onset of the pulmonary part of S2.
        s3_on: onset of the third sound.
        murmur_on, murmur_off: NaN without a murmur.
    """

    s1_on: float
    s1_off: float
    s2_on: float
    s2_off: float
    pulmonary: float
    s3_on: float
    murmur_on: float
    murmur_off: float


def closing(beat: Beat, voice: Voice, filled: float) -> Closing:
    """Return when the valves close for `beat`, with the lungs `filled` 0 to 1."""
    late = 0.0 if beat.kind == "normal" else 0.018  # a slow ventricle closes its valve later
    s1 = beat.qrs_s + 0.050 + late
    rate = 60 / (0.5 * beat.rr_s + 0.5 * beat.usual_rr_s)
    s2 = beat.qrs_s + max(0.2, 0.546 - 0.0021 * rate) * (0.88 if beat.kind == "premature" else 1.0) + late
    pulmonary = s2 + 0.016 + 0.026 * filled
    s3 = s2 + 0.145 if voice.third else np.nan
    on = off = np.nan
    if voice.murmur:
        ejecting = voice.murmur.kind == "ejection"
        on, off = (s1 + 0.045, s2 - 0.012) if ejecting else (s1 + 0.012, s2 + 0.010)
    return Closing(s1, s1 + 0.115, s2, pulmonary + 0.065, pulmonary, s3, on, off)


def loudness(beat: Beat) -> float:
    """Return the first sound's factor from the PR interval: 1 at 160 ms."""
    by_pr = 1.0 if np.isnan(beat.pr_s) else float(np.clip(1.88 - 5.5 * beat.pr_s, 0.35, 1.6))
    return by_pr * (0.65 + 0.35 * beat.stroke) * (1 + 0.06 * beat.vary[2])


class HeartSound:
    """Heart sound at one site and rate; `block` fits `Blocks`."""

    def __init__(self, rhythm: Rhythm, voice: Voice, site: str, *, seed: int, rate_hz: float) -> None:
        self._rhythm, self._voice, self._loud = rhythm, voice, _LOUDNESS[site]
        self._heard = voice.murmur.heard[SITES.index(site)] if voice.murmur else 0.0
        rng = np.random.default_rng((seed, 24))
        self._tune = voice.pitch * np.exp(0.08 * rng.standard_normal(3))
        key = (seed, 25, SITES.index(site))
        self._background = Coloured((*key, 0), rate_hz, band(30.0, 70.0, 1.4), 8.0)
        self._air = Coloured((*key, 1), rate_hz, band(90.0, 260.0, 2.0), 20.0)
        low, high = (voice.murmur.low_hz, voice.murmur.high_hz) if voice.murmur else (100.0, 200.0)
        self._blood = Coloured((*key, 2), rate_hz, band(low, high, 3.0), 20.0)

    def block(self, k: int, at_s: Floats) -> Floats:
        """Return block `k` at the times `at_s` [n], full scale +-1, shape [n]."""
        flow = np.abs(self._rhythm.breath.flow(at_s))
        sound = self.beating(k, at_s)
        sound += BACKGROUND * self._background.block(k)
        return np.asarray(sound + BREATH_HEARD * flow**1.5 * self._air.block(k))

    def beating(self, k: int, at_s: Floats) -> Floats:
        """Return the heart alone, without breath and background, shape [n]."""
        sound = np.zeros(len(at_s))
        envelope = np.zeros(len(at_s))
        for beat in self._rhythm.beats(at_s[0] - 0.95, at_s[-1]):
            filled = self._rhythm.breath.filled(beat.qrs_s)
            times = closing(beat, self._voice, filled)
            self._add_valves(sound, at_s, beat, times)
            if self._heard:
                self._open(envelope, at_s, beat, times)
        if self._heard:
            sound += envelope * self._blood.block(k)
        return np.asarray(FULL_SCALE_AT_APEX * sound)

    def _add_valves(self, sound: Floats, at_s: Floats, beat: Beat, times: Closing) -> None:
        mitral, tricuspid, aortic, pulmonary, third = self._loud
        first = loudness(beat) * self._voice.first
        second = np.sqrt(beat.stroke) * (1 + 0.05 * beat.vary[3])
        tune = self._tune
        _ring(sound, at_s, times.s1_on, _CLOSING_AV, mitral * first, tune[0])
        _ring(sound, at_s, times.s1_on + 0.022, _CLOSING_AV, tricuspid * first, 1.12 * tune[1])
        _ring(sound, at_s, times.s2_on, _CLOSING_OUT, aortic * second * self._voice.second, tune[2])
        _ring(sound, at_s, times.pulmonary, _CLOSING_OUT, pulmonary * second, 0.92 * tune[1])
        if self._voice.third:
            height = third * self._voice.third * beat.stroke
            _ring(sound, at_s, times.s3_on, _FILLING, height, self._voice.pitch)

    def _open(self, envelope: Floats, at_s: Floats, beat: Beat, times: Closing) -> None:
        murmur = self._voice.murmur
        assert murmur is not None
        first, stop = np.searchsorted(at_s, [times.murmur_on, times.murmur_off])
        if first == stop:
            return
        place = (at_s[first:stop] - times.murmur_on) / (times.murmur_off - times.murmur_on)
        if murmur.kind == "ejection":
            shape = np.sin(np.pi * place**1.1) ** 1.4
        else:
            shape = np.minimum(1.0, np.minimum(place / 0.10, (1 - place) / 0.12)) * (1 - 0.15 * place)
        envelope[first:stop] += self._heard * murmur.level * beat.stroke * shape


def _ring(
    sound: Floats, at_s: Floats, on_s: float, bursts: tuple[Burst, ...], height: float, tune: float
) -> None:
    """Add one valve's bursts from `on_s` on."""
    first, stop = np.searchsorted(at_s, [on_s, on_s + SETTLES_S])
    if first == stop:
        return
    after = at_s[first:stop] - on_s
    for burst in bursts:
        swell = (after / (2 * burst.decay_s)) ** 2 * np.exp(2 - after / burst.decay_s)
        glide = burst.hz * tune * after * (1 - 0.35 * np.minimum(after, 0.15))
        sound[first:stop] += height * burst.share * swell * np.sin(2 * np.pi * glide)
