"""What a client may say, by the name in its certificate. No I/O.

A box writes below its own `u` and reads below its own `d`; the relay reads and writes all of the exchange's
topics. Who goes beyond is cut off: a box that keeps to the exchange never does.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from chevet.exchange.tls import RELAY_NAMES
from chevet.exchange.topics import PREFIX
from chevet.relay.gate.packets import (
    AUTH,
    CONNECT,
    PUBLISH,
    SUBSCRIBE,
    Connect,
    Malformed,
    kind,
    publish_topic,
    read_connect,
    subscribe_filters,
    write_connect,
)

BOX_ID = "edge-"


class NotAllowed(Exception):  # noqa: N818 - named for what it says
    """The client asked for what is not its own; the connection ends."""


@dataclass(slots=True)
class Rights:
    """The rights of one connection.

    Attributes:
        name: CN of the client's certificate.
        credentials: by which the broker behind knows that a packet came through here.
    """

    name: str
    credentials: tuple[str, bytes]
    _connect: Connect | None = field(default=None, init=False)

    def judge(self, packet: bytes) -> bytes:
        """Return the packet as it goes on to the broker.

        Raises:
            NotAllowed: it is beyond this client's rights.
            Malformed: it is no MQTT, or out of turn.
        """
        number = kind(packet)
        if (number == CONNECT) != (self._connect is None) or number == AUTH:
            raise Malformed("out of turn")
        if self._connect is None:
            return self._introduce(packet)
        if number == PUBLISH:
            self._all((publish_topic(packet, self._connect.level),), self._may_write)
        elif number == SUBSCRIBE:
            self._all(subscribe_filters(packet, self._connect.level), self._may_read)
        return packet

    def _introduce(self, packet: bytes) -> bytes:
        self._connect = said = read_connect(packet)
        if said.will is not None:
            self._all((said.will,), self._may_write)
        # One client may not take another's name at the broker, or it would end the other's connection.
        own = f"{BOX_ID}{self.name}"
        client_id = said.client_id if self._is_relay and not said.client_id.startswith(BOX_ID) else own
        return write_connect(said, client_id, *self.credentials)

    @property
    def _is_relay(self) -> bool:
        return self.name in RELAY_NAMES

    def _may_write(self, topic: str) -> bool:
        return topic.startswith(f"{PREFIX}/" if self._is_relay else f"{PREFIX}/{self.name}/u/")

    def _may_read(self, topic: str) -> bool:
        if topic.startswith("$share/"):
            topic = topic.split("/", 2)[-1]
        return topic.startswith(f"{PREFIX}/" if self._is_relay else f"{PREFIX}/{self.name}/d/")

    def _all(self, topics: "list[str] | tuple[str, ...]", may: Callable[[str], bool]) -> None:
        if not all(may(topic) for topic in topics):
            raise NotAllowed("a topic that is not its own")
