"""The small part of CBOR (RFC 8949) that travels: deterministic out, strict in.

Out: definite lengths, shortest forms, sorted keys (section 4.2). In: integers, bytes, text, arrays, maps with
text keys, false, true, null and floats; nothing else. A general decoder would build dates, patterns and
shared references from tags that a stranger sent, so reading is done here.
"""

import struct
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import cast

import cbor2

from chevet.study.errors import BundleError
from chevet.study.ids import from_wire

Value = None | bool | int | float | bytes | str | Sequence["Value"] | Mapping[str, "Value"]

MAX_DEPTH = 8
TEXT = 3
"""Major type of a text, RFC 8949 section 3.1."""
_FLOATS = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}
_SIMPLE: dict[int, bool | None] = {20: False, 21: True, 22: None}


def encode(value: Value) -> bytes:
    """Return the deterministic encoding of a value."""
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes) -> Value:
    """Return the one value that `data` holds.

    Raises:
        BundleError: `malformed`; memory stays within a small multiple of `data`.
    """
    reader = _Reader(data)
    value = reader.value(MAX_DEPTH)
    if reader.at != len(data):
        raise BundleError("malformed")
    return value


def decode_head(data: bytes) -> tuple[Value, bytes]:
    """Return the first value and the bytes after it.

    Raises:
        BundleError: `malformed`.
    """
    reader = _Reader(data)
    value = reader.value(MAX_DEPTH)
    return value, data[reader.at :]


class _Reader:
    """Walks the bytes once; every length is checked against what is left before it is used."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise BundleError("malformed")
        self.at += count
        return self.data[self.at - count : self.at]

    def argument(self, low: int) -> int:
        if low < 24:
            return low
        if low > 27:
            raise BundleError("malformed")
        return int.from_bytes(self.take(1 << (low - 24)), "big")

    def value(self, depth: int) -> Value:
        if depth == 0:
            raise BundleError("malformed")
        first = self.take(1)[0]
        major, low = first >> 5, first & 31
        if major == 7:
            return self.simple(low)
        size = self.argument(low)
        if major == 0:
            return size
        if major == 1:
            return -1 - size
        if major in (2, 3):
            return self.string(size, text=major == 3)
        if major == 6 or size > len(self.data) - self.at:
            raise BundleError("malformed")
        if major == 4:
            return [self.value(depth - 1) for _ in range(size)]
        return self.mapping(size, depth)

    def string(self, size: int, *, text: bool) -> bytes | str:
        data = self.take(size)
        if not text:
            return data
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise BundleError("malformed") from None

    def simple(self, low: int) -> Value:
        if low in _SIMPLE:
            return _SIMPLE[low]
        if low not in _FLOATS:
            raise BundleError("malformed")
        form, size = _FLOATS[low]
        return cast("float", struct.unpack(form, self.take(size))[0])

    def key(self) -> str:
        """Return a text; anything else is refused unread: a map as a key could hold a map, without end."""
        first = self.take(1)[0]
        if first >> 5 != TEXT:
            raise BundleError("malformed")
        return str(self.string(self.argument(first & 31), text=True))

    def mapping(self, size: int, depth: int) -> dict[str, Value]:
        pairs: dict[str, Value] = {}
        for _ in range(size):
            key = self.key()
            if key in pairs:
                raise BundleError("malformed")
            pairs[key] = self.value(depth - 1)
        return pairs


class Row:
    """Takes the fields of one decoded array in order, each with its type.

    Every method raises `BundleError("wrong_type")` when the field is missing or of another type, so a parser
    reads as the list of its fields.
    """

    def __init__(self, value: Value) -> None:
        if not isinstance(value, list):
            raise BundleError("wrong_type")
        self._fields = cast("list[Value]", value)
        self._at = 0

    def any(self) -> Value:
        """Return the next field, whatever it is."""
        if not self.more():
            raise BundleError("wrong_type")
        self._at += 1
        return self._fields[self._at - 1]

    def more(self) -> bool:
        """Return whether a field is left."""
        return self._at < len(self._fields)

    def text(self) -> str:
        """Return a text."""
        value = self.any()
        if not isinstance(value, str):
            raise BundleError("wrong_type")
        return value

    def data(self, size: int | None = None) -> bytes:
        """Return bytes, exactly `size` of them where it is given."""
        value = self.any()
        if not isinstance(value, bytes) or (size is not None and len(value) != size):
            raise BundleError("wrong_type")
        return value

    def ident(self) -> str:
        """Return an id: a UUID of 16 bytes, or the text it was."""
        value = self.any()
        if isinstance(value, bytes) and len(value) == 16:
            return from_wire(value)
        if isinstance(value, str):
            return value
        raise BundleError("wrong_type")

    def whole(self, low: int = 0, high: int = (1 << 63) - 1) -> int:
        """Return an integer within `low`..`high`."""
        value = self.any()
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise BundleError("wrong_type")
        return value

    def number(self) -> float:
        """Return a finite number, integer or float, as it was."""
        value = self.number_or_none()
        if value is None:
            raise BundleError("wrong_type")
        return value

    def number_or_none(self) -> float | None:
        """Return a finite number or None."""
        value = self.any()
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise BundleError("wrong_type")
        return value

    def flag(self) -> bool:
        """Return a truth value."""
        value = self.any()
        if not isinstance(value, bool):
            raise BundleError("wrong_type")
        return value

    def items(self) -> list[Value]:
        """Return an array."""
        value = self.any()
        if not isinstance(value, list):
            raise BundleError("wrong_type")
        return cast("list[Value]", value)

    def row(self) -> "Row":
        """Return an array to be read field by field."""
        return Row(self.items())

    def rows(self) -> "list[Row]":
        """Return an array of arrays."""
        return [Row(item) for item in self.items()]

    def texts(self) -> tuple[str, ...]:
        """Return an array of texts."""
        items = self.items()
        if not all(isinstance(item, str) for item in items):
            raise BundleError("wrong_type")
        return tuple(cast("list[str]", items))

    def words(self) -> dict[str, str]:
        """Return a map from text to text."""
        value = self.any()
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise BundleError("wrong_type")
        return cast("dict[str, str]", value)

    def end(self) -> None:
        """Demand that no field is left."""
        if self.more():
            raise BundleError("wrong_type")
