"""Which route is used: the first healthy one, back to the preferred one in time, and no flapping."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.exchange.choosing import (
    FORGIVEN_S,
    HOLD_LONGEST_S,
    HOLD_S,
    SETTLED_S,
    SLOW_FOR_S,
    SLOW_S,
    TRY_EVERY_S,
    TRY_SLOWEST_S,
    Choosing,
)


class World:
    """Routes that are up or down as the test says, driven second by second as the line drives them."""

    def __init__(self, count: int) -> None:
        self.choosing = Choosing(count)
        self.up = [True] * count
        self.slow = [False] * count
        self.now = 0.0
        self.route: int | None = None
        self.online_s = 0
        self.voluntary = 0
        self.used: list[int] = []

    def run(self, seconds: int) -> int:
        for _ in range(seconds):
            self.now += 1.0
            self._second()
            self.used.append(self.choosing.using)
        return self.choosing.using

    def _second(self) -> None:
        choosing = self.choosing
        wanted = choosing.choose(self.now)
        if self.route is not None and wanted != self.route:
            choosing.left()
            self.voluntary += 1
            self.route = None
        if self.route is None:
            if self.up[wanted]:
                self.route = wanted
                choosing.connected(self.now)
            else:
                choosing.unreached(self.now)
        elif not self.up[self.route]:
            choosing.ended(self.now, silent=True)
            self.route = None
        else:
            self.online_s += 1
            choosing.measured(2 * SLOW_S if self.slow[self.route] else 1.0, self.now)
        trial = choosing.to_try(self.now)
        if trial is not None:
            choosing.tried(trial, self.now, good=self.up[trial])


def test_the_preferred_route_is_used_as_long_as_it_is_well():
    world = World(2)
    assert world.run(3600) == 0
    assert world.choosing.changes == 0


def test_a_dead_route_is_left_at_once_and_taken_again_when_it_has_been_well_for_a_while():
    world = World(2)
    world.run(100)
    world.up[0] = False
    assert world.run(1) == 1
    assert world.run(300) == 1
    world.up[0] = True
    assert world.run(int(HOLD_S) - 2) == 1, "not before it has proven itself"
    assert world.run(int(TRY_EVERY_S) + 3) == 0
    assert world.choosing.changes == 2


def test_a_route_that_relapses_must_prove_itself_for_longer_each_time():
    world = World(2)
    world.run(10)
    away = []
    for _ in range(7):
        world.up[0] = False
        world.run(30)
        world.up[0] = True
        start = world.now
        while world.choosing.using == 1:
            world.run(1)
        away.append(world.now - start)
        world.run(int(SETTLED_S))
    assert away == sorted(away)
    assert away[1] > 1.5 * away[0]
    assert away[-1] <= HOLD_LONGEST_S + TRY_EVERY_S + 2


def test_a_route_long_without_a_fault_is_forgiven():
    world = World(2)
    for _ in range(3):
        world.up[0] = False
        world.run(30)
        world.up[0] = True
        world.run(1000)
    world.run(int(FORGIVEN_S))
    world.up[0] = False
    world.run(30)
    world.up[0] = True
    assert world.run(int(HOLD_S + TRY_EVERY_S) + 3) == 0


def test_a_long_connection_that_ends_is_tried_again_on_the_same_route():
    choosing = Choosing(2)
    choosing.connected(0.0)
    choosing.ended(SETTLED_S + 1, silent=False)
    assert choosing.choose(SETTLED_S + 1) == 0
    choosing.unreached(SETTLED_S + 2)
    assert choosing.choose(SETTLED_S + 2) == 1


def test_a_short_connection_that_ends_counts_against_its_route():
    choosing = Choosing(2)
    choosing.connected(0.0)
    choosing.ended(3.0, silent=False)
    assert choosing.choose(3.0) == 1


def test_with_every_route_dead_all_are_tried_in_turn():
    world = World(3)
    world.up = [False] * 3
    world.run(30)
    assert set(world.used[-6:]) == {0, 1, 2}
    world.up[2] = True
    world.run(3)
    assert world.route == 2


def test_a_slow_route_is_left_only_for_one_that_was_found_good():
    world = World(2)
    world.slow[0], world.up[1] = True, False
    assert world.run(int(SLOW_FOR_S) * 3) == 0, "the other one is dead"
    world.up[1] = True
    assert world.run(int(2 * TRY_EVERY_S)) == 1
    world.slow[0] = False
    assert world.run(int(HOLD_S + TRY_EVERY_S)) == 0


def test_a_slow_moment_changes_nothing():
    choosing = Choosing(2)
    choosing.connected(0.0)
    choosing.measured(SLOW_S + 1, 1.0)
    choosing.tried(1, 2.0, good=True)
    choosing.measured(1.0, SLOW_FOR_S)
    assert choosing.choose(SLOW_FOR_S + 2) == 0


def test_one_route_alone_is_never_tried_beside_itself():
    choosing = Choosing(1)
    choosing.connected(0.0)
    choosing.ended(50.0, silent=True)
    choosing.unreached(51.0)
    choosing.measured(100.0, 60.0)
    assert choosing.choose(200.0) == 0
    assert choosing.to_try(200.0) is None
    assert choosing.changes == 0
    with pytest.raises(ValueError, match="a route"):
        Choosing(0)


def test_a_trial_of_the_route_that_is_used_meanwhile_says_nothing():
    choosing = Choosing(2)
    choosing.unreached(0.0)
    choosing.connected(1.0)
    choosing.tried(1, 2.0, good=False)
    assert choosing.choose(2.0) == 1


def test_a_route_long_dead_is_tried_less_often():
    world = World(2)
    world.up[0] = False
    world.run(1000)
    tried = 0
    for second in range(600):
        now = world.now + second
        tried += world.choosing.to_try(now) is not None
        world.choosing.tried(0, now, good=False) if tried else None
    assert tried <= 600 / TRY_EVERY_S


spells = st.lists(
    st.tuples(st.integers(1, 200), st.lists(st.booleans(), min_size=3, max_size=3)), min_size=1, max_size=12
)


@settings(max_examples=50, deadline=None)
@given(spells)
def test_whatever_the_routes_do_changes_back_stay_rare_and_the_best_is_found_in_the_end(spells):
    world = World(3)
    for seconds, up in spells:
        world.up = up
        world.run(seconds)
    # every return to a better route needs a hold of its own, so they cannot come faster than that
    assert world.voluntary <= 3 * (world.now / HOLD_S + 1)
    best = next((route for route in range(3) if world.up[route]), None)
    if best is None:
        return
    world.run(3)
    assert world.route is not None, "some route is up, so some route is used within a few attempts"
    world.run(int(HOLD_LONGEST_S + TRY_SLOWEST_S) + 10)
    assert world.route == best


@settings(max_examples=50, deadline=None)
@given(spells)
def test_a_route_that_is_up_is_online_but_for_the_moments_of_changing(spells):
    world = World(3)
    world.up = [True, True, True]
    for seconds, up in spells:
        world.up = [*up[:2], True]  # the last one never fails
        before, changes, online = world.now, world.choosing.changes, world.online_s
        world.run(seconds)
        lost = (world.now - before) - (world.online_s - online)
        assert lost <= 3 * (world.choosing.changes - changes + 2)
