"""Ids that sort by time: UUIDv7."""

import secrets
import time
from collections.abc import Callable
from uuid import UUID


def new_id(
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """Return a fresh UUIDv7 as text (RFC 9562, section 5.7: 48 bit Unix ms, then 74 random bits)."""
    number = (now_ms() & (1 << 48) - 1) << 80 | int.from_bytes(random(10), "big")
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=number))
