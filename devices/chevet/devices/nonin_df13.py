"""Nonin spot-check oximeters (9560, 3150) in data format 13 over Bluetooth SPP or a serial port.

One record of 22 bytes for each spot check, big-endian, `00 02 | 00 0D | length | date and time | STATUS |
HR | 00 | SpO2 | CHK | 03`, kept in the device and sent again until the host answers ACK. Source: Nonin 9560
OEM specification as used by diozero's NoninPulseOx.

The driver sets the format itself: the 9560's command first, the 3150's when that is refused or not answered
within a second; a device that answers neither may have been set before, and is listened to all the same.

Doubts: that a NAK brings the record again, and how soon an answer must come, is known but was never tried
(here within 0.25 s). The length is said to be able to grow; more bytes are stepped over.
"""

import datetime

from chevet.bridge.packet import Packet
from chevet.devices import nonin_commands as say
from chevet.devices.conditions import Conditions, identity, pulse_reading, spo2_reading
from chevet.devices.counters import Counters
from chevet.devices.framer import Framer
from chevet.devices.samples import Event, Notice

HEAD = b"\x00\x02\x00\x0d"
LEAST_DATA, MOST_DATA = 14, 64
FRAME_AROUND = 8
"""Head, length, checksum and end around the data."""
MISSING_RATE, MISSING_SPO2 = 511, 127
LARGEST_ANSWER = 32
FORMAT = 13

SMARTPOINT, NO_MEASUREMENT, FROM_MEMORY, LOW_BATTERY = 0x0200, 0x0100, 0x0010, 0x0001
WORDS = (
    (SMARTPOINT, "smartpoint"),
    (NO_MEASUREMENT, "unavailable"),
    (FROM_MEMORY, "from_storage"),
    (LOW_BATTERY, "battery_low"),
)
ANSWER_WITHIN_S = 1.0
BROKEN_OFF_S = 1.0
"""A record that does not go on for so long was cut off: ask for it again."""
REPEATED_WITHIN_S = 10.0
"""The same record so soon again is the device not having heard the ACK."""


class NoninDf13:
    """Reads spot checks: SpO2 and pulse rate with words `spot_check` and `taken=2025-03-14T09:30:05`."""

    name = "nonin-df13"
    instrument = "oximeter"

    def __init__(self) -> None:
        self.counters = Counters()
        self._framer = Framer(_size, _check, self.counters)
        self._conditions = Conditions()
        self._last: tuple[bytes, float] | None = None
        self.start()

    def start(self) -> bytes:
        """Return the question for the serial number and the 9560's command for format 13."""
        self._framer.restart()
        self._conditions.forget()
        self._answers = bytearray()
        self._asking_3150 = False
        self._settled = False
        self._asked_at: float | None = None
        self._heard_at = 0.0
        self._bad = self.counters.bad_frames
        return say.get_serial_number() + say.set_format(FORMAT)

    def tick(self, at: float) -> bytes:
        """Return the ACK or NAK that is due, or the 3150's command for the format."""
        if self._framer.pending and at - self._heard_at >= BROKEN_OFF_S:
            self.counters.bad_frames += 1
            self._framer.restart()
            self._answers.append(say.NAK)
        if self._asked_at is None:
            self._asked_at = at
        if not self._settled and at - self._asked_at >= ANSWER_WITHIN_S:
            self._refused()
        answers = bytes(self._answers)
        self._answers.clear()
        return answers

    def _refused(self) -> None:
        if self._asking_3150:
            self._settled = True
            return
        self._asking_3150, self._asked_at = True, None
        self._answers += say.set_format_3150(FORMAT)

    def stop(self) -> bytes:
        """Return nothing: the device goes to sleep by itself."""
        return b""

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        self._heard_at = packet.at
        events: list[Event] = []
        for _, frame in self._framer.feed(packet.data):
            if frame.startswith(HEAD):
                events += self._record(frame, packet.at)
            elif len(frame) > 1:
                events += self._answered(frame, packet.at)
            elif frame[0] == say.ACK:
                self._settled = True
            elif not self._settled:
                self._refused()
        return events

    def _answered(self, frame: bytes, at: float) -> list[Event]:
        if frame[1] != say.SERIAL_NUMBER | say.ANSWER:
            return []
        serial = frame[3:-1].decode("ascii", "replace")
        return [Notice("identified", at, detail=identity("Nonin DF13", serial.lstrip("\x02")))]

    def _record(self, frame: bytes, at: float) -> list[Event]:
        data = frame[6:-2]
        if sum(data) & 0xFF != frame[-2]:
            self.counters.frames -= 1
            self.counters.bad_frames += 1
            self._answers.append(say.NAK)
            return []
        self._answers.append(say.ACK)
        self._settled = True
        last, self._last = self._last, (frame, at)
        if last is not None and last[0] == frame and at - last[1] < REPEATED_WITHIN_S:
            return []
        return self._measured(data, at)

    def _measured(self, data: bytes, at: float) -> list[Event]:
        status = int.from_bytes(data[8:10], "big")
        rate, spo2 = int.from_bytes(data[10:12], "big"), data[13]
        words = ("spot_check", *(word for bit, word in WORDS if status & bit))
        if taken := _taken(data[:7]):
            words += (f"taken={taken}",)
        nothing = bool(status & NO_MEASUREMENT)
        return [
            *self._conditions.tell({"battery_low": bool(status & LOW_BATTERY)}, at),
            spo2_reading(None if nothing or spo2 == MISSING_SPO2 else spo2, at, words),
            pulse_reading(None if nothing or rate == MISSING_RATE else rate, at, words),
        ]


def _taken(date: bytes) -> str:
    """Return the device's date and time, "" where its clock says none."""
    century, year, month, day, hour, minute, second = date
    try:
        return datetime.datetime(century * 100 + year, month, day, hour, minute, second).isoformat()
    except ValueError:
        return ""


def _size(pending: bytearray) -> int | None:
    if pending[0] in (say.ACK, say.NAK):
        return 1
    if pending[0] == say.STX:
        return _answer_size(pending)
    if not HEAD.startswith(pending[:4]):
        return 0
    if len(pending) < 6:
        return None
    length = int.from_bytes(pending[4:6], "big")
    return FRAME_AROUND + length if LEAST_DATA <= length <= MOST_DATA else 0


def _answer_size(pending: bytearray) -> int | None:
    if len(pending) < 3:
        return None
    plausible = pending[1] & say.ANSWER and pending[2] <= LARGEST_ANSWER
    return pending[2] + 4 if plausible else 0


def _check(frame: bytes) -> bool:
    return len(frame) == 1 or frame[-1] == say.ETX
