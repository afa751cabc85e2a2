"""A proxy that is stopped while somebody still holds a connection through it."""

import asyncio
import contextlib
import socket
import sys

import pytest

from chevet.sim.link.clockwork import Clockwork
from chevet.sim.link.profiles import Profile
from chevet.sim.link.proxy import Proxy


async def wait_for_all_connections(server: asyncio.Server) -> None:
    """What Python 3.12.1 made of `Server.wait_closed`, which older ones leave at once."""
    while server._active_count:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_a_proxy_ends_beside_clients_that_stay_and_do_not_read(monkeypatch: pytest.MonkeyPatch):
    if sys.version_info < (3, 12, 1):
        monkeypatch.setattr(asyncio.Server, "wait_closed", wait_for_all_connections)
    with socket.create_server(("127.0.0.1", 0)) as far, socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
        probe.close()
        clockwork = Clockwork(Profile(1e6, 1e6, 0.0))
        proxy = Proxy(far.getsockname(), clockwork.profile, clockwork, 1)
        running, writers = asyncio.create_task(proxy.run("127.0.0.1", port)), []
        async with asyncio.timeout(60):
            while not proxy._ends:
                with contextlib.suppress(OSError):
                    if not writers:
                        writers.append((await asyncio.open_connection("127.0.0.1", port))[1])
                await asyncio.sleep(0.01)
            clockwork.toggle()  # the next one does not come through to the far side
            writers.append((await asyncio.open_connection("127.0.0.1", port))[1])
            while len(proxy._serving) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            running.cancel()
            await asyncio.wait({running})
    assert running.cancelled()
    assert proxy._serving == set()
    for writer in writers:
        writer.close()
