"""A device that lies about its rate is caught by the box's clock; jitter, pauses and gaps are no lies."""

import random
import time

import numpy as np
import pytest
from edge_fakes import FakeDevice, make_instrument

from chevet.bridge.clock import DeviceClock
from chevet.devices.samples import Channel, Notice, SampleBlock
from chevet.edge.rate_watch import RateWatch
from chevet.edge.shapes import device_shape

ECG = (Channel("I", "mV", 500.0, 0.001),)


def blocks(true_hz: float, seconds: float, *, size: int = 25, jitter_s: float = 0.0, start_s: float = 0.0):
    """Yield blocks of a device that claims 500 Hz and keeps `true_hz`; late by up to `jitter_s`."""
    late = random.Random(3)
    for first in range(0, int(true_hz * seconds), size):
        at = 1000.0 + start_s + (first + size) / true_hz + late.random() * jitter_s
        yield SampleBlock(ECG, np.zeros((1, size), np.int16), first, at)


def verdicts(watch: RateWatch, stream) -> list[Notice]:
    return [notice for block in stream if (notice := watch.take(block)) is not None]


@pytest.mark.parametrize("true_hz", [520.0, 480.0, 507.0])
def test_a_lie_of_more_than_one_percent_is_told_once_with_both_rates(true_hz: float) -> None:
    watch = RateWatch()
    (notice,) = verdicts(watch, blocks(true_hz, 40, jitter_s=0.03))
    assert (notice.code, notice.on) == ("rate_wrong", True)
    assert notice.detail.startswith("nominal=500;measured=")
    assert watch.wrong
    assert watch.measured_hz == pytest.approx(true_hz, rel=0.002)


@pytest.mark.parametrize(("true_hz", "jitter_s"), [(500.0, 0.0), (500.0, 0.25), (501.0, 0.05), (497.0, 0.05)])
def test_an_honest_device_is_left_in_peace_whatever_the_line_does(true_hz: float, jitter_s: float) -> None:
    watch = RateWatch()
    assert verdicts(watch, blocks(true_hz, 120, jitter_s=jitter_s)) == []
    assert not watch.wrong
    assert watch.measured_hz == pytest.approx(true_hz, rel=0.01)


def test_what_waited_in_buffers_when_the_link_was_opened_is_no_lie() -> None:
    watch = RateWatch()
    early = [
        SampleBlock(ECG, np.zeros((1, 25), np.int16), first, 1000.0 + first * 1e-6)
        for first in range(0, 500, 25)
    ]
    later = [
        SampleBlock(block.channels, block.values, block.first + 500, block.at) for block in blocks(500.0, 60)
    ]
    assert verdicts(watch, [*early, *later]) == []


def test_a_pause_of_the_host_is_no_lie() -> None:
    watch = RateWatch()
    stream = [
        SampleBlock(block.channels, block.values, block.first, max(block.at, 1021.0))
        if block.at > 1020.0
        else block
        for block in blocks(500.0, 90, jitter_s=0.02)
    ]
    assert verdicts(watch, stream) == []


def test_a_device_that_is_corrected_is_believed_again() -> None:
    watch = RateWatch()
    assert [one.on for one in verdicts(watch, blocks(520.0, 30))] == [True]
    watch.begin()
    assert watch.wrong, "another connection alone proves nothing"
    assert [one.on for one in verdicts(watch, blocks(500.0, 60, jitter_s=0.01))] == [False]
    assert not watch.wrong


def test_another_stream_of_the_same_device_is_not_mixed_in() -> None:
    watch = RateWatch()
    other = (Channel("resp", "1", 25.0, 1.0),)
    for block in blocks(500.0, 60):
        assert watch.take(block) is None
        if block.first % 500 == 0:
            noise = SampleBlock(other, np.zeros((1, 1), np.int16), block.first * 7, block.at)
            assert watch.take(noise) is None


def test_the_doubt_of_a_rate_shrinks_with_time_and_grows_with_jitter() -> None:
    doubts = []
    for jitter_s in (0.001, 0.1):
        clock, late = DeviceClock(500.0), random.Random(5)
        assert clock.error_doubt == 1.0
        for index in range(0, 10_000, 25):
            clock.add(index + 25, 1000 + (index + 25) / 500 + late.random() * jitter_s)
            if index == 2500:
                early = clock.error_doubt
        assert clock.error_doubt < early
        doubts.append(clock.error_doubt)
        assert abs(clock.error) < 5 * clock.error_doubt
    assert doubts[0] < doubts[1] / 20


def test_the_device_a_recording_and_the_screens_carry_the_lie() -> None:
    told: list[str] = []
    instrument = make_instrument(FakeDevice("ecg", "ecg"), lambda one: told.append(one.state))
    heard: list[object] = []

    class Ear:
        def offer(self, device: str, event: object) -> None:
            heard.append(event)

        def lost(self, device: str, problem: str) -> None:
            raise AssertionError(problem)

    instrument.listeners.append(Ear())
    for block in blocks(520.0, 30):
        instrument._take(block)
    lies = [event for event in heard if isinstance(event, Notice)]
    assert [notice.code for notice in lies] == ["rate_wrong"]
    shape = device_shape(instrument, 0, time.monotonic(), "")
    assert shape["rate_wrong"]
    assert shape["measured_hz"] == pytest.approx(520, abs=0.5)
    assert float(instrument.words()["measured_hz"]) == pytest.approx(520, abs=0.5)
    instrument._take(Notice("rate_wrong", 0.0, on=False))
    assert not instrument.rate.wrong, "the driver's own word counts too"
    assert "measured_hz" not in instrument.words()
