"""SCP-ECG files (EN 1064:2005 / ISO 11073-91064:2009) to channels and samples.

Read: leads (section 3), rhythm (6), plain or as first or second differences, plain numbers or Huffman-coded
(2) with the standard's or the cart's own tables; where the cart took a reference beat (5) out of each beat
(4), it is put back. Samples come out as the integers that were encoded.

Refused, with a word: bimodal compression ("scp_lossy": between the beats the cart kept one of several
samples, and what is between them nobody has), a reference beat of another rate ("scp_rate") or of a step that
does not divide ("scp_units"), more than 2^21 samples ("scp_too_long"), tables that cannot be followed
("scp_table"), wrong checksums ("scp_checksum"), anything cut or contradicting ("scp").

Doubts: proven against an encoder written here for that purpose, not yet against files of carts. A code with
both a base value and a number after it is refused, since public readers do not agree on its meaning.
"""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chevet.devices import scp_header
from chevet.devices.ecg_file import SCP, EcgFile
from chevet.devices.errors import BrokenPayload
from chevet.devices.samples import Channel
from chevet.devices.scp_huffman import Table, decode, read_tables
from chevet.devices.scp_record import sections

HEADER, TABLES, LEADS, BEATS, REFERENCE, RHYTHM = range(1, 7)
LEAD = struct.Struct("<IIB")
SIGNAL = struct.Struct("<HHBB")
BEAT = struct.Struct("<HIII")
SUBTRACTED = 0x01
"""Flag of section 3: a reference beat was taken out."""
VERSION_3 = 30
"""From here on the byte of bimodal compression is reserved."""
LEADS_AT_MOST, SAMPLES_AT_MOST, BEATS_AT_MOST = 64, 1 << 21, 4096
NANOVOLT_IN_MV = 1e-6
LARGEST = 2**31 - 1

NAMES = {1: "I", 2: "II", **{2 + n: f"V{n}" for n in range(1, 8)}}
NAMES |= {8 + n: f"V{n}R" for n in range(2, 8)} | {16: "X", 17: "Y", 18: "Z"}
NAMES |= {61: "III", 62: "aVR", 63: "aVL", 64: "aVF"}

Int64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Lead:
    """A lead's name and the numbers of its first and last sample, counted from 1."""

    name: str
    first: int
    last: int

    @property
    def count(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class _Signal:
    """Sections 5 and 6 alike: step in nanovolts, microseconds between samples, the samples of each lead."""

    step_nv: int
    every_us: int
    leads: list[Int64]


def read_scp(data: bytes) -> EcgFile:
    """Return what an SCP-ECG file says.

    Raises:
        BrokenPayload: it is refused; the words are above.
    """
    parts, version = sections(data)
    if LEADS not in parts or RHYTHM not in parts:
        raise BrokenPayload("scp")
    leads, subtracted = _leads(parts[LEADS])
    tables = read_tables(parts[TABLES]) if TABLES in parts else None
    if len(parts[RHYTHM]) > 5 and parts[RHYTHM][5] and version < VERSION_3:
        raise BrokenPayload("scp_lossy")
    rhythm = _signal(parts[RHYTHM], tables, [lead.count for lead in leads])
    if subtracted:
        rhythm = _with_beats(parts, tables, leads, rhythm)
    values, measured = _laid(leads, rhythm.leads)
    rate_hz = 1e6 / rhythm.every_us
    gain = rhythm.step_nv * NANOVOLT_IN_MV
    found = scp_header.tags(parts.get(HEADER, b""))
    return EcgFile(
        SCP,
        tuple(Channel(lead.name, "mV", rate_hz, gain) for lead in leads),
        values,
        measured,
        (),
        scp_header.started(found),
        scp_header.device(found),
        data,
        scp_header.patient(found),
    )


def _leads(data: bytes) -> tuple[list[_Lead], bool]:
    if len(data) < 2 or len(data) < 2 + data[0] * LEAD.size or not 1 <= data[0] <= LEADS_AT_MOST:
        raise BrokenPayload("scp")
    found: list[_Lead] = []
    for place in range(data[0]):
        first, last, code = LEAD.unpack_from(data, 2 + place * LEAD.size)
        if not 1 <= first <= last:
            raise BrokenPayload("scp")
        name = NAMES.get(code, f"lead {code}")
        taken = any(lead.name == name for lead in found)
        found.append(_Lead(f"{name} ({place + 1})" if taken else name, first, last))
    span = max(lead.last for lead in found) - min(lead.first for lead in found) + 1
    if span * len(found) > SAMPLES_AT_MOST:
        raise BrokenPayload("scp_too_long")
    return found, bool(data[1] & SUBTRACTED)


def _signal(data: bytes, tables: list[Table] | None, counts: list[int]) -> _Signal:
    """Read section 5 or 6."""
    at = SIGNAL.size + 2 * len(counts)
    if len(data) < at:
        raise BrokenPayload("scp")
    step_nv, every_us, order, _ = SIGNAL.unpack_from(data)
    if not (step_nv and every_us and order <= 2):
        raise BrokenPayload("scp")
    leads: list[Int64] = []
    for place, count in enumerate(counts):
        size = int.from_bytes(data[SIGNAL.size + 2 * place :][:2], "little")
        if at + size > len(data):
            raise BrokenPayload("scp")
        leads.append(_undone(_numbers(data[at : at + size], tables, count), order))
        at += size
    return _Signal(step_nv, every_us, leads)


def _numbers(data: bytes, tables: list[Table] | None, count: int) -> Int64:
    if tables is not None:
        return np.array(decode(data, tables, count), np.int64)
    if len(data) < 2 * count:
        raise BrokenPayload("scp")
    return np.frombuffer(data, "<i2", count).astype(np.int64)


def _undone(numbers: Int64, order: int) -> Int64:
    """Return samples of differences of this order; as many first numbers are samples themselves.

    Raises:
        BrokenPayload: "scp": a sample has more than 32 bits.
    """
    if order == 2 and len(numbers) > 1:
        steps = np.concatenate((numbers[1:2] - numbers[:1], numbers[2:]))
        numbers = np.concatenate((numbers[:1], np.cumsum(steps)))
    if order:
        numbers = np.cumsum(numbers)
    if numbers.size and np.abs(numbers).max() > LARGEST:
        raise BrokenPayload("scp")
    return numbers


def _with_beats(
    parts: dict[int, bytes], tables: list[Table] | None, leads: list[_Lead], rest: _Signal
) -> _Signal:
    """Put the reference beat back where it was taken out."""
    if BEATS not in parts or REFERENCE not in parts or len(parts[BEATS]) < 6:
        raise BrokenPayload("scp")
    length_ms, middle, count = struct.unpack_from("<HHH", parts[BEATS])
    if len(parts[BEATS]) < 6 + count * BEAT.size or len(parts[REFERENCE]) < SIGNAL.size:
        raise BrokenPayload("scp")
    every_us = int.from_bytes(parts[REFERENCE][2:4], "little")
    if every_us != rest.every_us:
        raise BrokenPayload("scp_rate")
    samples = length_ms * 1000 // every_us
    if samples * len(leads) > SAMPLES_AT_MOST or count > BEATS_AT_MOST:
        raise BrokenPayload("scp_too_long")
    beat = _signal(parts[REFERENCE], tables, [samples] * len(leads))
    step_nv, grow_rest, grow_beat = _common_step(rest.step_nv, beat.step_nv)
    whole = [lead * grow_rest for lead in rest.leads]
    for kind, first, at, last in BEAT.iter_unpack(parts[BEATS][6 : 6 + count * BEAT.size]):
        if kind != 0 or not 1 <= first <= last:
            continue
        for lead, values, shape in zip(leads, whole, beat.leads, strict=True):
            span = first - lead.first, last - lead.first
            _put_back(values, shape * grow_beat, span, middle - 1 - at + lead.first)
    return _Signal(step_nv, rest.every_us, whole)


def _common_step(rest_nv: int, beat_nv: int) -> tuple[int, int, int]:
    """Return the finer step, and by how much numbers of the rest and of the beat grow when told in it."""
    step_nv = min(rest_nv, beat_nv)
    if rest_nv % step_nv or beat_nv % step_nv:
        raise BrokenPayload("scp_units")
    return step_nv, rest_nv // step_nv, beat_nv // step_nv


def _put_back(values: Int64, shape: Int64, span: tuple[int, int], shift: int) -> None:
    """Add to `values[n]` of a span (both ends in it) `shape[n + shift]`, as far as both are there."""
    first = max(span[0], 0, -shift)
    last = min(span[1], len(values) - 1, len(shape) - 1 - shift)
    if first <= last:
        values[first : last + 1] += shape[first + shift : last + 1 + shift]


def _laid(leads: list[_Lead], signals: list[Int64]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Lay leads that begin or end at different samples side by side; what one lacks is not measured."""
    begin = min(lead.first for lead in leads)
    length = max(lead.last for lead in leads) - begin + 1
    values = np.zeros((len(leads), length), np.int32)
    measured = np.zeros((len(leads), length), np.bool_)
    for row, (lead, signal) in enumerate(zip(leads, signals, strict=True)):
        if np.abs(signal).max() > LARGEST:
            raise BrokenPayload("scp")
        part = slice(lead.first - begin, lead.last - begin + 1)
        values[row, part] = signal
        measured[row, part] = True
    return values, measured
