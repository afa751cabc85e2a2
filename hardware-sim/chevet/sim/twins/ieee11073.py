"""Numbers and dates as Bluetooth health devices encode them (IEEE 11073-20601), from decimals."""

import datetime
import struct
from decimal import Decimal

from chevet.sim.plx import sfloat as sfloat

FLOAT_NAN = bytes.fromhex("ffff7f00")


def medical_float(number: Decimal | None) -> bytes:
    """Return a FLOAT: 8-bit exponent, 24-bit mantissa; None is NaN.

    Raises:
        ValueError: the number does not fit.
    """
    if number is None:
        return FLOAT_NAN
    sign, digits, exponent = number.as_tuple()
    mantissa = int("".join(map(str, digits)) or 0) * (-1 if sign else 1)
    if not isinstance(exponent, int) or not -128 <= exponent <= 127 or abs(mantissa) >= 0x7FFFFD:
        raise ValueError(f"{number} does not fit a FLOAT")
    return (mantissa & 0xFFFFFF).to_bytes(3, "little") + struct.pack("b", exponent)


def date_time(when: datetime.datetime | None) -> bytes:
    """Return a Date Time of seven bytes; None is a clock that is not set."""
    if when is None:
        return bytes(7)
    day = bytes([when.month, when.day, when.hour, when.minute, when.second])
    return when.year.to_bytes(2, "little") + day
