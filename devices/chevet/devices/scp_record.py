"""SCP-ECG records: sections, lengths, checksums (EN 1064:2005, ISO 11073-91064:2009, clauses 5.2 and 5.3).

A record is a CRC (u16) of all that follows, its length (u32), then sections. A section has a head of 16
bytes (CRC of all that follows in it, number, length with head, section and protocol version, six reserved)
and its data. Section 0 points to the others, counting bytes from 1. All numbers are little-endian. The CRC
is CRC-CCITT: x^16 + x^12 + x^5 + 1, begun with 0xFFFF, not reflected.
"""

import binascii
import struct

from chevet.devices.errors import BrokenPayload

RECORD_HEAD = struct.Struct("<HI")
SECTION_HEAD = struct.Struct("<HHIBB6s")
POINTER = struct.Struct("<HII")
RESERVED = b"SCPECG"
"""What the pointer section has in its reserved bytes since version 1.3."""
HIGHEST_SECTION = 11
"""Higher ones are of later versions or a maker's own; they are not needed to read a signal."""


def is_scp(data: bytes) -> bool:
    """Whether a file begins as SCP-ECG records do."""
    if len(data) < RECORD_HEAD.size + SECTION_HEAD.size:
        return False
    _, number, length, *_, reserved = SECTION_HEAD.unpack_from(data, RECORD_HEAD.size)
    if number != 0 or not SECTION_HEAD.size <= length <= len(data):
        return False
    crc, whole = RECORD_HEAD.unpack_from(data)
    return bool(reserved == RESERVED) or (whole == len(data) and crc == checksum(data[2:]))


def checksum(data: bytes) -> int:
    """Return CRC-CCITT begun with 0xFFFF."""
    return binascii.crc_hqx(data, 0xFFFF)


def sections(data: bytes) -> tuple[dict[int, bytes], int]:
    """Return the data of sections 1 to 11 by number, and the protocol's version (10 times, so 13 is 1.3).

    Raises:
        BrokenPayload: "scp" where lengths contradict each other, "scp_checksum" where a checksum is wrong.
    """
    crc, whole = RECORD_HEAD.unpack_from(data)
    if not RECORD_HEAD.size + SECTION_HEAD.size <= whole <= len(data):
        raise BrokenPayload("scp")
    record = data[:whole]
    if crc != checksum(record[2:]):
        raise BrokenPayload("scp_checksum")
    length = int.from_bytes(record[10:14], "little")
    pointers, version = _section(record, 0, length, RECORD_HEAD.size + 1)
    found: dict[int, bytes] = {}
    for at in range(0, len(pointers) - POINTER.size + 1, POINTER.size):
        number, length, index = POINTER.unpack_from(pointers, at)
        if not 1 <= number <= HIGHEST_SECTION or not length:
            continue
        if number in found:
            raise BrokenPayload("scp")
        found[number], _ = _section(record, number, length, index)
    return found, version


def _section(record: bytes, number: int, length: int, index: int) -> tuple[bytes, int]:
    """Return a section's data and its protocol version; `index` counts from 1."""
    start = index - 1
    if start < RECORD_HEAD.size or length < SECTION_HEAD.size or start + length > len(record):
        raise BrokenPayload("scp")
    crc, named, said, _, version, _ = SECTION_HEAD.unpack_from(record, start)
    if named != number or said != length:
        raise BrokenPayload("scp")
    if crc != checksum(record[start + 2 : start + length]):
        raise BrokenPayload("scp_checksum")
    return record[start + SECTION_HEAD.size : start + length], version
