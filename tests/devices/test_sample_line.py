import numpy as np
import pytest
from driver_bench import notices
from ecg_bench import placed
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.devices.counters import Counters
from chevet.devices.sample_line import SampleLine, add_between
from chevet.devices.samples import Channel, Notice, SampleBlock

RATE = 100.0


def line(block=5, modulus=0, counters=None):
    return SampleLine((Channel("ECG", "mV", RATE, 1.0),), counters or Counters(), block, modulus=modulus)


def count(first, number):
    return np.arange(first, first + number)[np.newaxis]


def steady(one, numbers, began=10.0, **more):
    """Add sample n at the time it was taken."""
    return [event for n in numbers for event in one.add(count(n, 1), began + n / RATE, **more)]


def test_blocks_have_one_length_however_samples_come():
    one = line(block=5)
    events = one.add(count(0, 3), 1.0) + one.add(count(3, 9), 1.1) + one.add(count(12, 1), 1.2)
    assert [(event.first, event.values.shape) for event in events] == [(0, (1, 5)), (5, (1, 5))]


def test_known_losses_need_neither_clock_nor_counter():
    counters = Counters()
    one = line(counters=counters)
    events = one.add(count(0, 5), 1.0) + one.add(count(12, 5), 9.0, lost=7)
    assert placed(events) == {n: (n,) for n in (*range(5), *range(12, 17))}
    assert counters.lost_samples == 7


def test_a_gap_ends_the_block_before_it():
    one = line()
    events = one.add(count(0, 3), 1.0) + one.add(count(5, 5), 1.05, lost=2)
    assert [type(event) for event in events] == [SampleBlock, Notice, SampleBlock]
    assert events[0].values.shape == (1, 3)


@pytest.mark.parametrize("lost", [1, 7, 15, 16, 17, 40, 160])
def test_a_counter_of_sixteen_tells_losses_with_the_bytes_that_were_damaged(lost):
    one = line(modulus=16)
    one.add(count(0, 10), 10.0, counter=0)
    after = 10 + lost
    # The bytes speak for about as many: six more or less are set right by the counter.
    for guess in (lost, max(0, lost - 6), lost + 6):
        twin = line(modulus=16)
        twin.add(count(0, 10), 10.0, counter=0)
        events = twin.add(count(after, 10), 10.0 + after / RATE, counter=after % 16, guess=guess)
        assert min(place for place, value in placed(events).items() if value == (after,)) == after


def test_a_pause_of_the_device_is_a_gap_as_long_as_the_clock_says():
    counters = Counters()
    one = line(counters=counters)
    events = steady(one, range(100))
    events += steady(one, range(100, 300), began=12.0)  # everything is two seconds late from now on
    assert counters.lost_samples == pytest.approx(200, abs=1)
    (gap,) = notices(events, "lost_samples")
    assert gap.detail == str(counters.lost_samples)


def test_a_pause_of_the_host_is_no_gap():
    counters = Counters()
    one = line(counters=counters)
    events = steady(one, range(100))
    for n in range(100, 300):
        events += one.add(count(n, 1), 13.0 + (n - 100) / 10_000)
    events += steady(one, range(300, 400))
    assert counters.lost_samples == 0
    assert placed(events) == {n: (n,) for n in range(400)}


def test_while_it_is_open_who_paused_samples_wait_a_quarter_of_a_second_at_most():
    one = line(block=1)
    steady(one, range(100))
    said = [(n, one.add(count(n, 1), 12.0 + n / RATE)) for n in range(100, 140)]
    first = next(n for n, events in said if events)
    assert (first - 100) / RATE == pytest.approx(0.25, abs=0.02)


def test_more_noise_than_time_has_passed_is_not_taken_for_a_loss():
    counters = Counters()
    one = line(counters=counters)
    steady(one, range(100))
    one.add(count(100, 1), 11.0, guess=500)
    assert counters.lost_samples <= 1


@pytest.mark.parametrize("error", [-0.03, -0.01, 0.01, 0.03])
def test_a_device_whose_clock_is_some_percent_off_loses_nothing(error):
    counters = Counters()
    one = line(counters=counters)
    for n in range(6000):
        one.add(count(n, 1), 10 + n / RATE * (1 + error))
    assert counters.lost_samples == 0


def test_a_new_connection_goes_on_by_the_clock():
    one = line(block=1)
    assert one.resumed
    steady(one, range(10))
    one.restart()
    events = one.add(count(0, 1), 10.09 + 5.0)
    assert [event.first for event in events] == [9 + 501]


def test_what_was_not_a_whole_block_before_a_new_connection_is_not_lost():
    one = line(block=5)
    one.add(count(0, 3), 1.0)
    one.restart()
    events = one.add(count(3, 5), 2.0)
    assert events[0].values.tolist() == [[0, 1, 2]]
    assert events[0].at == 1.0


def test_words_are_told_before_their_sample():
    one = line(block=1)
    notice = Notice("lead_off", 1.0)
    events = add_between(one, count(0, 3), 1.0, {1: [notice]})
    assert [event if event is notice else event.first for event in events] == [0, notice, 1, 2]


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(1, 60), st.floats(0, 1.5), st.integers(0, 30)), min_size=1, max_size=20),
    st.sampled_from([0, 16, 256]),
)
def test_samples_that_come_together_are_placed_as_if_they_came_one_by_one(lumps, modulus):
    def run(single):
        counters = Counters()
        one, at, n, events = line(modulus=modulus, counters=counters), 10.0, 0, []
        for size, pause, lost in lumps:
            at += pause
            n += lost
            guess = lost
            for start, number in [(n + k, 1) for k in range(size)] if single else [(n, size)]:
                counter = start % modulus if modulus else 0
                events += one.add(count(start, number), at, counter=counter, guess=guess)
                guess = 0
            n += size
        return [
            (event.first, event.at, event.values.tolist()) if isinstance(event, SampleBlock) else event
            for event in events
        ], counters

    assert run(single=True) == run(single=False)
