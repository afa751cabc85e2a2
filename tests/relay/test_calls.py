"""A call from the desk: who may, what the box hears of it, what the desk is shown, what the audit keeps."""

import asyncio
import base64
import hmac
import json
import os
import time
from dataclasses import replace

import pytest
from sqlalchemy import select

from chevet.exchange.call_ends import Called
from chevet.exchange.call_wire import is_call, read_call, write_call
from chevet.exchange.line import Connected, Message
from chevet.exchange.topics import down, up
from chevet.relay.api import call as call_module
from chevet.relay.api import live
from chevet.relay.api.app import create_app
from chevet.relay.archive.schema import audit
from chevet.relay.errors import RefusedError, SettingsError
from chevet.relay.live import room as room_module
from chevet.relay.live.turn import turn_servers
from chevet.relay.settings import read_settings

from .conftest import open_session
from .test_live_watching_at_relay import Desk, cookie, room_of


class CallLine:
    """A line at whose other end a box is rung at, with the product's own end of a call."""

    def __init__(self, world):
        self.world, self.queue, self.online = world, asyncio.Queue(), True
        self.called = Called(world.clock)
        self.hindrance, self.heard, self.deaf = "", [], False

    async def run(self):
        await asyncio.Event().wait()

    async def events(self):
        yield Connected()
        while True:
            yield await self.queue.get()

    def publish(self, topic, payload, qos=1, *, retain=False, expiry_s=0):
        assert is_call(payload)
        assert (topic, qos, expiry_s) == (down("abc", "k"), 1, room_module.CALL_EXPIRY_S)
        word = read_call(payload, self.world.relay.keys.relay.public_key(), [self.world.site.sealing])
        self.heard.append(word)
        if not self.deaf:
            self.called.receive(word, 0.0, self.hindrance)
            self.answer()
        return 1

    def answer(self, signer=None):
        """Send what the box says."""
        said, self.called.said = self.called.said, []
        for word in said:
            payload = write_call(
                word,
                signer=signer or self.world.site.signer,
                recipients=[self.world.relay.keys.programme.public_key()],
                random=os.urandom,
            )
            self.queue.put_nowait(Message(up("abc", "l"), payload, 0, 0))


class Caller(Desk):
    """The WebSocket by which an open case calls."""

    def __init__(self, app, case, headers):
        async def moved(scope, receive, send):
            path = f"/api/cases/{case}/call"
            await app(scope | {"path": path, "raw_path": path.encode()}, receive, send)

        super().__init__(moved, case, headers)

    async def says(self, good):
        found = await self.hear(lambda message: good(json.loads(message.get("text") or "{}")))
        return json.loads(found["text"])

    async def stands(self, state):
        return await self.says(lambda words: words.get("state") == state)

    def say(self, **words):
        self.sent.put_nowait({"type": "websocket.receive", "text": json.dumps(words)})


@pytest.fixture
async def line(world, monkeypatch):
    monkeypatch.setattr(call_module, "PUMP_S", 0.01)
    found = CallLine(world)
    async with room_of(found, monkeypatch):
        yield found


async def until(true):
    for _ in range(3000):
        if true():
            return
        await asyncio.sleep(0.01)
    pytest.fail("never true")


def calls_in_audit(world):
    with world.relay.database.read() as connection:
        rows = connection.execute(select(audit).order_by(audit.c.seq))
        return [(row.what, row.who, row.detail) for row in rows if row.what.startswith("call.")]


async def test_a_worker_takes_a_call_and_the_audit_says_who_and_how_long(world, line, sent):
    study = sent()
    desk = Caller(create_app(world.relay, line.room), study.id, cookie(world))
    assert (await desk.says(lambda words: words.get("type") == "ready"))["ice"] == []
    desk.say(type="ring", sdp="offer")
    await desk.stands("ringing")
    ring = line.heard[0]
    assert (ring.kind, ring.case, ring.facts["sdp"], ring.facts["name"]) == (
        "ring", study.id, "offer", "Dr a-specialist",
    )  # fmt: skip
    taken_at = time.monotonic()
    line.called.accept({"sdp": "answer", "worker": "amina", "rate": "9000"}, 0.0)
    line.answer()
    taken = await desk.stands("talking")
    assert (taken["sdp"], taken["rate"], taken["held"]) == ("answer", 9000, False)
    line.called.tick(0.1, {"held": "yes", "rate": "8000"})
    line.answer()
    assert (await desk.says(lambda words: words.get("held") is True))["rate"] == 8000
    desk.say(type="hangup", reason="media")
    assert (await desk.stands("over"))["reason"] == "media"
    at_most_s = round(time.monotonic() - taken_at)
    await desk.leave()
    assert line.called.standing.reason == "media"
    said = calls_in_audit(world)
    assert [what for what, _, _ in said] == ["call.rung", "call.accepted", "call.ended"]
    assert {who for _, who, _ in said} == {"a-specialist"}
    assert said[1][2] == "by amina"
    assert said[2][2] in {f"{seconds} s media" for seconds in range(at_most_s + 1)}


async def test_a_box_that_cannot_take_it_says_why(world, line, sent):
    line.hindrance = "nobody"
    desk = Caller(create_app(world.relay, line.room), sent().id, cookie(world))
    desk.say(type="ring", sdp="offer")
    assert (await desk.stands("over"))["reason"] == "nobody"
    await desk.leave()
    assert calls_in_audit(world)[-1][2] == "0 s nobody"


async def test_who_took_a_call_is_in_the_audit_though_the_desk_was_gone_at_once(
    world, line, sent, monkeypatch
):
    monkeypatch.setattr(call_module, "PUMP_S", 3600)  # the desk is not looked after before it goes
    desk = Caller(create_app(world.relay, line.room), sent().id, cookie(world))
    await desk.says(lambda words: words.get("type") == "ready")
    desk.say(type="ring", sdp="offer")
    await until(lambda: line.called.live)
    line.called.accept({"sdp": "answer", "worker": "amina"}, 0.0)
    line.answer()
    await until(line.queue.empty)
    await desk.leave()
    assert [(what, told) for what, _, told in calls_in_audit(world)][1] == ("call.accepted", "by amina")


async def test_a_desk_that_vanishes_ends_the_ringing(world, line, sent):
    desk = Caller(create_app(world.relay, line.room), sent().id, cookie(world))
    desk.say(type="ring", sdp="offer")
    await desk.stands("ringing")
    await desk.leave()
    assert line.heard[-1].kind == "hangup"
    assert not line.called.live


async def test_a_word_signed_by_another_box_changes_nothing(world, line, sent):
    line.deaf = True
    desk = Caller(create_app(world.relay, line.room), sent().id, cookie(world))
    desk.say(type="ring", sdp="offer")
    await desk.stands("asking")
    await until(lambda: line.heard)
    line.called.receive(line.heard[0], 0.0, "")
    forged = list(line.called.said)
    line.answer(signer=world.relay.keys.relay)
    line.queue.put_nowait(Message(up("abc", "l"), bytes([0x87, 17]) + b"noise", 0, 0))
    line.called.said = [replace(word, number=word.number + 1) for word in forged]
    line.answer()
    assert (await desk.says(lambda words: words.get("type") == "call"))["state"] == "ringing"
    await desk.leave()


async def test_what_a_box_should_not_say_ends_no_call_and_stays_out_of_the_audit(world, line, sent):
    desk = Caller(create_app(world.relay, line.room), sent().id, cookie(world))
    desk.say(type="ring", sdp="offer")
    await desk.stands("ringing")
    line.called.accept({"sdp": "answer", "worker": "a\nb", "rate": "9" * 5000}, 0.0)
    line.answer()
    assert (await desk.stands("talking"))["rate"] is None
    line.called.tick(0.1, {"held": "yes", "rate": "\u0663"})
    line.answer()
    assert (await desk.says(lambda words: words.get("held") is True))["rate"] is None
    await desk.leave()
    assert [what for _, _, what in calls_in_audit(world)][1] == "by ?"


async def test_what_a_desk_should_not_say_is_passed_over(world, line, sent):
    desk = Caller(create_app(world.relay, line.room), sent().id, cookie(world))
    await desk.says(lambda words: words.get("type") == "ready")
    for words in ({"type": "ring"}, {"type": "ring", "sdp": 7}, {"type": "hangup", "reason": "because"}):
        desk.say(**words)
    for text in ("", "[]", "{", "[" * 20_000, "x" * 30_000):
        desk.sent.put_nowait({"type": "websocket.receive", "text": text})
    desk.say(type="ring", sdp="x" * 20_000)
    await desk.stands("ringing")
    desk.say(type="ring", sdp="again")
    await desk.leave()
    assert [word.kind for word in line.heard] == ["ring", "hangup"]


async def test_an_offer_too_large_to_be_sent_ends_that_call_and_no_other(world, line, sent):
    study, who = sent(), cookie(world)
    desk = Caller(create_app(world.relay, line.room), study.id, who)
    desk.say(type="ring", sdp=os.urandom(11_000).hex())
    assert (await desk.stands("over"))["reason"] == "media"
    await desk.leave()
    other = Caller(create_app(world.relay, line.room), study.id, who)
    other.say(type="ring", sdp="offer")
    await other.stands("ringing")
    await other.leave()
    assert [word.kind for word in line.heard] == ["hangup", "ring", "hangup"]


async def test_only_specialists_from_our_own_page_call(world, line, sent):
    app, study = create_app(world.relay, line.room), sent()
    for who, code in (
        ({}, live.NOT_SIGNED_IN),
        (cookie(world, "auditor"), live.NOT_ALLOWED),
        (cookie(world, "coordinator"), live.NOT_ALLOWED),
        (cookie(world) | {"Origin": "http://elsewhere"}, live.NOT_ALLOWED),
    ):
        desk = Caller(app, study.id, who)
        assert (await desk.hear(lambda message: message["type"] == "websocket.close"))["code"] == code
    assert line.heard == []


async def test_no_case_no_room_and_calls_switched_off_are_said(world, line, sent, monkeypatch):
    study = sent()
    who = {"Cookie": f"chevet_desk={open_session(world.relay, world.user())}"}
    monkeypatch.setattr(room_module, "MOST_CALLS", 0)
    off = replace(world.relay, settings=world.relay.settings.model_copy(update={"calls": "off"}))
    for relay, room, case, code in (
        (world.relay, line.room, "none", call_module.NOT_FOUND),
        (world.relay, line.room, study.id, call_module.NO_LINE),
        (world.relay, None, study.id, call_module.NO_LINE),
        (off, line.room, study.id, call_module.NO_LINE),
    ):
        desk = Caller(create_app(relay, room), case, who)
        assert (await desk.hear(lambda message: message["type"] == "websocket.close"))["code"] == code
    desk = Caller(create_app(world.relay, line.room), study.id, who)
    assert (await desk.stands("over"))["reason"] == "busy_relay"
    monkeypatch.setattr(room_module, "MOST_CALLS", 1)
    monkeypatch.setattr(room_module, "MOST_OF_ONE", 0)
    desk = Caller(create_app(world.relay, line.room), study.id, who)
    assert (await desk.stands("over"))["reason"] == "busy_windows"
    closed = await desk.hear(lambda message: message["type"] == "websocket.close")
    assert closed["code"] == call_module.NO_LINE
    with pytest.raises(RefusedError, match="any more"):
        line.room.call("xyz", study.id, world.user("other"), [])
    assert line.heard == []


def test_nobody_keeps_all_places_with_windows_left_open(world, line, sent):
    study, doctor, other = sent(), world.user(), world.user("other")
    open_calls = [line.room.call("abc", study.id, doctor, []) for _ in range(room_module.MOST_OF_ONE)]
    with pytest.raises(RefusedError, match="in other windows"):
        line.room.call("abc", study.id, doctor, [])
    assert line.room.call("abc", study.id, other, []).user == other
    line.room.end_call(open_calls[0])
    assert line.room.call("abc", study.id, doctor, []).user == doctor


def test_a_turn_server_lets_in_whom_the_relay_names_until_then():
    (one,) = turn_servers(("turn:turn.example:3478",), "the shared secret", 1_000_000)
    ends, _, word = one["username"].partition(":")
    assert int(ends) == 1_000_000 + 4 * 3600
    assert len(word) == 8
    expected = hmac.new(b"the shared secret", one["username"].encode(), "sha1").digest()
    assert base64.b64decode(one["credential"]) == expected
    assert turn_servers((), "secret", 0) == turn_servers(("turn:a",), "", 0) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('call_turn = ["turn:a:3478"]', "call_turn_secret_file"),
        ('call_turn = ["stun:a"]\ncall_turn_secret_file = "s"', "turn:turn.example"),
        ('call_turn = ["turn:"]\ncall_turn_secret_file = "s"', "turn:turn.example"),
    ],
)
def test_a_turn_server_that_cannot_be_used_is_refused_with_the_remedy(tmp_path, text, says):
    path = tmp_path / "relay.toml"
    path.write_text(text + "\n", encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        read_settings(path)
    assert says in str(refused.value)


async def test_the_box_is_told_the_turn_servers_with_the_ring(world, line, sent, tmp_path):
    (tmp_path / "turn").write_text("the shared secret\n", encoding="utf-8")
    words = {"call_turn": ("turn:turn.example",), "call_turn_secret_file": tmp_path / "turn"}
    relay = replace(world.relay, settings=world.relay.settings.model_copy(update=words))
    desk = Caller(create_app(relay, line.room), sent().id, cookie(world))
    ready = await desk.says(lambda words: words.get("type") == "ready")
    desk.say(type="ring", sdp="offer")
    await desk.stands("ringing")
    await desk.leave()
    assert json.loads(line.heard[0].facts["ice"]) == ready["ice"]
    assert ready["ice"][0]["urls"] == ["turn:turn.example"]
