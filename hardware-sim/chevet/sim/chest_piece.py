"""The stethoscope's head on a chest, and what a worker's hands and the room do to it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from chevet.sim.faults import Fault, Faults, choice, flag, level
from chevet.sim.heart import lungs, valves
from chevet.sim.heart.blocks import Blocks, Coloured, Floats, band, white
from chevet.sim.one_heart import OneHeart
from chevet.sim.patient_faults import with_friction, with_room_speech
from chevet.sim.playback import Int16
from chevet.sim.wired import SAMPLE_MAX, Place, Recorded

RATE_HZ = 4000.0
HEART_SITES, LUNG_SITES = valves.SITES, lungs.SITES
IN_THE_AIR = 12.0 / SAMPLE_MAX
"""RMS of a head that lies nowhere."""
SPEECH_RMS, ROOM_RMS, KNOCK = 0.10, 0.05, 0.8
EDGE_S = 0.02
"""Seconds of rubbing and talk begin and end from nothing, so that they join."""
LIGHT_CONTACT_HZ = 90.0
SoundOf = Callable[[str, int, int, float], tuple[Floats, int]]
"""Returns (sound full scale +-1 [n], place of its first sample) of (site, first, count, rate)."""


def heart_sound(heart: OneHeart, place: Place) -> SoundOf:
    """Return the sounds of the patient in the room at any site."""

    def sound(site: str, first: int, count: int, rate_hz: float) -> tuple[Floats, int]:
        start, grid_hz = place.grid(heart, first, rate_hz)
        kind = "heart_sound" if site in HEART_SITES else "lung_sound"
        return heart.take(kind, start, count, grid_hz, site), start

    return sound


def loop_sound(loops: Callable[[str], Recorded], full_scale: float = SAMPLE_MAX) -> SoundOf:
    """Return the sounds of recordings by site; exact at their own rate where `full_scale` is 16 bits."""

    def sound(site: str, first: int, count: int, rate_hz: float) -> tuple[Floats, int]:
        return np.asarray(loops(site).between(0, first, count, rate_hz) / full_scale), first

    return sound


@dataclass(slots=True, eq=False)
class ChestPiece:
    """Sound where the head lies, in 16 bits.

    Attributes:
        sound: of the chest.
        seed: of all disturbances.
        site: where the head lies.
        friction, speech, room: 0 (none) to 1.
        knocks: the tube or head is knocked, 0 to 1.
        light: the head hardly touches: low tones are lost, all is faint.
        lifted: the head is in the air.
        gain: as set at the front end; above 1 loud sounds are cut off.
        stuck: the converter gives one value.
    """

    sound: SoundOf
    seed: int
    site: str = "M"
    rate_hz: float = RATE_HZ
    friction: float = 0.0
    speech: float = 0.0
    room: float = 0.0
    knocks: float = 0.0
    light: bool = False
    lifted: bool = False
    gain: float = 0.0
    stuck: bool = False
    _made: dict[str, Blocks] = field(default_factory=dict[str, Blocks])

    def take(self, first: int, count: int) -> Int16:
        """Return samples `first` on, shape [1, count]."""
        if self.stuck:
            return np.full((1, count), 117, np.int16)
        heard, place = self.sound(self.site, first, count, self.rate_hz)
        span = (place, count)
        if self.lifted:
            heard = IN_THE_AIR * self._noise("air", span)
        elif self.light:
            heard = 0.25 * self._thin(first, count)
        for height, kind in (
            (self.friction, "friction"),
            (self.speech * SPEECH_RMS, "speech"),
            (self.room * ROOM_RMS, "room"),
            (self.knocks * KNOCK, "knocks"),
        ):
            if height:
                heard = heard + height * self._noise(kind, span)
        steps = np.rint(SAMPLE_MAX * (self.gain or 1.0) * heard)
        return np.clip(steps, -SAMPLE_MAX - 1, SAMPLE_MAX).astype(np.int16)[np.newaxis]

    def off(self) -> int:
        """Return bit 0 while the head is in the air."""
        return int(self.lifted)

    def _thin(self, first: int, count: int) -> Floats:
        """Return what a head that hardly touches passes on: differences, which have lost their low tones."""
        before, _ = self.sound(self.site, max(0, first - 1), count + 1, self.rate_hz)
        turn = self.rate_hz / (2 * np.pi * LIGHT_CONTACT_HZ)
        return np.asarray(turn * np.diff(before))

    def _noise(self, kind: str, span: tuple[int, int]) -> Floats:
        if kind not in self._made:
            self._made[kind] = Blocks(self.rate_hz, self._maker(kind))
        return self._made[kind].take(max(0, span[0]) / self.rate_hz, span[1] / self.rate_hz)

    def _maker(self, kind: str) -> Callable[[int, Floats], Floats]:
        rate_hz, seed = self.rate_hz, self.seed
        silent = np.zeros(max(1, round(rate_hz)))
        edge = np.minimum(
            1.0, np.minimum(np.arange(len(silent)), np.arange(len(silent))[::-1]) / (EDGE_S * rate_hz)
        )
        match kind:
            case "friction":
                return lambda k, _at: edge * with_friction(silent, rate_hz, level=0.5, seed=_of(seed, k))
            case "speech":
                return lambda k, _at: edge * with_room_speech(silent, rate_hz, level=1.0, seed=_of(seed, k))
            case "room":
                fan = Coloured((seed, 71), rate_hz, band(60.0, 350.0, 1.5), 10.0)
                return lambda k, _at: fan.block(k)
            case "knocks":
                return lambda k, at_s: _knocking(seed, k, at_s)
        return lambda k, at_s: white((seed, 72), k, (len(at_s),))


def _of(seed: int, k: int) -> int:
    """Return a seed of its own for block `k`."""
    return seed * 1_000_003 + k


def _knocking(seed: int, k: int, at_s: Floats) -> Floats:
    """Return one or two thumps a second: the tube against a button."""
    rng = np.random.default_rng((seed, 73, k))
    total = np.zeros(len(at_s))
    for place in rng.uniform(0, 0.7, int(rng.integers(1, 3))):
        after = np.maximum(at_s - at_s[0] - place, 0.0)
        total += rng.uniform(0.4, 1.0) * np.sin(2 * np.pi * 70 * after) * np.exp(-after / 0.04)
    return total


def chest_piece_faults(head: ChestPiece, sites: tuple[str, ...]) -> Faults:
    """Return what can go wrong with a stethoscope; `sites` are those it can be put to."""

    def where(value: str) -> str:
        return choice(value or "M", sites)

    def site(on: bool, value: str) -> None:
        head.site = where(value) if on else "M"

    share = (0.0, 1.0, 0.5)
    return {
        "site": Fault(
            site,
            "where the head lies: heart, or lungs with a patient",
            ", ".join(sites) + " (M)",
            reads=where,
        ),
        "friction": level(head, "friction", "the head rubs over skin or cloth", share, "strength"),
        "speech": level(head, "speech", "somebody talks in the room", share, "strength"),
        "room_noise": level(head, "room", "a fan or traffic", share, "strength"),
        "knocks": level(head, "knocks", "the tube is knocked", share, "strength"),
        "light_contact": flag(head, "light", "the head hardly touches the skin"),
        "sensor_off": flag(head, "lifted", "the head is in the air, and the device says so"),
        "overdriven": level(
            head, "gain", "the gain is too high: sounds are cut off", (1.0, 50.0, 12.0), "times"
        ),
        "stuck": flag(head, "stuck", "the converter gives one value", "wire"),
    }
