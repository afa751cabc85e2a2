"""Writes SCP-ECG records as a cart does (EN 1064:2005): plain, differences, Huffman, reference beat.

Written from the standard's words alone, without the reader: bits are laid one by one, the checksum is
computed bit by bit, and every section is built on its own.
"""

import datetime
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.signedinteger]
LEAD_NUMBERS = {"I": 1, "II": 2, "V1": 3, "V2": 4, "V3": 5, "V4": 6, "V5": 7, "V6": 8}
LEAD_NUMBERS |= {"III": 61, "aVR": 62, "aVL": 63, "aVF": 64}
STANDARD_TABLE = 19999
HEAD = 16


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose ECG the file says it is."""

    last_name: str = ""
    first_name: str = ""
    number: str = ""
    born: datetime.date | None = None
    sex: int = 0
    """1 male, 2 female, 0 not known."""


NOBODY = Owner()


@dataclass(frozen=True, slots=True)
class Structure:
    """One line of a Huffman table: prefix as text of 0 and 1, value, bits that follow, the switch."""

    prefix: str
    value: int
    extra: int = 0
    stays: bool = True


def standard_table() -> tuple[Structure, ...]:
    """Return the 19 code structures of the standard's annex."""
    lines = [Structure("0", 0)]
    for size in range(1, 9):
        lines += [Structure("1" * size + "00", size), Structure("1" * size + "01", -size)]
    return (*lines, Structure("1111111110", 0, 8), Structure("1111111111", 0, 16))


@dataclass(frozen=True, slots=True)
class Beat:
    """A reference beat that is taken out.

    Attributes:
        shape: its samples, [leads, samples].
        middle: its fiducial point, counted from 1.
        places: for each QRS its type, first sample, fiducial sample and last sample; a first of 0 is none.
        step_nv: of its samples; 0 means that of the rhythm.
        every_us: between its samples; 0 means that of the rhythm.
    """

    shape: Ints
    middle: int
    places: Sequence[tuple[int, int, int, int]]
    step_nv: int = 0
    every_us: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """What is to be written.

    Attributes:
        values: integers [leads, samples], each `step_nv` nanovolts.
        order: 0 samples, 1 first, 2 second differences.
        table: Huffman table, None for plain 16-bit numbers.
        own_table: whether the table is written into the record, or named as the standard's.
        firsts: number of each lead's first sample, 1 where left out.
    """

    leads: Sequence[str]
    values: Ints
    step_nv: int = 1000
    every_us: int = 2000
    order: int = 2
    table: Sequence[Structure] | None = field(default_factory=standard_table)
    own_table: bool = False
    firsts: Sequence[int] = ()
    beat: Beat | None = None
    bimodal: int = 0
    owner: Owner = NOBODY
    taken: datetime.datetime | None = None
    tags: Mapping[int, bytes] = field(default_factory=dict[int, bytes])


def crc(data: bytes) -> int:
    """Return CRC-CCITT, bit by bit."""
    word = 0xFFFF
    for byte in data:
        word ^= byte << 8
        for _ in range(8):
            word = (word << 1 ^ 0x1021) & 0xFFFF if word & 0x8000 else word << 1
    return word


def write_scp(record: Record) -> bytes:
    """Return the file."""
    parts = {1: _header(record), 3: _lead_section(record), 6: _rhythm(record)}
    if record.table is not None:
        parts[2] = _tables(record)
    if record.beat is not None:
        parts[4], parts[5] = _beats(record.beat, record.every_us), _reference(record, record.beat)
    return assemble(parts)


def assemble(parts: Mapping[int, bytes]) -> bytes:
    """Return a record of these sections' data."""
    pointers_size = HEAD + 10 * len(parts)
    at, pointers, body = 6 + pointers_size, b"", b""
    for number in sorted(parts):
        section = _section(number, parts[number])
        pointers += _int(number, 2) + _int(len(section), 4) + _int(at + len(body) + 1, 4)
        body += section
    rest = _section(0, pointers, b"SCPECG") + body
    whole = _int(len(rest) + 6, 4) + rest
    return _int(crc(whole), 2) + whole


def _section(number: int, data: bytes, reserved: bytes = bytes(6)) -> bytes:
    data += bytes(len(data) % 2)
    rest = _int(number, 2) + _int(HEAD + len(data), 4) + bytes((13, 13)) + reserved + data
    return _int(crc(rest), 2) + rest


def _int(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little", signed=value < 0)


def _tag(number: int, value: bytes) -> bytes:
    return bytes((number,)) + _int(len(value), 2) + value


def _header(record: Record) -> bytes:
    who, made = record.owner, b""
    for number, text in ((0, who.last_name), (1, who.first_name), (2, who.number)):
        made += _tag(number, text.encode() + b"\0") if text else b""
    if who.born is not None:
        made += _tag(5, _int(who.born.year, 2) + bytes((who.born.month, who.born.day)))
    made += _tag(8, bytes((who.sex,))) if who.sex else b""
    device = bytes(8) + b"CV-12\0" + bytes((13, 0xA0, 0, 0, 0)) + bytes(16) + bytes((4,)) + b"1.0\0"
    made += _tag(14, device + b"C0012\0" + b"3.1-sim\0" + b"chevet\0" + b"Chevet Sim\0")
    if record.taken is not None:
        when = record.taken
        made += _tag(25, _int(when.year, 2) + bytes((when.month, when.day)))
        made += _tag(26, bytes((when.hour, when.minute, when.second)))
        zone = when.utcoffset()
        if zone is not None:
            made += _tag(34, _int(int(zone.total_seconds() // 60), 2) + bytes(3))
    made += _tag(27, _int(5, 2)) + _tag(28, _int(150, 2)) + _tag(29, b"\x02")
    for number, value in record.tags.items():
        made += _tag(number, value)
    return made + _tag(255, b"")


def _lead_section(record: Record) -> bytes:
    firsts = record.firsts or [1] * len(record.leads)
    samples = record.values.shape[1]
    flags = (1 if record.beat else 0) | 4 | len(record.leads) << 3 & 0xF8
    made = bytes((len(record.leads), flags))
    for name, first in zip(record.leads, firsts, strict=True):
        made += _int(first, 4) + _int(first + samples - 1, 4) + bytes((LEAD_NUMBERS.get(name, 200),))
    return made


def _tables(record: Record) -> bytes:
    if not record.own_table or record.table is None:
        return _int(STANDARD_TABLE, 2)
    made = _int(1, 2) + _int(len(record.table), 2)
    for line in record.table:
        code = sum(1 << place for place, bit in enumerate(line.prefix) if bit == "1")
        made += bytes((len(line.prefix), len(line.prefix) + line.extra, line.stays))
        made += line.value.to_bytes(2, "little", signed=True) + _int(code, 4)
    return made


def _differences(row: Sequence[int], order: int) -> list[int]:
    numbers = list(row)
    if order == 1:
        return [numbers[0], *(b - a for a, b in itertools.pairwise(numbers))]
    if order == 2:
        pairs = zip(numbers, numbers[1:], numbers[2:], strict=False)
        return [*numbers[:2], *(c - 2 * b + a for a, b, c in pairs)]
    return numbers


def _encoded(numbers: Sequence[int], table: Sequence[Structure] | None) -> bytes:
    if table is None:
        return b"".join(_int(number & 0xFFFF, 2) for number in numbers)
    exact = {line.value: line.prefix for line in table if line.stays and not line.extra}
    wide = sorted((line.extra, line.prefix) for line in table if line.extra)
    bits: list[str] = []
    for number in numbers:
        if number in exact:
            bits.append(exact[number])
            continue
        size, prefix = next(
            ((size, prefix) for size, prefix in wide if -(1 << size - 1) <= number < 1 << size - 1), (0, "")
        )
        if not size:
            raise ValueError(f"the table has no code for {number}; most tables end at 16 bits")
        bits.append(prefix + format(number & ((1 << size) - 1), f"0{size}b"))
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return int("1" + text, 2).to_bytes(len(text) // 8 + 1, "big")[1:]


def _signal(values: Ints, record: Record, step_nv: int, every_us: int, last: int) -> bytes:
    rows = [_encoded(_differences(row, record.order), record.table) for row in values.tolist()]
    rows = [row + bytes(len(row) % 2) for row in rows]
    head = _int(step_nv, 2) + _int(every_us, 2) + bytes((record.order, last))
    return head + b"".join(_int(len(row), 2) for row in rows) + b"".join(rows)


def _rhythm(record: Record) -> bytes:
    values = record.values.astype(np.int64)
    beat = record.beat
    if beat is not None:
        grow = (beat.step_nv or record.step_nv) // record.step_nv
        for kind, first, at, last in beat.places:
            for sample in range(first, last + 1) if kind == 0 else ():
                place = sample - at + beat.middle - 1
                if 0 <= place < beat.shape.shape[1] and 1 <= sample <= values.shape[1]:
                    values[:, sample - 1] -= beat.shape[:, place] * grow
    return _signal(values, record, record.step_nv, record.every_us, record.bimodal)


def _beats(beat: Beat, every_us: int) -> bytes:
    length_ms = beat.shape.shape[1] * (beat.every_us or every_us) // 1000
    made = _int(length_ms, 2) + _int(beat.middle, 2) + _int(len(beat.places), 2)
    for kind, first, at, last in beat.places:
        made += _int(kind, 2) + _int(first, 4) + _int(at, 4) + _int(last, 4)
    return made + b"".join(_int(first, 4) + _int(last, 4) for _, first, _, last in beat.places)


def _reference(record: Record, beat: Beat) -> bytes:
    step_nv, every_us = beat.step_nv or record.step_nv, beat.every_us or record.every_us
    return _signal(beat.shape.astype(np.int64), record, step_nv, every_us, 0)
