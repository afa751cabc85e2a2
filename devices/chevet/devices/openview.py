"""ProtoCentral's boards: frames `0A FA len 00 type payload 00 0B`, as their OpenView program reads them.

No checksum and no counter: a frame is believed by its header, length, type and trailer, numbers in it only
when the frame before says the same, and gaps are placed by the host's clock. Of the waves only the ECG is
given on; respiration and red and infrared light are another instrument's and left.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from chevet.bridge.packet import Packet
from chevet.devices.byte_frames import FixedFrames, Rows, little
from chevet.devices.conditions import identity, reading
from chevet.devices.counters import Counters
from chevet.devices.ecg_leads import LeadContacts
from chevet.devices.sample_line import SampleLine, add_between
from chevet.devices.samples import Channel, Event, Notice, Reading

START = b"\x0a\xfa"
END = b"\x00\x0b"
HEAD_BYTES = 5
AROUND_BYTES = HEAD_BYTES + len(END)
BLOCK_SAMPLES = 5
"""40 ms at 125 Hz: about one lump of a USB serial adapter."""


@dataclass(frozen=True, slots=True)
class Number:
    """One number in the payload.

    Attributes:
        kind: reading kind of the design.
        column: its first byte in the payload.
        numpy: its type there.
        unit: UCUM code.
        highest: nothing above this is believed.
        scale: what one step means.
        none: values that say "no value", besides 0.
    """

    kind: str
    column: int
    numpy: str
    unit: str
    highest: float
    scale: float = 1.0
    none: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """One board's frame.

    Attributes:
        model: as it is shown; "" where another layout of the board tells it.
        payload: length in bytes.
        channel: of the ECG, which stands first in the payload as int16.
        numbers: what else it tells, worked out on the board.
        lead_off: column and bits of the payload that say so, or None.
        probe_off: the same for the oximeter's finger probe.
    """

    model: str
    payload: int
    channel: Channel
    numbers: tuple[Number, ...]
    lead_off: tuple[int, int] | None = None
    probe_off: tuple[int, int] | None = None
    type: int = 2


def openview_check(payload: int, type_: int) -> Callable[[Rows], NDArray[np.bool_]]:
    """Return what judges frames of one type and length."""
    head = START + payload.to_bytes(2, "little") + bytes((type_,))
    fixed = np.frombuffer(b"\xff" * HEAD_BYTES + bytes(payload) + b"\xff" * len(END), np.uint8)
    wanted = np.frombuffer(head + bytes(payload) + END, np.uint8)

    def check(rows: Rows) -> NDArray[np.bool_]:
        good: NDArray[np.bool_] = (rows & fixed == wanted).all(1)
        return good

    return check


class AgreedRows:
    """Finds the frames whose numbers are due: once in `every`, when the frame before said the same."""

    def __init__(self, columns: list[int], every: int) -> None:
        self._columns = columns
        self._every = every
        self.restart()

    def restart(self) -> None:
        """Begin anew: the second frame that agrees is due."""
        self._last: Rows | None = None
        self._wait = 0

    def find(self, payloads: Rows) -> list[int]:
        """Return which of `payloads` [frames, bytes] are due; those between are not looked at."""
        due: list[int] = []
        if self._wait < len(payloads):
            said = payloads[:, self._columns]
            before = said[:1] ^ 0xFF if self._last is None else self._last[:, self._columns]
            for row in np.flatnonzero((said == np.concatenate((before, said[:-1]))).all(1)):
                if row >= self._wait:
                    due.append(int(row))
                    self._wait = int(row) + self._every
        self._last = payloads[-1:]
        self._wait = max(0, self._wait - len(payloads))
        return due


@dataclass(slots=True)
class BoardWords:
    """What one board tells beside its ECG, found in rows of payloads."""

    layout: Layout
    contacts: LeadContacts = field(init=False)
    due: AgreedRows = field(init=False)

    def __post_init__(self) -> None:
        self.contacts = LeadContacts((self.layout.channel.name,))
        columns = [
            number.column + byte
            for number in self.layout.numbers
            for byte in range(np.dtype(number.numpy).itemsize)
        ]
        self.due = AgreedRows(columns, round(self.layout.channel.rate_hz))
        self._was_off = False
        self._told = False

    _was_off: bool = field(init=False)
    _told: bool = field(init=False)

    def restart(self) -> None:
        """Take note that another connection begins."""
        self.contacts.forget()
        self.due.restart()
        self._was_off = self._told = False

    def find(self, payloads: Rows, at: float) -> dict[int, list[Event]]:
        """Return the events of rows [frames, bytes] by row."""
        words: dict[int, list[Event]] = {}
        if self.layout.model and not self._told:
            self._told = True
            words[0] = [Notice("identified", at, detail=identity(self.layout.model))]
        for row, off in self._contact_changes(payloads):
            words.setdefault(row, []).extend(
                self.contacts.tell({self.layout.channel.name} if off else set(), at)
            )
        for row in self.due.find(payloads):
            words.setdefault(row, []).extend(self._readings(payloads[row], at))
        return words

    def _contact_changes(self, payloads: Rows) -> list[tuple[int, bool]]:
        if self.layout.lead_off is None:
            return []
        off = _bits(payloads, self.layout.lead_off)
        if np.count_nonzero(off) == len(off) * self._was_off:
            return []
        changed = np.flatnonzero(off != np.concatenate(([self._was_off], off[:-1])))
        self._was_off = bool(off[-1])
        return [(int(row), bool(off[row])) for row in changed]

    def _readings(self, payload: NDArray[np.uint8], at: float) -> list[Reading]:
        probe = self.layout.probe_off
        probe_off = probe is not None and bool(_bits(payload[np.newaxis], probe)[0])
        found: list[Reading] = []
        for number in self.layout.numbers:
            raw = int(little(payload[np.newaxis], number.column, number.numpy)[0])
            value = None if raw in {0, *number.none} else round(raw * number.scale, 3)
            words: tuple[str, ...] = ()
            if number.kind == "spo2" and probe_off:
                value, words = None, ("sensor_disconnected",)
            found.append(reading(number.kind, value, number.highest, number.unit, at, words))
        return found


def _bits(payloads: Rows, place: tuple[int, int]) -> NDArray[np.bool_]:
    column, bits = place
    on: NDArray[np.bool_] = (payloads[:, column] & bits) != 0
    return on


class OpenView:
    """Reads one board that streams by itself from power-on on: ECG, and its numbers once a second.

    Events: `identified` (the model only), SampleBlocks (int16), `lead_off` where the board tells it,
    readings, `lost_samples`.
    """

    instrument = "ecg"

    def __init__(self, name: str, layout: Layout) -> None:
        self.name = name
        self.counters = Counters()
        self._size = layout.payload + AROUND_BYTES
        check = openview_check(layout.payload, layout.type)
        self._frames = FixedFrames(self._size, check, self.counters, start=START)
        self._line = SampleLine((layout.channel,), self.counters, BLOCK_SAMPLES)
        self._words = BoardWords(layout)

    def start(self) -> bytes:
        """Forget the place in the stream; there is nothing to send."""
        self._frames.restart()
        self._line.restart()
        self._words.restart()
        return b""

    def tick(self, at: float) -> bytes:  # noqa: ARG002 (the board needs nothing)
        """Return nothing: the board streams by itself."""
        return b""

    def stop(self) -> bytes:
        """Return nothing: the board cannot be stopped."""
        return b""

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        events: list[Event] = []
        for skipped, rows in self._frames.feed(packet.data):
            payloads = rows[:, HEAD_BYTES : -len(END)]
            ecg = little(payloads, 0, "<i2")[np.newaxis]
            words = self._words.find(payloads, packet.at)
            guess = round(skipped / self._size)
            events += add_between(self._line, ecg, packet.at, words, guess=guess)
        return events
