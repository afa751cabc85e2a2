"""What the other end is asked about, and when: one question at a time, few bundles in each.

Nothing that left is believed to have arrived before the other end says so. It says so unasked while chunks
keep coming; where it is silent, or after any break, it is asked, ever more slowly.
"""

from collections import deque
from collections.abc import Iterable
from heapq import heappop, heappush
from math import inf
from typing import Final

from chevet.exchange.messages import MAX_QUERY, Have, Query
from chevet.exchange.transfer import Transfer

ASK_AFTER_S: Final = 10.0
"""Silence after an acknowledgement before the other end is asked what it has."""
ASK_SLOWEST_S: Final = 60.0
QUERY_PATIENCE_S: Final = 5.0
WATCH_EVERY_S: Final = 300.0


class Asking:
    """The questions of one Sender.

    Times lie in a heap whose entries may be out of date; `_at` is what holds.
    """

    def __init__(self, number_from: int) -> None:
        """Count questions from `number_from` on: no answer to an earlier process is taken for ours."""
        self._number = number_from
        self._at: dict[bytes, float] = {}
        self._later: list[tuple[float, bytes]] = []
        self._due: list[tuple[int, int, bytes]] = []
        self._watch: deque[str] = deque()
        self._watch_at: float | None = None
        self._until = 0.0

    def watch(self, idents: Iterable[str]) -> None:
        """Name delivered bundles of which news is awaited; each question takes some of them in turn."""
        self._watch = deque(idents)

    def connected(self, started: Iterable[Transfer], now: float) -> None:
        """The line is open: ask at once about all that may have been sent before, and say hello."""
        self._until = 0.0
        self._watch_at = now
        for item in started:
            item.asks = 0
            self._ask(item.tid, now)

    def arrived_at_broker(self, item: Transfer, now: float) -> None:
        """Something of a transfer was acknowledged, which proves nothing: the question comes in time."""
        if item.tid not in self._at and item.to_settle():
            self._ask(item.tid, now + _patience(item.asks))

    def answered(self, item: Transfer, message: Have, now: float) -> None:
        """The other end spoke of a transfer."""
        item.asks = 0
        if is_answer(item, message):
            item.question = 0
            self._until = 0.0
        self._at.pop(item.tid, None)
        self.arrived_at_broker(item, now)

    def closed(self, item: Transfer) -> None:
        """Nothing more is to be known about a transfer."""
        self._at.pop(item.tid, None)
        if item.question == self._number:
            self._until = 0.0

    def query(self, now: float, transfers: dict[bytes, Transfer]) -> Query | None:
        """Return the question to put now, if any: not before the last was answered or has waited enough."""
        if now < self._until or self._next() > now:
            return None
        due = self._take_due(now, transfers)
        watch = self._take_watch(now)
        if not due and watch is None:
            return None
        self._number += 1
        for item in due:
            item.asked()
            item.question = self._number
            item.asks += 1
            self._ask(item.tid, now + _patience(item.asks))
        self._until = now + QUERY_PATIENCE_S if due else 0.0
        return Query(self._number, tuple(item.tid for item in due), watch or ())

    def next(self, now: float) -> float:
        """Return when there may be something to ask."""
        when = self._next()
        return max(now + ASK_SLOWEST_S if when == inf else when, self._until, now)

    def _ask(self, tid: bytes, when: float) -> None:
        if self._at.get(tid) != when:
            self._at[tid] = when
            heappush(self._later, (when, tid))

    def _next(self) -> float:
        while self._due and self._due[0][2] not in self._at:
            heappop(self._due)
        if self._due:
            return 0.0
        while self._later and self._at.get(self._later[0][1]) != self._later[0][0]:
            heappop(self._later)
        times = [self._later[0][0]] if self._later else []
        return min(times + ([] if self._watch_at is None else [self._watch_at]), default=inf)

    def _take_due(self, now: float, transfers: dict[bytes, Transfer]) -> list[Transfer]:
        """Take out the most urgent and oldest of those whose time has come."""
        while self._later and self._later[0][0] <= now:
            when, tid = heappop(self._later)
            if self._at.get(tid) == when:
                item = transfers[tid]
                heappush(self._due, (item.manifest.priority, item.order, tid))
        found: list[Transfer] = []
        while self._due and len(found) < MAX_QUERY:
            tid = heappop(self._due)[2]
            if self._at.get(tid, inf) <= now:
                del self._at[tid]
                found.append(transfers[tid])
        return found

    def _take_watch(self, now: float) -> tuple[str, ...] | None:
        if self._watch_at is None or self._watch_at > now:
            return None
        some = tuple(self._watch)[:MAX_QUERY]
        self._watch.rotate(-len(some))
        self._watch_at = now + WATCH_EVERY_S if some else None
        return some


def is_answer(item: Transfer, message: Have) -> bool:
    """Return whether a message answers the last question about a transfer, not an earlier one or none."""
    return message.number != 0 and message.number == item.question


def _patience(asks: int) -> float:
    return min(ASK_AFTER_S * (1 << min(max(asks - 1, 0), 8)), ASK_SLOWEST_S)
