"""Proves that what was acknowledged at one end is what lies at the other: every study, byte for byte, once.

A program under test writes what it has acknowledged into a ledger, outside of every disk that is cut. The
matcher compares four lists: the ledger, the box's own, the archive's and the desk's. It knows nothing of how
any of them was read; contents are compared by their digests.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

SHOWN = 20
"""Differences of one kind that are told; all are in the JSON."""


class Ledger:
    """Lines of JSON that are on the disk when `write` returns, through kill -9 of whoever writes."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def write(self, **words: Any) -> None:
        """Write one line, durably."""
        os.write(self._descriptor, json.dumps(words).encode() + b"\n")
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close."""
        os.close(self._descriptor)


def read_ledger(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the whole lines of a ledger; one that a kill tore was never acknowledged."""
    if not path.exists():
        return
    for line in path.read_bytes().split(b"\n")[:-1]:
        yield json.loads(line)


@dataclass(frozen=True, slots=True)
class Match:
    """What differs between the lists; every tuple is empty where nothing was lost.

    Attributes:
        acknowledged: how many studies the ledger holds.
        delivered: how many different studies the archive holds whole.
        unacknowledged: delivered or kept ones that the ledger lacks: the writer died between its commit and
            its word. No difference, for nobody was told that they are safe.
        lost: acknowledged, but not in the archive.
        wrong: in the archive with other bytes than were acknowledged, or than the box says.
        twice: in the archive or on the desk more than once.
        unlisted: in the archive, but not on the desk.
        strange: in the archive or on the desk, though the box never recorded them.
        forgotten: acknowledged, but no longer known to the box.
        lied: the box was told that they are stored, and they are not, or with other bytes.
    """

    acknowledged: int
    delivered: int
    unacknowledged: int
    lost: tuple[str, ...]
    wrong: tuple[str, ...]
    twice: tuple[str, ...]
    unlisted: tuple[str, ...]
    strange: tuple[str, ...]
    forgotten: tuple[str, ...]
    lied: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Tell whether acquired and delivered are the same set, byte for byte, each once on the desk."""
        return not any(found for found in self.differences().values())

    def differences(self) -> dict[str, tuple[str, ...]]:
        """Return the ids by what is wrong with them."""
        return {name: found for name, found in asdict(self).items() if isinstance(found, tuple)}

    def told(self, counted: str = "") -> str:
        """Return it in words: one line where all is well, else every kind of difference with its ids.

        Args:
            counted: words for what was compared, where no ledger stands behind; else those of the ledger.
        """
        first = counted or (
            f"{self.acknowledged} acknowledged, {self.delivered} delivered"
            f" ({self.unacknowledged} of them or of the box's before their word)"
        )
        if self.equal:
            return f"{first}: the same set, byte for byte, each once"
        rows = [
            f"  {name} {len(found)}: {' '.join(found[:SHOWN])}{' ...' if len(found) > SHOWN else ''}"
            for name, found in self.differences().items()
            if found
        ]
        return "\n".join([f"{first}: THEY DIFFER", *rows])


def match(
    acknowledged: Mapping[str, str],
    recorded: Mapping[str, str],
    delivered: Iterable[tuple[str, str]],
    listed: Iterable[str],
    settled: Iterable[str] = (),
) -> Match:
    """Compare what was acquired with what arrived.

    Args:
        acknowledged: by id, the digest of what a person was told is safe.
        recorded: by id, the digest of everything that the box itself knows as sent.
        delivered: id and digest of everything that the archive holds whole, computed from its bytes.
        listed: every id that the desk shows, as often as it shows it.
        settled: ids that the box took a receipt for.
    """
    rows, shown = list(delivered), Counter(iter(listed))
    stored = dict(rows)
    known = dict(recorded) | dict(acknowledged)
    often = Counter(ident for ident, _ in rows)
    return Match(
        acknowledged=len(acknowledged),
        delivered=len(stored),
        unacknowledged=len((stored.keys() | recorded.keys()) - acknowledged.keys()),
        lost=_sorted(acknowledged.keys() - stored.keys()),
        wrong=_sorted(_differing(acknowledged, stored) | _differing(recorded, stored)),
        twice=_sorted({ident for counted in (often, shown) for ident, times in counted.items() if times > 1}),
        unlisted=_sorted(stored.keys() - shown.keys()),
        strange=_sorted((stored.keys() | shown.keys()) - known.keys()),
        forgotten=_sorted(acknowledged.keys() - recorded.keys()),
        lied=_sorted(
            {ident for ident in settled if ident not in stored or stored[ident] != known.get(ident)}
        ),
    )


def _differing(one: Mapping[str, str], other: Mapping[str, str]) -> set[str]:
    return {ident for ident in one.keys() & other.keys() if one[ident] != other[ident]}


def _sorted(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(found))
