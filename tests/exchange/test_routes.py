"""One line over two ways to the broker: when one dies in the middle, the Sender goes on over the other."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager

import pytest
from iotcore import Broker

from chevet.exchange import choosing as choosing_module
from chevet.exchange import line as line_module
from chevet.exchange.connection import BrokerAddress
from chevet.exchange.dial import Outlet, dial, reaches
from chevet.exchange.events import Reply
from chevet.exchange.line import Acknowledged, Connected, Disconnected, Line, Message
from chevet.exchange.manifest import CHUNK
from chevet.exchange.receiver import Receiver
from chevet.exchange.routes import Route, Routes
from chevet.exchange.sender import Sender
from chevet.exchange.topics import all_up, down, parse, up
from chevet.sim.memory_inbox import MemoryInbox

from .exchange_fakes import RELAY_KEY, SITE_KEY, MemoryOutbox, bundle, sealed

pytestmark = pytest.mark.timeout(120)


class Way:
    """A TCP proxy that may go silent as a dead radio link does: it swallows everything and closes nothing."""

    def __init__(self, broker_port: int) -> None:
        self.broker_port = broker_port
        self.dead = False
        self.port = 0
        self.accepted = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> "Way":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.broker_port)
        self._writers += [writer, far_writer]
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                await asyncio.sleep(0.005)  # slow enough to be caught in the middle
                if not self.dead:
                    writer.write(data)
                    await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    def close(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def broker() -> Iterator[int]:
    port = free_port()
    engine = Broker(port=port, listen="127.0.0.1")
    engine.start()
    yield port
    engine.stop()


@asynccontextmanager
async def running(*tasks):
    started = [asyncio.create_task(task) for task in tasks]
    try:
        yield
    finally:
        for task in started:
            task.cancel()
        await asyncio.gather(*started, return_exceptions=True)


def relay_end(port):
    """A relay's receiver on the broker: its inbox, and what its line has to run."""
    inbox = MemoryInbox()
    receiver = Receiver(inbox, signer=RELAY_KEY, origin_key=lambda _: SITE_KEY.public_key())
    line = Line(BrokerAddress("127.0.0.1", port), subscriptions=[(all_up(lane), 1) for lane in "apb"])

    async def serve():
        async for event in line.events():
            if isinstance(event, Message):
                for answer in receiver.receive(parse(event.topic)[0], event.payload, time.monotonic()):
                    if isinstance(answer, Reply):
                        line.publish(down("abc", "r"), answer.payload)

    return inbox, line.run(), serve()


class Edge:
    """The box's Sender on a line with two routes."""

    def __init__(self, routes, sender):
        self.line = Line(routes, subscriptions=[(down("abc", "r"), 1)], watchdog_s=4.0)
        self.sender = sender
        self.tokens = {}
        self.routes_used = []

    async def run(self):
        events = self.line.events()
        coming = asyncio.ensure_future(anext(events))
        while True:
            now = time.monotonic()
            for message in self.sender.outgoing(now):
                token = self.line.publish(up("abc", message.lane), message.payload, message.qos)
                if token:
                    self.tokens[token] = message.token
            wait = max(0.0, min(self.sender.next_wake(now) - now, 0.2))
            await asyncio.wait({coming}, timeout=wait)
            if coming.done():
                self._happened(coming.result(), time.monotonic())
                coming = asyncio.ensure_future(anext(events))

    def _happened(self, event, now):
        match event:
            case Connected(route):
                self.routes_used.append(route)
                self.sender.connected(now)
            case Disconnected():
                self.tokens.clear()
                self.sender.disconnected(now)
            case Acknowledged(token):
                if token in self.tokens:
                    self.sender.acknowledged(self.tokens.pop(token), now)
            case Message():
                self.sender.receive(event.payload, now)


async def until(condition, seconds=60.0):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - seen from outside
            await asyncio.sleep(0.02)
    return True


async def test_a_way_that_dies_in_the_middle_loses_nothing_and_repeats_at_most_a_window(broker, monkeypatch):
    monkeypatch.setattr(line_module, "RECONNECT_S", (0.05, 0.1))
    inbox, relay_line, relay = relay_end(broker)
    outbox = MemoryOutbox()
    items = [outbox.put(sealed(bundle(n, ((0, 700), (1, 3900), (3, 400_000))))) for n in range(3)]
    sender = Sender(outbox, peer_key=RELAY_KEY.public_key(), longest_run=1)
    vsat, mobile = await Way(broker).start(), await Way(broker).start()
    routes = [
        Route(name, BrokerAddress("127.0.0.1", way.port, client_id="edge"))
        for name, way in (("vsat", vsat), ("4g", mobile))
    ]
    edge = Edge(routes, sender)
    async with running(relay_line, relay, edge.line.run(), edge.run()):
        await until(lambda: sender.traffic.chunks_sent > 60)
        window = sender.window.size
        vsat.dead = True
        assert edge.routes_used == ["vsat"]
        assert len(outbox.settled) < 3, "in the middle"
        await until(lambda: len(outbox.settled) == 3)
    vsat.close()
    mobile.close()
    assert edge.routes_used[:2] == ["vsat", "4g"]
    assert {item.tid for item in items} == set(outbox.settled)
    assert all(inbox.state(item.tid) == "complete" for item in items)
    # what was under way when a way died may go twice: a window, and the chunk that filled it
    under_way = max(window, sender.window.size) + CHUNK
    assert sender.traffic.chunks_repeated * CHUNK <= (len(edge.routes_used) - 1) * under_way


async def test_the_preferred_way_is_taken_again_once_it_is_well(broker, monkeypatch):
    for name, value in (("HOLD_S", 0.5), ("TRY_EVERY_S", 0.2)):
        monkeypatch.setattr(choosing_module, name, value)
    monkeypatch.setattr(line_module, "RECONNECT_S", (0.05, 0.1))
    mobile = await Way(broker).start()
    closed = free_port()
    routes = [
        Route("vsat", BrokerAddress("127.0.0.1", closed, client_id="edge")),
        Route("4g", BrokerAddress("127.0.0.1", mobile.port, client_id="edge"), bulk=False),
    ]
    line = Line(routes)
    seen = []

    async def watch():
        async for event in line.events():
            seen.append(event)  # noqa: PERF401 - it never ends

    async with running(line.run(), watch()):
        await until(lambda: Connected("4g", False) in seen)
        vsat = Way(broker)
        vsat._server = await asyncio.start_server(vsat._serve, "127.0.0.1", closed)
        await until(lambda: Connected("vsat", True) in seen)
    back = seen.index(Connected("vsat", True))
    assert Disconnected("left") in seen[:back], "the other way was left in order"
    vsat.close()
    mobile.close()


def test_a_connection_leaves_by_the_interface_and_address_it_is_told_to():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with dial("localhost", port, Outlet(interface="lo", source="127.0.0.7"), 2.0) as reached:
            assert reached.getsockname()[0] == "127.0.0.7"
            bound = reached.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
            assert bound.rstrip(b"\0") == b"lo"
        assert reaches("127.0.0.1", port, Outlet())
        assert not reaches("127.0.0.1", port, Outlet(interface="nosuch0"))
        assert not reaches("127.0.0.1", port, Outlet(source="203.0.113.9"))
    assert not reaches("127.0.0.1", port, Outlet())


def test_where_names_cannot_be_asked_any_more_the_last_answer_is_used(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        dial("localhost", port, Outlet(), 2.0).close()

        def no_answer(*_args, **_kinds):
            raise socket.gaierror("no name server")

        monkeypatch.setattr(socket, "getaddrinfo", no_answer)
        dial("localhost", port, Outlet(), 2.0).close()
        with pytest.raises(OSError, match="no name server"):
            dial("elsewhere.example", port, Outlet(), 2.0)


async def test_routes_are_tried_out_beside_the_line_and_the_outcome_counts():
    addresses = [BrokerAddress("first"), BrokerAddress("second")]
    asked = []

    def reach(address):
        asked.append(address.host)
        return True

    routes = Routes([Route("a", addresses[0]), Route("b", addresses[1])], reach)
    routes.choosing.unreached(asyncio.get_running_loop().time() - 1000)
    now = asyncio.get_running_loop().time()
    assert routes.choose(now).name == "b"
    routes.tend(0.1, now)
    await until(lambda: asked == ["first"])
    await until(lambda: not routes._trials)
    assert routes.choose(now + 1000).name == "a"
    routes.close()
