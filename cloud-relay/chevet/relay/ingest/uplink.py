"""What comes up: each message goes to the Receiver, or to the Sender whose bundle it speaks of."""

import logging

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from chevet.exchange.errors import Refused
from chevet.exchange.events import (
    Announced,
    Answer,
    Completed,
    ObjectStored,
    PeerRefused,
    Rejected,
    Reply,
    SenderEvent,
    Settled,
    StatusAsked,
)
from chevet.exchange.keys import signing_public
from chevet.exchange.messages import WANTED, ManifestMessage, for_sender, read
from chevet.exchange.receiver import Receiver
from chevet.exchange.topics import down, parse
from chevet.relay.ingest.downlink import Downlink, Publish
from chevet.relay.relay import Relay

log = logging.getLogger(__name__)

UP, BUNDLE_LANES = "u", ("a", "p", "b")


class Uplink:
    """Takes messages of every site; not thread-safe, its host calls it from one thread."""

    def __init__(self, relay: Relay, downlink: Downlink) -> None:
        self._relay = relay
        self._downlink = downlink
        self._receiver = Receiver(relay.inbox, signer=relay.keys.relay, origin_key=self._key)

    def take(self, topic: str, payload: bytes, now: float) -> list[Publish]:
        """Store one message; return what to answer. Afterwards it may be acknowledged to the broker.

        Raises:
            DiskFullError: it was not stored: take it again later.
        """
        with self._relay.meters.stored.time():
            return self._taken(topic, payload, now)

    def _taken(self, topic: str, payload: bytes, now: float) -> list[Publish]:
        try:
            site, way, lane = parse(topic)
        except Refused:
            log.warning("a message came on a topic that is none of ours")
            return []
        if way != UP or lane not in BUNDLE_LANES:
            return []
        if self._key(site) is None and not _introduces(payload):
            return []  # a stranger's manifest is answered and kept as a dead letter; its chunks are not
        if for_sender(payload):
            for event in self._downlink.receive(site, payload, now):
                _log_down(site, event)
            return []
        return [
            item
            for answer in self._receiver.receive(site, payload, now)
            for item in self._follow(answer, now)
        ]

    def _follow(self, answer: Answer, now: float) -> list[Publish]:
        match answer:
            case Reply(origin, payload):
                return [Publish(origin, down(origin, "r"), payload)]
            case StatusAsked(origin, ids, arriving):
                self._downlink.present(origin, now)
                told = self._downlink.statuses(origin, ids) if ids else []
                return told + (self._downlink.statuses(origin, arriving, (WANTED,)) if arriving else [])
            case _:
                _log_up(answer)
                return []

    def _key(self, site: str) -> Ed25519PublicKey | None:
        known = self._relay.sites.get(site)
        return None if known is None or known.revoked else signing_public(known.verify_key)


def _introduces(payload: bytes) -> bool:
    try:
        return isinstance(read(payload), ManifestMessage)
    except Refused:
        return False


def _log_up(event: Answer) -> None:
    match event:
        case Announced(origin, manifest):
            log.info("%s: %s %s announced, %d chunks", origin, manifest.kind, manifest.id, manifest.chunks)
        case ObjectStored(origin, manifest, oid, layer):
            log.debug("%s: object %d of layer %d of %s is here", origin, oid, layer, manifest.id)
        case Completed(origin, manifest):
            log.info("%s: %s %s is here whole", origin, manifest.kind, manifest.id)
        case Rejected(origin, ident, reason):
            log.warning("%s: refused %s: %s", origin, ident or "a message", reason)
        case _:
            log.debug("%s", type(event).__name__)


def _log_down(site: str, event: SenderEvent) -> None:
    match event:
        case Settled(ident, _, _, _):
            log.info("%s: %s arrived at the site", site, ident)
        case PeerRefused(ident, _, reason):
            log.warning("%s: the site refused %s: %s", site, ident, reason)
        case _:
            log.debug("%s: %s", site, type(event).__name__)
