"""The far side of one run: broker or server, the relay's Receiver, and the link between."""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from delivery_common import RELAY_KEY, SITE, SITE_KEY, Task, far_tls, make_certificates

from chevet.exchange.connection import BrokerAddress
from chevet.exchange.events import Completed, ObjectStored, Reply
from chevet.exchange.line import Line, Message
from chevet.exchange.receiver import Receiver
from chevet.exchange.topics import all_up, down, parse
from chevet.sim.link.clockwork import Clockwork
from chevet.sim.link.profiles import Profile
from chevet.sim.link.tun import Forwarder, Tunnel, open_tunnel
from chevet.sim.memory_inbox import MemoryInbox

HERE = Path(__file__).parent
MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
LOCAL_PORTS = 10_000  # the broker's plain listener for the relay is so much above its TLS one


@dataclass
class Seen:
    """What arrived and when, by the machine's monotonic clock."""

    objects: dict[str, dict[int, float]] = field(default_factory=dict)
    complete: dict[str, float] = field(default_factory=dict)
    fresh: list[float] = field(default_factory=list)
    duplicates: int = 0


class Inbox(MemoryInbox):
    """The relay's store, in memory: this measures the link, not a disk."""

    def __init__(self, seen: Seen) -> None:
        super().__init__()
        self.seen = seen

    def store(self, tid: bytes, oid: int, seq: int, data: bytes) -> bool:
        """Keep a chunk and when it came."""
        if not super().store(tid, oid, seq, data):
            self.seen.duplicates += 1
            return False
        self.seen.fresh.append(time.monotonic())
        return True

    def bury(self, _origin: str, _payload: bytes, reason: str) -> None:
        """Stop the run: no message of this benchmark is to be unreadable."""
        raise AssertionError(f"nothing is to be buried here: {reason}")


async def relay(task: Task, address: str, seen: Seen) -> None:
    """Receive as the relay does."""
    receiver = Receiver(Inbox(seen), signer=RELAY_KEY, origin_key=lambda _: SITE_KEY.public_key())
    port = task.port + LOCAL_PORTS if task.tls else task.port
    line = Line(BrokerAddress(address, port), subscriptions=[(all_up(lane), 1) for lane in "apb"])
    running = asyncio.create_task(line.run())
    try:
        async for event in line.events():
            if not isinstance(event, Message):
                continue
            now = time.monotonic()
            if task.system == "paho":
                _plain(event.payload, seen, now)
                continue
            for answer in receiver.receive(parse(event.topic)[0], event.payload, now):
                match answer:
                    case Reply():
                        line.publish(down(SITE, "r"), answer.payload)
                    case ObjectStored(manifest=manifest, layer=layer):
                        seen.objects.setdefault(manifest.id, {}).setdefault(layer, now)
                    case Completed(manifest=manifest):
                        seen.complete[manifest.id] = now
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _plain(payload: bytes, seen: Seen, now: float) -> None:
    ident, at, size, _ = payload.split(b" ", 3)
    got = _PLAIN.setdefault(ident.decode(), set())
    seen.duplicates += int(at) in got
    got.add(int(at))
    seen.fresh.append(now)
    if len(got) == -(-int(size) // 4096):
        seen.complete.setdefault(ident.decode(), now)


_PLAIN: dict[str, set[int]] = {}


async def tus_server(task: Task, address: str, seen: Seen) -> None:
    """As much of tus 1.0 as an upload needs; it keeps what came when a PATCH breaks off."""
    have: dict[str, int] = {}
    sizes: dict[str, int] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n"):
                method, path, _ = head[0].split(" ")
                fields = {
                    key.lower(): value.strip() for key, _, value in (row.partition(":") for row in head[1:])
                }
                ident = path.strip("/")
                if method == "POST":
                    sizes[ident] = int(fields["upload-length"])
                    have.setdefault(ident, 0)
                left = int(fields.get("content-length", 0))
                while left:
                    data = await reader.read(min(left, 65_536))
                    if not data:
                        return
                    left -= len(data)
                    have[ident] = have.get(ident, 0) + len(data)
                    seen.fresh.append(time.monotonic())
                    if have[ident] == sizes.get(ident):
                        seen.complete.setdefault(ident, time.monotonic())
                status = "201 Created" if method == "POST" else "204 No Content"
                writer.write(
                    f"HTTP/1.1 {status}\r\nTus-Resumable: 1.0.0\r\nContent-Length: 0\r\n"
                    f"Upload-Offset: {have.get(ident, 0)}\r\n\r\n".encode()
                )
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    context = far_tls(task.folder) if task.tls else None
    server = await asyncio.start_server(serve, address, task.port, ssl=context)
    async with server:
        await server.serve_forever()


def broker(task: Task, address: str) -> subprocess.Popen[bytes]:
    """Start mosquitto, or the embedded broker where it is not installed (without TLS)."""
    folder = Path(task.folder)
    if MOSQUITTO is None:
        words = [
            sys.executable,
            "-m",
            "chevet.relay.cli",
            "broker",
            "--host",
            address,
            "--port",
            str(task.port),
        ]
        return subprocess.Popen(words, stdout=subprocess.DEVNULL)
    lines = [
        "persistence false",
        "allow_anonymous true",
        "user root",
        "max_queued_messages 0",
        "set_tcp_nodelay true",
    ]
    lines += [f"listener {task.port} {address}"]
    if task.tls:
        lines += [f"{key} {folder}/{name}" for key, name in _BROKER_FILES.items()]
        lines += ["tls_version tlsv1.3", "require_certificate true"]
        lines += [f"listener {task.port + LOCAL_PORTS} {address}"]
    (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
    return subprocess.Popen([MOSQUITTO, "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL)


_BROKER_FILES = {"cafile": "ca.crt", "certfile": "far.crt", "keyfile": "far.key"}


async def one_run(task: Task, profile: Profile, seed: int, limit_s: float) -> dict[str, Any]:
    """Run one task over one link; return what both sides saw and what passed on the link."""
    seen = Seen()
    with tempfile.TemporaryDirectory() as folder:
        task = replace(task, folder=folder)
        tunnel = open_tunnel([sys.executable, str(HERE / "delivery_near.py"), str(task.write())])
        try:
            make_certificates(Path(folder), tunnel.far_address)
            return await _with_server(task, tunnel, profile, seed, seen, limit_s)
        finally:
            tunnel.close()


async def _with_server(
    task: Task, tunnel: Tunnel, profile: Profile, seed: int, seen: Seen, limit_s: float
) -> dict[str, Any]:
    serve = tus_server if task.system == "tus" else relay
    process = None if task.system == "tus" else broker(task, tunnel.far_address)
    tasks = [asyncio.create_task(serve(task, tunnel.far_address, seen))]
    try:
        await asyncio.sleep(2.0)  # the broker and the relay's subscription
        clockwork = Clockwork(profile)
        forwarder = Forwarder(tunnel, profile, clockwork, seed)
        tunnel.start()
        tasks.append(asyncio.create_task(forwarder.run()))
        cut: dict[str, float] = {}
        if task.cut_s:
            tasks.append(asyncio.create_task(_cut_once(task, clockwork, cut)))
        ended = asyncio.to_thread(tunnel.command.wait, limit_s)
        try:
            await ended
        except subprocess.TimeoutExpired:
            return {"failed": f"not done within {limit_s:.0f} s"}
        near = Path(task.folder) / "near.json"
        if not near.exists():
            return {"failed": f"the near side ended with code {tunnel.command.returncode}"}
        return {
            "cut": cut,
            "near": json.loads(near.read_text()),
            "seen": vars(seen),
            "up": vars_of(forwarder.up.counted),
            "down": vars_of(forwarder.down.counted),
        }
    finally:
        for task_ in tasks:
            task_.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if process is not None:
            process.terminate()
            process.wait()


async def _cut_once(task: Task, clockwork: Clockwork, cut: dict[str, float]) -> None:
    """Cut the link for a while, some time after the near side's first connection."""
    while not (Path(task.folder) / "connected").exists():  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.05)
    await asyncio.sleep(task.cut_at)
    cut["begins"] = time.monotonic()
    clockwork.toggle()
    await asyncio.sleep(task.cut_s)
    clockwork.toggle()
    cut["ends"] = time.monotonic()


def vars_of(counted: Any) -> dict[str, int]:
    return {name: getattr(counted, name) for name in counted.__slots__}


def main() -> None:
    """One run as a process of its own: task, profile and seed come as JSON, what was seen goes out so."""
    words = json.loads(sys.argv[1])
    profile = Profile(**words["profile"])
    found = asyncio.run(one_run(Task(**words["task"]), profile, words["seed"], words["limit_s"]))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
