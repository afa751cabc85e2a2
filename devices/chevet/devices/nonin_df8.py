"""Nonin oximeters in serial data format 8: four bytes once a second, `S1 HR SpO2 S2`, no pleth.

S1 has bit 7 set, the others have it clear; 9600 baud 8N1, the module starts by itself. Source: Nonin OEM
III and 3150 specifications as used by OpenICE.

Doubts: there is no checksum. Bit 7 of S2 is taken to be always clear, as in HR and SpO2; it was not seen
stated. A frame that does not follow another one directly (or stand first) is not believed, because noise
looks like a frame once in 16 places: after noise one second of numbers is given up.
"""

from chevet.bridge.packet import Packet
from chevet.devices.conditions import Conditions, identity, pulse_reading, spo2_reading
from chevet.devices.counters import Counters
from chevet.devices.framer import Framer
from chevet.devices.samples import Event, Notice

FRAME_BYTES = 4
MISSING_RATE = 511
MISSING_SPO2 = 127

S1_WORDS = (
    (0x40, "sensor_disconnected"),
    (0x20, "out_of_track"),
    (0x10, "low_perfusion"),
    (0x08, "medium_perfusion"),
    (0x04, "artifact"),
)
S2_WORDS = (
    (0x20, "smartpoint"),
    (0x08, "sensor_alarm"),
    (0x04, "spot_check"),
    (0x02, "battery_critical"),
    (0x01, "battery_low"),
)


class NoninDf8:
    """Reads one SpO2 and one pulse rate a second, with the module's status words."""

    name = "nonin-df8"
    instrument = "oximeter"

    def __init__(self) -> None:
        self.counters = Counters()
        self._framer = Framer(_size, _check, self.counters)
        self._conditions = Conditions()
        self._named = False

    def start(self) -> bytes:
        """Return nothing: the module streams by itself."""
        self._framer.restart()
        self._conditions.forget()
        self._named = False
        return b""

    def tick(self, at: float) -> bytes:  # noqa: ARG002 (the module needs nothing)
        """Return nothing."""
        return b""

    def stop(self) -> bytes:
        """Return nothing: the module cannot be stopped."""
        return b""

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        events: list[Event] = []
        for skipped, frame in self._framer.feed(packet.data):
            if not skipped:
                events += self._read(frame, packet.at)
        return events

    def _read(self, frame: bytes, at: float) -> list[Event]:
        s1, low, spo2, s2 = frame
        rate = (s1 & 3) << 7 | low
        words = tuple(word for bit, word in S1_WORDS if s1 & bit)
        words += tuple(word for bit, word in S2_WORDS if s2 & bit)
        events: list[Event] = []
        if not self._named:
            self._named = True
            events.append(Notice("identified", at, detail=identity("Nonin DF8")))
        events += self._conditions.tell(conditions(words), at)
        events.append(spo2_reading(None if spo2 == MISSING_SPO2 else spo2, at, words))
        events.append(pulse_reading(None if rate == MISSING_RATE else rate, at, words))
        return events


def conditions(words: tuple[str, ...]) -> dict[str, bool]:
    """Return what Nonin's status words say about sensor, search, signal and battery."""
    return {
        "sensor_off": "sensor_disconnected" in words or "sensor_alarm" in words,
        "searching": "out_of_track" in words,
        "artifact": "artifact" in words,
        "low_perfusion": "low_perfusion" in words,
        "battery_low": "battery_low" in words or "battery_critical" in words,
    }


def _size(pending: bytearray) -> int:
    return FRAME_BYTES if pending[0] & 0x80 else 0


def _check(frame: bytes) -> bool:
    return all(byte < 0x80 for byte in frame[1:])
