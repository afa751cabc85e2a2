import pytest
from driver_bench import feed, notices, pleth, readings

from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Notice

WORKED = bytes.fromhex("817f200020")
"""Frame 1 of the reference: pleth 0x7F20, HR-MSB 0."""


def frame(status, value, data):
    head = bytes((status, value >> 8, value & 0xFF, data))
    return head + bytes((sum(head) & 0xFF,))


def packet(start=0, rate=72, spo2=97, status=0):
    data = [0] * 25
    data[0:4] = [rate >> 7, rate & 0x7F, spo2, 48]
    return [frame(0x80 | status | (n == 0), (start + n) * 321 % 65536, data[n]) for n in range(25)]


def stream(packets, **kwargs):
    return [one for n in range(packets) for one in packet(n * 25, **kwargs)]


def truth(places):
    return {place: place * 321 % 65536 for place in places}


def test_the_worked_frame_is_pleth_7f20():
    driver = DRIVERS["nonin-df7"]()
    found = pleth(feed(driver, [WORKED, *[frame(0x80, 0x7F20, 0)] * 4]))
    assert found[0] == 0x7F20


def test_numbers_and_pleth_of_whole_packets():
    events = feed(DRIVERS["nonin-df7"](), stream(3, rate=140))
    got = readings(events)
    assert (got["pulse_rate"].value, got["spo2"].value) == (140, 97)
    assert pleth(events) == truth(range(75))
    assert notices(events, "identified")[0].detail == "model=Nonin DF7;serial=;firmware=48"


def test_missing_numbers_are_none():
    got = readings(feed(DRIVERS["nonin-df7"](), packet(rate=511, spo2=127, status=0x40)))
    assert (got["pulse_rate"].value, got["spo2"].value) == (None, None)


@pytest.mark.parametrize("cut", range(1, 5))
def test_attaching_in_the_middle_of_a_frame_finds_the_frames(cut):
    driver = DRIVERS["nonin-df7"]()
    events = feed(driver, b"".join(stream(3))[35 + cut :])
    assert pleth(events) == {place: (place + 8) * 321 % 65536 for place in range(67)}
    assert driver.counters.lost_samples == 0


def test_a_lost_byte_costs_one_frame_whose_place_is_known():
    frames = stream(4)
    frames[30] = frames[30][:2] + frames[30][3:]
    driver = DRIVERS["nonin-df7"]()
    events = feed(driver, frames)
    assert pleth(events) == truth(place for place in range(100) if place != 30)
    assert notices(events, "lost_samples") == [Notice("lost_samples", 1.0, detail="1")]


def test_after_a_break_two_more_frames_must_follow_before_one_is_believed():
    frames = stream(4)
    frames[30], frames[32] = b"\x55" * 5, b"\x55" * 5
    driver = DRIVERS["nonin-df7"]()
    events = feed(driver, frames)
    assert pleth(events) == truth(place for place in range(100) if place not in (30, 31, 32))
    assert driver.counters.lost_samples == 3
