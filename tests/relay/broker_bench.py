"""The real brokers behind mutual TLS, with a programme of two sites, and clients that keep what they hear."""

import asyncio
import functools
import os
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from chevet.exchange.connection import BrokerAddress
from chevet.exchange.line import Acknowledged, Disconnected, Line, Message
from chevet.exchange.tls import client_context, key_and_certificate, new_tls_key, request
from chevet.relay import cli
from chevet.relay.accounts.passwords import Cost
from chevet.relay.authority import CA_PUBLIC, moment, name_at_broker, open_authority
from chevet.relay.keys import make_programme
from chevet.relay.relay import open_relay, unix_ms
from chevet.relay.settings import read_settings

from .conftest import Site
from .rabbit_cluster import NODES, Cluster, cluster, free_port, installed

PATIENCE_S = 60.0
MQTT_5 = b"\x10\x11\0\4MQTT\5\2\0\x3c\0\0\4none"
MQTT_311 = b"\x10\x10\0\4MQTT\4\2\0\x3c\0\4none"
SECRET = "0123456789"
ENV = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
RUN = "import sys; from chevet.relay.cli import main; sys.exit(main())"
WRITE = ("broker", "--engine", "rabbitmq", "--worker", "relay-1", "--worker", "relay-2")


@dataclass
class Guarded:
    """A broker by TLS and whom it knows."""

    folder: Path
    port: int
    engine: str
    cluster: Cluster | None = None

    def context(self, name: str) -> ssl.SSLContext:
        return client_context(self.folder / "keys" / CA_PUBLIC, self.folder / f"{name}.pem")

    def line(
        self,
        name: str,
        *topics: str,
        client_id: str = "",
        protocol: str = "auto",
        port: int = 0,
        keeps: bool = False,
    ) -> "Client":
        """A client that comes with this certificate, under a name that nobody guesses unless one is given."""
        address = BrokerAddress(
            "127.0.0.1",
            port or self.port,
            client_id=client_id or f"edge-{name}-{SECRET}",
            tls=lambda: self.context(name),
            protocol=protocol,
            session_expiry_s=3600 if keeps else 0,
        )
        wanted = [(topic, 1) for topic in topics]
        return Client(Line(address, subscriptions=wanted, manual_ack=keeps, jitter=lambda: 0.0))

    def relay(self, *topics: str) -> "Client":
        return self.line("relay", *topics, client_id=f"chevet-suite-{SECRET}")

    def worker(self, name: str, *topics: str, port: int = 0) -> "Client":
        """A worker under the name that its own settings give it, with a session that the broker keeps."""
        known = name_at_broker(read_settings(self.folder / "relay.toml"), name)
        return self.line("relay", *topics, client_id=known, port=port, keeps=True)

    def command(self, *words: str) -> None:
        assert cli.main([*words, "--config", str(self.folder / "relay.toml")]) == 0

    def write_nodes(self) -> None:
        """Write the cluster's files anew, as an operator does."""
        assert self.cluster is not None
        for node, port in self.cluster.ports.items():
            self.command(*WRITE, "--port", str(port), "--write", str(self.cluster.files(node)))

    def revoke(self, site: str) -> None:
        """Shut a site out, by all that its operator does for it."""
        self.command("site", "revoke", site)
        if self.cluster is not None:
            self.write_nodes()
            self.cluster.apply()


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
            if isinstance(event, Message):
                self.line.acknowledge(event)

    async def until(self, kind: type) -> None:
        await when(lambda: self.count(kind) > 0)

    async def more_than(self, events: int) -> None:
        await when(lambda: len(self.heard) > events)

    async def heard_payload(self, payload: bytes) -> None:
        await when(lambda: payload in self.payloads)

    async def say(self, topic: str, payload: bytes) -> None:
        """Publish until the broker has this very message, over as many connections as that takes."""
        token = 0
        while token not in self.acknowledged:
            await when(lambda: self.line.online)
            ends, token = self.count(Disconnected), self.line.publish(topic, payload)
            told = functools.partial(self._told, token, ends)
            await when(told)

    def _told(self, token: int, ends: int) -> bool:
        return token in self.acknowledged or self.count(Disconnected) > ends or not self.line.online

    @property
    def acknowledged(self) -> set[int]:
        return {event.token for event in self.heard if isinstance(event, Acknowledged)}


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


def shake(port: int, context: ssl.SSLContext, connect: bytes = MQTT_5) -> bytes:
    """Shake hands, say CONNECT, and return what comes; with TLS 1.3 a refusal shows only when one reads."""
    with (
        socket.create_connection(("127.0.0.1", port), 20) as raw,
        context.wrap_socket(raw, server_hostname="127.0.0.1") as shaken,
    ):
        shaken.settimeout(20)
        shaken.sendall(connect)
        return shaken.recv(1)


def turned_away(guarded: Guarded, context: ssl.SSLContext) -> bool:
    connect = MQTT_311 if guarded.engine == "rabbitmq" else MQTT_5
    try:
        return shake(guarded.port, context, connect) == b""
    except (ssl.SSLError, ConnectionError):
        return True


@contextmanager
def guarded_by(engine: str, folder: Path) -> Iterator[Guarded]:
    """Run one of the brokers for a programme made in `folder`."""
    if engine == "mosquitto" and not shutil.which("mosquitto", path="/usr/sbin:/usr/bin"):
        pytest.skip("mosquitto is not installed: apt install mosquitto")
    if engine == "rabbitmq" and not os.environ.get("CHEVET_RABBITMQ"):
        pytest.skip("three nodes of RabbitMQ take a minute: `make brokers` runs this suite over them too")
    if engine == "rabbitmq" and not installed():
        pytest.skip("RabbitMQ is not installed: apt install rabbitmq-server")
    port = free_port()
    furnish(folder, port)
    with (_nodes if engine == "rabbitmq" else _process)(engine, folder, port) as found:
        yield found


@contextmanager
def _process(engine: str, folder: Path, port: int) -> Iterator[Guarded]:
    config = str(folder / "relay.toml")
    words = ["broker", "--config", config, "--engine", engine, "--host", "127.0.0.1"]
    command = [sys.executable, "-c", RUN, *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENV)
    try:
        assert process.stdout.readline() == f"READY {engine} 127.0.0.1:{port} by mutual TLS 1.3\n"
        yield Guarded(folder, port, engine)
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
    assert process.returncode == 0


@contextmanager
def _nodes(engine: str, folder: Path, port: int) -> Iterator[Guarded]:
    ports = {node: free_port() for node in NODES} | {NODES[0]: port}
    found = Guarded(folder, port, engine, Cluster(folder, ports, {}))
    found.write_nodes()
    with cluster(folder, ports) as running:
        found.cluster = running
        yield found
