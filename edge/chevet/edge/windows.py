"""The last seconds of a device, for judging while it runs."""

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chevet.devices.samples import Channel, Picture, Reading, SampleBlock
from chevet.edge.main_stream import belongs

LENGTH_S = 5.0
"""Live coaching judges windows of 3-5 s (signals.quality)."""
RATE_LENGTH_S = 10.0
"""A heart rate needs several beats even at 40 a minute."""

READINGS_AT_MOST = 64


class Window:
    """Keeps the newest blocks of each of a device's streams, its newest readings and its newest picture.

    Attributes:
        step: what the device is there for; it tells which stream is the main one.
        picture: the newest, or None.
        readings: the newest, oldest first.
    """

    def __init__(self, step: str = "") -> None:
        self.step = step
        self._streams: dict[tuple[Channel, ...], deque[SampleBlock]] = {}
        self._main: tuple[Channel, ...] = ()
        self.picture: Picture | None = None
        self.readings: deque[Reading] = deque(maxlen=READINGS_AT_MOST)

    def offer(self, block: SampleBlock) -> bool:
        """Take a block; return whether its stream is the main one.

        A stream that restarts begins anew, and so does one whose rate, scale or channels change.
        """
        blocks = self._streams.get(block.channels)
        if blocks is None:
            self._forget_changed(block)
            blocks = self._streams[block.channels] = deque()
            self._main = max(self._streams, key=self._weight)
        _append(blocks, block)
        return block.channels == self._main

    def clear(self) -> None:
        """Forget everything: the device went away."""
        self._streams.clear()
        self.readings.clear()
        self.picture = None

    def numbers(self, since: float) -> tuple[Reading, ...]:
        """Return the readings that arrived after `since`, for devices that give numbers only."""
        return tuple(reading for reading in self.readings if reading.at >= since)

    def blocks(self) -> tuple[SampleBlock, ...]:
        """Return the main stream, which a thread may work on while new blocks arrive.

        It is the busiest of those that belong to the step, or of all where none does.
        """
        return tuple(self._streams.get(self._main, ()))

    def _weight(self, channels: tuple[Channel, ...]) -> tuple[bool, float]:
        return belongs(self.step, channels), sum(channel.rate_hz for channel in channels)

    def _forget_changed(self, block: SampleBlock) -> None:
        """Drop streams that this new one replaces: of the same channels, or silent for long."""
        mine = _signals(block.channels)
        for channels, blocks in tuple(self._streams.items()):
            if mine & _signals(channels) or block.at - blocks[-1].at > RATE_LENGTH_S:
                del self._streams[channels]


def _signals(channels: Sequence[Channel]) -> set[tuple[str, str]]:
    return {(channel.name, channel.unit) for channel in channels}


def _append(blocks: deque[SampleBlock], block: SampleBlock) -> None:
    rate_hz = block.channels[0].rate_hz
    if blocks:
        jump_s = (block.first - blocks[-1].first - blocks[-1].values.shape[1]) / rate_hz
        if not 0 <= jump_s < RATE_LENGTH_S:
            blocks.clear()
    blocks.append(block)
    newest = block.first + block.values.shape[1]
    while newest - blocks[0].first - blocks[0].values.shape[1] > RATE_LENGTH_S * rate_hz:
        blocks.popleft()


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
