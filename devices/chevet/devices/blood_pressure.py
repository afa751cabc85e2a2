"""Blood pressure monitors with the Bluetooth SIG's Blood Pressure Service 0x1810.

One indication (0x2A35) after each measurement; many monitors connect for seconds only and then again. The
cuff pressure while it deflates (0x2A36) is checked and left: it is no blood pressure. Most want bonding
(`pair=1`).

Doubts: monitors with a memory may send stored measurements first; the word `taken=` tells when each was
made.
"""

from chevet.devices.conditions import reading
from chevet.devices.gatt import Fields, GattDriver, bit_words, taken, uuid
from chevet.devices.samples import Event

MEASUREMENT, CUFF, FEATURE = uuid(0x2A35), uuid(0x2A36), uuid(0x2A49)
KPA, TIME, PULSE, USER, STATUS = (1 << bit for bit in range(5))
MMHG_IN_KPA = 7.500617
HIGHEST_MMHG = 400.0
"""No cuff is inflated further (IEC 80601-2-30 ends at 300 mmHg)."""
WORDS = {0: "body_moved", 1: "cuff_loose", 2: "irregular_pulse", 5: "bad_position"}
PULSE_RANGE = {1: "pulse_too_fast", 2: "pulse_too_slow"}


def blood_pressure() -> GattDriver:
    """Return the driver: systolic, diastolic and mean pressure in mm[Hg], and the pulse rate where told."""
    readers = {MEASUREMENT: _measurement, CUFF: _cuff, FEATURE: _feature}
    return GattDriver("blood-pressure", "blood_pressure", readers)


def _measurement(data: bytes, at: float) -> list[Event]:
    fields = Fields(data, "blood_pressure")
    flags = fields.u8()
    pressures = [fields.sfloat() for _ in range(3)]
    words = taken(fields.date_time()) if flags & TIME else ()
    has_pulse = bool(flags & PULSE)
    pulse = fields.sfloat() if has_pulse else None
    if flags & USER:
        words += (f"user={fields.u8()}",)
    words += _status(fields.u16()) if flags & STATUS else ()
    factor = MMHG_IN_KPA if flags & KPA else 1.0
    kinds = ("systolic", "diastolic", "mean_pressure")
    events: list[Event] = [
        reading(kind, None if value is None else value * factor, HIGHEST_MMHG, "mm[Hg]", at, words)
        for kind, value in zip(kinds, pressures, strict=True)
    ]
    if has_pulse:
        events.append(reading("pulse_rate", pulse, 321.0, "/min", at, words))
    return events


def _status(bits: int) -> tuple[str, ...]:
    pulse_range = PULSE_RANGE.get(bits >> 3 & 3)
    return bit_words(bits, WORDS) + ((pulse_range,) if pulse_range else ())


def _cuff(data: bytes, at: float) -> list[Event]:
    del at
    fields = Fields(data, "cuff_pressure")
    fields.take(7)
    return []


def _feature(data: bytes, at: float) -> list[Event]:
    del at
    Fields(data, "feature").u16()
    return []
