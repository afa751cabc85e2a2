"""The near side of one run, started behind the link: puts studies and urgent messages, and says when."""

import asyncio
import http.client
import json
import os
import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from delivery_common import ADDRESS, CHUNK, PROGRAMME, RELAY_KEY, SITE, SITE_KEY, Task, near_tls, read_task

from chevet.edge.spool import Spool
from chevet.exchange.connection import BrokerAddress
from chevet.exchange.events import Settled
from chevet.exchange.line import Acknowledged, Connected, Disconnected, Line, LineEvent, Message
from chevet.exchange.sealing import Recipient, Sealed, seal
from chevet.exchange.sender import Sender
from chevet.exchange.topics import down, up
from chevet.study.bundle import Bundle, Part
from chevet.study.ids import uuid7
from chevet.study.study import EdgeClock

URGENT = [(0, 200)]


class Diary:
    """What happened here and when, by the machine's monotonic clock, which both sides share."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.put: dict[str, float] = {}
        self.urgent: dict[str, float] = {}
        self.settled: dict[str, float] = {}
        self.connected: list[float] = []
        self.disconnected: list[float] = []
        self.more: dict[str, Any] = {}
        self.began = False

    def online(self, now: float) -> None:
        """Note a connection; the first one starts the clock of the far side's cuts."""
        self.connected.append(now)
        if not self.began:
            self.began = True
            (Path(self.task.folder) / "connected").write_text(repr(now))

    def write(self) -> None:
        path = Path(self.task.folder) / "near.json"
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps({key: value for key, value in vars(self).items() if key != "task"}))
        draft.rename(path)


def sealed(parts: list[tuple[int, int]], priority: int, number: int) -> Sealed:
    rng = random.Random(number)
    ident = uuid7(time.time_ns() // 1_000_000, rng.randbytes(10))
    bundle = Bundle(
        ident,
        "study",
        ident,
        tuple(
            Part(
                oid, layer, "summary" if layer == 0 else "waveform", "application/x", "", rng.randbytes(size)
            )
            for oid, (layer, size) in enumerate(parts)
        ),
    )
    # three recipients, as a study has: programme, recovery, the site's own
    recipients = [Recipient(name, PROGRAMME.public_key()) for name in ("programme", "recovery", "site")]
    clock = EdgeClock(time.time_ns() // 1_000_000, "boot", time.monotonic())
    return seal(
        bundle,
        origin=SITE,
        seq=number,
        priority=priority,
        created=clock,
        recipients=recipients,
        signer=SITE_KEY,
        random=os.urandom,
    )


class Chevet:
    """The box's own Sender, spool and line."""

    def __init__(self, task: Task, diary: Diary, folder: Path) -> None:
        self.task, self.diary = task, diary
        self.spool = Spool(folder / "spool.db", lambda: time.time_ns() // 1_000_000)
        self.sender = Sender(self.spool, peer_key=RELAY_KEY.public_key())
        address = BrokerAddress(
            os.environ[ADDRESS],
            task.port,
            client_id="edge",
            tls=(lambda: near_tls(task.folder)) if task.tls else None,
        )
        self.line = Line(address, subscriptions=[(down(SITE, "r"), 1)], at_once=True)
        self.tokens: dict[int, int] = {}
        self.waiting = self.sealed = self.number = 0
        self.started = 0.0

    def put(self, parts: list[tuple[int, int]], priority: int) -> None:
        self.number += 1
        item = sealed(parts, priority, self.number)
        self.spool.put(item)
        self.sender.add(item.manifest)
        self.waiting += 1
        self.sealed += len(item.manifest) + sum(len(part.data) for part in item.objects)
        (self.diary.put if priority else self.diary.urgent)[item.id] = time.monotonic()

    async def run(self) -> None:
        line = asyncio.create_task(self.line.run())
        events = self.line.events()
        coming = asyncio.ensure_future(anext(events))
        plan = self._plan()
        while not self._over(plan):
            now = time.monotonic()
            while self.started and plan and plan[0][0] <= now - self.started:
                _, parts, priority = plan.pop(0)
                self.put(parts, priority)
            for message in self.sender.outgoing(now):
                token = self.line.publish(up(SITE, message.lane), message.payload, message.qos)
                if token:
                    self.tokens[token] = message.token
            wait = min(self.sender.next_wake(now) - now, 0.5)
            if plan and self.started:
                wait = min(wait, plan[0][0] + self.started - now)
            await asyncio.wait({coming}, timeout=max(wait, 0.0))
            if coming.done():
                self._happened(coming.result(), time.monotonic())
                coming = asyncio.ensure_future(anext(events))
        self.diary.more = {
            "sealed": self.sealed,
            "chunks_sent": self.sender.traffic.chunks_sent,
            "chunks_repeated": self.sender.traffic.chunks_repeated,
            "window": self.sender.window.size,
            "rate": self.sender.window.rate,
            "base_s": self.sender.window.base_s,
        }
        coming.cancel()
        line.cancel()
        await asyncio.gather(line, coming, return_exceptions=True)

    def _plan(self) -> list[tuple[float, list[tuple[int, int]], int]]:
        """Return what is put when, in seconds from the first connection."""
        task = self.task
        plan = [(task.wait_s, parts, 1) for parts in task.studies]
        plan += [(task.wait_s + 2.0 + n * task.urgent_every, URGENT, 0) for n in range(task.urgents)]
        return sorted(plan, key=lambda item: item[0])

    def _over(self, plan: list[tuple[float, list[tuple[int, int]], int]]) -> bool:
        there = bool(self.started) and not plan and not self.waiting
        return there and time.monotonic() - self.started >= self.task.keep_s

    def _happened(self, event: LineEvent, now: float) -> None:
        match event:
            case Connected():
                self.started = self.started or now
                self.diary.online(now)
                self.sender.connected(now)
            case Disconnected():
                self.diary.disconnected.append(now)
                self.tokens.clear()
                self.sender.disconnected(now)
            case Acknowledged():
                token = self.tokens.pop(event.token, 0)
                if token:
                    self.sender.acknowledged(token, now)
            case Message():
                for news in self.sender.receive(event.payload, now):
                    if isinstance(news, Settled):
                        self.waiting -= 1
                        self.diary.settled[news.id] = now


def plain_paho(task: Task, diary: Diary) -> None:
    """Everything handed to paho at once, as most programs do."""
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    client = Client(CallbackAPIVersion.VERSION2, client_id="plain")
    client.max_inflight_messages_set(200)
    up_again = threading.Event()

    def on_connect(*_: object) -> None:
        diary.online(time.monotonic())
        up_again.set()

    client.on_connect = on_connect
    client.on_disconnect = lambda *_: diary.disconnected.append(time.monotonic())
    if task.tls:
        client.tls_set_context(near_tls(task.folder))
    client.connect(os.environ[ADDRESS], task.port)
    client.loop_start()
    up_again.wait(60)
    begun = time.monotonic()
    time.sleep(task.wait_s)
    waiting = []
    for number, study in enumerate(task.studies):
        ident = f"s{number:03d}"
        diary.put[ident] = time.monotonic()
        size = sum(part for _, part in study)
        for at in range(0, size, CHUNK):
            head = f"{ident} {at} {size} ".encode()
            waiting.append(client.publish("t/1/abc/u/b", head + os.urandom(min(CHUNK, size - at)), qos=1))
    for number in range(task.urgents):
        time.sleep(max(0.0, begun + task.wait_s + 2.0 + number * task.urgent_every - time.monotonic()))
        ident = f"u{number:03d}"
        diary.urgent[ident] = time.monotonic()
        waiting.append(client.publish("t/1/abc/u/a", f"{ident} 0 200 ".encode() + os.urandom(200), qos=1))
    for message in waiting:
        message.wait_for_publish(600)
    time.sleep(max(0.0, begun + task.keep_s - time.monotonic()))
    client.disconnect()
    client.loop_stop()


def tus(task: Task, diary: Diary) -> None:
    """Resumable upload by HTTP as tus 1.0 does: create, then PATCH the whole of it, one after the other."""
    _upload("HEAD", task, diary)  # opens the first connection
    begun = diary.connected[0]
    time.sleep(task.wait_s)

    def urgent() -> None:
        for number in range(task.urgents):
            time.sleep(max(0.0, begun + task.wait_s + 2.0 + number * task.urgent_every - time.monotonic()))
            diary.urgent[f"u{number:03d}"] = time.monotonic()
            other.upload(f"u{number:03d}", 200)

    client, other = Tus(task, diary), Tus(task, diary)
    beside = threading.Thread(target=urgent)
    beside.start()
    for number, study in enumerate(task.studies):
        ident = f"s{number:03d}"
        diary.put[ident] = time.monotonic()
        client.upload(ident, sum(part for _, part in study))
    beside.join()
    time.sleep(max(0.0, begun + task.keep_s - time.monotonic()))


class Tus:
    """One tus client with one kept-alive connection."""

    def __init__(self, task: Task, diary: Diary) -> None:
        self.task, self.diary = task, diary
        self.connection: http.client.HTTPConnection | None = None

    def upload(self, ident: str, size: int) -> None:
        data, offset, created = os.urandom(size), 0, False
        while True:
            try:
                if not created:
                    self._ask("POST", f"/{ident}", {"Upload-Length": str(size)}, b"")
                    created = True
                else:
                    offset = int(self._ask("HEAD", f"/{ident}", {}, b"") or 0)
                if offset >= size:
                    return
                head = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
                self._ask("PATCH", f"/{ident}", head, data[offset:])
            except (OSError, http.client.HTTPException):
                self.diary.disconnected.append(time.monotonic())
                self.connection = None
                time.sleep(1.0)
            else:
                return

    def _ask(self, method: str, path: str, head: dict[str, str], body: bytes) -> str:
        if self.connection is None:
            self.connection = _connection(self.task)
        self.connection.request(method, path, body, {"Tus-Resumable": "1.0.0"} | head)
        answer = self.connection.getresponse()
        answer.read()
        return answer.headers.get("Upload-Offset", "")


def _connection(task: Task) -> http.client.HTTPConnection:
    host = os.environ[ADDRESS]
    if task.tls:
        return http.client.HTTPSConnection(host, task.port, timeout=30, context=near_tls(task.folder))
    return http.client.HTTPConnection(host, task.port, timeout=30)


def _upload(method: str, task: Task, diary: Diary) -> None:
    connection = _connection(task)
    connection.request(method, "/hello")
    connection.getresponse().read()
    connection.close()
    diary.online(time.monotonic())


def main() -> None:
    task = read_task(sys.argv[1])
    diary = Diary(task)
    with tempfile.TemporaryDirectory() as folder:
        if task.system == "chevet":
            asyncio.run(Chevet(task, diary, Path(folder)).run())
        elif task.system == "paho":
            plain_paho(task, diary)
        else:
            tus(task, diary)
    diary.write()


if __name__ == "__main__":
    main()
