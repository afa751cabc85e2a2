"""Up and down the line: nothing is freed without a verified receipt, no answer without two signatures."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from edge_fakes import Box, make_box, open_box, until
from test_edge_visit import complete, open_visit, recorded

from chevet.edge import uplink as uplink_module
from chevet.edge.arrivals import Arrivals
from chevet.edge.errors import DiskFull
from chevet.edge.spool import PENDING, SETTLED, Spool
from chevet.edge.uplink import Uplink, make_uplink, offline_will, subscriptions
from chevet.exchange import topics
from chevet.exchange.events import Reply
from chevet.exchange.line import Acknowledged, Connected, Disconnected, LineEvent, Message
from chevet.exchange.manifest import digest
from chevet.exchange.messages import (
    Complete,
    ManifestMessage,
    Nack,
    read,
    sign_complete,
    sign_nack,
    sign_status,
    write,
)
from chevet.exchange.receiver import Receiver
from chevet.exchange.sealing import RELAY, Recipient, Sealed, seal
from chevet.sim.memory_inbox import MemoryInbox
from chevet.study.bundle import Bundle
from chevet.study.case import Author, Signature, author_bytes, message_bytes, pack_message, pack_opinion
from chevet.study.case import Message as CaseMessage
from chevet.study.study import EdgeClock


class FakeLine:
    """MQTT without a broker: what is published reaches the relay at once, or nobody.

    Attributes:
        relay: what answers an upward message, None while the relay is away.
        published: topic and payload of everything that went out.
        acknowledged: what the box acknowledged.
    """

    def __init__(self) -> None:
        self.online = False
        self.relay: Callable[[bytes], list[bytes]] | None = None
        self.published: list[tuple[str, bytes]] = []
        self.acknowledged: list[bytes] = []
        self._events: asyncio.Queue[LineEvent] = asyncio.Queue()
        self._token = 0

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def events(self) -> AsyncIterator[LineEvent]:
        while True:
            yield await self._events.get()

    def publish(
        self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False, expiry_s: int = 0
    ) -> int:
        if not self.online:
            return 0
        self._token += 1
        self.published.append((topic, payload))
        self._events.put_nowait(Acknowledged(self._token))
        if self.relay is not None and topic.rpartition("/")[2] in "apb":
            for answer in self.relay(payload):
                self.down("r", answer)
        return self._token

    def acknowledge(self, message: Message) -> None:
        self.acknowledged.append(message.payload)

    def connect(self) -> None:
        self.online = True
        self._events.put_nowait(Connected())

    def cut(self) -> None:
        self.online = False
        self._events.put_nowait(Disconnected("ended"))

    def down(self, lane: str, payload: bytes) -> None:
        self._events.put_nowait(Message(topics.down("anfgou", lane), payload, 1, 0))


def relay_of(box: Box, inbox: MemoryInbox | None = None) -> Callable[[bytes], list[bytes]]:
    """A relay that receives and answers as the real one does."""
    key = box.bedside.site.signer.public_key()
    receiver = Receiver(inbox or MemoryInbox(), signer=box.relay.signer, origin_key=lambda _: key)

    def answer(payload: bytes) -> list[bytes]:
        answers = receiver.receive("anfgou", payload, 0.0)
        return [one.payload for one in answers if isinstance(one, Reply)]

    return answer


@asynccontextmanager
async def uplinked(box: Box) -> AsyncIterator[tuple[FakeLine, Uplink, list[str]]]:
    line, arrived = FakeLine(), []
    bedside = box.bedside
    arrivals = Arrivals(
        box.database,
        bedside.cases,
        bedside.site.opener,
        box.programme.relay_key,
        bedside.clock.now_ms,
        arrived.append,
    )
    uplink = make_uplink(bedside, line, box.programme, arrivals)  # type: ignore[arg-type]
    task = asyncio.create_task(uplink.run())
    try:
        yield line, uplink, arrived
    finally:
        task.cancel()
        ended = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(ended[0], asyncio.CancelledError), ended[0]


def sent(box: Box) -> str:
    visit = open_visit(box)
    box.bedside.rules.accept(recorded(box, visit).id, poor=False, best=None)
    complete(box, visit)
    case = box.bedside.rules.send(visit).id
    box.bedside.spooled.set()
    return case


def state(box: Box, case: str) -> str:
    return str(box.bedside.case(box.bedside.cases.get(case))["state"])


def sealed_down(box: Box, bundle: Bundle, recipient: Any = None) -> Sealed:
    key = recipient or box.bedside.site.opener.public_key()
    return seal(
        bundle,
        origin=RELAY,
        seq=1,
        priority=1,
        created=EdgeClock(1, "boot", 1.0),
        recipients=[Recipient("site", key)],
        signer=box.relay.signer,
        random=os.urandom,
    )


def deliver(line: FakeLine, sealed: Sealed) -> None:
    from chevet.exchange.messages import Chunk

    line.down("q", write(ManifestMessage(sealed.manifest)))
    for item in sealed.objects:
        for seq, at in enumerate(range(0, len(item.data), 4096)):
            line.down("q", write(Chunk(sealed.tid, item.oid, seq, item.data[at : at + 4096])))


def replies(line: FakeLine) -> list[Any]:
    return [read(payload) for topic, payload in line.published if topic == topics.up("anfgou", "a")]


async def test_a_study_travels_and_is_settled_by_the_receipt(box: Box) -> None:
    case = sent(box)
    async with uplinked(box) as (line, _, _arrived):
        line.relay = relay_of(box)
        line.connect()
        await until(lambda: state(box, case) == "at_relay")
        found = box.bedside.spool.find(case)
        assert found is not None
        assert found.state == SETTLED
        words = box.bedside.cases.get(case).words
        assert words.complete_ms is not None
        assert words.bytes_up >= found.bytes
        assert words.bytes_down > 0
        assert box.bedside.visits.captures(case)
        journals = box.bedside.settings.data_dir / "journals"
        # The journal goes once the relay holds the study.
        await until(lambda: not list(journals.iterdir()))
        assert box.bedside.uplink.online
        assert box.bedside.uplink.last_contact_ms is not None
        assert box.bedside.kept.contact_ms is not None
        presence = [json.loads(p) for topic, p in line.published if topic.endswith("/u/s")]
        assert presence[0]["online"] is True
        line.cut()
        await until(lambda: not box.bedside.uplink.online)


async def test_without_a_relay_nothing_is_lost_and_nothing_is_claimed(box: Box) -> None:
    case = sent(box)
    async with uplinked(box) as (line, _, _arrived):
        line.connect()
        await until(lambda: len(line.published) >= 2)
        assert state(box, case) == "on_box", "a broker's acknowledgement is no receipt"
        line.cut()
        line.relay = relay_of(box)
        line.connect()
        await until(lambda: state(box, case) == "at_relay")


async def test_a_study_sent_while_the_line_is_up_leaves_at_once(box: Box) -> None:
    async with uplinked(box) as (line, _, _arrived):
        line.relay = relay_of(box)
        line.connect()
        await until(lambda: box.bedside.uplink.online)
        case = await asyncio.to_thread(sent, box)
        box.bedside.spooled.set()
        await until(lambda: state(box, case) == "at_relay")
        assert list(box.bedside.spool.pending()) == []


async def test_progress_is_what_the_relay_says_it_has(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("b")
    box = make_box(folder)
    case, inbox = sent(box), MemoryInbox()
    real, taken = relay_of(box, inbox), []

    def half(payload: bytes) -> list[bytes]:
        taken.append(payload)
        return real(payload) if len(taken) <= 4 else []

    async with uplinked(box) as (line, _, _arrived):
        line.relay = half
        line.connect()
        await until(lambda: len(taken) > 5)
    box.close()
    # The process ends and a new one begins: it asks first, and the bitmap tells how far it was.
    again = open_box(folder, folder / "programme.json", box.relay)
    resumed: list[bytes] = []

    def slow(payload: bytes) -> list[bytes]:
        resumed.append(payload)
        return real(payload) if len(resumed) == 1 else []

    async with uplinked(again) as (line, _, _arrived):
        line.relay = slow
        line.connect()
        await until(lambda: state(again, case) == "travelling")
        shape = again.bedside.case(again.bedside.cases.get(case))
        assert 0 < shape["percent"] < 100
        assert 0 < shape["pieces_sent"] < shape["pieces_total"]
        assert again.bedside.status()["queue"] == {"waiting": 0, "travelling": 1, "refused": 0, "unread": 0}
        line.cut()
        line.relay = real
        line.connect()
        await until(lambda: state(again, case) == "at_relay")
    again.close()


async def test_a_lying_receipt_frees_nothing(box: Box) -> None:
    case = sent(box)
    found = box.bedside.spool.find(case)
    assert found is not None
    [manifest] = box.bedside.spool.pending()
    signer = box.relay.signer
    lies = [
        sign_complete(found.tid, case, bytes(32), signer),
        sign_complete(found.tid, case, digest(manifest), box.relay.specialist),
        sign_complete(bytes(8), case, digest(manifest), signer),
        sign_status(case, "opened", 1, box.relay.specialist),
    ]
    async with uplinked(box) as (line, _, _arrived):
        line.connect()
        for lie in lies:
            line.down("r", write(lie))
        line.down("r", b"noise")
        line.down("k", b"a command nobody knows yet")
        await until(lambda: len(line.acknowledged) == len(lies) + 2)
        assert state(box, case) == "on_box"
        still = box.bedside.spool.find(case)
        assert still is not None
        assert still.state == PENDING


async def test_a_refusal_is_shown_with_its_reason_and_the_study_stays(box: Box) -> None:
    case = sent(box)
    found = box.bedside.spool.find(case)
    assert found is not None
    [manifest] = box.bedside.spool.pending()
    async with uplinked(box) as (line, _, _arrived):
        line.connect()
        line.down("r", write(sign_nack(found.tid, digest(manifest), "bad_hash", box.relay.signer)))
        await until(lambda: box.bedside.cases.get(case).refused == "bad_hash")
        assert box.bedside.status()["queue"]["refused"] == 1
        assert box.bedside.spool.read(found.tid, 0, 0, 10)


async def test_seen_by_a_doctor_is_shown_when_the_relay_says_so(box: Box) -> None:
    case = sent(box)
    async with uplinked(box) as (line, uplink, _):
        line.relay = relay_of(box)
        line.connect()
        await until(lambda: state(box, case) == "at_relay")
        line.down("r", write(sign_status(case, "opened", 5, box.relay.signer)))
        await until(lambda: state(box, case) == "opened")
        assert box.bedside.cases.get(case).words.opened_ms is not None
        line.down(
            "r", write(sign_status("01a20001-f197-7196-9dbe-000000000000", "opened", 5, box.relay.signer))
        )
        await until(lambda: len(line.acknowledged) > 2)
        assert uplink.sender.traffic.bytes_up > 0


async def test_an_opinion_with_both_signatures_is_the_answer(box: Box) -> None:
    case = sent(box)
    async with uplinked(box) as (line, _, arrived):
        line.relay = relay_of(box)
        line.connect()
        await until(lambda: state(box, case) == "at_relay")
        down = sealed_down(box, pack_opinion(box.relay.opinion(case)))
        deliver(line, down)
        await until(lambda: state(box, case) == "answered")
        [(opinion, verified)] = box.bedside.cases.opinions(case)
        assert verified
        assert opinion == box.relay.opinion(case), "kept as it was signed"
        assert box.bedside.cases.get(case).unread
        assert box.bedside.status()["queue"]["unread"] == 1
        assert box.bedside.cases.get(case).words.opinion_ms is not None
        await until(lambda: any(isinstance(reply, Complete) for reply in replies(line)))
        assert arrived == [case]
        deliver(line, down)
        await until(lambda: len(line.acknowledged) >= 4)
        assert len(box.bedside.cases.opinions(case)) == 1
        amended = box.relay.opinion(case, version=2)
        deliver(line, sealed_down(box, pack_opinion(amended)))
        await until(lambda: len(box.bedside.cases.opinions(case)) == 2)


@pytest.mark.parametrize("forged", ["signature", "certificate", "text"])
async def test_a_forged_opinion_is_kept_but_never_an_answer(box: Box, forged: str) -> None:
    case = sent(box)
    async with uplinked(box) as (line, _, _arrived):
        line.relay = relay_of(box)
        line.connect()
        await until(lambda: state(box, case) == "at_relay")
        deliver(line, sealed_down(box, pack_opinion(box.relay.opinion(case, forged=forged))))
        await until(lambda: box.bedside.cases.opinions(case))
        assert [verified for _, verified in box.bedside.cases.opinions(case)] == [False]
        assert state(box, case) == "at_relay"
        assert not box.bedside.cases.get(case).unread


async def test_what_is_not_for_this_box_is_refused_with_a_reason(box: Box) -> None:
    case = sent(box)
    stranger = "01a20001-f197-7196-9dbe-999999999999"
    async with uplinked(box) as (line, _, _arrived):
        line.connect()
        deliver(line, sealed_down(box, pack_opinion(box.relay.opinion(stranger))))
        deliver(line, sealed_down(box, pack_opinion(box.relay.opinion(case, label="HTEST"))))
        opinion = pack_opinion(box.relay.opinion(case, version=3))
        deliver(line, sealed_down(box, opinion, box.relay.opener.public_key()))
        await until(lambda: sum(isinstance(reply, Nack) for reply in replies(line)) == 3)
        reasons = [reply.reason for reply in replies(line) if isinstance(reply, Nack)]
        assert reasons == ["unknown_case", "simulated_answer", "not_a_recipient"]
        assert box.bedside.cases.opinions(case) == []


async def test_garbage_from_above_is_buried_not_believed(box: Box) -> None:
    async with uplinked(box) as (line, _, _arrived):
        line.connect()
        for junk in (b"", b"\x01short", os.urandom(300)):
            line.down("q", junk)
        await until(lambda: len(line.acknowledged) == 3)
        assert len(box.database.rows("SELECT * FROM dead_letters")) == 3


async def test_a_request_for_a_retake_reaches_its_case(box: Box) -> None:
    case = sent(box)
    author = Author("dr-amrani", "Dr Amrani", "cardiology")
    plain = CaseMessage(
        "01a20001-f197-7196-9dbe-00000000000a", case, "retake", "V3 was off", author, 1, step="ecg"
    )
    public = box.relay.specialist.public_key().public_bytes_raw()
    marks = Signature(
        box.relay.specialist.sign(message_bytes(plain)),
        public,
        box.relay.signer.sign(author_bytes(author, public)),
    )
    fields = {name: getattr(plain, name) for name in plain.__dataclass_fields__}
    message = CaseMessage(**(fields | {"signature": marks}))
    async with uplinked(box) as (line, _, _arrived):
        line.connect()
        deliver(line, sealed_down(box, pack_message(message)))
        await until(lambda: box.bedside.cases.messages(case))
        assert box.bedside.cases.messages(case) == [(message, True)]
        assert box.bedside.cases.get(case).unread
        forged = CaseMessage(
            **(
                fields
                | {
                    "id": "01a20001-f197-7196-9dbe-00000000000b",
                    "signature": Signature(bytes(64), public, bytes(64)),
                }
            )
        )
        deliver(line, sealed_down(box, pack_message(forged)))
        await until(lambda: len(box.bedside.cases.messages(case)) == 2)
        assert box.bedside.cases.messages(case)[1] == (forged, False)


async def test_no_room_for_a_receipt_gives_the_reserve_up_and_hears_it_again(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make_box(tmp_path_factory.mktemp("b"), reserve_mb=1)
    assert box.bedside.disk.keep_reserve()
    case = sent(box)
    settle = Spool.settle

    def full(*_: object) -> None:
        raise DiskFull

    monkeypatch.setattr(Spool, "settle", full)
    async with uplinked(box) as (line, _, _arrived):
        line.relay = relay_of(box)
        line.connect()
        await until(lambda: not (box.bedside.settings.data_dir / "reserve").exists())
        assert state(box, case) == "on_box"
        monkeypatch.setattr(Spool, "settle", settle)
        line.cut()
        line.connect()
        await until(lambda: state(box, case) == "at_relay")
    box.close()


async def test_presence_is_said_again_and_the_will_says_we_are_gone(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uplink_module, "PRESENCE_EVERY_S", 0.02)
    async with uplinked(box) as (line, _, _arrived):
        line.connect()
        await until(lambda: sum(topic.endswith("/u/s") for topic, _ in line.published) >= 3)
    topic, payload = offline_will("anfgou")
    assert topic == topics.up("anfgou", "s")
    assert json.loads(payload)["online"] is False
    assert (topics.down("anfgou", "r"), 1) in subscriptions("anfgou")
