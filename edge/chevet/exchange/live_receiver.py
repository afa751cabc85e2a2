"""The watching end of live mode: opens frames, knows what is missing, how old it is, and drops what is stale.

No I/O, no clock of its own. What comes out is a part of what went in, in order, never filled and never twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from numpy.typing import NDArray

from chevet.exchange.errors import Refused
from chevet.exchange.live_seal import Told, open_frame, open_opening
from chevet.exchange.live_watch import Report
from chevet.exchange.live_wire import (
    OPENING,
    OPUS,
    Head,
    Section,
    Stream,
    read_head,
    read_sections,
    unpack_deltas,
    unpack_packets,
)

STALE_S: Final = 5.0
"""Frames older than this are dropped: a broker of MQTT 3.1.1 keeps them longer than their expiry says."""
_ASKED_KEPT: Final = 16
_CLOCKS_KEPT: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Consecutive samples of one stream.

    Attributes:
        stream: what they are.
        first: index of the first, since the instrument started.
        count: how many of each channel.
        missing: how many did not come between the piece before of these channels and this one.
        values: int32 [channels, count] of a DELTA stream, else None.
        packets: of an OPUS stream.
        latency_s: from the newest sample to here.
    """

    stream: Stream
    first: int
    count: int
    missing: int
    values: NDArray[np.int32] | None
    packets: tuple[bytes, ...]
    latency_s: float


@dataclass(slots=True)
class Counts:
    """Running totals of frames.

    Attributes:
        received: opened in time.
        lost: never came, as far as later ones tell.
        late: came after a later one; they had been counted as lost.
        stale: came too old to be shown.
        refused: malformed, of another session, or not opened by the key.
    """

    received: int = 0
    lost: int = 0
    late: int = 0
    stale: int = 0
    refused: int = 0


class LiveReceiver:
    """One desk's view of one box.

    Attributes:
        told: the box's last opening, None before the first.
        simulated: HTEST, as the last message bears it.
        latency_s: of the last frame, None while the clocks are not known.
        round_trip_s: shortest of late, or None.
    """

    def __init__(self, origin: Ed25519PublicKey, openers: Sequence[X25519PrivateKey], watch: bytes) -> None:
        """Begin to watch.

        Args:
            origin: the box's key.
            openers: the programme's keys.
            watch: random name of this desk's watching; openings that answer others give no key.
        """
        self.counts = Counts()
        self.told: Told | None = None
        self.simulated = False
        self.latency_s: float | None = None
        self._origin, self._openers, self._watch = origin, tuple(openers), watch
        self._asked: dict[int, float] = {}
        # round trip, and when the session can have begun at first
        self._clocks: list[tuple[float, float]] = []
        self._session = self._key = b""
        self._opening = self._last = -1
        self._next: dict[object, int] = {}
        self._reported = (0, 0)
        self._shortest_ms = -1

    @property
    def round_trip_s(self) -> float | None:
        """Return the shortest of the last round trips."""
        return min(self._clocks)[0] if self._clocks else None

    def asked(self, number: int, now: float) -> None:
        """A word leaves: its answer will tell the time between the two clocks."""
        self._asked[number] = now
        for old in sorted(self._asked)[:-_ASKED_KEPT]:
            del self._asked[old]

    def receive(self, data: bytes, now: float) -> list[Piece]:
        """Take a message of the box; whatever it is, it does no harm."""
        try:
            head = read_head(data)
            if head.kind == OPENING:
                self._open(head, data, now)
                return []
            return self._frame(head, data, now)
        except Refused:
            self.counts.refused += 1
            return []

    def report(self) -> Report:
        """Return what came since the last report."""
        received, lost = self.counts.received, self.counts.lost + self.counts.stale
        before, self._reported = self._reported, (received, lost)
        shortest, self._shortest_ms = self._shortest_ms, -1
        return Report(received - before[0], max(0, lost - before[1]), shortest)

    def _open(self, head: Head, data: bytes, now: float) -> None:
        told, key = open_opening(head, data, self._origin, self._openers)
        asked_at = self._asked.pop(told.number, None) if told.watch == self._watch else None
        if head.session != self._session:
            if asked_at is None:
                raise Refused("unasked")  # an opening that somebody kept and plays again answers nothing
            self._session, self._key = head.session, key
            self._opening = self._last = -1
            self._clocks.clear()
        if told.watch != self._watch or head.seq <= self._opening:
            return
        self._opening, self.told, self.simulated = head.seq, told, head.simulated
        kinds = {_kind(one) for one in told.streams}
        self._next = {kind: index for kind, index in self._next.items() if not told.streams or kind in kinds}
        if asked_at is not None:
            self._learn_clock(head, told, asked_at, now)

    def _learn_clock(self, head: Head, told: Told, asked_at: float, now: float) -> None:
        """The answer left the box after the word had left here, and before it came: somewhere between."""
        round_trip = max(0.0, now - asked_at - told.held_ms / 1000)
        earliest = now - round_trip - head.stamp_ms / 1000
        self._clocks = [*self._clocks, (round_trip, earliest)][-_CLOCKS_KEPT:]

    def _frame(self, head: Head, data: bytes, now: float) -> list[Piece]:
        if head.session != self._session or self.told is None:
            raise Refused("unknown_session")
        plain = open_frame(head, data, self._key)
        if head.seq <= self._last:
            self.counts.late += 1
            return []
        self.counts.lost += head.seq - self._last - 1 if self._last >= 0 else 0
        self._last = head.seq
        latency, oldest = self._latency(head, now)
        if oldest > STALE_S:
            self.counts.stale += 1
            return []
        self.counts.received += 1
        self.latency_s, self.simulated = latency, head.simulated
        millis = round(1000 * latency)
        self._shortest_ms = millis if self._shortest_ms < 0 else min(self._shortest_ms, millis)
        streams = {one.id: one for one in self.told.streams}
        found = [(streams.get(item.stream), item) for item in read_sections(plain)]
        return [self._piece(stream, item, latency) for stream, item in found if stream is not None]

    def _latency(self, head: Head, now: float) -> tuple[float, float]:
        """Return how old a frame is, by the shortest round trip halved, and how old it may be at most.

        After a break one way may have taken all of a long round trip: what may be stale is not called live.
        """
        if not self._clocks:
            return 0.0, 0.0
        round_trip, earliest = min(self._clocks)
        since = now - head.stamp_ms / 1000
        likely = since - earliest - round_trip / 2
        return max(0.0, likely), since - max(began for _, began in self._clocks)

    def _piece(self, stream: Stream, item: Section, latency: float) -> Piece:
        values: NDArray[np.int32] | None = None
        packets: tuple[bytes, ...] = ()
        if stream.codec == OPUS:
            packets = tuple(unpack_packets(item.data))
        else:
            values = unpack_deltas(item.data, len(stream.channels), item.count)
        missing = max(0, item.first - self._next.get(_kind(stream), item.first))
        self._next[_kind(stream)] = item.first + item.count
        return Piece(stream, item.first, item.count, missing, values, packets, latency)


def _kind(stream: Stream) -> object:
    """Return what stays the same when a box begins to send the same channels under another number."""
    return stream.device, stream.codec, stream.channels
