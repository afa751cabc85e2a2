"""Lung sounds: air in the airways, crackles, wheezes, and the heart through the chest.

Breath sound is noise that follows the air flow, lower and mostly inspiratory over the chest, higher and
louder in expiration over the trachea. A crackle is the waveform of Kiyokawa et al. 2001 (doi
10.1378/chest.119.6.1886): a sine whose half waves lengthen, under a skewed envelope. A wheeze is a few
gliding tones with an overtone in expiration. Times and counts of each breath come from the breath's number
alone.
"""

from dataclasses import dataclass

import numpy as np

from chevet.sim.heart.blocks import Coloured, Floats, band
from chevet.sim.heart.breath import EXPIRATION_ENDS, INSPIRATION, Breath
from chevet.sim.heart.valves import HeartSound

SITES = ("Tc", "Al", "Ar", "Pl", "Pr", "Ll", "Lr")
"""Trachea; anterior, posterior and lateral, left and right (the words of the ICBHI 2017 recordings)."""
CHEST_LEVEL = 0.020
BACKGROUND = 0.0016
LENGTHENING = 0.73
"""The first half wave takes 15 % of a crackle's two cycles: log 0.25 / log 0.15."""
CRACKLE_LEVEL = 0.075
WHEEZE_LEVEL = 0.030
SIDE_OF_SITE = {
    "Tc": "",
    "Al": "left",
    "Ar": "right",
    "Pl": "left",
    "Pr": "right",
    "Ll": "left",
    "Lr": "right",
}

_AIR = {"Tc": 2.2, "Al": 1.0, "Ar": 1.05, "Pl": 0.9, "Pr": 0.95, "Ll": 0.85, "Lr": 0.85}
_HEART = {"Tc": 0.10, "Al": 0.45, "Ar": 0.18, "Pl": 0.12, "Pr": 0.06, "Ll": 0.30, "Lr": 0.06}
_BASE = {"Tc": 0.05, "Al": 0.25, "Ar": 0.25, "Pl": 1.0, "Pr": 1.0, "Ll": 0.7, "Lr": 0.7}
"""How well a base of the lung is heard at each site."""


@dataclass(frozen=True, slots=True)
class Airways:
    """What the lungs do beside breathing.

    Attributes:
        crackles_per_breath: mean number, 0 without.
        crackles_side: "left", "right" or "both".
        crackle_s: length of two cycles, about 5 ms for fine and 10 ms for coarse crackles.
        wheeze_hz: frequencies of the tones; empty without.
    """

    crackles_per_breath: float = 0.0
    crackles_side: str = "both"
    crackle_s: float = 0.007
    wheeze_hz: tuple[float, ...] = ()

    def crackling(self, site: str) -> bool:
        """Return whether crackles belong to the side of `site`."""
        return bool(self.crackles_per_breath) and self.crackles_side in ("both", SIDE_OF_SITE[site])


@dataclass(frozen=True, slots=True)
class Crackle:
    """One crackle: onset in s, length of its two first cycles in s, height 0..1 and more."""

    at_s: float
    length_s: float
    height: float


@dataclass(frozen=True, slots=True)
class Wheeze:
    """One wheeze: seconds of onset and end, and how far its tones glide, as a share of their frequency."""

    on_s: float
    off_s: float
    glide: float


def crackles(breath: Breath, airways: Airways, seed: int, number: int) -> list[Crackle]:
    """Return the crackles of breath `number`, ascending: most late in inspiration, a few in expiration."""
    if not airways.crackles_per_breath or number < 0:
        return []
    rng = np.random.default_rng((seed, 26, number))
    count = int(rng.poisson(airways.crackles_per_breath))
    late = INSPIRATION * (1 - 0.55 * rng.beta(1.3, 2.2, count))
    early_out = rng.random(count) < 0.08
    place = np.sort(np.where(early_out, rng.uniform(0.45, 0.6, count), late))
    lengths = airways.crackle_s * np.exp(0.2 * rng.standard_normal(count))
    heights = np.exp(0.45 * rng.standard_normal(count))
    return [
        Crackle(breath.time_of(number + float(p)), float(length), float(height))
        for p, length, height in zip(place, lengths, heights, strict=True)
    ]


def wheeze(breath: Breath, airways: Airways, seed: int, number: int) -> Wheeze | None:
    """Return the wheeze of breath `number`; a few breaths have none."""
    rng = np.random.default_rng((seed, 27, abs(number)))
    start, end, glide, here = rng.uniform([0.03, 0.72, -0.12, 0.0], [0.12, 0.92, 0.03, 1.0])
    if not airways.wheeze_hz or number < 0 or here < 0.05:
        return None
    span = EXPIRATION_ENDS - INSPIRATION
    on_s = breath.time_of(number + INSPIRATION + start * span)
    return Wheeze(on_s, breath.time_of(number + INSPIRATION + end * span), float(glide))


class LungSound:
    """Lung sound at one site and rate; `block` fits `Blocks`."""

    def __init__(
        self,
        breath: Breath,
        airways: Airways,
        heart: HeartSound,
        site: str,
        *,
        seed: int,
        rate_hz: float,
    ) -> None:
        self._breath, self._airways, self._heart = breath, airways, heart
        self._site, self._seed = site, seed
        key = (seed, 28, SITES.index(site))
        trachea = site == "Tc"
        inward = band(110.0, 700.0, 2.5) if trachea else band(90.0, 230.0, 3.0)
        outward = band(110.0, 600.0, 2.5) if trachea else band(80.0, 170.0, 3.2)
        self._inward = Coloured((*key, 0), rate_hz, inward, 16.0)
        self._outward = Coloured((*key, 1), rate_hz, outward, 16.0)
        self._background = Coloured((*key, 2), rate_hz, band(30.0, 60.0, 1.3), 8.0)
        self._out_level = 1.1 if trachea else 0.45

    def block(self, k: int, at_s: Floats) -> Floats:
        """Return block `k` at the times `at_s` [n], full scale +-1, shape [n]."""
        flow = self._breath.flow(at_s)
        sound = BACKGROUND * self._background.block(k) + _HEART[self._site] * self._heart.beating(k, at_s)
        level = CHEST_LEVEL * _AIR[self._site]
        sound += level * np.maximum(flow, 0) ** 1.5 * self._inward.block(k)
        sound += level * self._out_level * np.maximum(-flow, 0) ** 1.5 * self._outward.block(k)
        first, last = (int(np.floor(self._breath.count(edge))) for edge in (at_s[0] - 0.1, at_s[-1]))
        for number in range(first, last + 1):
            if self._airways.crackling(self._site):
                self._add_crackles(sound, at_s, number)
            self._add_wheeze(sound, at_s, number)
        return np.asarray(sound)

    def _add_crackles(self, sound: Floats, at_s: Floats, number: int) -> None:
        for one in crackles(self._breath, self._airways, self._seed, number):
            first, stop = np.searchsorted(at_s, [one.at_s, one.at_s + one.length_s])
            if first == stop:
                continue
            place = (at_s[first:stop] - one.at_s) / one.length_s
            skewed = 0.5 + 0.5 * np.cos(2 * np.pi * (np.sqrt(place) - 0.5))
            wave = np.sin(4 * np.pi * place**LENGTHENING) * skewed
            sound[first:stop] += CRACKLE_LEVEL * _BASE[self._site] * one.height * wave

    def _add_wheeze(self, sound: Floats, at_s: Floats, number: int) -> None:
        one = wheeze(self._breath, self._airways, self._seed, number)
        if one is None:
            return
        first, stop = np.searchsorted(at_s, [one.on_s, one.off_s])
        if first == stop:
            return
        after, length = at_s[first:stop] - one.on_s, one.off_s - one.on_s
        swell = np.sin(np.pi * after / length) ** 0.6
        for row, hz in enumerate(self._airways.wheeze_hz):
            slow = 0.012 * np.sin(2 * np.pi * 1.7 * after + row)
            turns = 2 * np.pi * hz * (after + 0.5 * one.glide * after**2 / length + slow / 12)
            tone = np.sin(turns) + 0.28 * np.sin(2 * turns) + 0.08 * np.sin(3 * turns)
            sound[first:stop] += WHEEZE_LEVEL / (1 + 0.6 * row) * _WHEEZE[self._site] * swell * tone


_WHEEZE = {"Tc": 1.3, "Al": 1.0, "Ar": 0.95, "Pl": 0.75, "Pr": 0.8, "Ll": 0.7, "Lr": 0.7}
