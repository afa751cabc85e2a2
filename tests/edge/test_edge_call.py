"""A call at the box: who may be rung at, what the screens are shown, and that it never touches a case."""

import os
from dataclasses import replace
from typing import Any

import pytest
from edge_fakes import Box, until
from test_edge_api import kiosk
from test_edge_continuing import sent_case
from test_edge_uplink import FakeLine, uplinked

from chevet.edge.errors import not_found
from chevet.edge.workers import Worker
from chevet.exchange import topics
from chevet.exchange.call_ends import OVER, RINGING, TALKING, Caller
from chevet.exchange.call_wire import is_call, read_call, write_call

TURN = '[{"urls": ["turn:turn.example"], "username": "1:a", "credential": "b"}]'
FACTS = {"sdp": "offer", "name": "Dr Amrani", "specialty": "cardiology", "ice": TURN}


class Desk:
    """The relay's end of a call, on the box's line."""

    def __init__(self, box: Box, line: FakeLine, case: str, call: bytes = b"8 bytes!") -> None:
        self.box, self.line, self.read = box, line, 0
        self.caller = Caller(call, case, box.bedside.clock.now_ms)

    def say(self, signer: Any = None) -> None:
        said, self.caller.said = self.caller.said, []
        for word in said:
            to = [self.box.bedside.site.opener.public_key()]
            key = signer or self.box.relay.signer
            self.line.down("k", write_call(word, signer=key, recipients=to, random=os.urandom))

    def ring(self, **facts: str) -> None:
        self.caller.ring(FACTS | facts, 0.0)
        self.say()

    def state(self) -> str:
        """How the call stands here, once everything the box said was heard."""
        mine = topics.up("anfgou", "l")
        words = [data for topic, data in self.line.published if topic == mine and is_call(data)]
        for data in words[self.read :]:
            origin = self.box.bedside.site.signer.public_key()
            self.caller.receive(read_call(data, origin, [self.box.relay.opener]), 0.0)
        self.read = len(words)
        return self.caller.standing.state


async def test_a_call_rings_is_taken_and_hung_up_while_its_case_stays_as_it_is(box: Box) -> None:
    case = sent_case(box)
    before = box.bedside.cases.get(case)
    box.bedside.live.join()
    async with uplinked(box) as (line, _, _arrived), kiosk(box) as client:
        line.connect()
        desk = Desk(box, line, case)
        desk.ring()
        await until(lambda: desk.state() == RINGING)
        call = (await client.get("/api/call")).json()["call"]
        assert call["caller"] == {"name": "Dr Amrani", "specialty": "cardiology"}
        assert (call["state"], call["sdp"], call["consent"]) == ("ringing", "offer", ["care"])
        assert call["ice"][0]["urls"] == ["turn:turn.example"]
        assert "patient_name" not in call
        taken = await client.post("/api/call/accept", json={"call": call["id"], "sdp": "answer"})
        assert taken.status_code == 204
        await until(lambda: desk.state() == TALKING)
        assert (desk.caller.standing.facts["sdp"], desk.caller.standing.facts["worker"]) == (
            "answer",
            "amina",
        )
        await client.post("/api/call/end", json={"call": call["id"], "reason": "media"})
        await until(lambda: desk.state() == OVER)
        over = (await client.get("/api/call")).json()["call"]
    assert desk.caller.standing.reason == "media"
    assert (over["state"], over["reason"], over["sdp"], over["ice"]) == ("over", "media", "", [])
    assert box.bedside.cases.get(case) == before


@pytest.mark.parametrize("hindrance", ["nobody", "unknown_case", "examining", "off"])
async def test_a_box_that_cannot_put_a_call_to_a_worker_says_why(
    box: Box, hindrance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = sent_case(box)
    if hindrance != "nobody":
        box.bedside.live.join()
    if hindrance == "unknown_case":
        case = "01a20001-f197-7196-9dbe-0000000000ff"
    if hindrance == "examining":
        monkeypatch.setattr(type(box.bedside.captures), "running", lambda _: object())
    if hindrance == "off":
        box.programme.renew(replace(box.programme, sealed=True))
    async with uplinked(box) as (line, _, _arrived):
        line.connect()
        desk = Desk(box, line, case)
        desk.ring()
        await until(lambda: desk.state() == OVER)
    assert desk.caller.standing.reason == hindrance
    assert box.bedside.calls.shape() is None


async def test_a_case_that_housekeeping_takes_away_meanwhile_is_unknown(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = sent_case(box)
    box.bedside.live.join()
    gone = not_found("visit")

    def away(*_: object) -> None:
        raise gone

    monkeypatch.setattr(type(box.bedside.visits), "get", away)
    async with uplinked(box) as (line, _, _arrived):
        line.connect()
        desk = Desk(box, line, case)
        desk.ring()
        await until(lambda: desk.state() == OVER)
    assert desk.caller.standing.reason == "unknown_case"


async def test_a_second_desk_hears_busy_and_the_first_call_goes_on(box: Box) -> None:
    case = sent_case(box)
    box.bedside.live.join()
    async with uplinked(box) as (line, _, _arrived):
        line.connect()
        first, second = Desk(box, line, case), Desk(box, line, case, b"8 other!")
        first.ring()
        await until(lambda: first.state() == RINGING)
        second.ring()
        await until(lambda: second.state() == OVER)
    assert (second.caller.standing.reason, first.state()) == ("busy", RINGING)


async def test_a_word_that_is_not_the_relays_rings_nowhere(box: Box) -> None:
    case = sent_case(box)
    box.bedside.live.join()
    async with uplinked(box) as (line, _, _arrived):
        line.connect()
        forged = Desk(box, line, case)
        forged.caller.ring(FACTS, 0.0)
        forged.say(signer=box.relay.specialist)
        line.down("k", bytes([0x87, 17]) + b"noise")
        true = Desk(box, line, case, b"8 other!")
        true.ring(ice="[" * 20_000)
        await until(lambda: true.state() == RINGING)
    told = box.bedside.calls.shape()
    assert told is not None
    assert (told["id"], told["ice"]) == (b"8 other!".hex(), [])


async def test_while_an_urgent_study_travels_the_voices_wait(box: Box) -> None:
    case = sent_case(box)
    box.bedside.live.join()
    async with uplinked(box) as (line, uplink, _arrived):
        line.connect()
        desk = Desk(box, line, case)
        desk.ring()
        await until(lambda: desk.state() == RINGING)
        waits = {"now": True}
        uplink.sender.urgent = lambda: waits["now"]  # type: ignore[method-assign]
        worker = Worker("amina", "Amina")
        box.bedside.calls.accept(b"8 bytes!".hex(), "answer", worker, box.bedside.clock.monotonic())
        await until(lambda: desk.state() == TALKING and desk.caller.standing.held)
        told = box.bedside.calls.shape()
        waits["now"] = False
        await until(lambda: desk.state() == TALKING and not desk.caller.standing.held)
    assert told is not None
    assert told["held"] is True


async def test_an_answer_too_large_to_be_sent_ends_the_call_and_nothing_else(box: Box) -> None:
    case = sent_case(box)
    box.bedside.live.join()
    async with uplinked(box) as (line, _, _arrived), kiosk(box) as client:
        line.connect()
        desk = Desk(box, line, case)
        desk.ring()
        await until(lambda: desk.state() == RINGING)
        body = {"call": b"8 bytes!".hex(), "sdp": os.urandom(12_000).hex()}
        assert (await client.post("/api/call/accept", json=body)).status_code == 204
        await until(lambda: desk.state() == OVER)
        again = Desk(box, line, case, b"8 other!")
        again.ring()
        await until(lambda: again.state() == RINGING)
    assert desk.caller.standing.reason == "media"


async def test_a_call_that_rings_no_more_cannot_be_taken(box: Box) -> None:
    body = {"call": b"8 bytes!".hex(), "sdp": "answer"}
    async with kiosk(box) as client:
        late = await client.post("/api/call/accept", json=body)
        odd = await client.post("/api/call/accept", json=body | {"call": "x"})
        gone = await client.post("/api/call/end", json={"call": body["call"], "reason": "declined"})
        none = await client.get("/api/call")
    assert (late.status_code, late.json()["error"]["code"]) == (409, "call_over")
    assert (odd.status_code, gone.status_code, none.json()) == (422, 204, {"call": None})


async def test_a_screen_that_comes_while_it_rings_is_told(box: Box) -> None:
    from chevet.edge.api_live import _greet

    case = sent_case(box)
    first = box.bedside.live.join()
    async with uplinked(box) as (line, _, _arrived):
        line.connect()
        desk = Desk(box, line, case)
        desk.ring()
        await until(lambda: desk.state() == RINGING)
        late = box.bedside.live.join()
        await _greet(box.bedside, late)
    kinds = [[one["type"] for one in client._words] for client in (first, late)]
    assert ["call" in told for told in kinds] == [True, True]
