"""Nonin handhelds that print (8500, 2500, 9600, BT4000 and others): `SPO2=097 HR=072`, one line a second.

9600 baud 8N1. After power-on a header names format, time and date; "---" is no number; "*" marks an event
and "F" fast-responding numbers. Source: Nonin's BT4000 and 8500 manuals, chapter on real-time data output.

Doubts: the spacing differs between models, so any is taken; numbers of other than three characters are not,
because a line that lost a byte would look like them. A changed digit cannot be noticed: there is no
checksum.
"""

import re

from chevet.bridge.packet import Packet
from chevet.devices.conditions import identity, pulse_reading, spo2_reading
from chevet.devices.counters import Counters
from chevet.devices.samples import Event, Notice
from chevet.devices.text_lines import TextLines

LINE = re.compile(r"SPO2=(\d{3}|---)\s+HR=(\d{3}|---)\s*(F?)\s*(\*?)", re.IGNORECASE)


class NoninAscii:
    """Reads one SpO2 and one pulse rate a second. Lines of another form are counted and left."""

    name = "nonin-ascii"
    instrument = "oximeter"

    def __init__(self) -> None:
        self.counters = Counters()
        self._lines = TextLines()
        self._named = False

    def start(self) -> bytes:
        """Return nothing: the oximeter prints by itself."""
        self._lines.restart()
        self._named = False
        return b""

    def tick(self, at: float) -> bytes:  # noqa: ARG002 (the oximeter needs nothing)
        """Return nothing."""
        return b""

    def stop(self) -> bytes:
        """Return nothing: it cannot be stopped."""
        return b""

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        events: list[Event] = []
        for line in self._lines.feed(packet.data):
            found = LINE.fullmatch(line) if line else None
            if found is None:
                self.counters.bad_frames += 1
                continue
            self.counters.frames += 1
            events += self._read(found, packet.at)
        return events

    def _read(self, found: re.Match[str], at: float) -> list[Event]:
        spo2, rate, fast, event = found.groups()
        words = ("fast",) * bool(fast) + ("event_mark",) * bool(event)
        events: list[Event] = []
        if not self._named:
            self._named = True
            events.append(Notice("identified", at, detail=identity("Nonin ASCII")))
        events.append(spo2_reading(_number(spo2), at, words))
        events.append(pulse_reading(_number(rate), at, words))
        return events


def _number(text: str) -> float | None:
    return None if text.startswith("-") else float(text)
