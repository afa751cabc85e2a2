"""Glucose meters with the Bluetooth SIG's Glucose Service 0x1808.

A meter sends nothing by itself: its stored measurements (0x2A18) are asked for by the control point
(0x2A52), all of them after the first connection and only the new ones after the next. A measurement may be
followed by its context (0x2A34: before or after a meal); it is held until that has come. Every reading has
the words `from_storage`, `sequence=N` and, where the meter's clock is set, `taken=...`.

Some meters want the time written to 0x2A2B before they send: it is, where the link's `write` lists 2a2b.

Doubts: meters that start counting again (a new battery) are asked for everything again when their numbers
fall. Reports of the control solution (a test of the meter) are given as "no value".
"""

import datetime

from chevet.bridge.packet import Packet
from chevet.devices import racp
from chevet.devices.conditions import Conditions, reading
from chevet.devices.gatt import Fields, GattDriver, bit_words, taken, uuid
from chevet.devices.memory import STORED_UNTIL, Write
from chevet.devices.samples import Event, Notice, Reading

MEASUREMENT, CONTEXT, FEATURE = uuid(0x2A18), uuid(0x2A34), uuid(0x2A51)
OFFSET, CONCENTRATION, MOLAR, STATUS, CONTEXT_FOLLOWS = (1 << bit for bit in range(5))
CARBOHYDRATE, MEAL = 0x01, 0x02
CONTEXT_EXTENDED = 0x80

MG_DL_IN_KG_L = 100_000.0
MG_DL_IN_MOL_L = 18_015.588
"""Of glucose, C6H12O6, 180.15588 g/mol."""
HIGHEST_MG_DL = 2000.0
CONTROL_SOLUTION = 10
TYPES = {
    1: "capillary_whole_blood",
    2: "capillary_plasma",
    3: "venous_whole_blood",
    4: "venous_plasma",
    5: "arterial_whole_blood",
    6: "arterial_plasma",
    7: "undetermined_whole_blood",
    8: "undetermined_plasma",
    9: "interstitial_fluid",
    CONTROL_SOLUTION: "control_solution",
}
STATUS_WORDS = {
    0: "battery_low",
    1: "sensor_malfunction",
    2: "sample_too_small",
    3: "strip_inserted_wrongly",
    4: "wrong_strip",
    5: "result_too_high",
    6: "result_too_low",
    7: "too_hot",
    8: "too_cold",
    9: "strip_pulled_early",
    10: "fault",
    11: "clock_fault",
}
NO_NUMBER = frozenset(
    [
        "sensor_malfunction",
        "sample_too_small",
        "strip_inserted_wrongly",
        "wrong_strip",
        "result_too_high",
        "result_too_low",
        "strip_pulled_early",
        "fault",
        "control_solution",
    ]
)
MEALS = {1: "before_meal", 2: "after_meal", 3: "fasting", 4: "casual", 5: "bedtime"}
ASK_AGAIN_S = 30.0
"""Profiles end a procedure that says nothing for 30 s; the meter is then asked once more."""


class Glucose:
    """Reads what a meter has stored: glucose in mg/dL."""

    name = "glucose"
    instrument = "glucose"

    def __init__(self) -> None:
        self._gatt = GattDriver(
            self.name,
            self.instrument,
            {
                MEASUREMENT: self._measurement,
                CONTEXT: self._context,
                racp.CONTROL_POINT: self._answered,
                FEATURE: _feature,
            },
        )
        self.counters = self._gatt.counters
        self._conditions = Conditions()
        self._last: int | None = None  # sequence number of the newest record given
        self._held: tuple[int, Reading] | None = None
        self._asking = False
        self._heard_at: float | None = None
        self._ask_all = False

    def remember(self, mark: str) -> None:
        """Ask for what is newer than the record of this mark."""
        self._last = racp.marked(mark)

    def set_clock(self, now: datetime.datetime) -> list[Write]:
        """Return what sets the meter's clock."""
        return self._gatt.set_clock(now)

    def start(self) -> bytes:
        """Return the request for all records, or for those that are new since the last connection."""
        self._gatt.start()
        self._held = None
        self._ask_all = False
        self._asking, self._heard_at = True, None
        return self._request()

    def _request(self) -> bytes:
        return racp.report_all() if self._last is None else racp.report_from(self._last)

    def tick(self, at: float) -> bytes:
        """Return the request again when the meter said nothing to it, or its numbers fell."""
        if self._ask_all:
            self._ask_all, self._asking, self._heard_at = False, True, at
            return racp.report_all()
        if not self._asking:
            return b""
        if self._heard_at is None:
            self._heard_at = at
        if at - self._heard_at < ASK_AGAIN_S:
            return b""
        self._heard_at = at
        return self._request()

    def stop(self) -> bytes:
        """Return nothing: closing the link stops the meter."""
        return b""

    def feed(self, packet: Packet) -> list[Event]:
        """Take one value; never raises, whatever it is."""
        self._heard_at = packet.at
        return self._gatt.feed(packet)

    def _measurement(self, data: bytes, at: float) -> list[Event]:
        fields = Fields(data, "glucose")
        flags, sequence, when = fields.u8(), fields.u16(), fields.date_time()
        if flags & OFFSET:
            when = _shifted(when, fields.s16())
        value, words = None, ("from_storage", f"sequence={sequence}", *taken(when))
        if flags & CONCENTRATION:
            value = fields.sfloat()
            words += (TYPES.get(fields.u8() & 0x0F, "unknown_sample"),)
        words += bit_words(fields.u16(), STATUS_WORDS) if flags & STATUS else ()
        if value is not None:
            value *= MG_DL_IN_MOL_L if flags & MOLAR else MG_DL_IN_KG_L
        if not NO_NUMBER.isdisjoint(words):
            value = None
        events = self._release() + self._conditions.tell({"battery_low": "battery_low" in words}, at)
        if sequence == self._last:
            return events  # the record that a request from it on begins with
        self._held = sequence, reading("glucose", value, HIGHEST_MG_DL, "mg/dL", at, words)
        return events if flags & CONTEXT_FOLLOWS else events + self._release()

    def _context(self, data: bytes, at: float) -> list[Event]:
        del at
        fields = Fields(data, "context")
        flags, sequence = fields.u8(), fields.u16()
        if flags & CONTEXT_EXTENDED:
            fields.u8()
        if flags & CARBOHYDRATE:
            fields.take(3)
        meal = MEALS.get(fields.u8()) if flags & MEAL else None
        if self._held is None or self._held[0] != sequence:
            return []
        if meal is not None:
            held = self._held[1]
            words = (*held.status, f"meal={meal}")
            self._held = sequence, Reading(held.kind, held.value, held.unit, held.at, words)
        return self._release()

    def _release(self) -> list[Event]:
        """Give out the measurement that was held."""
        if self._held is None:
            return []
        (sequence, held), self._held = self._held, None
        self._last = sequence if self._last is None else max(self._last, sequence)
        return [held]

    def _answered(self, data: bytes, at: float) -> list[Event]:
        code = racp.answer_to_report(data)
        if code is None:
            return []
        self._asking = False
        if code == racp.NO_RECORDS and self._last is not None:
            # Not even the record it gave last: it counts anew.
            self._last, self._ask_all = None, True
        events = self._release()
        if code == racp.SUCCESS and self._last is not None:
            events.append(Notice(STORED_UNTIL, at, detail=racp.mark(self._last)))
        return events


def _shifted(when: datetime.datetime | None, minutes: int) -> datetime.datetime | None:
    try:
        return None if when is None else when + datetime.timedelta(minutes=minutes)
    except OverflowError:
        return None


def _feature(data: bytes, at: float) -> list[Event]:
    del at
    Fields(data, "feature").u16()
    return []
