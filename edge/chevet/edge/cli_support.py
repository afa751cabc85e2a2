"""`chevet-edge support`: what a support code says, for whoever answers the telephone."""

import argparse
from typing import TYPE_CHECKING

from chevet.edge.support_code import FIELDS, read_code

if TYPE_CHECKING:
    from chevet.edge.cli import Commands

SUPPORT = (
    "Read a support code, as a kiosk's health page shows it: version, disk, clock, network, power, heat,"
    " queue and instruments of that box at that moment. Nothing of patients, names or addresses is in it."
)


def support_words(commands: "Commands") -> None:
    """Add the command."""
    command = commands.add_parser("support", help="read a kiosk's support code", description=SUPPORT)
    command.add_argument("code", metavar="CODE", help="thirteen letters and digits, such as 0200-4JS8-10C5K")
    command.set_defaults(do=_support)


def _support(options: argparse.Namespace) -> int:
    for line in told(options.code):
        print(line)
    return 0


def told(code: str) -> list[str]:
    """Return what a code says, a line a field.

    Raises:
        SettingsError: it is no support code.
    """
    found = read_code(code)
    version = ".".join(str(found[part]) for part in ("major", "minor", "patch"))
    lines = [f"version         {version}"]
    for field in FIELDS[3:]:
        value = found[field.name]
        most = not field.words and value == (1 << field.bits) - 1
        lines.append(f"{field.name.replace('_', ' '):15} {value}{' or more' if most else ''}".rstrip())
    return lines
