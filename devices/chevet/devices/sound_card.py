"""Stethoscopes on a sound card: any USB Audio Class stethoscope, or Thinklabs One on a line input.

The link (`alsa:`) gives the card's raw samples; they are brought to 4000 Hz by the filter of `decimator`
(flat to 1800 Hz, linear phase, no high-pass) and stay whole numbers of the card's own scale.

Doubts: what is before the sound card is not known: a stethoscope's own filter, its volume, its clipping
(Thinklabs One clips at high volume: set 5 to 8, and its filter to the wide one); a card's analogue high-pass
is not in its mixer. Cards on USB may lose a millisecond without a word when the bus is disturbed; losses of
0.3 s and more are seen by the host's clock.
"""

import numpy as np
from numpy.typing import NDArray

from chevet.bridge.alsa_link import GAP, PCM, SETUP
from chevet.bridge.clock import DeviceClock
from chevet.bridge.packet import Packet
from chevet.devices.counters import Counters
from chevet.devices.decimator import OUT_HZ, Decimator
from chevet.devices.sample_line import SampleLine
from chevet.devices.samples import Channel, Event, Notice, SampleBlock

FORMATS = {"S16_LE": (2, 16), "S24_3LE": (3, 24), "S32_LE": (4, 24)}
"""Bytes a sample, and the bits of it that are kept: of 32 the upper 24, as microphones on I2S have them."""
SIMULATED = "chevet_sim"
"""The name of the simulator's cards: what they give must never be taken for a patient's."""
RATE_TOLERANCE = 0.01
RATE_AFTER_S = 20.0
"""As for the kit: a crystal errs by less than 0.01 %."""
MOST_CHANNELS = 32
OWN_WORDS = frozenset({"rate", "format", "channels", "channel", "model", "serial"})


class SoundCard:
    """Reads one channel of a sound card.

    Events: `identified` (detail "model=..;serial=..;firmware=;usb=..;card_rate=..;agc=..;..": the card's own
    gain and filters), SampleBlocks of channel "sound" (4000 Hz, int16 or, from 24 bits, int32; full scale is
    1), `lost_samples` with the count, `rate_wrong`, `refused` (detail "format=.." or "rate=..").

    The index goes on over a new connection, after a gap as long as the host's clock says. A gap costs the
    filter's reach on both sides, up to 35 ms beside the gap itself, and is counted with it.
    """

    name = "sound-card"
    instrument = "stethoscope"

    def __init__(self) -> None:
        self.counters = Counters()
        self.clock: DeviceClock | None = None
        self._layout: tuple[int, str, int] | None = None  # rate, format, channels
        self._take = 0
        self._line: SampleLine | None = None
        self._decimator: Decimator | None = None
        self._channels: tuple[Channel, ...] = ()
        self._next: int | None = None
        self._ready = False
        self._rest = b""
        self._begin()

    def _begin(self) -> None:
        self._ready = False
        self._rest = b""
        self._gap = False
        self._losing = False
        self._at: float | None = None
        self._rate_told = False
        self.clock = None

    def start(self) -> bytes:
        """Return nothing: opening the link starts the card."""
        self._begin()
        if self._line is not None:
            self._line.restart()
        return b""

    def tick(self, at: float) -> bytes:  # noqa: ARG002 (a card needs nothing)
        """Return nothing."""
        return b""

    def stop(self) -> bytes:
        """Return nothing: closing the link stops the card."""
        return b""

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        if packet.source == SETUP:
            return self._set_up(packet)
        if packet.source == GAP:
            self._gap, self._rest = self._ready, b""
            return []
        if packet.source != PCM or not self._ready:
            self.counters.bad_frames += 1
            return []
        self.counters.frames += 1
        return self._sound(packet)

    def _set_up(self, packet: Packet) -> list[Event]:
        """Take the card's description."""
        words = _words(packet.data)
        layout = _layout(words)
        if layout is None or self._layout not in {None, layout}:
            return self._refuse(f"format={words.get('format', '')}", packet.at)
        if self._line is None:
            try:
                self._make(layout)
            except ValueError:
                return self._refuse(f"rate={layout[0]}", packet.at)
        self._layout, self._take = layout, int(words["channel"]) - 1
        self._ready = True
        self.counters.frames += 1
        return [Notice("identified", packet.at, detail=_identity(words))]

    def _refuse(self, detail: str, at: float) -> list[Event]:
        self._ready = False
        self.counters.bad_frames += 1
        return [Notice("refused", at, detail=detail)]

    def _make(self, layout: tuple[int, str, int]) -> None:
        rate_hz, sample_format, _ = layout
        bits = FORMATS[sample_format][1]
        self._decimator = Decimator(rate_hz, bits)
        self._channels = (Channel("sound", "1", float(OUT_HZ), 2.0 ** (1 - bits)),)
        card = (Channel("card", "1", float(rate_hz), 2.0 ** (1 - bits)),)
        self._line = SampleLine(card, Counters(), self._decimator.block_in, dtype=np.int32)

    def _sound(self, packet: Packet) -> list[Event]:
        """Place the frames of one packet in time."""
        assert self._layout is not None
        assert self._line is not None
        rate_hz, sample_format, channels = self._layout
        width = FORMATS[sample_format][0]
        data = self._rest + packet.data
        whole = len(data) - len(data) % (width * channels)
        self._rest = data[whole:]
        if not whole:
            return []
        values = _samples(data[:whole], width, channels, self._take)
        lost = None
        if self._gap and self._at is not None:
            lost = max(1, round((packet.at - self._at) * rate_hz) - len(values))
        self._gap, self._at = False, packet.at
        return self._decimated(self._line.add(values[np.newaxis], packet.at, lost=lost))

    def _decimated(self, placed: list[Event]) -> list[Event]:
        """Return 4000 Hz blocks of the card's blocks, and what was lost between them."""
        assert self._decimator is not None
        events: list[Event] = []
        for event in placed:
            if isinstance(event, Notice):
                self._losing = True
            elif isinstance(event, SampleBlock):
                late_s = self._decimator.reach / event.channels[0].rate_hz
                for first, values in self._decimator.add(event.values[0], event.first):
                    events += self._give(first, values[np.newaxis], event.at - late_s)
        return events

    def _give(self, first: int, values: NDArray[np.int16] | NDArray[np.int32], at: float) -> list[Event]:
        """Give one block, its time put back by the wait for the filter."""
        events: list[Event] = []
        missing = first - self._next if self._next is not None else 0
        if missing and self._losing:
            self.counters.lost_samples += missing
            events.append(Notice("lost_samples", at, detail=str(missing)))
        if missing or self.clock is None:
            self.clock = DeviceClock(OUT_HZ)
        self._losing, self._next = False, first + values.shape[1]
        self.clock.add(self._next, at)
        return [*events, SampleBlock(self._channels, values, first, at), *self._check_rate(at)]

    def _check_rate(self, at: float) -> list[Event]:
        clock = self.clock
        if clock is None or self._rate_told or clock.span_s < RATE_AFTER_S:
            return []
        if abs(clock.error) <= RATE_TOLERANCE:
            return []
        self._rate_told = True
        return [Notice("rate_wrong", at, detail=f"nominal={clock.nominal_hz:g};measured={clock.rate_hz:.2f}")]


def _words(data: bytes) -> dict[str, str]:
    """Return the words of a setup packet."""
    text = data.decode("ascii", "replace")
    return {name: value for name, _, value in (word.partition("=") for word in text.split(";")) if value}


def _layout(words: dict[str, str]) -> tuple[int, str, int] | None:
    """Return rate, format and channels, or None where they cannot be."""
    numbers = [words.get(name, "") for name in ("rate", "channels", "channel")]
    if not all(number.isascii() and number.isdecimal() and len(number) < 7 for number in numbers):
        return None
    rate_hz, channels, channel = (int(number) for number in numbers)
    if words.get("format") not in FORMATS or not 1 <= channel <= channels <= MOST_CHANNELS:
        return None
    return rate_hz, words["format"], channels


def _identity(words: dict[str, str]) -> str:
    """Return an `identified` notice's detail: who the card is, then what it does to the sound."""
    told = {"model": words.get("model", ""), "serial": words.get("serial", ""), "firmware": ""}
    told |= {"card_rate": words["rate"], "card_format": words["format"], "card_channel": words["channel"]}
    told |= {name: value for name, value in words.items() if name not in OWN_WORDS}
    if told["model"].startswith(SIMULATED):
        told["simulated"] = "1"
    return ";".join(f"{name}={value}" for name, value in told.items())


def _samples(data: bytes, width: int, channels: int, take: int) -> NDArray[np.int32]:
    """Return one channel's samples of whole frames, of 32 bits the upper 24."""
    if width == 2:
        return np.frombuffer(data, "<i2")[take::channels].astype(np.int32)
    if width == 4:
        return np.frombuffer(data, "<i4")[take::channels].astype(np.int32) >> 8
    count = len(data) // (3 * channels)
    wide = np.ndarray((count,), "<i4", data + b"\0", 3 * take, (3 * channels,))  # each with a byte too many
    values: NDArray[np.int32] = wide << 8 >> 8
    return values
