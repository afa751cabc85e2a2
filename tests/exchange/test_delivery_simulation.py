"""Sender and Receiver over a network that drops, repeats, reorders and cuts, both ends dying anywhere.

The matcher at the end of every run: what was put into the outbox is what the inbox holds, once, byte by byte.
"""

import random

import pytest
from exchange_fakes import OTHER_KEY, RELAY_KEY, SITE_KEY, MemoryOutbox, OpeningInbox, bundle, sealed

from chevet.exchange.events import Completed, Outgoing, Reply, Settled
from chevet.exchange.manifest import digest as digest_of
from chevet.exchange.messages import sign_complete, write
from chevet.exchange.receiver import Receiver
from chevet.exchange.sender import Sender

ORIGINS = {"abc": SITE_KEY.public_key()}


class CrashError(Exception):
    """The process dies here."""


class MortalInbox(OpeningInbox):
    """Dies before or after any of its writes, when its time has come."""

    dies_in = 0

    def _step(self) -> None:
        self.dies_in -= 1
        if self.dies_in == 0:
            raise CrashError

    def begin(self, tid, origin, manifest):
        self._step()
        super().begin(tid, origin, manifest)
        self._step()

    def store(self, tid, oid, seq, data):
        self._step()
        fresh = super().store(tid, oid, seq, data)
        self._step()
        return fresh

    def commit(self, tid):
        self._step()
        first = super().commit(tid)
        self._step()
        return first


class MortalOutbox(MemoryOutbox):
    """Dies before or after the receipt is kept, when its time has come."""

    dies_in = 0

    def settle(self, tid, receipt):
        for act in (lambda: None, lambda: MemoryOutbox.settle(self, tid, receipt)):
            act()
            self.dies_in -= 1
            if self.dies_in == 0:
                raise CrashError


class World:
    """Two ends, a broker that forgets, and a clock of our own."""

    def __init__(self, seed: int, *, loss: float, deaths: float, cuts: float) -> None:
        self.rng = random.Random(seed)
        self.loss, self.deaths, self.cuts = loss, deaths, cuts
        self.now = 1000.0
        self.outbox, self.inbox = MortalOutbox(), MortalInbox()
        self.put, self.settled, self.completed = {}, [], []
        self.wire: list[tuple[float, str, object]] = []  # (when, what, payload)
        self.acks: list[tuple[float, int]] = []
        self.workers: list[Receiver] = []
        self.boot_sender()
        self.boot_workers()

    def boot_sender(self) -> None:
        self.sender = Sender(self.outbox, peer_key=RELAY_KEY.public_key())
        self.acks.clear()
        self.wire = [item for item in self.wire if item[1] != "down"]  # clean start: its queue is gone
        self.sender.connected(self.now)

    def boot_workers(self) -> None:
        self.workers = [Receiver(self.inbox, signer=RELAY_KEY, origin_key=ORIGINS.get) for _ in range(2)]

    def add(self, number: int, priority: int) -> None:
        what = bundle(number)
        item = self.outbox.put(sealed(what, priority=priority))
        self.put[what.id] = what
        self.sender.add(item.manifest)

    def step(self) -> None:
        self.now += 0.1
        if self.rng.random() < self.cuts:
            self.sender.disconnected(self.now)
            self.acks.clear()
            self.sender.connected(self.now)
        if self.rng.random() < self.deaths:
            self.inbox.dies_in = self.rng.randint(1, 8)
        if self.rng.random() < self.deaths:
            self.outbox.dies_in = self.rng.randint(1, 3)
        if self.rng.random() < self.deaths / 2:
            self.boot_sender()
        for message in self.sender.outgoing(self.now):
            self.send(message)
        self.deliver()

    def send(self, message: Outgoing) -> None:
        self.acks.append((self.now + 0.3, message.token))
        self.post("up", message.payload)

    def post(self, way: str, payload: bytes) -> None:
        """Put a message on the wire: once, sometimes twice or never, and out of order."""
        for _ in range(2 if self.rng.random() < 0.1 else 1):
            if self.rng.random() >= self.loss:
                self.wire.append((self.now + self.rng.uniform(0.1, 0.9), way, payload))

    def deliver(self) -> None:
        due = sorted((item for item in self.wire if item[0] <= self.now), key=lambda item: item[0])
        self.wire = [item for item in self.wire if item[0] > self.now]
        for _, way, payload in due:
            self.arrive(way, payload)
        for at, token in [ack for ack in self.acks if ack[0] <= self.now]:
            self.acks.remove((at, token))
            self.sender.acknowledged(token, self.now)

    def arrive(self, way: str, payload: bytes) -> None:
        try:
            if way == "up":
                self.serve(payload)
            else:
                self.hear(payload)
        except CrashError:
            (self.boot_workers if way == "up" else self.boot_sender)()

    def serve(self, payload: bytes) -> None:
        for answer in self.rng.choice(self.workers).receive("abc", payload, self.now):
            if isinstance(answer, Reply):
                self.post("down", answer.payload)
            elif isinstance(answer, Completed):
                self.completed.append(answer.manifest.id)

    def hear(self, payload: bytes) -> None:
        events = self.sender.receive(payload, self.now)
        for event in events:
            if isinstance(event, Settled):
                assert event.id in self.inbox.complete, "freed before the other end had it"
                self.settled.append(event.id)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.step()
            if len(self.outbox.settled) == len(self.put):
                return
        raise AssertionError(f"{len(self.outbox.settled)} of {len(self.put)} settled")


def check(world: World) -> None:
    assert world.inbox.complete == world.put, "acquired and delivered differ"
    assert sorted(world.inbox.commits) == sorted(world.put), "something was completed twice"
    assert len(world.completed) == len(set(world.completed))
    assert len(world.settled) == len(set(world.settled))
    assert not world.outbox.refused


@pytest.mark.parametrize("seed", range(12))
def test_whatever_breaks_all_arrives_once_and_exactly(seed):
    world = World(seed, loss=0.1, deaths=0.03, cuts=0.02)
    for number in range(5):
        world.add(number + seed * 100, priority=number % 2)
        for _ in range(world.rng.randint(0, 30)):
            world.step()
    world.run(6000)
    check(world)
    assert len(world.inbox.complete) == 5


def test_on_a_calm_line_nothing_is_sent_twice():
    world = World(1, loss=0.0, deaths=0.0, cuts=0.0)
    world.post = lambda way, payload: world.wire.append((world.now + 0.3, way, payload))
    for number in range(8):
        world.add(number, priority=1)
    world.run(2000)
    check(world)
    assert world.sender.traffic.chunks_repeated == 0


def test_a_cut_repeats_no_more_than_a_window():
    world = World(2, loss=0.0, deaths=0.0, cuts=0.0)
    world.post = lambda way, payload: world.wire.append((world.now + 0.3, way, payload))
    for number in range(4):
        world.add(number, priority=1)
    for _ in range(12):
        world.step()
    window = world.sender.window.size
    world.wire.clear()  # all that was under way is lost
    world.acks.clear()
    world.sender.disconnected(world.now)
    world.sender.connected(world.now)
    world.run(3000)
    check(world)
    assert world.sender.traffic.chunks_repeated <= window // 4096 + 1


def test_a_lying_other_end_frees_nothing():
    world = World(3, loss=0.0, deaths=0.0, cuts=0.0)
    world.add(1, priority=1)
    world.add(2, priority=1)
    (first, second) = world.outbox.bundles.values()
    digest = read_digest(first)
    lies = [
        sign_complete(first.tid, first.id, digest, OTHER_KEY),  # not the relay's key
        sign_complete(first.tid, first.id, digest, SITE_KEY),  # our own key
        sign_complete(first.tid, first.id, read_digest(second), RELAY_KEY),  # other content
        sign_complete(first.tid, second.id, digest, RELAY_KEY),  # other id
        sign_complete(second.tid, first.id, digest, RELAY_KEY),  # other transfer
    ]
    for lie in lies:
        world.hear(write(lie))
    unsigned = sign_complete(first.tid, first.id, digest, RELAY_KEY)
    tampered = bytearray(write(unsigned))
    tampered[-1] ^= 1
    world.hear(bytes(tampered))
    world.hear(write(unsigned)[:-10])
    assert not world.outbox.settled
    world.inbox.complete = dict.fromkeys(world.put)  # what follows is the truth
    world.hear(write(unsigned))
    world.hear(write(unsigned))
    assert list(world.outbox.settled) == [first.tid]
    assert world.settled == [first.id]


def read_digest(item) -> bytes:
    return digest_of(item.manifest)


@pytest.mark.parametrize("end", ["inbox", "outbox"])
def test_a_death_at_each_single_write_of_either_end_loses_and_doubles_nothing(end):
    """Not at random: before and after the first write, the second, and so on until none is left to die at."""
    died = 0
    while True:
        world = World(4, loss=0.0, deaths=0.0, cuts=0.0)
        world.add(1, priority=1)
        getattr(world, end).dies_in = died + 1
        world.run(3000)
        check(world)
        assert len(world.inbox.complete) == 1
        if getattr(world, end).dies_in > 0:
            break
        died += 1
    assert died >= {"inbox": 2 * (1 + 10 + 1), "outbox": 2}[end], "announced, each chunk, committed; settled"
