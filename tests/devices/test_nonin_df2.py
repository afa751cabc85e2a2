import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.bridge.packet import Packet
from chevet.devices.nonin_df2 import NoninDf2
from chevet.devices.samples import Notice, Reading, SampleBlock
from chevet.sim import nonin

WORKED = bytes.fromhex("0181800002") + bytes.fromhex("0180904859") + bytes.fromhex("0180956177")
"""Frames 1 to 3 of the reference: heart rate 72, SpO2 97."""


def frame(status, pleth, data):
    head = bytes((1, status, pleth, data))
    return head + bytes((sum(head) & 0xFF,))


def packet(start=0, rate=72, spo2=97, status=0, firmware=48, stat2=0):
    """Return 25 frames whose pleth values count on from `start`."""
    data = [0] * 25
    data[0:4] = [rate >> 7, rate & 0x7F, spo2, firmware]
    data[7] = stat2
    return [
        frame(0x80 | status | (number == 0), (start + number) % 256, data[number]) for number in range(25)
    ]


def stream(packets, **kwargs):
    return [one for number in range(packets) for one in packet(number * 25, **kwargs)]


def feed(driver, frames, at=1.0):
    return driver.feed(Packet(b"".join(frames), at))


def readings(events):
    return {event.kind: event for event in events if isinstance(event, Reading)}


def notices(events, code):
    return [event for event in events if isinstance(event, Notice) and event.code == code]


def pleth(events):
    """Return {index: value} of all samples."""
    found = {}
    for event in events:
        if isinstance(event, SampleBlock):
            for number, value in enumerate(event.values[0].tolist()):
                assert event.first + number not in found, "two samples at one place"
                found[event.first + number] = value
    return found


def as_data(events):
    return [
        (event.values.tolist(), event.first, event.at) if isinstance(event, SampleBlock) else event
        for event in events
    ]


def test_the_worked_frames_are_heart_rate_72_and_spo2_97():
    rest = [frame(0x80, 0x95, 0)] * 22
    got = readings(feed(NoninDf2(), [WORKED, *rest]))
    assert (got["pulse_rate"].value, got["pulse_rate"].unit) == (72, "/min")
    assert (got["spo2"].value, got["spo2"].unit) == (97, "%")


@pytest.mark.parametrize(("rate", "spo2"), [(0, 0), (127, 99), (128, 100), (140, 80), (321, 1), (510, 126)])
def test_rates_above_127_use_both_bytes(rate, spo2):
    got = readings(feed(NoninDf2(), packet(rate=rate, spo2=spo2)))
    assert (got["pulse_rate"].value, got["spo2"].value) == (rate, spo2)


def test_missing_numbers_are_none_and_never_511_or_127():
    got = readings(feed(NoninDf2(), packet(rate=511, spo2=127)))
    assert got["pulse_rate"].value is None
    assert got["spo2"].value is None


def test_a_packet_gives_one_reading_of_each_and_25_pleth_samples():
    events = feed(NoninDf2(), stream(3))
    assert sum(isinstance(event, Reading) for event in events) == 6
    assert pleth(events) == {number: number for number in range(75)}
    block = next(event for event in events if isinstance(event, SampleBlock))
    (channel,) = block.channels
    assert (channel.name, channel.unit, channel.rate_hz, channel.gain) == ("pleth", "1", 75.0, 1.0)
    assert block.values.shape == (1, 5)


@pytest.mark.parametrize(
    ("status", "stat2", "words", "code"),
    [
        (0x40, 0, ("sensor_disconnected",), "sensor_off"),
        (0x08, 0, ("sensor_alarm",), "sensor_off"),
        (0x10, 0, ("out_of_track",), "searching"),
        (0x20, 0, ("artifact",), "artifact"),
        (0x04, 0, ("low_perfusion",), "low_perfusion"),
        (0x06, 0, ("medium_perfusion",), None),
        (0x02, 0, (), None),
        (0, 0x20, ("smartpoint",), None),
        (0, 0x01, ("battery_low",), "battery_low"),
    ],
)
def test_status_bits_become_words_and_notices_once(status, stat2, words, code):
    driver = NoninDf2()
    events = feed(driver, packet(status=status, stat2=stat2) * 2)
    assert readings(events)["spo2"].status == words
    told = [event for event in events if isinstance(event, Notice) and event.code != "identified"]
    assert told == ([Notice(code, 1.0)] if code else [])
    after = [e for e in feed(driver, packet(), 2.0) if isinstance(e, Notice)]
    assert after == ([Notice(code, 2.0, on=False)] if code else [])


def test_the_module_is_identified_by_its_firmware_once():
    events = feed(NoninDf2(), stream(2, firmware=51))
    assert notices(events, "identified") == [
        Notice("identified", 1.0, detail="model=Nonin DF2;serial=;firmware=51")
    ]


def test_attaching_in_the_middle_of_a_frame_and_a_packet_is_no_loss():
    driver = NoninDf2()
    data = b"".join(stream(3))[5 * 7 + 3 :]
    events = driver.feed(Packet(data, 1.0))
    assert pleth(events) == {number: number + 8 for number in range(67)}
    assert driver.counters.lost_samples == 0
    assert sum(isinstance(event, Reading) for event in events) == 4


def test_a_lost_byte_costs_one_frame_whose_place_is_known():
    frames = stream(4)
    frames[30] = frames[30][:2] + frames[30][3:]
    driver = NoninDf2()
    events = feed(driver, frames)
    assert pleth(events) == {number: number for number in range(100) if number != 30}
    assert driver.counters.lost_samples == 1
    assert notices(events, "lost_samples") == [Notice("lost_samples", 1.0, detail="1")]
    assert sum(isinstance(event, Reading) for event in events) == 6, "the broken packet gives no numbers"


@pytest.mark.parametrize("hole", [range(40, 47), range(48, 52), range(25, 26), range(49, 50), range(26, 49)])
def test_a_stretch_of_noise_in_place_of_frames_is_a_gap_of_that_length(hole):
    frames = [b"\x55" * 5 if number in hole else one for number, one in enumerate(stream(5))]
    driver = NoninDf2()
    events = feed(driver, frames)
    assert pleth(events) == {number: number for number in range(125) if number not in hole}
    assert driver.counters.lost_samples == len(hole)


def test_noise_between_frames_that_hits_none_loses_nothing():
    frames = stream(4)
    frames.insert(33, b"\x00\xff\x01\x02\x03\x04\x05")
    driver = NoninDf2()
    assert pleth(feed(driver, frames)) == {number: number for number in range(100)}
    assert (driver.counters.lost_samples, driver.counters.resyncs, driver.counters.bad_frames) == (0, 1, 1)


def test_whole_frames_lost_in_silence_are_found_at_the_next_packet():
    frames = stream(4)
    del frames[35:41]
    driver = NoninDf2()
    events = feed(driver, frames)
    assert max(pleth(events)) == 99
    assert driver.counters.lost_samples == 6
    assert len(pleth(events)) == 94


def test_two_breaks_in_one_packet_lose_what_they_hit():
    frames = [b"\x55" * 5 if number in (30, 40) else one for number, one in enumerate(stream(3))]
    driver = NoninDf2()
    assert pleth(feed(driver, frames)) == {number: number for number in range(75) if number not in (30, 40)}


def test_frames_between_breaks_whose_place_cannot_be_known_are_given_up_rather_than_misplaced():
    frames = stream(3)
    frames[30] = b"\x55" * 5  # one frame lost ...
    frames.insert(41, b"\x55" * 12)  # ... and noise that hit none
    driver = NoninDf2()
    found = pleth(feed(driver, frames))
    assert found == {number: number for number in range(75) if not 30 <= number < 41}
    assert driver.counters.lost_samples == 11


def test_a_host_that_stalls_during_a_break_loses_no_packet():
    driver, events = NoninDf2(), []
    for number, one in enumerate(stream(6)):
        sent_at = 10 + number / 75
        at = max(sent_at, 11.0) if sent_at > 10.8 else sent_at
        events += driver.feed(Packet(b"\x55" * 5 if number == 70 else one, at))
    assert driver.counters.lost_samples == 1
    assert pleth(events) == {number: number for number in range(150) if number != 70}


def test_whole_packets_lost_are_found_by_the_hosts_clock():
    driver = NoninDf2()
    events = []
    for number, one in enumerate(stream(12)):
        if not 60 <= number < 185:
            data = b"\x55" + one if number == 185 else one
            events += driver.feed(Packet(data, 10 + number / 75))
    assert driver.counters.lost_samples == 125
    assert pleth(events) == {n: n % 256 for n in range(300) if not 60 <= n < 185}


def test_a_break_before_the_first_packet_is_counted_by_its_bytes():
    frames = stream(3)[5:]
    frames[6] = b"\x55" * 5
    driver = NoninDf2()
    events = feed(driver, frames)
    assert driver.counters.lost_samples == 1
    assert 6 not in pleth(events)
    assert len(pleth(events)) == 69


def test_a_stream_whose_packets_never_begin_is_given_up_holding_back():
    frames = [frame(0x80, number % 256, 0) for number in range(120)]
    frames[10] = b"\x55" * 5
    driver = NoninDf2()
    found = pleth(feed(driver, frames))
    assert all(place == value for place, value in found.items())
    assert 10 not in found
    assert len(found) >= 115


def test_a_new_connection_goes_on_after_a_gap_that_is_no_loss():
    driver = NoninDf2()
    assert driver.start() == driver.stop() == driver.tick(0.0) == b""
    feed(driver, stream(1), at=10.0)
    driver.start()
    events = feed(driver, stream(1), at=12.0)
    assert min(pleth(events)) == 25 + 150
    assert driver.counters.lost_samples == 0


def test_the_virtual_module_is_read_as_it_was_meant():
    values = [(number * 7) % 256 for number in range(25)]
    sent = nonin.packet(nonin.ARTIFACT, values, nonin.Numbers(141, 88), timer=77)
    events = feed(NoninDf2(), sent)
    assert list(pleth(events).values()) == values
    got = readings(events)
    assert (got["pulse_rate"].value, got["spo2"].value, got["spo2"].status) == (141, 88, ("artifact",))


NOISY = b"".join(
    b"\x01\x81" if number == 41 else b"\x99" * 7 + one if number == 70 else one
    for number, one in enumerate(stream(5, status=0x20))
)


def events_of(pieces):
    driver = NoninDf2()
    return as_data([event for piece in pieces for event in driver.feed(Packet(piece, 4.0))]), driver.counters


@settings(max_examples=50)
@given(st.lists(st.integers(0, len(NOISY)), max_size=30))
def test_the_same_bytes_give_the_same_events_however_they_are_cut(places):
    ends = [0, *sorted(places), len(NOISY)]
    cut = [NOISY[start:end] for start, end in pairwise(ends)]
    assert events_of(cut) == events_of([NOISY])


def test_the_same_bytes_one_by_one_give_the_same_events():
    assert events_of([NOISY[at : at + 1] for at in range(len(NOISY))]) == events_of([NOISY])


@settings(max_examples=100)
@given(st.lists(st.tuples(st.binary(max_size=200), st.floats(0, 1e6)), max_size=6))
def test_nothing_that_arrives_ever_raises(parts):
    driver, heard = NoninDf2(), 0
    for data, at in parts:
        whole = b"".join(packet(status=data[0] & 0x7E if data else 0))
        driver.feed(Packet(data, at))
        driver.feed(Packet(whole, at))
        heard += len(data) + len(whole)
        assert len(driver._pending) < 5
    assert 5 * driver.counters.frames <= heard, "no byte is in two frames"


@settings(max_examples=50)
@given(st.sets(st.integers(1, 199), max_size=12), st.integers(0, 999))
def test_every_sample_stands_where_it_belongs_or_is_missing(hit, seed):
    rng = random.Random(seed)
    frames = [
        bytes(rng.choice((0x55, 0xAA, 0x7F)) for _ in range(5)) if number in hit else one
        for number, one in enumerate(stream(9))
    ]
    # As on a wire, a frame's time tells about when it was sent.
    driver, events = NoninDf2(), []
    for number, one in enumerate(frames):
        events += driver.feed(Packet(one, 10 + number / 75))
    found = pleth(events)
    assert len(found) == 225 - len(hit)
    assert driver.counters.lost_samples == len(hit)
    assert found[224] == 224 % 256
