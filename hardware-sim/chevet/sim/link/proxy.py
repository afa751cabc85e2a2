"""The same links without root: a TCP proxy. A lost packet is a stall, for a proxy cannot lose bytes.

Rate and delay hold for all connections together. What the kernel adds (headers, acknowledgements, repeated
packets) passes on loopback and is not counted; headers are estimated at 40 bytes a packet.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from chevet.sim.errors import ServeError
from chevet.sim.link.clockwork import Clockwork
from chevet.sim.link.profiles import Profile
from chevet.sim.link.road import Road

SEGMENT = 1360
HEADERS = 40
_TICK_S = 0.005
_LEAST_STALL_S = 0.2


@dataclass(slots=True, eq=False)
class _End:
    """One direction of one connection."""

    writer: asyncio.StreamWriter
    dead: bool = False
    room: asyncio.Event = field(default_factory=asyncio.Event)


class Proxy:
    """Listens at the near side and connects to the far one."""

    def __init__(self, target: tuple[str, int], profile: Profile, clockwork: Clockwork, seed: int) -> None:
        self.up: Road[tuple[_End, bytes]] = Road(profile, profile.up, seed)
        self.down: Road[tuple[_End, bytes]] = Road(profile, profile.down, seed + 1)
        self._target, self._profile, self._clockwork = target, profile, clockwork
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._ends: set[_End] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._over = False
        self._stall_s = max(profile.round_trip_s, _LEAST_STALL_S)

    def at(self) -> float:
        """Return seconds since the start."""
        return self._loop.time() - self._started

    async def run(self, host: str, port: int) -> None:
        """Serve until cancelled.

        Raises:
            ServeError: the port cannot be listened on.
        """
        try:
            server = await asyncio.start_server(self._serve, host, port, limit=1 << 16)
        except OSError as error:
            raise ServeError(
                f"{host}:{port}",
                f"Cannot listen on {host}:{port} ({error.strerror}): choose another --listen.",
            ) from None
        async with server:
            try:
                while True:
                    self._move()
                    await asyncio.sleep(_TICK_S)
            finally:
                server.close()
                await self._hang_up()

    async def _hang_up(self) -> None:
        """End what is carried; from Python 3.12.1 on, leaving a server waits for its open connections."""
        self._over = True
        serving = list(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until it or the proxy ends: asyncio prints a cancelled one as a fault."""
        carrying = cast("asyncio.Task[None]", asyncio.current_task())
        self._serving.add(carrying)
        try:
            if not self._over:  # else accepted while the proxy was being stopped
                await self._carry(reader, writer)
        except asyncio.CancelledError:
            return
        finally:
            self._serving.discard(carrying)
            if self._over:
                writer.transport.abort()  # closing would wait for a client that does not read

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._until(lambda: not self._clockwork.cut(self.at()))
        await asyncio.sleep(self._profile.round_trip_s)  # the handshake
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            return
        ends = _End(far_writer), _End(writer)
        self._ends.update(ends)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, self.up, ends[0]))
                group.create_task(self._pump(far_reader, self.down, ends[1]))
        finally:
            self._ends.difference_update(ends)
            for end in ends:
                end.writer.close()

    async def _pump(self, reader: asyncio.StreamReader, road: Road[tuple[_End, bytes]], end: _End) -> None:
        """Read as fast as the link takes it, so that the sender's window means something."""
        with contextlib.suppress(OSError):
            while data := await reader.read(SEGMENT):
                await self._until(lambda: self._takes(road))
                road.hold((end, data), len(data) + HEADERS, self.at(), self._stall_s)
        road.hold((end, b""), 0, self.at(), 0.0)
        end.room.clear()
        await end.room.wait()

    def _takes(self, road: Road[tuple[_End, bytes]]) -> bool:
        return road.queued(self.at()) <= self._profile.buffer and not self._clockwork.cut(self.at())

    @staticmethod
    async def _until(true: Callable[[], bool]) -> None:
        while not true():  # noqa: ASYNC110 - what is waited for is the passing of time
            await asyncio.sleep(_TICK_S)

    def _move(self) -> None:
        cut, rebound = self._clockwork.tick(self.at())
        if rebound:
            for end in self._ends:
                end.dead = True
        if cut:
            return
        for road in (self.up, self.down):
            for (end, data), _ in road.due(self.at()):
                self._put(end, data)

    @staticmethod
    def _put(end: _End, data: bytes) -> None:
        if end.dead:
            return
        if data:
            end.writer.write(data)
            return
        with contextlib.suppress(OSError):
            if end.writer.can_write_eof():
                end.writer.write_eof()
        end.room.set()
