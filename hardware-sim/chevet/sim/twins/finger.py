"""What the sensors of the twins see: a finger, its pleth at any rate, and what an oximeter shows of it."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from chevet.sim.bodies import PLETH_RECORDING, noise
from chevet.sim.playback import Loop, load
from chevet.sim.twins.pulses import even, peaks_s, repeated

LOW, HIGH = 0.08, 0.92
"""The wave of an oximeter whose automatic gain has settled, as parts of its range."""
MOTION = 0.16


@dataclass(frozen=True, slots=True)
class Shown:
    """What an oximeter shows; None while it has nothing to show. Perfusion index in %."""

    spo2: int | None
    pulse_rate: int | None
    perfusion_pct: float | None = None


NOTHING = Shown(None, None, None)


class Finger(Protocol):
    """A finger, in the sensor or not.

    Attributes:
        off: it is out of the sensor.
        moving: it moves in it.
    """

    off: bool
    moving: bool

    def wave(self, first: int, count: int, rate_hz: float, top: int) -> list[int]:
        """Return `count` samples 0..top from sample `first` on of a pleth at `rate_hz`."""
        ...

    def shown(self, at_s: float) -> Shown:
        """Return the numbers shown at `at_s` seconds."""
        ...


@dataclass(slots=True, eq=False)
class RecordedFinger:
    """A finger that plays a real pleth (BIDMC) with its monitor's numbers, round and round."""

    seed: int = 1
    off: bool = False
    moving: bool = False
    perfusion_pct: float = 3.5
    loop: Loop = field(default_factory=lambda: load(PLETH_RECORDING))

    def wave(self, first: int, count: int, rate_hz: float, top: int) -> list[int]:
        """Return 0 while the finger is out."""
        if self.off:
            return [0] * count
        row = self.loop.values[0].astype(np.float64)
        at = np.arange(first, first + count) * (self.loop.rate_hz / rate_hz) % self.loop.length
        wave = np.interp(at, np.arange(self.loop.length + 1), np.append(row, row[0]))
        parts = LOW + (wave - row.min()) / (row.max() - row.min()) * (HIGH - LOW)
        if self.moving:
            parts = parts + MOTION * noise(self.seed, first, count)
        return [int(value) for value in np.clip(np.rint(parts * top), 0, top)]

    def pulses_s(self, from_s: float, to_s: float) -> list[float]:
        """Return the recording's own pulses, none while the finger is out."""
        if self.off:
            return []
        peaks = peaks_s(self.loop.values[0].astype(np.float64), self.loop.rate_hz)
        return repeated(peaks, self.loop.length / self.loop.rate_hz, from_s, to_s)

    def shown(self, at_s: float) -> Shown:
        """Return the monitor's numbers, nothing while the finger is out."""
        if self.off:
            return NOTHING
        spo2, rate = self.loop.number("spo2", at_s), self.loop.number("pulse", at_s)
        return Shown(spo2, rate, self.perfusion_pct)


@dataclass(slots=True)
class SteadyFinger:
    """A finger with given numbers and a wave that counts, so that every sample tells its own place."""

    spo2: int = 97
    pulse_rate: int = 72
    perfusion_pct: float | None = 3.5
    off: bool = False
    moving: bool = False

    def wave(self, first: int, count: int, rate_hz: float, top: int) -> list[int]:
        """Return the sample's index modulo top + 1; 0 while the finger is out."""
        del rate_hz
        return [0 if self.off else index % (top + 1) for index in range(first, first + count)]

    def pulses_s(self, from_s: float, to_s: float) -> list[float]:
        """Return even pulses of the given rate, none while the finger is out."""
        return [] if self.off else even(self.pulse_rate, from_s, to_s)

    def shown(self, at_s: float) -> Shown:
        """Return the given numbers, nothing while the finger is out."""
        del at_s
        return NOTHING if self.off else Shown(self.spo2, self.pulse_rate, self.perfusion_pct)
