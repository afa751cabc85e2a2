"""Which USB sticks are in: whatever is mounted below the usual places, and folders that settings name."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from chevet.edge.update_settings import SticksSettings

DEEP = 2
"""udisks mounts at /run/media/USER/LABEL, others at /media/LABEL."""
FOLDERS_AT_MOST = 64


@dataclass(frozen=True, slots=True)
class FoundStick:
    """One stick: its name for people, where it is, and its room in bytes."""

    name: str
    root: Path
    free_bytes: int


def found_sticks(
    settings: SticksSettings, is_mount: Callable[[Path], bool] = os.path.ismount
) -> list[FoundStick]:
    """Return what is in, by name; what cannot be read is not there."""
    roots = [*settings.folders]
    for place in settings.places:
        roots += [path for path in _below(place, DEEP) if is_mount(path)]
    sticks = (_stick(root) for root in dict.fromkeys(roots))
    return sorted((one for one in sticks if one is not None), key=lambda one: one.name)


def _stick(root: Path) -> FoundStick | None:
    """Look at one; an automatic mount without its stick answers with an error."""
    try:
        next(root.iterdir(), None)
        room = os.statvfs(root)
    except OSError:
        return None
    return FoundStick(root.name, root, room.f_bavail * room.f_frsize)


def _below(place: Path, deep: int) -> Iterator[Path]:
    for path in _folders(place):
        yield path
        if deep > 1:
            yield from _below(path, deep - 1)


def _folders(place: Path) -> Iterable[Path]:
    try:
        with os.scandir(place) as entries:
            found = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return sorted(found)[:FOLDERS_AT_MOST]
