"""Ogg pages made plain: a fixed serial number and an empty comment, so that equal sound gives equal bytes.

libsndfile draws a random serial number and pads the comment header by half a kilobyte. RFC 3533 (pages),
RFC 7845 (Opus in Ogg).
"""

import struct
from collections.abc import Iterator
from typing import Final

_HEAD: Final = struct.Struct("<4sBBqIIIB")
_SERIAL: Final = 0x43485654
_CONTINUED: Final = 1


def _table() -> tuple[int, ...]:
    """Return the CRC table of RFC 3533 section 6: polynomial 0x04c11db7, not reflected."""
    rows: list[int] = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
        rows.append(value & 0xFFFFFFFF)
    return tuple(rows)


_TABLE: Final = _table()


def plain(data: bytes) -> bytes:
    """Return an Ogg Opus file of libsndfile with fixed serial number and an empty comment.

    Raises:
        ValueError: this is not a whole Ogg stream.
    """
    out: list[bytes] = []
    for number, (flags, granule, lacing, body) in enumerate(pages(data)):
        if body.startswith(b"OpusTags"):
            body = b"OpusTags" + struct.pack("<I6sI", 6, b"chevet", 0)
            lacing = bytes([len(body)])
        out.append(write_page(number, flags, granule, lacing, body))
    return b"".join(out)


def pages(data: bytes) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Yield flags, granule, lacing values and body of each page.

    Raises:
        ValueError: a page is damaged or cut short.
    """
    at = 0
    while at < len(data):
        if len(data) - at < _HEAD.size:
            raise ValueError("an Ogg page is cut short")
        magic, _, flags, granule, _, _, _, count = _HEAD.unpack_from(data, at)
        start = at + _HEAD.size + count
        lacing = data[at + _HEAD.size : start]
        end = start + sum(lacing)
        if magic != b"OggS" or end > len(data):
            raise ValueError("an Ogg page is damaged")
        yield flags, granule, lacing, data[start:end]
        at = end


def write_page(number: int, flags: int, granule: int, lacing: bytes, body: bytes) -> bytes:
    """Return one page of our one stream; flags 1 continued, 2 first, 4 last (RFC 3533 section 6)."""
    head = _HEAD.pack(b"OggS", 0, flags, granule, _SERIAL, number, 0, len(lacing))
    crc = 0
    for byte in head + lacing + body:
        crc = (crc << 8 & 0xFFFFFFFF) ^ _TABLE[crc >> 24 ^ byte]
    return _HEAD.pack(b"OggS", 0, flags, granule, _SERIAL, number, crc, len(lacing)) + lacing + body
