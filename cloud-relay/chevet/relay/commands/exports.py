"""`chevet-relay export`: cases as files for other software."""

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from chevet.relay.accounts.users import OPERATOR
from chevet.relay.commands.opened import opened
from chevet.relay.errors import SettingsError
from chevet.relay.exports.forms import archive
from chevet.relay.exports.subject import subject


def files(options: argparse.Namespace) -> int:
    """Write one case in one form as a ZIP archive."""
    with opened(options.config) as relay:
        found = subject(
            relay,
            options.case,
            OPERATOR,
            options.form,
            purpose=options.purpose,
            identity="full" if options.with_names else "pseudonym",
        )
        size = _write(options.out, archive(found, options.form), replace=options.force)
    print(f"{options.out}: {size} bytes. {found.statement}")
    return 0


def _write(path: Path, pieces: Iterable[bytes], *, replace: bool) -> int:
    """Write a new file that only its owner may read; nothing is left where the writing fails."""
    if path.exists() and not replace:
        raise SettingsError("out", f"{path} exists: choose another --out, or say --force.")
    draft = path.with_name(f".{path.name}.part")
    size = 0
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for piece in pieces:
                size += file.write(piece)
                _tell(size)
        draft.replace(path)
    except OSError as error:
        raise SettingsError("out", f"Cannot write {path} ({error.strerror}): choose another --out.") from None
    finally:
        draft.unlink(missing_ok=True)
    return size


def _tell(size: int) -> None:
    """Show how far it is where somebody watches."""
    if sys.stderr.isatty():
        print(f"\r{size >> 10} KiB ", end="", file=sys.stderr, flush=True)
