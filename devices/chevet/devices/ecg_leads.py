"""Leads: the twelve out of eight, and which of them have no contact."""

import numpy as np
from numpy.typing import NDArray

from chevet.devices.samples import Event, Notice

Int32 = NDArray[np.int32]

MEASURED = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
"""How an eight-channel front end is to be wired: V1 to V6 against Wilson's central terminal."""
TWELVE = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
DERIVED = ("III", "aVR", "aVL", "aVF")


def twelve_leads(eight: Int32) -> Int32:
    """Return TWELVE [12, n] from MEASURED [8, n], both of one gain.

    Einthoven: III = II - I; Goldberger: aVR = -(I + II) / 2, aVL = I - II / 2, aVF = II - I / 2. They hold
    sample by sample as long as both I and II are measured at the same instant and neither is off or at the
    end of its range. Halves go towards zero, so the derived leads err by at most half a step.
    """
    one, two = eight[0], eight[1]
    three = two - one
    doubled = np.array((-(one + two), one - three, two + three))
    limb = (doubled - (doubled >> 31)) >> 1  # negative numbers one up, so that halves go towards zero
    return np.concatenate((eight[:2], three[np.newaxis], limb, eight[2:]))


def without_contact(off: set[str]) -> set[str]:
    """Return the leads that say nothing when those measured in `off` have no contact."""
    return off | set(DERIVED) if off & {"I", "II"} else off


class LeadContacts:
    """Tells when a lead loses contact and when it has it again."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._off: set[str] = set()

    def forget(self) -> None:
        """Begin anew: what is off is told again."""
        self._off = set()

    def tell(self, off: set[str], at: float) -> list[Event]:
        """Return the notices that a change to `off` calls for, in the order of the names."""
        changed = [name for name in self._names if (name in off) != (name in self._off)]
        self._off = set(off)
        return [Notice("lead_off", at, on=name in off, detail=name) for name in changed]
