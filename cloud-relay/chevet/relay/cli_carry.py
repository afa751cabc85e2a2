"""The words of `chevet-relay carry`."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chevet.relay.cli import Command, Kinds

CARRY = (
    "Takes in what `chevet-edge carry --to` put onto a stick, by the same checks as over the line, and writes"
    " each site's signed receipts and waiting answers back onto it. Runs beside `chevet-relay run`, as often"
    " as wanted: what is here already comes in once."
)


def add_carry(
    kinds: "Kinds",
    later: "Callable[[str, str], Command]",
    add_config: Callable[[argparse.ArgumentParser], None],
) -> None:
    """Add the command."""
    actions = kinds.add_parser("carry", help="exchange with boxes by a courier's stick").add_subparsers(
        metavar="ACTION", required=True
    )
    command = actions.add_parser(
        "import", help="take a stick's bundles in, put receipts on it", description=CARRY
    )
    command.add_argument("folder", type=Path, metavar="FOLDER", help="where the stick is mounted")
    add_config(command)
    command.set_defaults(command=later("carry", "take_in"))
