"""What all links share: opening once, a bounded queue of packets, and one way to end."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from chevet.bridge.errors import LinkLost
from chevet.bridge.packet import Packet

Clock = Callable[[], float]
T = TypeVar("T")
QUEUE_PACKETS = 1024
"""Some seconds of any instrument; a consumer further behind than this loses the oldest."""


async def open_in_thread(open_: Callable[[], T], close: Callable[[T], None]) -> T:
    """Return what `open_` opens in a thread; when cancelled meanwhile, `close` it once it is there."""
    opening = asyncio.create_task(asyncio.to_thread(open_))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:

        def undo(done: asyncio.Task[T]) -> None:
            if not done.cancelled() and done.exception() is None:
                close(done.result())

        opening.add_done_callback(undo)
        raise


class QueuedLink(ABC):
    """A link whose packets wait in a bounded queue for `receive`; oldest are dropped and counted.

    A link lives once: after `LinkLost` or `aclose` a new one is opened with `open_link`.

    Attributes:
        url: the link's URL.
        dropped: packets that nobody received in time.
    """

    def __init__(self, url: str, clock: Clock, capacity: int = QUEUE_PACKETS) -> None:
        self.url = url
        self.dropped = 0
        self._clock = clock
        self._capacity = capacity
        self._packets: deque[Packet] = deque()
        self._arrived = asyncio.Event()
        self._opening = asyncio.Lock()
        self._is_open = False
        self._end = ""

    @abstractmethod
    async def _connect(self) -> None:
        """Open the device and start to `_put` packets.

        Raises:
            LinkUnavailable: it cannot be opened.
        """

    @abstractmethod
    async def _disconnect(self) -> None:
        """Free the device; called once, also after the device went away."""

    @abstractmethod
    async def send(self, data: bytes) -> None:
        """Send `data`, opening the link first where it was not."""

    async def open(self) -> None:
        """Open the link; does nothing when it is open.

        Raises:
            LinkUnavailable: it cannot be opened; may be tried again.
            LinkLost: it has ended before.
        """
        async with self._opening:
            if self._end:
                raise LinkLost(self.url, self._end)
            if not self._is_open:
                await self._connect()
                self._is_open = True

    async def receive(self) -> Packet:
        """Return the next packet, opening the link first where it was not.

        Raises:
            LinkUnavailable: it cannot be opened.
            LinkLost: the device went away and all that had arrived was received.
        """
        if not self._is_open:
            await self.open()
        while not self._packets:
            if self._end:
                raise LinkLost(self.url, self._end)
            self._arrived.clear()
            await self._arrived.wait()
        return self._packets.popleft()

    async def aclose(self) -> None:
        """Close the link; a waiting `receive` gets LinkLost. May be called twice."""
        self._lose("closed")
        async with self._opening:
            if self._is_open:
                self._is_open = False
                await self._disconnect()

    def _put(self, data: bytes, source: str = "") -> None:
        """Queue what arrived now; to be called in the event loop."""
        self._put_packet(Packet(data, self._clock(), source))

    def _put_packet(self, packet: Packet) -> None:
        if len(self._packets) >= self._capacity:
            self._packets.popleft()
            self.dropped += 1
        self._packets.append(packet)
        self._arrived.set()

    def _lose(self, reason: str) -> None:
        """End the link; the first reason stays."""
        self._end = self._end or reason
        self._arrived.set()
