"""Nonin 3230, 3231 and 3150 BLE by Nonin's own service.

Numbers once a second, pleth (DF22), pulse intervals (DF20), state (DF23). Everything is big-endian and
begins with its own length. The devices want to be paired (Just Works) before they send. Sources: Nonin
document 113142 as read by two public clients (a Python client of the 3150, a Swift recorder), NONIN3230 iOS
sample.

Doubts: one firmware is said to have SpO2 at byte 2 of the continuous measurement, against Nonin's document;
the layout here is the document's. The meaning of status bit 4 ("sensor attached") is from one client only,
so `sensor_off` comes from DF23's error and from missing numbers while the bit is clear. That DF22's counter
counts packets is taken from its name. Answers of the control point are read as one client reads them.
"""

import numpy as np

from chevet.bridge.clock import IndexTrack
from chevet.bridge.packet import Packet
from chevet.devices.conditions import Conditions, perfusion_reading, pulse_reading, spo2_reading
from chevet.devices.errors import BrokenPayload
from chevet.devices.gatt import GattDriver
from chevet.devices.samples import Channel, Event, Notice, Reading, SampleBlock

CONTINUOUS = "0aad7ea0-0d60-11e2-8e3c-0002a5d5c51b"
PPG = "ec0a883a-4d24-11e7-b114-b2f933d5fe66"
INTERVALS = "34e27863-76ff-4f8e-96f1-9e3993aa6199"
STATE = "ec0a9302-4d24-11e7-b114-b2f933d5fe66"
CONTROL = "1447af80-0d60-11e2-88b6-0002a5d5c51b"
ASK_TIME = bytes.fromhex("604e4d490644544d3f0d0a")
"""60 'NMI' length 'DTM?' CR LF; the answer is E0, result, length, YYMMDDhhmmss."""

RATE_HZ = 75.0
OFFSET = 32768
PLETH = (Channel("pleth", "1", RATE_HZ, 1.0, OFFSET),)
PPG_BYTES, PPG_SAMPLES = 53, 25
COUNTER_MODULUS = 1 << 16
MISSING_SPO2, MISSING_RATE = 127, 511
LONGEST_INTERVAL_MS = 5000.0

LOW_BATTERY, ATTACHED, SEARCHING, SMARTPOINT, WEAK = 0x20, 0x10, 0x08, 0x04, 0x02
NO_SENSOR, SENSOR_FAULT = 0x01, 0x05
STATE_WORDS = {NO_SENSOR: "sensor_disconnected", SENSOR_FAULT: "sensor_fault", 0x06: "system_error"}


class NoninBle:
    """Reads SpO2, pulse rate, perfusion index, pleth (75 Hz), pulse intervals and battery."""

    name = "nonin-ble"
    instrument = "oximeter"

    def __init__(self) -> None:
        self._gatt = GattDriver(
            self.name,
            self.instrument,
            {
                CONTINUOUS: self._continuous,
                PPG: self._ppg,
                INTERVALS: self._intervals,
                STATE: self._state,
                CONTROL: self._control,
            },
        )
        self.counters = self._gatt.counters
        self._conditions = Conditions()
        self._track = IndexTrack(COUNTER_MODULUS * PPG_SAMPLES)
        self._battery: int | None = None
        self._streaming = False

    def start(self) -> bytes:
        """Return nothing: subscribing starts the device."""
        self._conditions.forget()
        self._track.restart()
        self._battery = None
        self._streaming = False
        return self._gatt.start()

    def ask_time(self) -> bytes:
        """Return the question for the device's clock; notice `device_time` answers it."""
        return ASK_TIME

    def tick(self, at: float) -> bytes:
        """Return nothing."""
        return self._gatt.tick(at)

    def stop(self) -> bytes:
        """Return nothing: closing the link stops the device."""
        return self._gatt.stop()

    def feed(self, packet: Packet) -> list[Event]:
        """Take one notification; never raises, whatever it is."""
        return self._gatt.feed(packet)

    def _continuous(self, data: bytes, at: float) -> list[Event]:
        _sized(data, 10)
        status, spo2, rate = data[1], data[7], int.from_bytes(data[8:10], "big")
        perfusion = int.from_bytes(data[3:5], "big") / 100
        words = _words(status)
        nothing = spo2 == MISSING_SPO2 and rate == MISSING_RATE
        told = {"searching": bool(status & SEARCHING), "battery_low": bool(status & LOW_BATTERY)}
        told["sensor_off"] = nothing and not status & ATTACHED
        told["low_perfusion"] = bool(status & WEAK)
        return [
            *self._conditions.tell(told, at),
            spo2_reading(None if spo2 == MISSING_SPO2 else spo2, at, words),
            pulse_reading(None if rate == MISSING_RATE else rate, at, words),
            perfusion_reading(None if nothing else perfusion, at, words),
        ]

    def _ppg(self, data: bytes, at: float) -> list[Event]:
        _sized(data, PPG_BYTES)
        values = np.frombuffer(data, ">u2", PPG_SAMPLES, 1).astype(np.int32) - OFFSET
        counter = int.from_bytes(data[51:53], "big")
        placed = self._track.place(counter * PPG_SAMPLES, PPG_SAMPLES, at, RATE_HZ)
        events: list[Event] = []
        if placed.lost and self._streaming:
            self.counters.lost_samples += placed.lost
            events.append(Notice("lost_samples", at, detail=str(placed.lost)))
        self._streaming = True
        return [*events, SampleBlock(PLETH, values.astype(np.int16)[np.newaxis], placed.first, at)]

    def _intervals(self, data: bytes, at: float) -> list[Event]:
        if len(data) < 4 or data[0] != len(data) or len(data) % 4:
            raise BrokenPayload("intervals")
        if data[3] & 0x03:  # signal invalid, or too fast to tell: no pulses follow
            return []
        return [_interval(data[place : place + 4], at) for place in range(4, len(data), 4)]

    def _state(self, data: bytes, at: float) -> list[Event]:
        if len(data) < 7 or data[0] != len(data):
            raise BrokenPayload("state")
        events = self._conditions.tell({"sensor_off": data[2] in (NO_SENSOR, SENSOR_FAULT)}, at)
        if data[4] <= 100 and data[4] != self._battery:
            self._battery = data[4]
            word = STATE_WORDS.get(data[2])
            events.append(Reading("battery", float(data[4]), "%", at, (word,) if word else ()))
        return events

    def _control(self, data: bytes, at: float) -> list[Event]:
        if len(data) < 3 or data[0] != 0xE0 or len(data) != 3 + data[2]:
            raise BrokenPayload("answer")
        text = data[3:].decode("ascii", "replace")
        if data[1] or len(text) != 12 or not (text.isascii() and text.isdecimal()):
            return []
        year, month, day, hour, minute, second = (text[at : at + 2] for at in range(0, 12, 2))
        return [Notice("device_time", at, detail=f"20{year}-{month}-{day}T{hour}:{minute}:{second}")]


def _sized(data: bytes, size: int) -> None:
    if len(data) != size or data[0] != size:
        raise BrokenPayload("length")


def _words(status: int) -> tuple[str, ...]:
    bits = ((SEARCHING, "searching"), (WEAK, "poor_signal"), (SMARTPOINT, "smartpoint"))
    return tuple(word for bit, word in bits if status & bit)


def _interval(pulse: bytes, at: float) -> Reading:
    length_ms = int.from_bytes(pulse[2:4], "big") / 10
    bad = bool(pulse[0] & 0x80) or not 0 < length_ms <= LONGEST_INTERVAL_MS
    words = ("pulse",) + ("bad_pulse",) * bad
    return Reading("rr_interval", None if bad else length_ms, "ms", at, words)
