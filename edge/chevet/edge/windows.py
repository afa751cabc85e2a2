"""The last seconds of a device, for judging while it runs."""

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chevet.devices.samples import Channel, Picture, Reading, SampleBlock

LENGTH_S = 5.0
"""Live coaching judges windows of 3-5 s (signals.quality)."""
RATE_LENGTH_S = 10.0
"""A heart rate needs several beats even at 40 a minute."""

READINGS_AT_MOST = 64


class Window:
    """Keeps the newest blocks of a device's main stream, its newest readings and its newest picture.

    Attributes:
        picture: the newest, or None.
        readings: the newest, oldest first.
    """

    def __init__(self) -> None:
        self._blocks: deque[SampleBlock] = deque()
        self.picture: Picture | None = None
        self.readings: deque[Reading] = deque(maxlen=READINGS_AT_MOST)

    def offer(self, block: SampleBlock) -> None:
        """Take a block; a stream that restarts or changes its channels begins anew."""
        if self._blocks:
            last = self._blocks[-1]
            expected = last.first + last.values.shape[1]
            jump_s = (block.first - expected) / block.channels[0].rate_hz
            if block.channels != last.channels or not 0 <= jump_s < RATE_LENGTH_S:
                self._blocks.clear()
        self._blocks.append(block)
        newest = block.first + block.values.shape[1]
        keep = RATE_LENGTH_S * block.channels[0].rate_hz
        while newest - self._blocks[0].first - self._blocks[0].values.shape[1] > keep:
            self._blocks.popleft()

    def clear(self) -> None:
        """Forget everything: the device went away."""
        self._blocks.clear()
        self.readings.clear()
        self.picture = None

    def numbers(self, since: float) -> tuple[Reading, ...]:
        """Return the readings that arrived after `since`, for devices that give numbers only."""
        return tuple(reading for reading in self.readings if reading.at >= since)

    def blocks(self) -> tuple[SampleBlock, ...]:
        """Return what a thread may work on while new blocks arrive."""
        return tuple(self._blocks)


def laid(
    blocks: Sequence[SampleBlock], seconds: float
) -> tuple[NDArray[np.float64], tuple[Channel, ...]] | None:
    """Return the last `seconds` in physical units, float64 [channels, samples], NaN where nothing arrived."""
    if not blocks:
        return None
    channels = blocks[-1].channels
    end = blocks[-1].first + blocks[-1].values.shape[1]
    begin = max(blocks[0].first, end - round(seconds * channels[0].rate_hz))
    values = np.full((len(channels), end - begin), np.nan)
    gain = np.array([[channel.gain] for channel in channels])
    offset = np.array([[channel.offset] for channel in channels])
    for block in blocks:
        skip = max(begin - block.first, 0)
        part = block.values[:, skip:]
        at = block.first + skip - begin
        values[:, at : at + part.shape[1]] = part * gain + offset
    return values, channels
