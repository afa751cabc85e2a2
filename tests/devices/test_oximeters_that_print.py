import pytest
from driver_bench import feed, notices, readings, values

from chevet.devices.driver import DRIVERS

MASIMO = (
    b"03/14/25 09:30:05 SN=0000070986 SPO2=097% BPM=072 PI=05.40% SPCO=--.-% SPMET=--.-% DESAT=-- "
    b"PIDELTA=+-- PVI=--- ALARM=0000 EXC=000000\r\n"
)
"""The line of the reference (MD PnP)."""


@pytest.mark.parametrize(
    ("line", "spo2", "rate", "words"),
    [
        (b"SPO2=097 HR=072\r\n", 97, 72, ()),
        (b"SPO2=---  HR=---\r\n", None, None, ()),
        (b"SPO2=100 HR=150 F\r", 100, 150, ("fast",)),
        (b"SPO2=097 HR=072*\n", 97, 72, ("event_mark",)),
        (b"SPO2=000 HR=999\n", None, None, ("implausible",)),
    ],
)
def test_lines_of_nonins_manuals(line, spo2, rate, words):
    got = readings(feed(DRIVERS["nonin-ascii"](), line))
    assert (got["spo2"].value, got["pulse_rate"].value, got["spo2"].status) == (spo2, rate, words)


@pytest.mark.parametrize(
    "line",
    [
        b"SPO2=97 HR=072\n",
        b"SPO2=097HR=072\n",
        b"SPO2=097 HR=72\n",
        b"NONIN 8500\n",
        b"\xff\xfe\n",
        b"A" * 300 + b"\n",
    ],
)
def test_a_line_that_lost_a_byte_is_no_measurement(line):
    driver = DRIVERS["nonin-ascii"]()
    assert feed(driver, line) == []
    assert (driver.counters.frames, driver.counters.bad_frames) == (0, 1)
    assert values(feed(driver, b"SPO2=096 HR=071\r\n"), "spo2") == [96]


def test_it_names_itself_with_the_first_line_and_needs_nothing():
    driver = DRIVERS["nonin-ascii"]()
    assert driver.start() == driver.tick(1.0) == driver.stop() == b""
    events = feed(driver, b"SPO2=097 HR=072\r\n" * 3)
    assert [notice.detail for notice in notices(events)] == ["model=Nonin ASCII;serial=;firmware="]


def test_the_worked_line_of_a_radical_7():
    driver = DRIVERS["masimo-ascii"]()
    events = feed(driver, MASIMO * 2)
    got = readings(events)
    assert (got["spo2"].value, got["pulse_rate"].value, got["perfusion_index"].value) == (97, 72, 5.4)
    assert got["spo2"].status == ()
    assert [notice.detail for notice in notices(events)] == ["model=Masimo;serial=0000070986;firmware="]


def test_dashes_are_none_and_alarm_and_exception_are_words():
    line = MASIMO.replace(b"097%", b"---%").replace(b"BPM=072", b"BPM=---").replace(b"05.40", b"--.--")
    line = line.replace(b"ALARM=0000", b"ALARM=0010").replace(b"EXC=000000", b"EXC=000021")
    got = readings(feed(DRIVERS["masimo-ascii"](), line))
    assert {event.value for event in got.values()} == {None}
    assert got["spo2"].status == ("alarm=0010", "exception=000021")


@pytest.mark.parametrize("lost", range(18, len(MASIMO) - 2))
def test_a_lost_byte_never_changes_a_number(lost):
    driver = DRIVERS["masimo-ascii"]()
    got = readings(feed(driver, MASIMO[:lost] + MASIMO[lost + 1 :]))
    assert not got or [event.value for event in got.values()] in ([97, 72, 5.4], [97, 72])
    assert driver.counters.frames + driver.counters.bad_frames == 1


def test_a_serial_number_that_lost_a_byte_is_not_told():
    driver = DRIVERS["masimo-ascii"]()
    events = feed(driver, MASIMO * 2 + MASIMO.replace(b"0070986", b"007986") + MASIMO * 2)
    assert len(notices(events, "identified")) == 1
    assert driver.start() == driver.tick(1.0) == driver.stop() == b""
