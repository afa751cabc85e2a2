"""A silence is as long as it was, a pause of the host is none, and what arrives twice is told once."""

import pytest
from device_bench import BEGAN, SERIAL, driver_of, recorded, replayed
from driver_bench import pleth
from ecg_bench import placed

from chevet.bridge.packet import Packet

STEP_S = 0.05
NONIN = ("nonin-df2", "nonin-df7")


def frames_of(name, seconds=12.0):
    """Return (second, frame) as the module sends them."""
    twin = SERIAL[name](BEGAN)
    steps = [BEGAN + step * STEP_S for step in range(1, round(seconds / STEP_S))]
    return [(now, frame) for now in steps for frame in twin.advance(now)]


def told(name, frames):
    """Return the samples by their places, and the driver's counters."""
    driver = driver_of(name)
    driver.start()
    events = [event for now, frame in frames for event in driver.feed(Packet(frame, now))]
    return pleth(events), driver.counters


@pytest.mark.parametrize("name", NONIN)
@pytest.mark.parametrize("packets", [1, 2, 6, 15])
@pytest.mark.parametrize("begins", [200, 213])
def test_a_silence_of_whole_packets_is_not_spliced(name, packets, begins):
    frames = frames_of(name)
    whole, _ = told(name, frames)
    found, counters = told(name, frames[:begins] + frames[begins + 25 * packets :])
    assert counters.lost_samples == 25 * packets
    assert len(found) > 200
    assert all(whole[place] == value for place, value in found.items())


@pytest.mark.parametrize("name", NONIN)
@pytest.mark.parametrize("pause_s", [0.2, 0.35, 0.8, 2.0])
def test_pauses_of_the_host_are_no_silence(name, pause_s):
    frames = frames_of(name)
    whole, _ = told(name, frames)
    late = [(BEGAN + pause_s * (1 + (now - BEGAN) // pause_s), frame) for now, frame in frames]
    found, counters = told(name, late)
    assert counters.lost_samples == 0
    assert len(found) > 400
    assert all(whole[place] == value for place, value in found.items())


@pytest.mark.parametrize("name", ["kit-ecg", "polar-h10", "movesense", "ganglion"])
def test_what_arrives_twice_is_told_once(name):
    heard = recorded(name, 6.0, 0.02)  # a frame at a time
    driver, other = driver_of(name), driver_of(name)
    driver.start()
    other.start()
    once = placed(replayed(driver, heard))
    twice = placed(replayed(other, [one for one in heard for _ in range(2)]))
    assert len(once) > 100
    assert twice == once
    assert other.counters.lost_samples == 0
