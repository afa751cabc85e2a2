"""The words of `chevet-edge carry`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chevet.edge.cli import Commands

CARRY = (
    "Where no line reaches the relay for long, a courier's stick does. --to copies everything that waits onto"
    " it, sealed as it is: whoever finds the stick can read nothing. Run it again after an interruption and"
    " it goes on. The relay's operator imports it (`chevet-relay carry import`); --from then takes the"
    " relay's signed receipts and the answers off the stick, and only those receipts free anything here."
)


def carry_words(commands: "Commands", shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    command = commands.add_parser(
        "carry", parents=[shared], help="send and receive by a courier's stick", description=CARRY
    )
    way = command.add_mutually_exclusive_group(required=True)
    way.add_argument("--to", type=Path, metavar="FOLDER", help="where the stick is mounted, to fill it")
    way.add_argument("--from", type=Path, dest="source", metavar="FOLDER", help="the stick that came back")
    command.set_defaults(do=_carry)


def _carry(options: argparse.Namespace) -> int:
    from chevet.edge.terminal_carry import run_carry

    return run_carry(options)
