"""The line: MQTT for asyncio, made for links that die silently.

One task runs `run`; anyone on the loop publishes; one reader takes `events`. The numbers are measured
(delivery reference 3.3): keepalive alone notices a dead link after up to a minute, the watchdog after 12 s.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from paho.mqtt.enums import MQTTProtocolVersion

from chevet.exchange.connection import BrokerAddress, Callbacks, Connection

WATCHDOG_S: Final = 11.5
"""A dead link is to be told within 13 s, looking and giving up included."""
ANSWER_S: Final = 6.0
"""For the broker to accept us and our subscriptions: two round trips, and one more behind a lost packet."""
WATCHDOG_ROUNDS: Final = 3.0
"""The watchdog waits for that many usual acknowledgement times where a link is so slow that it is more."""
WATCHDOG_LONGEST_S: Final = 45.0
_SMOOTHING: Final = 1 / 8  # of the usual time, as in RFC 6298
RECONNECT_S: Final = (0.5, 2.0)
_TICK_S: Final = 0.25
_VERSIONS: Final = {
    "5": (MQTTProtocolVersion.MQTTv5,),
    "3.1.1": (MQTTProtocolVersion.MQTTv311,),
    "auto": (MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311),
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker accepted us and all subscriptions."""


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


class Fate(Enum):
    """What became of one attempt to connect."""

    UNREACHED = 1
    TURNED_AWAY = 2
    LIVED = 3


@dataclass(slots=True)
class LineTraffic:
    """MQTT bytes of messages and their acknowledgements, without TLS, TCP and keep-alives."""

    bytes_up: int = 0
    bytes_down: int = 0


class Line:
    """A connection to the broker that is opened again whenever it ends.

    Tokens carry the connection they belong to in their upper bits, so a late one is never taken for another.
    """

    def __init__(
        self,
        address: BrokerAddress,
        *,
        subscriptions: Sequence[tuple[str, int]] = (),
        will: tuple[str, bytes] | None = None,
        manual_ack: bool = False,
        jitter: Callable[[], float] = random.random,
        watchdog_s: float = WATCHDOG_S,
    ) -> None:
        """Describe the line; nothing is opened yet.

        Args:
            address: the broker.
            subscriptions: topic filters with their QoS, subscribed on every connection.
            will: topic and payload the broker publishes, retained, when we vanish.
            manual_ack: acknowledge incoming messages only by `acknowledge`.
            jitter: gives numbers in 0..1, to spread reconnects.
            watchdog_s: how long published messages may go unacknowledged before the connection is cut;
                longer where acknowledgements usually take more than a third of it.

        Raises:
            ValueError: the protocol of the address is unknown.
        """
        if address.protocol not in _VERSIONS:
            raise ValueError('the MQTT protocol must be "auto", "5" or "3.1.1"')
        self.traffic = LineTraffic()
        self._address = address
        self._subscriptions = tuple(subscriptions)
        self._will = will
        self._manual_ack = manual_ack
        self._jitter = jitter
        self._watchdog_s = watchdog_s
        self._versions = list(_VERSIONS[address.protocol])
        self._events: asyncio.Queue[LineEvent] = asyncio.Queue()
        self._generation = 0
        self._connection: Connection | None = None
        self._outstanding: dict[int, float] = {}
        self._heard_at = 0.0
        self._usual_s = 0.0

    @property
    def online(self) -> bool:
        """Whether messages go out now."""
        return self._connection is not None

    async def run(self) -> None:
        """Keep the line open until cancelled."""
        while True:
            fate = await self._one_connection(self._versions[0])
            if fate is Fate.LIVED:
                del self._versions[1:]  # this version works: no more guessing
            elif fate is Fate.TURNED_AWAY and len(self._versions) > 1:
                self._versions.append(self._versions.pop(0))
                continue
            low, high = RECONNECT_S
            await asyncio.sleep(low + (high - low) * self._jitter())

    async def events(self) -> AsyncIterator[LineEvent]:
        """Yield what happens, for ever."""
        while True:
            yield await self._events.get()

    def publish(
        self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False, expiry_s: int = 0
    ) -> int:
        """Publish now; return the token its `Acknowledged` will bear.

        Off line the message is lost and the token is 0: the `Disconnected` that says so is on its way or was.
        """
        if self._connection is None:
            return 0
        mid = self._connection.publish(topic, payload, qos, retain=retain, expiry_s=expiry_s)
        token = self._token(self._generation, mid)
        self.traffic.bytes_up += _packet(topic, payload, qos)
        if qos:
            if not self._outstanding:
                self._heard_at = self._now()  # the watchdog's patience begins with the first message
            self._outstanding[token] = self._now()
        return token

    def acknowledge(self, message: Message) -> None:
        """Tell the broker that a message has been dealt with (manual acknowledgement only)."""
        generation, mid = divmod(message.token, 1 << 16)
        if self._connection is not None and generation == self._generation:
            self.traffic.bytes_up += _ACK_BYTES
            self._connection.acknowledge(mid, message.qos)

    # One connection

    async def _one_connection(self, version: MQTTProtocolVersion) -> Fate:
        """Live through one connection, if there is one."""
        self._generation += 1
        generation, loop = self._generation, asyncio.get_running_loop()
        up, ended = asyncio.Event(), asyncio.Event()

        def later(what: Callable[..., None], *values: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(what, *values)

        connection = Connection(
            self._address,
            version,
            self._subscriptions,
            self._will,
            Callbacks(
                up=lambda: later(up.set),
                acknowledged=lambda mid: later(self._on_ack, generation, mid),
                message=lambda *message: later(self._on_message, generation, *message),
                ended=lambda reason: later(self._on_end, ended, reason),
            ),
            manual_ack=self._manual_ack,
        )
        try:
            await asyncio.to_thread(connection.open)
            return await self._live(connection, up, ended)
        except (OSError, ValueError) as error:
            logger.info("broker not reached: %s", error)
            return Fate.UNREACHED
        finally:
            await asyncio.shield(asyncio.to_thread(connection.close))

    async def _live(self, connection: Connection, up: asyncio.Event, ended: asyncio.Event) -> Fate:
        if not await _first_of(up, ended, ANSWER_S):
            return Fate.TURNED_AWAY
        self._connection = connection
        self._events.put_nowait(Connected())
        try:
            while not ended.is_set():
                if self._silent():
                    logger.info("nothing acknowledged for %.0f s: cutting the connection", self._patience())
                    connection.cut()
                    break
                await _wait(ended, _TICK_S)
        finally:
            self._connection = None
            self._outstanding.clear()
            self._usual_s = 0.0
            self._events.put_nowait(Disconnected("ended" if ended.is_set() else "silent"))
        return Fate.LIVED

    def _silent(self) -> bool:
        return bool(self._outstanding) and self._now() - self._heard_at > self._patience()

    def _patience(self) -> float:
        return max(self._watchdog_s, min(WATCHDOG_ROUNDS * self._usual_s, WATCHDOG_LONGEST_S))

    def _on_ack(self, generation: int, mid: int) -> None:
        token = self._token(generation, mid)
        sent_at = self._outstanding.pop(token, None)
        if sent_at is not None:  # QoS 0 is "acknowledged" by our own socket, which says nothing of the link
            self._heard_at = self._now()
            took = self._heard_at - sent_at
            self._usual_s += (took - self._usual_s) * (_SMOOTHING if self._usual_s else 1.0)
            self.traffic.bytes_down += _ACK_BYTES
            self._events.put_nowait(Acknowledged(token))

    def _on_message(self, generation: int, topic: str, payload: bytes, mid: int, qos: int) -> None:
        self.traffic.bytes_down += _packet(topic, payload, qos)
        if qos and not self._manual_ack:
            self.traffic.bytes_up += _ACK_BYTES
        self._events.put_nowait(Message(topic, payload, qos, self._token(generation, mid)))

    def _on_end(self, ended: asyncio.Event, reason: str) -> None:
        logger.info("broker connection ended: %s", reason)
        ended.set()

    @staticmethod
    def _token(generation: int, mid: int) -> int:
        return generation << 16 | mid

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


_ACK_BYTES: Final = 4


def _packet(topic: str, payload: bytes, qos: int) -> int:
    """Return the length of a PUBLISH packet (MQTT 3.1.1 section 3.3)."""
    rest = 2 + len(topic.encode()) + (2 if qos else 0) + len(payload)
    return 1 + (1 if rest < 128 else 2 if rest < 16_384 else 3) + rest


async def _wait(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def _first_of(good: asyncio.Event, bad: asyncio.Event, seconds: float) -> bool:
    """Return whether `good` came, within the time and before `bad`."""
    waiting = [asyncio.ensure_future(event.wait()) for event in (good, bad)]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
    return good.is_set() and not bad.is_set()
