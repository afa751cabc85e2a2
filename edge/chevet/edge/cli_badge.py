"""`chevet-edge worker badge`: a card that signs a worker in, printed here or one that they carry already."""

import argparse
import getpass
import secrets
import sys
from pathlib import Path

import segno

from chevet.edge.errors import SettingsError
from chevet.edge.settings import load_settings
from chevet.edge.store import open_store
from chevet.edge.workers import BADGE_BYTES, Workers, new_badge

BADGE = (
    "Make a badge for a worker: a QR code to print on a card, read by any scanner that types like a keyboard."
    " With --scan, a card that the worker carries already is read instead (hold it to the reader, it ends by"
    " Enter); such a card is as safe as its number is hard to copy. A new badge takes the place of the old"
    " one; --take makes a lost one open nothing. Whoever holds a badge may sign in: it is kept like a key."
)


def badge_words(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", shared: argparse.ArgumentParser
) -> None:
    """Add the command."""
    badge = verbs.add_parser(
        "badge", parents=[shared], help="make, read or take away a badge", description=BADGE
    )
    badge.add_argument("--id", required=True, help="the worker's short id")
    what = badge.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", type=Path, metavar="FILE", help="write a new badge here, as .svg or .png")
    what.add_argument("--scan", action="store_true", help="read a card that the worker carries already")
    what.add_argument("--take", action="store_true", help="make the worker's badge open nothing")
    badge.set_defaults(do=_badge)


def _badge(options: argparse.Namespace) -> int:
    from chevet.edge.terminal_lock import key_at_terminal

    settings = load_settings(options.config)
    database = open_store(settings.data_dir / "edge.db", key_at_terminal(settings))
    try:
        print(decide(Workers(database, lambda: 0.0), options))
    finally:
        database.close()
    return 0


def decide(workers: Workers, options: argparse.Namespace) -> str:
    """Do what the options say; return what to tell.

    Raises:
        SettingsError: no such worker, a card that is too short, or a file that cannot be written.
    """
    if options.take:
        there = workers.take_badge(options.id)
        return f"The badge of {options.id} opens nothing now." if there else f"{options.id} has no badge."
    text = _scanned() if options.scan else new_badge(secrets.token_bytes(BADGE_BYTES))
    workers.give_badge(options.id, text)
    if options.scan:
        return f"Worker {options.id} may sign in with this card."
    _write(text, options.out)
    return f"Wrote {options.out}: print it, then delete the file; it opens the kiosk as {options.id}."


def _scanned() -> str:
    return getpass.getpass("Hold the card to the reader: ") if sys.stdin.isatty() else sys.stdin.readline()


def _write(text: str, path: Path) -> None:
    if path.suffix not in {".svg", ".png"}:
        raise SettingsError(f"{path.name}: a badge is written as .svg or .png.")
    try:
        path.touch(mode=0o600)
        segno.make_qr(text, error="m").save(str(path), scale=8, border=4)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}.") from error
