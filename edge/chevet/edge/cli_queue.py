"""The words of `chevet-edge queue`."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chevet.edge.cli import Commands

QUEUE = (
    "List what this box keeps because the relay has not confirmed it: since when, its size, and why where it"
    " was refused; then what came from the relay and could not be used (dead letters). Nothing of this is"
    " ever dropped by itself. --again ID lets a refused case travel once more, after the reason was removed;"
    " a running agent takes it up within a minute. --list prints a line of JSON for all that this box sent or"
    " is to send, with a digest of its bytes, to be held against `chevet-relay objects list` by"
    " `chevet-sim match`."
)


def queue_words(commands: "Commands", shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    command = commands.add_parser(
        "queue", parents=[shared], help="what waits, what was refused and why", description=QUEUE
    )
    either = command.add_mutually_exclusive_group()
    either.add_argument("--again", metavar="ID", help="let a refused case travel once more")
    either.add_argument("--list", action="store_true", help="all that was sent, as lines of JSON")
    command.set_defaults(do=_queue)


def _queue(options: argparse.Namespace) -> int:
    from chevet.edge.terminal_queue import run_queue

    return run_queue(options)
