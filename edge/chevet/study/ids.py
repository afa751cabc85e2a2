"""Identifiers: UUIDv7 as text (RFC 9562 section 5.7), sixteen bytes on the wire."""

import uuid

RANDOM_BYTES = 10
"""Random bytes one identifier takes."""


def uuid7(unix_ms: int, random: bytes) -> str:
    """Return the UUIDv7 of a moment.

    Args:
        unix_ms: Unix time in milliseconds, 0 to 2**48 - 1.
        random: 10 random bytes; 74 of their 80 bits are used.

    Raises:
        ValueError: the time or the random bytes do not fit.
    """
    if not 0 <= unix_ms < 1 << 48:
        raise ValueError("unix_ms must lie within 48 bits")
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"random must be {RANDOM_BYTES} bytes")
    tail = int.from_bytes(random, "big")
    value = unix_ms << 80 | 0x7 << 76 | (tail >> 62 & 0xFFF) << 64 | 0b10 << 62 | tail & ((1 << 62) - 1)
    return str(uuid.UUID(int=value))


def to_wire(text: str) -> bytes | str:
    """Return an id as it travels: 16 bytes where it is a UUID in its usual spelling, else the text."""
    try:
        value = uuid.UUID(text)
    except ValueError:
        return text
    return value.bytes if str(value) == text else text


def from_wire(data: bytes) -> str:
    """Return the text of a 16-byte id."""
    return str(uuid.UUID(bytes=data))
