"""Polar H10 chest strap: one ECG channel at 130 Hz in microvolts, and heart rate with RR intervals.

Polar's measurement service fb005c80: on its control point (write, indicate) `01 00` asks the ECG's settings,
answered `f0 01 00 status more, type count values..`; `02 00 00 01 8200 01 01 0e00` starts at 130 Hz and 14
bit, `03 00` stops. Data: type 00, u64 nanoseconds since 2000-01-01 of the last sample, frame type 0, then
signed 24-bit numbers in microvolts. The standard heart rate characteristic (0x2A37) comes beside it.
Sources: polar-ble-sdk; Heart Rate Service 1.0.

Link: ble:ADDRESS?notify=fb005c81-02e7-f387-1cad-8acd2d8df0c8,fb005c82-02e7-f387-1cad-8acd2d8df0c8,2a37,2a19
&write=fb005c81-02e7-f387-1cad-8acd2d8df0c8&read=2a24,2a25,2a26,2a19

Doubts: a strap's lead is no standard lead, so its channel is called "ECG". Compressed frames (bit 7 of the
frame type) were never seen from this strap and count as bad. The strap leaves some 45 s after it is taken
off. Notifications are long: the link must offer an MTU of at least 232. Not tried on a real strap.
"""

import numpy as np
from numpy.typing import NDArray

from chevet.bridge.packet import Packet
from chevet.devices.conditions import reading
from chevet.devices.counters import Counters, counted
from chevet.devices.ecg_leads import LeadContacts
from chevet.devices.errors import BrokenPayload
from chevet.devices.gatt import About, Fields, uuid
from chevet.devices.sample_line import SampleLine
from chevet.devices.samples import Channel, Event, Notice
from chevet.devices.startup import Startup, Step

CONTROL = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
HEART_RATE = uuid(0x2A37)
DATA = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
RATE_HZ = 130.0
CHANNEL = Channel("ECG", "mV", RATE_HZ, 0.001)
BLOCK_SAMPLES = 13
ECG = 0x00
SETTINGS = bytes.fromhex("0100")
START = bytes.fromhex("02000001820001010e00")
STOP = bytes.fromhex("0300")
STEPS = (Step(SETTINGS, 2.0), Step(START, 2.0))
RETRY_S = 5.0
DONE, ALREADY = 0, 6
WANTED = {0: 130, 1: 14}
"""Setting types: rate in Hz, resolution in bits."""
DATA_HEAD = 10
JITTER_SAMPLES = 3
"""How far the strap's own times may be from whole samples; a lost notification is tens of samples."""
LONGEST_GAP_S = 600.0
RR_MS, LONGEST_RR_MS = 1000 / 1024, 5000.0
WIDE, CONTACT, CONTACT_KNOWN, ENERGY, INTERVALS = (1 << bit for bit in range(5))
"""Flags of a Heart Rate Measurement."""


def parse_settings(data: bytes) -> dict[int, tuple[int, ...]]:
    """Return the values offered for each setting type.

    Raises:
        BrokenPayload: it ends in the middle of a setting.
    """
    offered: dict[int, tuple[int, ...]] = {}
    at = 0
    while at < len(data):
        end = at + 2 + 2 * (data[at + 1] if at + 1 < len(data) else len(data))
        if end > len(data):
            raise BrokenPayload("settings")
        offered[data[at]] = tuple(int(value) for value in np.frombuffer(data[at + 2 : end], "<u2"))
        at = end
    return offered


class PolarH10:
    """Asks the settings, starts the ECG and places its samples by the strap's own clock.

    Events: SampleBlocks (int32, microvolts), readings heart_rate and rr_interval, `lead_off` when the strap
    says that it touches no skin, `lost_samples`, `identified`, battery, `refused` (detail "status=..",
    or "settings" where 130 Hz and 14 bit are not offered).
    """

    name = "polar-h10"
    instrument = "ecg"

    def __init__(self) -> None:
        self.counters = Counters()
        self._line = SampleLine((CHANNEL,), self.counters, BLOCK_SAMPLES, dtype=np.int32)
        self._startup = Startup(STEPS)
        self._about = About()
        self._contacts = LeadContacts((CHANNEL.name,))
        self._refused = ""
        self.start()

    def start(self) -> bytes:
        """Return the question for the settings; the rest follows from `tick`."""
        self._line.restart()
        self._about.forget()
        self._contacts.forget()
        self._last_ns: int | None = None
        return self._startup.begin()

    def tick(self, at: float) -> bytes:
        """Return the command that is due, mostly nothing."""
        return self._startup.due(at)

    def stop(self) -> bytes:
        """Return the command that stops the ECG."""
        return STOP

    def feed(self, packet: Packet) -> list[Event]:
        """Take one notification; never raises, whatever it is."""
        return counted(self._read, packet, self.counters)

    def _read(self, packet: Packet) -> list[Event]:
        if packet.source == DATA:
            return self._sampled(packet.data, packet.at)
        if packet.source == CONTROL:
            return self._answered(packet.data, packet.at)
        if packet.source == HEART_RATE:
            return heart_rate(packet.data, packet.at, self._contacts)
        events = self._about.read(packet)
        if events is None:
            raise BrokenPayload("source")
        return events

    def _answered(self, data: bytes, at: float) -> list[Event]:
        if data[:1] == b"\x0f":
            return []  # the list of what it can measure
        if len(data) < 4 or data[0] != 0xF0 or data[2] != ECG:
            raise BrokenPayload("answer")
        command, status = data[1:3], data[3]
        if status not in {DONE, ALREADY}:
            return self._refuse(f"status={status}", at)
        if command == SETTINGS and self._startup.waiting_for == SETTINGS:
            offered = parse_settings(data[5:])
            if any(value not in offered.get(kind, (value,)) for kind, value in WANTED.items()):
                return self._refuse("settings", at)
            self._startup.answered(SETTINGS)
        elif command == START[:2] and self._startup.answered(START):
            self._startup.hear(at)
        return []

    def _refuse(self, detail: str, at: float) -> list[Event]:
        self._startup.pause(at, RETRY_S)
        if detail == self._refused:
            return []
        self._refused = detail
        return [Notice("refused", at, detail=detail)]

    def _sampled(self, data: bytes, at: float) -> list[Event]:
        if len(data) <= DATA_HEAD or data[0] != ECG or data[9] != 0 or (len(data) - DATA_HEAD) % 3:
            raise BrokenPayload("data")
        self._startup.hear(at)
        values = _int24_little(data[DATA_HEAD:])
        last_ns = int.from_bytes(data[1:9], "little")
        if last_ns == self._last_ns:
            return []  # the same notification again
        lost = self._lost(last_ns, len(values))
        self._last_ns = last_ns
        if lost is None:
            self._line.restart()
        events: list[Event] = []
        if self._refused:
            events.append(Notice("refused", at, on=False, detail=self._refused))
            self._refused = ""
        return events + self._line.add(values[np.newaxis], at, lost=lost or 0)

    def _lost(self, last_ns: int, count: int) -> int | None:
        """Return how many samples are missing before these; None: the strap's clock was set anew."""
        if self._last_ns is None:
            return 0
        elapsed_s = (last_ns - self._last_ns) / 1e9
        if not 0 < elapsed_s <= LONGEST_GAP_S:
            return None
        lost = round(elapsed_s * RATE_HZ) - count
        if abs(lost) <= JITTER_SAMPLES:
            return 0
        return lost if lost > 0 else None


def _int24_little(data: bytes) -> NDArray[np.int32]:
    parts = np.frombuffer(data, np.uint8).reshape(-1, 3).astype(np.int32)
    values: NDArray[np.int32] = ((parts[:, 2] ^ 0x80) - 0x80) << 16 | parts[:, 1] << 8 | parts[:, 0]
    return values


def heart_rate(data: bytes, at: float, contacts: LeadContacts) -> list[Event]:
    """Return what a Heart Rate Measurement (0x2A37) says: rate, RR intervals oldest first, contact.

    Raises:
        BrokenPayload: it is shorter than its flags demand.
    """
    fields = Fields(data, "heart_rate")
    flags = fields.u8()
    rate = fields.u16() if flags & WIDE else fields.u8()
    if flags & ENERGY:
        fields.u16()
    intervals = [fields.u16() for _ in range(fields.left // 2)] if flags & INTERVALS else []
    off = bool(flags & CONTACT_KNOWN) and not flags & CONTACT
    events = contacts.tell({CHANNEL.name} if off else set(), at)
    events.append(reading("heart_rate", None if off or not rate else float(rate), 300.0, "/min", at))
    if not off:
        events += [reading("rr_interval", ticks * RR_MS, LONGEST_RR_MS, "ms", at) for ticks in intervals]
    return events
