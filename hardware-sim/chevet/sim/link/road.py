"""One direction of a link, without any network: what goes in comes out later, or not at all."""

import random
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from chevet.sim.link.profiles import Profile

T = TypeVar("T")


@dataclass(slots=True)
class Counted:
    """Running totals of one direction, in packets and bytes with their headers.

    `offered` is what the sender's side sent, `carried` what came out at the other end.
    """

    offered: int = 0
    offered_bytes: int = 0
    carried: int = 0
    carried_bytes: int = 0
    lost: int = 0
    overflowed: int = 0
    cut: int = 0


class Road(Generic[T]):
    """A line of some rate with a buffer before it, a delay behind it, and losses.

    Time comes in with every call, in seconds of any clock that does not step.
    """

    def __init__(self, profile: Profile, rate: float, seed: int) -> None:
        """Build one direction: `rate` bytes a second; losses follow from the seed."""
        self.counted = Counted()
        self._profile = profile
        self._rate = rate
        self._rng = random.Random(seed)  # noqa: S311 - which packets are lost is to be repeatable
        self._free_at = 0.0
        self._under_way: deque[tuple[float, float, int, T]] = deque()  # leaves the buffer, arrives, size
        self._waiting = 0
        self._in_burst = False

    def offer(self, item: T, size: int, now: float) -> bool:
        """Put a packet in; False when it will never arrive."""
        self.counted.offered += 1
        self.counted.offered_bytes += size
        if self.queued(now) + size > self._profile.buffer:
            self.counted.overflowed += 1
            return False
        if self.loses():
            self.counted.lost += 1
            self._free_at = max(self._free_at, now) + size / self._rate  # it was on the air
            return False
        self._admit(item, size, now, 0.0)
        return True

    def hold(self, item: T, size: int, now: float, stall_s: float) -> None:
        """Put bytes in that must arrive: where a packet would be lost they come `stall_s` later instead."""
        self.counted.offered += 1
        self.counted.offered_bytes += size
        stalled = self.loses()
        self.counted.lost += stalled
        self._admit(item, size, now, stall_s if stalled else 0.0)

    def due(self, now: float) -> list[tuple[T, int]]:
        """Take out what arrives by now, with its size."""
        out: list[tuple[T, int]] = []
        while self._under_way and self._under_way[0][1] <= now:
            _, _, size, item = self._under_way.popleft()
            self.counted.carried += 1
            self.counted.carried_bytes += size
            out.append((item, size))
        return out

    def next_at(self) -> float | None:
        """Return when the next packet arrives, None when none is under way."""
        return self._under_way[0][1] if self._under_way else None

    def queued(self, now: float) -> float:
        """Return the bytes that wait for the line."""
        return max(0.0, self._free_at - now) * self._rate

    def drop_all(self, now: float) -> None:
        """The link is cut: what was under way is lost."""
        self.counted.cut += len(self._under_way)
        self._under_way.clear()
        self._free_at = now

    def loses(self) -> bool:
        """Say whether the next packet is lost; in bursts, by a Gilbert-Elliott chain of two states."""
        profile = self._profile
        if not profile.loss:
            return False
        if profile.burst <= 1.0:
            return self._rng.random() < profile.loss
        leave = 1.0 / profile.burst
        enter = leave * profile.loss / (1.0 - profile.loss)
        self._in_burst = self._rng.random() < (1.0 - leave if self._in_burst else enter)
        return self._in_burst

    def _admit(self, item: T, size: int, now: float, stall_s: float) -> None:
        self._free_at = max(self._free_at, now) + size / self._rate
        jitter = self._rng.uniform(0.0, self._profile.jitter_s) if self._profile.jitter_s else 0.0
        arrives = self._free_at + self._profile.round_trip_s / 2 + jitter + stall_s
        if self._under_way:
            arrives = max(arrives, self._under_way[-1][1])  # one line: nothing overtakes
        self._under_way.append((self._free_at, arrives, size, item))
