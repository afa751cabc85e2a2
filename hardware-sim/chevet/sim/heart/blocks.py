"""Samples made block by block, so that a window cut anywhere holds the same samples.

Whatever is heard or seen of a simulated patient is computed for whole blocks on a fixed grid and cut from
them afterwards. A block depends on its number alone, never on what was asked before.
"""

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

KEPT = 24
"""Blocks remembered, so that reading in small steps does not make each block again and again."""


class Blocks:
    """An endless signal, cut from blocks of one second.

    Args:
        rate_hz: sample rate.
        make: returns block number k from the times (s) of its samples, shape [size] -> [.., size].
    """

    def __init__(self, rate_hz: float, make: Callable[[int, Floats], Floats]) -> None:
        self._rate_hz = rate_hz
        self._make = make
        self._size = max(1, round(rate_hz))
        self._kept: OrderedDict[int, Floats] = OrderedDict()

    def take(self, start_s: float, seconds: float) -> Floats:
        """Return the samples from the one nearest to `start_s` on, shape [.., round(seconds * rate)].

        Raises:
            ValueError: a start before zero, or no whole sample asked for.
        """
        first, count = round(start_s * self._rate_hz), round(seconds * self._rate_hz)
        if first < 0 or count < 1:
            raise ValueError(
                f"{seconds} s from {start_s} s hold no sample: start at 0 s or later and ask for one or more"
            )
        numbers = range(first // self._size, (first + count - 1) // self._size + 1)
        joined = np.concatenate([self._block(k) for k in numbers], axis=-1)
        offset = first - numbers[0] * self._size
        return joined[..., offset : offset + count].copy()

    def _block(self, k: int) -> Floats:
        if k not in self._kept:
            at_s = np.arange(k * self._size, (k + 1) * self._size) / self._rate_hz
            self._kept[k] = self._make(k, at_s)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[k]


def white(key: tuple[int, ...], k: int, shape: tuple[int, ...]) -> Floats:
    """Return unit Gaussian noise of block `k` (blocks before zero exist too); `key` names the stream."""
    return np.random.default_rng((*key, k + 1_000_000)).standard_normal(shape)


class Coloured:
    """Noise of unit power with a given spectrum, continuous from block to block.

    Args:
        key: names the stream; another key is other noise.
        rate_hz: sample rate.
        gain: amplitude over frequency (Hz), shape [m] -> [m].
        resolution_hz: how finely the spectrum is followed.
    """

    def __init__(
        self, key: tuple[int, ...], rate_hz: float, gain: Callable[[Floats], Floats], resolution_hz: float
    ) -> None:
        self._key = key
        size = max(1, round(rate_hz))
        taps = min(size, 2 * (round(rate_hz / resolution_hz) // 2) + 1)
        at_hz = np.fft.rfftfreq(taps, 1 / rate_hz)
        impulse = (
            np.fft.fftshift(np.fft.irfft(gain(np.asarray(at_hz, dtype=np.float64)), taps))
            * np.hanning(taps + 2)[1:-1]
        )
        impulse /= np.sqrt((impulse**2).sum())
        self._size, self._taps = size, taps
        self._length = 1 << int(np.ceil(np.log2(size + taps)))
        self._spectrum = np.fft.rfft(impulse, self._length)

    def block(self, k: int) -> Floats:
        """Return block `k`, shape [size]."""
        before = white(self._key, k - 1, (self._size,))[self._size - self._taps + 1 :]
        drawn = np.concatenate([before, white(self._key, k, (self._size,))])
        shaped = np.fft.irfft(np.fft.rfft(drawn, self._length) * self._spectrum, self._length)
        return shaped[self._taps - 1 : self._taps - 1 + self._size]


def band(low_hz: float, high_hz: float, fall: float = 1.0) -> Callable[[Floats], Floats]:
    """Return a gain that rises to `low_hz`, falls beyond `high_hz` as its `fall`-th power, and has no DC."""

    def gain(at_hz: Floats) -> Floats:
        rise = np.minimum(1.0, at_hz / low_hz) ** 2
        return rise / np.maximum(1.0, at_hz / high_hz) ** fall

    return gain


class Wander:
    """Slow drift of unit power without end: eight sines between 0.02 and 0.4 Hz; `key` names the stream."""

    def __init__(self, key: tuple[int, ...]) -> None:
        rng = np.random.default_rng(key)
        self._hz = np.geomspace(0.02, 0.4, 8) * rng.uniform(0.85, 1.15, 8)
        self._phase = rng.uniform(0, 2 * np.pi, 8)
        height = self._hz**-0.5
        self._height = height * np.sqrt(2 / (height**2).sum())

    def at(self, at_s: Floats) -> Floats:
        """Return the drift at the times `at_s` [n], shape [n]."""
        total = np.zeros(len(at_s))
        for hz, phase, height in zip(self._hz, self._phase, self._height, strict=True):
            total += height * np.sin(2 * np.pi * hz * at_s + phase)
        return total
