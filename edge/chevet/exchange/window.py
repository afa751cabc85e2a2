"""How many bytes may be under way: what the link holds and a little more, measured by acknowledgements.

Two things are measured on every connection: the rate at which messages arrive (the highest of the last
rounds, so that a stall behind a lost packet is not taken for a slower link), and the shortest time from
sending to acknowledgement (what the link takes when nothing queues). Their product fills the link. The way of
measuring follows BBR (draft-cardwell-iccrg-bbr-congestion-control), with MQTT acknowledgements for TCP's.
"""

from dataclasses import dataclass
from typing import Final

from chevet.exchange.manifest import CHUNK

START: Final = 8 << 10
FLOOR: Final = 2 * CHUNK
CAP: Final = 256 << 10
FILL: Final = 1.0
"""Of what the link holds, with the base of a whole chunk; the last message to find room comes on top."""
LOSSY_FILL: Final = 0.85
"""The same on a link that loses packets: an urgent message waits for what was lost before it, which comes
again behind all that lies on the line."""
LOSES: Final = 0.02
"""Of the base: stalls beyond that are lost packets, below it they are a busy machine's."""
EAGER: Final = 1.5
"""The same until the rate has stopped growing: each round may show that the link holds more."""
PATIENT: Final = 0.25
BRIDGE: Final = 1.5
LONGEST_BRIDGE: Final = 0.6
"""A link that loses packets stalls behind each. Stalls beyond a quarter of the base are bridged by more bytes
under way, at most for six tenths of it: at 2 % loss that would cost urgent messages more than it brings."""
URGENT_ROOM: Final = CHUNK
"""Beyond the window for the beginning of an urgent study: behind a lost packet the window stays full for a
round trip or more, and what waits for room would wait a second time on the line."""
RATE_KEPT_S: Final = 10.0
BASE_KEPT_S: Final = 120.0
"""A shortest time older than this is measured again, by one message alone: the route may have changed."""
_TELLING: Final = CHUNK // 2
"""Smaller messages spend less time on the line than a chunk and would make the link look fast."""
_STALL_SMOOTHING: Final = 1 / 16
_GROWING: Final = 1.25
_ROUNDS_WITHOUT_GROWTH: Final = 3
_TRY_EVERY_ROUNDS: Final = 8
"""So often one round is eager again: the link may have become faster."""
_LOSSY_TRY_EVERY: Final = 24
"""The same on a link that loses packets, where more on the line costs most."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What was known when a message left; its acknowledgement is measured against it.

    Attributes:
        size: bytes of the message.
        at: when it left.
        delivered: bytes acknowledged before it left.
        delivered_at: when the last of those was acknowledged.
        newest_sent_at: when the last of those had left.
        limited: there was nothing more to send, so the link was not tried to its full.
        under_way: bytes under way once it had left.
    """

    size: int
    at: float
    delivered: int
    delivered_at: float
    newest_sent_at: float
    limited: bool
    under_way: int

    @property
    def alone(self) -> bool:
        """Whether nothing else was under way."""
        return self.under_way == self.size


class Window:
    """Counts bytes under way and learns how many the link takes."""

    def __init__(self) -> None:
        self.size = START
        self.under_way = 0
        self._delivered = 0
        self._forget()

    @property
    def rate(self) -> float:
        """Bytes a second that the link takes, 0 as long as nothing was measured."""
        return max((rate for _, rate in self._rates), default=0.0)

    @property
    def base_s(self) -> float | None:
        """Shortest time to an acknowledgement on this connection, None as long as nothing was measured."""
        return self._base_s

    def room(self, *, urgent: bool = False) -> bool:
        """Return whether another message may go out; an urgent one may where others wait."""
        return self.under_way < self.size + (URGENT_ROOM if urgent else 0)

    def sent(self, size: int, now: float) -> Mark:
        """Count a message out; give the mark back with its acknowledgement."""
        if not self.under_way:  # the link was empty: time spent silent says nothing about it
            self._delivered_at = self._newest_sent_at = now
        limited = self._limited_until > self._delivered
        self.under_way += size
        return Mark(
            size, now, self._delivered, self._delivered_at, self._newest_sent_at, limited, self.under_way
        )

    def starved(self) -> None:
        """There is room and nothing to send: what is under way now does not show what the link can do."""
        self._limited_until = self._delivered + max(self.under_way, 1)

    def acknowledged(self, mark: Mark, now: float) -> None:
        """Count a message as arrived at the broker, and learn from it."""
        self.under_way -= mark.size
        self._delivered += mark.size
        self._delivered_at = now
        self._newest_sent_at = mark.at
        if mark.size >= _TELLING:
            self._learn_base(mark, now)
            self._learn_rate(mark, now)
            self._resize()

    def cut(self) -> None:
        """The connection ended: nothing is under way, and the next one may be another road altogether."""
        self.under_way = 0
        self.size = START
        self._forget()

    def _forget(self) -> None:
        self._base_s: float | None = None
        self._base_at = 0.0
        self._stalled_s = 0.0
        self._draining = False
        self._rates: list[tuple[float, float]] = []
        self._best = 0.0
        self._rounds_left = _ROUNDS_WITHOUT_GROWTH
        self._round_ends = 0
        self._delivered_at = self._newest_sent_at = 0.0
        self._limited_until = 0

    def _learn_base(self, mark: Mark, now: float) -> None:
        took = now - mark.at
        if self._base_s is None or took <= self._base_s or (self._draining and mark.alone):
            self._base_s, self._base_at, self._draining = took, now, False
        elif now - self._base_at > BASE_KEPT_S:
            self._draining = True
        if self.rate:
            stalled = max(0.0, took - max(self._base_s, mark.under_way / self.rate))
            self._stalled_s += (stalled - self._stalled_s) * _STALL_SMOOTHING

    def _learn_rate(self, mark: Mark, now: float) -> None:
        """Take one sample: bytes that arrived while this message was on its way, by the slower of two clocks.

        The clock of the senders guards against acknowledgements that come in one bunch after a stall.
        """
        took = max(now - mark.delivered_at, mark.at - mark.newest_sent_at)
        if took <= 0.0:
            return
        sample = (self._delivered - mark.delivered) / took
        if mark.limited and sample < self.rate:
            return
        self._rates = [(at, rate) for at, rate in self._rates if now - at < RATE_KEPT_S and rate > sample]
        self._rates.append((now, sample))
        self._count_round(mark)

    def _count_round(self, mark: Mark) -> None:
        """Stop being eager when the rate has not grown for some rounds; try again a while later."""
        if mark.delivered < self._round_ends or mark.limited:
            return
        self._round_ends = self._delivered
        if self.rate >= _GROWING * self._best:
            self._best, self._rounds_left = self.rate, _ROUNDS_WITHOUT_GROWTH
        else:
            self._rounds_left -= 1
        if self._rounds_left <= -(_LOSSY_TRY_EVERY if self._loses() else _TRY_EVERY_ROUNDS):
            self._best, self._rounds_left = self.rate, 1

    def _loses(self) -> bool:
        return self._stalled_s > LOSES * (self._base_s or 0.0)

    def _resize(self) -> None:
        if self._draining:
            self.size = 1  # one message at a time
            return
        base = self._base_s or 0.0
        gain = EAGER if self._rounds_left > 0 else LOSSY_FILL if self._loses() else FILL
        bridged = min(BRIDGE * max(0.0, self._stalled_s - PATIENT * base), LONGEST_BRIDGE * base)
        holds = round(gain * self.rate * (base + bridged))
        self.size = min(max(holds, FLOOR), CAP)
