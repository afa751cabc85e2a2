"""A finger in an oximeter's clip, of the patient in the room or of a recording, and what goes wrong there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from chevet.sim import nonin
from chevet.sim.faults import Faults, flag, level
from chevet.sim.heart.blocks import Blocks, Coloured, Floats, band, white
from chevet.sim.one_heart import OneHeart
from chevet.sim.playback import Loop
from chevet.sim.players import Played
from chevet.sim.twins.finger import HIGH, LOW, NOTHING, Shown
from chevet.sim.twins.pulses import peaks_s, repeated
from chevet.sim.wired import Place

SETTLES_S = 4.0
"""After a finger came in, an oximeter needs some beats before it shows numbers."""
LEAST_PERFUSION_PCT = 0.08
"""Below it nothing can be shown."""
NOISE_OF_LIGHT = 0.006
"""Noise against a pulse of 1 % perfusion; automatic gain enlarges both."""
MOTION_SWING = 0.35
MOTION_DROP_PCT = 4.0
WAVE_FROM, WAVE_SPAN = 0.24, 0.56
"""Where a pulse of height 1 stands after automatic gain; breath moves it by a sixth."""


class PulseSource(Protocol):
    """Where a pulse comes from."""

    def wave(self, first: int, count: int, rate_hz: float) -> tuple[Floats, int]:
        """Return the pulse, pointing up, 0 to 1, shape [count], and the place of its first sample."""
        ...

    def shown(self, at_s: float) -> Shown:
        """Return what a monitor shows `at_s` after the device's beginning."""
        ...

    def now(self) -> float:
        """Return a clock in seconds."""
        ...

    def intervals_s(self, from_s: float, to_s: float) -> list[float]:
        """Return the intervals between beats that ended between two seconds of the device."""
        ...

    def pulses_s(self, from_s: float, to_s: float) -> list[float]:
        """Return when pulses peak, in seconds of the device."""
        ...


@dataclass(slots=True, eq=False)
class HeartPulse:
    """The pulse of the patient in the room."""

    heart: OneHeart
    place: Place

    def wave(self, first: int, count: int, rate_hz: float) -> tuple[Floats, int]:
        """Return the pulse with automatic gain: its height says nothing about perfusion."""
        start, grid_hz = self.place.grid(self.heart, first, rate_hz)
        wave = self.heart.take("pulse_wave", start, count, grid_hz)
        return np.asarray(WAVE_FROM + WAVE_SPAN * wave), start

    def shown(self, at_s: float) -> Shown:
        """Return the true numbers, rounded as displays do."""
        at = self.place.host(at_s)
        perfusion = self.heart.at(at).perfusion_pct
        return Shown(round(self.heart.spo2(at)), round(self.heart.pulse_rate(at)), round(perfusion, 2))

    def intervals_s(self, from_s: float, to_s: float) -> list[float]:
        """Return the heart's intervals that ended in the span."""
        return [rr_s for _, rr_s in self.heart.beats(self.place.host(from_s), self.place.host(to_s))]

    def pulses_s(self, from_s: float, to_s: float) -> list[float]:
        """Return when the heart's pulses peak at the finger."""
        span = self.place.host(from_s), self.place.host(to_s)
        return [self.place.own(peak) for peak in self.heart.pulses(*span)]

    def light(self, first: int, count: int, rate_hz: float) -> tuple[Floats, int]:
        """Return red and infrared light, shape [2, count], and the place of its first sample."""
        start, grid_hz = self.place.grid(self.heart, first, rate_hz)
        return self.heart.take("pleth", start, count, grid_hz), start

    def now(self) -> float:
        """Return the device's clock."""
        return self.place.clock()


@dataclass(slots=True, eq=False)
class LoopPulse:
    """A recorded pleth with its monitor's numbers, where it has them."""

    loop: Loop | Played
    place: Place
    perfusion_pct: float = 3.5
    _peaks: list[float] | None = None

    def wave(self, first: int, count: int, rate_hz: float) -> tuple[Floats, int]:
        """Return the recording between a little above nothing and a little below everything."""
        row = self.loop.values[0]
        low, high = float(row.min()), float(row.max())
        wave = self.loop.between(0, first, count, rate_hz)
        return np.asarray(LOW + (wave - low) / max(high - low, 1.0) * (HIGH - LOW)), first

    def shown(self, at_s: float) -> Shown:
        """Return the monitor's numbers; none where the recording has none."""
        told = self.loop.numbers
        spo2 = self.loop.number("spo2", at_s) if "spo2" in told else None
        rate = self.loop.number("pulse", at_s) if "pulse" in told else None
        return Shown(spo2, rate, self.perfusion_pct)

    def now(self) -> float:
        """Return the device's clock."""
        return self.place.clock()

    def intervals_s(self, from_s: float, to_s: float) -> list[float]:
        """Return even intervals of the monitor's rate."""
        rate = self.shown(from_s).pulse_rate
        if not rate:
            return []
        return [60 / rate] * (int(to_s * rate / 60) - int(from_s * rate / 60))

    def pulses_s(self, from_s: float, to_s: float) -> list[float]:
        """Return the recording's own pulses."""
        if self._peaks is None:
            self._peaks = peaks_s(self.loop.values[0].astype(np.float64), self.loop.rate_hz)
        return repeated(self._peaks, self.loop.length / self.loop.rate_hz, from_s, to_s)


@dataclass(slots=True, eq=False)
class WiredFinger:
    """A finger as every oximeter twin sees it.

    Attributes:
        source: its pulse.
        seed: of all disturbances.
        off: it is out of the clip; moving: it moves in it.
        cold: share of the perfusion that is left, 0 for all of it.
        lamp: strength of light from outside, 0 to 1.
        stuck: the converter gives one value.
    """

    source: PulseSource
    seed: int
    off: bool = False
    moving: bool = False
    cold: float = 0.0
    lamp: float = 0.0
    stuck: bool = False
    _in_since: float | None = None
    _made: dict[tuple[str, float], Blocks] = field(default_factory=dict[tuple[str, float], Blocks])

    def wave(self, first: int, count: int, rate_hz: float, top: int) -> list[int]:
        """Return `count` samples 0..top from sample `first` on; 0 while the finger is out."""
        if self.off:
            return [0] * count
        if self.stuck:
            return [top // 2] * count
        parts, place = self.source.wave(first, count, rate_hz)
        span = (place, count, rate_hz)
        shown = self._perfused(self.source.shown(first / rate_hz))
        weak = NOISE_OF_LIGHT / max(shown.perfusion_pct or 1.0, 0.02)
        parts = parts + min(weak, 0.25) * self.noise("light", span)
        if self.moving:
            parts = parts + MOTION_SWING * self.noise("motion", span)
        if self.lamp:
            parts = parts + 0.3 * self.lamp * self.noise("lamp", span)
        return [int(value) for value in np.clip(np.rint(parts * top), 0, top)]

    def shown(self, at_s: float) -> Shown:
        """Return what is shown: nothing without a finger, while it settles, or with too little blood."""
        now = self.source.now()
        if self.off:
            self._in_since = now
            return NOTHING
        if self._in_since is not None and now - self._in_since < SETTLES_S:
            return NOTHING
        shown = self._perfused(self.source.shown(at_s))
        if shown.perfusion_pct is not None and shown.perfusion_pct < LEAST_PERFUSION_PCT:
            return Shown(None, None, shown.perfusion_pct)
        return self._misled(shown, at_s)

    def _perfused(self, shown: Shown) -> Shown:
        if not self.cold or shown.perfusion_pct is None:
            return shown
        return Shown(shown.spo2, shown.pulse_rate, shown.perfusion_pct * self.cold)

    def _misled(self, shown: Shown, at_s: float) -> Shown:
        """Return what movement makes of the numbers: too low a saturation, a rate that jumps about."""
        if not self.moving or shown.spo2 is None or shown.pulse_rate is None:
            return shown
        rng = np.random.default_rng((self.seed, 80, max(0, int(at_s))))
        drop, jump = MOTION_DROP_PCT * rng.random(), rng.normal(0, 6)
        rate = max(25, round(shown.pulse_rate + jump))
        return Shown(round(shown.spo2 - drop), rate, shown.perfusion_pct)

    def intervals_s(self, from_s: float, to_s: float) -> list[float]:
        """Return the intervals between beats that ended between two seconds of the device."""
        return self.source.intervals_s(from_s, to_s)

    def pulses_s(self, from_s: float, to_s: float) -> list[float]:
        """Return when pulses peak; none are felt without a finger or with a stuck converter."""
        return [] if self.off or self.stuck else self.source.pulses_s(from_s, to_s)

    def pleth(self, first: int, count: int) -> Sequence[int]:
        """Return 0..255 at 75 Hz, as a Nonin module sends it."""
        return self.wave(first, count, nonin.RATE_HZ, 255)

    def numbers(self, first: int) -> nonin.Numbers:
        """Return a Nonin module's numbers at 75 Hz sample `first`."""
        shown = self.shown(first / nonin.RATE_HZ)
        if self.off:
            return nonin.Numbers(None, None, nonin.DISCONNECTED | nonin.OUT_OF_TRACK)
        status = nonin.ARTIFACT if self.moving else 0
        status |= nonin.OUT_OF_TRACK if shown.spo2 is None else 0
        status |= nonin.colour(shown.perfusion_pct)
        return nonin.Numbers(shown.pulse_rate, shown.spo2, status)

    def noise(self, kind: str, span: tuple[int, int, float]) -> Floats:
        """Return a disturbance named `kind` over `span` (first, count, rate), shape [count]."""
        first, count, rate_hz = span
        if (kind, rate_hz) not in self._made:
            self._made[kind, rate_hz] = Blocks(rate_hz, self._maker(kind, rate_hz))
        return self._made[kind, rate_hz].take(max(0, first) / rate_hz, count / rate_hz)

    def _maker(self, kind: str, rate_hz: float) -> "Maker":
        if kind == "motion":
            swing = Coloured((self.seed, 81), rate_hz, band(0.8, min(4.0, rate_hz / 5), 2.0), 0.8)
            return lambda k, _at: swing.block(k)
        if kind == "lamp":
            return lambda _k, at_s: np.sin(2 * np.pi * 0.4 * at_s) + 0.3 * np.sin(2 * np.pi * 7.3 * at_s)
        return lambda k, at_s: white((self.seed, 82), k, (len(at_s),))


class Maker(Protocol):
    """Makes block `k` of a disturbance from the times of its samples, [n] -> [n]."""

    def __call__(self, k: int, at_s: Floats, /) -> Floats:
        """Return the block."""
        ...


def finger_faults(finger: WiredFinger) -> Faults:
    """Return what can go wrong with a finger in a clip."""
    return {
        "sensor_off": flag(finger, "off", "the finger is out of the clip"),
        "motion": flag(finger, "moving", "the finger moves in the clip"),
        "cold_finger": level(
            finger, "cold", "cold hands: little blood flows", (0.01, 1.0, 0.1), "share of the perfusion left"
        ),
        "room_light": level(finger, "lamp", "a lamp shines into the clip", (0.0, 1.0, 0.5), "strength"),
        "stuck": flag(finger, "stuck", "the converter gives one value", "wire"),
    }
