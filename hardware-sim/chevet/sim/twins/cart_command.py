"""`chevet-sim cart`: one file dropped into a folder, as an ECG cart does."""

import argparse
import datetime
from pathlib import Path

from chevet.sim.errors import SimError

HELP = """\
Drops a 12-lead ECG of ten seconds into a folder as a cart does, then ends. The agent takes it up where its
settings say so ([cart] folder = "..."). The file says of itself that it is not real (HTEST).

  chevet-sim cart --dir /tmp/cart                                   an SCP-ECG file
  chevet-sim cart --dir /tmp/cart --format ecg90a --slowly 5        written in pieces over five seconds
  chevet-sim cart --dir /tmp/cart --format dicom --name "Alaoui Zineb" --born 1974-01-02 --sex F
"""
ENDINGS = {"scp": ".scp", "dicom": ".dcm", "ecg90a": ".ECG"}
SEXES = {"M": 1, "F": 2, "": 0}


def cart_options(command: argparse.ArgumentParser) -> None:
    """Add the options of `cart`."""
    command.add_argument("--dir", type=Path, required=True, help="the folder that the agent watches")
    command.add_argument(
        "--format", choices=tuple(ENDINGS), default="scp", help="what to write (default scp)"
    )
    command.add_argument("--seed", type=int, default=1, help="whose heart (default 1)")
    command.add_argument("--name", default="", help="last and first name in the file (default: nobody)")
    command.add_argument("--number", default="", help="patient number in the file")
    command.add_argument("--born", type=_day, metavar="YYYY-MM-DD", help="date of birth in the file")
    command.add_argument("--sex", choices=("F", "M"), default="", help="sex in the file")
    command.add_argument(
        "--slowly", type=float, default=0.0, metavar="SECONDS", help="take so long to write it"
    )
    command.add_argument("--renamed", action="store_true", help="write under another name, rename at the end")


def _day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def run(options: argparse.Namespace) -> int:
    """Drop one file.

    Raises:
        SimError: the folder is not there or cannot be written.
    """
    from chevet.sim.twins.cart import drop, file_of
    from chevet.sim.twins.cart_scp import Owner

    folder: Path = options.dir
    if not folder.is_dir():
        raise SimError(f"{folder} is no folder; make it, or name the one of the agent's [cart] settings.")
    last, _, first = options.name.partition(" ")
    owner = Owner(last, first, options.number, options.born, SEXES[options.sex])
    now = datetime.datetime.now().astimezone()
    data = file_of(options.format, options.seed, now, owner)
    name = now.strftime("%H%M%S_%f") + ENDINGS[options.format]
    try:
        path = drop(folder, name, data, slowly_s=options.slowly, renamed=options.renamed)
    except OSError as error:
        raise SimError(f"{folder} cannot be written ({error.strerror}).") from None
    print(f"{path}: {len(data)} bytes")
    return 0
