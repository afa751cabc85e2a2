"""Two relay workers share the sites' messages: each hears half of everything, and nothing comes of it."""

import random

import pytest

from chevet.exchange.events import Completed, Reply
from chevet.exchange.messages import Query, write
from chevet.exchange.sealing import RELAY
from chevet.exchange.topics import up
from chevet.relay.archive.lease import KEPT_MS, LEASE_MS, Lease

from .test_downlink import Road, answered, at_site


class SharedRoad(Road):
    """Two workers on one archive; the broker gives what a site says to either of them."""

    def __init__(self, world, seed):
        super().__init__(world)
        self.rng = random.Random(seed)
        self.other = Road(world, world.again())
        self.workers = [self, self.other]
        self.dead = set()
        self.said = {id(worker): [] for worker in self.workers}

    def run(self, seconds, lose=lambda payload: False):
        until = self.now + seconds
        while self.now < until:
            self.now += 0.25
            self.world.clock.ms += 250
            for worker in self.workers:
                if worker in self.dead:
                    continue
                for item in worker.downlink.outgoing(self.now):
                    self.said[id(worker)].append(item)
                    if item.token:
                        worker.downlink.acknowledged(item.site, item.token, self.now)
                    if not lose(item.payload):
                        self._at_site(item)

    def _at_site(self, item):
        if item.topic.endswith("/r"):
            return
        for answer in self.box.receive(RELAY, item.payload, self.now):
            self.heard.append(answer)
            if isinstance(answer, Reply):
                worker = self.rng.choice([one for one in self.workers if one not in self.dead])
                for back in worker.uplink.take(up("abc", "a"), answer.payload, self.now):
                    self._at_site(back)


def connected_road(world, seed=0):
    road = SharedRoad(world, seed)
    for worker in road.workers:
        worker.downlink.outgoing(0.0)
        worker.downlink.connected(0.0)
    return road


@pytest.mark.parametrize("seed", range(5))
def test_an_opinion_that_two_workers_could_send_arrives_once_and_both_end(world, sent, seed):
    study, _, _ = answered(world, sent)
    road = connected_road(world, seed)
    lost = random.Random(seed)
    road.run(120, lose=lambda _: lost.random() < 0.2)
    assert sum(isinstance(answer, Completed) for answer in road.heard) == 1
    (arrived,) = at_site(world, study)
    assert arrived is not None
    before = len(road.heard)
    road.run(120)
    assert len(road.heard) == before, "both know that it arrived"
    assert not road.inbox.letters


def test_one_of_two_workers_sends_and_the_other_says_nothing(world, sent):
    road = connected_road(world)
    study, _, _ = answered(world, sent)
    road.run(60, lose=lambda _: True)
    assert [worker.downlink.leads for worker in road.workers] == [True, False]
    assert road.said[id(road)], "one tries and tries"
    assert road.said[id(road.other)] == []
    assert at_site(world, study) == [None]


def test_what_a_site_says_to_the_worker_that_does_not_send_reaches_the_one_that_does(world, sent):
    road = connected_road(world)
    study, _, _ = answered(world, sent)
    road.run(100, lose=lambda _: True)
    asks = write(Query(1, (), (study.id,)))
    road.other.uplink.take(up("abc", "a"), asks, road.now)
    road.rng.choice = lambda workers: workers[-1]
    road.run(1.0)
    (arrived,) = at_site(world, study)
    assert arrived is not None, "asked about at once, answered through the other worker"


@pytest.mark.parametrize("orderly", [True, False])
def test_when_the_sending_worker_goes_the_other_takes_over(world, sent, orderly):
    road = connected_road(world)
    study, _, _ = answered(world, sent)
    road.run(3, lose=lambda _: True)
    road.dead.add(road)
    if orderly:
        road.downlink.disconnected(road.now)
    road.run(3)
    (arrived,) = at_site(world, study)
    assert (arrived is not None) is orderly, "a lease that was not given back has to end first"
    road.run(20)
    (arrived,) = at_site(world, study)
    assert arrived is not None
    assert road.other.downlink.leads
    road.dead.clear()
    if not orderly:
        road.downlink.outgoing(road.now)
        assert not road.downlink.leads, "who comes back finds that it no longer sends"


def test_a_lease_that_a_strange_clock_wrote_is_not_waited_for(world):
    one = Lease(world.relay.database, "one", lambda: world.clock.ms + 10 * LEASE_MS)
    two = Lease(world.relay.database, "two", lambda: world.clock.ms)
    assert one.take(7) == 7
    assert two.take(0) == 7
    assert one.take(9) == 7, "by the first one's clock it has long ended"
    two.give_back(99)
    assert one.take(8) == 8, "what is not held cannot be given back"


def test_news_that_one_worker_told_is_not_told_again_by_the_next(world, sent):
    road = connected_road(world)
    study, user = sent(), world.user()
    world.relay.cases.claim(study.id, user)
    world.relay.cases.open(study.id, user)
    road.run(1)
    assert sum(item.topic.endswith("/r") for item in road.said[id(road)]) == 1
    road.dead.add(road)
    road.downlink.disconnected(road.now)
    road.run(5)
    assert road.other.downlink.leads
    assert not any(item.topic.endswith("/r") for item in road.said[id(road.other)])


def test_what_nobody_collects_is_forgotten_after_a_minute(world):
    lease = Lease(world.relay.database, "one", lambda: world.clock.ms)
    lease.pass_on("abc", b"old")
    world.clock.ms += KEPT_MS + 1
    lease.pass_on("abc", b"new")
    assert lease.collect() == [("abc", b"new")]
    assert lease.collect() == []
