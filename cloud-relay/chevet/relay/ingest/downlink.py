"""Opinions and messages on their way down: one Sender a site, all on one archive.

Other processes put bundles into the archive too, and other workers may settle them, so what waits is read
again and again instead of being remembered.
"""

import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from chevet.exchange.events import Outgoing, SenderEvent
from chevet.exchange.keys import signing_public
from chevet.exchange.sender import Sender
from chevet.exchange.topics import down
from chevet.relay.archive.outbox import ArchiveOutbox, pending_down
from chevet.relay.archive.schema import cases, receipts
from chevet.relay.archive.sites import Site
from chevet.relay.errors import ArchiveError
from chevet.relay.relay import Relay

log = logging.getLogger(__name__)

STATUSES = ("opened", "answered")


@dataclass(frozen=True, slots=True)
class Publish:
    """One message for the broker. `token` is the sender's, 0 where nobody waits for its acknowledgement."""

    site: str
    topic: str
    payload: bytes
    qos: int = 1
    token: int = 0


class Downlink:
    """Every site's Sender; not thread-safe, its host calls it from one thread."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._senders: dict[str, Sender] = {}
        self._waiting: dict[str, frozenset[bytes]] = {}
        self._connected = False
        self._told = self._last_receipt()

    def connected(self, now: float) -> None:
        """The broker is there."""
        self._connected = True
        for sender in self._senders.values():
            sender.connected(now)

    def disconnected(self, now: float) -> None:
        """The broker went away."""
        self._connected = False
        for sender in self._senders.values():
            sender.disconnected(now)

    def present(self, site: str, now: float) -> None:
        """A site shows that it is there: what it may have missed is asked about at once."""
        if self._connected and self._waiting.get(site):
            self._senders[site].connected(now)

    def acknowledged(self, site: str, token: int, now: float) -> None:
        """The broker took one message."""
        if site in self._senders:
            self._senders[site].acknowledged(token, now)

    def receive(self, site: str, payload: bytes, now: float) -> list[SenderEvent]:
        """Take what a site says about bundles on their way to it."""
        return self._senders[site].receive(payload, now) if site in self._senders else []

    def outgoing(self, now: float) -> list[Publish]:
        """Return what to publish now: news about cases, then bundles."""
        self._refresh(now)
        if not self._connected:
            return []
        return [*self._news(), *self._bundles(now)]

    def _bundles(self, now: float) -> Iterator[Publish]:
        for site, sender in self._senders.items():
            for item in sender.outgoing(now):
                yield _publish(site, item)
            for lost in sender.lost():
                log.error("%s: %s cannot be read from the archive; it was put aside", site, lost.id)

    def statuses(self, site: str, ids: tuple[str, ...]) -> list[Publish]:
        """Return what a site still waits to hear about its cases."""
        query = (
            select(receipts.c.payload)
            .join(cases, cases.c.id == receipts.c.bundle_id)
            .where(receipts.c.bundle_id.in_(ids), receipts.c.kind.in_(STATUSES), cases.c.site == site)
            .order_by(receipts.c.number)
        )
        with self._relay.database.read() as connection:
            found = connection.execute(query).scalars().all()
        return [Publish(site, down(site, "r"), bytes(payload)) for payload in found]

    def _refresh(self, now: float) -> None:
        for site in self._relay.sites.list():
            if site.code not in self._senders and not site.revoked:
                self._new_sender(site, now)
        with self._relay.database.read() as connection:
            pending = pending_down(connection)
        for code, manifests in pending.items():
            for tid in manifests.keys() - self._waiting.get(code, frozenset()):
                if code in self._senders:
                    self._senders[code].add(manifests[tid])
        self._drop_foreign(pending, now)

    def _drop_foreign(self, pending: dict[str, dict[bytes, bytes]], now: float) -> None:
        """Begin anew with a site whose receipt another worker took: nothing of it is sent again."""
        for code in list(self._senders):
            waiting = frozenset(pending.get(code, {}))
            if any(self._senders[code].progress(tid) for tid in self._waiting[code] - waiting):
                known = self._relay.sites.get(code)
                if known is not None:
                    self._new_sender(known, now)
            self._waiting[code] = waiting

    def _new_sender(self, site: Site, now: float) -> None:
        sender = Sender(
            _Readable(self._relay.outbox(site.code)),
            peer_key=signing_public(site.verify_key),
            number_from=secrets.randbelow(1 << 16),
        )
        self._senders[site.code] = sender
        self._waiting.setdefault(site.code, frozenset())
        if self._connected:
            sender.connected(now)

    def _news(self) -> Iterator[Publish]:
        query = (
            select(receipts.c.number, receipts.c.payload, cases.c.site)
            .join(cases, cases.c.id == receipts.c.bundle_id)
            .where(receipts.c.number > self._told, receipts.c.kind.in_(STATUSES))
            .order_by(receipts.c.number)
        )
        with self._relay.database.read() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            self._told = row.number
            yield Publish(row.site, down(row.site, "r"), bytes(row.payload))

    def _last_receipt(self) -> int:
        with self._relay.database.read() as connection:
            newest = select(receipts.c.number).order_by(receipts.c.number.desc()).limit(1)
            return connection.execute(newest).scalar() or 0


class _Readable:
    """A site's outbox of which one damaged object does not hold up all the rest."""

    def __init__(self, outbox: ArchiveOutbox) -> None:
        self.pending, self.settle, self.refuse = outbox.pending, outbox.settle, outbox.refuse
        self._read = outbox.read

    def read(self, tid: bytes, oid: int, start: int, size: int) -> bytes:
        """Return bytes of an object, none where the archive has lost it."""
        try:
            return self._read(tid, oid, start, size)
        except ArchiveError as error:
            log.error("%s", error)
            return b""


def _publish(site: str, item: Outgoing) -> Publish:
    return Publish(site, down(site, "q"), item.payload, item.qos, item.token)
