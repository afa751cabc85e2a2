"""The words of `chevet-relay objects`."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chevet.relay.cli import Command, Kinds

CHECK = """\
Compares the store, files or a bucket, with what the archive names: what is missing, what nobody names. With
--read every object is read and checked against its name, which takes a while."""
LIST = """\
Reads every object of what the sites sent, and prints a line of JSON for each bundle that is whole: its id and
a digest of its bytes, "damaged" where they are not what the site signed. `chevet-sim match` holds it against
what `chevet-edge queue --list` prints at the box. Sealed cases too; what was destroyed is not in it."""
SWEEP = """\
Removes objects that no case names and that were put a day ago or earlier: answers overtaken before they were
written down, and what a power cut between store and archive left. Not for a restored copy of an archive whose
store others still use: all that came since would be nobody's there. Runs beside a working relay."""


def add_objects(
    kinds: "Kinds",
    later: "Callable[[str, str], Command]",
    add_config: Callable[[argparse.ArgumentParser], None],
) -> None:
    """Add the commands."""
    actions = kinds.add_parser("objects", help="check the stored objects against the archive").add_subparsers(
        metavar="ACTION", required=True
    )
    check = actions.add_parser("check", help="name what is missing or damaged", description=CHECK)
    check.add_argument("--read", action="store_true", help="read every object, and hash it")
    check.set_defaults(command=later("objects", "check"))
    listing = actions.add_parser("list", help="print what arrived, with digests", description=LIST)
    listing.add_argument("--site", default="", metavar="CODE", help="of this site alone")
    listing.set_defaults(command=later("objects", "listing"))
    sweep = actions.add_parser("sweep", help="remove what no case names", description=SWEEP)
    sweep.set_defaults(command=later("objects", "sweep"))
    for action in (check, listing, sweep):
        add_config(action)
