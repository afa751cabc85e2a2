"""Looks: a page that stays open reads again at every change, and a record tells of it every ten minutes."""

from collections.abc import Callable
from typing import Final

LOOK_MS: Final = 10 * 60 * 1000
"""Within so long it is the same look."""


class Looks:
    """The looks that go on and are in the audit, of one process."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._told: dict[tuple[str, str], int] = {}

    def going_on(self, user_id: str, what: str) -> bool:
        """Tell whether a look of this person at this is in the audit that still goes on."""
        return 0 <= self._now_ms() - self._told.get((user_id, what), -LOOK_MS) < LOOK_MS

    def told(self, user_id: str, what: str) -> None:
        """Note that one is in the audit now."""
        now = self._now_ms()
        going_on = {key: at for key, at in list(self._told.items()) if 0 <= now - at < LOOK_MS}
        self._told = going_on | {(user_id, what): now}
