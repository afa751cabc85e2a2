"""What goes out next, what is asked, and what frees a bundle."""

from itertools import pairwise

import pytest
from exchange_fakes import OTHER_KEY, RELAY_KEY, MemoryOutbox, bundle, sealed

from chevet.exchange.errors import Refused
from chevet.exchange.events import Ignored, PeerRefused, Progressed, Settled, StatusNews
from chevet.exchange.manifest import CHUNK, digest, read_manifest
from chevet.exchange.messages import (
    Chunk,
    Have,
    ManifestMessage,
    Query,
    read,
    sign_complete,
    sign_nack,
    sign_status,
    write,
)
from chevet.exchange.receiver import bitmap
from chevet.exchange.sender import UNSURE_CHUNKS, Sender
from chevet.exchange.window import CAP, FLOOR, START, Window

BULK = ((0, 700), (1, 3900), (3, 60_000))


class Bench:
    """A sender, its outbox, and a broker that acknowledges when told to."""

    def __init__(self, *, connected: bool = True) -> None:
        self.outbox = MemoryOutbox()
        self.now = 100.0
        self.log: list[object] = []
        self.tokens: list[int] = []
        self.boot()
        if connected:
            self.sender.connected(self.now)
            self.pump()
            self.log.clear()

    def boot(self) -> None:
        self.sender = Sender(self.outbox, peer_key=RELAY_KEY.public_key())
        self.tokens.clear()

    def add(self, number: int, sizes=BULK, priority: int = 1):
        item = self.outbox.put(sealed(bundle(number, sizes), priority=priority))
        self.sender.add(item.manifest)
        return item

    def pump(self, *, ack: bool = True) -> list[object]:
        """One round: publish what is due, then acknowledge it 0.1 s later."""
        out = self.sender.outgoing(self.now)
        self.tokens += [message.token for message in out]
        sent = [read(message.payload) for message in out]
        self.log += sent
        if ack:
            self.now += 0.1
            self.acknowledge()
        return sent

    def acknowledge(self) -> None:
        for token in self.tokens:
            self.sender.acknowledged(token, self.now)
        self.tokens.clear()

    def hear(self, message) -> list[object]:
        return self.sender.receive(write(message), self.now)

    def chunks(self, tid: bytes | None = None) -> list[Chunk]:
        return [item for item in self.log if isinstance(item, Chunk) and tid in (None, item.tid)]


def whole(item, number: int = 0) -> Have:
    entries = read_manifest(item.manifest).objects
    return Have(item.tid, number, True, tuple(bitmap(set(range(e.chunks)), e.chunks) for e in entries))


def test_the_manifest_and_the_previews_of_every_study_go_before_any_bulk():
    bench = Bench()
    items = [bench.add(number) for number in range(3)]
    for _ in range(12):
        bench.pump()
    first_bulk = next(n for n, item in enumerate(bench.log) if isinstance(item, Chunk) and item.oid == 2)
    before = bench.log[:first_bulk]
    assert [item.manifest for item in before if isinstance(item, ManifestMessage)] == [
        i.manifest for i in items
    ]
    assert {(item.tid, item.oid) for item in before if isinstance(item, Chunk)} == {
        (item.tid, oid) for item in items for oid in (0, 1)
    }


def test_an_urgent_study_overtakes_the_bulk_of_others():
    bench = Bench()
    bench.add(1)
    for _ in range(4):
        bench.pump()
    urgent = bench.add(2, priority=0)
    bench.log.clear()
    bench.pump()
    assert isinstance(bench.log[0], ManifestMessage)
    assert bench.log[0].manifest == urgent.manifest
    assert bench.log[1].tid == urgent.tid


def test_the_oldest_study_gets_one_bulk_chunk_in_eight():
    bench = Bench()
    old = bench.add(1, ((0, 100), (3, 400_000)))
    for number in range(2, 5):
        bench.add(number, ((0, 100), (3, 400_000)), priority=0)
    while len(bulk := [item for item in bench.chunks() if item.oid == 1]) < 48:
        assert bench.pump()
    assert [item.tid for item in bulk[:48]].count(old.tid) == 6


def test_the_window_stays_full_across_studies_and_is_never_overrun():
    bench = Bench()
    for number in range(12):
        bench.add(number, ((0, 100), (1, 300)))
    sent = bench.pump(ack=False)
    under_way = sum(len(write(item)) for item in sent)
    assert START <= under_way < START + CHUNK + 100
    assert bench.pump(ack=False) == []
    assert len({item.tid for item in sent if isinstance(item, Chunk)}) > 1


def test_off_line_nothing_goes_out():
    bench = Bench(connected=False)
    bench.add(1)
    assert bench.pump() == []
    assert bench.sender.next_wake(bench.now) > bench.now


def test_on_connecting_one_query_says_hello_and_names_what_is_open():
    bench = Bench(connected=False)
    for number in range(40):
        bench.outbox.put(sealed(bundle(number, ((0, 50),))))
    bench.boot()
    bench.sender.watch(["case-1"])
    bench.sender.connected(bench.now)
    (query,) = bench.pump()
    assert isinstance(query, Query)
    assert query.tids == tuple(list(bench.outbox.bundles)[:32])
    assert query.watch == ("case-1",)
    assert bench.pump() == [], "nothing is sent again before the other end said what it has"


def test_after_a_restart_only_what_is_missing_is_sent():
    bench = Bench(connected=False)
    item = bench.outbox.put(sealed(bundle(1)))
    bench.boot()
    bench.sender.connected(bench.now)
    (query,) = bench.pump()
    entries = read_manifest(item.manifest).objects
    have = [set(range(entry.chunks)) for entry in entries]
    have[2] -= {3, 7}
    bitmaps = tuple(bitmap(some, entry.chunks) for some, entry in zip(have, entries, strict=True))
    events = bench.hear(Have(item.tid, query.number, True, bitmaps))
    assert events == [Progressed(item.id, item.tid, 8, 10)]
    for _ in range(3):
        bench.pump()
    assert [(chunk.oid, chunk.seq) for chunk in bench.chunks()] == [(2, 3), (2, 7)]


def test_a_transfer_the_other_end_never_heard_of_starts_from_the_manifest():
    bench = Bench()
    item = bench.add(1, ((0, 100), (3, 5000)))
    for _ in range(4):
        bench.pump()
    bench.log.clear()
    assert bench.hear(Have(item.tid, 0, False)) == []
    bench.pump()
    assert isinstance(bench.log[0], ManifestMessage)
    assert len(bench.chunks()) == 3


def test_silence_after_the_acknowledgement_is_asked_about_slower_and_slower():
    bench = Bench()
    bench.add(1, ((0, 100),))
    bench.pump()
    asked = []
    while len(asked) < 5:
        bench.now = max(bench.sender.next_wake(bench.now), bench.now + 0.01)
        if any(isinstance(item, Query) for item in bench.pump()):
            asked.append(bench.now)
    gaps = [round(b - a) for a, b in pairwise(asked)]
    assert gaps == [10, 20, 40, 60]


def test_what_the_answer_lacks_is_sent_again_but_not_what_left_after_the_question():
    bench = Bench()
    item = bench.add(1, ((3, 30_000),))
    for _ in range(6):
        bench.pump()
    sent = len(bench.chunks())
    assert sent == 8
    bench.now += 10
    (query,) = bench.pump()
    bench.log.clear()
    bench.hear(Have(item.tid, query.number, True, (bitmap({0, 1, 2, 3, 4, 6, 7}, 8),)))
    bench.pump()
    assert [(chunk.oid, chunk.seq) for chunk in bench.chunks()] == [(0, 5)]
    bench.log.clear()
    bench.hear(Have(item.tid, 0, True, (bitmap({0}, 8),)))  # unasked and older: proves nothing missing
    bench.hear(Have(item.tid, query.number, True, (bitmap(set(), 8),)))  # the old answer once more
    bench.pump()
    assert bench.chunks() == []


def test_bulk_stops_when_the_other_end_confirms_nothing():
    bench = Bench()
    bench.add(1, ((0, 100), (3, 2_000_000)))
    for _ in range(400):
        bench.pump()
    bulk = len(bench.chunks())
    assert bulk <= max(UNSURE_CHUNKS, 4 * CAP // CHUNK) + CAP // CHUNK
    before = bulk
    for _ in range(50):
        bench.pump()
    assert len(bench.chunks()) == before


def test_a_fast_link_carries_several_chunks_in_a_message():
    bench = Bench()
    item = bench.add(1, ((0, 100), (3, 3_000_000)))
    for _ in range(200):
        bench.pump()
        bench.hear(whole_so_far(bench, item))
    assert max(len(chunk.data) for chunk in bench.chunks()) == 4 * CHUNK
    covered = [seq for chunk in bench.chunks() if chunk.oid == 1 for seq, _ in chunk.pieces()]
    assert covered == sorted(set(covered))


def whole_so_far(bench: Bench, item) -> Have:
    entries = read_manifest(item.manifest).objects
    have = [set() for _ in entries]
    for chunk in bench.chunks(item.tid):
        have[chunk.oid] |= {seq for seq, _ in chunk.pieces()}
    return Have(item.tid, 0, True, tuple(bitmap(h, e.chunks) for h, e in zip(have, entries, strict=True)))


def test_a_verified_complete_settles_and_counts_bytes():
    bench = Bench()
    item = bench.add(1, ((0, 100), (1, 200)))
    bench.pump()
    (event,) = bench.hear(sign_complete(item.tid, item.id, digest(item.manifest), RELAY_KEY))
    assert isinstance(event, Settled)
    assert (event.id, event.tid) == (item.id, item.tid)
    assert event.bytes_up == sum(len(write(sent)) for sent in bench.log)
    assert event.bytes_down > 100
    assert item.tid in bench.outbox.settled
    assert bench.sender.progress(item.tid) is None


def test_a_nack_keeps_the_bundle_with_its_reason():
    bench = Bench()
    item = bench.add(1)
    true = digest(item.manifest)
    assert bench.hear(sign_nack(item.tid, true, "bad_hash", OTHER_KEY)) == [Ignored("bad_signature")]
    assert bench.hear(sign_nack(item.tid, bytes(32), "bad_hash", RELAY_KEY)) == [Ignored("other_content")]
    assert bench.hear(sign_nack(bytes(8), true, "bad_hash", RELAY_KEY)) == [Ignored("unknown_transfer")]
    assert bench.hear(sign_nack(item.tid, true, "bad_hash", RELAY_KEY)) == [
        PeerRefused(item.id, item.tid, "bad_hash")
    ]
    assert bench.outbox.refused == {item.tid: "bad_hash"}
    assert not bench.outbox.settled
    assert bench.pump() == []


def test_news_of_a_reader_must_be_signed():
    bench = Bench()
    assert bench.hear(sign_status("s", "opened", 7, RELAY_KEY)) == [StatusNews("s", "opened", 7)]
    assert bench.hear(sign_status("s", "opened", 7, OTHER_KEY)) == [Ignored("bad_signature")]


@pytest.mark.parametrize("payload", [b"", b"\xff\xff", write(Query(1, ())), write(Have(b"t" * 8, 0, False))])
def test_anything_else_is_ignored(payload):
    (event,) = Bench().sender.receive(payload, 1.0)
    assert isinstance(event, Ignored)


def test_progress_counts_what_the_other_end_has_not_what_the_broker_took():
    bench = Bench()
    item = bench.add(1, ((3, 20_000),))
    for _ in range(5):
        bench.pump()
    assert bench.sender.progress(item.tid) == Progressed(item.id, item.tid, 0, 5)
    bench.hear(whole(item))
    assert bench.sender.progress(item.tid) == Progressed(item.id, item.tid, 5, 5)


def test_a_bundle_added_twice_travels_once():
    bench = Bench()
    item = bench.add(1, ((0, 10),))
    bench.sender.add(item.manifest)
    bench.pump()
    assert len(bench.log) == 2
    with pytest.raises(Refused, match="malformed"):
        bench.sender.add(b"not a manifest")


def test_watched_bundles_are_asked_about_again():
    bench = Bench(connected=False)
    bench.sender.watch(["case"])
    bench.sender.connected(bench.now)
    assert bench.pump() == [Query(1, (), ("case",))]
    assert bench.pump() == []
    bench.now = bench.sender.next_wake(bench.now)
    assert bench.pump()[0].watch == ("case",)


def test_an_acknowledgement_of_another_connection_is_nobodys():
    bench = Bench()
    bench.add(1)
    bench.pump(ack=False)
    stale = list(bench.tokens)
    bench.sender.disconnected(bench.now)
    bench.sender.connected(bench.now)
    for token in stale:
        bench.sender.acknowledged(token, bench.now)
    assert bench.sender.window.under_way == 0


# The window


def test_the_window_grows_on_a_quick_link_up_to_its_cap():
    window = Window()
    for step in range(4000):
        window.sent(CHUNK)
        window.acknowledged(CHUNK, step, step + 0.2)
    assert window.size == CAP
    assert window.under_way == 0


def test_the_window_halves_once_when_the_link_queues_and_keeps_its_floor():
    window = Window()
    window.size = 64 << 10
    window.acknowledged(CHUNK, 0.0, 0.3)
    for late in range(5):  # all sent before the first sign of trouble
        window.acknowledged(CHUNK, 1.0, 4.0 + late / 10)
    assert window.size == 32 << 10
    for later in range(10):
        window.acknowledged(CHUNK, 10.0 * (later + 1), 10.0 * (later + 1) + 5)
    assert window.size == FLOOR
    window.cut(200.0)
    assert (window.size, window.under_way) == (FLOOR, 0)


def test_small_messages_teach_the_window_nothing():
    window = Window()
    window.acknowledged(100, 0.0, 0.01)
    window.acknowledged(CHUNK, 0.0, 2.0)
    assert window.size == START
