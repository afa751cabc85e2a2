"""The words of `chevet-relay backup` and `restore`."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

BACKUP = """\
Takes the database at one moment and the objects of that moment into DIR, which is the backup's own folder.
Run again, it copies only what is new and takes away what was destroyed. What it holds is sealed; the keys
are not in it."""
RESTORE = """\
The configuration names where to, and has the keys. Checks every object, and the audit chain."""


def add_backup(
    kinds: Any,
    later: Callable[[str, str], Callable[[argparse.Namespace], int]],
    add_config: Callable[[argparse.ArgumentParser], None],
) -> None:
    """Add both to the commands."""
    words = {
        "backup": ("bring a backup of the archive up to date, beside a working relay", BACKUP),
        "restore": ("put a backup into an empty archive", RESTORE),
    }
    for name, (sentence, more) in words.items():
        command = kinds.add_parser(name, help=sentence, description=more)
        command.add_argument("dir", type=Path, metavar="DIR", help="the backup's folder")
        add_config(command)
        command.set_defaults(command=later("backup", f"run_{name}"))
