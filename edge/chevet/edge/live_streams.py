"""From an instrument's blocks to sections of live mode, at one of a few levels from all of it to nothing.

Waves keep their integers: a lower rate is the rounded mean of as many samples, never a guess across a gap.
Sound is coded by Opus. These copies are for looking and listening now; what is kept is in the journal.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin, lfilter

from chevet.devices.samples import Channel, SampleBlock, Samples
from chevet.exchange.live_sender import OVERHEAD
from chevet.exchange.live_wire import DELTA, MOST_SAMPLES, OPUS, Section, Stream, pack_deltas, pack_packets
from chevet.study.sound_stream import RATES, OpusStream, packet_samples

NOTHING: Final = 3
PERIODS_S: Final = (0.1, 0.2, 0.4)
"""Between frames at each level: fewer frames cost fewer heads, and come later."""
WAVE_HZ: Final = (250.0, 250.0, 125.0)
"""Rates of a wave at each level. 125 Hz shows every wave of an ECG, though not its sharpest edge."""
SOUND_BITS: Final = (16_000, 12_000, 8_000)
FEW_LEADS: Final = ("II", "V1", "V5")
"""Of twelve leads at the middle level; the first of them is the last to go."""
_BITS: Final = 8.0
"""Of a step of an ECG at 250 Hz, as packed, with some reserve."""
_FRAME: Final = 36 + OVERHEAD
OPENINGS: Final = 300.0
"""Bytes a second of answers to one desk's words, beside the frames."""
_LONGEST: Final = MOST_SAMPLES // 2
_FIR_PER_PHASE: Final = 16
_SAME_RATE: Final = 1e-6


class LiveStream(Protocol):
    """One stream under one number."""

    @property
    def told(self) -> Stream:
        """What the other end is told of it."""
        ...

    def feed(self, block: SampleBlock) -> None:
        """Take samples."""
        ...

    def take(self) -> list[Section]:
        """Return what came since the last call."""
        ...


def cost(kind: str, channels: Sequence[Channel], level: int) -> float:
    """Return about how many bytes a second a stream takes at a level, heads included."""
    if level >= NOTHING:
        return 0.0
    frames = 1 / PERIODS_S[level]
    if kind == "stethoscope":
        return SOUND_BITS[level] / 8 + 100 + frames * (_FRAME + 9)
    rows, rate_hz = _rows(channels, level), channels[0].rate_hz / _step(channels[0].rate_hz, level)
    return len(rows) * (rate_hz * _BITS / 8 + 5 * frames) + frames * (_FRAME + 9)


def make_stream(ident: int, kind: str, block: SampleBlock, level: int) -> LiveStream:
    """Return a stream of a device's blocks at a level below NOTHING, beginning with this block."""
    if kind == "stethoscope":
        return SoundStream(ident, kind, block, SOUND_BITS[level])
    return WaveStream(ident, kind, block, level)


def _rows(channels: Sequence[Channel], level: int) -> list[int]:
    if level == 0:
        return list(range(len(channels)))
    names = [channel.name for channel in channels]
    if level == 1:
        few = [names.index(name) for name in FEW_LEADS if name in names]
        return few if len(few) == len(FEW_LEADS) else list(range(min(3, len(names))))
    return [names.index(FEW_LEADS[0]) if FEW_LEADS[0] in names else 0]


def _step(rate_hz: float, level: int) -> int:
    return max(1, int(np.ceil(rate_hz / WAVE_HZ[level])))


class WaveStream:
    """ECG or pleth as integers."""

    def __init__(self, ident: int, kind: str, block: SampleBlock, level: int) -> None:
        rate_hz = block.channels[0].rate_hz
        self._rows, self._step = _rows(block.channels, level), _step(rate_hz, level)
        sent_hz = rate_hz / self._step
        channels = tuple(
            Channel(c.name, c.unit, sent_hz, c.gain, c.offset)
            for c in (block.channels[row] for row in self._rows)
        )
        self.told = Stream(ident, kind, DELTA, sent_hz, channels)
        self._left = np.empty((len(self._rows), 0), dtype=np.int64)
        self._next = -1
        self._out: list[tuple[int, NDArray[np.int32]]] = []

    def feed(self, block: SampleBlock) -> None:
        """Take samples; those of an incomplete mean before a gap are dropped, and so is the one after it."""
        values = block.values[self._rows].astype(np.int64)
        first = block.first
        if block.first != self._next:
            self._left = self._left[:, :0]
        if not self._left.shape[1]:
            skip = -first % self._step  # a mean begins at a whole multiple of its length
            values, first = values[:, skip:], first + skip
        self._next = block.first + block.values.shape[1]
        start = first - self._left.shape[1]
        values = np.concatenate([self._left, values], axis=1)
        whole = values.shape[1] // self._step
        self._left = values[:, whole * self._step :]
        if whole:
            groups = values[:, : whole * self._step].reshape(len(self._rows), whole, self._step)
            edges = np.iinfo(np.int32)
            means = np.clip(np.rint(groups.mean(axis=2)), edges.min, edges.max).astype(np.int32)
            self._out.append((start // self._step, means))

    def take(self) -> list[Section]:
        """Return one section for each stretch without a gap."""
        out, self._out = self._out, []
        runs: list[tuple[int, list[NDArray[np.int32]], int]] = []
        for first, values in out:
            size = values.shape[1]
            if runs and runs[-1][0] + runs[-1][2] == first and runs[-1][2] + size <= _LONGEST:
                start, parts, length = runs[-1]
                runs[-1] = (start, [*parts, values], length + size)
            else:
                runs.append((first, [values], size))
        return [
            Section(self.told.id, first, length, pack_deltas(np.concatenate(parts, axis=1)))
            for first, parts, length in runs
        ]


class SoundStream:
    """Sound as Opus; a gap begins a new encoder, and the index jumps."""

    def __init__(self, ident: int, kind: str, block: SampleBlock, bits: int) -> None:
        channel = block.channels[0]
        self._bits, self._rate_hz = bits, channel.rate_hz
        self._sent_hz = next((rate for rate in RATES if rate >= channel.rate_hz), RATES[-1])
        # what comes out of the decoder is 16 bits of full scale, whatever the instrument's were
        self.told = Stream(
            ident,
            kind,
            OPUS,
            float(self._sent_hz),
            (Channel(channel.name, channel.unit, self._sent_hz, 2.0**-15),),
        )
        self._full = 1.0 / channel.gain if channel.unit == "1" and channel.gain > 0 else 2.0**15
        self._next = block.first
        self._begin(self._index(block))
        self._out: list[tuple[int, int, bytes]] = []

    def _index(self, block: SampleBlock) -> int:
        return round(block.first * self._sent_hz / self._rate_hz)

    def _begin(self, first: int) -> None:
        self._encoder = OpusStream(self._sent_hz, self._bits)
        self._up = _Up(self._rate_hz, self._sent_hz)
        self._at = first

    def feed(self, block: SampleBlock) -> None:
        """Take samples."""
        if block.first != self._next:
            self._encoder.close()
            self._begin(max(self._at, self._index(block)))
        self._next = block.first + block.values.shape[1]
        for packet in self._encoder.feed(self._up.feed(_linear(block.values, self._full))):
            count = packet_samples(packet, self._sent_hz)
            self._out.append((self._at, count, packet))
            self._at += count

    def take(self) -> list[Section]:
        """Return one section for each stretch without a gap."""
        out, self._out = self._out, []
        runs: list[list[tuple[int, int, bytes]]] = []
        for item in out:
            if runs and runs[-1][-1][0] + runs[-1][-1][1] == item[0]:
                runs[-1].append(item)
            else:
                runs.append([item])
        return [
            Section(
                self.told.id,
                run[0][0],
                sum(count for _, count, _ in run),
                pack_packets([packet for _, _, packet in run]),
            )
            for run in runs
        ]


def _linear(values: Samples, full: float) -> NDArray[np.float64]:
    return np.asarray(values[0], dtype=np.float64) / full


class _Up:
    """Brings sound to a rate that Opus takes, block by block without a seam.

    A whole multiple (4 to 8 kHz) goes through a low-pass; of other rates (44.1 kHz) samples are joined by
    lines, which is far below what can be heard of a heart or a lung.
    """

    def __init__(self, rate_hz: float, sent_hz: int) -> None:
        self._ratio = sent_hz / rate_hz
        self._up = round(self._ratio) if abs(self._ratio - round(self._ratio)) < _SAME_RATE else 0
        self._taps = firwin(_FIR_PER_PHASE * self._up + 1, 1 / self._up) * self._up if self._up > 1 else None
        self._state = np.zeros(_FIR_PER_PHASE * self._up)
        self._last, self._position = np.zeros(0), 0.0

    def feed(self, sound: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the samples that follow."""
        if self._taps is not None:
            stuffed = np.zeros(len(sound) * self._up)
            stuffed[:: self._up] = sound
            out, self._state = lfilter(self._taps, [1.0], stuffed, zi=self._state)
            return np.asarray(out, dtype=np.float64)
        return sound if self._up == 1 else self._joined(sound)

    def _joined(self, sound: NDArray[np.float64]) -> NDArray[np.float64]:
        sound = np.concatenate([self._last, sound])
        count = (
            max(0, int(np.floor((len(sound) - 1 - self._position) * self._ratio)) + 1)
            if len(sound) > 1
            else 0
        )
        at = self._position + np.arange(count) / self._ratio
        after = self._position + count / self._ratio
        kept = min(int(after), len(sound) - 1)
        self._last, self._position = sound[kept:], after - kept
        return np.interp(at, np.arange(len(sound)), sound)
