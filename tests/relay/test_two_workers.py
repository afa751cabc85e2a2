"""Two relay workers share the sites' messages: each hears half of everything, and nothing comes of it."""

import random

import pytest

from chevet.exchange.events import Completed, Reply
from chevet.exchange.sealing import RELAY
from chevet.exchange.topics import up

from .test_downlink import Road, answered, at_site


class SharedRoad(Road):
    """Two workers on one archive; the broker gives what a site says to either of them."""

    def __init__(self, world, seed):
        super().__init__(world)
        self.rng = random.Random(seed)
        self.other = Road(world, world.again())
        self.workers = [self, self.other]
        self.completes = 0

    def run(self, seconds, lose=lambda payload: False):
        until = self.now + seconds
        while self.now < until:
            self.now += 0.25
            for worker in self.workers:
                for item in worker.downlink.outgoing(self.now):
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
                worker = self.rng.choice(self.workers)
                for back in worker.uplink.take(up("abc", "a"), answer.payload, self.now):
                    self._at_site(back)


@pytest.mark.parametrize("seed", range(5))
def test_an_opinion_sent_by_both_workers_arrives_once_and_both_end(world, sent, seed):
    study, _, _ = answered(world, sent)
    road = SharedRoad(world, seed)
    lost = random.Random(seed)
    for worker in road.workers:
        worker.downlink.outgoing(0.0)
        worker.downlink.connected(0.0)
    road.run(120, lose=lambda _: lost.random() < 0.2)
    assert sum(isinstance(answer, Completed) for answer in road.heard) == 1
    assert at_site(world, study) == [world.clock.ms]
    before = len(road.heard)
    road.run(120)
    assert len(road.heard) == before, "both know that it arrived"
    assert not road.inbox.letters
