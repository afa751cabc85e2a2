"""DICOM files, as far as an ECG needs: data elements and sequences, little-endian, uncompressed.

Read: Explicit VR Little Endian (1.2.840.10008.1.2.1) and Implicit VR Little Endian (1.2.840.10008.1.2).
Source: DICOM PS3.5 sections 7.1 to 7.5 and PS3.10 section 7.1. Everything else (big endian, deflated,
encapsulated pixel data) is refused.
"""

import math
from dataclasses import dataclass, field

from chevet.devices.errors import BrokenPayload

PREAMBLE_BYTES = 128
MARK = b"DICM"
EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
TRANSFER_SYNTAX = 0x00020010
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF
LONG_FORMS = frozenset(
    {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
)
"""Value representations whose length has 32 bits (PS3.5 table 7.1-1)."""
DEEPEST = 16


@dataclass(slots=True)
class Dataset:
    """Elements by tag (group * 65536 + element): values as bytes, sequences as datasets."""

    values: dict[int, bytes] = field(default_factory=dict[int, bytes])
    sequences: dict[int, list["Dataset"]] = field(default_factory=dict[int, list["Dataset"]])

    def text(self, tag: int) -> str:
        """Return a value as text without padding, "" where it is missing."""
        return self.values.get(tag, b"").decode("ascii", "replace").strip(" \0")

    def number(self, tag: int) -> int | None:
        """Return an unsigned binary number (US or UL), None where it is missing."""
        value = self.values.get(tag)
        return int.from_bytes(value, "little") if value else None

    def decimal(self, tag: int) -> float | None:
        """Return a decimal string, None where it is missing or no finite number."""
        try:
            value = float(self.text(tag).partition("\\")[0])
        except ValueError:
            return None
        return value if math.isfinite(value) else None

    def first(self, tag: int) -> "Dataset":
        """Return a sequence's first item, an empty one where there is none."""
        items = self.sequences.get(tag)
        return items[0] if items else Dataset()


class _Reader:
    """Reads elements from front to back; a file that ends too early is broken."""

    def __init__(self, data: bytes, at: int, *, explicit: bool) -> None:
        self._data = data
        self.at = at
        self._explicit = explicit

    def _take(self, size: int) -> bytes:
        if size > len(self._data) - self.at:
            raise BrokenPayload("dicom")
        part = self._data[self.at : self.at + size]
        self.at += size
        return part

    def _u32(self) -> int:
        return int.from_bytes(self._take(4), "little")

    def _tag(self) -> int:
        group = int.from_bytes(self._take(2), "little")
        return group << 16 | int.from_bytes(self._take(2), "little")

    def _head(self, tag: int) -> tuple[bytes, int]:
        """Return the value representation (b"" where it is not told) and the length."""
        if not self._explicit or tag in {ITEM, ITEM_END, SEQUENCE_END}:
            return b"", self._u32()
        kind = self._take(2)
        if kind in LONG_FORMS:
            self._take(2)
            return kind, self._u32()
        return kind, int.from_bytes(self._take(2), "little")

    def dataset(self, end: int | None, depth: int) -> Dataset:
        """Read elements up to `end`, or to the mark that ends an item."""
        found = Dataset()
        while self.at < (len(self._data) if end is None else end):
            tag = self._tag()
            kind, length = self._head(tag)
            if tag == ITEM_END:
                return found
            if kind == b"SQ" or (length == UNDEFINED and kind in {b"", b"UN"}) or tag in SEQUENCES:
                found.sequences[tag] = self._sequence(length, depth + 1)
            else:
                found.values[tag] = self._take(length)
        return found

    def _sequence(self, length: int, depth: int) -> list[Dataset]:
        if depth > DEEPEST:
            raise BrokenPayload("dicom")
        end = len(self._data) if length == UNDEFINED else self.at + length
        items: list[Dataset] = []
        while self.at < end:
            tag, size = self._tag(), self._u32()
            if tag == SEQUENCE_END:
                break
            if tag != ITEM:
                raise BrokenPayload("dicom")
            items.append(self.dataset(None if size == UNDEFINED else self.at + size, depth))
        return items

    def meta(self) -> Dataset:
        """Read the elements of group 0002."""
        found = Dataset()
        while self._data[self.at : self.at + 2] == b"\x02\x00":
            tag = self._tag()
            _, length = self._head(tag)
            found.values[tag] = self._take(length)
        return found


SEQUENCES = frozenset({0x54000100, 0x003A0200, 0x003A0208, 0x003A0211})
"""Those an ECG is read from, which Implicit VR does not mark as sequences."""


def is_dicom(data: bytes) -> bool:
    """Whether a file begins as DICOM files do."""
    return data[PREAMBLE_BYTES : PREAMBLE_BYTES + len(MARK)] == MARK


def read_dicom(data: bytes) -> Dataset:
    """Return a file's elements.

    Raises:
        BrokenPayload: it is cut short, or of a transfer syntax that is not read ("transfer_syntax").
    """
    reader = _Reader(data, PREAMBLE_BYTES + len(MARK), explicit=True)
    syntax = reader.meta().text(TRANSFER_SYNTAX)
    if syntax not in {EXPLICIT, IMPLICIT}:
        raise BrokenPayload("transfer_syntax")
    return _Reader(data, reader.at, explicit=syntax == EXPLICIT).dataset(None, 0)
