"""OpenBCI Cyton: eight 24-bit channels at 250 Hz through its RFduino dongle (115200 baud 8N1).

Commands are single letters: `s` stop, `v` reset, which prints a banner that ends with `$$$`, `d` defaults
(gain 24), answered likewise, `b` begin. A frame: A0, counter 0..255, eight signed 24-bit numbers most
significant first, six auxiliary bytes (acceleration), C0..C6. 4.5 V / gain / (2^23 - 1) a step. Source:
BrainFlow's and OpenBCI's own drivers.

The channels are to be wired I, II, V1 to V6 with Wilson's central terminal as the common reference; III,
aVR, aVL and aVF are worked out from I and II here (the `identified` notice says `derived=...`) and reported
off when either stands at the end of its range.

Doubts: the board knows no lead-off in this mode, so a loose electrode shows only at the end of its range.
The dongle prints "Failure" while the board is off (`refused`, detail "board_off"). Lower the dongle's
latency timer to 1 ms, or samples come in lumps. Acceleration is left. Not tried on a real board.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from chevet.bridge.packet import Packet
from chevet.devices.afe_frames import OffInputs, step_mv
from chevet.devices.byte_frames import FixedFrames, Rows, int24
from chevet.devices.conditions import identity
from chevet.devices.counters import Counters
from chevet.devices.ecg_leads import DERIVED, MEASURED, TWELVE, LeadContacts, twelve_leads, without_contact
from chevet.devices.sample_line import SampleLine, add_between
from chevet.devices.samples import Channel, Event, Notice
from chevet.devices.startup import Startup, Step

FRAME_BYTES = 33
CHANNELS = 8
RATE_HZ = 250.0
GAIN, VREF_V = 24.0, 4.5
BLOCK_SAMPLES = 10
BANNER_END = b"$$$"
STEPS = (
    Step(b"s", 0.5, answered=False),
    Step(b"v", 3.0),
    Step(b"d", 2.0),
    Step(b"b", 2.0),
)
OFF_PAUSE_S = 2.0
TEXT_AT_MOST = 2048


class Cyton:
    """Resets and starts the board, then reads twelve leads (int32), four of them derived."""

    name = "cyton"
    instrument = "ecg"

    def __init__(self) -> None:
        self.counters = Counters()
        channels = tuple(Channel(name, "mV", RATE_HZ, step_mv(VREF_V, GAIN)) for name in TWELVE)
        self._frames = FixedFrames(FRAME_BYTES, _valid, self.counters, start=b"\xa0")
        self._line = SampleLine(channels, self.counters, BLOCK_SAMPLES, modulus=256, dtype=np.int32)
        self._inputs = OffInputs(CHANNELS)
        self._contacts = LeadContacts(TWELVE)
        self._startup = Startup(STEPS)
        self._refused = False
        self.start()

    def start(self) -> bytes:
        """Return `s`: the board may be streaming from before; the rest follows from `tick`."""
        self._frames.restart()
        self._line.restart()
        self._contacts.forget()
        self._inputs.forget()
        self._text = bytearray()
        return self._startup.begin()

    def tick(self, at: float) -> bytes:
        """Return the command that is due, mostly nothing."""
        return self._startup.due(at)

    def stop(self) -> bytes:
        """Return `s`."""
        return b"s"

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        if self._startup.waiting_for in {b"s", b"v", b"d"}:
            return self._read(packet.data, packet.at)
        events = [] if self._startup.done else self._read(packet.data, packet.at)
        for skipped, rows in self._frames.feed(packet.data):
            self._startup.hear(packet.at)
            events += self._accepted(packet.at)
            for first, run in counted_runs(rows, rows[:, 1]):
                guess = 0 if first else round(skipped / FRAME_BYTES)
                events += self._take(run, guess, packet.at)
        return events

    def _take(self, rows: Rows, guess: int, at: float) -> list[Event]:
        values = int24(rows, 2, CHANNELS)
        words: dict[int, list[Event]] = {}
        for row, off in self._inputs.changes(rows, values):
            leads = {name for name, gone in zip(MEASURED, off, strict=True) if gone}
            words[row] = self._contacts.tell(without_contact(leads), at)
        return add_between(self._line, twelve_leads(values), at, words, counter=int(rows[0, 1]), guess=guess)

    def _read(self, data: bytes, at: float) -> list[Event]:
        """Read what the board prints while it does not stream."""
        events: list[Event] = []
        self._text += data
        if b"Failure" in self._text:
            self._text.clear()
            self._startup.pause(at, OFF_PAUSE_S)
            if not self._refused:
                self._refused = True
                events.append(Notice("refused", at, detail="board_off"))
            return events
        while (end := self._text.find(BANNER_END)) >= 0:
            banner = bytes(self._text[:end])
            del self._text[: end + len(BANNER_END)]
            if self._startup.answered(b"v"):
                events.append(Notice("identified", at, detail=_about(banner)))
            else:
                self._startup.answered(b"d")
        del self._text[:-TEXT_AT_MOST]
        return events

    def _accepted(self, at: float) -> list[Event]:
        was, self._refused = self._refused, False
        return [Notice("refused", at, on=False, detail="board_off")] if was else []


def counted_runs(rows: Rows, counters: NDArray[np.uint8]) -> list[tuple[int, Rows]]:
    """Split frames where their counter, 0 to 255, jumps: (index of the first, frames)."""
    jumps = np.flatnonzero(counters[1:] - counters[:-1] != 1)
    if not len(jumps):
        return [(0, rows)]
    edges = [0, *(int(jump) + 1 for jump in jumps), len(rows)]
    return [(start, rows[start:stop]) for start, stop in pairwise(edges)]


def _valid(rows: Rows) -> NDArray[np.bool_]:
    good: NDArray[np.bool_] = (rows[:, 0] == 0xA0) & (
        rows[:, -1] - 0xC0 <= 6
    )  # uint8: below 0xC0 is far above
    return good


def _about(banner: bytes) -> str:
    _, _, firmware = banner.partition(b"Firmware: ")
    words = firmware.decode("ascii", "replace").split()
    return identity("OpenBCI Cyton", "", words[0] if words else "") + ";derived=" + ",".join(DERIVED)
