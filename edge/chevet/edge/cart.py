"""A folder into which an ECG cart drops its files: looked at, waited for, read once, put away.

A name in the folder often names a person: it never leaves this module, and no log has it.
"""

import asyncio
import hashlib
import logging
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from chevet.edge.cart_store import Imports
from chevet.edge.errors import DiskFull, Refusal
from chevet.edge.settings import CartSettings

log = logging.getLogger(__name__)

IMPORTED = "imported"
DEEPEST = 3
"""Carts make a folder for each day or patient, not more."""
NAMES_AT_MOST = 5000
MEGABYTE = 1 << 20

_Seen = tuple[int, int]
"""Size and time of change."""


@dataclass(slots=True)
class _Look:
    """What a file looked like, and since when it has not changed."""

    seen: _Seen
    since: float
    done: bool = False


@dataclass(slots=True)
class Cart:
    """Watches one folder.

    Attributes:
        problem: "" or a coded reason why the folder cannot be used now.
        odd: links, pipes and files too large that were passed over, each counted once.
    """

    settings: CartSettings
    imports: Imports
    monotonic: Callable[[], float]
    arrived: Callable[[], None]
    problem: str = ""
    odd: int = 0
    _known: dict[Path, _Look] = field(default_factory=dict[Path, _Look])
    _stays: bool = False

    async def run(self) -> None:
        """Look again and again until cancelled."""
        if self.settings.folder is None:
            return
        while True:
            try:
                if await asyncio.to_thread(self.look):
                    self.arrived()
            except Exception:
                # Files of strangers must not end the box's work.
                log.exception("the cart's folder could not be read through")
            await asyncio.sleep(self.settings.look_s)

    def look(self) -> int:
        """Take in what has settled; return how many files are new on the box."""
        folder, now, taken = self.settings.folder, self.monotonic(), 0
        if folder is None or not folder.is_dir():
            self._tell("folder_missing" if folder is not None else "")
            return 0
        self._tell("")
        present: set[Path] = set()
        for entry in _files(folder, DEEPEST):
            if len(present) >= NAMES_AT_MOST:
                self._tell("too_many_files")
                break
            path = Path(entry.path)
            present.add(path)
            if self._settled(path, entry, now):
                taken += self._take(path)
        for gone in self._known.keys() - present:
            del self._known[gone]
        return taken

    def _settled(self, path: Path, entry: "os.DirEntry[str]", now: float) -> bool:
        """Whether a file is to be read now: whole, as far as one can see, and not looked at before."""
        try:
            facts = entry.stat(follow_symlinks=False)
        except OSError:  # it vanished between two looks
            return False
        seen = (facts.st_size, facts.st_mtime_ns)
        look = self._known.get(path)
        if look is None or look.seen != seen:
            look = self._known[path] = _Look(seen, now)
            if not stat.S_ISREG(facts.st_mode) or facts.st_size > self.settings.largest_mb * MEGABYTE:
                self._pass_over(look)
        return not look.done and facts.st_size > 0 and now - look.since >= self.settings.settle_s

    def _pass_over(self, look: _Look) -> None:
        look.done = True
        self.odd += 1
        log.warning("a file of the cart is no plain file or too large; %d passed over so far", self.odd)

    def _take(self, path: Path) -> int:
        """Read one file into the box; return 1 where it is new."""
        data = _read(path, self.settings.largest_mb * MEGABYTE)
        if data is None:
            return 0
        self._known[path].done = True
        before = len(self.imports.waiting())
        try:
            import_id = self.imports.put(data, hashlib.sha256(data).hexdigest())
        except (DiskFull, Refusal):
            self._known[path].done = False
            self._tell("disk_full")
            return 0
        reason = self.imports.refused(import_id)
        if reason:
            log.warning("import %s: refused (%s)", import_id, reason)
            return 0
        self._put_away(path, import_id)
        return len(self.imports.waiting()) - before

    def _put_away(self, path: Path, import_id: str) -> None:
        """Move what the box has now; where that is not possible it stays, and is known by its content."""
        folder = self.settings.folder
        if self.settings.after == "keep" or folder is None or self._stays:
            return
        home = folder / IMPORTED
        try:
            home.mkdir(exist_ok=True)
            target = home / path.name
            path.rename(home / f"{import_id}-{path.name}" if target.exists() else target)
        except OSError as error:
            self._stays = True
            log.warning("files of the cart stay in its folder (%s)", error.strerror)

    def _tell(self, problem: str) -> None:
        if problem and problem != self.problem:
            log.warning("the cart's folder: %s", problem)
        self.problem = problem


def _files(folder: Path, depth: int) -> Iterator["os.DirEntry[str]"]:
    """Yield what lies in a folder and its folders, without hidden names and without `imported`."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if not entry.is_dir(follow_symlinks=False):
                    yield entry
                elif depth > 0 and entry.name != IMPORTED:
                    yield from _files(Path(entry.path), depth - 1)
    except OSError as error:
        log.warning("a folder of the cart cannot be read (%s)", error.strerror)


def _read(path: Path, most: int) -> bytes | None:
    """Return a plain file's bytes, None where it vanished, changed meanwhile or is something else."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode) or before.st_size > most:
            return None
        try:
            data = file.read(most + 1)
        except OSError:  # a stick that was pulled out
            return None
        after = os.fstat(descriptor)
    same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    return data if same and len(data) == after.st_size else None
