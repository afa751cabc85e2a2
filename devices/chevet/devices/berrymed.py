"""BerryMed BM1000 (Bluetooth, USB or classic Bluetooth): BCI protocol 1.2, 100 frames of five bytes a second.

Microchip's transparent UART service; the device streams to whoever subscribes, without command or pairing.
A notification holds about four frames, cut anywhere. Sources: BCI protocol document (zh2x), Adafruit's
BerryMed library.

Doubts: units of protocol 1.5 send packets of 20 bytes instead; they are not read (their bytes count as bad
frames). A pleth of 0 is documented as "invalid": it is given as it came, with the words beside the numbers.
"""

from chevet.bridge.packet import Packet
from chevet.devices import pleth_frame
from chevet.devices.conditions import Agreement, Conditions, identity, pulse_reading, spo2_reading
from chevet.devices.counters import Counters
from chevet.devices.errors import BrokenPayload
from chevet.devices.framer import Framer
from chevet.devices.gatt import About
from chevet.devices.pulse_wave import PulseWave
from chevet.devices.samples import Channel, Event, Notice

NOTIFY = "49535343-1e4d-4bd9-ba61-23c647249616"
RATE_HZ = 100.0
PLETH = Channel("pleth", "1", RATE_HZ, 1.0)
BLOCK_FRAMES = 5
"""20 blocks a second."""
MISSING_RATE = (0, 255)
MISSING_SPO2 = (0, 127)


class BerryMed:
    """Reads pleth (100 Hz, 0 to 100) and numbers once a second, with status words."""

    name = "berrymed"
    instrument = "oximeter"

    def __init__(self) -> None:
        self.counters = Counters()
        self._framer = Framer(pleth_frame.frame_size, pleth_frame.whole, self.counters)
        self._wave = PulseWave(PLETH, self.counters, BLOCK_FRAMES)
        self._agreement = Agreement(int(RATE_HZ))
        self._conditions = Conditions()
        self._about = About()
        self._named = False

    def start(self) -> bytes:
        """Return nothing: subscribing starts the stream."""
        for part in (self._framer, self._wave):
            part.restart()
        for memory in (self._agreement, self._conditions, self._about):
            memory.forget()
        self._named = False
        return b""

    def tick(self, at: float) -> bytes:  # noqa: ARG002 (the oximeter needs nothing)
        """Return nothing."""
        return b""

    def stop(self) -> bytes:
        """Return nothing: closing the link stops the stream."""
        return b""

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        try:
            told = self._about.read(packet)
        except BrokenPayload:
            self.counters.bad_frames += 1
            return []
        return self._stream(packet.data, packet.at) if told is None else told

    def _stream(self, data: bytes, at: float) -> list[Event]:
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
            events.append(Notice("identified", at, detail=identity("BerryMed")))
        gone = "sensor_not_on_user" in words or "sensor_disconnected" in words
        if agreed:
            events += self._conditions.tell({"sensor_off": gone, "searching": "searching" in words}, at)
        if due:
            events.append(spo2_reading(None if gone or spo2 in MISSING_SPO2 else spo2, at, words))
            events.append(pulse_reading(None if gone or rate in MISSING_RATE else rate, at, words))
        return events


def _words(frame: bytes) -> tuple[str, ...]:
    bits = (
        ("sensor_disconnected", frame[0] & 0x20),
        ("no_signal", frame[0] & 0x10),
        ("searching", frame[2] & 0x20),
        ("sensor_not_on_user", frame[2] & 0x10),
    )
    return tuple(word for word, bit in bits if bit)
