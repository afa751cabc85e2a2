"""SCP-ECG's Huffman tables (section 2) and what they encode (EN 1064:2005, clause 5.5 and annex C).

A table is a list of code structures: bits of the prefix, bits of the whole code, a switch, a value, and the
code itself, which is written with its first bit lowest. A code that is longer than its prefix carries a
number in the bits that follow, highest first, in two's complement. Switch 0 means: go on with the table whose
number is the value.
"""

import struct
from dataclasses import dataclass

from chevet.devices.errors import BrokenPayload

DEFAULT = 19999
"""In place of the number of tables: the standard's own table is used."""
STRUCTURE = struct.Struct("<BBBhI")
TABLES_AT_MOST, STRUCTURES_AT_MOST = 16, 1024
LONGEST_PREFIX, LONGEST_NUMBER = 32, 16


@dataclass(frozen=True, slots=True)
class Code:
    """What a prefix means: a value, or a number of so many bits that follow, or another table."""

    value: int
    number_bits: int = 0
    table: int = -1


Table = dict[tuple[int, int], Code]
"""Codes by length and bits of their prefix."""


def default_table() -> Table:
    """Return the standard's table: 0, then 1 to 8 and their negatives, then numbers of 8 and 16 bits."""
    table: Table = {(1, 0): Code(0)}
    for size in range(1, 9):
        ones = (1 << size) - 1
        bits = size + 2
        table[bits, ones << 2] = Code(size)
        table[bits, ones << 2 | 1] = Code(-size)
    table[10, 0b1111111110] = Code(0, 8)
    table[10, 0b1111111111] = Code(0, 16)
    return table


def read_tables(data: bytes) -> list[Table]:
    """Return the tables of section 2, the first one first.

    Raises:
        BrokenPayload: "scp" where it is cut short, "scp_table" where it holds what cannot be followed.
    """
    count = _u16(data, 0)
    if count == DEFAULT:
        return [default_table()]
    if not 1 <= count <= TABLES_AT_MOST:
        raise BrokenPayload("scp_table")
    at, tables = 2, list[Table]()
    for _ in range(count):
        size = _u16(data, at)
        if not 1 <= size <= STRUCTURES_AT_MOST:
            raise BrokenPayload("scp_table")
        if len(data) < at + 2 + size * STRUCTURE.size:
            raise BrokenPayload("scp")
        rows = STRUCTURE.iter_unpack(data[at + 2 : at + 2 + size * STRUCTURE.size])
        tables.append(_table(list(rows), count))
        at += 2 + size * STRUCTURE.size
    return tables


def _table(rows: list[tuple[int, int, int, int, int]], tables: int) -> Table:
    table: Table = {}
    for prefix, whole, switch, value, code in rows:
        number = whole - prefix
        if not (1 <= prefix <= LONGEST_PREFIX and 0 <= number <= LONGEST_NUMBER):
            raise BrokenPayload("scp_table")
        bits = int(f"{code & ((1 << prefix) - 1):0{prefix}b}"[::-1], 2)
        if (prefix, bits) in table or (switch and number and value):
            raise BrokenPayload("scp_table")  # ambiguous, or a number whose base nobody agrees on
        if not switch and not 1 <= value <= tables:
            raise BrokenPayload("scp_table")
        table[prefix, bits] = Code(value, number) if switch else Code(0, 0, value - 1)
    return table


def decode(data: bytes, tables: list[Table], count: int) -> list[int]:
    """Return the first `count` numbers of Huffman-coded bytes.

    Raises:
        BrokenPayload: "scp": the bytes end before, or hold a code that no table has.
    """
    bits, table, found = _Bits(data), tables[0], list[int]()
    while len(found) < count:
        code = bits.code(table)  # takes at least one bit, so this ends
        if code.table >= 0:
            table = tables[code.table]
        else:
            found.append(bits.number(code.number_bits) if code.number_bits else code.value)
    return found


class _Bits:
    """Reads bits, the highest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._word = 0
        self._have = 0

    def _take(self, size: int) -> int:
        while self._have < size:
            if self._at >= len(self._data):
                raise BrokenPayload("scp")
            self._word = (self._word << 8 | self._data[self._at]) & 0xFFFFFFFFFFFF
            self._at += 1
            self._have += 8
        self._have -= size
        return self._word >> self._have & ((1 << size) - 1)

    def code(self, table: Table) -> Code:
        """Return the code that comes next."""
        bits = 0
        for size in range(1, LONGEST_PREFIX + 1):
            bits = bits << 1 | self._take(1)
            code = table.get((size, bits))
            if code is not None:
                return code
        raise BrokenPayload("scp")

    def number(self, size: int) -> int:
        """Return a number in two's complement."""
        value = self._take(size)
        return value - (1 << size) if value >> (size - 1) else value


def _u16(data: bytes, at: int) -> int:
    if len(data) < at + 2:
        raise BrokenPayload("scp")
    return int.from_bytes(data[at : at + 2], "little")
