"""Pulse oximeters with the Bluetooth SIG's Pulse Oximeter Service 0x1822 (PLXS 1.0.1).

Continuous measurements (0x2A5F, notified about once a second) and spot checks (0x2A5E, indicated). Battery
level (0x2A19) and the Device Information texts are read too where the link subscribes to it. Fast and slow
numbers, and the date of a new measurement, are checked for length and left: the box's clock is better.

Stored spot checks are asked for by the Record Access Control Point (0x2A52) when the link reads Features
(0x2A60) and these announce storage; such a link must subscribe to and write 0x2A52. They have the words
`from_storage` and `taken=...` (there the device's own date is all there is).

Doubts: that stored records come as 0x2A5E with measurement status "from storage" is the specification's word,
never seen here; what comes between request and answer is taken as stored whatever its status says. The
service can only be asked for all records; those with a date up to that of the mark are passed over, and all
stay in the device.
Hand-written clones of the service often leave out Features and send a pulse rate of 0; 0 is taken
as "no value". Numbers that no body has (SpO2 over 100 %) are "no value" too, with the word "implausible".
"""

import datetime
from dataclasses import dataclass, field

from chevet.bridge.packet import Packet
from chevet.devices import racp
from chevet.devices.counters import Counters, counted
from chevet.devices.errors import BrokenPayload
from chevet.devices.gatt import CURRENT_TIME, Fields, current_time, device_time, taken
from chevet.devices.memory import FROM_STORAGE, STORED_UNTIL, Write
from chevet.devices.samples import Event, Notice, Reading
from chevet.devices.sfloat import sfloat

_BASE = "0000{}-0000-1000-8000-00805f9b34fb"
SPOT_CHECK = _BASE.format("2a5e")
CONTINUOUS = _BASE.format("2a5f")
FEATURES = _BASE.format("2a60")
BATTERY_LEVEL = _BASE.format("2a19")
IDENTITY_TEXTS = {
    _BASE.format("2a24"): "model",
    _BASE.format("2a25"): "serial",
    _BASE.format("2a26"): "firmware",
}
"""Of the Device Information Service 0x180A."""
MAX_TEXT = 64

CONTINUOUS_FIELDS = (("fast", 4), ("slow", 4), ("measurement", 2), ("device", 3), ("amplitude", 2))
SPOT_CHECK_FIELDS = (("date", 7), ("measurement", 2), ("device", 3), ("amplitude", 2))
"""Optional fields in the order of their flag bits, and their lengths: PLXS tables 3.2 and 3.4."""
CLOCK_NOT_SET = 0x10
STORAGE = 0x0004
"""Bit of Features: the device keeps spot checks."""

MEASUREMENT_WORDS = {
    5: "ongoing",
    6: "early_estimate",
    7: "validated",
    8: "fully_qualified",
    9: "from_storage",
    10: "demo",
    11: "testing",
    12: "calibration_ongoing",
    13: "unavailable",
    14: "questionable",
    15: "invalid",
}
DEVICE_WORDS = {
    0: "extended_display_update",
    1: "equipment_malfunction",
    2: "signal_irregular",
    3: "inadequate_signal",
    4: "poor_signal",
    5: "low_perfusion",
    6: "erratic",
    7: "non_pulsatile",
    8: "questionable_pulse",
    9: "analysis_ongoing",
    10: "sensor_interference",
    11: "sensor_not_on_user",
    12: "unknown_sensor",
    13: "sensor_displaced",
    14: "sensor_malfunction",
    15: "sensor_disconnected",
}
NO_NUMBER = frozenset({"unavailable", "invalid", "sensor_not_on_user", "sensor_disconnected"})
"""With one of these a number beside them is a leftover."""
NOTICES = {
    "sensor_off": frozenset({"sensor_not_on_user", "sensor_disconnected"}),
    "searching": frozenset({"analysis_ongoing"}),
    "artifact": frozenset({"erratic", "sensor_interference", "signal_irregular"}),
    "low_perfusion": frozenset({"low_perfusion"}),
}


@dataclass(frozen=True, slots=True)
class Measurement:
    """One notification taken apart: SpO2 and pulse amplitude index in %, pulse rate in /min, words."""

    spo2: float | None
    pulse_rate: float | None
    amplitude: float | None = None
    has_amplitude: bool = False
    words: tuple[str, ...] = ()
    fields: dict[str, bytes] = field(default_factory=dict[str, bytes])


def parse_measurement(data: bytes, layout: tuple[tuple[str, int], ...]) -> Measurement:
    """Read a continuous or spot-check measurement.

    Raises:
        BrokenPayload: it is shorter than its flags demand.
    """
    fields, at = {}, 5
    for bit, (name, size) in enumerate(layout):
        if data and data[0] >> bit & 1:
            fields[name] = data[at : at + size]
            at += size
    if len(data) < at:
        raise BrokenPayload("measurement")
    words = _words(fields.get("measurement", b""), MEASUREMENT_WORDS)
    words += _words(fields.get("device", b""), DEVICE_WORDS)
    return Measurement(
        sfloat(_u16(data[1:3])),
        sfloat(_u16(data[3:5])),
        sfloat(_u16(fields["amplitude"])) if "amplitude" in fields else None,
        "amplitude" in fields,
        words,
        fields,
    )


class Plx:
    """Reads the service: readings spo2, pulse_rate and, where sent, perfusion_index, with status words."""

    name = "plx"
    instrument = "oximeter"

    def __init__(self) -> None:
        self.counters = Counters()
        self._seen: dict[str, bool] = {}
        self._identity: dict[str, str] = {}
        self._stores = self._asking = False
        self._until: datetime.datetime | None = None  # the newest stored one that need not come again
        self._newest: datetime.datetime | None = None

    def remember(self, mark: str) -> None:
        """Pass over stored spot checks up to the time of this mark."""
        self._until = self._newest = _time_of(mark)

    def set_clock(self, now: datetime.datetime) -> list[Write]:
        """Return what sets the device's clock, where it has one."""
        return [Write(CURRENT_TIME, current_time(now))]

    def start(self) -> bytes:
        """Return nothing: subscribing starts the device."""
        self._seen, self._identity = {}, {}
        self._stores = self._asking = False
        return b""

    def tick(self, at: float) -> bytes:  # noqa: ARG002 (asked once, whatever the time)
        """Return the request for stored spot checks, once the device has said that it keeps them."""
        if not self._stores or self._asking:
            return b""
        self._stores, self._asking = False, True
        return racp.report_all()

    def stop(self) -> bytes:
        """Return nothing: closing the link stops the device."""
        return b""

    def feed(self, packet: Packet) -> list[Event]:
        """Take one notification; never raises, whatever it is."""
        return counted(self._read, packet, self.counters)

    def _read(self, packet: Packet) -> list[Event]:
        if packet.source == CONTINUOUS:
            return self._measured(parse_measurement(packet.data, CONTINUOUS_FIELDS), packet.at)
        if packet.source == SPOT_CHECK:
            return self._spot_check(packet)
        if packet.source == BATTERY_LEVEL:
            return self._battery(packet)
        if packet.source == FEATURES:
            self._stores = bool(Fields(packet.data, "features").u16() & STORAGE)
            return []
        if packet.source == racp.CONTROL_POINT:
            return self._answered(packet)
        if packet.source == CURRENT_TIME:
            return device_time(packet)
        if packet.source in IDENTITY_TEXTS:
            return self._identified(IDENTITY_TEXTS[packet.source], packet)
        raise BrokenPayload("source")

    def _identified(self, key: str, packet: Packet) -> list[Event]:
        text = packet.data[:MAX_TEXT].decode("utf-8", "replace")
        self._identity[key] = "".join(
            char for char in text if char.isprintable() and char not in ";="
        ).strip()
        detail = ";".join(f"{key}={self._identity.get(key, '')}" for key in IDENTITY_TEXTS.values())
        return [Notice("identified", packet.at, detail=detail)]

    def _answered(self, packet: Packet) -> list[Event]:
        code = racp.answer_to_report(packet.data)
        if code is None:
            return []
        self._asking = False
        if code != racp.SUCCESS or self._newest is None:
            return []
        return [Notice(STORED_UNTIL, packet.at, detail=f"taken={self._newest.isoformat()}")]

    def _spot_check(self, packet: Packet) -> list[Event]:
        measured = parse_measurement(packet.data, SPOT_CHECK_FIELDS)
        words = ("spot_check",) + ("clock_not_set",) * bool(packet.data[0] & CLOCK_NOT_SET)
        if not self._asking and FROM_STORAGE not in measured.words:
            return self._measured(measured, packet.at, words)
        date = measured.fields.get("date")
        when = Fields(date, "date").date_time() if date is not None else None
        if when is not None and self._until is not None and when <= self._until:
            return []
        if when is not None:
            self._newest = when if self._newest is None else max(self._newest, when)
        words += (FROM_STORAGE,) * (FROM_STORAGE not in measured.words) + taken(when)
        return self._measured(measured, packet.at, words)

    def _battery(self, packet: Packet) -> list[Event]:
        if not packet.data or packet.data[0] > 100:
            raise BrokenPayload("battery")
        return [Reading("battery", float(packet.data[0]), "%", packet.at)]

    def _measured(self, measured: Measurement, at: float, more: tuple[str, ...] = ()) -> list[Event]:
        words = measured.words + more
        events = [] if FROM_STORAGE in words else self._notices(words, at)
        events.append(_reading("spo2", measured.spo2, 100.0, "%", at, words))
        events.append(_reading("pulse_rate", measured.pulse_rate, 500.0, "/min", at, words))
        if measured.has_amplitude:
            events.append(_reading("perfusion_index", measured.amplitude, 100.0, "%", at, words))
        return events

    def _notices(self, words: tuple[str, ...], at: float) -> list[Event]:
        now = {code: not marks.isdisjoint(words) for code, marks in NOTICES.items()}
        changed = [code for code, on in now.items() if on != self._seen.get(code, False)]
        self._seen = now
        return [Notice(code, at, on=now[code]) for code in changed]


def _reading(
    kind: str, value: float | None, highest: float, unit: str, at: float, words: tuple[str, ...]
) -> Reading:
    """Return a reading whose value is None where there is none, or none that can be true."""
    if value is None or not NO_NUMBER.isdisjoint(words) or value == 0:
        return Reading(kind, None, unit, at, words)
    if not 0 < value <= highest:
        return Reading(kind, None, unit, at, (*words, "implausible"))
    return Reading(kind, value, unit, at, words)


def _time_of(mark: str) -> datetime.datetime | None:
    word, _, text = mark.partition("=")
    try:
        when = datetime.datetime.fromisoformat(text) if word == "taken" else None
    except ValueError:
        return None
    return None if when is None or when.tzinfo is not None else when


def _u16(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _words(data: bytes, names: dict[int, str]) -> tuple[str, ...]:
    bits = int.from_bytes(data, "little")
    return tuple(name for bit, name in names.items() if bits >> bit & 1)
