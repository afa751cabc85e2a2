"""Opinions and messages on their way down: one Sender a site, all on one archive.

Other processes put bundles into the archive too, and other workers may settle them, so what waits is read
again and again instead of being remembered. Of several workers one sends, by a lease in the archive; what a
site says may reach any of them, and those that do not send pass it on.
"""

import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from chevet.exchange.events import Outgoing, SenderEvent
from chevet.exchange.keys import signing_public
from chevet.exchange.messages import WANTED, Have, read
from chevet.exchange.sender import Sender
from chevet.exchange.topics import down
from chevet.relay.archive.outbox import ArchiveOutbox, pending_down
from chevet.relay.archive.schema import cases, receipts, sites
from chevet.relay.archive.sites import Site
from chevet.relay.errors import ArchiveError, RelayError
from chevet.relay.relay import Relay

log = logging.getLogger(__name__)

STATUSES = ("opened", "answered")
RENEW_S = 5.0
TRY_S = 2.0
"""How often the lease is renewed by who holds it, and tried for by the others."""


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
        self._lease = relay.lease(f"{relay.settings.worker[:60]}-{secrets.token_hex(8)}")
        self._senders: dict[str, Sender] = {}
        self._keys: dict[str, bytes] = {}
        self._waiting: dict[str, frozenset[bytes]] = {}
        self._connected = self._leads = False
        self._lease_at = 0.0
        self._told = self._last_receipt()

    @property
    def leads(self) -> bool:
        """Whether this worker is the one that sends."""
        return self._leads

    def connected(self, now: float) -> None:
        """The broker is there."""
        self._connected, self._lease_at = True, now

    def disconnected(self, now: float) -> None:
        """The broker went away: another worker may reach it."""
        self._connected = False
        led, self._leads = self._leads, False
        for sender in self._senders.values():
            sender.disconnected(now)
        if led:
            try:
                self._lease.give_back(self._told)
            except RelayError as error:
                log.warning("the right to send down stays here until it ends: %s", error)

    def present(self, site: str, now: float) -> None:
        """A site shows that it is there: what it may have missed is asked about at once."""
        if not self._waiting.get(site):
            return
        if self._leads:
            self._senders[site].connected(now)
        else:
            self._lease.pass_on(site, b"")

    def acknowledged(self, site: str, token: int, now: float) -> None:
        """The broker took one message."""
        if site in self._senders:
            self._senders[site].acknowledged(token, now)

    def receive(self, site: str, payload: bytes, now: float) -> list[SenderEvent]:
        """Take what a site says about bundles on their way to it."""
        if site not in self._senders:
            return []
        if not self._leads and self._waiting.get(site) and isinstance(read(payload), Have):
            self._lease.pass_on(site, payload)
        return self._senders[site].receive(payload, now)

    def outgoing(self, now: float) -> list[Publish]:
        """Return what to publish now: news about cases, then bundles."""
        self._lead(now)
        self._refresh(now)
        if not self._leads:
            return []
        self._hear(now)
        return [*self._news(), *self._bundles(now)]

    def _lead(self, now: float) -> None:
        """Take, renew or lose the right to send."""
        if not self._connected or now < self._lease_at:
            return
        told = self._lease.take(self._told)
        led, self._leads = self._leads, told is not None
        self._lease_at = now + (RENEW_S if self._leads else TRY_S)
        if told is not None:
            self._told = told
        if self._leads and not led:
            # What another sent is not known here: all that waits is asked about before it is sent.
            self._senders.clear()
            self._waiting.clear()
        elif led and not self._leads:
            for sender in self._senders.values():
                sender.disconnected(now)

    def _hear(self, now: float) -> None:
        """Take what sites said to other workers."""
        for site, payload in self._lease.collect():
            if not payload:
                self.present(site, now)
            elif site in self._senders:
                self._senders[site].receive(payload, now)

    def _bundles(self, now: float) -> Iterator[Publish]:
        for site, sender in self._senders.items():
            for item in sender.outgoing(now):
                yield _publish(site, item)
            for lost in sender.lost():
                log.error("%s: %s cannot be read from the archive; it was put aside", site, lost.id)

    def statuses(self, site: str, ids: tuple[str, ...], kinds: tuple[str, ...] = STATUSES) -> list[Publish]:
        """Return what a site still waits to hear about its cases, of these kinds."""
        query = (
            select(receipts.c.payload)
            .join(cases, cases.c.id == receipts.c.bundle_id)
            .where(receipts.c.bundle_id.in_(ids), receipts.c.kind.in_(kinds), cases.c.site == site)
            .order_by(receipts.c.number)
        )
        with self._relay.database.read() as connection:
            found = connection.execute(query).scalars().all()
        return [Publish(site, down(site, "r"), bytes(payload)) for payload in found]

    def _refresh(self, now: float) -> None:
        known = {site.code: site for site in self._relay.sites.list() if not site.revoked}
        for code in list(self._senders):
            if code not in known or known[code].verify_key != self._keys[code]:
                del self._senders[code], self._keys[code]
                self._waiting.pop(code, None)
        for code, site in known.items():
            if code not in self._senders:
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
        self._senders[site.code], self._keys[site.code] = sender, site.verify_key
        self._waiting.setdefault(site.code, frozenset())
        if self._leads:
            sender.connected(now)

    def _news(self) -> Iterator[Publish]:
        query = (
            select(receipts.c.number, receipts.c.payload, cases.c.site)
            .join(cases, cases.c.id == receipts.c.bundle_id)
            .join(sites, sites.c.code == cases.c.site)
            .where(receipts.c.number > self._told, receipts.c.kind.in_((*STATUSES, WANTED)))
            .where(sites.c.revoked_ms.is_(None))
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
