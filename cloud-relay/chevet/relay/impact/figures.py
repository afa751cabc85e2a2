"""What the report says, from what happened to each case. Pure; times are Unix ms, months are of UTC."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import TypeVar

MINUTE_MS = 60_000
T = TypeVar("T")
HELPED = "good"
"""The face by which a worker says that an answer helped."""
ALL = ""
"""The site of the line that counts all sites."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One case: when it came, was asked for or claimed, answered, and when the answer was at the site."""

    site: str
    worker: str
    received_ms: int
    due_ms: int
    taken_ms: int | None
    answered_ms: int | None
    at_site_ms: int | None
    authors: frozenset[str]
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recording: where, by whom, with what, and whether it could be read."""

    received_ms: int
    site: str
    worker: str
    driver: str
    usable: bool


@dataclass(frozen=True, slots=True)
class Held:
    """One discussion that was closed and in which two people or more took part: where, and when it closed."""

    site: str
    closed_ms: int


@dataclass(frozen=True, slots=True)
class Line:
    """One month of one site; minutes are medians, None where there is nothing to count."""

    month: str
    site: str
    cases: int
    answered: int
    late: int
    rated: int
    helped: int
    allocate_min: float | None
    answer_min: float | None
    close_min: float | None
    recordings: int
    unreadable: int
    specialists: int
    discussions: int


@dataclass(frozen=True, slots=True)
class Share:
    """How much of what was recorded with one device, or by one worker of a site, could not be read."""

    what: str
    recordings: int
    unreadable: int


@dataclass(frozen=True, slots=True)
class Report:
    """Lines by month, the newest first, each month's whole before its sites; and who recorded how well."""

    lines: tuple[Line, ...]
    devices: tuple[Share, ...]
    workers: tuple[Share, ...]


def month_of(unix_ms: int) -> str:
    """Return "YYYY-MM"."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC).strftime("%Y-%m")


def begins(month: str) -> int:
    """Return when a month begins, Unix ms.

    Raises:
        ValueError: it is no month.
    """
    return int(datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC).timestamp() * 1000)


def after(month: str) -> str:
    """Return the month after one."""
    return month_of(begins(month) + 32 * 24 * 60 * MINUTE_MS)


def report(
    cases: Sequence[Happened], recordings: Sequence[Recorded], now_ms: int, held: Sequence[Held] = ()
) -> Report:
    """Return the report on what happened; a discussion counts in the month that it was closed in."""
    keys = {(month_of(one.received_ms), site) for one in cases for site in (ALL, one.site)}
    keys |= {(month_of(one.closed_ms), site) for one in held for site in (ALL, one.site)}
    order = sorted(keys, key=lambda key: key[1])
    order.sort(key=lambda key: key[0], reverse=True)
    placed = _by_line(cases, lambda one: (month_of(one.received_ms), one.site))
    heard = _by_line(recordings, lambda one: (month_of(one.received_ms), one.site))
    talked = _by_line(held, lambda one: (month_of(one.closed_ms), one.site))
    lines = tuple(
        _line(key, placed.get(key, []), heard.get(key, []), len(talked.get(key, [])), now_ms) for key in order
    )
    return Report(
        lines,
        _shares(recordings, lambda one: one.driver),
        _shares(recordings, lambda one: f"{one.site} · {one.worker}"),
    )


def _by_line(found: Iterable[T], key: Callable[[T], tuple[str, str]]) -> dict[tuple[str, str], list[T]]:
    placed: dict[tuple[str, str], list[T]] = {}
    for one in found:
        month, site = key(one)
        for line in ((month, site), (month, ALL)):
            placed.setdefault(line, []).append(one)
    return placed


def _line(
    key: tuple[str, str], found: list[Happened], heard: list[Recorded], discussions: int, now_ms: int
) -> Line:
    return Line(
        month=key[0],
        site=key[1],
        cases=len(found),
        answered=sum(one.answered_ms is not None for one in found),
        rated=sum(bool(one.feedback) for one in found),
        helped=sum(one.feedback == HELPED for one in found),
        late=sum((one.answered_ms or now_ms) > one.due_ms for one in found),
        allocate_min=_minutes(found, lambda one: one.taken_ms),
        answer_min=_minutes(found, lambda one: one.answered_ms),
        close_min=_minutes(found, lambda one: one.at_site_ms),
        recordings=len(heard),
        unreadable=sum(not one.usable for one in heard),
        specialists=len(frozenset[str]().union(*(one.authors for one in found))),
        discussions=discussions,
    )


def _minutes(found: list[Happened], until: Callable[[Happened], int | None]) -> float | None:
    ends = ((until(one), one.received_ms) for one in found)
    spans = [(end - begin) / MINUTE_MS for end, begin in ends if end is not None]
    return median(spans) if spans else None


def _shares(found: Iterable[Recorded], what: Callable[[Recorded], str]) -> tuple[Share, ...]:
    counted: dict[str, tuple[int, int]] = {}
    for one in found:
        many, bad = counted.get(what(one), (0, 0))
        counted[what(one)] = (many + 1, bad + (not one.usable))
    shares = (Share(name, many, bad) for name, (many, bad) in counted.items())
    return tuple(sorted(shares, key=lambda share: (-share.unreadable / share.recordings, share.what)))
