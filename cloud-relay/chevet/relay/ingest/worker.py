"""One ingest worker: a line to the broker, and one thread that does all storing, in order."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from chevet.exchange.connection import BrokerAddress
from chevet.exchange.line import Acknowledged, Connected, Disconnected, Line, Message
from chevet.exchange.topics import all_up
from chevet.relay.authority import name_at_broker, tls_to_broker
from chevet.relay.errors import DiskFullError, RelayError, place_of
from chevet.relay.ingest.downlink import Downlink, Publish
from chevet.relay.ingest.uplink import BUNDLE_LANES, Uplink
from chevet.relay.relay import Relay
from chevet.relay.settings import Settings

log = logging.getLogger(__name__)

T = TypeVar("T")
PUMP_S = 0.25
"""How often the archive is asked for answers that other processes put there."""
DISK_FULL_S = 5.0
SESSION_S = 3600
"""How long the broker keeps what comes for a worker that is away; edges ask again anyway."""


def relay_line(settings: Settings) -> Line:
    """Return the line that `settings` describe; it is opened by `Ingest.run`."""
    address = BrokerAddress(
        settings.broker_host,
        settings.broker_port,
        client_id=name_at_broker(settings, settings.worker),
        username=settings.broker_user,
        password=settings.broker_password() or "",
        session_expiry_s=SESSION_S,
        tls=tls_to_broker(settings) if settings.broker_tls else None,
    )
    if settings.broker_deals:  # the broker's own queue for this worker has its part already
        return Line(address, manual_ack=True)
    return Line(
        address,
        subscriptions=[(all_up(lane, settings.share), 1) for lane in BUNDLE_LANES],
        manual_ack=True,
    )


class Ingest:
    """Runs the line, the uplink and the downlink until it is cancelled."""

    def __init__(self, relay: Relay, line: Line) -> None:
        self._relay = relay
        self._line = line
        self._downlink = Downlink(relay)
        self._uplink = Uplink(relay, self._downlink)
        self._thread = ThreadPoolExecutor(1, "ingest")
        self._wake = asyncio.Event()
        self._tokens: dict[int, Publish] = {}

    async def run(self) -> None:
        """Serve until cancelled; a broker that is away is tried again and again."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._line.run())
                group.create_task(self._listen())
                group.create_task(self._pump())
        finally:
            self._relay.broker_seen.online = False
            self._thread.shutdown()
            self._downlink.disconnected(self._now())  # another worker may send from now on

    async def _listen(self) -> None:
        async for event in self._line.events():
            match event:
                case Message():
                    await self._take(event)
                    self._line.acknowledge(event)
                case Acknowledged(token):
                    await self._acknowledged(token)
                case Connected():
                    self._relay.broker_seen.online = True
                    log.info("the broker is there")
                    await self._in_thread(lambda: self._downlink.connected(self._now()))
                case Disconnected(reason):
                    self._relay.broker_seen.online = False
                    log.warning("the broker is away (%s): trying again", reason)
                    self._tokens.clear()
                    await self._in_thread(lambda: self._downlink.disconnected(self._now()))
            self._wake.set()

    async def _take(self, message: Message) -> None:
        """Store one message, however long the disk stays full; only then may the broker forget it."""
        while True:
            try:
                answers = await self._in_thread(
                    lambda: self._uplink.take(message.topic, message.payload, self._now())
                )
            except DiskFullError as error:
                log.error("%s", error)
                await asyncio.sleep(DISK_FULL_S)
            except RelayError as error:
                log.error("a message was not stored, its sender will repeat it: %s", error)
                return
            except Exception as error:  # noqa: BLE001 - no message, whatever it holds, ends the worker
                log.error("a message was dropped by a fault of ours: %s", place_of(error))
                return
            else:
                self._publish(answers)
                return

    async def _acknowledged(self, token: int) -> None:
        sent = self._tokens.pop(token, None)
        if sent is not None:
            await self._in_thread(lambda: self._downlink.acknowledged(sent.site, sent.token, self._now()))

    async def _pump(self) -> None:
        while True:
            try:
                self._publish(await self._in_thread(lambda: self._downlink.outgoing(self._now())))
            except RelayError as error:
                log.error("answers wait: %s", error)
            except Exception as error:  # noqa: BLE001 - one answer must not hold up all others and the ingest
                log.error("answers wait for a fault of ours: %s", place_of(error))
            self._wake.clear()
            try:
                async with asyncio.timeout(PUMP_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _publish(self, answers: list[Publish]) -> None:
        for item in answers:
            token = self._line.publish(item.topic, item.payload, item.qos)
            if token and item.token:
                self._tokens[token] = item

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    @staticmethod
    def _now() -> float:
        return time.monotonic()  # the loop cannot be asked from the storing thread
