"""The same bytes, whole, one by one or cut anywhere, are the same events: for every driver of a stream."""

from functools import cache
from itertools import pairwise

import ecg_bench
import pytest
from device_bench import BLUETOOTH, SERIAL, driver_of, recorded
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.bridge.packet import Packet
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import SampleBlock
from chevet.sim.serve import TWINS
from chevet.sim.twins import offered

AT = 104.05
STREAMS_ON_AIR = ("berrymed", "pc60fw", "viatom-o2ring", "er1")
"""Notifications of 20 bytes, wherever frames begin."""
NOT_CUT = {
    **dict.fromkeys(
        (
            "plx",
            "nonin-ble",
            "heart-rate",
            "blood-pressure",
            "thermometer",
            "glucose",
            "weight-scale",
            "battery",
        ),
        "a notification is one value of a service",
    ),
    **dict.fromkeys(("polar-h10", "movesense", "ganglion"), "a notification is one frame"),
    "camera": "a packet is one picture",
    "sound-card": "a packet is whole samples behind a header; cut in test_sound_card.py",
}
"""Drivers whose packets the link keeps whole."""
ANSWERING = ("bitalino", "chords", "cyton")
"""Hear samples only when their commands were answered: these are cut after that."""
ON_WIRE = sorted(SERIAL)


@cache
def stream(name):
    """Return what a driver hears from its twin, one after the other, and where from."""
    if name in ANSWERING:
        return b"".join(ecg_bench.streaming(name)[1]), ""
    heard = recorded(name, 3.0)
    source = max(
        {one.source for one in heard}, key=lambda one: sum(len(h.data) for h in heard if h.source == one)
    )
    return b"".join(one.data for one in heard if one.source == source), source


def told(name, pieces):
    """Return what a driver makes of pieces that arrive at the same time."""
    driver = ecg_bench.streaming(name)[0] if name in ANSWERING else driver_of(name)
    if name not in ANSWERING:
        driver.start()
    source = stream(name)[1]
    events = [event for piece in pieces for event in driver.feed(Packet(piece, AT, source))]
    return joined(events), driver.counters


def joined(events):
    """Return samples by their places, and all else in order."""
    samples = {}
    for event in events:
        if isinstance(event, SampleBlock):
            for column in range(event.values.shape[1]):
                assert event.first + column not in samples
                samples[event.first + column] = event.values[:, column].tolist()
    return samples, ecg_bench.as_data([event for event in events if not isinstance(event, SampleBlock)])


def cut(data, places):
    ends = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    return [data[start:end] for start, end in pairwise(ends)]


@pytest.mark.parametrize("name", [*ON_WIRE, *STREAMS_ON_AIR])
def test_a_stream_byte_by_byte_is_the_stream(name):
    data, _ = stream(name)
    whole = told(name, [data])
    assert any(whole[0]), "the stream says nothing"
    assert told(name, [data[at : at + 1] for at in range(len(data))]) == whole


@pytest.mark.parametrize("name", [*ON_WIRE, *STREAMS_ON_AIR])
@settings(max_examples=15)
@given(
    places=st.lists(st.integers(0, 2**20), max_size=40),
    noise=st.binary(max_size=12),
    at=st.integers(0, 2**20),
)
def test_a_stream_cut_anywhere_also_with_noise_in_it_is_the_same(name, places, noise, at):
    data, _ = stream(name)
    place = at % (len(data) + 1)
    data = data[:place] + noise + data[place:]
    assert told(name, cut(data, places)) == told(name, [data])


def test_every_driver_is_cut_or_says_why_not():
    cut_here = {name.partition(" ")[0] for name in (*ON_WIRE, *STREAMS_ON_AIR)}
    assert cut_here.isdisjoint(NOT_CUT)
    assert cut_here | set(NOT_CUT) == set(DRIVERS)
    assert set(STREAMS_ON_AIR) <= set(BLUETOOTH)
    assert {offered.driver_of(name) for name in TWINS} <= set(DRIVERS)
