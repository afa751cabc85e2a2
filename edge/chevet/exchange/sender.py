"""The sending end: what goes out next, and when a bundle may be freed. No I/O, no clock.

Nothing but a COMPLETE with the right digest, signed by the other end, settles a bundle. The broker's
acknowledgements only move the byte window. What was under way when a connection ended, or when the process
did, is asked about before it is sent again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from chevet.exchange.asking import ASK_SLOWEST_S, QUERY_PATIENCE_S, Asking, is_answer
from chevet.exchange.errors import Refused
from chevet.exchange.events import (
    Ignored,
    Outgoing,
    PeerRefused,
    Progressed,
    SenderEvent,
    Settled,
    StatusNews,
)
from chevet.exchange.manifest import CHUNK, TID_BYTES
from chevet.exchange.manifest import digest as digest_of
from chevet.exchange.messages import (
    MAX_RUN,
    WANTED,
    Chunk,
    Complete,
    Have,
    ManifestMessage,
    Nack,
    Status,
    read,
    verified,
    write,
)
from chevet.exchange.order import PREVIEW, Order
from chevet.exchange.storage import Outbox
from chevet.exchange.transfer import Piece, Transfer, Way, run_of, transfer
from chevet.exchange.window import Mark, Window

UNSURE_CHUNKS: Final = 64
"""Bulk stops when that many chunks are at the broker and the other end has confirmed none of them."""
_RUNS: Final = ((16_000, 1), (125_000, 4), (float("inf"), MAX_RUN))
"""Chunks in one message by the link's bytes a second: 4 KiB to 128 kbit/s, 16 to 1 Mbit/s, 64 beyond."""
UNREADABLE: Final = "unreadable"


@dataclass(slots=True)
class Traffic:
    """Running totals of this process, in bytes of payload and in chunks."""

    bytes_up: int = 0
    bytes_down: int = 0
    chunks_sent: int = 0
    chunks_repeated: int = 0


@dataclass(frozen=True, slots=True)
class _Flight:
    tid: bytes
    piece: Piece | None
    first: int
    count: int
    mark: Mark


class Sender:
    """Moves the outbox's bundles through a window of bytes, in order of what a reader needs first."""

    def __init__(
        self,
        outbox: Outbox,
        *,
        peer_key: Ed25519PublicKey,
        longest_run: int = MAX_RUN,
        number_from: int = 0,
    ) -> None:
        """Take up what the outbox has pending.

        Args:
            outbox: where the bundles are.
            peer_key: the other end's key; receipts must bear its signature.
            longest_run: chunks in one message once the link is fast; fewer where a broker takes no 64 KiB.
            number_from: any number that differs between processes, so that answers are not mistaken.
        """
        self.traffic = Traffic()
        self.window = Window()
        self.bulk = True
        """Whether bulk may go now; False on a route whose bytes cost money."""
        self._outbox = outbox
        self._peer_key = peer_key
        self._longest_run = longest_run
        self._carried = 1
        self._transfers: dict[bytes, Transfer] = {}
        self._order = Order()
        self._asking = Asking(number_from)
        self._flights: dict[int, _Flight] = {}
        self._lost: list[PeerRefused] = []
        self._connected = False
        self._heard_at = 0.0
        self._taken_up = self._token = 0
        for manifest in outbox.pending():
            self._take_up(manifest, held=True)

    def add(self, manifest: bytes) -> None:
        """Take up a bundle just put into the outbox.

        Raises:
            Refused: the manifest cannot be read.
        """
        self._take_up(manifest, held=False)

    def watch(self, idents: Iterable[str]) -> None:
        """Name complete bundles not yet opened or answered: the other end is asked about them."""
        self._asking.watch(idents)

    def urgent(self) -> bool:
        """Return whether anything of an urgent bundle waits for its turn or is under way."""
        urgent = [item for item in self._transfers.values() if item.manifest.priority == 0]
        flying = {flight.tid for flight in self._flights.values()}
        return any(item.ready() is not None or item.tid in flying for item in urgent)

    def progress(self, tid: bytes) -> Progressed | None:
        """Return how far a bundle is, or None when it is not under way."""
        found = self._transfers.get(tid)
        return None if found is None else _progressed(found)

    def connected(self, now: float) -> None:
        """The line is open: ask about everything that may have been sent before."""
        self._connected = True
        self._order.began(now)
        self._heard_at = now
        self._asking.connected((item for item in self._transfers.values() if item.started()), now)

    def disconnected(self, now: float) -> None:  # noqa: ARG002 - all calls of the host bear the time
        """The line is gone, and with it every acknowledgement still to come."""
        self._connected = False
        flights = list(self._flights.values())
        self._flights.clear()
        self.window.cut()
        if any(flight.count > self._carried for flight in flights):
            # A broker hangs up on messages that it finds too long.
            self._longest_run = max(self._carried, self._longest_run // 4)
        for tid in {flight.tid for flight in flights} & self._transfers.keys():
            item = self._transfers[tid]
            item.cut()
            self._order.update(item)

    def acknowledged(self, token: int, now: float) -> None:
        """The broker took a message. That frees the window and nothing else."""
        flight = self._flights.pop(token, None)
        if flight is None:
            return
        self.window.acknowledged(flight.mark, now)
        self._carried = max(self._carried, flight.count)
        item = self._transfers.get(flight.tid)
        if item is None:
            return
        if flight.piece is None:
            if item.manifest_way is Way.UNDER_WAY:
                item.manifest_way = Way.ACKNOWLEDGED
        else:
            flight.piece.acknowledge(flight.first, flight.count)
        self._asking.arrived_at_broker(item, now)
        self._order.update(item)

    def receive(self, payload: bytes, now: float) -> list[SenderEvent]:
        """Take a message of the other end; whatever it says, nothing is freed without a verified COMPLETE."""
        self.traffic.bytes_down += len(payload)
        try:
            message = read(payload)
        except Refused as refused:
            return [Ignored(refused.reason)]
        match message:
            case Have():
                return self._have(message, len(payload), now)
            case Complete():
                return self._complete(message, payload)
            case Nack():
                return self._nack(message)
            case Status():
                return self._status(message)
            case _:
                return [Ignored("not_for_sender")]

    def outgoing(self, now: float) -> list[Outgoing]:
        """Return what to publish now; every message counts as sent from here on."""
        if not self._connected:
            return []
        query = self._asking.query(now, self._transfers)
        out = [] if query is None else [self._out("a", write(query))]
        while self.window.room(urgent=True):
            chosen = self._choose(now)
            if chosen is None and self.window.room():
                self.window.starved()
            if chosen is None or not self._room(chosen):
                break
            message = self._send_next(chosen, now)
            if message is not None:
                out.append(message)
        return out

    def next_wake(self, now: float) -> float:
        """Return when `outgoing` should be called again if nothing happens before."""
        if not self._connected:
            return now + ASK_SLOWEST_S
        if self.window.room(urgent=True):
            chosen = self._choose(now)
            if chosen is not None and self._room(chosen):
                return now
        return self._asking.next(now)

    def lost(self) -> list[PeerRefused]:
        """Return, once, the bundles whose bytes the outbox could not give any more: each is refused there."""
        lost, self._lost = self._lost, []
        return lost

    # Taking up and choosing

    def _take_up(self, manifest: bytes, *, held: bool) -> None:
        if digest_of(manifest)[:TID_BYTES] in self._transfers:
            return
        item = transfer(manifest, self._taken_up, held=held)
        self._taken_up += 1
        self._transfers[item.tid] = item
        self._order.update(item)

    def _choose(self, now: float) -> Transfer | None:
        hearing = now - self._heard_at < QUERY_PATIENCE_S
        most_unsure = self._most_unsure() if self.bulk else 0
        tid = self._order.choose(now, most_unsure, hearing=hearing)
        return None if tid is None else self._transfers[tid]

    def _room(self, item: Transfer) -> bool:
        layer = item.ready()
        begins = layer is not None and layer <= PREVIEW
        return self.window.room(urgent=begins and item.manifest.priority == 0)

    def _most_unsure(self) -> int:
        return max(UNSURE_CHUNKS, 4 * self.window.size // CHUNK)

    # Sending

    def _send_next(self, item: Transfer, now: float) -> Outgoing | None:
        if item.manifest_way is Way.WAITING:
            item.manifest_way = Way.UNDER_WAY
            return self._fly("a", write(ManifestMessage(item.data)), now, item)
        piece = item.head()
        assert piece is not None, "a chosen transfer has a chunk waiting"
        first, count = run_of(piece, self._run(piece))
        size = sum(piece.entry.chunk_size(seq) for seq in range(first, first + count))
        data = self._outbox.read(item.tid, piece.entry.oid, first * CHUNK, size)
        if len(data) != size:
            self._give_up(item)
            return None
        self._count_chunks(piece, first, count)
        lane = "p" if piece.entry.layer <= PREVIEW else "b"
        if lane == "b":
            self._order.sent_bulk(now)
        payload = write(Chunk(item.tid, piece.entry.oid, first, data))
        return self._fly(lane, payload, now, item, piece, first, count)

    def _run(self, piece: Piece) -> int:
        """Return how many chunks one message may carry: previews go singly, so that each is soon there."""
        if piece.entry.layer <= PREVIEW:
            return 1
        fits = next(run for fastest, run in _RUNS if self.window.rate <= fastest)
        return min(fits, self._longest_run)

    def _give_up(self, item: Transfer) -> None:
        """Put a bundle aside whose bytes are gone, so that it holds up no other."""
        self._outbox.refuse(item.tid, UNREADABLE)
        self._close(item)
        self._lost.append(PeerRefused(item.manifest.id, item.tid, UNREADABLE))

    def _count_chunks(self, piece: Piece, first: int, count: int) -> None:
        self.traffic.chunks_sent += count
        self.traffic.chunks_repeated += sum(piece.sent[first : first + count])
        piece.sent[first : first + count] = b"\x01" * count
        piece.ways[first : first + count] = bytes([Way.UNDER_WAY]) * count

    def _out(self, lane: str, payload: bytes) -> Outgoing:
        self._token += 1
        self.traffic.bytes_up += len(payload)
        return Outgoing(lane, payload, 1, self._token)

    def _fly(
        self,
        lane: str,
        payload: bytes,
        now: float,
        item: Transfer,
        piece: Piece | None = None,
        first: int = 0,
        count: int = 0,
    ) -> Outgoing:
        """Send through the window."""
        out = self._out(lane, payload)
        item.bytes_up += len(payload)
        mark = self.window.sent(len(payload), now)
        self._flights[self._token] = _Flight(item.tid, piece, first, count, mark)
        self._order.update(item)
        return out

    # Receipts

    def _have(self, message: Have, size: int, now: float) -> list[SenderEvent]:
        item = self._transfers.get(message.tid)
        if item is None:
            return [Ignored("unknown_transfer")]
        asked = is_answer(item, message)
        if asked:
            self._heard_at = now
        if message.number != 0 and not asked and not message.known:
            return [Ignored("late_answer")]
        item.bytes_down += size
        before = item.confirmed()
        if message.known:
            item.answered(message.bitmaps, asked=asked)
        else:
            item.unknown()
        self._asking.answered(item, message, now)
        self._order.update(item)
        return [_progressed(item)] if item.confirmed() != before else []

    def _complete(self, message: Complete, payload: bytes) -> list[SenderEvent]:
        item = self._transfers.get(message.tid)
        if item is None:
            return [Ignored("unknown_transfer")]
        if (message.id, message.digest) != (item.manifest.id, item.manifest.digest):
            return [Ignored("other_content")]
        if not verified(message, self._peer_key):
            return [Ignored("bad_signature")]
        self._outbox.settle(item.tid, payload)
        self._close(item)
        return [Settled(item.manifest.id, item.tid, item.bytes_up, item.bytes_down + len(payload))]

    def _nack(self, message: Nack) -> list[SenderEvent]:
        item = self._transfers.get(message.tid)
        if item is None:
            return [Ignored("unknown_transfer")]
        if message.digest != item.manifest.digest:
            return [Ignored("other_content")]
        if not verified(message, self._peer_key):
            return [Ignored("bad_signature")]
        self._outbox.refuse(item.tid, message.reason)
        self._close(item)
        return [PeerRefused(item.manifest.id, item.tid, message.reason)]

    def _status(self, message: Status) -> list[SenderEvent]:
        if not verified(message, self._peer_key):
            return [Ignored("bad_signature")]
        if message.status == WANTED:
            self._want(message.id)
            return []
        return [StatusNews(message.id, message.status, message.at_ms)]

    def _want(self, ident: str) -> None:
        """Let the bulk of a bundle go before all other, for this process' life: a query is told it anew."""
        for item in self._transfers.values():
            if item.manifest.id == ident:
                item.wanted = True
                self._order.update(item)

    def _close(self, item: Transfer) -> None:
        del self._transfers[item.tid]
        self._order.remove(item.tid)
        self._asking.closed(item)


def _progressed(item: Transfer) -> Progressed:
    return Progressed(item.manifest.id, item.tid, item.confirmed(), item.manifest.chunks)
