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
from chevet.exchange.line_events import Acknowledged as Acknowledged
from chevet.exchange.line_events import Connected as Connected
from chevet.exchange.line_events import Disconnected as Disconnected
from chevet.exchange.line_events import LineEvent as LineEvent
from chevet.exchange.line_events import Message as Message
from chevet.exchange.routes import Route, Routes

WATCHDOG_S: Final = 11.5
"""A dead link is to be told within 13 s, looking and giving up included."""
ANSWER_S: Final = 6.0
"""For the broker to accept us and our subscriptions: two round trips, and one more behind a lost packet."""
WATCHDOG_ROUNDS: Final = 3.0
"""The watchdog waits for that many usual acknowledgement times where a link is so slow that it is more."""
WATCHDOG_LONGEST_S: Final = 45.0
_SMOOTHING: Final = 1 / 8  # of the usual time, as in RFC 6298
RECONNECT_S: Final = (0.5, 2.0)
REDIAL_S: Final = (0.25, 1.0)
"""After a try that reached nobody: it cost the broker nothing, and the link may be back by now."""
_TICK_S: Final = 0.25
_VERSIONS: Final = {
    "5": (MQTTProtocolVersion.MQTTv5,),
    "3.1.1": (MQTTProtocolVersion.MQTTv311,),
    "auto": (MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311),
}

logger = logging.getLogger(__name__)


class Fate(Enum):
    """What became of one attempt to connect."""

    UNREACHED = 1
    TURNED_AWAY = 2
    LIVED = 3
    LEFT = 4


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
        address: BrokerAddress | Sequence[Route],
        *,
        subscriptions: Sequence[tuple[str, int]] = (),
        will: tuple[str, bytes] | None = None,
        manual_ack: bool = False,
        at_once: bool = False,
        jitter: Callable[[], float] = random.random,
        watchdog_s: float = WATCHDOG_S,
    ) -> None:
        """Describe the line; nothing is opened yet.

        Args:
            address: the broker, or the routes to it in order of preference.
            subscriptions: topic filters with their QoS, subscribed on every connection.
            will: topic and payload the broker publishes, retained, when we vanish.
            manual_ack: acknowledge incoming messages only by `acknowledge`.
            at_once: publish right behind the subscriptions, a round trip before the broker confirms them;
                for an end whose subscriptions bring the answers to what it publishes.
            jitter: gives numbers in 0..1, to spread reconnects.
            watchdog_s: how long published messages may go unacknowledged before the connection is cut;
                longer where acknowledgements usually take more than a third of it.

        Raises:
            ValueError: the protocol of an address is unknown, or there is no route.
        """
        routes = (Route("", address),) if isinstance(address, BrokerAddress) else tuple(address)
        if any(route.address.protocol not in _VERSIONS for route in routes):
            raise ValueError('the MQTT protocol must be "auto", "5" or "3.1.1"')
        self.traffic = LineTraffic()
        self._routes = Routes(routes)
        self._subscriptions = tuple(subscriptions)
        self._will = will
        self._manual_ack = manual_ack
        self._at_once = at_once
        self._jitter = jitter
        self._watchdog_s = watchdog_s
        self._versions = {route: list(_VERSIONS[route.address.protocol]) for route in routes}
        self._events: asyncio.Queue[LineEvent] = asyncio.Queue()
        self._generation = 0
        self._connection: Connection | None = None
        self._incoming: Connection | None = (
            None  # what was kept for us comes before our subscriptions are taken
        )
        self._outstanding: dict[int, float] = {}
        self._heard_at = 0.0
        self._usual_s = 0.0

    @property
    def online(self) -> bool:
        """Whether messages go out now."""
        return self._connection is not None

    async def run(self) -> None:
        """Keep the line open until cancelled, over the best route there is."""
        try:
            while True:
                route = self._routes.choose(self._now())
                fate = await self._one_connection(route)
                if fate is Fate.LEFT or (
                    fate is Fate.LIVED and self._routes.choose(self._now()) is not route
                ):
                    continue  # another route is there now
                low, high = REDIAL_S if fate is Fate.UNREACHED else RECONNECT_S
                await asyncio.sleep(low + (high - low) * self._jitter())
        finally:
            self._routes.close()

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
        if self._incoming is not None and generation == self._generation:
            self.traffic.bytes_up += _ACK_BYTES
            self._incoming.acknowledge(mid, message.qos)

    # One connection

    async def _one_connection(self, route: Route) -> Fate:
        """Live through one connection, if there is one; guess the broker's version as long as none lived."""
        versions = self._versions[route]
        for version in tuple(versions):
            fate = await self._try(route, version)
            if fate in (Fate.LIVED, Fate.LEFT):
                versions[:] = [version]  # this version works: no more guessing
            if fate is not Fate.TURNED_AWAY:
                break
        if fate in (Fate.UNREACHED, Fate.TURNED_AWAY):
            self._routes.choosing.unreached(self._now())
        return fate

    async def _try(self, route: Route, version: MQTTProtocolVersion) -> Fate:
        self._generation += 1
        generation, loop = self._generation, asyncio.get_running_loop()
        up, ended = asyncio.Event(), asyncio.Event()

        def later(what: Callable[..., None], *values: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(what, *values)

        connection = Connection(
            route.address,
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
            at_once=self._at_once,
        )
        self._incoming = connection
        try:
            await asyncio.to_thread(connection.open)
            if not await _first_of(up, ended, ANSWER_S):
                return Fate.TURNED_AWAY
            return await self._live(connection, route, ended)
        except (OSError, ValueError) as error:
            logger.info("broker not reached%s: %s", route.told, error)
            return Fate.UNREACHED
        finally:
            self._incoming = None
            await asyncio.shield(asyncio.to_thread(connection.close))

    async def _live(self, connection: Connection, route: Route, ended: asyncio.Event) -> Fate:
        self._connection = connection
        choosing, reason = self._routes.choosing, "left"
        choosing.connected(self._now())
        self._events.put_nowait(Connected(route.name, route.bulk))
        try:
            while self._routes.choose(self._now()) is route:
                if ended.is_set():
                    reason = "ended"
                elif self._silent():
                    logger.info("nothing acknowledged for %.0f s: cutting the connection", self._patience())
                    connection.cut()
                    reason = "silent"
                if reason != "left":
                    choosing.ended(self._now(), silent=reason == "silent")
                    return Fate.LIVED
                self._routes.tend(self._usual_s, self._now())
                await _wait(ended, _TICK_S)
            logger.info("leaving route %s for a better one", route.name)
            choosing.left()
            return Fate.LEFT
        finally:
            self._connection = None
            self._outstanding.clear()
            self._usual_s = 0.0
            self._events.put_nowait(Disconnected(reason))

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
