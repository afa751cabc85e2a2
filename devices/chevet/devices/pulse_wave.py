"""Where the samples of a pleth stream stand that carries no counter of its own."""

from collections.abc import Iterable

import numpy as np

from chevet.bridge.clock import DeviceClock
from chevet.devices.counters import Counters
from chevet.devices.samples import Channel, Event, Notice, SampleBlock

SILENT_S = 1.0
"""A stream that pauses longer than this has lost what it did not send."""
SLACK_S = 0.15
"""How far arrival times may disagree with bytes before the clock is believed: serial adapters and Bluetooth
deliver in lumps of up to 100 ms."""
JUDGE_AFTER_S = 2.0


class PulseWave:
    """Collects samples into blocks and places gaps.

    Without a counter a gap's length is a judgement: the bytes that were skipped tell about how many samples
    went with them; where the host's clock says otherwise by more than SLACK_S, the clock is believed. So an
    error stays below SLACK_S and does not add up.

    The index goes on over a new connection, after a gap as long as the host's clock says.
    """

    def __init__(self, channel: Channel, counters: Counters, block: int) -> None:
        """Start without a sample.

        Args:
            channel: "pleth", with the device's nominal rate.
            counters: those of the driver; `lost_samples` is kept here.
            block: samples a block.
        """
        self._channels = (channel,)
        self._rate_hz = channel.rate_hz
        self._offset = int(channel.offset)
        self._counters = counters
        self._block = block
        self._index = 0
        self._at: float | None = None
        self.restart()

    def restart(self) -> None:
        """Take note that another connection begins."""
        self._run: list[int] = []
        self._resumed = True
        self._clock = DeviceClock(self._rate_hz)

    def arrived(self, samples: int, at: float) -> list[Event]:
        """Take note that bytes for about `samples` samples arrived; return the gap of a pause before them."""
        if self._resumed or self._at is None or at - self._at <= SILENT_S:
            return []
        lost = self._by_clock(at) - samples
        if lost <= SLACK_S * self._rate_hz:
            return []
        return self.flush() + self._lose(lost, at)

    def broken(self, guess: int, at: float) -> list[Event]:
        """Return the gap of a break whose bytes speak for `guess` samples."""
        if self._resumed:
            return []  # attached in the middle: nothing was streaming before
        lost = guess
        if self._clock.span_s >= JUDGE_AFTER_S:
            by_clock = self._by_clock(at)
            if abs(by_clock - guess) > SLACK_S * self._rate_hz:
                lost = max(0, by_clock)
        return self.flush() + self._lose(lost, at)

    def lose(self, count: int, at: float) -> list[Event]:
        """Return the gap of exactly `count` samples that are known to be missing."""
        if self._resumed:
            return []
        return self.flush() + self._lose(count, at)

    def add(self, samples: Iterable[int], at: float) -> list[Event]:
        """Place the next samples, raw; return the blocks that they completed."""
        events: list[Event] = []
        for sample in samples:
            if self._resumed:
                self._resume(at)
            self._run.append(sample - self._offset)
            self._index += 1
            self._at = at
            if len(self._run) >= self._block:
                events += self.flush()
        return events

    def _resume(self, at: float) -> None:
        if self._at is not None:
            self._index += max(1, round((at - self._at) * self._rate_hz))
        self._resumed = False

    def _by_clock(self, at: float) -> int:
        expected_at = self._clock.host_time(self._index)
        return 0 if expected_at is None else round((at - expected_at) * self._clock.rate_hz)

    def flush(self) -> list[Event]:
        """Return the samples that wait for more as a shorter block."""
        if not self._run or self._at is None:
            return []
        values = np.array([self._run], dtype=np.int16)
        self._run = []
        self._clock.add(self._index, self._at)
        return [SampleBlock(self._channels, values, self._index - values.shape[1], self._at)]

    def _lose(self, count: int, at: float) -> list[Event]:
        if count <= 0:
            return []
        self._index += count
        self._counters.lost_samples += count
        return [Notice("lost_samples", at, detail=str(count))]
