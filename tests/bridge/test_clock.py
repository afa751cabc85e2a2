import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.bridge.clock import DeviceClock, IndexTrack, Placed


def filled(nominal_hz, true_hz, seconds, jitter_s=0.0, start=1000.0, frame=25):
    rng = random.Random(1)
    clock = DeviceClock(nominal_hz)
    for index in range(frame, int(seconds * true_hz), frame):
        clock.add(index, start + index / true_hz + rng.random() * jitter_s)
    return clock


def test_a_device_that_tells_its_true_rate_is_believed():
    clock = filled(500, 500, 30, jitter_s=0.01)
    assert abs(clock.error) < 2e-4


def test_a_device_that_lies_about_its_rate_is_seen():
    clock = filled(500, 512, 30, jitter_s=0.01)
    assert clock.rate_hz == pytest.approx(512, rel=1e-3)
    assert clock.error == pytest.approx(0.024, abs=1e-3)


def test_a_sample_is_placed_in_host_time_within_the_jitter():
    clock = filled(500, 499.5, 60, jitter_s=0.02)
    assert clock.host_time(10_000) == pytest.approx(1000 + 10_000 / 499.5, abs=0.02)


def test_a_crystal_that_drifts_is_followed():
    clock = DeviceClock(100, memory_s=5)
    at, index = 0.0, 0
    for rate in (100, 104):
        for _ in range(60):
            index += 50
            at += 50 / rate
            clock.add(index, at)
    assert clock.rate_hz == pytest.approx(104, rel=2e-3)


def test_large_indices_lose_no_precision():
    clock = DeviceClock(4000)
    for number in range(200):
        clock.add(4_000_000_000 + number * 100, 5e6 + number * 0.025)
    assert clock.host_time(4_000_000_000) == pytest.approx(5e6, abs=1e-4)


def test_before_anything_arrived_there_is_no_time_and_the_nominal_rate():
    clock = DeviceClock(75)
    assert clock.host_time(0) is None
    assert (clock.rate_hz, clock.span_s) == (75, 0)


def test_arrivals_all_at_one_moment_say_nothing_about_the_rate():
    clock = DeviceClock(75)
    for index in range(50):
        clock.add(index, 3.0)
    assert clock.rate_hz == 75


def test_a_time_that_goes_back_is_ignored():
    clock = filled(500, 500, 5)
    before = clock.rate_hz
    clock.add(9_999, 1.0)
    assert clock.rate_hz == before


@pytest.mark.parametrize(("rate", "memory"), [(0, 1), (-1, 1), (1, 0), (float("nan"), 1)])
def test_a_rate_that_cannot_be_is_refused(rate, memory):
    with pytest.raises(ValueError, match="above 0"):
        DeviceClock(rate, memory)


def test_consecutive_samples_have_no_gap_over_the_wrap():
    track = IndexTrack(256)
    assert track.place(250, 4, 1.0, 10) == Placed(250, 0)
    assert track.place(254, 4, 1.4, 10) == Placed(254, 0)
    assert track.place(2, 4, 1.8, 10) == Placed(258, 0)


def test_a_jump_ahead_is_a_gap_of_that_many_samples():
    track = IndexTrack(2**32)
    track.place(0, 25, 1.0, 500)
    assert track.place(75, 25, 1.15, 500) == Placed(75, 50)


def test_a_counter_that_begins_anew_leaves_a_gap_by_the_hosts_clock():
    track = IndexTrack(2**32)
    track.place(1000, 25, 10.0, 500)
    assert track.place(0, 25, 13.0, 500) == Placed(1025 + 1475, 1475, restarted=True)
    assert track.place(25, 25, 13.05, 500) == Placed(2525, 0)


def test_a_jump_further_than_time_allows_is_a_restart():
    track = IndexTrack(2**32)
    track.place(0, 25, 10.0, 500)
    placed = track.place(2_000_000_000, 25, 10.05, 500)
    assert placed == Placed(26, 1, restarted=True)


def test_a_new_connection_goes_on_after_a_gap():
    track = IndexTrack(2**32)
    track.place(0, 100, 5.0, 100)
    track.restart()
    assert track.place(100, 100, 8.0, 100) == Placed(300, 200, restarted=True)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 40)), max_size=40))
def test_gaps_and_samples_add_up(steps):
    track = IndexTrack(256, slack_s=100)
    index, at, lost = 0, 1.0, 0
    placed = track.place(0, 1, at, 10)
    index = 1
    for gap, count in steps:
        gap %= 200
        at += (gap + count) / 10
        placed = track.place((index + gap) % 256, count, at, 10)
        lost += placed.lost
        assert placed.first == index + gap
        index += gap + count
    assert placed.first + lost >= 0
    assert lost == sum(gap % 200 for gap, _ in steps)
