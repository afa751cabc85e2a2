"""The sending end: what goes out next, and when a bundle may be freed. No I/O, no clock.

Nothing but a COMPLETE with the right digest, signed by the other end, settles a bundle. The broker's
acknowledgements only move the byte window. What was under way when a connection ended, or when the process
did, is asked about before it is sent again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

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
from chevet.exchange.manifest import CHUNK
from chevet.exchange.messages import (
    MAX_QUERY,
    Chunk,
    Complete,
    Have,
    ManifestMessage,
    Nack,
    Query,
    Status,
    read,
    verified,
    write,
)
from chevet.exchange.storage import Outbox
from chevet.exchange.transfer import Piece, Transfer, Way, run_of, transfer
from chevet.exchange.window import Window

ASK_AFTER_S: Final = 10.0
"""Silence after the last acknowledgement before the other end is asked what it has."""
ASK_SLOWEST_S: Final = 60.0
QUERY_PATIENCE_S: Final = 5.0
WATCH_EVERY_S: Final = 300.0
UNSURE_CHUNKS: Final = 64
"""Bulk stops when that many chunks are at the broker and the other end has confirmed none of them."""
OLDEST_EVERY: Final = 8
"""One chunk in so many goes to the oldest bundle, so that nothing starves."""
_FAST_LINK: Final = 64 << 10


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
    size: int
    at: float


class Sender:
    """Moves the outbox's bundles through a window of bytes, in order of what a reader needs first."""

    def __init__(self, outbox: Outbox, *, peer_key: Ed25519PublicKey, longest_run: int = 4) -> None:
        """Take up what the outbox has pending.

        Args:
            outbox: where the bundles are.
            peer_key: the other end's key; receipts must bear its signature.
            longest_run: chunks in one message once the link is fast; 4 fit the embedded broker's 20 KiB.
        """
        self.traffic = Traffic()
        self.window = Window()
        self._outbox = outbox
        self._peer_key = peer_key
        self._longest_run = longest_run
        self._transfers: dict[bytes, Transfer] = {}
        self._flights: dict[int, _Flight] = {}
        self._watch: tuple[str, ...] = ()
        self._watch_at: float | None = None
        self._connected = False
        self._order = self._token = self._number = self._bulk_turn = 0
        self._query_until = 0.0
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
        self._watch = tuple(idents)[:MAX_QUERY]

    def progress(self, tid: bytes) -> Progressed | None:
        """Return how far a bundle is, or None when it is not under way."""
        found = self._transfers.get(tid)
        return None if found is None else _progressed(found)

    def connected(self, now: float) -> None:
        """The line is open: ask about everything that may have been sent before."""
        self._connected = True
        self._query_until = 0.0
        self._watch_at = now
        for item in self._transfers.values():
            if item.started():
                item.ask_at = now
                item.asks = 0

    def disconnected(self, now: float) -> None:
        """The line is gone, and with it every acknowledgement still to come."""
        self._connected = False
        self._flights.clear()
        self.window.cut(now)
        for item in self._transfers.values():
            item.cut()

    def acknowledged(self, token: int, now: float) -> None:
        """The broker took a message. That frees the window and nothing else."""
        flight = self._flights.pop(token, None)
        if flight is None:
            return
        self.window.acknowledged(flight.size, flight.at, now)
        item = self._transfers.get(flight.tid)
        if item is None:
            return
        if flight.piece is None:
            if item.manifest_way is Way.UNDER_WAY:
                item.manifest_way = Way.ACKNOWLEDGED
        else:
            for seq in range(flight.first, flight.first + flight.count):
                if flight.piece.ways[seq] == Way.UNDER_WAY:
                    flight.piece.ways[seq] = Way.ACKNOWLEDGED
        self._schedule(item, now)

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
        out = self._questions(now)
        while self.window.room():
            chosen = self._choose()
            if chosen is None:
                break
            out.append(self._send_next(chosen, now))
        return out

    def next_wake(self, now: float) -> float:
        """Return when `outgoing` should be called again if nothing happens before."""
        if not self._connected:
            return now + ASK_SLOWEST_S
        if self.window.room() and self._choose() is not None:
            return now
        due = [item.ask_at for item in self._transfers.values() if item.ask_at is not None]
        if self._watch_at is not None:
            due.append(self._watch_at)
        return max(min(due, default=now + ASK_SLOWEST_S), self._query_until, now)

    # Taking up and choosing

    def _take_up(self, manifest: bytes, *, held: bool) -> None:
        item = transfer(manifest, self._order, held=held)
        if self._transfers.setdefault(item.tid, item) is item:
            self._order += 1

    def _choose(self) -> Transfer | None:
        """Return the transfer to serve next.

        Order: control and previews of every bundle, urgent ones first; then layer by layer; by age within
        these. Every eighth bulk chunk goes to the oldest whatever its layer.
        """
        ready = [(item, layer) for item in self._transfers.values() if (layer := item.ready()) is not None]
        if not ready:
            return None
        item, layer = min(ready, key=lambda pair: (max(pair[1], 1), pair[0].manifest.priority, pair[0].order))
        if layer <= 1:
            return item
        if sum(other.unsure() for other in self._transfers.values()) >= self._most_unsure():
            return None
        if self._bulk_turn % OLDEST_EVERY == OLDEST_EVERY - 1:
            return min(ready, key=lambda pair: pair[0].order)[0]
        return item

    def _most_unsure(self) -> int:
        return max(UNSURE_CHUNKS, 4 * self.window.size // CHUNK)

    # Sending

    def _send_next(self, item: Transfer, now: float) -> Outgoing:
        if item.manifest_way is Way.WAITING:
            item.manifest_way = Way.UNDER_WAY
            return self._out("a", write(ManifestMessage(item.data)), now, item)
        piece = item.head()
        assert piece is not None, "a chosen transfer has a chunk waiting"
        first, count = run_of(piece, self._longest_run if self.window.size >= _FAST_LINK else 1)
        size = sum(piece.entry.chunk_size(seq) for seq in range(first, first + count))
        data = self._outbox.read(item.tid, piece.entry.oid, first * CHUNK, size)
        self._count_chunks(piece, first, count)
        lane = "p" if piece.entry.layer <= 1 else "b"
        self._bulk_turn += lane == "b"
        payload = write(Chunk(item.tid, piece.entry.oid, first, data))
        return self._out(lane, payload, now, item, piece, first, count)

    def _count_chunks(self, piece: Piece, first: int, count: int) -> None:
        self.traffic.chunks_sent += count
        self.traffic.chunks_repeated += sum(piece.sent[first : first + count])
        piece.sent[first : first + count] = b"\x01" * count
        piece.ways[first : first + count] = bytes([Way.UNDER_WAY]) * count

    def _out(
        self,
        lane: str,
        payload: bytes,
        now: float,
        item: Transfer | None = None,
        piece: Piece | None = None,
        first: int = 0,
        count: int = 0,
    ) -> Outgoing:
        self._token += 1
        self.traffic.bytes_up += len(payload)
        if item is not None:
            item.bytes_up += len(payload)
            self.window.sent(len(payload))
            self._flights[self._token] = _Flight(item.tid, piece, first, count, len(payload), now)
        return Outgoing(lane, payload, 1, self._token)

    # Asking

    def _questions(self, now: float) -> list[Outgoing]:
        """Return the next query when one is due and the one before was answered, or has waited enough."""
        due = [item for item in self._transfers.values() if item.ask_at is not None and item.ask_at <= now]
        watching = self._watch_at is not None and self._watch_at <= now
        if now < self._query_until or not (due or watching):
            return []
        due.sort(key=lambda item: (item.manifest.priority, item.order))
        self._number += 1
        for item in due[:MAX_QUERY]:
            item.asked()
            item.question = self._number
            item.asks += 1
            item.ask_at = now + _patience(item.asks)
        watch = self._watch if watching else ()
        self._watch_at = (
            now + WATCH_EVERY_S if watching and self._watch else None if watching else self._watch_at
        )
        self._query_until = now + QUERY_PATIENCE_S if due else 0.0
        return [
            self._out(
                "a", write(Query(self._number, tuple(item.tid for item in due[:MAX_QUERY]), watch)), now
            )
        ]

    def _schedule(self, item: Transfer, now: float) -> None:
        item.ask_at = now + _patience(item.asks) if item.to_settle() else None

    # Receipts

    def _have(self, message: Have, size: int, now: float) -> list[SenderEvent]:
        item = self._transfers.get(message.tid)
        if item is None:
            return [Ignored("unknown_transfer")]
        asked = message.number != 0 and message.number == item.question
        if message.number != 0 and not asked:
            return [Ignored("late_answer")]
        item.bytes_down += size
        item.asks = 0
        before = item.confirmed()
        if message.known:
            item.answered(message.bitmaps, asked=asked)
        else:
            item.unknown()
        if asked:
            item.question = 0
            self._query_until = 0.0
        self._schedule(item, now)
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
        return [StatusNews(message.id, message.status, message.at_ms)]

    def _close(self, item: Transfer) -> None:
        del self._transfers[item.tid]
        if item.question == self._number:
            self._query_until = 0.0


def _patience(asks: int) -> float:
    return min(ASK_AFTER_S * (1 << min(max(asks - 1, 0), 8)), ASK_SLOWEST_S)


def _progressed(item: Transfer) -> Progressed:
    return Progressed(item.manifest.id, item.tid, item.confirmed(), item.manifest.chunks)
