"""Numbers that were decimal for whoever gave them: 0.695 in three bytes instead of nine.

A CBOR integer n stands for (n >> 2) / 10 ** (n & 3); a float stands for itself. Either gives back the very
double that was written: a division of two integers that doubles hold is rounded once (IEEE 754).
"""

from collections.abc import Sequence
from math import copysign, isfinite
from typing import Final, cast

from chevet.study.cbor import Row, Value
from chevet.study.errors import BundleError

_PLACES: Final = 3
_LARGEST: Final = 1 << 50


def to_decimal(value: float | None) -> Value:
    """Return a number as it travels; None stays None."""
    if value is None:
        return None
    number = float(value)
    if not isfinite(number):
        return number
    for places in range(_PLACES + 1):
        scaled = number * 10.0**places
        if abs(scaled) > _LARGEST:
            break
        whole = round(scaled)
        if whole / 10.0**places == number and (whole or copysign(1.0, number) > 0):
            return (whole << 2) | places
    return number


def from_decimal(value: Value) -> float | None:
    """Return the number that travelled, or None.

    Raises:
        BundleError: this is no number, or none that a double holds exactly.
    """
    if value is None:
        return None
    if isinstance(value, float) and isfinite(value):
        return value
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >> 2 > _LARGEST:
        raise BundleError("wrong_type")
    return float((value >> 2) / 10.0 ** (value & 3))


def decimal(row: Row) -> float:
    """Take one number from a row.

    Raises:
        BundleError: the field is missing, None or no number.
    """
    return known(from_decimal(row.any()))


def known(value: float | None) -> float:
    """Return the number.

    Raises:
        BundleError: it is None where something must stand.
    """
    if value is None:
        raise BundleError("wrong_type")
    return value


def column(values: Sequence[Value]) -> Value:
    """Return a column of equal values as that value alone, any other as the list of them."""
    first = values[0] if values else None
    if values and not isinstance(first, list) and all(type(v) is type(first) and v == first for v in values):
        return first
    return list(values)


def read_column(row: Row, count: int) -> list[Value]:
    """Take a column of `count` values from a row.

    Raises:
        BundleError: the field is missing or of another length.
    """
    value = row.any()
    if not isinstance(value, list):
        return [value] * count
    items = cast("list[Value]", value)
    if len(items) != count:
        raise BundleError("wrong_type")
    return items
