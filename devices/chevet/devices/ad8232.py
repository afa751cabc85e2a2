"""SparkFun's AD8232 heart monitor with its example sketch on an Arduino: one number a line at 9600 baud.

`analogRead` (0 to 1023) in decimal, or `!` while an electrode is off. Source: SparkFun's hookup guide, from
memory.

Doubts: nothing here is fit for measuring. The sketch has no clock: a line leaves when the one before has
been sent, so three digits make 192 lines a second and four digits 160; 192 Hz is taken, and intervals err by
as much. The scale assumes a 3.3 V Arduino (an Uno has 5 V) and the board's gain of 1100. While an electrode
is off the lines are shorter and say nothing about time, so what follows is placed by the host's clock.
"""

import numpy as np

from chevet.bridge.packet import Packet
from chevet.devices.conditions import identity
from chevet.devices.counters import Counters
from chevet.devices.ecg_leads import LeadContacts
from chevet.devices.sample_line import SampleLine
from chevet.devices.samples import Channel, Event, Notice
from chevet.devices.text_lines import TextLines

RATE_HZ = 192.0
STEP_MV = 3300 / 1023 / 1100
CHANNEL = Channel("ECG", "mV", RATE_HZ, STEP_MV, -1650 / 1100)
HIGHEST = 1023
LEAD_OFF = "!"
BLOCK_SAMPLES = 8


class Ad8232:
    """Reads the lines (int16); a rough look at a rhythm, no more."""

    name = "ad8232"
    instrument = "ecg"

    def __init__(self) -> None:
        self.counters = Counters()
        self._text = TextLines()
        self._line = SampleLine((CHANNEL,), self.counters, BLOCK_SAMPLES)
        self._contacts = LeadContacts((CHANNEL.name,))
        self.start()

    def start(self) -> bytes:
        """Forget the place in the stream; there is nothing to send."""
        self._text.restart()
        self._line.restart()
        self._contacts.forget()
        self._told = False
        self._off = False
        self._begun = False
        self._broken = 0
        self._run: list[int] = []
        return b""

    def tick(self, at: float) -> bytes:  # noqa: ARG002 (the sketch needs nothing)
        """Return nothing: the sketch prints by itself."""
        return b""

    def stop(self) -> bytes:
        """Return nothing: the sketch cannot be stopped."""
        return b""

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        events: list[Event] = []
        for line in self._text.feed(packet.data):
            if not self._begun:
                self._begun = True  # the first line may be the end of one
            elif line is not None and line.isdecimal() and len(line) <= 4 and int(line) <= HIGHEST:
                events += self._measured(int(line), packet.at)
            else:
                events += self._give(packet.at) + self._said(line, packet.at)
        return events + self._give(packet.at)

    def _said(self, line: str | None, at: float) -> list[Event]:
        if line == LEAD_OFF:
            self.counters.frames += 1
            self._off = True
            return self._contacts.tell({CHANNEL.name}, at)
        self.counters.bad_frames += 1
        self._broken += 1
        return []

    def _measured(self, value: int, at: float) -> list[Event]:
        self.counters.frames += 1
        self._run.append(value)
        events: list[Event] = []
        if not self._told:
            self._told = True
            events.append(Notice("identified", at, detail=identity("AD8232 sketch")))
        if self._off:
            self._off = False
            self._line.restart()
            events += self._contacts.tell(set(), at)
        return events

    def _give(self, at: float) -> list[Event]:
        """Place the numbers that came one after the other."""
        if not self._run:
            return []
        run, self._run = np.array([self._run]), []
        broken, self._broken = self._broken, 0
        return self._line.add(run, at, guess=broken)
