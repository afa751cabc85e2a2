"""TI ADS1292R: ProtoCentral's breakout and shield, or one's own microcontroller that passes frames on.

Two ways, told apart by what arrives. The breakout (57600 baud): the text "Initiliziation is done", then
OpenView frames at 125 Hz, type 2, 9 bytes: ECG i16, respiration i16, respiration rate u16, heart rate u16, 0.
Raw: 9 bytes a frame, most significant first: status 1100, LOFF_STAT[4:0], GPIO[1:0], 13 zeros, then channel 1
(respiration) and channel 2 (ECG) as signed 24-bit numbers. Sources: ProtoCentral's ADS1292R examples; TI
ADS1292R data sheet (SBAS502).

Doubts: the breakout's order of respiration and heart rate, and its scale (gain 12, lowest byte dropped, as
its register settings say); its filter (161 taps, 40 Hz) makes ST segments approximate. A newer example
sketch sends five 24-bit samples a frame at 250 Hz: that one is not read. Raw frames: rate (500 Hz) and gain
(6) are the chip's after reset; respiration is not given on. Not tried on a real board.
"""

import numpy as np
from numpy.typing import NDArray

from chevet.bridge.packet import Packet
from chevet.devices.afe_frames import OffInputs, afe_frames, status_words, step_mv
from chevet.devices.byte_frames import Rows, int24
from chevet.devices.conditions import identity
from chevet.devices.counters import Counters
from chevet.devices.ecg_leads import LeadContacts
from chevet.devices.healthypi_v3 import ADS1292R_GAIN_MV
from chevet.devices.openview import Layout, Number, OpenView
from chevet.devices.sample_line import SampleLine, add_between
from chevet.devices.samples import Channel, Event, Notice, SampleBlock

BREAKOUT = Layout(
    "ADS1292R breakout",
    9,
    Channel("ECG", "mV", 125.0, ADS1292R_GAIN_MV),
    (Number("respiration_rate", 4, "<u2", "/min", 100.0), Number("heart_rate", 6, "<u2", "/min", 300.0)),
)
FRAME_BYTES = 9
STILL_ZERO = 0x001FFF
"""The status word's last 13 bits."""
ELECTRODES = 0x1C
"""LOFF_STAT: IN2P, IN2N and the right leg drive, without which channel 2 says nothing."""
RAW_RATE_HZ = 500.0
RAW_GAIN = 6.0
VREF_V = 2.42
BLOCK_SAMPLES = 20


class RawAds1292r:
    """Reads raw frames: the ECG of channel 2 (int32) and whether its electrodes are off."""

    name = "ads1292r"
    instrument = "ecg"

    def __init__(self, rate_hz: float = RAW_RATE_HZ, gain: float = RAW_GAIN) -> None:
        self.counters = Counters()
        channel = Channel("ECG", "mV", rate_hz, step_mv(VREF_V, gain))
        self._frames = afe_frames(2, self.counters, STILL_ZERO)
        self._line = SampleLine((channel,), self.counters, BLOCK_SAMPLES, dtype=np.int32)
        self._inputs = OffInputs(1, _electrodes_off)
        self._contacts = LeadContacts(("ECG",))
        self.start()

    def start(self) -> bytes:
        """Forget the place in the stream; there is nothing to send."""
        self._frames.restart()
        self._line.restart()
        self._contacts.forget()
        self._inputs.forget()
        self._told = False
        return b""

    def tick(self, at: float) -> bytes:  # noqa: ARG002 (the front end needs nothing)
        """Return nothing: the front end streams by itself."""
        return b""

    def stop(self) -> bytes:
        """Return nothing: the front end cannot be stopped."""
        return b""

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        events: list[Event] = []
        for skipped, rows in self._frames.feed(packet.data):
            values = int24(rows, 6, 1)
            words = self._words(rows, values, packet.at)
            events += add_between(self._line, values, packet.at, words, guess=round(skipped / FRAME_BYTES))
        return events

    def _words(self, rows: Rows, values: NDArray[np.int32], at: float) -> dict[int, list[Event]]:
        words: dict[int, list[Event]] = {}
        if not self._told:
            self._told = True
            words[0] = [Notice("identified", at, detail=identity("ADS1292R"))]
        for row, off in self._inputs.changes(rows, values):
            words.setdefault(row, []).extend(self._contacts.tell({"ECG"} if off[0] else set(), at))
        return words


def _electrodes_off(rows: Rows) -> NDArray[np.bool_]:
    off: NDArray[np.bool_] = (status_words(rows) >> 15 & ELECTRODES) != 0
    return off[np.newaxis]


class Ads1292r:
    """Reads whichever of the two ways is spoken; the first to say something is kept until the next start."""

    name = "ads1292r"
    instrument = "ecg"

    def __init__(self) -> None:
        self._breakout = OpenView(self.name, BREAKOUT)
        self._raw = RawAds1292r()
        self._chosen: OpenView | RawAds1292r | None = None
        self.counters = Counters()

    def start(self) -> bytes:
        """Listen for both; there is nothing to send."""
        self._breakout.start()
        self._raw.start()
        self._chosen = None
        return b""

    def tick(self, at: float) -> bytes:  # noqa: ARG002 (both stream by themselves)
        """Return nothing."""
        return b""

    def stop(self) -> bytes:
        """Return nothing."""
        return b""

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        events = self._hear(packet) if self._chosen is None else self._chosen.feed(packet)
        self._add_up()
        return events

    def _hear(self, packet: Packet) -> list[Event]:
        for way in (self._breakout, self._raw):
            events = way.feed(packet)
            if any(isinstance(event, SampleBlock | Notice) for event in events):
                self._chosen = way
                return events
        return []

    def _add_up(self) -> None:
        """Count for both ways: totals of the chosen one would fall when the other is chosen next time."""
        one, two = self._breakout.counters, self._raw.counters
        self.counters.frames = one.frames + two.frames
        self.counters.bad_frames = one.bad_frames + two.bad_frames
        self.counters.lost_samples = one.lost_samples + two.lost_samples
        self.counters.resyncs = one.resyncs + two.resyncs
