"""Viatom/Wellue PC-60FW finger oximeter: `AA 55 token length function data crc` over the Nordic UART service.

The device switches on with a finger in it, sends by itself and switches off without one, which ends the
link. Token 0F: function 1 numbers once a second, function 2 five pleth samples (bit 7 marks a beat); token
F0: the device itself, function 3 battery 0 to 3. Sources: sza2's viatom_pc60fw, afibTuner, LepuBle.

Doubts: the pleth rate is 60 Hz by one report (12 packets a second), nowhere documented. The byte after the
perfusion index (C0 when all is well) and function 0x21 are unknown; the first is given as word `status=..`
when it is another. The battery's four steps are told as `battery_low` at 0 only, not as a percentage.
"""

from chevet.bridge.packet import Packet
from chevet.devices.conditions import Conditions, identity, perfusion_reading, pulse_reading, spo2_reading
from chevet.devices.counters import Counters
from chevet.devices.crc8 import crc8_maxim
from chevet.devices.errors import BrokenPayload
from chevet.devices.framer import Framer
from chevet.devices.gatt import About
from chevet.devices.pulse_wave import PulseWave
from chevet.devices.samples import Channel, Event, Notice

NOTIFY = "6e400003-b5a3-f393-e0a9-e50e24dcca9e"
HEAD = b"\xaa\x55"
OXIMETER, DEVICE = 0x0F, 0xF0
AROUND = 4
"""Head, token and length."""
LONGEST = 64
RATE_HZ = 60.0
PLETH = Channel("pleth", "1", RATE_HZ, 1.0)
PACKET_SAMPLES = 5
WAVE_FRAME_BYTES = 11
ALL_WELL = 0xC0


class Pc60Fw:
    """Reads pleth (60 Hz, 0 to 127), SpO2, pulse rate and perfusion index once a second."""

    name = "pc60fw"
    instrument = "oximeter"

    def __init__(self) -> None:
        self.counters = Counters()
        self._framer = Framer(_size, _check, self.counters)
        self._wave = PulseWave(PLETH, self.counters, PACKET_SAMPLES)
        self._conditions = Conditions()
        self._about = About()
        self._named = False

    def start(self) -> bytes:
        """Return nothing: subscribing starts the stream."""
        self._framer.restart()
        self._wave.restart()
        self._conditions.forget()
        self._about.forget()
        self._named = False
        return b""

    def tick(self, at: float) -> bytes:  # noqa: ARG002 (the oximeter needs nothing)
        """Return nothing."""
        return b""

    def stop(self) -> bytes:
        """Return nothing: it switches off by itself."""
        return b""

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        try:
            told = self._about.read(packet)
        except BrokenPayload:
            self.counters.bad_frames += 1
            return []
        if told is not None:
            return told
        events = self._wave.arrived(len(packet.data) // WAVE_FRAME_BYTES * PACKET_SAMPLES, packet.at)
        for skipped, frame in self._framer.feed(packet.data):
            if skipped:
                lost = round(skipped / WAVE_FRAME_BYTES) * PACKET_SAMPLES
                events += self._wave.broken(max(PACKET_SAMPLES, lost), packet.at)
            events += self._read(frame[2], frame[4], frame[5:-1], packet.at)
        return events

    def _read(self, token: int, function: int, data: bytes, at: float) -> list[Event]:
        match token, function, len(data):
            case 0x0F, 0x01, size if size >= 6:
                return self._numbers(data, at)
            case 0x0F, 0x02, size if size:
                return self._wave.add((byte & 0x7F for byte in data), at)
            case 0xF0, 0x03, size if size:
                return self._conditions.tell({"battery_low": data[0] == 0}, at)
        return []

    def _numbers(self, data: bytes, at: float) -> list[Event]:
        spo2, rate, _, perfusion, _, status = data[:6]
        words = () if status == ALL_WELL else (f"status={status:02x}",)
        events: list[Event] = []
        if not self._named:
            self._named = True
            events.append(Notice("identified", at, detail=identity("PC-60FW")))
        return [
            *events,
            *self._conditions.tell({"searching": not spo2 and not rate}, at),
            spo2_reading(spo2 or None, at, words),
            pulse_reading(rate or None, at, words),
            perfusion_reading(perfusion / 10, at, words),
        ]


def _size(pending: bytearray) -> int | None:
    if not HEAD.startswith(pending[:2]):
        return 0
    if len(pending) < AROUND:
        return None
    plausible = pending[2] in (OXIMETER, DEVICE) and 2 <= pending[3] <= LONGEST
    return AROUND + pending[3] if plausible else 0


def _check(frame: bytes) -> bool:
    return crc8_maxim(frame) == 0
