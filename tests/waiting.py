"""Waiting for what another task, thread or process does: on a busy machine it comes late, and still comes."""

import asyncio
import time
from collections.abc import Callable

PATIENCE_S = 60.0
"""Only what hangs needs so long."""


async def until(condition: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    """Wait for something to become true while the loop runs on."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - any condition, not only one that tells
            await asyncio.sleep(0.01)


def until_true(condition: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    """Wait for something to become true where no loop runs."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"not within {within_s:g} s"
        time.sleep(0.01)
