import pytest
from driver_bench import feed, notices, readings, values

from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Notice


def frame(rate=72, spo2=97, s1=0, s2=0):
    """The layout of the reference: S1 HR SpO2 S2."""
    return bytes((0x80 | s1 | rate >> 7, rate & 0x7F, spo2, s2))


@pytest.mark.parametrize(("rate", "spo2"), [(72, 97), (127, 100), (128, 80), (300, 1)])
def test_both_bytes_of_the_rate_count(rate, spo2):
    got = readings(feed(DRIVERS["nonin-df8"](), frame(rate, spo2)))
    assert (got["pulse_rate"].value, got["pulse_rate"].unit) == (rate, "/min")
    assert (got["spo2"].value, got["spo2"].unit) == (spo2, "%")


@pytest.mark.parametrize(
    ("rate", "spo2", "words"), [(511, 127, ()), (400, 101, ("implausible",)), (0, 0, ("implausible",))]
)
def test_missing_and_impossible_numbers_are_none(rate, spo2, words):
    got = readings(feed(DRIVERS["nonin-df8"](), frame(rate, spo2)))
    assert (got["pulse_rate"].value, got["spo2"].value) == (None, None)
    assert got["spo2"].status == words


@pytest.mark.parametrize(
    ("s1", "s2", "words", "code"),
    [
        (0x40, 0, ("sensor_disconnected",), "sensor_off"),
        (0x20, 0, ("out_of_track",), "searching"),
        (0x10, 0, ("low_perfusion",), "low_perfusion"),
        (0x08, 0, ("medium_perfusion",), None),
        (0x04, 0, ("artifact",), "artifact"),
        (0, 0x20, ("smartpoint",), None),
        (0, 0x08, ("sensor_alarm",), "sensor_off"),
        (0, 0x04, ("spot_check",), None),
        (0, 0x02, ("battery_critical",), "battery_low"),
        (0, 0x01, ("battery_low",), "battery_low"),
    ],
)
def test_status_bits_become_words_and_notices_once(s1, s2, words, code):
    driver = DRIVERS["nonin-df8"]()
    events = feed(driver, frame(s1=s1, s2=s2) * 2)
    assert readings(events)["spo2"].status == words
    told = [notice for notice in notices(events) if notice.code != "identified"]
    assert told == ([Notice(code, 1.0)] if code else [])
    assert notices(feed(driver, frame(), 2.0)) == ([Notice(code, 2.0, on=False)] if code else [])


def test_the_frame_after_noise_is_not_believed_and_the_next_one_is():
    driver = DRIVERS["nonin-df8"]()
    events = feed(driver, [frame(72), b"\x12\x90\x91", frame(99), frame(73)])
    assert values(events, "pulse_rate") == [72, 73]
    assert (driver.counters.frames, driver.counters.bad_frames, driver.counters.resyncs) == (3, 1, 1)


def test_it_names_itself_once_a_connection_and_needs_nothing():
    driver = DRIVERS["nonin-df8"]()
    assert len(notices(feed(driver, frame() * 3), "identified")) == 1
    assert driver.start() == driver.tick(0.0) == driver.stop() == b""
    assert len(notices(feed(driver, frame() * 3), "identified")) == 1
