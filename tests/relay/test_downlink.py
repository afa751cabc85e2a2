"""Answers reach their site whatever happens on the way, and the archive knows when they did."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, update

from chevet.exchange.events import Completed, Reply
from chevet.exchange.messages import Have, Query, Status, read, write
from chevet.exchange.receiver import Receiver
from chevet.exchange.sealing import RELAY, open_sealed
from chevet.exchange.topics import down, up
from chevet.relay.archive.answers import Draft, Note
from chevet.relay.archive.delivery import delivery
from chevet.relay.archive.lease import LEASE_MS
from chevet.relay.archive.schema import audit, sites
from chevet.relay.ingest.downlink import Downlink
from chevet.relay.ingest.uplink import Uplink
from chevet.study.bundle import content_hash, pack
from chevet.study.case import unpack_opinion

from .conftest import PASSWORD, code, deliver, messages


class SiteInbox:
    """The smallest Inbox a box could have: everything in memory."""

    def __init__(self):
        self.manifests, self.chunks, self.done, self.letters = {}, {}, set(), []

    def begin(self, tid, origin, manifest):
        self.manifests.setdefault(tid, manifest)

    def state(self, tid):
        return "complete" if tid in self.done else "open" if tid in self.manifests else "unknown"

    def manifest(self, tid):
        return self.manifests.get(tid)

    def store(self, tid, oid, seq, data):
        fresh = (tid, oid, seq) not in self.chunks
        self.chunks[tid, oid, seq] = data
        return fresh

    def have(self, tid, oid):
        return {key[2] for key in self.chunks if key[:2] == (tid, oid)}

    def read(self, tid, oid):
        return b"".join(self.chunks[tid, oid, seq] for seq in sorted(self.have(tid, oid)))

    def drop(self, tid, oid):
        raise AssertionError("nothing is damaged here")

    def commit(self, tid):
        fresh = tid not in self.done
        self.done.add(tid)
        return fresh

    def refuse(self, tid, reason):
        raise AssertionError(reason)

    def bury(self, origin, payload, reason):
        self.letters.append(reason)


class Road:
    """A relay's uplink and downlink wired to a box, with a broker that loses what the test says."""

    def __init__(self, world, relay=None):
        self.world = world
        self.downlink = Downlink(relay or world.relay)
        self.uplink = Uplink(relay or world.relay, self.downlink)
        self.inbox = SiteInbox()
        relay_key = world.relay.keys.relay.public_key()
        self.box = Receiver(
            self.inbox,
            signer=world.site.signer,
            origin_key=lambda origin: relay_key if origin == RELAY else None,
        )
        self.now = 0.0
        self.heard, self.news = [], []

    def run(self, seconds, lose=lambda payload: False):
        until = self.now + seconds
        while self.now < until:
            self.now += 0.25
            for item in self.downlink.outgoing(self.now):
                if item.token:
                    self.downlink.acknowledged(item.site, item.token, self.now)
                if not lose(item.payload):
                    self._at_site(item)

    def _at_site(self, item):
        assert item.topic in (down("abc", "q"), down("abc", "r"))
        if item.topic.endswith("/r"):
            self.news.append(read(item.payload))
            return
        for answer in self.box.receive(RELAY, item.payload, self.now):
            self.heard.append(answer)
            if isinstance(answer, Reply):
                for back in self.uplink.take(up("abc", "a"), answer.payload, self.now):
                    self._at_site(back)


def answered(world, sent):
    study, user = sent(), world.user()
    world.relay.cases.claim(study.id, user)
    key = world.relay.sign_in.signing_key(user, PASSWORD)
    draft = Draft("Well.", "certain", "Rest.", "routine", False, None)
    return study, user, world.relay.answers.give_opinion(study.id, user, draft, key)


def at_site(world, study):
    with world.relay.database.read() as connection:
        return [
            one.at_site_ms for one in delivery(connection, world.relay.cases.get(connection, study.id)).back
        ]


def test_an_opinion_arrives_at_the_box_and_its_receipt_settles_it(world, sent):
    road = Road(world)
    road.downlink.outgoing(0.0)
    road.downlink.connected(0.0)
    study, _, opinion = answered(world, sent)
    assert at_site(world, study) == [None]
    road.run(1)
    assert sum(isinstance(answer, Completed) for answer in road.heard) == 1
    (tid,) = road.inbox.done
    (manifest,) = (answer.manifest for answer in road.heard if isinstance(answer, Completed))
    bundle = open_sealed(manifest, {0: road.inbox.read(tid, 0)}, world.site.sealing)
    assert unpack_opinion(bundle) == opinion
    assert content_hash(bundle)
    assert at_site(world, study) == [world.clock.ms]
    assert [(news.id, news.status) for news in road.news] == [(study.id, "answered")]
    before = len(road.heard)
    road.run(120)
    assert len(road.heard) == before


def test_an_answer_given_while_the_relay_was_away_is_sent_after_its_restart(world, sent):
    study, _, _ = answered(world, sent)
    road = Road(world, world.again())
    road.downlink.connected(0.0)
    road.run(15)
    assert at_site(world, study) == [world.clock.ms]


def test_a_message_lost_on_the_way_is_asked_for_and_sent_again(world, sent):
    road = Road(world)
    road.downlink.outgoing(0.0)
    road.downlink.connected(0.0)
    study, _, _ = answered(world, sent)
    lost = []
    road.run(5, lose=lambda payload: not lost.append(payload))
    assert lost
    assert at_site(world, study) == [None]
    road.run(40)
    assert at_site(world, study) == [world.clock.ms]


def test_a_site_that_shows_itself_is_served_at_once(world, sent):
    road = Road(world)
    road.downlink.outgoing(0.0)
    road.downlink.connected(0.0)
    study, _, _ = answered(world, sent)
    road.run(100, lose=lambda payload: True)
    road.uplink.take(up("abc", "a"), write(Query(1, (), (study.id,))), road.now)
    road.run(1.0)
    assert at_site(world, study) == [world.clock.ms]


def test_a_query_is_answered_with_what_happened_to_the_case(world, sent):
    study, user, _ = answered(world, sent)
    world.relay.cases.open(study.id, user)
    road = Road(world)
    told = road.uplink.take(up("abc", "a"), write(Query(1, (), (study.id, "unknown"))), 0.0)
    assert {read(item.payload).status for item in told} == {"opened", "answered"}
    assert {item.topic for item in told} == {down("abc", "r")}


async def test_what_a_reader_waits_for_is_told_to_the_site_and_again_when_it_asks(world, make_study, client):
    study, road = make_study(), Road(world)
    sealed = world.site.seal(pack(study))
    *some, last = messages(sealed)
    deliver(world.receiver(), some)
    async with client(world.user()) as desk:
        where = f"/api/cases/{study.id}"
        assert (await desk.get(f"{where}/delivery")).json()["wanted_ms"] is None
        for _ in range(2):
            assert (await desk.post(f"{where}/want")).status_code == 204
        assert (await desk.get(f"{where}/delivery")).json()["wanted_ms"] == world.clock.ms
        road.downlink.connected(0.0)
        road.run(1.0)
        told = [(one.id, one.status) for one in road.news if isinstance(one, Status)]
        assert told == [(study.id, "wanted")]
        again = road.uplink.take(up("abc", "a"), write(Query(1, (sealed.tid,))), 2.0)
        assert "wanted" in [one.status for item in again if isinstance(one := read(item.payload), Status)]
        deliver(world.receiver(), [last])
        assert code(await desk.post(f"{where}/want")) == (409, "complete")
        done = road.uplink.take(up("abc", "a"), write(Query(2, (sealed.tid,))), 3.0)
        assert not [item for item in done if isinstance(read(item.payload), Status)]
    with world.relay.database.read() as connection:
        noted = connection.execute(select(audit.c.who).where(audit.c.what == "case.want")).scalars().all()
    assert noted == ["dr", "dr"]


def test_a_site_hears_nothing_of_anothers_case(world, sent):
    study, _, _ = answered(world, sent)
    assert Downlink(world.relay).statuses("other", (study.id,)) == []


def test_a_receipt_taken_by_another_worker_ends_the_sending(world, sent):
    one, two = Road(world), Road(world, world.again())
    for road in (one, two):
        road.downlink.outgoing(0.0)
        road.downlink.connected(0.0)
    study, _, _ = answered(world, sent)
    one.run(1, lose=lambda payload: True)
    world.clock.ms += LEASE_MS
    two.run(1)
    assert at_site(world, study) == [world.clock.ms]
    later = []
    one.run(60, lose=lambda payload: not later.append(read(payload)))
    assert [message for message in later if not isinstance(message, Query) or message.tids] == []


def test_a_revoked_site_is_sent_nothing_more_and_its_sender_is_forgotten(world, sent):
    road = Road(world)
    road.downlink.connected(0.0)
    study, _, _ = answered(world, sent)
    road.run(1, lose=lambda payload: True)
    world.relay.sites.revoke("abc")
    assert road.downlink.outgoing(60.0) == []
    road.run(120)
    assert at_site(world, study) == [None]
    assert road.heard == []
    assert road.news == [], "nor news of its cases"
    assert road.downlink.receive("abc", write(Have(bytes(8), 1, known=False)), road.now) == []


def test_a_site_that_comes_back_with_new_keys_is_believed_by_those_alone(world, sent):
    road = Road(world)
    road.downlink.connected(0.0)
    study, _, _ = answered(world, sent)
    road.run(1, lose=lambda payload: True)
    old, new = world.site.signer, Ed25519PrivateKey.generate()
    key = new.public_key().public_bytes_raw()
    with world.relay.database.write() as connection:
        connection.execute(update(sites).values(verify_key=key))
    road.run(60)
    assert at_site(world, study) == [None], "the old key's receipt counts for nothing now"
    assert old.public_key() != new.public_key()
    road.box = Receiver(road.inbox, signer=new, origin_key=lambda _: world.relay.keys.relay.public_key())
    road.run(60)
    assert at_site(world, study) == [world.clock.ms]


def test_while_the_broker_is_away_nothing_goes_out(world, sent):
    road = Road(world)
    road.downlink.connected(0.0)
    road.downlink.disconnected(1.0)
    answered(world, sent)
    assert road.downlink.outgoing(2.0) == []


def test_strange_topics_and_strangers_chunks_change_nothing(world, make_study):
    road = Road(world)
    chunk = messages(world.site.seal(pack(make_study())))[1]
    for topic in ("t/1/abc/d/q", "t/1/abc/u/s", "t/1/TOOLONGCODE/u/a", "other", "t/1/zzz/u/b"):
        assert road.uplink.take(topic, chunk, 0.0) == []
    assert road.uplink.take("t/1/zzz/u/a", b"\xff", 0.0) == []


def test_a_refused_answer_is_kept_with_the_sites_reason(world, sent):
    study, user, _ = answered(world, sent)
    world.relay.answers.send_message(study.id, user, Note("note", "", "", "", "Hello."))
    outbox = world.relay.outbox("abc")
    first, second = outbox.pending()
    from chevet.exchange.manifest import read_manifest

    tid = read_manifest(first).tid
    outbox.refuse(tid, "undecryptable")
    outbox.refuse(tid, "undecryptable")
    assert list(outbox.pending()) == [second]
    from chevet.relay.archive.dead_letters import letters

    with world.relay.database.read() as connection:
        assert [letter.reason for letter in letters(connection)] == ["site:undecryptable"]
