"""What Sender and Receiver ask of their host, and what they tell it."""

from dataclasses import dataclass

from chevet.exchange.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to publish; give its token back when the broker has acknowledged it.

    `lane` is "a" (control), "p" (summary and preview) or "b" (bulk).
    """

    lane: str
    payload: bytes
    qos: int
    token: int


@dataclass(frozen=True, slots=True)
class Settled:
    """The other end holds the bundle durably; the outbox knows."""

    id: str
    tid: bytes
    bytes_up: int
    bytes_down: int


@dataclass(frozen=True, slots=True)
class PeerRefused:
    """The other end will not take the bundle; it stays in the outbox with the reason."""

    id: str
    tid: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Progressed:
    """The other end has `confirmed` of `chunks` chunks."""

    id: str
    tid: bytes
    confirmed: int
    chunks: int


@dataclass(frozen=True, slots=True)
class StatusNews:
    """Somebody "opened" or "answered" the bundle, at the other end's wall clock."""

    id: str
    status: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message that changes nothing, with a coded reason; worth counting, not worth stopping for."""

    reason: str


SenderEvent = Settled | PeerRefused | Progressed | StatusNews | Ignored


@dataclass(frozen=True, slots=True)
class Reply:
    """A message back to the origin (topic lane "r" at the relay, "a" at the edge)."""

    origin: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Announced:
    """A verified manifest came for the first time."""

    origin: str
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class ObjectStored:
    """One object is whole and its hash right: it can be opened and shown now."""

    origin: str
    manifest: Manifest
    oid: int
    layer: int


@dataclass(frozen=True, slots=True)
class Completed:
    """The whole bundle is durably stored; said once per bundle."""

    origin: str
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message or a bundle was refused and kept as a dead letter with this coded reason."""

    origin: str
    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class StatusAsked:
    """The origin still waits to hear whether these bundles were opened or answered.

    Said for every query, with no ids where it waits for nothing: the origin is there. `arriving` are bundles
    of which something is still to come.
    """

    origin: str
    ids: tuple[str, ...]
    arriving: tuple[str, ...] = ()


ReceiverEvent = Announced | ObjectStored | Completed | Rejected | StatusAsked
Answer = Reply | ReceiverEvent
