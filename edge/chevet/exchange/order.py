"""Who is served next, found without looking at every bundle that waits.

A box that was away for weeks holds thousands of bundles; each answer costs the same with all of them. Heaps
keep entries that are no longer true until they come up, and are swept when these outnumber the true ones.
"""

from heapq import heapify, heappop, heappush
from typing import Final

from chevet.exchange.transfer import Transfer

Rank = tuple[int, int, int]
"""Layer (previews and all before them are 1), priority, age: the smallest goes first."""
PREVIEW: Final = 1
OLDEST_EVERY: Final = 8
"""One bulk message in so many goes to the oldest bundle, so that nothing starves."""
BULK_WAITS_S: Final = 60.0
"""Bulk that found no turn between previews for so long gets one: even these never starve it."""
BEFORE_ALL: Final = -1
"""Priority of bulk that a reader waits for: before every other, but not before a preview."""
_SLACK: Final = 64


class Order:
    """The transfers with something to send, in the order in which a reader needs it."""

    def __init__(self) -> None:
        self._ranks: dict[bytes, Rank] = {}
        self._first: list[tuple[Rank, bytes]] = []
        self._by_age: list[tuple[int, bytes]] = []
        self._unsure: dict[bytes, int] = {}
        self.unsure = 0
        """Chunks at the broker of which the other end has said nothing, over all transfers."""
        self._held: set[bytes] = set()
        self._bulk_turn = 0
        self._bulk_at = 0.0

    def update(self, item: Transfer) -> None:
        """Look at one transfer again, after anything about it changed."""
        self._count_unsure(item.tid, item.unsure())
        (self._held.add if item.held else self._held.discard)(item.tid)
        rank = _rank(item)
        if rank == self._ranks.get(item.tid):
            return
        if rank is None:
            del self._ranks[item.tid]
            return
        self._ranks[item.tid] = rank
        heappush(self._first, (rank, item.tid))
        if rank[0] > PREVIEW:
            heappush(self._by_age, (rank[2], item.tid))
        self._sweep()

    def remove(self, tid: bytes) -> None:
        """Forget a transfer."""
        self._ranks.pop(tid, None)
        self._held.discard(tid)
        self._count_unsure(tid, 0)

    def began(self, now: float) -> None:
        """A connection began: the time without one was nobody's turn."""
        self._bulk_at = now

    def sent_bulk(self, now: float) -> None:
        """Count a message that went past the previews."""
        self._bulk_turn += 1
        self._bulk_at = now

    def choose(self, now: float, most_unsure: int, *, hearing: bool) -> bytes | None:
        """Return the transfer to serve next, or None.

        Control and previews of every bundle go first, urgent ones before others; then layer by layer; by age
        within these, and before them what a reader waits for. Every eighth bulk message goes to the oldest
        whatever its layer.

        Args:
            now: monotonic seconds.
            most_unsure: no bulk while that many chunks are unsure.
            hearing: the other end is telling what it has; those it has not come to may lack their previews.
        """
        first = self._next_first()
        if first is None:
            return None
        rank, tid = first
        bulk = self._oldest_bulk() if self.unsure < most_unsure else None
        if bulk is None:
            self._bulk_at = now
        if hearing and self._held and rank[0] > PREVIEW:
            return None
        if rank[0] <= PREVIEW:
            return bulk if bulk and now - self._bulk_at >= BULK_WAITS_S else tid
        return bulk and (bulk if self._bulk_turn % OLDEST_EVERY == OLDEST_EVERY - 1 else tid)

    def _next_first(self) -> tuple[Rank, bytes] | None:
        while self._first:
            rank, tid = self._first[0]
            if self._ranks.get(tid) == rank:
                return rank, tid
            heappop(self._first)
        return None

    def _oldest_bulk(self) -> bytes | None:
        while self._by_age:
            tid = self._by_age[0][1]
            if self._ranks.get(tid, (0,))[0] > PREVIEW:
                return tid
            heappop(self._by_age)
        return None

    def _count_unsure(self, tid: bytes, count: int) -> None:
        self.unsure += count - self._unsure.pop(tid, 0)
        if count:
            self._unsure[tid] = count

    def _sweep(self) -> None:
        most = 2 * len(self._ranks) + _SLACK
        if len(self._first) > most:
            self._first = [(rank, tid) for tid, rank in self._ranks.items()]
            heapify(self._first)
        if len(self._by_age) > most:
            self._by_age = [(rank[2], tid) for tid, rank in self._ranks.items() if rank[0] > PREVIEW]
            heapify(self._by_age)


def _rank(item: Transfer) -> Rank | None:
    layer = item.ready()
    if layer is None:
        return None
    if item.wanted and layer > PREVIEW:
        return PREVIEW + 1, BEFORE_ALL, item.order
    return max(layer, PREVIEW), item.manifest.priority, item.order
