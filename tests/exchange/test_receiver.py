"""What is stored, told, refused and committed at the receiving end."""

from dataclasses import dataclass, field

import pytest
from exchange_fakes import OTHER_KEY, RELAY_KEY, SITE_KEY, OpeningInbox, bundle, sealed
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.exchange.errors import Refused
from chevet.exchange.events import Announced, Completed, ObjectStored, Rejected, Reply, StatusAsked
from chevet.exchange.manifest import CHUNK, digest
from chevet.exchange.messages import (
    Chunk,
    Complete,
    Have,
    ManifestMessage,
    Nack,
    Query,
    read,
    verified,
    write,
)
from chevet.exchange.receiver import HAVE_EVERY_CHUNKS, MAX_ASSEMBLIES, Receiver, bitmap

ORIGINS = {"abc": SITE_KEY.public_key(), "def": OTHER_KEY.public_key()}


@dataclass
class Desk:
    inbox: OpeningInbox = field(default_factory=OpeningInbox)
    now: float = 50.0

    def __post_init__(self) -> None:
        self.receiver = Receiver(self.inbox, signer=RELAY_KEY, origin_key=ORIGINS.get)

    def hear(self, message, origin: str = "abc") -> tuple[list[object], list[object]]:
        """Return (events, replies)."""
        payload = message if isinstance(message, bytes) else write(message)
        answers = self.receiver.receive(origin, payload, self.now)
        events = [item for item in answers if not isinstance(item, Reply)]
        return events, [read(item.payload) for item in answers if isinstance(item, Reply)]

    def all_of(self, item, origin: str = "abc") -> tuple[list[object], list[object]]:
        events, replies = self.hear(ManifestMessage(item.manifest), origin)
        for chunk in chunks(item):
            more = self.hear(chunk, origin)
            events, replies = events + more[0], replies + more[1]
        return events, replies


def chunks(item) -> list[Chunk]:
    return [
        Chunk(item.tid, part.oid, at // CHUNK, part.data[at : at + CHUNK])
        for part in item.objects
        for at in range(0, len(part.data), CHUNK)
    ]


def test_a_bundle_is_announced_opened_piece_by_piece_committed_and_receipted():
    desk, item = Desk(), sealed(bundle(1))
    events, replies = desk.all_of(item)
    kinds = [type(event) for event in events]
    assert kinds == [Announced, ObjectStored, ObjectStored, ObjectStored, Completed]
    assert [event.layer for event in events if isinstance(event, ObjectStored)] == [0, 1, 3]
    (complete,) = replies
    assert complete.digest == digest(item.manifest)
    assert verified(complete, RELAY_KEY.public_key())
    assert desk.inbox.complete == {item.id: bundle(1)}


def test_duplicates_change_nothing_and_are_not_answered_each_time():
    desk, item = Desk(), sealed(bundle(1))
    desk.all_of(item)
    events, replies = desk.all_of(item)
    assert (events, replies) == ([], [])
    desk.now += 3
    events, replies = desk.all_of(item)
    assert events == []
    assert [type(reply) for reply in replies] == [Complete]
    assert desk.inbox.commits == [item.id]


def test_a_question_is_always_answered():
    desk, item, other = Desk(), sealed(bundle(1)), sealed(bundle(2))
    desk.hear(ManifestMessage(item.manifest))
    desk.hear(chunks(item)[0])
    for number in (1, 2):
        events, replies = desk.hear(Query(number, (item.tid, other.tid), ("case",)))
        assert events == [StatusAsked("abc", ("case",), (item.id,))]
        assert replies == [
            Have(item.tid, number, True, (b"\x80", b"\x00", b"\x00")),
            Have(other.tid, number, False),
        ]
    desk.all_of(item)
    events, (complete,) = desk.hear(Query(3, (item.tid,)))
    assert isinstance(complete, Complete)
    assert events == [StatusAsked("abc", (), ())]


def test_progress_is_told_every_sixteen_chunks_and_every_ten_seconds():
    desk, item = Desk(), sealed(bundle(1, ((3, 40 * 4080 - 20),)))
    desk.hear(ManifestMessage(item.manifest))
    told = [
        n for n, chunk in enumerate(chunks(item), 1) if any(isinstance(r, Have) for r in desk.hear(chunk)[1])
    ]
    assert told == [HAVE_EVERY_CHUNKS, 2 * HAVE_EVERY_CHUNKS]
    slow, told = Desk(), []
    slow.hear(ManifestMessage(item.manifest))
    for n, chunk in enumerate(chunks(item)[:12], 1):
        slow.now += 4
        told += [n] if slow.hear(chunk)[1] else []
    assert told == [4, 7, 10]


def test_a_chunk_before_its_manifest_asks_for_it_once():
    desk, item = Desk(), sealed(bundle(1))
    first, second = chunks(item)[:2]
    assert desk.hear(first) == ([], [Have(item.tid, 0, False)])
    assert desk.hear(second) == ([], [])
    desk.now += 3
    assert desk.hear(second) == ([], [Have(item.tid, 0, False)])
    assert not desk.inbox.dead


def test_a_message_may_hold_several_chunks():
    desk, item = Desk(), sealed(bundle(1, ((3, 9 * 4080),)))
    desk.hear(ManifestMessage(item.manifest))
    data = item.objects[0].data
    desk.hear(Chunk(item.tid, 0, 0, data[: 4 * CHUNK]))
    desk.hear(Chunk(item.tid, 0, 2, data[2 * CHUNK : 6 * CHUNK]))  # overlaps
    events, _ = desk.hear(Chunk(item.tid, 0, 6, data[6 * CHUNK :]))
    assert isinstance(events[-1], Completed)


def test_strangers_and_forgers_are_refused_with_a_reason_kept():
    desk = Desk()
    forged = sealed(bundle(1), key=RELAY_KEY)
    cases = [
        ("zzz", sealed(bundle(1)), "unknown_origin"),
        ("abc", forged, "bad_signature"),
        ("def", sealed(bundle(2), key=OTHER_KEY), "wrong_origin"),
    ]
    for origin, item, reason in cases:
        events, (nack,) = desk.hear(ManifestMessage(item.manifest), origin)
        assert events == [Rejected(origin, "", reason)]
        assert (nack.reason, nack.digest) == (reason, digest(item.manifest))
        assert verified(nack, RELAY_KEY.public_key())
    assert [reason for _, reason in desk.inbox.dead] == [case[2] for case in cases]
    assert not desk.inbox.manifests


def test_one_site_can_neither_fill_nor_see_the_bundle_of_another():
    desk, item = Desk(), sealed(bundle(1))
    desk.hear(ManifestMessage(item.manifest))
    events, replies = desk.hear(chunks(item)[0], "def")
    assert (events, replies) == ([Rejected("def", "", "wrong_origin")], [])
    assert desk.hear(Query(1, (item.tid,)), "def")[1] == [Have(item.tid, 1, False)]
    assert not desk.inbox.have(item.tid, 0)


@pytest.mark.parametrize(
    "chunk",
    [
        lambda tid: Chunk(tid, 9, 0, b"x"),  # no such object
        lambda tid: Chunk(tid, 0, 5, b"x"),  # beyond the end
        lambda tid: Chunk(tid, 0, 0, b"x"),  # too short
        lambda tid: Chunk(tid, 2, 7, b"x" * (2 * CHUNK)),  # runs over the end
    ],
)
def test_a_chunk_that_does_not_fit_is_buried(chunk):
    desk, item = Desk(), sealed(bundle(1))
    desk.hear(ManifestMessage(item.manifest))
    assert desk.hear(chunk(item.tid)) == ([Rejected("abc", "", "bad_chunk")], [])
    assert desk.inbox.dead == [("abc", "bad_chunk")]


def test_wrong_bytes_are_dropped_and_asked_for_again_until_it_is_hopeless():
    desk, item = Desk(), sealed(bundle(1, ((0, 100),)))
    desk.hear(ManifestMessage(item.manifest))
    wrong = Chunk(item.tid, 0, 0, bytes(len(item.objects[0].data)))
    for number in range(1, MAX_ASSEMBLIES):
        assert desk.hear(wrong) == ([], [])
        assert desk.hear(Query(number, (item.tid,)))[1] == [Have(item.tid, number, True, (b"\x00",))]
    events, (nack,) = desk.hear(wrong)
    assert events == [Rejected("abc", item.id, "bad_hash")]
    assert (nack.reason, nack.tid) == ("bad_hash", item.tid)
    assert desk.hear(Query(9, (item.tid,)))[1] == [nack]
    assert not desk.inbox.complete


def test_right_bytes_after_wrong_ones_complete():
    desk, item = Desk(), sealed(bundle(1, ((0, 100),)))
    desk.hear(ManifestMessage(item.manifest))
    desk.hear(Chunk(item.tid, 0, 0, bytes(len(item.objects[0].data))))
    events, _ = desk.hear(chunks(item)[0])
    assert isinstance(events[-1], Completed)


def test_what_the_archive_refuses_is_refused_to_the_sender():
    desk, one, two = Desk(), sealed(bundle(1)), sealed(bundle(1))
    desk.all_of(one)
    events, replies = desk.all_of(two)
    assert events[-1] == Rejected("abc", two.id, "conflict")
    assert replies[-1].reason == "conflict"
    desk.now += 3
    assert [type(item) for item in desk.hear(ManifestMessage(two.manifest))[1]] == [Nack]


def test_a_worker_that_died_before_the_commit_is_made_good_by_the_next_question():
    class DyingInbox(OpeningInbox):
        def commit(self, tid):
            raise KeyboardInterrupt

    desk, item = Desk(), sealed(bundle(1))
    desk.inbox.__class__ = DyingInbox
    with pytest.raises(KeyboardInterrupt):
        desk.all_of(item)
    desk.inbox.__class__ = OpeningInbox
    desk.__post_init__()
    events, (complete,) = desk.hear(Query(1, (item.tid,)))
    assert [type(event) for event in events] == [StatusAsked, Completed]
    assert isinstance(complete, Complete)


def test_an_archive_may_refuse_at_the_door():
    class FullInbox(OpeningInbox):
        def begin(self, tid, origin, manifest):
            raise Refused("no_space")

    desk, item = Desk(FullInbox()), sealed(bundle(1))
    events, (nack,) = desk.hear(ManifestMessage(item.manifest))
    assert events == [Rejected("abc", "", "no_space")]
    assert nack.reason == "no_space"


def test_a_receiver_remembers_little_however_much_comes():
    desk = Desk()
    for number in range(300):
        desk.hear(ManifestMessage(sealed(bundle(number, ((0, 1),))).manifest))
        desk.hear(Chunk(number.to_bytes(8, "big"), 0, 0, b"x"))
    assert len(desk.receiver._manifests) <= 256
    assert len(desk.receiver._paces) <= 256


@settings(max_examples=100)
@given(st.binary(max_size=120))
def test_garbage_is_buried_and_life_goes_on(payload):
    desk = Desk()
    for answer in desk.receiver.receive("abc", payload, 1.0):
        assert isinstance(answer, Rejected | Reply | StatusAsked)


def test_receipts_are_not_for_a_receiver():
    desk = Desk()
    assert desk.hear(Have(b"t" * 8, 0, False)) == ([Rejected("abc", "", "not_for_receiver")], [])


def test_bitmaps_count_from_the_top_bit():
    assert bitmap({0, 9}, 10) == b"\x80\x40"
    assert bitmap(set(), 1) == b"\x00"
