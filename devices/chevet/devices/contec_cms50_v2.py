"""Contec CMS50D+ from firmware 4.6, CMS50E, F and EW: packets of up to nine bytes at 115200 baud 8N1.

Nothing comes before `start live`, and streaming ends about 30 s after the last keep-alive, which is due
every 5 s. Layout: [0] type with bit 7 clear; [1] the bits 7 of what follows; [2..8] data, bit 7 set.
Source: Contec's "Communication protocol of pulse oximeter V7.0" as used by Brad Martin's and timegrid's
programs, MarkMLl's USB captures, atbrask's CMS50Dplus.

Doubts: "searching too long" (bit 4 of the first byte) is taken as "finger out", as in the older frames.
Some packets omit padding, so a packet ends with the next type byte (or after nine bytes, or 0.25 s of
quiet), never by a table. The start of a stored recording (its date) has two forms in public programs and is
not read: stored readings carry the second within the recording, and the bytes of that answer, whatever they
say, only tell one recording from another. Perfusion index: unit 0.01 %, from one program only.
"""

import zlib
from collections import deque

from chevet.bridge.packet import Packet
from chevet.devices.conditions import (
    Agreement,
    Conditions,
    identity,
    perfusion_reading,
    pulse_reading,
    spo2_reading,
)
from chevet.devices.contec_cms50_v1 import BLOCK_FRAMES, PLETH, RATE_HZ, Words, conditions
from chevet.devices.contec_packets import PACKET_BYTES, ContecPackets, Cut, command
from chevet.devices.counters import Counters
from chevet.devices.memory import FROM_STORAGE, LONGEST_MARK, STORED_UNTIL
from chevet.devices.pulse_wave import PulseWave
from chevet.devices.samples import Event, Notice

START_LIVE, STOP_LIVE, ASK_STORED, STOP_STORED = 0xA1, 0xA2, 0xA6, 0xA7
ASK_LENGTH, ASK_STARTED, ASK_MODEL, ASK_VENDOR, KEEP_ALIVE = 0xA4, 0xA5, 0xA8, 0xA9, 0xAF
MODEL, VENDOR, START_DATE, STORED_PI, START_TIME = 0x02, 0x03, 0x07, 0x09, 0x12
DECIDE = b""
"""Stands in the queue where it is known whether there is a recording that was not fetched yet."""
LAST_TEXT = 0xFF
REASONS = {0x03: "recording", 0x05: "unsupported"}

KEEP_ALIVE_S = 5.0
LIVE_AGAIN_S = 1.5
"""Without live data for so long, `start live` is sent again."""
STORED_QUIET_S = 2.0
QUIET_S = 0.25
MISSING_RATE = (0, 0xFF)
MISSING_SPO2 = (0, 0x7F)
MISSING_PI = (0, 0xFFFF)


class ContecCms50V2:
    """Reads pleth (60 Hz, 0 to 127), numbers once a second, the model's name; stored numbers when asked.

    Stored readings have the words `from_storage`, `second=N` (from the recording's beginning) and, where the
    device told its start and length, `recording=` with eight digits that stand for these.
    """

    name = "contec-cms50-v2"
    instrument = "oximeter"

    def __init__(self) -> None:
        self.counters = Counters()
        self._packets = ContecPackets(self.counters)
        self._wave = PulseWave(PLETH, self.counters, BLOCK_FRAMES)
        self._agreement = Agreement(int(RATE_HZ))
        self._conditions = Conditions()
        self._mark: str | None = None
        self.start()

    def remember(self, mark: str) -> None:
        """Fetch the stored recording before live data begin, unless it is the one of this mark."""
        self._mark = mark[:LONGEST_MARK]

    def start(self) -> bytes:
        """Return the question for the model; vendor and `start live` follow from `tick`."""
        self._packets.restart()
        self._wave.restart()
        self._agreement.forget()
        self._conditions.forget()
        self._late: list[Event] = []
        self._queue = deque([command(ASK_VENDOR), command(START_LIVE)])
        if self._mark is not None:
            self._queue = deque([command(ASK_VENDOR), command(ASK_STARTED), command(ASK_LENGTH), DECIDE])
        self._started: dict[int, bytes] = {}
        self._length = 0
        self._texts: dict[int, list[str]] = {MODEL: [], VENDOR: []}
        self._heard_at = self._live_at = self._asked_at = self._kept_at = float("-inf")
        self._stored_left: int | None = None
        self._stored = 0
        self._refused = ""
        return command(ASK_MODEL)

    def stop(self) -> bytes:
        """Return `stop live`."""
        return command(STOP_LIVE)

    def ask_stored(self) -> bytes:
        """Return what stops live data and asks for the first stored recording; live data follows it."""
        self._stored_left, self._stored = -1, 0
        self._heard_at = float("-inf")
        self._queue = deque([command(ASK_LENGTH), command(ASK_STORED)])
        return command(STOP_LIVE)

    def _recording(self) -> str:
        """Return what tells the stored recording from others, "" where the device did not say it."""
        told = b"".join(bytes([kind]) + self._started[kind] for kind in sorted(self._started))
        return f"start={told.hex()};length={self._length}" if told and self._length else ""

    def _decide(self) -> bytes:
        """Return the first command of a fetch, or of live data where there is nothing new to fetch."""
        if not self._length or (self._mark and self._mark == self._recording()):
            return command(START_LIVE)
        return self.ask_stored()

    def tick(self, at: float) -> bytes:
        """Return the next command of the beginning, the keep-alive, or `start live` again."""
        if self._packets.pending and at - self._heard_at >= QUIET_S:
            self._late += self._take(self._packets.end(), at)
        if self._queue:
            self._asked_at = self._kept_at = self._heard_at = at
            return self._queue.popleft() or self._decide()
        if self._stored_left is not None:
            return self._stored_ended(at) if at - self._heard_at >= STORED_QUIET_S else b""
        if at - max(self._live_at, self._asked_at) >= LIVE_AGAIN_S:
            self._asked_at = self._kept_at = at
            return command(START_LIVE)
        if at - self._kept_at >= KEEP_ALIVE_S:
            self._kept_at = at
            return command(KEEP_ALIVE)
        return b""

    def _stored_ended(self, at: float) -> bytes:
        if self._stored_left == 0 and self._stored and self._recording():
            self._late.append(Notice(STORED_UNTIL, at, detail=self._recording()))
        self._stored_left = None
        self._queue.append(command(START_LIVE))
        return command(STOP_STORED)

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        at = packet.at
        events: list[Event] = []
        if self._stored_left is None:
            events += self._wave.arrived(len(packet.data) // PACKET_BYTES, at)
        self._heard_at = at
        late, self._late = self._late, []
        return late + events + self._take(self._packets.feed(packet.data), at)

    def _take(self, packets: list[Cut], at: float) -> list[Event]:
        events: list[Event] = []
        for skipped, type_, data in packets:
            if skipped and self._stored_left is None:
                events += self._wave.broken(max(1, round(skipped / PACKET_BYTES)), at)
            events += self._read(type_, data, at)
        return events

    def _read(self, type_: int, data: bytes, at: float) -> list[Event]:
        match type_:
            case 0x01:  # LIVE
                return self._live(data, at)
            case 0x02 | 0x03 if len(data) > 1:  # MODEL, VENDOR
                return self._text(type_, data, at)
            case 0x07 | 0x12:  # START_DATE, START_TIME
                self._started[type_] = data
            case 0x08:  # STORED_LENGTH
                self._length = int.from_bytes(data[2:6], "little")
                if self._stored_left is not None:
                    self._stored_left = self._length
            case 0x09 | 0x0F if self._stored_left is not None:  # STORED_PI, STORED
                return self._stored_readings(data, 4 if type_ == STORED_PI else 2, at)
            case 0x0B:  # REFUSED
                return self._refuse(data[0], data[1], at)
        return []

    def _live(self, data: bytes, at: float) -> list[Event]:
        self._live_at = at
        events = self._accepted(at) + self._wave.add((data[1] & 0x7F,), at)
        rate, spo2, perfusion = data[3], data[4], int.from_bytes(data[5:7], "little")
        words = _words(data)
        agreed, due = self._agreement.hear((rate, spo2, perfusion, words))
        if agreed:
            events += self._conditions.tell(conditions(words), at)
        if due:
            gone = conditions(words)["sensor_off"]
            events.append(spo2_reading(None if gone or spo2 in MISSING_SPO2 else spo2, at, words))
            events.append(pulse_reading(None if gone or rate in MISSING_RATE else rate, at, words))
            if data[2] & 0x10 and perfusion not in MISSING_PI:
                events.append(perfusion_reading(None if gone else perfusion / 100, at, words))
        return events

    def _text(self, type_: int, data: bytes, at: float) -> list[Event]:
        """Collect a text that comes in parts: an index (0 first, 255 last), then up to six characters."""
        if data[0] == 0:
            self._texts[type_].clear()
        self._texts[type_] = [*self._texts[type_][-4:], data[1:].decode("ascii", "replace")]
        if data[0] != LAST_TEXT:
            return []
        vendor, model = ("".join(self._texts[key]).strip() for key in (VENDOR, MODEL))
        return [Notice("identified", at, detail=identity(f"{vendor} {model}".strip()))]

    def _stored_readings(self, data: bytes, size: int, at: float) -> list[Event]:
        left = len(data) if self._stored_left in (None, -1) else min(len(data), self._stored_left or 0)
        events: list[Event] = []
        which = self._recording()
        named = (f"recording={zlib.crc32(which.encode()):08x}",) if which else ()
        for start in range(0, left - left % size, size):
            words = (FROM_STORAGE, f"second={self._stored}", *named)
            self._stored += 1
            spo2, rate = data[start], data[start + 1]
            events.append(spo2_reading(None if spo2 in MISSING_SPO2 else spo2, at, words))
            events.append(pulse_reading(None if rate in MISSING_RATE else rate, at, words))
            perfusion = int.from_bytes(data[start + 2 : start + size], "little")
            if size == 4 and perfusion not in MISSING_PI:
                events.append(perfusion_reading(perfusion / 100, at, words))
        if self._stored_left not in (None, -1):
            self._stored_left = max(0, (self._stored_left or 0) - left)
        return events

    def _refuse(self, code: int, reason: int, at: float) -> list[Event]:
        detail = f"command={code:02x};reason={REASONS.get(reason, f'{reason:02x}')}"
        if code == ASK_STORED and self._stored_left is not None:
            self._stored_left = 0  # nothing will come; the quiet ends it
        if reason == 0 or code != START_LIVE or detail == self._refused:
            return []
        self._refused = detail
        return [Notice("refused", at, detail=detail)]

    def _accepted(self, at: float) -> list[Event]:
        was, self._refused = self._refused, ""
        return [Notice("refused", at, on=False, detail=was)] if was else []


def _words(data: bytes) -> Words:
    bits = (
        ("sensor_malfunction", data[0] & 0x80),
        ("spo2_dropping", data[0] & 0x20),
        ("sensor_not_on_user", data[0] & 0x10),
        ("searching", data[1] & 0x80),
    )
    return tuple(word for word, bit in bits if bit)
