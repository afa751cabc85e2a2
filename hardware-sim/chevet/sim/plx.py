"""Bytes of the Pulse Oximeter Service 1.0.1 (0x1822), as a sensor encodes them."""

import struct
from dataclasses import dataclass
from decimal import Decimal

SFLOAT_NAN = 0x07FF
SENSOR_NOT_ON_USER = 1 << 11
STATUS_ONGOING = 1 << 5
STATUS_UNAVAILABLE = 1 << 13
STATUS_FULLY_QUALIFIED = 1 << 8

FEATURES = struct.pack("<HH", 0x0003, STATUS_ONGOING | STATUS_UNAVAILABLE) + SENSOR_NOT_ON_USER.to_bytes(
    3, "little"
)
"""Feature bits 0 and 1 (both status fields are sent), followed by the bits of each that this sensor uses."""


@dataclass(frozen=True, slots=True)
class PlxNumbers:
    """One measurement; None while the sensor has nothing to show."""

    spo2: Decimal | None
    pulse_rate: Decimal | None
    measurement_status: int = 0
    device_status: int = 0


def sfloat(number: Decimal | None) -> bytes:
    """Return IEEE 11073 SFLOAT: 4-bit exponent, 12-bit mantissa, two's complement both; None is NaN.

    Raises:
        ValueError: the number does not fit.
    """
    if number is None:
        return struct.pack("<H", SFLOAT_NAN)
    sign, digits, exponent = number.as_tuple()
    mantissa = int("".join(map(str, digits or (0,)))) * (-1 if sign else 1)
    if not isinstance(exponent, int) or not -8 <= exponent <= 7 or not -2045 <= mantissa <= 2045:
        raise ValueError(f"{number} does not fit an SFLOAT")
    return struct.pack("<H", (exponent & 0xF) << 12 | mantissa & 0xFFF)


def continuous(numbers: PlxNumbers, *, with_status: bool = True) -> bytes:
    """Return a PLX Continuous Measurement (0x2A5F); flags b2 and b3 announce the status fields."""
    flags = 0b1100 if with_status else 0
    body = bytes((flags,)) + sfloat(numbers.spo2) + sfloat(numbers.pulse_rate)
    if not with_status:
        return body
    return body + struct.pack("<H", numbers.measurement_status) + numbers.device_status.to_bytes(3, "little")


def spot_check(numbers: PlxNumbers) -> bytes:
    """Return a PLX Spot-check Measurement (0x2A5E) without a device clock; b1 announces its status."""
    head = bytes((0b0001_0010,)) + sfloat(numbers.spo2) + sfloat(numbers.pulse_rate)
    return head + struct.pack("<H", numbers.measurement_status)
