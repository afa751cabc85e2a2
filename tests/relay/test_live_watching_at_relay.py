"""A desk that watches: who may, what the box hears of it, what the desk is shown, what the audit keeps."""

import asyncio
import json
import os
from contextlib import asynccontextmanager

import numpy as np
import pytest
from sqlalchemy import select

from chevet.devices.samples import Channel
from chevet.exchange.line import Connected, Message
from chevet.exchange.live_sender import LiveSender
from chevet.exchange.live_watch import read_watch
from chevet.exchange.live_wire import DELTA, OPUS, Section, Stream, pack_deltas, pack_packets
from chevet.exchange.topics import down, up
from chevet.relay.api import live, live_watch
from chevet.relay.api.app import create_app
from chevet.relay.archive.schema import audit
from chevet.relay.errors import RefusedError
from chevet.relay.live import room as room_module
from chevet.relay.live.room import LiveRoom, live_line
from chevet.relay.live.viewer import FRAMES_AT_MOST, SILENT_S
from chevet.sim.screens import read_wave
from chevet.study.sound_stream import OpusStream

from .conftest import open_session

ECG = Stream(1, "ecg", DELTA, 250.0, (Channel("II", "mV", 250.0, 0.001),))
SOUND = Stream(2, "stethoscope", OPUS, 8000.0, (Channel("sound", "1", 8000.0, 2.0**-15),))
FAST = 1e6


class BoxLine:
    """A line at whose other end a box answers every word."""

    def __init__(self, world):
        self.world, self.queue, self.online, self.words = world, asyncio.Queue(), True, []
        self.sender = LiveSender(
            relay_key=world.relay.keys.relay.public_key(),
            signer=world.site.signer,
            recipients=lambda: [world.relay.keys.programme.public_key()],
            random=os.urandom,
        )
        self.simulated, self.number = False, 0

    async def run(self):
        await asyncio.Event().wait()

    async def events(self):
        yield Connected()
        while True:
            yield await self.queue.get()

    def publish(self, topic, payload, qos=1, *, retain=False, expiry_s=0):
        assert topic == down("abc", "k")
        assert (qos, expiry_s) == (1, room_module.WORD_EXPIRY_S)
        self.words.append(read_watch(payload, self.world.relay.keys.relay.public_key()))
        now = self.now()
        self.sender.watch(payload, now)
        for opening in self.sender.openings("live", [ECG, SOUND], {}, now, simulated=self.simulated):
            self.arrive(opening)
        return 1

    def arrive(self, payload, topic=None):
        self.queue.put_nowait(Message(topic or up("abc", "l"), payload, 0, 0))

    def beat(self, *sections):
        """One frame of these, or of 25 samples of the ECG."""
        wave = Section(1, 25 * self.number, 25, pack_deltas(np.full((1, 25), self.number, np.int32)))
        self.number += 1
        now = self.now()
        data = self.sender.frame(sections or [wave], now, now, measured=FAST, simulated=self.simulated)
        assert data is not None
        return data

    @staticmethod
    def now():
        return asyncio.get_running_loop().time()


class Desk:
    """The WebSocket of an open case, straight on the application."""

    def __init__(self, app, case, headers):
        self.sent, self.heard = asyncio.Queue(), asyncio.Queue()
        self.sent.put_nowait({"type": "websocket.connect"})
        pairs = [
            (name.lower().encode(), value.encode()) for name, value in {"Host": "desk", **headers}.items()
        ]
        path = f"/api/cases/{case}/live"
        scope = {
            "type": "websocket",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "scheme": "ws",
        }
        scope |= {"query_string": b"", "headers": pairs, "subprotocols": []}
        self.task = asyncio.create_task(app(scope, self.sent.get, self.heard.put))

    async def hear(self, good):
        """Wait for a message that is good."""
        async with asyncio.timeout(30):
            while True:
                message = await self.heard.get()
                if good(message):
                    return message

    async def told(self, good):
        def is_good(message):
            words = json.loads(message.get("text") or "{}")
            return words.get("type") == "live" and good(words)

        return json.loads((await self.hear(is_good))["text"])

    async def leave(self):
        self.sent.put_nowait({"type": "websocket.disconnect", "code": 1001})
        async with asyncio.timeout(30):
            await self.task


@asynccontextmanager
async def room_of(line, monkeypatch):
    """The relay's room at the near end of a line, as long as the block runs."""
    monkeypatch.setattr(room_module, "TICK_S", 0.01)
    line.room = LiveRoom(line.world.relay, line)
    task = asyncio.create_task(line.room.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def line(world, monkeypatch):
    monkeypatch.setattr(live_watch, "STATE_EVERY_S", 0.05)
    found = BoxLine(world)
    async with room_of(found, monkeypatch):
        yield found


def cookie(world, role="specialist"):
    return {"Cookie": f"chevet_desk={open_session(world.relay, world.user(f'a-{role}', role))}"}


def audited(world):
    with world.relay.database.read() as connection:
        return [(row.what, row.subject) for row in connection.execute(select(audit).order_by(audit.c.seq))]


async def test_a_desk_that_watches_sees_frames_and_gaps_and_the_audit_says_so(world, line, sent):
    study = sent()
    desk = Desk(create_app(world.relay, line.room), study.id, cookie(world))
    told = await desk.told(lambda words: words["state"] == "live")
    assert (told["frames"], told["label"], told["patient"]) == (0, "", "unknown")
    assert [one["device"] for one in told["streams"]] == ["ecg", "stethoscope"]
    assert line.words[0].case == study.id
    lost = line.beat()
    for payload in (line.beat(), line.beat(), lost[:-1], b"noise"):
        line.arrive(payload)
    line.arrive(line.beat(), topic="t/1/abc/u/b")
    line.arrive(line.beat(), topic="t/1/other/u/l")
    line.arrive(line.beat())
    firsts = []
    while len(firsts) < 3:
        wave = read_wave((await desk.hear(lambda message: message.get("bytes")))["bytes"])
        assert (wave.header["device"], wave.header["layer"]) == ("ecg", "live")
        firsts.append(wave.header["first"])
    assert firsts == [25, 50, 125]
    told = await desk.told(lambda words: words["frames"] == 3)
    assert (told["gaps"], told["lost"]) == (1, 2)
    assert told["latency_ms"] is not None
    desk.sent.put_nowait({"type": "websocket.receive", "text": '{"ping": 12.5}'})
    pong = await desk.hear(lambda message: "pong" in (message.get("text") or ""))
    assert json.loads(pong["text"]) == {"type": "pong", "ping": 12.5}
    await desk.leave()
    assert line.words[-1].for_ms == 0
    assert [item for item in audited(world) if item[0].startswith("live.")] == [
        ("live.watched", study.id),
        ("live.ended", study.id),
    ]


async def test_sound_comes_as_pcm(world, line, sent):
    desk = Desk(create_app(world.relay, line.room), sent().id, cookie(world))
    await desk.told(lambda words: words["state"] == "live")
    tone = 0.5 * np.sin(2 * np.pi * 200 * np.arange(8000) / 8000)
    packets = OpusStream(8000, 16_000).feed(tone)
    for at in range(0, 20, 5):
        line.arrive(line.beat(Section(2, 160 * at, 800, pack_packets(packets[at : at + 5]))))
    line.arrive(line.beat(Section(2, 9000, 160, pack_packets([b"\x0bxx"]))))
    waves = [read_wave((await desk.hear(lambda m: m.get("bytes")))["bytes"]) for _ in range(4)]
    assert [wave.header["first"] for wave in waves] == [0, 800, 1600, 2400]
    loud = np.abs(np.frombuffer(waves[-1].payload, "<i2")).max()
    assert 0.4 < loud / 32768 < 0.6
    await desk.leave()


async def test_simulated_signals_never_reach_a_clinical_desk(world, line, sent):
    line.simulated = True
    desk = Desk(create_app(world.relay, line.room), sent().id, cookie(world))
    told = await desk.told(lambda words: words["state"] == "simulated")
    assert told["label"] == "HTEST"
    line.arrive(line.beat())
    await desk.told(lambda words: words["frames"] == 1)
    assert not any(message.get("bytes") for message in list(desk.heard._queue))
    await desk.leave()


@pytest.mark.parametrize(
    ("role", "headers", "code"),
    [
        (None, {}, live.NOT_SIGNED_IN),
        ("auditor", {}, live.NOT_ALLOWED),
        ("coordinator", {}, live.NOT_ALLOWED),
        ("specialist", {"Origin": "http://elsewhere"}, live.NOT_ALLOWED),
    ],
)
async def test_only_specialists_from_our_own_page_watch(world, line, sent, role, headers, code):
    desk = Desk(
        create_app(world.relay, line.room), sent().id, (cookie(world, role) if role else {}) | headers
    )
    assert (await desk.hear(lambda message: message["type"] == "websocket.close"))["code"] == code
    assert line.words == []


async def test_no_case_or_no_live_mode_is_said(world, line, sent, monkeypatch):
    known, allowed = sent().id, cookie(world)
    for app, case, code in (
        (create_app(world.relay, line.room), "no-such-case", live_watch.NOT_FOUND),
        (create_app(world.relay), known, live_watch.NO_LINE),
    ):
        desk = Desk(app, case, allowed)
        assert (await desk.hear(lambda message: message["type"] == "websocket.close"))["code"] == code
    monkeypatch.setattr(room_module, "MOST_VIEWERS", 0)
    with pytest.raises(RefusedError, match="Too many"):
        line.room.join("abc", known)
    with pytest.raises(RefusedError, match="does not send"):
        line.room.join("zzz", known)


async def test_watching_ends_with_the_session(world, line, sent, monkeypatch):
    monkeypatch.setattr(live_watch, "CHECK_EVERY_S", 0.05)
    user = world.user("a-specialist")
    headers = {"Cookie": f"chevet_desk={open_session(world.relay, user)}"}
    desk = Desk(create_app(world.relay, line.room), sent().id, headers)
    await desk.told(lambda words: words["state"] == "live")
    world.relay.users.disable(user.id)
    closing = await desk.hear(lambda message: message["type"] == "websocket.close")
    assert closing["code"] == live.NOT_SIGNED_IN
    await desk.leave()


async def test_a_slow_desk_loses_the_oldest_and_a_silent_box_is_out_of_reach(world, line):
    viewer = line.room.join("abc", "018f0000-0000-7000-8000-000000000001")
    async with asyncio.timeout(30):
        while viewer.state(line.now())["state"] != "live":  # noqa: ASYNC110 - the room's own tasks bring it there
            await asyncio.sleep(0.01)
    for _ in range(FRAMES_AT_MOST + 3):
        viewer.take(line.beat(), line.now())
    assert len(viewer.frames) == FRAMES_AT_MOST
    assert viewer.state(line.now())["lost"] == 3
    assert viewer.state(line.now() + SILENT_S + 60.0)["state"] == "unreachable"
    line.room.leave(viewer)


def test_live_mode_has_a_line_of_its_own(world):
    line = live_line(replace_worker(world.settings))
    (route,) = line._versions
    assert route.address.client_id == "chevet-relay-7-live"
    assert route.address.session_expiry_s == 0
    assert line._subscriptions == (("t/1/+/u/l", 0),)


def replace_worker(settings):
    return settings.model_copy(update={"worker": "relay-7"})
