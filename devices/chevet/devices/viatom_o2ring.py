"""Viatom/Wellue O2Ring, CheckO2, SleepU, O2M: asked for everything, once or twice a second.

Request `AA cmd cmd^FF block length data crc8`, reply `55 status status^FF block length data crc8`; a reply
does not say to what, so only one request is open at a time. Replies span notifications. Commands: 0x14
information (JSON), 0x17 numbers, 0x1B numbers and pleth. Sources: viatom-o2ring-ble, o2r, LepuBle.

Doubts: the pleth rate is not documented (about 100/s is reported of the O2Ring-S; 125 Hz is taken). Bytes
156 and 246 in the pleth are the device's mark of a beat in place of a sample (LepuBle): a gap of one sample
here. One library sends the question for the pleth with one data byte: done so when the short form is not
answered; a device that answers neither gives numbers only. Successive answers are taken to continue each
other. The O2Ring-S speaks another protocol.
"""

import json

from chevet.bridge.packet import Packet
from chevet.devices.conditions import Conditions, identity, perfusion_reading, pulse_reading, spo2_reading
from chevet.devices.counters import Counters
from chevet.devices.crc8 import crc8
from chevet.devices.errors import BrokenPayload
from chevet.devices.framer import Framer
from chevet.devices.gatt import About
from chevet.devices.pulse_wave import PulseWave
from chevet.devices.samples import Channel, Event, Notice, Reading

NOTIFY = "0734594a-a8e7-4b1a-a6b1-cd5243059a57"
WRITE = "8b00ace7-eb0b-49b0-bbe9-9aee0a26e1a3"
INFORMATION, NUMBERS, WAVE = 0x14, 0x17, 0x1B
REQUEST, REPLY = 0xAA, 0x55
HEAD_BYTES, AROUND = 7, 8
LONGEST_REPLY = 4096
NUMBERS_BYTES, WAVE_HEAD = 13, 12
MISSING = (0, 0xFF)
BEAT_MARKS = (156, 246)
RATE_HZ = 125.0
PLETH = Channel("pleth", "1", RATE_HZ, 1.0)
BLOCK_SAMPLES = 25

ANSWER_WITHIN_S = 1.5
POLL_S = 0.5
"""One question every half second: pleth and numbers in turn, each once a second."""
ASK_AT_MOST = 3
BATTERY_LOW_PCT = 10


def request(code: int, data: bytes = b"") -> bytes:
    """Return a framed request for block 0."""
    head = bytes((REQUEST, code, code ^ 0xFF, 0, 0)) + len(data).to_bytes(2, "little") + data
    return head + bytes((crc8(head),))


class ViatomO2Ring:
    """Reads SpO2, pulse rate, perfusion index, battery and pleth by asking for them."""

    name = "viatom-o2ring"
    instrument = "oximeter"

    def __init__(self) -> None:
        self.counters = Counters()
        self._framer = Framer(_size, _check, self.counters)
        self._wave = PulseWave(PLETH, self.counters, BLOCK_SAMPLES)
        self._conditions = Conditions()
        self._about = About()
        self.start()

    def start(self) -> bytes:
        """Return the question for model and serial number."""
        self._framer.restart()
        self._wave.restart()
        self._conditions.forget()
        self._about.forget()
        self._asked = INFORMATION
        self._asked_at: float | None = None
        self._open = True
        self._unanswered = dict.fromkeys((INFORMATION, NUMBERS, WAVE), 0)
        self._known = False
        self._missed = False
        self._wave_data = b""
        self._battery: int | None = None
        return request(INFORMATION)

    def stop(self) -> bytes:
        """Return nothing: who is not asked says nothing."""
        return b""

    def tick(self, at: float) -> bytes:
        """Return the next question, when the last was answered or given up."""
        if self._asked_at is None:
            self._asked_at = at
        waited = at - self._asked_at
        if waited < (ANSWER_WITHIN_S if self._open else POLL_S):
            return b""
        if self._open:
            self._failed()
            self._framer.restart()
        self._asked, self._asked_at, self._open = self._next(), at, True
        return request(self._asked, self._wave_data if self._asked == WAVE else b"")

    def _failed(self) -> None:
        self._unanswered[self._asked] += 1
        if self._asked == WAVE:
            self._missed = True
            if self._unanswered[WAVE] == ASK_AT_MOST:
                self._wave_data = b"\x00"

    def _next(self) -> int:
        if not self._known and self._unanswered[INFORMATION] < ASK_AT_MOST:
            return INFORMATION
        if self._asked == WAVE or self._unanswered[WAVE] >= 2 * ASK_AT_MOST:
            return NUMBERS
        return WAVE

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        events: list[Event] = []
        try:
            told = self._about.read(packet)
            if told is not None:
                return told
        except BrokenPayload:
            self.counters.bad_frames += 1
            return events
        for _, frame in self._framer.feed(packet.data):
            try:
                events += self._reply(frame[1], frame[HEAD_BYTES:-1], packet.at)
            except BrokenPayload:
                self.counters.frames -= 1
                self.counters.bad_frames += 1
        return events

    def _reply(self, status: int, data: bytes, at: float) -> list[Event]:
        if not self._open:
            raise BrokenPayload("unasked")  # too late, or asked by another: nobody knows what it is about
        events: list[Event] = []
        if status:
            self._failed()
        elif self._asked == INFORMATION:
            events = self._information(data, at)
        elif self._asked == NUMBERS:
            events = self._numbers(data, at)
        else:
            events = self._waved(data, at)
        if not status:
            self._unanswered[self._asked] = 0
        self._open = False
        return events

    def _information(self, data: bytes, at: float) -> list[Event]:
        try:
            told = json.loads(data.rstrip(b"\x00"))
        except (ValueError, RecursionError):
            raise BrokenPayload("information") from None
        if not isinstance(told, dict):
            raise BrokenPayload("information")
        self._known = True
        model, serial, firmware = (str(told.get(key, "")) for key in ("Model", "SN", "SoftwareVer"))
        return [Notice("identified", at, detail=identity(model or "O2Ring", serial, firmware))]

    def _numbers(self, data: bytes, at: float) -> list[Event]:
        if len(data) != NUMBERS_BYTES:
            raise BrokenPayload("numbers")
        words = ("motion",) * bool(data[9])
        events = self._conditions.tell({"artifact": bool(data[9])}, at)
        events += self._told(data[0], data[1], data[10], bool(data[11]), at, words)
        return events + self._power(data[7], bool(data[8]), at)

    def _waved(self, data: bytes, at: float) -> list[Event]:
        count = int.from_bytes(data[10:12], "little")
        if len(data) != WAVE_HEAD + count:
            raise BrokenPayload("wave")
        events = self._wave.arrived(count, at) if self._missed else []
        self._missed = False
        for byte in data[WAVE_HEAD:]:
            marked = byte in BEAT_MARKS
            events += self._wave.lose(1, at) if marked else self._wave.add((byte,), at)
        events += self._wave.flush()
        rate = int.from_bytes(data[1:3], "little")
        return events + self._told(data[0], rate, data[5], data[6] == 1, at, ())

    def _told(
        self, spo2: int, rate: int, perfusion: int, worn: bool, at: float, words: tuple[str, ...]
    ) -> list[Event]:
        words = words if worn else (*words, "sensor_not_on_user")
        return [
            *self._conditions.tell({"sensor_off": not worn}, at),
            spo2_reading(spo2 if worn and spo2 not in MISSING else None, at, words),
            pulse_reading(rate if worn and rate not in MISSING else None, at, words),
            perfusion_reading(perfusion / 10 if worn and perfusion not in MISSING else None, at, words),
        ]

    def _power(self, percent: int, charging: bool, at: float) -> list[Event]:
        if percent > 100 or percent == self._battery:
            return []
        self._battery = percent
        low = percent <= BATTERY_LOW_PCT and not charging
        return [
            Reading("battery", float(percent), "%", at, ("charging",) * charging),
            *self._conditions.tell({"battery_low": low}, at),
        ]


def _size(pending: bytearray) -> int | None:
    if pending[0] != REPLY or (len(pending) > 2 and pending[1] ^ pending[2] != 0xFF):
        return 0
    if len(pending) < HEAD_BYTES:
        return None
    length = int.from_bytes(pending[5:7], "little")
    return AROUND + length if length <= LONGEST_REPLY else 0


def _check(frame: bytes) -> bool:
    return crc8(frame[:-1]) == frame[-1]
