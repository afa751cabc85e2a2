"""The words of `chevet-edge import`."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chevet.edge.cli import Commands

IMPORT = (
    "Read an ECG file that a cart wrote (Contec ECG90A, DICOM or SCP-ECG) and write its samples, exactly, as"
    " a WFDB record (FILE.hea and FILE.dat). Who the file names is not written. To bring a cart's files into"
    " visits, let the running agent watch a folder: [cart] in edge.toml."
)


def import_words(commands: "Commands") -> None:
    """Add the command."""
    command = commands.add_parser("import", help="read an ECG file of a cart", description=IMPORT)
    command.add_argument("file", type=Path, metavar="FILE", help="the cart's file, whatever its name")
    command.add_argument("--out", required=True, type=Path, metavar="FILE", help="FILE.hea")
    command.add_argument("--force", action="store_true", help="replace what is there")
    command.set_defaults(do=_import)


def _import(options: argparse.Namespace) -> int:
    from chevet.edge.terminal_import import import_file

    return import_file(options.file, options.out, time.time_ns() // 1_000_000, force=options.force)
