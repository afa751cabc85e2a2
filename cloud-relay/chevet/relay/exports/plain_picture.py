"""Pictures without what a camera writes beside the pixels: its time, place and serial number. Pure.

JPEG and PNG are cut, never coded again: every pixel stays as it was. Other formats are not taken apart here;
what the box coded itself (the listening and looking grade) holds nothing beside its pixels.
"""

import struct
from collections.abc import Iterator
from typing import Final

PNG_SIGN: Final = b"\x89PNG\r\n\x1a\n"
PNG_KEPT: Final = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs"}
)
"""Chunks that say how pixels look (PNG, third edition, 11.2 and 11.3); words, times and Exif are others."""
SOI: Final = b"\xff\xd8"
SOS: Final = 0xDA
EOI: Final = 0xD9
APP0: Final = 0xE0
APP14: Final = 0xEE
"""Adobe's: it says how colours were transformed (ITU-T T.872, 6.5.3)."""
READ: Final = frozenset({*range(0xC0, 0xC8), *range(0xC9, 0xD0), 0xDB, 0xDC, 0xDD})
"""Frames, tables and intervals that pixels are read by (ITU-T T.81, table B.1); others hold words: Exif, XMP,
ICC, IPTC, makers' own, comments, and whatever stands under a reserved marker."""
ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length."""
JFIF: Final = 16
"""Bytes of a JFIF segment with its length and no thumbnail."""
ADOBE: Final = 14
"""Bytes of an Adobe segment with its length."""


def plain(data: bytes, media_type: str) -> bytes | None:
    """Return a picture's bytes without what stands beside its pixels; None where that cannot be known."""
    try:
        if media_type == "image/jpeg":
            return b"".join(_jpeg(data))
        if media_type == "image/png":
            return b"".join(_png(data))
    except (ValueError, struct.error, IndexError):
        return None
    return None


def shown_picture(data: bytes, media_type: str, *, own: bool) -> bytes | None:
    """Return what a lesson may show of a picture; None where nothing can be said of it.

    Args:
        data: the picture as it is stored.
        media_type: of it.
        own: the camera's own bytes; others the box coded itself, from pixels alone.
    """
    if own or media_type in ("image/jpeg", "image/png"):
        return plain(data, media_type)
    return data


def _jpeg(data: bytes) -> Iterator[bytes]:
    """Yield what is kept of a JPEG.

    Raises:
        ValueError: it is none, or is cut short.
    """
    if data[:2] != SOI:
        raise ValueError("no JPEG")
    yield SOI
    at = 2
    while True:
        while data[at : at + 2] == b"\xff\xff":
            at += 1  # fill bytes before a marker
        if data[at] != 0xFF:
            raise ValueError("no marker")
        marker = data[at + 1]
        if marker in ALONE or marker == EOI:
            yield data[at : at + 2]
            at += 2
            if marker == EOI:
                return
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        if length < 2 or end > len(data):
            raise ValueError("cut short")
        if marker == SOS:
            yield data[at : _end_of_scans(data, end)]  # nothing behind the image is kept
            return
        yield _kept(marker, data[at:end])
        at = end


def _end_of_scans(data: bytes, at: int) -> int:
    """Return where the image ends, behind its last marker.

    Raises:
        ValueError: it does not end, or something else than scans stands between scans.
    """
    while True:
        at = data.index(b"\xff", at)
        marker = data[at + 1]
        if marker == EOI:
            return at + 2
        if marker == 0 or marker in ALONE:
            at += 2
        elif marker == 0xFF:
            at += 1
        elif marker in READ or marker == SOS:
            at += 2 + max(struct.unpack_from(">H", data, at + 2)[0], 2)
        else:
            raise ValueError("words between scans")


def _kept(marker: int, segment: bytes) -> bytes:
    """Return what is kept of a segment: all or nothing, JFIF's and Adobe's own fields alone."""
    if marker in READ:
        return segment
    if marker == APP0 and segment[4:9] == b"JFIF\0" and len(segment) >= 2 + JFIF:
        return segment[:2] + struct.pack(">H", JFIF) + segment[4:16] + b"\0\0"  # no thumbnail
    if marker == APP14 and segment[4:9] == b"Adobe" and len(segment) >= 2 + ADOBE:
        return segment[:2] + struct.pack(">H", ADOBE) + segment[4 : 2 + ADOBE]
    return b""


def _png(data: bytes) -> Iterator[bytes]:
    """Yield what is kept of a PNG.

    Raises:
        ValueError: it is none, or is cut short.
    """
    if data[:8] != PNG_SIGN:
        raise ValueError("no PNG")
    yield PNG_SIGN
    at = 8
    while True:
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise ValueError("cut short")
        if kind in PNG_KEPT:
            yield data[at:end]
        if kind == b"IEND":
            return
        at = end
