"""Ids of this box's own making: UUIDv7, so that they sort by time."""

import secrets
import time

from chevet.edge.clock_floor import MADE_MS
from chevet.study.ids import RANDOM_BYTES, uuid7


def new_id() -> str:
    """Return a fresh UUIDv7 as text."""
    return uuid7(max(time.time_ns() // 1_000_000, MADE_MS), secrets.token_bytes(RANDOM_BYTES))
