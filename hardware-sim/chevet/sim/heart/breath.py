"""Breathing: one clock for the lungs, the vagus, the chest wall and the pulse."""

from dataclasses import dataclass

import numpy as np

from chevet.sim.heart.blocks import Floats

INSPIRATION = 0.4
"""Share of a breath; inspiration to expiration about 1 : 1.5 at rest, a pause included."""
EXPIRATION_ENDS = 0.88
"""Then the pause before the next breath."""


@dataclass(frozen=True, slots=True)
class Breath:
    """A breathing pattern with a slow wander of its rate.

    Attributes:
        per_min: mean rate.
        lead: where in a breath time zero falls, in breaths.
        wander: largest advance or delay, in breaths; its period is `wander_s`.
        wander_s: seconds.
    """

    per_min: float
    lead: float
    wander: float
    wander_s: float

    def count(self, at_s: Floats) -> Floats:
        """Return breaths since some beginning; the fraction is the place in the breath. Any shape."""
        slow = 2 * np.pi * at_s / self.wander_s
        return np.asarray(at_s * (self.per_min / 60) + self.lead + self.wander * np.sin(slow))

    def volume(self, at_s: Floats) -> Floats:
        """Return lung filling, 0 (end of expiration) to 1 (end of inspiration)."""
        place = self.count(at_s) % 1.0
        inward = 0.5 - 0.5 * np.cos(np.pi * place / INSPIRATION)
        out = np.minimum((place - INSPIRATION) / (EXPIRATION_ENDS - INSPIRATION), 1.0)
        return np.where(place < INSPIRATION, inward, 0.5 + 0.5 * np.cos(np.pi * out))

    def filled(self, at_s: float) -> float:
        """Return `volume` of one moment."""
        return float(self.volume(np.array(at_s)))

    def flow(self, at_s: Floats) -> Floats:
        """Return air flow: positive in inspiration (peak 1), negative in expiration, 0 in the pause.

        Expiration is passive: quick at first, then dying away.
        """
        place = self.count(at_s) % 1.0
        inward = np.sin(np.pi * place / INSPIRATION)
        out = np.clip((place - INSPIRATION) / (EXPIRATION_ENDS - INSPIRATION), 0.0, 1.0)
        outward = -1.9 * out**0.5 * (1 - out) ** 1.5 * INSPIRATION / (EXPIRATION_ENDS - INSPIRATION) * 2
        return np.where(place < INSPIRATION, inward, outward)

    def time_of(self, count: float) -> float:
        """Return the second at which `count` breaths are reached (the inverse of `count`)."""
        at_s = (count - self.lead) * 60 / self.per_min
        for _ in range(40):  # contracts by 2 pi wander / wander_s * 60 / per_min, well below one half
            at_s += (count - float(self.count(np.array(at_s)))) * 60 / self.per_min
        return at_s
