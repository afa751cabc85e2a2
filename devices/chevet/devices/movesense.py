"""Movesense sensors with the GATT sensor data firmware: one ECG channel, 125 Hz.

Write `01 ref path` subscribes (here reference 63, "/Meas/ECG/125"), `02 ref` ends it. Notifications: type,
reference, then for type 1 a status (u16, 200 is good), for type 2 a time in milliseconds (u32) and signed
32-bit samples, for type 3 the rest of a type 2 that was too long for the link. Sixteen samples a message.
Source: Movesense device library's sensor data sample; a step is 1 V / 20 / 2^17 = 0.381 uV (Movesense's own
staff).

Link: ble:ADDRESS?notify=34800002-7185-4d5d-b431-630e7050e8f0&write=34800001-7185-4d5d-b431-630e7050e8f0
&read=2a24,2a25,2a26,2a19

Doubts: which rates a firmware offers (125 to 512 Hz; the MD version 128, 256, 512): another one than 125 is
refused with its status. Whether the time is that of the first or the last sample makes no difference here:
only its steps are used. The time of a type 3 is that of its type 2. Not tried on a real sensor.
"""

import numpy as np

from chevet.bridge.packet import Packet
from chevet.devices.counters import Counters, counted
from chevet.devices.errors import BrokenPayload
from chevet.devices.gatt import About
from chevet.devices.sample_line import SampleLine
from chevet.devices.samples import Channel, Event, Notice
from chevet.devices.startup import Startup, Step

NOTIFY = "34800002-7185-4d5d-b431-630e7050e8f0"
RATE_HZ = 125.0
CHANNEL = Channel("ECG", "mV", RATE_HZ, 1000 / 20 / 2**17)
REFERENCE = 0x63
SUBSCRIBE = bytes((0x01, REFERENCE)) + b"/Meas/ECG/125"
UNSUBSCRIBE = bytes((0x02, REFERENCE))
RESULT, DATA, DATA_REST = 1, 2, 3
GOOD = range(200, 300)
RETRY_S = 5.0
SAMPLES = 16
WHOLE_BYTES = 6 + 4 * SAMPLES
BLOCK_SAMPLES = SAMPLES
JITTER_SAMPLES = 3
LONGEST_GAP_MS = 600_000


class Movesense:
    """Subscribes to the ECG and places its samples by the sensor's milliseconds.

    Events: SampleBlocks (int32), `lost_samples`, `identified`, battery, `refused` (detail "status=..").
    """

    name = "movesense"
    instrument = "ecg"

    def __init__(self) -> None:
        self.counters = Counters()
        self._line = SampleLine((CHANNEL,), self.counters, BLOCK_SAMPLES, dtype=np.int32)
        self._startup = Startup((Step(SUBSCRIBE, 2.0),))
        self._about = About()
        self._refused = ""
        self.start()

    def start(self) -> bytes:
        """Return the subscription."""
        self._line.restart()
        self._about.forget()
        self._last: tuple[int, int] | None = None  # time and number of the samples before
        self._part = b""
        return self._startup.begin()

    def tick(self, at: float) -> bytes:
        """Return the subscription again while it was not answered."""
        return self._startup.due(at)

    def stop(self) -> bytes:
        """Return what ends the subscription."""
        return UNSUBSCRIBE

    def feed(self, packet: Packet) -> list[Event]:
        """Take one notification; never raises, whatever it is."""
        return counted(self._read, packet, self.counters)

    def _read(self, packet: Packet) -> list[Event]:
        if packet.source != NOTIFY:
            events = self._about.read(packet)
            if events is None:
                raise BrokenPayload("source")
            return events
        data = packet.data
        if len(data) < 4 or data[1] != REFERENCE:
            raise BrokenPayload("message")
        part, self._part = self._part, b""
        match data[0]:
            case 1:
                return self._answered(int.from_bytes(data[2:4], "little"), packet.at)
            case 2 if len(data) < WHOLE_BYTES:
                self._part = data
                return []
            case 2:
                return self._sampled(data, packet.at)
            case 3 if part:
                return self._sampled(part + data[2:], packet.at)
        raise BrokenPayload("message")

    def _answered(self, status: int, at: float) -> list[Event]:
        if status in GOOD:
            self._startup.answered(SUBSCRIBE)
            self._startup.hear(at)
            return []
        self._startup.pause(at, RETRY_S)
        detail = f"status={status}"
        if detail == self._refused:
            return []
        self._refused = detail
        return [Notice("refused", at, detail=detail)]

    def _sampled(self, data: bytes, at: float) -> list[Event]:
        if len(data) != WHOLE_BYTES:
            raise BrokenPayload("samples")
        self._startup.hear(at)
        values = np.frombuffer(data[6:], "<i4").astype(np.int32)
        time_ms = int.from_bytes(data[2:6], "little")
        if self._last is not None and time_ms == self._last[0]:
            return []  # the same notification again
        lost = self._lost(time_ms)
        self._last = (time_ms, len(values))
        if lost is None:
            self._line.restart()
        events: list[Event] = []
        if self._refused:
            events.append(Notice("refused", at, on=False, detail=self._refused))
            self._refused = ""
        return events + self._line.add(values[np.newaxis], at, lost=lost or 0)

    def _lost(self, time_ms: int) -> int | None:
        """Return how many samples are missing before these; None: the sensor's clock began anew."""
        if self._last is None:
            return 0
        before_ms, count = self._last
        elapsed_ms = (time_ms - before_ms) % 2**32
        if not 0 < elapsed_ms <= LONGEST_GAP_MS:
            return None
        lost = round(elapsed_ms / 1000 * RATE_HZ) - count
        if abs(lost) <= JITTER_SAMPLES:
            return 0
        return lost if lost > 0 else None
