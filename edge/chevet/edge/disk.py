"""Room on the box: when to warn, when to refuse, and the reserve that keeps the databases able to write."""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chevet.edge.errors import DiskFull
from chevet.edge.journal import sync_folder

MEGABYTE = 1024 * 1024
LAST_ROOM = 4 * MEGABYTE
EARLY, SPARE, FULL = 0.80, 0.90, 0.95
"""Shares of the disk in use from which delivered bundles go early, what can be spared stops, captures end."""
PLENTY = 4096 * MEGABYTE
"""Above this much free space no share matters: it holds seven thousand studies."""


def free_bytes(folder: Path) -> int:
    """Return what this user may still write in `folder`, in bytes."""
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize


def used_share(folder: Path) -> float:
    """Return the share of the disk that is in use, as this user sees it, 0 to 1."""
    room = os.statvfs(folder)
    used = room.f_blocks - room.f_bfree
    return used / max(used + room.f_bavail, 1)


@dataclass(slots=True)
class Disk:
    """Guards the folder `folder`.

    Attributes:
        low_bytes: below this much free space the level is "low".
        full_bytes: below this much free space nothing new is captured.
        reserve_bytes: size of the file that is given up when a database cannot write.
        measure: how free space is found; tests give their own.
        share: how the share in use is found.
    """

    folder: Path
    low_bytes: int
    full_bytes: int
    reserve_bytes: int
    measure: Callable[[Path], int] = free_bytes
    share: Callable[[Path], float] = used_share

    @property
    def _reserve(self) -> Path:
        return self.folder / "reserve"

    def free(self) -> int:
        """Return free bytes, 0 when the folder cannot be asked."""
        try:
            return self.measure(self.folder)
        except OSError:
            return 0

    def level(self) -> str:
        """Return "ok", "low" or "full"."""
        if self.free() < self.full_bytes or self.used() >= FULL:
            return "full"
        return "low" if self.free() < self.low_bytes or self.used() >= SPARE else "ok"

    def used(self) -> float:
        """Return the share in use, 0 where there is plenty of room whatever the share, 1 when unknown."""
        if self.free() >= PLENTY:
            return 0.0
        try:
            return self.share(self.folder)
        except OSError:
            return 1.0

    def wants_room(self) -> bool:
        """Tell whether delivered bundles are to go before their time."""
        return self.used() >= EARLY or self.free() < self.low_bytes

    def spares(self) -> bool:
        """Tell whether what can be done without, such as logs, is to stop writing."""
        return self.level() != "ok"

    def require_room(self) -> None:
        """Let a new capture begin only where it can also end.

        Raises:
            DiskFull: below `full_bytes`.
        """
        if self.level() == "full":
            raise DiskFull

    def keep_reserve(self) -> bool:
        """Make the reserve file when it is missing and there is room for it; tell whether it stands."""
        if self._reserve.exists() or not self.reserve_bytes:
            return True
        if self.free() < self.full_bytes + self.reserve_bytes:
            return False
        descriptor = os.open(self._reserve, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, self.reserve_bytes)
        except OSError:
            self.give_reserve_up()
            return False
        finally:
            os.close(descriptor)
        return True

    def relieve(self) -> None:
        """Give the reserve up where writes fail because nothing is left, not where we only refuse."""
        if self.free() < LAST_ROOM:
            self.give_reserve_up()

    def give_reserve_up(self) -> None:
        """Free the reserve so that receipts and decisions can still be written."""
        with contextlib.suppress(FileNotFoundError):
            self._reserve.unlink()
            sync_folder(self.folder)
