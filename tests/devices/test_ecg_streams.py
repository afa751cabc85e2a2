"""Every ECG driver on a serial line: any cutting, noise, lost bytes, silence, a new connection."""

import copy
import random

import numpy as np
import pytest
from driver_bench import cut, feed, notices, talk
from ecg_bench import BEGAN, SERIAL_TWINS, as_data, channels, make, placed, streaming
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.devices.samples import SampleBlock

NAMES = sorted(SERIAL_TWINS)
COUNTED = ("cyton", "bitalino", "chords")
UNCOUNTED = tuple(name for name in NAMES if name not in (*COUNTED, "ad8232"))


def told(driver, pieces, at=105.0):
    driver = copy.deepcopy(driver)
    return as_data([event for piece in pieces for event in feed(driver, piece, at)]), driver.counters


@pytest.mark.parametrize("name", NAMES)
def test_the_twin_is_read_and_every_sample_stands_in_its_place(name):
    driver, twin = make(name)
    events = talk(driver, twin, 5.0)
    found = placed(events)
    assert list(found) == list(range(len(found)))
    assert len(found) >= 2.5 * channels(events)[0].rate_hz * (0.95 if name == "ad8232" else 1)
    assert driver.counters.lost_samples == 0
    assert notices(events, "identified")
    leads = {channel.name for channel in channels(events)}
    assert leads == {"ECG"} or len(leads) == 12
    assert {channel.unit for channel in channels(events)} == {"mV"}


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15)
@given(st.lists(st.integers(0, 10**6), max_size=20), st.integers(0, 99))
def test_the_same_bytes_give_the_same_events_however_they_are_cut(name, places, seed):
    driver, frames = streaming(name)
    rng = random.Random(seed)
    for _ in range(3):
        where = rng.randrange(len(frames))
        frames[where] = rng.choice((frames[where][:-1], rng.randbytes(9) + frames[where], b""))
    whole = b"".join(frames)
    expected = told(driver, [whole])
    assert told(driver, cut(whole, places)) == expected


@pytest.mark.parametrize("name", NAMES)
def test_the_same_bytes_one_by_one_give_the_same_events(name):
    driver, frames = streaming(name)
    frames[5] = frames[5][:1] + frames[5][2:]
    data = b"".join(frames)
    assert told(driver, [data[at : at + 1] for at in range(len(data))]) == told(driver, [data])


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=10)
@given(st.lists(st.tuples(st.binary(max_size=200), st.floats(0, 1e6)), max_size=5))
def test_nothing_that_arrives_ever_raises(name, parts):
    fresh, _ = make(name)
    running, frames = streaming(name)
    for driver in (fresh, running):
        for data, at in parts:
            feed(driver, data, at)
            feed(driver, frames[:3], at)
            driver.tick(at)
        assert driver.counters.frames >= 0


@pytest.mark.parametrize("name", [*COUNTED, *UNCOUNTED])
def test_a_lost_byte_costs_at_most_the_frames_it_touches(name):
    driver, frames = streaming(name, 2.0)
    clean, _ = told(driver, frames)
    hit = len(frames) // 2
    frames[hit] = frames[hit][:1] + frames[hit][2:]
    broken = copy.deepcopy(driver)
    events = []
    for number, frame in enumerate(frames):
        events += feed(broken, frame, BEGAN + 4.0 + 2.0 * (number + 1) / len(frames))
    good, got = placed_of(clean), placed(events)
    assert len(set(got) & set(good)) >= len(good) - 40  # the last block may not be full
    assert all(good[place] == got[place] for place in set(got) & set(good)), "a sample moved"
    # A frame of OV3 holds eight samples.
    assert 0 < broken.counters.lost_samples <= (8 if name.endswith("ov3") else 2)
    assert sum(int(notice.detail) for notice in notices(events, "lost_samples")) == (
        broken.counters.lost_samples
    )


def placed_of(data):
    found = {}
    for event in data:
        if isinstance(event, tuple):
            first, _, values, _ = event
            found |= {first + column: value for column, value in enumerate(zip(*values, strict=True))}
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_device_that_pauses_leaves_a_gap_as_long_as_its_silence(name):
    driver, twin = make(name)
    events = talk(driver, twin, 5.0)
    before, rate_hz = placed(events), channels(events)[0].rate_hz
    twin.advance(BEGAN + 6.5)  # 1.5 s that never leave the device
    found = before | placed(talk(driver, twin, 3.0, began=BEGAN + 6.5, started=True))
    holes = np.diff(sorted(found)) - 1
    assert holes.max() == pytest.approx(1.5 * rate_hz, abs=0.12 * rate_hz)
    assert (holes > 0).sum() == 1
    assert driver.counters.lost_samples == pytest.approx(1.5 * rate_hz, abs=0.12 * rate_hz)


@pytest.mark.parametrize("name", NAMES)
def test_a_host_that_pauses_loses_nothing(name):
    driver, twin = make(name)
    before = placed(talk(driver, twin, 5.0))
    late = []
    for step in range(1, 25):
        late += twin.advance(BEGAN + 5.0 + step * 0.05)
    events = feed(driver, late, BEGAN + 6.2)
    events += talk(driver, twin, 1.0, began=BEGAN + 6.2, started=True)
    found = before | placed(events)
    assert driver.counters.lost_samples == 0
    assert list(found) == list(range(len(found)))


@pytest.mark.parametrize("name", NAMES)
def test_a_new_connection_goes_on_after_a_gap_that_is_no_loss(name):
    driver, twin = make(name)
    events = talk(driver, twin, 5.0)
    before, rate_hz = placed(events), channels(events)[0].rate_hz
    again = talk(driver, twin, 5.0, began=BEGAN + 8.0)
    firsts = [event.first for event in again if isinstance(event, SampleBlock)]
    jumps = [later - max(before) - 1 for later in firsts]
    assert any(jump >= 3.0 * rate_hz * 0.9 for jump in jumps)
    assert not any(60 < jump < 3.0 * rate_hz * 0.9 for jump in jumps)
    assert driver.counters.lost_samples == 0


@pytest.mark.parametrize("name", NAMES)
def test_blocks_are_integers_no_wider_than_what_the_device_sends(name):
    driver, twin = make(name)
    blocks = [event for event in talk(driver, twin, 5.0) if isinstance(event, SampleBlock)]
    wide = name in {"ads1298", "ads1292r raw", "cyton", "healthypi-v5", "healthypi-v5 ov3"}
    assert {block.values.dtype for block in blocks} == {np.dtype(np.int32 if wide else np.int16)}
