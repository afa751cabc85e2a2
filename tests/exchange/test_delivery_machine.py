"""The exchange against everything at once: hypothesis looks for an order of events in which a bundle is lost.

Two ends with stores that survive, a broker that forgets, and whatever may happen between any two steps:
messages lost, late, twice, out of order, cut short, bits flipped, either end dead before or after any write,
clocks that begin anew or jump, receipts that lie.

CHEVET_LONG_SIMULATION=2000 tries so many histories instead of a few (about ten a second).
"""

import functools
import os

import hypothesis.strategies as st
from exchange_fakes import OTHER_KEY, RELAY_KEY, SITE_KEY, MemoryOutbox, OpeningInbox, bundle, sealed
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chevet.exchange.events import Completed, Reply
from chevet.exchange.manifest import digest
from chevet.exchange.messages import sign_complete, sign_nack, write
from chevet.exchange.order import BULK_WAITS_S, PREVIEW
from chevet.exchange.receiver import MAX_ASSEMBLIES, Receiver
from chevet.exchange.sender import Sender

LONG = int(os.environ.get("CHEVET_LONG_SIMULATION", "0"))
SIZES = (
    ((0, 300),),
    ((0, 700), (1, 3900)),
    ((0, 700), (1, 3900), (3, 30_000)),
    ((0, 100), (2, 9000), (3, 12_000)),
    ((1, 200), (0, 100), (3, 4080)),
)
FAULTS = st.sampled_from(("", "", "", "", "lost", "twice", "late", "short", "flipped"))


class CrashError(Exception):
    """The process dies here."""


def mortal(store: type) -> type:
    """A store whose process dies before or after one of its writes, when its time has come."""

    class Mortal(store):
        dies_in = 0

        def _step(self) -> None:
            self.dies_in -= 1
            if self.dies_in == 0:
                raise CrashError

    for name in ("begin", "store", "drop", "commit", "settle", "refuse", "bury"):
        if hasattr(store, name):
            setattr(Mortal, name, _dying(getattr(store, name)))
    return Mortal


def _dying(write_it):
    @functools.wraps(write_it)
    def write_or_die(self, *values):
        self._step()
        result = write_it(self, *values)
        self._step()
        return result

    return write_or_die


@functools.cache
def made(number: int):
    """A bundle and its sealed form; made once, for sealing takes longest."""
    what = bundle(number, SIZES[number % len(SIZES)])
    return what, sealed(what, priority=number // len(SIZES) % 2)


class Delivery(RuleBasedStateMachine):
    """Every rule is one thing that may happen next."""

    @initialize()
    def begin(self) -> None:
        self.outbox, self.inbox = mortal(MemoryOutbox)(), mortal(OpeningInbox)()
        self.put: dict[str, object] = {}
        self.up: list[bytes] = []
        self.down: list[bytes] = []
        self.acks: list[int] = []
        self.damaged = 0
        self.announced: list[str] = []
        self.connected = False
        self.near_clock = self.far_clock = 100.0
        self.workers: list[Receiver] = []
        self.boot_near(50.0)
        self.boot_far(0, 100.0)
        self.boot_far(1, 100.0)

    # What a tester may do

    @rule(number=st.integers(0, 19))
    def a_study_is_sent(self, number: int) -> None:
        what, item = made(number)
        if what.id not in self.put:
            self.put[what.id] = what
            self.outbox.put(item)
            self.sender.add(item.manifest)

    @rule(seconds=st.sampled_from((0.01, 0.3, 1.0, 5.0, 11.0, 70.0, 90_000.0)))
    def time_passes(self, seconds: float) -> None:
        self.near_clock += seconds
        self.far_clock += seconds

    @rule(count=st.integers(1, 4))
    def the_line_takes_what_may_go(self, count: int) -> None:
        for _ in range(count):
            self.pump()
            while self.acks:
                self.sender.acknowledged(self.acks.pop(0), self.near_clock)

    @rule()
    def messages_leave_and_wait_for_acknowledgement(self) -> None:
        self.pump()

    @precondition(lambda self: self.acks)
    @rule(where=st.integers(0, 50))
    def the_broker_acknowledges(self, where: int) -> None:
        self.sender.acknowledged(self.acks.pop(where % len(self.acks)), self.near_clock)

    @precondition(lambda self: self.up)
    @rule(where=st.integers(0, 200), worker=st.integers(0, 1), fault=FAULTS, bit=st.integers(0, 1 << 20))
    def something_goes_up(self, where: int, worker: int, fault: str, bit: int) -> None:
        for payload in self.taken(self.up, where, fault, bit):
            self.serve(worker, payload)

    @precondition(lambda self: self.up)
    @rule(worker=st.integers(0, 1))
    def all_goes_up(self, worker: int) -> None:
        waiting, self.up = self.up, []
        for payload in waiting:
            self.serve(worker, payload)

    @precondition(lambda self: self.down)
    @rule(where=st.integers(0, 200), fault=FAULTS, bit=st.integers(0, 1 << 20))
    def something_comes_down(self, where: int, fault: str, bit: int) -> None:
        for payload in self.taken(self.down, where, fault, bit):
            self.hear(payload)

    @precondition(lambda self: self.down)
    @rule()
    def all_comes_down(self) -> None:
        waiting, self.down = self.down, []
        for payload in waiting:
            self.hear(payload)

    @rule(back=st.booleans())
    def the_line_breaks(self, back: bool) -> None:
        self.acks.clear()
        self.connected = False
        self.sender.disconnected(self.near_clock)
        if back:
            self.the_line_returns()

    @precondition(lambda self: not self.connected)
    @rule()
    def the_line_returns(self) -> None:
        self.connected = True
        self.sender.connected(self.near_clock)

    @rule(clock=st.sampled_from((0.0, 3.0, 1e6)))
    def the_box_loses_power(self, clock: float) -> None:
        self.boot_near(clock)

    @rule(worker=st.integers(0, 1), clock=st.sampled_from((0.0, 3.0, 1e6)))
    def a_worker_is_killed(self, worker: int, clock: float) -> None:
        self.boot_far(worker, clock)

    @rule(steps=st.integers(1, 9))
    def the_relay_will_die_at_a_write(self, steps: int) -> None:
        self.inbox.dies_in = steps

    @rule(steps=st.integers(1, 3))
    def the_box_will_die_at_a_write(self, steps: int) -> None:
        self.outbox.dies_in = steps

    @precondition(lambda self: len(self.put) > 1)
    @rule(one=st.integers(0, 19), other=st.integers(0, 19), kind=st.integers(0, 5))
    def somebody_lies(self, one: int, other: int, kind: int) -> None:
        items = list(self.outbox.bundles.values())
        first, second = items[one % len(items)], items[other % len(items)]
        true = digest(first.manifest)
        if first is second and kind > 2:
            return
        self.hear(
            write(
                (
                    lambda: sign_complete(first.tid, first.id, true, OTHER_KEY),
                    lambda: sign_complete(first.tid, first.id, true, SITE_KEY),
                    lambda: sign_nack(first.tid, true, "bad_hash", OTHER_KEY),
                    lambda: sign_complete(first.tid, first.id, digest(second.manifest), RELAY_KEY),
                    lambda: sign_complete(first.tid, second.id, true, RELAY_KEY),
                    lambda: sign_nack(second.tid, true, "bad_hash", RELAY_KEY),
                )[kind]()
            )
        )

    # What must hold at every moment

    @invariant()
    def nothing_is_freed_before_it_is_durable(self) -> None:
        for tid in getattr(self, "outbox", MemoryOutbox()).settled:
            assert self.outbox.bundles[tid].id in self.inbox.commits

    @invariant()
    def nothing_is_delivered_twice_or_otherwise_than_it_was(self) -> None:
        if not hasattr(self, "inbox"):
            return
        assert len(self.inbox.commits) == len(set(self.inbox.commits))
        assert len(self.announced) == len(set(self.announced))
        for ident, what in self.inbox.complete.items():
            assert what == self.put[ident]

    @invariant()
    def only_damage_is_ever_refused(self) -> None:
        if hasattr(self, "outbox") and self.outbox.refused:
            assert self.damaged >= MAX_ASSEMBLIES
            assert set(self.outbox.refused.values()) == {"bad_hash"}

    def teardown(self) -> None:
        """From here on all is well: everything arrives."""
        if not hasattr(self, "outbox"):
            return
        self.inbox.dies_in = self.outbox.dies_in = 0
        self.connected = True
        self.sender.connected(self.near_clock)
        for _ in range(600):
            if all(item.tid in {*self.outbox.settled, *self.outbox.refused} for item in self.all_put()):
                break
            self.the_line_takes_what_may_go(1)
            self.all_goes_up(0) if self.up else None
            self.all_comes_down() if self.down else None
            self.time_passes(1.0)
        refused = {self.outbox.bundles[tid].id for tid in self.outbox.refused}
        assert self.inbox.complete.keys() | refused == self.put.keys(), "what was put and what arrived differ"
        assert {self.outbox.bundles[tid].id for tid in self.outbox.settled} | refused == self.put.keys()
        self.nothing_is_freed_before_it_is_durable()
        self.nothing_is_delivered_twice_or_otherwise_than_it_was()
        self.only_damage_is_ever_refused()

    # How it is done

    def all_put(self):
        return list(self.outbox.bundles.values())

    def boot_near(self, clock: float) -> None:
        """The box starts: its clock at what it may be, its session at the broker clean."""
        self.near_clock = clock
        self.acks.clear()
        self.down.clear()
        self.outbox.dies_in = 0
        self.sender = Sender(self.outbox, peer_key=RELAY_KEY.public_key())
        self.connected = True
        self.sender.connected(clock)

    def boot_far(self, worker: int, clock: float) -> None:
        self.far_clock = clock
        self.inbox.dies_in = 0
        fresh = Receiver(self.inbox, signer=RELAY_KEY, origin_key={"abc": SITE_KEY.public_key()}.get)
        self.workers[worker : worker + 1] = [fresh]

    def pump(self) -> None:
        before = self.sender._order._bulk_at
        messages = self.sender.outgoing(self.near_clock)
        self.up += [message.payload for message in messages]
        self.acks += [message.token for message in messages]
        waiting = [item for item in self.sender._transfers.values() if (item.ready() or 0) <= PREVIEW]
        waiting = [item for item in waiting if item.ready() is not None]
        if waiting and self.near_clock - before < BULK_WAITS_S:
            assert "b" not in {message.lane for message in messages}, "bulk went before a preview"

    def taken(self, wire: list[bytes], where: int, fault: str, bit: int) -> list[bytes]:
        payload = wire[where % len(wire)] if fault in ("twice", "late") else wire.pop(where % len(wire))
        if fault in ("lost", "late"):
            return []
        if fault == "short":
            return [payload[: bit % len(payload)]]
        if fault == "flipped":
            self.damaged += 1
            flipped = bytearray(payload)
            flipped[bit // 8 % len(payload)] ^= 1 << bit % 8
            return [bytes(flipped)]
        return [payload]

    def serve(self, worker: int, payload: bytes) -> None:
        try:
            answers = self.workers[worker].receive("abc", payload, self.far_clock)
        except CrashError:
            self.up.append(payload)  # never acknowledged: the broker gives it to another worker
            self.boot_far(worker, self.far_clock)
            return
        for answer in answers:
            if isinstance(answer, Reply):
                self.down.append(answer.payload)
            elif isinstance(answer, Completed):
                self.announced.append(answer.manifest.id)

    def hear(self, payload: bytes) -> None:
        try:
            self.sender.receive(payload, self.near_clock)
        except CrashError:
            self.boot_near(self.near_clock)


Delivery.TestCase.settings = settings(
    max_examples=LONG or 25,
    stateful_step_count=120 if LONG else 50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
test_no_history_loses_or_doubles_a_bundle = Delivery.TestCase
