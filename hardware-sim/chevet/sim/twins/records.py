"""Devices that keep records and give them when asked: a glucose meter, an oximeter that stores spot checks.

Both by the Record Access Control Point: device-protocols notes sections 1.2 to 1.4. Who has not subscribed to
both the measurement and the control point is refused.
"""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from chevet.sim.twins import gatt
from chevet.sim.twins.gatt import INDICATE, NOTIFY, READ, WRITE, Sent, Service, characteristic, sig
from chevet.sim.twins.ieee11073 import date_time, sfloat

CONTROL_POINT = sig(0x2A52)
CURRENT_TIME = sig(0x2A2B)
GLUCOSE, CONTEXT, GLUCOSE_FEATURE = 0x2A18, 0x2A34, 0x2A51
SPOT_CHECK, CONTINUOUS, FEATURES = 0x2A5E, 0x2A5F, 0x2A60
REPORT, DELETE, ABORT, COUNT, COUNTED, ANSWER = 1, 2, 3, 4, 5, 6
ALL, AT_MOST, AT_LEAST, RANGE, FIRST, LAST = 1, 2, 3, 4, 5, 6
DONE, UNKNOWN_OP, UNKNOWN_OPERATOR, BAD_OPERAND, NONE_FOUND = 1, 2, 4, 5, 6
CAPILLARY_FINGER = 0x11
ITS_TIME = datetime.datetime(2025, 3, 14, 9, 30, 5)
"""What a meter's clock says before anybody sets it, a Friday."""


@dataclass(frozen=True, slots=True)
class Record:
    """One stored measurement: its number and the notifications that tell it."""

    sequence: int
    sent: tuple[Sent, ...]


class Records:
    """A device with records.

    Attributes:
        records: what it keeps, oldest first.
        silent: it does not answer.
        clock: what was last written to its clock, None before.
        wants_time: it does not answer before its clock was set.
    """

    linger_s = 0.0

    def __init__(self, name: str, services: tuple[Service, ...]) -> None:
        self.name = name
        self.services = services
        self.records: list[Record] = []
        self.silent = False
        self.clock: bytes | None = None
        self.wants_time = False

    def connected(self, now: float) -> None:
        """Do nothing: it waits to be asked."""
        del now

    def advance(self, now: float) -> list[Sent]:
        """Say nothing by itself."""
        del now
        return []

    def written(self, uuid: str, data: bytes, now: float) -> list[Sent]:
        """Obey the control point, take the time."""
        del now
        if uuid == CURRENT_TIME and len(data) == 10:
            self.clock = data
        if self.wants_time and self.clock is None:
            return []
        if uuid != CONTROL_POINT or len(data) < 2 or self.silent:
            return []
        op, found = data[0], self._chosen(data[1], data[2:])
        if op not in (REPORT, COUNT):
            return [self._answered(op, UNKNOWN_OP)]
        if isinstance(found, int):
            return [self._answered(op, found)]
        if op == COUNT:
            return [(CONTROL_POINT, bytes([COUNTED, 0]) + len(found).to_bytes(2, "little"))]
        told = [sent for record in found for sent in record.sent]
        return [*told, self._answered(op, DONE if found else NONE_FOUND)]

    def _chosen(self, operator: int, operand: bytes) -> list[Record] | int:
        """Return the records that are asked for, or the code of a refusal."""
        if operator == ALL:
            return self.records
        if operator in (FIRST, LAST):
            return self.records[:1] if operator == FIRST else self.records[-1:]
        if operator == AT_LEAST:
            if len(operand) != 3 or operand[0] != 1:
                return BAD_OPERAND
            least = int.from_bytes(operand[1:], "little")
            return [record for record in self.records if record.sequence >= least]
        return UNKNOWN_OPERATOR

    def _answered(self, op: int, code: int) -> Sent:
        return CONTROL_POINT, bytes([ANSWER, 0, op, code])


def glucose_meter() -> Records:
    """Return an empty meter; append what `glucose` returns to its records."""
    parts = (
        characteristic(sig(GLUCOSE), NOTIFY),
        characteristic(sig(CONTEXT), NOTIFY),
        characteristic(sig(GLUCOSE_FEATURE), READ, value=b"\x00\x00"),
        characteristic(CONTROL_POINT, WRITE, INDICATE, after=(sig(GLUCOSE), CONTROL_POINT)),
    )
    clock = characteristic(CURRENT_TIME, READ, WRITE, value=date_time(ITS_TIME) + b"\x05\x00\x01")
    time = Service(sig(0x1805), (clock,), advertised=False)
    about = gatt.about("Chevet", "SIM-G", "G0001")
    services = (Service(sig(0x1808), parts), about, gatt.battery(90), time)
    return Records("CHEVET-SIM-G", services)


def glucose(
    sequence: int,
    number: Decimal | None,
    when: datetime.datetime,
    *,
    molar: bool = False,
    status: int = 0,
    meal: int | None = None,
) -> Record:
    """Return a record.

    Args:
        sequence: its number.
        number: kg/L, or mol/L where `molar`; None is NaN.
        when: the meter's clock.
        molar: unit of `number`.
        status: sensor status bits.
        meal: 1 before, 2 after, 3 fasting, None for no context.
    """
    flags = 0x02 + 0x04 * molar + 0x08 * bool(status) + 0x10 * (meal is not None)
    value = bytes([flags]) + sequence.to_bytes(2, "little") + date_time(when)
    value += sfloat(number) + bytes([CAPILLARY_FINGER])
    value += status.to_bytes(2, "little") if status else b""
    sent = [(sig(GLUCOSE), value)]
    if meal is not None:
        sent.append((sig(CONTEXT), b"\x02" + sequence.to_bytes(2, "little") + bytes([meal])))
    return Record(sequence, tuple(sent))


def storing_oximeter() -> Records:
    """Return an oximeter with an empty store; append what `spot_check` returns to its records."""
    parts = (
        characteristic(sig(CONTINUOUS), NOTIFY),
        characteristic(sig(SPOT_CHECK), INDICATE),
        characteristic(sig(FEATURES), READ, value=b"\x0d\x00\x00\x03"),
        characteristic(CONTROL_POINT, WRITE, INDICATE, after=(sig(SPOT_CHECK), CONTROL_POINT)),
    )
    return Records("CHEVET-SIM-SPOT", (Service(sig(0x1822), parts), gatt.about("Chevet", "SIM-S", "S0001")))


def spot_check(sequence: int, spo2: Decimal | None, rate: Decimal | None, when: datetime.datetime) -> Record:
    """Return a stored spot check: date and measurement status "fully qualified, from storage"."""
    value = b"\x03" + sfloat(spo2) + sfloat(rate) + date_time(when) + (0x0300).to_bytes(2, "little")
    return Record(sequence, ((sig(SPOT_CHECK), value),))
