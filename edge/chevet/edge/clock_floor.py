"""The time below which this box's clock never falls, for boxes without a battery-backed clock.

A Pi starts in 1970, or where it stopped last. The true time is never earlier than this version was made, than
any time a synchronised clock or the relay's signature has told, nor than such a time plus what the monotonic
clock has counted since. That bound is kept on the disk; certificates are judged by it while nothing better is
known, and no recording bears an earlier time.
"""

import contextlib
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from chevet.edge.trust import replace_private

MADE_MS: Final = 1_788_220_800_000
"""2026-09-01, when this version was not yet made: no box that runs it lives earlier."""
FLOOR_FILE: Final = "clock.floor"
_KEEP_EVERY_MS: Final = 600_000  # flash wears; ten minutes are nothing to a certificate of a year
_DAY_MS: Final = 86_400_000


class ClockFloor:
    """The latest time this box has good reason to believe has passed; safe to use from several threads."""

    def __init__(self, folder: Path, monotonic: Callable[[], float]) -> None:
        """Read what is kept in `folder`; a missing or damaged file is as good as none."""
        self._path = folder / FLOOR_FILE
        self._monotonic = monotonic
        self._lock = threading.Lock()
        kept = 0
        with contextlib.suppress(OSError, ValueError):
            kept = int(self._path.read_text("ascii"))
        self._kept_ms = kept
        self._base_ms = max(MADE_MS, kept)
        self._base_at = monotonic()

    def ms(self) -> int:
        """Return the bound, Unix ms; it grows as the box runs."""
        with self._lock:
            return self._now()

    def seen(self, ms: int) -> None:
        """Take note of a time that is certainly past: a synchronised clock's, or a verified certificate's."""
        with self._lock:
            if ms > self._now():
                self._base_ms, self._base_at = ms, self._monotonic()
            self._keep(force=False)

    def told(self, ms: int) -> None:
        """Take the relay's signed time; a bound that lay a day beyond it was a wrong clock's."""
        with self._lock:
            if ms > self._now() or self._now() - ms > _DAY_MS:
                self._base_ms, self._base_at = max(MADE_MS, ms), self._monotonic()
            self._keep(force=True)

    def fits(self, begins: datetime, ends: datetime, now_ms: int, *, synchronised: bool) -> bool:
        """Tell whether a certificate, its signature verified, is to be taken now.

        With a synchronised clock both its dates count. Else only its end does, against the bound; its
        beginning is a time that has certainly passed and lifts the bound.
        """
        begins_ms, ends_ms = int(begins.timestamp() * 1000), int(ends.timestamp() * 1000)
        if synchronised:
            return begins_ms <= now_ms <= ends_ms
        if self.ms() > ends_ms:
            return False
        self.seen(begins_ms)
        return True

    def _now(self) -> int:
        return self._base_ms + int((self._monotonic() - self._base_at) * 1000)

    def _keep(self, *, force: bool) -> None:
        now = self._now()
        if not force and abs(now - self._kept_ms) < _KEEP_EVERY_MS:
            return
        # A full disk must not end a connection: the bound is then learnt again.
        with contextlib.suppress(OSError):
            replace_private(self._path, f"{now}\n".encode())
            self._kept_ms = now
