"""`chevet-sim match`: whether what was acquired at one end is what lies at the other."""

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chevet.sim.errors import SimError
from chevet.sim.matcher import match

HELP = """\
Compares two lists and says whether they are the same set, byte for byte, each once, and names what differs.

ACQUIRED is what the near end was told is safe, DELIVERED what lies at the far end, by the bytes there now.
A line of a list is JSON, or what sha256sum prints:
  {"id": "...", "sha256": "...", "state": "settled"}
  9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08  name
"settled": the near end took a receipt for it; one for what is not there has lied. "pending", "refused": it is
still kept at the near end; with --running these are told and are no difference. ACQUIRED names each id once,
or it is refused; one that DELIVERED names again is there twice.

examples:
  chevet-edge queue --list > acquired && chevet-relay objects list --site tinm01 > delivered
  chevet-sim match acquired delivered
  (cd sent && sha256sum *) > a; (cd came && sha256sum *) > b; chevet-sim match a b
"""
KEPT = ("pending", "refused")
STATES = ("", "settled", *KEPT)
_SUM = re.compile(r"\\?([0-9a-f]{64}) [ *](.+)")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list: `state` is "" where nothing is said of it."""

    id: str
    sha256: str
    state: str = ""


def match_options(command: argparse.ArgumentParser) -> None:
    """Add the options of `match`."""
    command.add_argument("acquired", type=Path, metavar="ACQUIRED", help="list of the near end")
    command.add_argument("delivered", type=Path, metavar="DELIVERED", help="list of the far end")
    command.add_argument("--running", action="store_true", help="what still waits at the near end is no loss")
    command.add_argument("--json", type=Path, metavar="FILE", help="write every difference here, all ids")


def run(options: argparse.Namespace) -> int:
    """Compare; return 0 where both are the same set.

    Raises:
        SimError: a list cannot be read, a line of it is none, the near end's has an id twice, or the report
            cannot be written.
    """
    acquired, delivered = read_rows(options.acquired), read_rows(options.delivered)
    _each_once(options.acquired, acquired)
    there = {row.id for row in delivered}
    waiting = {row.id: row.sha256 for row in acquired if row.state in KEPT and row.id not in there}
    known = {row.id: row.sha256 for row in acquired}
    found = match(
        {ident: known[ident] for ident in known if not options.running or ident not in waiting},
        known,
        [(row.id, row.sha256) for row in delivered],
        there,
        {row.id for row in acquired if row.state == "settled"},
    )
    print(found.told(f"{len(known)} acquired, {found.delivered} delivered"))
    if waiting:
        print(f"  still kept at the near end: {len(waiting)}")
    if options.json:
        counts = {"equal": found.equal, "acquired": len(known), "delivered": found.delivered}
        _write(options.json, {**counts, "waiting": list(waiting), **found.differences()})
    return 0 if found.equal else 1


def read_rows(path: Path) -> list[Row]:
    """Return the lines of a list.

    Raises:
        SimError: it cannot be read, or a line of it is none.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SimError(
            f"{path} cannot be read ({type(error).__name__}):"
            " `chevet-sim match --help` shows how a list is made."
        ) from None
    return list(_rows(path, lines))


def _each_once(path: Path, rows: Sequence[Row]) -> None:
    """Refuse a list of the near end that says two things of one id: nobody knows which of them holds."""
    often = Counter(row.id for row in rows)
    if again := sorted(ident for ident, times in often.items() if times > 1):
        raise SimError(
            f"{path}: ids that stand there more than once: {len(again)}, the first {again[0]};"
            " take the list anew, in one piece, and give different things different names."
        )


def _write(path: Path, report: Mapping[str, object]) -> None:
    try:
        path.write_text(json.dumps(report, indent=2) + "\n")
    except OSError as error:
        raise SimError(
            f"{path} cannot be written ({type(error).__name__}): name another file after --json."
        ) from None


def _rows(path: Path, lines: list[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row = _row(line)
        if row is None:
            raise SimError(
                f"{path}, line {number}: neither JSON with id and sha256 nor a line of sha256sum;"
                " `chevet-sim match --help` shows both."
            )
        yield row


def _row(line: str) -> Row | None:
    if summed := _SUM.fullmatch(line.strip()):
        return Row(summed[2], summed[1])
    try:
        words = json.loads(line)
    except (ValueError, RecursionError):  # no JSON, or nested so deep that it is none of ours
        return None
    if not isinstance(words, dict):
        return None
    facts = [words.get("id"), words.get("sha256"), words.get("state", "")]
    if not all(isinstance(fact, str) for fact in facts) or facts[2] not in STATES:
        return None
    return Row(*facts) if all(_printable(fact) for fact in facts) else None


def _printable(text: str) -> bool:
    """Tell whether it can be written out: JSON can hold halves of characters, which no file takes."""
    return not any("\ud800" <= one <= "\udfff" for one in text)
