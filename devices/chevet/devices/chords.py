"""Upside Down Labs' Chords firmware on an Arduino, with a BioAmp EXG Pill or an AD8232 at input A0.

Text commands, a line each: `STOP`, `WHORU` (answer such as "UNO-R3"), `START`. While it streams, any byte it
receives stops the stream, so this driver then says nothing; only after silence it begins again. A frame:
C7 7C, counter 0..255, six 10-bit (R4: 14-bit) numbers most significant first, 01. UNO R3 250 Hz and its
clones, UNO R4 500 Hz; 230400 baud (clones 115200). Source: Chords-Arduino-Firmware (UNO-R3.ino).

Doubts: the ECG's scale depends on the amplifier: 1100 is that of SparkFun's AD8232 board; an EXG Pill
amplifies more, and nothing tells which one is there, so amplitudes are not to be measured. Only A0 is given
on. Boards with other names send other frames and are refused (detail "model=..."). Not tried on a real board.
"""

import numpy as np
from numpy.typing import NDArray

from chevet.bridge.packet import Packet
from chevet.devices.byte_frames import FixedFrames, Rows
from chevet.devices.conditions import clean, identity
from chevet.devices.counters import Counters
from chevet.devices.cyton import counted_runs
from chevet.devices.sample_line import SampleLine
from chevet.devices.samples import Channel, Event, Notice
from chevet.devices.startup import Startup, Step
from chevet.devices.text_lines import TextLines

FRAME_BYTES = 16
INPUTS = 6
AMPLIFIER_GAIN = 1100.0
SUPPLY_MV = 5000.0
STOP, WHO, START = b"STOP\n", b"WHORU\n", b"START\n"
STEPS = (Step(STOP, 0.3, answered=False), Step(WHO, 1.0), Step(START, 1.5))
"""An Arduino restarts when its port is opened and hears nothing for a second or two."""
BLOCK_SAMPLES = 10


def _channel(rate_hz: float, bits: int) -> Channel:
    step = SUPPLY_MV / (2**bits - 1) / AMPLIFIER_GAIN
    return Channel("ECG", "mV", rate_hz, step, -step * 2 ** (bits - 1))


BOARDS = {
    "UNO-R3": _channel(250.0, 10),
    "UNO-CLONE": _channel(250.0, 10),
    "UNO-R4": _channel(500.0, 14),
}


class Chords:
    """Asks the board's name, starts it and reads input A0 (int16)."""

    name = "chords"
    instrument = "ecg"

    def __init__(self) -> None:
        self.counters = Counters()
        self._frames = FixedFrames(FRAME_BYTES, _valid, self.counters, start=b"\xc7\x7c")
        self._lines = {
            board: SampleLine((channel,), self.counters, BLOCK_SAMPLES, modulus=256)
            for board, channel in BOARDS.items()
        }
        self._startup = Startup(STEPS)
        self._text = TextLines()
        self._board = ""
        self._refused = ""
        self.start()

    def start(self) -> bytes:
        """Return `STOP`: the board may be streaming from before; the rest follows from `tick`."""
        self._frames.restart()
        self._text.restart()
        for line in self._lines.values():
            line.restart()
        return self._startup.begin()

    def tick(self, at: float) -> bytes:
        """Return the command that is due; nothing at all while the board streams."""
        return self._startup.due(at)

    def stop(self) -> bytes:
        """Return `STOP`."""
        return STOP

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        if self._startup.waiting_for == WHO:
            return [event for line in self._text.feed(packet.data) for event in self._named(line, packet.at)]
        line = self._lines.get(self._board)
        if self._startup.waiting_for == STOP or line is None:
            return []
        events: list[Event] = []
        for skipped, rows in self._frames.feed(packet.data):
            self._startup.hear(packet.at)
            for first, run in counted_runs(rows, rows[:, 2]):
                guess = 0 if first else round(skipped / FRAME_BYTES)
                values = np.ascontiguousarray(run[:, 3:5]).view(">i2").T.astype(np.int16)
                events += line.add(values, packet.at, counter=int(run[0, 2]), guess=guess)
        return events

    def _named(self, line: str | None, at: float) -> list[Event]:
        if line in BOARDS:
            self._startup.answered(WHO)
            events: list[Event] = [Notice("identified", at, detail=identity(f"Chords {line}"))]
            if self._board != line:
                self._board = line
            if self._refused:
                events.append(Notice("refused", at, on=False, detail=self._refused))
                self._refused = ""
            return events
        detail = f"model={clean(line or '')}"
        if line is None or not line.replace("-", "").isalnum() or detail == self._refused:
            return []  # the end of a frame, or said before
        self._refused = detail
        return [Notice("refused", at, detail=detail)]


# The upper two bits of a number are never set: no board has more than 14.
_FIXED = np.frombuffer(b"\xff\xff\0" + b"\xc0\0" * 6 + b"\xff", np.uint8)
_WANTED = np.frombuffer(b"\xc7\x7c\0" + b"\0\0" * 6 + b"\x01", np.uint8)


def _valid(rows: Rows) -> NDArray[np.bool_]:
    good: NDArray[np.bool_] = (rows & _FIXED == _WANTED).all(1)
    return good
