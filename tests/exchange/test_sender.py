"""What goes out next, what is asked, and what frees a bundle."""

from dataclasses import replace
from itertools import pairwise

import pytest
from exchange_fakes import OTHER_KEY, RELAY_KEY, MemoryOutbox, bundle, sealed

from chevet.exchange.errors import Refused
from chevet.exchange.events import Ignored, PeerRefused, Progressed, Settled, StatusNews
from chevet.exchange.manifest import CHUNK, digest, join, read_manifest, write_body
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
from chevet.exchange.transfer import Transfer
from chevet.exchange.window import CAP, START

BULK = ((0, 700), (1, 3900), (3, 60_000))


class Bench:
    """A sender, its outbox, and a broker that acknowledges when told to."""

    def __init__(self, *, connected: bool = True, longest_run: int = 1) -> None:
        self.longest_run = longest_run
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
        self.sender = Sender(self.outbox, peer_key=RELAY_KEY.public_key(), longest_run=self.longest_run)
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


def test_an_urgent_study_begins_at_once_even_where_the_line_is_full():
    bench = Bench()
    bench.add(1)
    bench.add(2)
    while bench.pump(ack=False):
        pass
    assert not bench.sender.window.room()
    urgent = bench.add(3, priority=0)
    assert bench.sender.next_wake(bench.now) == bench.now
    began = [sent.tid for sent in bench.pump(ack=False) if isinstance(sent, Chunk)]
    assert began
    assert set(began) == {read_manifest(urgent.manifest).tid}
    assert bench.pump(ack=False) == []
    assert bench.sender.window.under_way <= bench.sender.window.size + 3 * CHUNK
    assert bench.sender.next_wake(bench.now) > bench.now


def test_the_oldest_study_gets_one_bulk_chunk_in_eight():
    bench = Bench()
    old = bench.add(1, ((0, 100), (3, 400_000)))
    for number in range(2, 5):
        bench.add(number, ((0, 100), (3, 400_000)), priority=0)
    while len(bulk := [item for item in bench.chunks() if item.oid == 1]) < 48:
        assert bench.pump()
    assert [item.tid for item in bulk[:48]].count(old.tid) == 6


def test_what_a_reader_waits_for_overtakes_the_bulk_of_others_but_no_preview_and_starves_nobody():
    bench = Bench()
    old = bench.add(1, ((0, 100), (3, 400_000)))
    wanted = bench.add(2, ((0, 100), (2, 20_000), (3, 400_000)))
    bench.add(3, ((0, 100), (3, 400_000)), priority=0)
    for _ in range(6):
        bench.pump()
    ident = read_manifest(wanted.manifest).id
    assert bench.hear(sign_status(ident, "wanted", 7, OTHER_KEY)) == [Ignored("bad_signature")]
    assert bench.hear(sign_status(ident, "wanted", 7, RELAY_KEY)) == []
    assert bench.hear(sign_status(ident, "wanted", 7, RELAY_KEY)) == []
    bench.acknowledge()
    bench.log.clear()
    while len(bulk := [item for item in bench.chunks() if item.oid]) < 40:
        assert bench.pump()
    assert [item.tid for item in bulk[:40]].count(wanted.tid) == 35
    assert [item.tid for item in bulk[:40]].count(old.tid) == 5
    late = bench.add(4, ((0, 100), (1, 3000), (3, 400_000)))
    bench.log.clear()
    bench.pump()
    assert bench.chunks()[0].tid == late.tid


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
    bench = Bench(longest_run=16)
    item = bench.add(1, ((0, 100), (3, 3_000_000)))
    for _ in range(200):
        bench.pump()
        bench.hear(whole_so_far(bench, item))
    sizes = [len(chunk.data) // CHUNK for chunk in bench.chunks()]
    assert {1, 4, 16} <= set(sizes), "one chunk, then four, then sixteen, as the link shows what it takes"
    assert sizes.index(1) < sizes.index(4) < sizes.index(16)
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


# Many bundles, and bundles that are gone


def test_previews_without_end_do_not_starve_the_bulk():
    bench = Bench()
    old = bench.add(1, ((0, 100), (3, 60_000)))
    bench.pump()
    bench.hear(Have(old.tid, 0, True, (b"\x80", bytes(2))))
    bench.log.clear()
    for number in range(2, 150):
        bench.add(number, ((0, 3900),))
        bench.now += 1.0
        bench.pump()
    assert [chunk for chunk in bench.chunks(old.tid) if chunk.oid == 1], "bulk found a turn"
    assert len(bench.chunks()) > 10 * len(bench.chunks(old.tid)), "and previews nearly all"


def test_each_message_looks_at_few_of_thousands_of_bundles(monkeypatch):
    bench = Bench(connected=False)
    one = sealed(bundle(1, ((0, 60), (3, 20_000))))
    said = read_manifest(one.manifest)
    looked = []
    ready = Transfer.ready
    monkeypatch.setattr(Transfer, "ready", lambda self: looked.append(self) or ready(self))
    for number in range(3000):
        ident = f"00000000-0000-7000-8000-{number:012d}"
        other = join(write_body(replace(said, id=ident)), bytes(64))
        bench.outbox.bundles[digest(other)[:8]] = replace(one, manifest=other, tid=digest(other)[:8])
    bench.boot()
    bench.sender.connected(bench.now)
    (query,) = bench.pump()
    looked.clear()
    for tid in query.tids:
        bench.hear(Have(tid, query.number, known=False))
    for _ in range(20):
        bench.pump()
        bench.sender.next_wake(bench.now)
    assert len(bench.chunks()) >= 30
    assert len(looked) < 10 * (len(bench.log) + len(query.tids))


def test_all_of_thousands_are_asked_about_few_at_a_time():
    bench = Bench(connected=False)
    for number in range(100):
        bench.outbox.put(sealed(bundle(number, ((0, 50),)), priority=number % 2))
    bench.boot()
    bench.sender.connected(bench.now)
    asked: list[bytes] = []
    while len(asked) < 100:
        query = next(item for item in bench.pump() if isinstance(item, Query))
        assert len(query.tids) <= 32
        asked += query.tids
        for tid in query.tids:
            bench.hear(Have(tid, query.number, True, (b"",)))
    assert sorted(asked) == sorted(bench.outbox.bundles)
    urgent = [tid for tid, item in bench.outbox.bundles.items() if read_manifest(item.manifest).priority == 0]
    assert asked[:50] == urgent


def test_a_bundle_whose_bytes_are_gone_is_put_aside_and_holds_up_no_other():
    bench = Bench()
    broken, whole_one = bench.add(1, ((0, 500),)), bench.add(2, ((0, 500),))
    read_all = bench.outbox.read
    bench.outbox.read = lambda tid, *where: b"" if tid == broken.tid else read_all(tid, *where)
    for _ in range(3):
        bench.pump()
    assert bench.sender.lost() == [PeerRefused(broken.id, broken.tid, "unreadable")]
    assert bench.sender.lost() == []
    assert bench.outbox.refused == {broken.tid: "unreadable"}
    assert [chunk.tid for chunk in bench.chunks()] == [whole_one.tid]


def test_all_delivered_bundles_are_watched_in_turn():
    bench = Bench(connected=False)
    names = [f"case-{number}" for number in range(50)]
    bench.sender.watch(names)
    bench.sender.connected(bench.now)
    (first,) = bench.pump()
    bench.now = bench.sender.next_wake(bench.now)
    (second,) = bench.pump()
    assert len(first.watch) == len(second.watch) == 32
    assert set(first.watch) | set(second.watch) == set(names)


def test_a_broker_that_hangs_up_on_long_messages_gets_shorter_ones():
    bench = Bench(longest_run=16)
    item = bench.add(1, ((0, 100), (3, 8_000_000)))
    for _ in range(300):
        sent = bench.pump(ack=False)
        bench.now += 0.1
        if any(isinstance(message, Chunk) and len(message.data) > 4 * CHUNK for message in sent):
            bench.tokens.clear()  # the broker refused and hung up
            bench.sender.disconnected(bench.now)
            bench.sender.connected(bench.now)
            (query,) = bench.pump()
            bench.log = bench.log[:-1]
            have = replace(whole_so_far(bench, item), number=query.number)
            bench.hear(have)
        else:
            bench.acknowledge()
            bench.hear(whole_so_far(bench, item))
    last = [len(chunk.data) for chunk in bench.chunks()][-5:]
    assert max(last) == 4 * CHUNK


def test_a_late_answer_still_tells_what_is_there():
    bench = Bench()
    item = bench.add(1, ((3, 20_000),))
    for _ in range(5):
        bench.pump()
    assert bench.hear(Have(item.tid, 77, True, (b"\xf8",))) == [Progressed(item.id, item.tid, 5, 5)]
    assert bench.hear(Have(item.tid, 78, known=False)) == [Ignored("late_answer")]
    assert bench.sender.progress(item.tid).confirmed == 5


def test_questions_of_two_processes_bear_different_numbers():
    bench = Bench()
    other = Sender(bench.outbox, peer_key=RELAY_KEY.public_key(), number_from=4711)
    other.connected(bench.now)
    (out,) = other.outgoing(bench.now)
    assert read(out.payload) == Query(4712, ())
