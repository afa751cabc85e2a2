import struct

import pytest
from driver_bench import feed, notices, readings, values
from ecg_bench import BEGAN, channels, placed, talk_on_air
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.devices.gatt import uuid
from chevet.devices.polar_h10 import CONTROL, DATA, HEART_RATE, PolarH10
from chevet.sim.twins.ecg_body import RecordedChest
from chevet.sim.twins.ecg_polar import PolarStrap

WORKED = bytes.fromhex("000000a43993435208000c0000f1fffffa0000")
"""Reference: 2019-01-01T00:00Z, 12, -15, 250 uV."""
SETTINGS = bytes.fromhex("f00100000000018200" + "01010e00")
"""Reference: 130 Hz, 14 bit."""
STARTED = bytes.fromhex("f0020000")


def data(first, count, stamp_ns=None, rate=130.0):
    stamp = round((first + count - 1) / rate * 1e9) + 10**18 if stamp_ns is None else stamp_ns
    body = b"".join((first + n).to_bytes(3, "little", signed=True) for n in range(count))
    return struct.pack("<BQB", 0, stamp, 0) + body


def test_the_worked_frame_is_three_samples_in_microvolts():
    driver = PolarH10()
    events = feed(driver, WORKED, 1.0, DATA)
    events += feed(driver, data(0, 13, stamp_ns=599_616_000 * 10**9 + 10**8), 1.1, DATA)
    assert [placed(events)[place] for place in range(3)] == [(12,), (-15,), (250,)]
    (lead,) = channels(events)
    assert (lead.name, lead.unit, lead.rate_hz, lead.gain) == ("ECG", "mV", 130.0, 0.001)


def test_the_settings_are_asked_then_the_ecg_is_started():
    driver = PolarH10()
    assert driver.start().hex() == "0100"
    assert driver.tick(0.0) == b""
    feed(driver, SETTINGS, 0.1, CONTROL)
    assert driver.tick(0.25).hex() == "02000001820001010e00"
    feed(driver, STARTED, 0.3, CONTROL)
    assert [driver.tick(0.5 + step) for step in range(2)] == [b"", b""]
    assert driver.stop().hex() == "0300"
    assert driver.counters.frames == 2


def test_a_question_that_is_not_answered_is_asked_again():
    driver = PolarH10()
    driver.start()
    assert [driver.tick(step / 4).hex() for step in range(10)].count("0100") == 1


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (SETTINGS[:-4] + bytes.fromhex("01011000"), "settings"),
        (SETTINGS[:7] + bytes.fromhex("c800") + SETTINGS[9:], "settings"),
        (bytes.fromhex("f0010002"), "status=2"),
    ],
)
def test_a_strap_that_will_not_is_refused_once_and_asked_again_later(answer, detail):
    driver, events, asked = PolarH10(), [], 0
    driver.start()
    for step in range(60):
        if driver.tick(step / 4) or step == 0:
            asked += 1
            events += feed(driver, answer, step / 4, CONTROL)
    assert [one.detail for one in notices(events, "refused")] == [detail]
    assert asked in (3, 4), "every five seconds"


def test_a_strap_in_its_charger_is_refused_until_it_streams():
    driver = PolarH10()
    driver.start()
    feed(driver, SETTINGS, 0.1, CONTROL)
    driver.tick(0.25)
    events = feed(driver, bytes.fromhex("f002000d"), 0.3, CONTROL)
    assert [(one.on, one.detail) for one in notices(events, "refused")] == [(True, "status=13")]
    assert driver.tick(1.0) == b""
    assert driver.tick(6.0).hex() == "0100"
    events = feed(driver, data(0, 13), 7.0, DATA)
    assert [(one.on, one.detail) for one in notices(events, "refused")] == [(False, "status=13")]


def test_what_it_can_measure_is_taken_and_not_told():
    assert feed(PolarH10(), bytes.fromhex("0f05") + bytes(15), 1.0, CONTROL) == []


def test_the_straps_own_time_tells_what_is_missing():
    driver, events = PolarH10(), []
    for number in (0, 1, 2, 5, 6):
        # Arrival says nothing: all come at once.
        events += feed(driver, data(73 * number, 73), 9.0, DATA)
    assert [one.detail for one in notices(events, "lost_samples")] == ["146"]
    assert all(value == (place,) for place, value in placed(events).items())
    assert driver.counters.lost_samples == 146


def test_a_clock_a_little_off_loses_nothing():
    driver, events = PolarH10(), []
    for number in range(200):
        events += feed(driver, data(73 * number, 73, rate=129.2), number * 0.565, DATA)
    assert notices(events, "lost_samples") == []
    assert list(placed(events)) == list(range(len(placed(events))))


def test_a_clock_that_was_set_anew_is_a_gap_by_the_hosts_clock():
    driver = PolarH10()
    feed(driver, data(0, 130), 10.0, DATA)
    feed(driver, data(0, 130, stamp_ns=5), 13.0, DATA)
    events = feed(driver, data(0, 130, stamp_ns=10**9 + 5), 14.0, DATA)
    assert driver.counters.lost_samples == 0
    assert min(placed(events)) >= 130 + 3 * 130


def test_the_heart_rate_comes_with_its_intervals():
    # Reference: contact ok, 72 bpm, RR 853/1024 s.
    got = readings(feed(PolarH10(), bytes.fromhex("16485503"), 1.0, HEART_RATE))
    assert got["heart_rate"].value == 72.0
    assert got["rr_interval"].value == pytest.approx(833.0, abs=0.01)
    assert (got["heart_rate"].unit, got["rr_interval"].unit) == ("/min", "ms")


@pytest.mark.parametrize(
    ("value", "rate", "intervals"),
    [
        ("0040", 64, []),
        ("01400100", 320, []),
        ("18480a00000400040008", 72, [1000.0, 1000.0, 2000.0]),
        ("1600", None, []),
    ],
)
def test_every_form_of_the_heart_rate(value, rate, intervals):
    driver = PolarH10()
    events = feed(driver, bytes.fromhex(value), 1.0, HEART_RATE)
    if rate == 320:
        assert (values(events, "heart_rate"), readings(events)["heart_rate"].status) == (
            [None],
            ("implausible",),
        )
    else:
        assert values(events, "heart_rate") == [rate]
    assert values(events, "rr_interval") == intervals


def test_no_skin_is_told_when_it_begins_and_ends():
    driver, events = PolarH10(), []
    for value in ("0648", "0448", "0448", "0648"):
        events += feed(driver, bytes.fromhex(value), 1.0, HEART_RATE)
    assert [(one.on, one.detail) for one in notices(events, "lead_off")] == [(True, "ECG"), (False, "ECG")]
    assert values(events, "heart_rate") == [72.0, None, None, 72.0]


def test_name_and_battery_are_read():
    driver = PolarH10()
    events = feed(driver, b"H10", 1.0, uuid(0x2A24)) + feed(driver, b"\x50", 1.0, uuid(0x2A19))
    assert "model=H10" in notices(events, "identified")[0].detail
    assert values(events, "battery") == [80.0]


def test_the_virtual_strap_is_read_sample_for_sample():
    driver, twin = PolarH10(), PolarStrap(RecordedChest(), BEGAN)
    events = talk_on_air(driver, twin, 10.0)
    found = placed(events)
    assert len(found) > 1000
    sent = twin.samples(0, len(found))
    assert [value for (value,) in found.values()] == sent
    assert set(values(events, "heart_rate")) == {76.0}


def test_notifications_lost_on_air_are_gaps_of_their_length():
    driver, twin = PolarH10(), PolarStrap(RecordedChest(), BEGAN)
    before = placed(talk_on_air(driver, twin, 5.0))
    twin.lost = 3
    events = talk_on_air(driver, twin, 5.0, began=BEGAN + 5.0, started=True)
    assert [one.detail for one in notices(events, "lost_samples")] == [str(3 * 73)]
    found = before | placed(events)
    sent = twin.samples(0, max(found) + 1)
    assert all(sent[place] == value for place, (value,) in found.items())


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.sampled_from([DATA, CONTROL, HEART_RATE, "", uuid(0x2A19)]), st.binary(max_size=40))
    )
)
def test_nothing_that_arrives_ever_raises(packets):
    driver = PolarH10()
    driver.start()
    for source, value in packets:
        feed(driver, value, 1.0, source)
        driver.tick(1.0)
    good = driver.counters.frames
    assert good + driver.counters.bad_frames == len(packets)
