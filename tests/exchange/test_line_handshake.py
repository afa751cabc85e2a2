"""A line behind which nobody answers TLS: a captive portal, a dead proxy, a modem that only seems up."""

import asyncio
import gc
import ssl

from chevet.exchange import connection
from chevet.exchange.connection import BrokerAddress
from chevet.exchange.line import Connected, Line


class Mute:
    """Takes connections, hears what is said, and says nothing."""

    def __init__(self) -> None:
        self.hellos: list[bytes] = []
        self.twice = asyncio.Event()
        self.open: list[tuple[asyncio.Task[None], asyncio.StreamWriter]] = []

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.append((asyncio.current_task(), writer))
        self.hellos.append(await reader.read(4096))
        if len(self.hellos) > 1:
            self.twice.set()
        while await reader.read(4096):
            pass

    async def hang_up(self) -> None:
        for task, writer in self.open:
            writer.close()
            await asyncio.wait({task})


async def test_a_handshake_that_nobody_answers_is_given_up_and_tried_again(monkeypatch):
    """A socket that is left to the garbage collector warns, and a warning is an error here."""
    monkeypatch.setattr(connection, "HANDSHAKE_TIMEOUT_S", 0.2)
    mute, events = Mute(), []
    server = await asyncio.start_server(mute.hear, "127.0.0.1", 0)
    context = ssl.create_default_context()
    port = server.sockets[0].getsockname()[1]
    line = Line(BrokerAddress("127.0.0.1", port, tls=lambda: context), jitter=lambda: 0.0)

    async def listen() -> None:
        async for event in line.events():
            events.append(event)  # noqa: PERF401

    async with server:
        tasks = [asyncio.create_task(line.run()), asyncio.create_task(listen())]
        async with asyncio.timeout(60):
            await mute.twice.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await mute.hang_up()
    gc.collect()
    assert all(hello[:1] == b"\x16" for hello in mute.hellos), "a TLS handshake, each time anew"
    assert not any(isinstance(event, Connected) for event in events)
