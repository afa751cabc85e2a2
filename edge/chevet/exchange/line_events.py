"""What the line tells its reader."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker accepted us and all subscriptions.

    Attributes:
        route: name of the route that is used, "" where there is but one.
        bulk: whether it may carry bulk.
    """

    route: str = ""
    bulk: bool = True


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection ended; no acknowledgement of it will come any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The broker has the message that `publish` gave this token to."""

    token: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message came in. With manual acknowledgement, give it to `acknowledge` once it is dealt with."""

    topic: str
    payload: bytes
    qos: int
    token: int


LineEvent = Connected | Disconnected | Acknowledged | Message
