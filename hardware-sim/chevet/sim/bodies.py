"""What the sensors touch: real recordings, disturbed on request.

Each class turns a `Loop` into what one front end samples, index by index, and the same index always gives
the same samples for the same seed and the same faults.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from chevet.sim import nonin
from chevet.sim.playback import Int16, Loop, load

ECG_RECORDING = "ecg-ludb-152"
PLETH_RECORDING = "pleth-bidmc-03"
SOUND_OF_SITE = {
    "A": "heart-circor-85345-av",
    "P": "heart-circor-85345-av",
    "E": "heart-circor-85343-tv",
    "T": "heart-circor-85343-tv",
    "M": "heart-circor-85343-mv",
}
"""CirCor names its sites AV, PV, TV and MV; Erb's point plays the nearest."""

MAINS_HZ = 50.0
NOISE_BLOCK = 4096
SAMPLE_MAX = 32767
PLETH_OUT = (20, 235)
"""The pleth of a module whose automatic gain has settled: inside 0..255 with some room."""


def noise(seed: int, first: int, count: int) -> NDArray[np.float64]:
    """Return unit Gaussian noise of samples `first` on, the same whenever asked; [count]."""
    start, stop = first // NOISE_BLOCK, (first + count - 1) // NOISE_BLOCK + 1
    blocks = [
        np.random.default_rng((seed, block)).standard_normal(NOISE_BLOCK) for block in range(start, stop)
    ]
    offset = first - start * NOISE_BLOCK
    return np.concatenate(blocks)[offset : offset + count]


def _clip(values: NDArray[np.float64]) -> Int16:
    return np.clip(np.rint(values), -SAMPLE_MAX - 1, SAMPLE_MAX).astype(np.int16)


@dataclass(slots=True, eq=False)
class EcgBody:
    """Twelve leads in microvolts at 500 Hz.

    Attributes:
        leads_off: names of channels without contact.
        mains_uv: amplitude of 50 Hz hum on every lead.
    """

    seed: int
    loop: Loop = field(default_factory=lambda: load(ECG_RECORDING))
    leads_off: set[str] = field(default_factory=set[str])
    mains_uv: float = 0.0

    def take(self, first: int, count: int) -> Int16:
        """Return sample sets `first` on, shape [12, count]."""
        values = self.loop.take(first, count)
        if not self.leads_off and not self.mains_uv:
            return values
        at_s = np.arange(first, first + count) / self.loop.rate_hz
        disturbed = values + self.mains_uv * np.sin(2 * np.pi * MAINS_HZ * at_s)
        for row, name in enumerate(self.loop.names):
            if name in self.leads_off:
                disturbed[row] = self._floating(row, first, at_s)
        return _clip(disturbed)

    def _floating(self, row: int, first: int, at_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what an open input shows: slow drift near the rail, hum and noise."""
        drift = 9000.0 + 2500.0 * np.sin(2 * np.pi * 0.07 * at_s + row)
        hum = 700.0 * np.sin(2 * np.pi * MAINS_HZ * at_s)
        return drift + hum + 120.0 * noise(self.seed + row, first, len(at_s))

    def off(self) -> int:
        """Return the bitmap of `leads_off`."""
        return sum(1 << row for row, name in enumerate(self.loop.names) if name in self.leads_off)


@dataclass(slots=True, eq=False)
class ChestBody:
    """Heart sound at 4 kHz where the stethoscope's head lies.

    Attributes:
        site: one of SOUND_OF_SITE.
        friction: strength of rubbing and handling noise, 0 (none) to 1.
        lifted: the head is in the air: faint room noise only.
    """

    seed: int
    site: str = "M"
    friction: float = 0.0
    lifted: bool = False
    _loops: dict[str, Loop] = field(default_factory=dict[str, Loop])

    def take(self, first: int, count: int) -> Int16:
        """Return samples `first` on, shape [1, count]."""
        name = SOUND_OF_SITE[self.site]
        if name not in self._loops:
            self._loops[name] = load(name)
        if self.lifted:
            return _clip(12.0 * noise(self.seed, first, count))[np.newaxis]
        values = self._loops[name].take(first, count)
        if not self.friction:
            return values
        return _clip(values + self.friction * self._rubbing(first, count))

    def _rubbing(self, first: int, count: int) -> NDArray[np.float64]:
        """Return bursts of broad-band noise, about three a second, each a quick scrape that dies away."""
        rate_hz = 4000
        at_s = np.arange(first, first + count) / rate_hz
        burst = np.exp(-((at_s * 3.1) % 1.0) * 5.0)
        return 9000.0 * burst * noise(self.seed + 1, first, count)

    def off(self) -> int:
        """Return bit 0 while the head is in the air."""
        return int(self.lifted)


@dataclass(slots=True, eq=False)
class FingerBody:
    """A finger in the clip: 75 Hz pleth from the 125 Hz recording, with its monitor's numbers.

    Attributes:
        off: the finger is out.
        moving: the finger moves in the clip: artifacts.
    """

    seed: int
    loop: Loop = field(default_factory=lambda: load(PLETH_RECORDING))
    off: bool = False
    moving: bool = False

    def pleth(self, first: int, count: int) -> Sequence[int]:
        """Return 0..255 at 75 Hz."""
        if self.off:
            return [0] * count
        at = np.arange(first, first + count) * (self.loop.rate_hz / nonin.RATE_HZ)
        wave = np.interp(at % self.loop.length, np.arange(self.loop.length + 1), self._closed())
        low, high = float(self.loop.values.min()), float(self.loop.values.max())
        scaled = PLETH_OUT[0] + (wave - low) / (high - low) * (PLETH_OUT[1] - PLETH_OUT[0])
        if self.moving:
            scaled = scaled + 40.0 * noise(self.seed, first, count)
        return [int(value) for value in np.clip(np.rint(scaled), 0, 255)]

    def numbers(self, first: int) -> nonin.Numbers:
        """Return the monitor's numbers at 75 Hz sample `first`."""
        if self.off:
            return nonin.Numbers(None, None, nonin.DISCONNECTED | nonin.OUT_OF_TRACK)
        at_s = first / nonin.RATE_HZ
        status = nonin.ARTIFACT if self.moving else 0
        return nonin.Numbers(self.loop.number("pulse", at_s), self.loop.number("spo2", at_s), status)

    def _closed(self) -> NDArray[np.float64]:
        row = self.loop.values[0].astype(np.float64)
        return np.append(row, row[0])
