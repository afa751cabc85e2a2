"""Three RabbitMQ nodes on one machine with our configuration as written, and a balancer before them."""

import asyncio
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

BIN = Path("/usr/lib/rabbitmq/bin")
NODES = ("c1", "c2", "c3")
START_S = 240.0
"""Three virtual machines of Erlang on two loaded cores; 30 s where nothing else runs."""
EXTRA = """\
listeners.tcp = none
log.console = false
log.file.level = warning
cluster_name = chevet-test
cluster_formation.peer_discovery_backend = classic_config
{nodes}
"""


def installed() -> bool:
    return (BIN / "rabbitmq-server").exists()


def free_port() -> int:
    """A port below those that Linux gives to clients: some are used only after half a minute."""
    while True:
        with (
            suppress(OSError),
            socket.create_server(("127.0.0.1", random.randrange(10_000, 32_000))) as probe,
        ):
            return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@dataclass
class Cluster:
    """Nodes by name; `ports` is where each takes boxes."""

    folder: Path
    ports: dict[str, int]
    env: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def files(self, node: str) -> Path:
        return self.folder / node

    def start(self, node: str) -> None:
        home = self.folder / f"{node}-data"
        home.mkdir(exist_ok=True)
        env = self.env | {
            "RABBITMQ_NODENAME": f"{node}@localhost",
            "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_CONFIG_FILES": str(self.files(node) / "*.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.files(node) / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.files(node) / "enabled_plugins"),
        }
        said = (home / "out").open("ab")
        with said:
            self.running[node] = subprocess.Popen(
                [BIN / "rabbitmq-server"], env=env, stdout=said, stderr=said, start_new_session=True
            )

    def kill(self, node: str) -> None:
        """As when the power of one machine goes."""
        child = self.running.pop(node)
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()

    def wait(self, *nodes: str) -> None:
        until = time.monotonic() + START_S
        for node in nodes:
            while not answers(self.ports[node]):
                ended = self.running[node].poll()
                assert ended is None, f"{node} ended: {(self.folder / f'{node}-data' / 'out').read_text()}"
                assert time.monotonic() < until, f"{node} takes nobody in"
                time.sleep(0.2)

    def control(self, *words: str, node: str = "c1") -> str:
        command = [BIN / "rabbitmqctl", "--quiet", "--node", f"{node}@localhost", *words]
        return subprocess.run(command, env=self.env, check=True, text=True, capture_output=True).stdout

    def apply(self) -> None:
        """Run what an operator runs on one node after a change."""
        env = self.env | {"RABBITMQ_NODENAME": "c1@localhost", "PATH": f"{BIN}:{os.environ['PATH']}"}
        subprocess.run([self.files("c1") / "apply.sh"], env=env, check=True, capture_output=True)

    @asynccontextmanager
    async def balancer(self) -> AsyncIterator[int]:
        """Take connections on a port and hand each to the first node that answers."""

        async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for port in self.ports.values():
                try:
                    there, back = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    continue
                await asyncio.gather(_carry(reader, back), _carry(there, writer))
                return
            writer.close()

        server = await asyncio.start_server(join, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextmanager
def cluster(folder: Path, ports: dict[str, int]) -> Iterator[Cluster]:
    """Run three nodes whose files lie in `folder/<node>`; they end with everything they started."""
    epmd = free_port()
    env = {key: value for key, value in os.environ.items() if not key.startswith("RABBITMQ")}
    env |= {"HOME": str(folder), "ERL_EPMD_PORT": str(epmd), "ERL_EPMD_ADDRESS": "127.0.0.1"}
    cookie = folder / ".erlang.cookie"
    cookie.write_text("CHEVETTEST")
    cookie.chmod(0o400)
    names = "\n".join(f"cluster_formation.classic_config.nodes.{n} = {n}@localhost" for n in NODES)
    for node in NODES:
        (folder / node / "test.conf").write_text(EXTRA.format(nodes=names))
    program = shutil.which("epmd")
    assert program is not None, "Erlang brings it"
    mapper = subprocess.Popen([program, "-port", str(epmd)], env=env)
    found = Cluster(folder, ports, env)
    try:
        for nodes in (NODES[:1], NODES[1:]):  # one is there first, for the others to join
            for node in nodes:
                found.start(node)
            found.wait(*nodes)
        members = found.control("eval", "length(rabbit_nodes:all_running()).")
        assert members.strip() == "3", "the nodes did not find each other"
        found.apply()  # only now: a quorum queue that is made before lies on the nodes that are there
        yield found
    finally:
        for node in list(found.running):
            found.kill(node)
        mapper.kill()
        mapper.wait()
