"""Wellue (Viatom) ER1 and DuoEK: one ECG channel at 125 Hz, asked for once a second.

Frames `A5 cmd ~cmd type seq len(u16) data crc8` (polynomial 07 over all before it), which notifications may
cut anywhere. `03` with data 7D asks for what was measured since: heart rate u16, flag, battery, recording
time u32, run status (low three bits 7: lead off), 11 reserved, count u16, samples i16. A step is 1.0035 *
1800 / (4096 * 178.74) mV. Source: Viatom's own Android library (LepuBle).

Link: ble:ADDRESS?notify=0734594a-a8e7-4b1a-a6b1-cd5243059a57&write=8b00ace7-eb0b-49b0-bbe9-9aee0a26e1a3

Doubts: the answer's type byte is not checked. The device numbers no samples; what was lost when an answer
did not come is told by the host's clock. A count of 0 is what it says while it does not measure. Not tried
on a real device.
"""

import numpy as np

from chevet.bridge.packet import Packet
from chevet.devices.conditions import identity, reading
from chevet.devices.counters import Counters
from chevet.devices.crc8 import crc8
from chevet.devices.ecg_leads import LeadContacts
from chevet.devices.framer import Framer
from chevet.devices.sample_line import SampleLine
from chevet.devices.samples import Channel, Event, Notice

RATE_HZ = 125.0
CHANNEL = Channel("ECG", "mV", RATE_HZ, 1.0035 * 1800 / (4096 * 178.74))
BLOCK_SAMPLES = 25
HEAD_BYTES = 7
LONGEST_PAYLOAD = 1024
REAL_TIME = 0x03
POLL = bytes.fromhex("a503fc000001007d23")
POLL_S = 1.0
DATA_HEAD = 22
LEAD_OFF = 0x07


class Er1:
    """Asks once a second; reads ECG (int16), heart rate, battery and whether the electrodes are held."""

    name = "er1"
    instrument = "ecg"

    def __init__(self) -> None:
        self.counters = Counters()
        self._framer = Framer(_size, _check, self.counters)
        self._line = SampleLine((CHANNEL,), self.counters, BLOCK_SAMPLES)
        self._contacts = LeadContacts((CHANNEL.name,))
        self.start()

    def start(self) -> bytes:
        """Return the first question."""
        self._framer.restart()
        self._line.restart()
        self._contacts.forget()
        self._asked_at: float | None = None
        self._told = False
        self._battery: int | None = None
        return POLL

    def tick(self, at: float) -> bytes:
        """Return the question once a second."""
        if self._asked_at is None:
            self._asked_at = at
            return b""
        if at - self._asked_at < POLL_S:
            return b""
        # By an absolute schedule: ticks come four times a second and their lateness must not add up.
        self._asked_at += POLL_S * int((at - self._asked_at) / POLL_S)
        return POLL

    def stop(self) -> bytes:
        """Return nothing: a device that is not asked says nothing."""
        return b""

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        events: list[Event] = []
        for _, frame in self._framer.feed(packet.data):
            if frame[1] == REAL_TIME:
                events += self._measured(frame[HEAD_BYTES:-1], packet.at)
        return events

    def _measured(self, data: bytes, at: float) -> list[Event]:
        count = int.from_bytes(data[20:22], "little")
        if len(data) < DATA_HEAD + 2 * count:
            self.counters.bad_frames += 1
            return []
        events: list[Event] = [] if self._told else [Notice("identified", at, detail=identity("Wellue ER1"))]
        self._told = True
        off = data[8] & LEAD_OFF == LEAD_OFF
        events += self._contacts.tell({CHANNEL.name} if off else set(), at)
        rate = int.from_bytes(data[:2], "little")
        events.append(reading("heart_rate", None if off or not rate else float(rate), 300.0, "/min", at))
        if data[3] != self._battery:
            self._battery = data[3]
            events.append(reading("battery", float(data[3]), 100.0, "%", at))
        if count:
            values = np.frombuffer(data[DATA_HEAD : DATA_HEAD + 2 * count], "<i2")
            events += self._line.add(values[np.newaxis], at)
        return events


def _size(pending: bytearray) -> int | None:
    if pending[0] != 0xA5 or (len(pending) > 2 and pending[1] ^ pending[2] != 0xFF):
        return 0
    if len(pending) < HEAD_BYTES:
        return None
    length = pending[5] | pending[6] << 8
    return HEAD_BYTES + length + 1 if length <= LONGEST_PAYLOAD else 0


def _check(frame: bytes) -> bool:
    return crc8(frame[:-1]) == frame[-1]
