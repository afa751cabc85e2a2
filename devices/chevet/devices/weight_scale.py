"""Weighing scales with the Bluetooth SIG's Weight Scale Service 0x181D.

One indication (0x2A9D) when the weight has settled. BMI and height, which some scales add from what their
user once typed in, are stepped over.
"""

from chevet.devices.conditions import reading
from chevet.devices.gatt import Fields, GattDriver, taken, uuid
from chevet.devices.samples import Event

MEASUREMENT, FEATURE = uuid(0x2A9D), uuid(0x2A9E)
IMPERIAL, TIME, USER, BODY = 0x01, 0x02, 0x04, 0x08
KG_STEP, POUND_STEP, KG_IN_POUND = 0.005, 0.01, 0.45359237
FAILED = 0xFFFF
UNKNOWN_USER = 0xFF


def weight_scale() -> GattDriver:
    """Return the driver: weight in kg."""
    return GattDriver("weight-scale", "scale", {MEASUREMENT: _measurement, FEATURE: _feature})


def _measurement(data: bytes, at: float) -> list[Event]:
    fields = Fields(data, "weight")
    flags, raw = fields.u8(), fields.u16()
    words = taken(fields.date_time()) if flags & TIME else ()
    user = fields.u8() if flags & USER else UNKNOWN_USER
    if user != UNKNOWN_USER:
        words += (f"user={user}",)
    if flags & BODY:
        fields.take(4)
    step = POUND_STEP * KG_IN_POUND if flags & IMPERIAL else KG_STEP
    weight = None if raw == FAILED else round(raw * step, 3)
    return [reading("weight", weight, 400.0, "kg", at, words)]


def _feature(data: bytes, at: float) -> list[Event]:
    del at
    Fields(data, "feature").take(4)
    return []
