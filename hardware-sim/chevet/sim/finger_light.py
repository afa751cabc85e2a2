"""Red and infrared light through a finger, and the kit's oximeter that measures it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from chevet.sim.heart.blocks import Floats
from chevet.sim.in_the_clip import WiredFinger
from chevet.sim.patient_faults import finger_off
from chevet.sim.playback import Int16
from chevet.sim.players import Played
from chevet.sim.wired import SAMPLE_MAX

STEPS_PER_LIGHT = 25_000.0
"""Steps of the kit's oximeter for the infrared light's mean."""


class LightSource(Protocol):
    """Where red and infrared light comes from."""

    def light(self, first: int, count: int, rate_hz: float) -> tuple[Floats, int]:
        """Return red and infrared light with mean about 1, shape [2, count], and its first place."""
        ...


@dataclass(slots=True, eq=False)
class LoopLight:
    """Recorded red and infrared light, in shares of the infrared's mean."""

    loop: Played

    def light(self, first: int, count: int, rate_hz: float) -> tuple[Floats, int]:
        """Return the recording, between its samples along straight lines."""
        red, infrared = self.loop.row("red"), self.loop.row("infrared")
        mean = float(self.loop.values[infrared].mean()) or 1.0
        rows = [self.loop.between(row, first, count, rate_hz) / mean for row in (red, infrared)]
        return np.stack(rows), first


@dataclass(slots=True, eq=False)
class LightFront:
    """The kit's oximeter: red and infrared light in steps; it shows no numbers."""

    finger: WiredFinger
    source: LightSource
    rate_hz: float

    def take(self, first: int, count: int) -> Int16:
        """Return sample sets `first` on, shape [2, count]; room light alone without a finger."""
        light, place = self.source.light(first, count, self.rate_hz)
        finger = self.finger
        if finger.stuck:
            light = np.ones_like(light) * 0.5
        elif finger.off:
            light = finger_off(light, self.rate_hz, seed=(finger.seed * 7919 + place) % 2**31)
        else:
            light = self._disturbed(light, (place, count, self.rate_hz))
        return np.clip(np.rint(light * STEPS_PER_LIGHT), 0, SAMPLE_MAX).astype(np.int16)

    def _disturbed(self, light: Floats, span: tuple[int, int, float]) -> Floats:
        finger, level_ = self.finger, np.array([[0.8], [1.0]])
        if finger.cold:
            light = level_ + finger.cold * (light - level_)
        if finger.moving:
            light = light * (1 + 0.02 * finger.noise("motion", span))
        if finger.lamp:
            light = light + 0.05 * finger.lamp * finger.noise("lamp", span)
        return light

    def off(self) -> int:
        """Return both channels' bits while the finger is out."""
        return 0b11 if self.finger.off else 0
