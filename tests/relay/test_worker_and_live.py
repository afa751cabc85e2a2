"""The ingest worker on a line made of queues, and the desk's live channel."""

import asyncio
import logging
import os
import signal
import socket

import httpx
import pytest

from chevet.exchange.line import Acknowledged, Connected, Disconnected, Message
from chevet.exchange.messages import Complete, read
from chevet.exchange.topics import up
from chevet.relay.api import live
from chevet.relay.api.app import create_app
from chevet.relay.archive.answers import Note
from chevet.relay.archive.changes import KEPT, changed_since, last_change, tell
from chevet.relay.archive.objects import ObjectFolder
from chevet.relay.commands.run import serve, start_log
from chevet.relay.errors import ArchiveError
from chevet.relay.ingest import worker
from chevet.relay.ingest.worker import Ingest, relay_line
from chevet.study.bundle import pack

from .conftest import SECRET_NAME, deliver, messages, open_session


class QueueLine:
    """A Line whose broker is the test: what is published and acknowledged is kept in lists."""

    def __init__(self):
        self.queue, self.published, self.done, self.online = asyncio.Queue(), [], [], True

    async def run(self):
        await asyncio.Event().wait()

    async def events(self):
        while True:
            yield await self.queue.get()

    def publish(self, topic, payload, qos=1):
        if not self.online:
            return 0
        self.published.append((topic, payload))
        return len(self.published)

    def acknowledge(self, message):
        self.done.append(message.token)

    def arrive(self, payloads, topic=None):
        for number, payload in enumerate(payloads):
            self.queue.put_nowait(Message(topic or up("abc", "b"), payload, 1, number))


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what is awaited happens in another thread
            await asyncio.sleep(0.02)


@pytest.fixture
async def running(world):
    line = QueueLine()
    task = asyncio.create_task(Ingest(world.relay, line).run())
    yield line
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert not world.relay.broker_seen.online


async def test_the_broker_may_forget_a_message_only_after_it_is_stored(world, running, make_study):
    study = make_study()
    everything = messages(world.site.seal(pack(study)))
    running.queue.put_nowait(Connected())
    running.arrive(everything)
    await until(lambda: len(running.done) == len(everything))
    receipts = [read(payload) for topic, payload in running.published if topic == "t/1/abc/d/r"]
    assert [receipt.id for receipt in receipts if isinstance(receipt, Complete)] == [study.id]
    assert world.relay.broker_seen.online
    running.queue.put_nowait(Disconnected("ended"))
    await until(lambda: not world.relay.broker_seen.online)


async def test_a_full_disk_holds_the_line_until_there_is_room(
    world, running, make_study, monkeypatch, caplog
):
    monkeypatch.setattr(worker, "DISK_FULL_S", 0.05)
    everything = messages(world.site.seal(pack(make_study(recordings=()))))
    room = []

    def write(self, path, data, real=ObjectFolder._write):
        if not room:
            raise OSError(28, "No space left on device")
        real(self, path, data)

    monkeypatch.setattr(ObjectFolder, "_write", write)
    running.queue.put_nowait(Connected())
    running.arrive(everything)
    await until(lambda: "is full: free space there" in caplog.text)
    assert running.done == [0]
    room.append(True)
    await until(lambda: len(running.done) == len(everything))


async def test_an_archive_that_fails_keeps_the_worker_alive(world, running, make_study, monkeypatch, caplog):
    def fails(*_):
        raise ArchiveError("the archive is not well")

    with monkeypatch.context() as broken:
        broken.setattr(type(world.relay.inbox), "state", fails)
        broken.setattr(worker.Downlink, "outgoing", fails)
        running.arrive(messages(world.site.seal(pack(make_study())))[:1])
        await until(lambda: "its sender will repeat it" in caplog.text and "answers wait" in caplog.text)
    study = make_study()
    everything = messages(world.site.seal(pack(study)))
    running.arrive(everything)
    await until(lambda: len(running.done) == 1 + len(everything))
    assert world.relay.cases.open(study.id, world.user()).complete_ms is not None


async def test_a_fault_of_ours_costs_one_message_and_its_text_stays_out_of_the_log(
    world, running, make_study, monkeypatch, caplog
):
    def fails(*_):
        raise RuntimeError(SECRET_NAME)

    with monkeypatch.context() as broken:
        broken.setattr(type(world.relay.inbox), "state", fails)
        broken.setattr(worker.Downlink, "outgoing", fails)
        running.arrive(messages(world.site.seal(pack(make_study())))[:1])
        await until(lambda: "dropped by a fault" in caplog.text and "answers wait for a fault" in caplog.text)
    await until(lambda: running.done == [0])
    assert SECRET_NAME not in caplog.text


async def test_answers_that_another_process_stored_are_sent_and_acknowledged(world, running, sent):
    study, user = sent(), world.user()
    running.queue.put_nowait(Connected())
    await until(lambda: world.relay.broker_seen.online)
    world.relay.answers.send_message(study.id, user, Note("note", "", "", "", "Hello."))
    await until(lambda: sum(topic == "t/1/abc/d/q" for topic, _ in running.published) >= 3)
    running.queue.put_nowait(Acknowledged(1))
    running.queue.put_nowait(Acknowledged(999))
    await until(running.queue.empty)
    down = [topic for topic, _ in running.published if topic.startswith("t/1/abc/d/")]
    assert down.count("t/1/abc/d/q") >= 3  # manifest, summary and the note itself


async def test_the_line_is_what_the_settings_say(world):
    line = relay_line(world.settings.model_copy(update={"share": "relays", "worker": "two"}))
    assert line._subscriptions[0] == ("$share/relays/t/1/+/u/a", 1)
    (route,) = line._versions
    assert route.address.client_id == "chevet-two"
    assert line._manual_ack


async def test_one_signal_ends_desk_and_ingest_cleanly(world):
    listener = socket.create_server(("127.0.0.1", 0))
    host, port = listener.getsockname()
    with listener:
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        task = asyncio.create_task(serve(world.relay, listener))
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=60) as desk:
            assert (await desk.get("/api/status")).status_code == 200
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(60):
            await task
        for number, action in before.items():
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, action)
    assert not world.relay.broker_seen.online


def test_the_log_never_shows_less_than_it_should():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        start_log("warning")
        assert root.level == logging.WARNING
        assert logging.getLogger("uvicorn.access").level == logging.WARNING
    finally:
        root.handlers[:], root.level = handlers, level


class Desk:
    """A WebSocket of the desk, straight on the application."""

    def __init__(self, relay, headers):
        self.sent, self.heard = asyncio.Queue(), asyncio.Queue()
        self.sent.put_nowait({"type": "websocket.connect"})
        pairs = [
            (name.lower().encode(), value.encode()) for name, value in {"Host": "desk", **headers}.items()
        ]
        scope = {
            "type": "websocket",
            "path": "/api/live",
            "raw_path": b"/api/live",
            "root_path": "",
            "query_string": b"",
            "headers": pairs,
            "scheme": "ws",
            "subprotocols": [],
        }
        self.task = asyncio.create_task(create_app(relay)(scope, self.sent.get, self.heard.put))

    async def hear(self):
        async with asyncio.timeout(60):
            return await self.heard.get()

    async def leave(self):
        self.sent.put_nowait({"type": "websocket.disconnect", "code": 1001})
        async with asyncio.timeout(60):
            await self.task


def signed_in(world, role="specialist"):
    user = world.user(f"a-{role}", role)
    return {"Cookie": f"chevet_desk={open_session(world.relay, user)}"}, user


async def test_the_live_channel_says_what_changed_and_never_what_it_holds(world, make_study, monkeypatch):
    monkeypatch.setattr(live, "POLL_S", 0.01)
    polled, loop, real = asyncio.Event(), asyncio.get_running_loop(), live._since

    def since(relay, seen):
        loop.call_soon_threadsafe(polled.set)
        return real(relay, seen)

    monkeypatch.setattr(live, "_since", since)
    desk = Desk(world.relay, signed_in(world)[0])
    assert (await desk.hear())["type"] == "websocket.accept"
    desk.sent.put_nowait({"type": "websocket.receive", "text": "anything"})
    await polled.wait()
    study = make_study()
    deliver(world.receiver(), messages(world.site.seal(pack(study))))
    told = [(await desk.hear())["text"] for _ in range(2)]
    await desk.leave()
    assert study.id in told[0]
    assert told[1] == '{"type":"inbox"}'
    assert SECRET_NAME not in "".join(told)


@pytest.mark.parametrize(
    ("role", "headers", "code"),
    [
        (None, {}, live.NOT_SIGNED_IN),
        ("auditor", {}, live.NOT_ALLOWED),
        ("specialist", {"Origin": "http://elsewhere"}, live.NOT_ALLOWED),
    ],
)
async def test_the_live_channel_is_closed_to_strangers(world, role, headers, code):
    cookie = signed_in(world, role)[0] if role else {}
    desk = Desk(world.relay, {**cookie, **headers})
    assert (await desk.hear())["type"] == "websocket.accept"
    assert (await desk.hear())["code"] == code
    await desk.task


async def test_the_live_channel_ends_with_the_session(world, monkeypatch):
    monkeypatch.setattr(live, "POLL_S", 0.01)
    monkeypatch.setattr(live, "CHECK_SESSION_POLLS", 2)
    cookie, user = signed_in(world)
    desk = Desk(world.relay, {**cookie, "Origin": "http://desk"})
    assert (await desk.hear())["type"] == "websocket.accept"
    world.relay.users.disable(user.id)
    closing = await desk.hear()
    assert (closing["type"], closing["code"]) == ("websocket.close", live.NOT_SIGNED_IN)
    await desk.leave()


def test_old_changes_are_forgotten(world):
    with world.relay.database.write() as connection:
        for _ in range(KEPT + 2):
            tell(connection, "case", 0)
        assert last_change(connection) == KEPT + 2
        assert len(changed_since(connection, 0)) == KEPT + 2
        for _ in range(KEPT - 2):
            tell(connection, "case", 0)
        assert len(changed_since(connection, 0)) == KEPT
