"""Where the samples of a device stand in time, whatever it tells about their number."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import DTypeLike

from chevet.devices.counters import Counters
from chevet.devices.samples import Channel, Event, Notice, SampleBlock, Samples

SLACK_S = 0.3
"""Arrivals later than this are looked at: adapters and Bluetooth deliver in lumps of up to 100 ms."""
HOLD_S = 0.25
"""For so long late samples wait for the proof that the host, not the device, had paused."""
DRIFT = 0.05
"""A device may be this much slower than it says before its lateness is taken for a loss."""


class SampleLine:
    """Collects samples into blocks of constant length and places the gaps between them.

    A device that counts (`modulus`) says itself what is missing, up to whole rounds of its counter. Where it
    does not count, or lost whole rounds, the host's clock decides: samples that come later than SLACK_S are
    held, at most HOLD_S. If others catch up meanwhile, the host had paused and nothing is missing; if not,
    the device had, and the gap is as long as the clock says. So a gap's length errs by the jitter of the
    link, and never by more than SLACK_S; with a counter it is exact.

    The index goes on over a new connection, after a gap as long as the host's clock says.
    """

    def __init__(
        self,
        channels: tuple[Channel, ...],
        counters: Counters,
        block: int,
        *,
        modulus: int = 0,
        dtype: DTypeLike = np.int16,
    ) -> None:
        """Start without a sample.

        Args:
            channels: one a row, all of one rate.
            counters: those of the driver; `lost_samples` is kept here.
            block: samples a block.
            modulus: the device's counter goes from 0 to modulus - 1, in samples; 0: it does not count.
            dtype: of the blocks, wide enough for what the device sends.
        """
        self.channels = channels
        self._rate_hz = channels[0].rate_hz
        self._counters = counters
        self._block = block
        self._modulus = modulus
        self._dtype = np.dtype(dtype)
        self._index = 0  # of the next sample
        self._at: float | None = None
        self._run: list[Samples] = []
        self._run_length = 0
        self.restart()

    def restart(self) -> None:
        """Take note that another connection begins."""
        self._resumed = True
        self._next = 0
        self._origin = 0.0  # when sample 0 would have arrived without delay
        self._held: list[tuple[int, Samples, float]] = []  # (lost before, values, arrival)
        self._held_since = 0.0
        self._least_late = 0.0

    @property
    def resumed(self) -> bool:
        """Whether nothing has come yet over this connection."""
        return self._resumed

    def add(
        self, values: Samples, at: float, *, counter: int = 0, guess: int = 0, lost: int | None = None
    ) -> list[Event]:
        """Take consecutive samples; return what they complete.

        Args:
            values: [channels, samples], at least one sample.
            at: host time at which they arrived.
            counter: the device's count of the first of them.
            guess: samples that damaged bytes before them speak for.
            lost: exactly so many are missing before them; then neither clock nor counter is asked.
        """
        if self._resumed:
            return self._resume(values, at, counter)
        if lost is not None:
            return self._lose(lost, at) + self._place(values, at)
        missing = self._by_counter(counter, guess)
        self._next = counter + values.shape[1]
        return self._judge(missing, values, at)

    def _by_counter(self, counter: int, guess: int) -> int:
        if not self._modulus:
            return guess
        jump = (counter - self._next) % self._modulus
        return jump + max(0, round((guess - jump) / self._modulus)) * self._modulus

    def _resume(self, values: Samples, at: float, counter: int) -> list[Event]:
        events = self._flush()
        if self._at is not None:
            self._index += max(1, round((at - self._at) * self._rate_hz))
        self._resumed = False
        self._next = counter + values.shape[1]
        self._origin = at - self._index / self._rate_hz
        return events + self._place(values, at)

    def _judge(self, missing: int, values: Samples, at: float) -> list[Event]:
        """Place samples, or hold them while it is open what is missing before them."""
        waiting = sum(lost + held.shape[1] for lost, held, _ in self._held)
        late = at - self._origin - (self._index + waiting + missing) / self._rate_hz
        if late < -SLACK_S and not self._modulus:  # noise between frames, which hit fewer than it has bytes
            missing, late = max(0, missing + round(late * self._rate_hz)), 0.0
        if not self._held:
            if late <= SLACK_S:
                return self._lose(missing, at) + self._place(values, at)
            self._held_since, self._least_late = at, late
        self._least_late = min(self._least_late, late)
        caught_up = late - (values.shape[1] - 1) / self._rate_hz <= SLACK_S / 2
        decided = at - self._held_since >= HOLD_S and late > SLACK_S / 2
        if decided and values.shape[1] > 1:  # the decision is about the first; the others are judged after it
            return self._judge(missing, values[:, :1], at) + self._judge(0, values[:, 1:], at)
        gap = self._whole_rounds(round(self._least_late * self._rate_hz)) if decided else 0
        self._held.append((missing, values, at))
        self._least_late = min(self._least_late, late - (values.shape[1] - 1) / self._rate_hz)
        return self._release(gap) if caught_up or decided else []

    def _whole_rounds(self, count: int) -> int:
        """Return `count`, or the nearest number of samples that leaves the device's counter unchanged."""
        return round(count / self._modulus) * self._modulus if self._modulus else count

    def _release(self, gap: int) -> list[Event]:
        held, self._held = self._held, []
        events: list[Event] = []
        for lost, values, at in held:
            events += self._lose(lost + gap, at) + self._place(values, at)
            gap = 0
        return events

    def _lose(self, count: int, at: float) -> list[Event]:
        if count <= 0:
            return []
        events = self._flush()
        self._index += count
        self._counters.lost_samples += count
        return [*events, Notice("lost_samples", at, detail=str(count))]

    def _place(self, values: Samples, at: float) -> list[Event]:
        count = values.shape[1]
        self._at = at
        drifted = self._origin + DRIFT * count / self._rate_hz
        self._index += count
        self._origin = min(drifted, at - (self._index - 1) / self._rate_hz)
        self._run.append(values)
        self._run_length += count
        if self._run_length < self._block:
            return []
        run, whole = np.concatenate(self._run, axis=1), self._run_length - self._run_length % self._block
        first = self._index - self._run_length
        self._run, self._run_length = ([run[:, whole:]] if whole < run.shape[1] else []), run.shape[1] - whole
        return [
            self._give(run[:, start : start + self._block], first + start, at)
            for start in range(0, whole, self._block)
        ]

    def _flush(self) -> list[Event]:
        if not self._run or self._at is None:
            return []
        run = np.concatenate(self._run, axis=1)
        self._run, self._run_length = [], 0
        return [self._give(run, self._index - run.shape[1], self._at)]

    def _give(self, values: Samples, first: int, at: float) -> SampleBlock:
        return SampleBlock(self.channels, values.astype(self._dtype), first, at)


def add_between(
    line: SampleLine,
    values: Samples,
    at: float,
    words: Mapping[int, list[Event]],
    *,
    counter: int = 0,
    guess: int = 0,
) -> list[Event]:
    """Add consecutive samples to `line`; what `words` holds for a column is told before that sample."""
    if not words:
        return line.add(values, at, counter=counter, guess=guess)
    events: list[Event] = []
    edges = sorted({0, *words, values.shape[1]})
    for start, stop in pairwise(edges):
        events += words.get(start, [])
        events += line.add(values[:, start:stop], at, counter=counter + start, guess=0 if start else guess)
    return events
