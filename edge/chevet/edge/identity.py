"""Ids of this box's own making: UUIDv7, so that they sort by time."""

import secrets
import time

from chevet.study.ids import RANDOM_BYTES, uuid7


def new_id() -> str:
    """Return a fresh UUIDv7 as text."""
    return uuid7(time.time_ns() // 1_000_000, secrets.token_bytes(RANDOM_BYTES))
