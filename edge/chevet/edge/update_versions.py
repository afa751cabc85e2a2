"""Two versions side by side and the link that says which one runs.

    ROOT/versions/0.1.0/      an environment of its own, with `whole` in it once everything is on the disk
    ROOT/versions/0.2.0/
    ROOT/current -> versions/0.2.0
    ROOT/update.json          how far an update is, and what the last one came to

Everything that decides is one rename: after a power cut there is the old or the new, never half of one.
"""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from chevet.edge.errors import SettingsError
from chevet.edge.update_release import numbers

IDLE, COPYING, INSTALLING, WAITING, SWITCHING, RETURNING = (
    "idle",
    "copying",
    "installing",
    "waiting",
    "switching",
    "returning",
)
DONE, BACK, FAILED = "done", "rolled_back", "failed"
RUNNING: Final = (COPYING, INSTALLING, WAITING, SWITCHING, RETURNING)
LINK, STATE, WHOLE, WHEELS = "current", "update.json", "whole", "wheels"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an update is, or what the last one came to.

    Attributes:
        state: one of RUNNING, or IDLE, DONE, BACK, FAILED.
        version: the one that is wanted; `before` the one to go back to.
        percent: of `state`, 0 to 100.
        reason: why it failed or went back, a code of `update_release.SENTENCES`.
        at_ms: when this was written.
    """

    state: str = IDLE
    version: str = ""
    before: str = ""
    percent: int = 0
    reason: str = ""
    at_ms: int = 0


class Versions:
    """The folders of one box."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, version: str) -> Path:
        """Return where a version lives."""
        return self.root / "versions" / version

    def current(self) -> str:
        """Return the version that the link names.

        Raises:
            SettingsError: there is no such link; the box was installed otherwise.
        """
        try:
            return (self.root / LINK).readlink().name
        except OSError:
            raise SettingsError(
                f"{self.root / LINK} is no link to a version; docs/guides/installer.md, 'New versions', says"
                " how a box is laid out for updates."
            ) from None

    def is_whole(self, version: str) -> bool:
        """Tell whether everything of a version is on the disk."""
        return (self.folder(version) / WHOLE).is_file()

    def others(self) -> list[str]:
        """Return whole versions beside the current one, the oldest first."""
        current = self.current()
        found = [path.name for path in (self.root / "versions").iterdir()]
        return sorted((one for one in found if one != current and self.is_whole(one)), key=numbers)

    def seal(self, version: str) -> None:
        """Say that a version is whole, once all of it is on the disk."""
        os.sync()
        replace_durably(self.folder(version) / WHOLE, version.encode())

    def switch(self, version: str) -> None:
        """Let the link name another version: one rename."""
        link, fresh = self.root / LINK, self.root / f"{LINK}.new"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(Path("versions") / version)
        renamed(fresh, link)

    def drop(self, version: str) -> None:
        """Remove a version, its mark first, so that half of one is never taken for whole."""
        if version and version != self.current():
            (self.folder(version) / WHOLE).unlink(missing_ok=True)
            shutil.rmtree(self.folder(version), ignore_errors=True)

    def keep_only(self, *versions: str) -> None:
        """Remove all other versions but the current one."""
        for path in (self.root / "versions").iterdir():
            if path.name not in versions:
                self.drop(path.name)

    def wheels(self) -> Path:
        """Return an empty folder for the wheels of an update."""
        self.clear_wheels()
        folder = self.root / WHEELS
        folder.mkdir(mode=0o755)
        return folder

    def clear_wheels(self) -> None:
        """Remove the wheels of an update."""
        shutil.rmtree(self.root / WHEELS, ignore_errors=True)

    def progress(self) -> Progress:
        """Return how far an update is; what cannot be read says nothing."""
        try:
            return Progress(**json.loads((self.root / STATE).read_bytes()))
        except (OSError, ValueError, TypeError):
            return Progress()

    def tell(self, progress: Progress) -> None:
        """Write how far it is; the agent reads it."""
        replace_durably(self.root / STATE, json.dumps(asdict(progress)).encode())


def replace_durably(path: Path, data: bytes) -> None:
    """Write a file that others may read, whole or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    renamed(fresh, path)


def renamed(fresh: Path, path: Path) -> None:
    """Rename, and have the folder on the disk."""
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
