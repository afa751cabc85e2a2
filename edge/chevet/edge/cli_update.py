"""The words of `chevet-edge update`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chevet.edge.cli import Commands

UPDATE = (
    "New versions of this box's software: signed, installed beside the running one, switched to when no visit"
    " is open, left again when they do not come up. docs/guides/installer.md, 'New versions'."
)
CHECK = (
    "Say what runs, what is kept to go back to, and which updates are on the sticks or in FOLDER; of those"
    " that are not taken, why."
)
APPLY = (
    "Bring the newest update on the sticks, in update.folder or in FOLDER. Needs the right to write"
    " update.root. The agent is started anew once no visit is open and nobody calls; recordings and studies"
    " are kept."
)
ROLLBACK = "Go back to the version before."
ATTEND = (
    "Do what is due: go on after a power cut, and bring the version that a worker wished for at the kiosk."
    " edge/systemd/chevet-update.service calls it."
)
KEY = (
    "Make the pair of keys that sign updates: OUT stays with whoever makes them, off every network; OUT with"
    " the ending .pub.json goes to the boxes as update.key_file."
)
SIGN = (
    "Turn a folder of wheels into an update: every wheel of the version and of all it needs, as"
    " `pip download` or `pip wheel` collects them. Name the folder"
    " chevet-update-VERSION and copy it to sticks."
)


def update_words(commands: "Commands", shared: argparse.ArgumentParser) -> None:
    """Add the commands."""
    update = commands.add_parser("update", help="bring new versions of this software", description=UPDATE)
    verbs = update.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for verb, short, long in (
        ("check", "say what runs and what updates there are", CHECK),
        ("apply", "bring the newest update now", APPLY),
    ):
        command = verbs.add_parser(verb, parents=[shared], help=short, description=long)
        command.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="look here alone")
        command.set_defaults(do=_do, verb=verb)
    for verb, short, long in (
        ("rollback", "go back to the version before", ROLLBACK),
        ("attend", "go on after a power cut; fulfil a worker's wish", ATTEND),
    ):
        command = verbs.add_parser(verb, parents=[shared], help=short, description=long)
        command.set_defaults(do=_do, verb=verb)
    _maker_words(verbs)


def _maker_words(verbs: "Commands") -> None:
    key = verbs.add_parser("key", help="make the keys that sign updates", description=KEY)
    key.add_argument("out", type=Path, metavar="OUT", help="the secret key's file, such as update.key")
    key.add_argument("--by", required=True, metavar="NAME", help="shown at the kiosk as who signed")
    key.set_defaults(do=_do, verb="key")
    sign = verbs.add_parser("sign", help="sign a folder of wheels", description=SIGN)
    sign.add_argument("folder", type=Path, metavar="FOLDER", help="holds the wheels")
    sign.add_argument("--key", required=True, type=Path, metavar="FILE", help="the secret key")
    sign.add_argument("--machine", default="", metavar="NAME", help="aarch64, x86_64 or any (default: here)")
    sign.add_argument("--python", default="", metavar="X.Y", help="of the boxes (default: this one's)")
    sign.set_defaults(do=_do, verb="sign")


def _do(options: argparse.Namespace) -> int:
    from chevet.edge import terminal_update

    verb: str = options.verb
    return int(terminal_update.VERBS[verb](options))
