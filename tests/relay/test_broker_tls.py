"""The real brokers behind mutual TLS: box A is box A and nobody else, and a revoked box is gone."""

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from chevet.exchange.connection import BrokerAddress
from chevet.exchange.line import Acknowledged, Connected, Disconnected, Line, Message
from chevet.exchange.tls import client_context, key_and_certificate, new_tls_key, request
from chevet.relay.accounts.passwords import Cost
from chevet.relay.authority import CA_PUBLIC, moment, open_authority
from chevet.relay.keys import make_programme
from chevet.relay.relay import open_relay, unix_ms
from chevet.relay.settings import read_settings

from .conftest import Site

PATIENCE_S = 60.0
ENV = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
RUN = "import sys; from chevet.relay.cli import main; sys.exit(main())"


@dataclass
class Guarded:
    """A broker by TLS and whom it knows."""

    folder: Path
    port: int
    engine: str

    def context(self, name: str) -> ssl.SSLContext:
        return client_context(self.folder / "keys" / CA_PUBLIC, self.folder / f"{name}.pem")

    def line(self, name: str, *topics: str, client_id: str = "", protocol: str = "auto") -> "Client":
        address = BrokerAddress(
            "127.0.0.1",
            self.port,
            client_id=client_id or f"edge-{name}",
            tls=lambda: self.context(name),
            protocol=protocol,
        )
        return Client(Line(address, subscriptions=[(topic, 1) for topic in topics], jitter=lambda: 0.0))

    def relay(self, *topics: str) -> "Client":
        return self.line("relay", *topics, client_id="chevet-relay-1")


@dataclass
class Client:
    """A line, and what it has heard so far."""

    line: Line
    heard: list[object] = field(default_factory=list)

    @property
    def payloads(self) -> list[bytes]:
        return [event.payload for event in self.heard if isinstance(event, Message)]

    def count(self, kind: type) -> int:
        return sum(isinstance(event, kind) for event in self.heard)

    async def listen(self) -> None:
        async for event in self.line.events():
            self.heard.append(event)

    async def until(self, kind: type) -> None:
        await when(lambda: self.count(kind) > 0)

    async def more_than(self, events: int) -> None:
        await when(lambda: len(self.heard) > events)

    async def heard_payload(self, payload: bytes) -> None:
        await when(lambda: payload in self.payloads)

    async def say(self, topic: str, payload: bytes) -> None:
        """Publish until the broker has it, over as many connections as that takes."""
        acks = self.count(Acknowledged)
        while self.count(Acknowledged) == acks:
            await when(lambda: self.line.online)
            events = len(self.heard)
            if self.line.publish(topic, payload):
                await self.more_than(events)


async def when(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - a line tells of itself by a queue that somebody else reads
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(*clients: Client) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(work) for one in clients for work in (one.line.run(), one.listen())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def furnish(folder: Path, port: int) -> None:
    """Make a programme with the sites a and b, their certificates, the relay's, and a stranger's."""
    make_programme(folder, "Programme Test")
    (folder / "relay.toml").write_text(f"broker_tls = true\nbroker_port = {port}\n")
    relay = open_relay(read_settings(folder / "relay.toml"), cost=Cost(1, 8, 1))
    with closing(relay):
        authority, now = relay.authority(), moment(unix_ms())
        for site in ("a", "b"):
            relay.sites.add(Site(site, []).file())
            key = new_tls_key()
            certificate = authority.certify_box(request(key), site, now)
            relay.certificates.add(site, certificate)
            pem = key_and_certificate(key, relay.certificates.pem(certificate))
            (folder / f"{site}.pem").write_bytes(pem)
        shutil.copy(authority.keep_relay(now), folder / "relay.pem")
    (folder / "stranger").mkdir()
    other = open_authority(folder / "stranger", "Another", now)
    key = new_tls_key()
    shown = other.certify_box(request(key), "a", now)
    (folder / "stranger.pem").write_bytes(key_and_certificate(key, relay.certificates.pem(shown)))


@pytest.fixture(params=["iotcore", "mosquitto"], scope="module")
def guarded(request, tmp_path_factory):
    if request.param == "mosquitto" and not shutil.which("mosquitto", path="/usr/sbin:/usr/bin"):
        pytest.skip("mosquitto is not installed: apt install mosquitto")
    folder, port = tmp_path_factory.mktemp("guarded"), free_port()
    furnish(folder, port)
    words = [
        "broker",
        "--config",
        str(folder / "relay.toml"),
        "--engine",
        request.param,
        "--host",
        "127.0.0.1",
    ]
    command = [sys.executable, "-c", RUN, *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENV)
    try:
        assert process.stdout.readline() == f"READY {request.param} 127.0.0.1:{port} by mutual TLS 1.3\n"
        yield Guarded(folder, port, request.param)
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
    assert process.returncode == 0


async def test_each_box_speaks_and_hears_on_its_own_topics(guarded):
    relay, box = guarded.relay("t/1/+/u/a"), guarded.line("a", "t/1/a/d/r")
    async with running(relay, box):
        await relay.until(Connected)
        await box.until(Connected)
        await box.say("t/1/a/u/a", b"up")
        await relay.heard_payload(b"up")
        await relay.say("t/1/a/d/r", b"down")
        await box.heard_payload(b"down")
    assert (relay.payloads, box.payloads) == ([b"up"], [b"down"])


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_box_cannot_publish_as_another_nor_as_the_relay(guarded, protocol):
    if (guarded.engine, protocol) == ("iotcore", "3.1.1"):
        pytest.skip("the embedded broker speaks MQTT 5 alone")
    relay, thief = guarded.relay("t/1/+/u/a"), guarded.line("a", protocol=protocol)
    victim = guarded.line("b", "t/1/b/d/r")
    async with running(relay, thief, victim):
        for one in (relay, thief, victim):
            await one.until(Connected)
        for topic in ("t/1/b/u/a", "t/1/b/d/r", "t/1/a/d/r", "elsewhere"):
            thief.line.publish(topic, b"forged")
            await thief.say("t/1/a/u/a", topic.encode())
            await relay.heard_payload(topic.encode())
        await relay.say("t/1/b/d/r", b"genuine")
        await victim.heard_payload(b"genuine")
    assert b"forged" not in relay.payloads + victim.payloads


async def test_a_box_cannot_read_what_is_for_another_or_comes_from_one(guarded):
    filters = ("t/1/b/d/r", "t/1/+/d/r", "t/1/b/#", "t/1/+/u/a", "#", "+/+/b/d/r", "$share/x/t/1/b/d/r")
    spies = [guarded.line("a", wanted, client_id=f"edge-a-{n}") for n, wanted in enumerate(filters)]
    relay, box = guarded.relay("t/1/+/u/a"), guarded.line("b", "t/1/b/d/r")
    async with running(relay, box):
        await relay.until(Connected)
        await box.until(Connected)
        for number, spy in enumerate(spies):
            async with running(spy):
                await asyncio.sleep(0.3)  # enough for a subscription that works; longer shows the same
                await relay.say("t/1/b/d/r", b"secret %d" % number)
                await box.heard_payload(b"secret %d" % number)
                await box.say("t/1/b/u/a", b"mine %d" % number)
                await relay.heard_payload(b"mine %d" % number)
    assert [spy.payloads for spy in spies] == [[]] * len(filters)


async def test_a_box_cannot_take_anothers_place(guarded):
    box = guarded.line("b", "t/1/b/d/r")
    thief = guarded.line("a", client_id="edge-b")
    other = guarded.line("a", client_id="chevet-relay-1")
    relay = guarded.relay("t/1/+/u/a")
    async with running(box, relay):
        await box.until(Connected)
        await relay.until(Connected)
        for one in (thief, other):
            async with running(one):
                await one.until(Connected)
                await one.say("t/1/a/u/a", b"here")
        await relay.heard_payload(b"here")
        await box.say("t/1/b/u/a", b"still here")
        await relay.heard_payload(b"still here")
        assert (box.count(Disconnected), relay.count(Disconnected)) == (0, 0)


async def test_a_last_will_may_not_speak_for_another(guarded):
    relay = guarded.relay("t/1/+/u/s")
    address = BrokerAddress("127.0.0.1", guarded.port, client_id="edge-a", tls=guarded.context("a"))
    thief = Client(Line(address, will=("t/1/b/u/s", b"forged"), jitter=lambda: 0.0))
    honest = Client(Line(address, will=("t/1/a/u/s", b"gone"), jitter=lambda: 0.0))
    async with running(relay):
        await relay.until(Connected)
        async with running(thief):
            await asyncio.sleep(0.5)
        async with running(honest):
            await honest.until(Connected)
        await relay.heard_payload(b"gone")
    assert b"forged" not in relay.payloads


def shake(port: int, context: ssl.SSLContext) -> bytes:
    """Shake hands, say CONNECT, and return what comes; with TLS 1.3 a refusal shows only when one reads."""
    with (
        socket.create_connection(("127.0.0.1", port), 20) as raw,
        context.wrap_socket(raw, server_hostname="127.0.0.1") as shaken,
    ):
        shaken.settimeout(20)
        shaken.sendall(b"\x10\x11\0\4MQTT\5\2\0\x3c\0\0\4none")
        return shaken.recv(1)


def turned_away(port: int, context: ssl.SSLContext) -> bool:
    try:
        return shake(port, context) == b""
    except (ssl.SSLError, ConnectionError):
        return True


def test_nobody_comes_in_without_a_certificate_of_the_programme(guarded):
    bare = ssl.create_default_context(cafile=guarded.folder / "keys" / CA_PUBLIC)
    stranger = client_context(guarded.folder / "keys" / CA_PUBLIC, guarded.folder / "stranger.pem")
    assert turned_away(guarded.port, bare)
    assert turned_away(guarded.port, stranger)
    assert not turned_away(guarded.port, guarded.context("b"))


def test_nothing_older_than_tls_1_3_is_spoken(guarded):
    old = ssl.create_default_context(cafile=guarded.folder / "keys" / CA_PUBLIC)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.load_cert_chain(guarded.folder / "a.pem")
    assert turned_away(guarded.port, old)


def test_a_box_believes_no_broker_of_another_programme_and_no_box_in_its_place(guarded):
    wrong = client_context(guarded.folder / "stranger" / CA_PUBLIC, guarded.folder / "a.pem")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(guarded.port, wrong)
    posing = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    posing.load_cert_chain(guarded.folder / "b.pem")
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = guarded.context("a").wrap_bio(down, up, server_hostname="127.0.0.1")
    server = posing.wrap_bio(up, down, server_side=True)
    for side in (client, server):
        with pytest.raises(ssl.SSLWantReadError):
            side.do_handshake()
    with pytest.raises(ssl.SSLCertVerificationError, match=r"(?i)purpose"):
        client.do_handshake()


async def test_a_revoked_box_is_cut_off_at_once_and_the_others_go_on(guarded):
    from chevet.relay import cli

    box, other, relay = guarded.line("a"), guarded.line("b"), guarded.relay("t/1/+/u/a")
    async with running(box, other, relay):
        for one in (box, other, relay):
            await one.until(Connected)
        words = ["site", "revoke", "a", "--config", str(guarded.folder / "relay.toml")]
        assert await asyncio.to_thread(cli.main, words) == 0
        await box.until(Disconnected)
        async with asyncio.timeout(PATIENCE_S):
            while b"going on" not in relay.payloads:  # mosquitto began anew: one is back first
                await other.say("t/1/b/u/a", b"going on")
                await asyncio.sleep(0.1)
        assert await asyncio.to_thread(turned_away, guarded.port, guarded.context("a"))
        assert box.count(Connected) == 1
