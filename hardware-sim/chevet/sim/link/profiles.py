"""The links that health centres have, as numbers: rate, delay, loss, buffer, cuts."""

from dataclasses import dataclass, replace
from typing import Final

KBIT: Final = 1000 / 8
"""Bytes a second in one kbit/s."""
BUFFER: Final = 32 << 10
"""Bytes that a modem queues before it drops: mobile modems are known for much more than a second's worth."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The link is gone from `at` on for `seconds`, counted from the start of the link."""

    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Profile:
    """One link.

    Attributes:
        up: bytes a second from the near side (the health centre), IP and TCP headers included.
        down: bytes a second to it.
        round_trip_s: shortest time there and back, without a packet's own time on the line.
        loss: share of packets lost, 0 to 1, each way.
        burst: mean length of a loss in packets; 1 for losses that do not depend on each other.
        jitter_s: each packet waits up to this much longer; order is kept.
        buffer: bytes each way that wait for the line before packets are dropped.
        cuts: when the link is away.
        repeat_s: the cuts come again after so many seconds, 0 for once.
        rebind: after a cut the near side has another address: connections from before stay dead.
        told: one line for the help.
    """

    up: float
    down: float
    round_trip_s: float
    loss: float = 0.0
    burst: float = 1.0
    jitter_s: float = 0.0
    buffer: int = BUFFER
    cuts: tuple[Cut, ...] = ()
    repeat_s: float = 0.0
    rebind: bool = False
    told: str = ""

    def is_cut(self, at: float) -> bool:
        """Return whether the link is away at a time since its start."""
        return self._in(at) is not None

    def cuts_ended(self, at: float) -> int:
        """Return how many cuts are over at a time since the start."""
        rounds = int(at // self.repeat_s) if self.repeat_s else 0
        within = at - rounds * self.repeat_s
        return rounds * len(self.cuts) + sum(cut.at + cut.seconds <= within for cut in self.cuts)

    def _in(self, at: float) -> Cut | None:
        within = at % self.repeat_s if self.repeat_s else at
        return next((cut for cut in self.cuts if cut.at <= within < cut.at + cut.seconds), None)


_TWENTY_OF_NINETY: Final = (Cut(60.0, 20.0),)
_SIXTY_FOUR: Final = Profile(64 * KBIT, 128 * KBIT, 0.6, told="64 kbit/s up, 128 down, 600 ms")
PROFILES: Final[dict[str, Profile]] = {
    "2g": Profile(32 * KBIT, 64 * KBIT, 0.8, told="EDGE on a hill: 32 kbit/s up, 64 down, 800 ms"),
    "3g": Profile(256 * KBIT, 1000 * KBIT, 0.3, told="256 kbit/s up, 1 Mbit/s down, 300 ms"),
    "vsat": Profile(512 * KBIT, 2000 * KBIT, 0.7, told="satellite: 512 kbit/s up, 2 Mbit/s down, 700 ms"),
    "bad": Profile(
        16 * KBIT, 32 * KBIT, 0.9, loss=0.05, burst=3.0, jitter_s=0.3,
        told="16 kbit/s up, 32 down, 900 ms, 5 %% lost in bursts, jitter",
    ),
    "64k": _SIXTY_FOUR,
    "cuts": replace(
        _SIXTY_FOUR, cuts=_TWENTY_OF_NINETY, repeat_s=90.0,
        told="as 64k, away for 20 s in every 90",
    ),
    "rebind": replace(
        _SIXTY_FOUR, cuts=_TWENTY_OF_NINETY, repeat_s=90.0, rebind=True,
        told="as cuts, with another address after each: old connections stay dead (NAT rebinding)",
    ),
    "clean": Profile(125_000_000, 125_000_000, 0.0, buffer=16 << 20, told="no limits, only the counters"),
}  # fmt: skip
