"""What the electrodes of the ECG twins touch: a real twelve-lead ECG at any rate."""

from dataclasses import dataclass, field
from functools import cache
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from chevet.sim.bodies import ECG_RECORDING, PLETH_RECORDING
from chevet.sim.playback import Loop, load

Steps = NDArray[np.int32]
EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
HEART_RATE = 76
"""Beats per minute of the recording: eight in its 6.3 s."""
SWING = 0.03
"""Height of the recorded pulse against the infrared light's mean."""


class Vitals(Protocol):
    """Numbers that a device works out by itself, now."""

    def heart_rate(self) -> int:
        """Return beats a minute."""
        ...

    def spo2(self) -> int:
        """Return the saturation, per cent."""
        ...

    def breaths(self) -> int:
        """Return breaths a minute."""
        ...

    def temperature_cel(self) -> float:
        """Return the body's temperature."""
        ...

    def intervals_s(self, from_s: float, to_s: float) -> list[float]:
        """Return the intervals between beats that ended between two seconds of the device."""
        ...

    def lung_filling(self, at_s: float) -> float:
        """Return how full the lungs are at a second of the device, 0 to 1."""
        ...

    def light(self, first: int, count: int, rate_hz: float) -> NDArray[np.float64]:
        """Return red and infrared light through the finger, each 1 in the mean, shape [2, count]."""
        ...


class FixedVitals:
    """Numbers of the recording, which do not change."""

    def heart_rate(self) -> int:
        """Return the recording's rate."""
        return HEART_RATE

    def spo2(self) -> int:
        """Return a healthy one."""
        return 97

    def breaths(self) -> int:
        """Return a healthy number."""
        return 16

    def temperature_cel(self) -> float:
        """Return a healthy one."""
        return 36.6

    def intervals_s(self, from_s: float, to_s: float) -> list[float]:
        """Return as many even intervals as end there."""
        every = 60 / HEART_RATE
        return [every] * (int(to_s / every) - int(from_s / every))

    def lung_filling(self, at_s: float) -> float:
        """Return even breaths."""
        return float(0.5 - 0.5 * np.cos(2 * np.pi * at_s * self.breaths() / 60))

    def light(self, first: int, count: int, rate_hz: float) -> NDArray[np.float64]:
        """Return what a recorded pleth takes of the light: red less than infrared, as at 97 %."""
        loop = _pleth()
        wave = loop.between(0, first, count, rate_hz)
        row = loop.values[0]
        parts = (wave - float(row.mean())) / float(row.max() - row.min())
        return 1 - np.outer((0.6 * SWING, SWING), parts)


@cache
def _pleth() -> Loop:
    return load(PLETH_RECORDING)


FIXED = FixedVitals()


class Chest(Protocol):
    """A chest with electrodes."""

    @property
    def off(self) -> set[str]:
        """Names of leads without contact."""
        ...

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


def vitals_of(chest: Chest) -> Vitals:
    """Return the numbers that belong to a chest; the recording's where it has none of its own."""
    found = getattr(chest, "vitals", FIXED)
    return cast("Vitals", found)


def steps(
    chest: Chest, leads: tuple[str, ...], first: int, count: int, rate_hz: float, step_uv: float
) -> Steps:
    """Return what a converter of `step_uv` microvolts a step makes of the leads, shape [leads, count]."""
    return np.rint(chest.microvolts(leads, first, count, rate_hz) / step_uv).astype(np.int32)


def int24(value: int) -> bytes:
    """Return 24 bits, two's complement, most significant byte first."""
    return value.to_bytes(3, "big", signed=True)
