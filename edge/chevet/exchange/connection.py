"""One connection to the broker: a paho client that lives from CONNECT to its first trouble.

paho sends again after a reconnect whatever it still holds; our Sender decides that itself, so every
connection gets a new client. Two rules keep paho's threads and ours apart: its callbacks only hand over, and
nothing of ours is locked around `publish` (its `on_publish` runs while it holds a lock that `publish` takes).
"""

import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from chevet.exchange.dial import ANYWHERE, Outlet, dial

CONNECT_TIMEOUT_S: Final = 4.0
HANDSHAKE_TIMEOUT_S: Final = 10.0
"""For TLS: 2.7 KB of certificates each way take seconds at 16 kbit/s, and a lost packet as long again."""
KEEPALIVE_S: Final = 15
_IN_FLIGHT: Final = 10_000  # the byte window is the limiter, never paho

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is and who we are.

    Attributes:
        client_id: must be stable for a relay worker that keeps a session.
        tls: context of TLS 1.3 with the box's certificate, or what makes one for each connection, so that a
            renewed certificate is used; None for a plain connection.
        protocol: "5", "3.1.1", or "auto": 5 first and 3.1.1 where the broker hangs up on it.
        session_expiry_s: 0 for a clean start; else the broker keeps the session that long.
        outlet: by which interface or from which address of this machine it is reached.
    """

    host: str
    port: int = 1883
    client_id: str = ""
    username: str = ""
    password: str = ""
    tls: ssl.SSLContext | Callable[[], ssl.SSLContext] | None = None
    protocol: str = "auto"
    session_expiry_s: int = 0
    outlet: Outlet = ANYWHERE


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What one connection hands over; all are called on paho's thread and must not block."""

    up: Callable[[], None]
    acknowledged: Callable[[int], None]
    message: Callable[[str, bytes, int, int], None]  # topic, payload, mid, qos
    ended: Callable[[str], None]


class Connection:
    """A paho client with its thread, from `open` to `close`."""

    def __init__(
        self,
        address: BrokerAddress,
        version: MQTTProtocolVersion,
        subscriptions: Sequence[tuple[str, int]],
        will: tuple[str, bytes] | None,
        callbacks: Callbacks,
        *,
        manual_ack: bool,
        at_once: bool = False,
    ) -> None:
        self._at_once = at_once
        self._address = address
        self._version = version
        self._subscriptions = list(subscriptions)
        self._callbacks = callbacks
        self._over = threading.Event()
        self._client = _client(address, version, manual_ack=manual_ack)
        self._will = will
        if will is not None:
            self._client.will_set(will[0], will[1], qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._client.on_disconnect = self._on_disconnect

    def open(self) -> None:
        """Connect and start paho's thread; blocks for at most its two timeouts.

        Raises:
            OSError: nobody listens there, or TLS failed, or its files cannot be read.
        """
        tls = self._address.tls
        if tls is not None:
            context = tls if isinstance(tls, ssl.SSLContext) else tls()
            context.sslsocket_class = _PatientSocket
            self._client.tls_set_context(context)
        keeps = self._address.session_expiry_s > 0
        if self._version is MQTTProtocolVersion.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = self._address.session_expiry_s
            properties.ReceiveMaximum = 64
            self._client.connect(
                self._address.host,
                self._address.port,
                KEEPALIVE_S,
                clean_start=not keeps,
                properties=properties,
            )
        else:
            self._client.connect(self._address.host, self._address.port, KEEPALIVE_S)
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool, expiry_s: int) -> int:
        """Give a message to paho; return its id, by which `acknowledged` will name it."""
        properties = None
        if expiry_s and self._version is MQTTProtocolVersion.MQTTv5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = expiry_s
        return self._client.publish(topic, payload, qos, retain, properties).mid

    def acknowledge(self, mid: int, qos: int) -> None:
        """Tell the broker that a message has been dealt with."""
        self._client.ack(mid, qos)

    def cut(self) -> None:
        """Break the connection off: the other end has not answered for too long."""
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                logger.debug("the socket was gone already")

    def close(self) -> None:
        """Say goodbye where that is still possible and end the thread; blocks for a moment.

        The broker drops the will of a client that leaves in order, so it is said here in its place.
        """
        self._over.set()
        if self._will is not None and self._client.is_connected():
            self._client.publish(self._will[0], self._will[1], qos=0, retain=True)
        self._client.disconnect()
        self._client.loop_stop()

    # paho's thread

    def _on_connect(
        self,
        client: Client,
        _data: Any,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Any,
    ) -> None:
        if reason.is_failure:
            self._end(str(reason))
            return
        if self._subscriptions:
            client.subscribe(self._subscriptions)
        if self._at_once or not self._subscriptions:
            self._callbacks.up()

    def _on_subscribe(
        self,
        _client: Client,
        _data: Any,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Any,
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._end("subscription refused")
        else:
            self._callbacks.up()

    def _on_publish(
        self, _client: Client, _data: Any, mid: int, reason: ReasonCode, _properties: Any
    ) -> None:
        if reason.is_failure:
            logger.warning("the broker refused a message: %s", reason)
        self._callbacks.acknowledged(mid)

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self._callbacks.message(message.topic, bytes(message.payload), message.mid, message.qos)

    def _on_disconnect(
        self,
        _client: Client,
        _data: Any,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Any,
    ) -> None:
        self._end(str(reason))

    def _end(self, reason: str) -> None:
        if not self._over.is_set():
            self._over.set()
            self._callbacks.ended(reason)


class _Client(Client):
    """A client that leaves the machine where it is told to; paho itself can only name a source address."""

    outlet = ANYWHERE

    def _create_socket_connection(self) -> socket.socket:
        return dial(self.host, self.port, self.outlet, self.connect_timeout)


def _client(address: BrokerAddress, version: MQTTProtocolVersion, *, manual_ack: bool) -> Client:
    keeps = address.session_expiry_s > 0
    client = _Client(
        CallbackAPIVersion.VERSION2,
        client_id=address.client_id,
        clean_session=None if version is MQTTProtocolVersion.MQTTv5 else not keeps,
        protocol=version,
        reconnect_on_failure=False,
        manual_ack=manual_ack,
    )
    client.connect_timeout = CONNECT_TIMEOUT_S
    client.outlet = address.outlet
    client.on_socket_open = _prepare_socket
    client.max_inflight_messages_set(_IN_FLIGHT)
    client.max_queued_messages_set(0)
    if address.username:
        client.username_pw_set(address.username, address.password or None)
    return client


class _PatientSocket(ssl.SSLSocket):
    """Gives the TLS handshake a time of its own, where paho would give it that of the TCP connection.

    paho forgets the socket of a handshake that failed, so that closes itself.
    """

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands, within the time for it.

        Raises:
            OSError: nobody answered in time, or the other end is not who it should be.
        """
        self.settimeout(HANDSHAKE_TIMEOUT_S)
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _prepare_socket(_client: Client, _data: Any, sock: Any) -> None:
    """Switch Nagle's rule off, and take CUBIC (RFC 9438) whatever the machine's own choice is.

    With Nagle's rule the end of each chunk would wait a round trip for its beginning to arrive. BBR, which
    some systems choose, paces what is sent and repeats lost packets later (docs/delivery.md has figures).
    """
    if not isinstance(sock, socket.socket):
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with contextlib.suppress(OSError, AttributeError):  # not allowed to this user; not Linux
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")
