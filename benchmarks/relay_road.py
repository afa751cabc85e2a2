"""How studies travel in the relay's benchmarks: broker, processes of the relay, sites behind one line."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from relay_common import fakes

from chevet.exchange.connection import BrokerAddress
from chevet.exchange.events import Settled
from chevet.exchange.line import Acknowledged, Connected, Line, Message
from chevet.exchange.messages import Chunk, read
from chevet.exchange.sealing import Sealed
from chevet.exchange.sender import Sender
from chevet.exchange.topics import PREFIX, parse, up

PATIENCE_S = 120.0
"""How long after the last study everything may take to arrive before it counts as lost."""


@dataclass
class Road:
    """All sites behind one line: when each study was given, its last piece went, and its receipt came."""

    sites: dict[str, Any]
    relay_key: Ed25519PublicKey
    senders: dict[str, Sender] = field(default_factory=dict)
    outboxes: dict[str, Any] = field(default_factory=dict)
    given: dict[str, float] = field(default_factory=dict)
    last_piece: dict[str, float] = field(default_factory=dict)
    receipts: dict[str, float] = field(default_factory=dict)
    tokens: dict[int, tuple[str, int]] = field(default_factory=dict)
    of_tid: dict[bytes, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Give every site a sender."""
        for code in self.sites:
            self.outboxes[code] = fakes.MemoryOutbox()
            self.senders[code] = Sender(self.outboxes[code], peer_key=self.relay_key)


def free_port() -> int:
    """Return a port of loopback that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def start(*words: str) -> subprocess.Popen[str]:
    """Start a command of the relay."""
    command = [
        sys.executable,
        "-c",
        "import sys; from chevet.relay.cli import main; sys.exit(main())",
        *words,
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


@contextmanager
def broker() -> Iterator[int]:
    """Run mosquitto where it is installed, else the embedded broker; give its port."""
    port = free_port()
    engine = "mosquitto" if shutil.which("mosquitto", path="/usr/sbin:/usr/bin") else "iotcore"
    process = start("broker", "--port", str(port), "--engine", engine)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("READY")
    try:
        yield port
    finally:
        process.terminate()
        process.wait(30)


def wait_for(port: int) -> None:
    """Wait until somebody listens there."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise TimeoutError(f"no worker answers on port {port}")


async def send(
    road: Road, port: int, studies: list[tuple[str, Sealed]], due_s: Sequence[float], pids: list[int]
) -> list[float]:
    """Let each study come when it is due and go as senders let it; return memory each second, MiB."""
    topics = [(f"{PREFIX}/+/d/{lane}", 1) for lane in ("r", "q")]
    line = Line(BrokerAddress("127.0.0.1", port, "sites"), subscriptions=topics)
    running = asyncio.create_task(line.run())
    listening = asyncio.create_task(_listen(road, line))
    memory: list[float] = []
    begun = time.monotonic()
    try:
        given, sampled = 0, 0.0
        while len(road.receipts) < len(studies):
            now = time.monotonic()
            while given < len(studies) and now >= begun + due_s[given]:
                _give(road, *studies[given])
                given += 1
            _publish(road, line, now)
            if now - sampled >= 1:
                sampled = now
                memory.append(sum(map(resident_mib, pids)))
            if now > begun + due_s[-1] + PATIENCE_S:
                break
            await asyncio.sleep(0.005)
    finally:
        for task in (listening, running):
            task.cancel()
        await asyncio.gather(listening, running, return_exceptions=True)
    return memory


def _give(road: Road, code: str, sealed: Sealed) -> None:
    road.outboxes[code].put(sealed)
    road.of_tid[sealed.tid] = sealed.id
    road.senders[code].add(sealed.manifest)
    road.given[sealed.id] = time.monotonic()


def _publish(road: Road, line: Line, now: float) -> None:
    for code, sender in road.senders.items():
        for item in sender.outgoing(now):
            token = line.publish(up(code, item.lane), item.payload, item.qos)
            if token and item.token:
                road.tokens[token] = (code, item.token)
            sent = read(item.payload)
            if isinstance(sent, Chunk):
                road.last_piece[road.of_tid[sent.tid]] = now


async def _listen(road: Road, line: Line) -> None:
    async for event in line.events():
        now = time.monotonic()
        match event:
            case Connected():
                for sender in road.senders.values():
                    sender.connected(now)
            case Acknowledged(token):
                if token in road.tokens:
                    code, own = road.tokens.pop(token)
                    road.senders[code].acknowledged(own, now)
            case Message():
                code, _, _ = parse(event.topic)
                for told in road.senders[code].receive(event.payload, now):
                    if isinstance(told, Settled):
                        road.receipts[told.id] = now


def resident_mib(pid: int) -> float:
    """Return the memory a process has, MiB; 0 where it is gone."""
    with contextlib.suppress(OSError):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
    return 0.0


def cpu_s(pid: int) -> float:
    """Return the processor time a process took, s; 0 where it is gone."""
    with contextlib.suppress(OSError):
        parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0
