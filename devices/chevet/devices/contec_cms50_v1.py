"""Contec CMS50D+ before firmware 4.6 and CMS50E: 60 frames of five bytes a second, by itself.

19200 baud 8O1. Sources: atbrask's CMS50Dplus and blog (live and stored data), Apnea Board's notes on the
stored data. Stored data (24 hours at 1 Hz) is downloaded on `ask_stored`: `F5 F5`, then three times `F2 80
00`, the length in bytes less one in 21 bits, and records `F0|PR7, 80|PR, SpO2`; `F6 F6 F6` goes back to
live data.

Doubts: flow control (XON/XOFF) that some programs switch on was not needed by others. Whether 0 in a stored
record is "no finger" as in the live frames was not stated; it is taken so.
"""

from chevet.bridge.packet import Packet
from chevet.devices import pleth_frame
from chevet.devices.conditions import Agreement, Conditions, identity, pulse_reading, spo2_reading
from chevet.devices.counters import Counters
from chevet.devices.framer import Framer
from chevet.devices.pulse_wave import PulseWave
from chevet.devices.samples import Channel, Event, Notice

RATE_HZ = 60.0
PLETH = Channel("pleth", "1", RATE_HZ, 1.0)
BLOCK_FRAMES = 4
"""15 blocks a second."""
MISSING = (0, 127)
"""Of SpO2; a pulse rate is missing as 0 or 255."""
MISSING_RATE = (0, 255)

ASK_STORED = b"\xf5\xf5"
BACK_TO_LIVE = b"\xf6\xf6\xf6"
PREAMBLE = b"\xf2\x80\x00" * 3
LENGTH_BYTES, RECORD_BYTES = 3, 3
STALLED_S = 2.0
"""Downloads "sometimes halt midway": after so long nothing more comes."""

Words = tuple[str, ...]


class ContecCms50V1:
    """Reads pleth (60 Hz, 0 to 127) and numbers once a second; stored numbers when asked.

    Stored readings have the words `from_storage` and `second=N` (from the recording's beginning).
    """

    name = "contec-cms50-v1"
    instrument = "oximeter"

    def __init__(self) -> None:
        self.counters = Counters()
        self._framer = Framer(pleth_frame.frame_size, pleth_frame.whole, self.counters)
        self._wave = PulseWave(PLETH, self.counters, BLOCK_FRAMES)
        self._agreement = Agreement(int(RATE_HZ))
        self._conditions = Conditions()
        self.start()

    def start(self) -> bytes:
        """Return nothing: the oximeter streams by itself."""
        self._framer.restart()
        self._wave.restart()
        self._agreement.forget()
        self._conditions.forget()
        self._named = False
        self._download: _Download | None = None
        self._heard_at: float | None = None
        self._finished = False
        return b""

    def ask_stored(self) -> bytes:
        """Return what asks for the stored recording; live data pauses until it has come or stalls."""
        self._download = _Download(self.counters)
        self._framer.restart()
        self._heard_at = None
        return ASK_STORED

    def tick(self, at: float) -> bytes:
        """Return what goes back to live data after a download."""
        if self._download is not None:
            if self._heard_at is None:
                self._heard_at = at
            elif at - self._heard_at >= STALLED_S:
                self.counters.bad_frames += 1
                self._end_download()
        finished, self._finished = self._finished, False
        return BACK_TO_LIVE if finished else b""

    def _end_download(self) -> None:
        self._download = None
        self._finished = True
        self._framer.restart()
        self._wave.restart()

    def stop(self) -> bytes:
        """Return nothing: it cannot be stopped."""
        return b""

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        if self._download is None:
            return self._live(packet.data, packet.at)
        self._heard_at = packet.at
        events, rest = self._download.feed(packet.data, packet.at)
        if self._download.complete:
            self._end_download()
            events += self._live(rest, packet.at)
        return events

    def _live(self, data: bytes, at: float) -> list[Event]:
        events = self._wave.arrived(len(data) // pleth_frame.FRAME_BYTES, at)
        for skipped, frame in self._framer.feed(data):
            if skipped:
                events += self._wave.broken(pleth_frame.frames_lost(skipped), at)
            events += self._wave.add((frame[1],), at)
            events += self._numbers(frame, at)
        return events

    def _numbers(self, frame: bytes, at: float) -> list[Event]:
        rate, spo2, words = pleth_frame.pulse_rate(frame), frame[4], _words(frame)
        agreed, due = self._agreement.hear((rate, spo2, words))
        events: list[Event] = []
        if agreed and not self._named:
            self._named = True
            events.append(Notice("identified", at, detail=identity("Contec CMS50")))
        if agreed:
            events += self._conditions.tell(conditions(words), at)
        if due:
            gone = "sensor_not_on_user" in words or "sensor_malfunction" in words
            events.append(spo2_reading(None if gone or spo2 in MISSING else spo2, at, words))
            events.append(pulse_reading(None if gone or rate in MISSING_RATE else rate, at, words))
        return events


def _words(frame: bytes) -> Words:
    bits = (
        ("sensor_not_on_user", frame[0] & 0x10),
        ("spo2_dropping", frame[0] & 0x20),
        ("searching", frame[2] & 0x20),
        ("sensor_malfunction", frame[2] & 0x10),
    )
    return tuple(word for word, bit in bits if bit)


def conditions(words: Words) -> dict[str, bool]:
    """Return what Contec's words say about sensor and search."""
    return {
        "sensor_off": "sensor_not_on_user" in words or "sensor_malfunction" in words,
        "searching": "searching" in words,
    }


class _Download:
    """Stored data on its way."""

    def __init__(self, counters: Counters) -> None:
        self.complete = False
        self._counters = counters
        self._pending = bytearray()
        self._left: int | None = None
        self._taken = 0

    def feed(self, data: bytes, at: float) -> tuple[list[Event], bytes]:
        """Return the readings that `data` completed, and what follows the last one."""
        self._pending += data
        if self._left is None and not self._begins():
            return [], b""
        events: list[Event] = []
        while not self.complete and len(self._pending) >= RECORD_BYTES:
            events += self._record(at)
            self.complete = self._left is None or self._left < RECORD_BYTES
        return events, bytes(self._pending) if self.complete else b""

    def _begins(self) -> bool:
        start = self._pending.find(PREAMBLE)
        if start < 0:
            del self._pending[: -len(PREAMBLE)]  # leftovers of live data
            return False
        body = start + len(PREAMBLE) + LENGTH_BYTES
        if len(self._pending) < body:
            return False
        high, middle, low = (byte & 0x7F for byte in self._pending[body - LENGTH_BYTES : body])
        self._left = (high << 14 | middle << 7 | low) + 1
        del self._pending[:body]
        return True

    def _record(self, at: float) -> list[Event]:
        first, second, spo2 = self._pending[:RECORD_BYTES]
        good = first & 0xFE == 0xF0 and second & 0x80 and not spo2 & 0x80
        used = RECORD_BYTES if good else 1
        del self._pending[:used]
        self._left = (self._left or 0) - used
        if not good:
            self._counters.bad_frames += 1
            return []
        self._counters.frames += 1
        words = ("from_storage", f"second={self._taken // RECORD_BYTES}")
        self._taken += RECORD_BYTES
        rate = (first & 1) << 7 | second & 0x7F
        return [
            spo2_reading(None if spo2 in MISSING else spo2, at, words),
            pulse_reading(None if rate in MISSING_RATE else rate, at, words),
        ]
