"""The words of `chevet-relay move`."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chevet.relay.cli import Command, Kinds

MOVE = """\
Moves the archive of one configuration to where another names it: from SQLite to PostgreSQL, from files to an
S3 store, or both, and back. Stop every relay first. Every object is checked against its name at both ends,
and the database goes in one transaction that reads back, counts and hashes every table before it ends: where
it was cut off, give the command again. The old archive stays as it was; the keys are the same."""


def add_move(
    kinds: "Kinds",
    later: "Callable[[str, str], Command]",
    add_config: Callable[[argparse.ArgumentParser], None],
) -> None:
    """Add the command."""
    command = kinds.add_parser("move", help="move the archive to another database or store", description=MOVE)
    command.add_argument(
        "--to", type=Path, required=True, metavar="FILE", help="the configuration the archive is moved to"
    )
    command.add_argument(
        "--leave-missing",
        action="store_true",
        help="move also where objects were lost already; they are named",
    )
    add_config(command)
    command.set_defaults(command=later("move", "run"))
