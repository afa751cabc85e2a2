"""What the electrodes of the ECG twins touch: a real twelve-lead ECG at any rate."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chevet.sim.bodies import ECG_RECORDING
from chevet.sim.playback import Loop, load

Steps = NDArray[np.int32]
EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
HEART_RATE = 76
"""Beats per minute of the recording: eight in its 6.3 s."""


class Chest(Protocol):
    """A chest with electrodes.

    Attributes:
        off: names of leads without contact.
    """

    off: set[str]

    def microvolts(
        self, leads: tuple[str, ...], first: int, count: int, rate_hz: float
    ) -> NDArray[np.float64]:
        """Return samples `first` on at `rate_hz`, shape [leads, count]."""
        ...


@dataclass(slots=True, eq=False)
class RecordedChest:
    """Plays a LUDB recording round and round, between its samples along straight lines."""

    off: set[str] = field(default_factory=set[str])
    loop: Loop = field(default_factory=lambda: load(ECG_RECORDING))

    def microvolts(
        self, leads: tuple[str, ...], first: int, count: int, rate_hz: float
    ) -> NDArray[np.float64]:
        """Return the recording's leads, also those without contact: a front end makes its own of them."""
        at = np.arange(first, first + count) * (self.loop.rate_hz / rate_hz) % self.loop.length
        whole = np.arange(self.loop.length + 1)
        rows = self.loop.values[[self.loop.names.index(lead) for lead in leads]].astype(np.float64)
        closed = np.column_stack((rows, rows[:, 0]))
        return np.stack([np.interp(at, whole, row) for row in closed])


def steps(
    chest: Chest, leads: tuple[str, ...], first: int, count: int, rate_hz: float, step_uv: float
) -> Steps:
    """Return what a converter of `step_uv` microvolts a step makes of the leads, shape [leads, count]."""
    return np.rint(chest.microvolts(leads, first, count, rate_hz) / step_uv).astype(np.int32)


def int24(value: int) -> bytes:
    """Return 24 bits, two's complement, most significant byte first."""
    return value.to_bytes(3, "big", signed=True)
