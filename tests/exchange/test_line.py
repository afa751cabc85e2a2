"""The line against real brokers."""

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import waiting
from iotcore import Broker

from chevet.exchange import line as line_module
from chevet.exchange.connection import BrokerAddress
from chevet.exchange.line import Acknowledged, Connected, Disconnected, Line, Message


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mosquitto:
    """A mosquitto of our own on a port of its own, speaking MQTT 5."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self.config = folder / f"mosquitto-{port}.conf"
        self.config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = ["mosquitto", "-c", str(self.config)]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture(params=["iotcore", "mosquitto"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker | Mosquitto]:
    if request.param == "mosquitto" and shutil.which("mosquitto") is None:
        pytest.skip("mosquitto is not installed; apt-get install mosquitto enables this test")
    port = free_port()
    if request.param == "iotcore":
        engine: Broker | Mosquitto = Broker(port=port, listen="127.0.0.1")
    else:
        engine = Mosquitto(port, tmp_path)
    engine.start()
    yield engine
    engine.stop()


@asynccontextmanager
async def running(line: Line):
    task = asyncio.create_task(line.run())
    try:
        yield line.events()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(events, kind, seconds=60.0):
    """The next event of a kind; others are passed over."""
    async with asyncio.timeout(seconds):
        async for event in events:
            if isinstance(event, kind):
                return event
    raise AssertionError("the line ended")


def address(broker, **more) -> BrokerAddress:
    return BrokerAddress("127.0.0.1", broker.port, **more)


async def test_a_message_goes_out_comes_in_and_is_acknowledged(broker):
    receiver = Line(address(broker), subscriptions=[("t/1/+/u/a", 1)])
    sender = Line(address(broker))
    async with running(receiver) as incoming, running(sender) as outgoing:
        await until(incoming, Connected)
        await until(outgoing, Connected)
        payload = b"x" * 16_400  # four chunks in one message
        token = sender.publish("t/1/abc/u/a", payload)
        assert await until(outgoing, Acknowledged) == Acknowledged(token)
        message = await until(incoming, Message)
        assert (message.topic, message.payload) == ("t/1/abc/u/a", payload)
    assert sender.traffic.bytes_up == 16_400 + 11 + 8
    assert receiver.traffic.bytes_down == sender.traffic.bytes_up


async def test_the_line_comes_back_when_the_broker_does(broker):
    assert max(*line_module.RECONNECT_S, *line_module.REDIAL_S) < 5, "however the dice fall"
    line = Line(address(broker), subscriptions=[("t/1/abc/d/r", 1)], jitter=lambda: 0.0)
    async with running(line) as events:
        await until(events, Connected)
        broker.stop()
        await until(events, Disconnected)
        assert not line.online
        assert line.publish("t/1/abc/u/a", b"lost") == 0
        broker.start()
        await until(events, Connected)
        token = line.publish("t/1/abc/d/r", b"again")
        both = [await until(events, Acknowledged | Message) for _ in range(2)]  # in either order
        assert {event.token for event in both if isinstance(event, Acknowledged)} == {token}
        assert [event.payload for event in both if isinstance(event, Message)] == [b"again"]


async def test_what_was_not_acknowledged_by_hand_comes_again(broker):
    worker = address(broker, client_id="worker-1", session_expiry_s=3600)
    subscriptions = [("t/1/+/u/b", 1)]
    sender = Line(address(broker))
    async with running(sender) as outgoing:
        async with running(Line(worker, subscriptions=subscriptions, manual_ack=True)) as incoming:
            await until(incoming, Connected)
            await until(outgoing, Connected)
            sender.publish("t/1/abc/u/b", b"precious")
            assert (await until(incoming, Message)).payload == b"precious"
            await until(outgoing, Acknowledged)
        second = Line(worker, subscriptions=subscriptions, manual_ack=True)
        async with running(second) as incoming:
            message = await until(incoming, Message)
            assert message.payload == b"precious"
            second.acknowledge(message)
            await waiting.until(lambda: second.online)
            after = second.publish("t/1/abc/u/s", b"behind it on the same connection")
            assert await until(incoming, Acknowledged) == Acknowledged(after)
        third = Line(worker, subscriptions=subscriptions, manual_ack=True)
        async with running(third) as incoming:
            await until(incoming, Connected)
            with pytest.raises(TimeoutError):
                await until(incoming, Message, 1.0)


async def test_a_silent_link_is_cut_by_the_watchdog():
    silent = await asyncio.start_server(_accept_and_fall_silent, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    line = Line(BrokerAddress("127.0.0.1", port, protocol="3.1.1"), watchdog_s=0.5, jitter=lambda: 0.0)
    async with silent, running(line) as events:
        await until(events, Connected)
        line.publish("t/1/abc/u/b", b"never acknowledged")
        silent_within_s = 30.0  # far sooner than the keepalive, and "silent" is the watchdog's own word
        assert (await until(events, Disconnected, silent_within_s)).reason == "silent"
        await until(events, Connected)


async def _accept_and_fall_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(4096)
    writer.write(b"\x20\x02\x00\x00")  # CONNACK of MQTT 3.1.1, accepted
    while await reader.read(4096):
        pass
    writer.close()


async def test_nobody_there_is_tried_again_without_noise():
    line = Line(BrokerAddress("127.0.0.1", free_port()), jitter=lambda: 0.0)
    async with running(line) as events:
        with pytest.raises(TimeoutError):
            await until(events, Connected, 1.2)
        assert not line.online


async def test_the_last_will_tells_that_a_box_vanished(broker):
    watcher = Line(address(broker), subscriptions=[("t/1/+/u/s", 1)])
    async with running(watcher) as incoming:
        await until(incoming, Connected)
        box = Line(address(broker), will=("t/1/abc/u/s", b"gone"))
        async with running(box) as events:
            await until(events, Connected)
            box._connection.cut()
            message = await until(incoming, Message)
    assert message.payload == b"gone"


async def test_a_box_that_stops_in_order_says_the_same(broker):
    watcher = Line(address(broker), subscriptions=[("t/1/+/u/s", 1)])
    async with running(watcher) as incoming:
        await until(incoming, Connected)
        async with running(Line(address(broker), will=("t/1/abc/u/s", b"gone"))) as events:
            await until(events, Connected)
        assert (await until(incoming, Message)).payload == b"gone"


async def test_a_wrong_password_is_not_taken_for_a_connection(tmp_path):
    if shutil.which("mosquitto") is None:
        pytest.skip("mosquitto is not installed; apt-get install mosquitto enables this test")
    broker = Mosquitto(free_port(), tmp_path)
    broker.config.write_text(f"listener {broker.port} 127.0.0.1\nallow_anonymous false\npersistence false\n")
    broker.start()
    line = Line(address(broker, username="abc", password="wrong"), jitter=lambda: 0.0)
    try:
        async with running(line) as events:
            with pytest.raises(TimeoutError):
                await until(events, Connected, 1.5)
            assert not line.online
    finally:
        broker.stop()


async def test_both_protocol_versions_carry_messages_that_expire(tmp_path):
    if shutil.which("mosquitto") is None:
        pytest.skip("mosquitto is not installed; apt-get install mosquitto enables this test")
    broker = Mosquitto(free_port(), tmp_path)
    broker.start()
    try:
        for protocol in ("5", "3.1.1"):
            line = Line(address(broker, protocol=protocol), subscriptions=[("t/1/abc/u/l", 0)])
            async with running(line) as events:
                await until(events, Connected)
                line.publish("t/1/abc/u/l", b"frame", 0, expiry_s=5)
                message = await until(events, Message)
                assert (message.payload, message.qos) == (b"frame", 0)
    finally:
        broker.stop()


def test_an_unknown_protocol_is_refused():
    with pytest.raises(ValueError, match=r"3\.1\.1"):
        Line(BrokerAddress("127.0.0.1", protocol="4"))


async def test_what_a_broker_kept_is_acknowledged_before_it_takes_our_subscriptions():
    """RabbitMQ sends what waits right after CONNACK, as many as may be unacknowledged, then nothing more."""
    heard = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.read(1):
            rest = await reader.readexactly((await reader.readexactly(1))[0])
            if head[0] >> 4 == 1:  # CONNECT: a session is there, and a message of QoS 1, number 9
                writer.write(b"\x20\x02\x01\x00" + b"\x32\x09\x00\x03t/1\x00\x09hi")
            elif head[0] >> 4 == 8:  # SUBSCRIBE is answered once that message was acknowledged
                await heard.wait()
                writer.write(b"\x90\x03" + rest[:2] + b"\x01")
            await writer.drain()
        writer.close()

    async def read_apart(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand everything on but PUBACK, which is told of."""
        inner, tasks = asyncio.StreamReader(), []
        tasks.append(asyncio.create_task(serve(inner, writer)))
        while head := await reader.read(1):
            length = await reader.readexactly(1)
            rest = await reader.readexactly(length[0])
            if (head[0] >> 4, rest) == (4, b"\x00\x09"):
                heard.set()
            else:
                inner.feed_data(head + length + rest)
        inner.feed_eof()
        await asyncio.gather(*tasks)

    server = await asyncio.start_server(read_apart, "127.0.0.1", 0)
    where = BrokerAddress(
        "127.0.0.1", server.sockets[0].getsockname()[1], "kept", protocol="3.1.1", session_expiry_s=60
    )
    line = Line(where, subscriptions=[("t/1", 1)], manual_ack=True, jitter=lambda: 0.0)
    async with running(line) as events:
        message = await until(events, Message)
        line.acknowledge(message)
        await until(events, Connected)
    server.close()
    assert (message.payload, heard.is_set()) == (b"hi", True)


async def test_a_line_that_only_hears_answers_publishes_before_its_subscriptions_are_confirmed():
    """A round trip of a slow link is saved after each reconnect; the subscription still goes first."""
    heard: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.read(1):
            rest = await reader.readexactly((await reader.readexactly(1))[0])
            heard.append(head[0] >> 4)
            if head[0] >> 4 == 1:  # CONNECT
                writer.write(b"\x20\x02\x00\x00")
            elif head[0] >> 4 == 3:  # PUBLISH is acknowledged, SUBSCRIBE never
                writer.write(b"\x40\x02" + rest[5:7])
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    where = BrokerAddress("127.0.0.1", server.sockets[0].getsockname()[1], "quick", protocol="3.1.1")
    line = Line(where, subscriptions=[("t/1", 1)], at_once=True)
    async with running(line) as events:
        await until(events, Connected)
        token = line.publish("t/2", b"first")
        acknowledged = await until(events, Acknowledged)
    server.close()
    assert acknowledged.token == token
    assert heard[:3] == [1, 8, 3]
