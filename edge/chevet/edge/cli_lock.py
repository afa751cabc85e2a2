"""The words of `chevet-edge lock`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chevet.edge.cli import Commands

LOCK = (
    "Encrypt what this box keeps (recordings, visits, people, private keys) with a key that is not beside it:"
    " a passphrase given at each start, a TPM, or a stick. Studies on their way are sealed to the programme"
    " in any case."
)
INIT = (
    "Put this box under a lock: asks for a passphrase (at least 12 characters), shows a recovery code for the"
    " programme's safe, and covers what is on the disk already; a power cut meanwhile loses nothing. With"
    " --key-file there is no passphrase: the key is written there, and the box opens by itself while the file"
    " is in reach (lock.key_file in edge.toml says where)."
)
STATUS = "Say whether the disk is covered, by what the box opens, and what is left to do."
OPEN = "Give a waiting agent its passphrase from a terminal, instead of on the screen (also from a pipe)."
CHANGE = (
    "Change the passphrase, after the old one or the recovery code was given. Who copied lock.json before and"
    " knows the old passphrase can still open that copy."
)
RECOVERY = "Make a new recovery code; the one before opens nothing from then on."
ADD_KEY = (
    "Make one more key and write it to --out, or to standard output for a TPM:"
    " chevet-edge lock add-key --name tpm | systemd-creds encrypt --with-key=tpm2 --name=chevet-edge.key -"
    " /etc/credstore.encrypted/chevet-edge.key"
)
REMOVE = "Take one way to open the box away; `chevet-edge lock status` has the numbers."
FILE = "file that holds the passphrase (or the recovery code) alone"


def lock_words(commands: "Commands", shared: argparse.ArgumentParser) -> None:
    """Add the commands."""
    lock = commands.add_parser("lock", help="encrypt what this box keeps on its disk", description=LOCK)
    verbs = lock.add_subparsers(title="commands", required=True, metavar="COMMAND")
    given = argparse.ArgumentParser(add_help=False)
    given.add_argument("--passphrase-file", type=Path, metavar="FILE", help=FILE)
    for name, short, long in (
        ("init", "put this box under a lock", INIT),
        ("status", "how the disk is protected", STATUS),
        ("open", "give a waiting agent its passphrase", OPEN),
        ("change-passphrase", "change the passphrase", CHANGE),
        ("recovery", "make a new recovery code", RECOVERY),
        ("add-key", "make a key for a TPM or a stick", ADD_KEY),
        ("remove", "take one way to open it away", REMOVE),
    ):
        parents = [shared] if name == "status" else [shared, given]
        verb = verbs.add_parser(name, parents=parents, help=short, description=long)
        verb.set_defaults(do=_lock, verb=name)
        if name == "init":
            verb.add_argument(
                "--key-file", type=Path, metavar="FILE", help="write a key there; no passphrase"
            )
        if name == "change-passphrase":
            verb.add_argument(
                "--new-passphrase-file", type=Path, metavar="FILE", help="holds the new one alone"
            )
        if name == "add-key":
            verb.add_argument("--name", default="", help="what it is, for the list (such as tpm or stick)")
            verb.add_argument("--out", type=Path, metavar="FILE", help="where to write it (default: output)")
        if name == "remove":
            verb.add_argument("number", type=int, metavar="NUMBER", help="as in the list of lock status")


def _lock(options: argparse.Namespace) -> int:
    from chevet.edge.terminal_lock import run_lock

    return run_lock(options)
