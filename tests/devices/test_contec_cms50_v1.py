import pytest
from driver_bench import feed, notices, pleth, readings, values

from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Notice

WORKED_72 = bytes.fromhex("8640084861")
WORKED_140 = bytes.fromhex("8640480c61")
"""Of the reference: pulse rate 72 and 140, SpO2 97."""
STORED = bytes.fromhex("90283500") + bytes.fromhex("f28000f28000f28000808172")
"""A download begins, as Apnea Board's notes show it: rest of a live frame, preamble, length 243."""
RECORD = bytes.fromhex("f0c45f")
"""One of the records there: pulse rate 68, SpO2 95."""


def frames(count, start=0, rate=72, spo2=97, first=0x86, third=0x08):
    return [
        bytes((first, (start + n) % 128, third | (rate & 0x80) >> 1, rate & 0x7F, spo2)) for n in range(count)
    ]


@pytest.fixture
def driver():
    made = DRIVERS["contec-cms50-v1"]()
    assert made.start() == made.stop() == made.tick(0.0) == b""
    return made


@pytest.mark.parametrize(("frame", "rate"), [(WORKED_72, 72), (WORKED_140, 140)])
def test_the_worked_frames(driver, frame, rate):
    events = feed(driver, frame * 4)
    got = readings(events)
    assert (got["pulse_rate"].value, got["spo2"].value, got["spo2"].status) == (rate, 97, ())
    assert pleth(events) == dict.fromkeys(range(4), 0x40)
    assert notices(events) == [Notice("identified", 1.0, detail="model=Contec CMS50;serial=;firmware=")]


def test_numbers_come_once_a_second_and_pleth_sixty_times(driver):
    events = feed(driver, frames(181))
    assert len(values(events, "spo2")) == 3
    assert pleth(events) == {n: n % 128 for n in range(180)}


def test_one_damaged_frame_that_looks_whole_never_becomes_a_number(driver):
    stream = frames(300)
    for place in range(0, 300, 7):
        stream[place] = bytes((0x86, 0, 0x08, 0x11, 0x22))
    assert set(values(feed(driver, stream), "spo2")) == {97}


@pytest.mark.parametrize(
    ("first", "third", "rate", "spo2", "word", "code"),
    [
        (0x96, 0x00, 72, 97, "sensor_not_on_user", "sensor_off"),
        (0x86, 0x10, 72, 97, "sensor_malfunction", "sensor_off"),
        (0x86, 0x20, 0, 0, "searching", "searching"),
        (0x86, 0x20, 255, 127, "searching", "searching"),
    ],
)
def test_no_finger_and_searching_give_no_numbers(driver, first, third, rate, spo2, word, code):
    events = feed(driver, frames(5, rate=rate, spo2=spo2, first=first, third=third))
    got = readings(events)
    assert (got["spo2"].value, got["pulse_rate"].value) == (None, None)
    assert word in got["spo2"].status
    assert Notice(code, 1.0) in notices(events)
    assert Notice(code, 2.0, on=False) in notices(feed(driver, frames(2), 2.0))


def test_a_lost_byte_costs_one_frame(driver):
    stream = frames(103)
    stream[50] = stream[50][:2] + stream[50][3:]
    events = feed(driver, stream)
    assert pleth(events) == {n: n for n in range(103) if n != 50}
    assert (driver.counters.lost_samples, driver.counters.bad_frames) == (1, 1)


def test_the_clock_tells_that_noise_hit_nothing_or_much(driver):
    events = []
    for n, frame in enumerate(frames(600)):
        at = 10 + n / 60
        if n == 300:
            frame = b"\x11" * 200 + frame  # 40 frames by their bytes, none by the clock
        if not 400 <= n < 500:
            events += feed(driver, b"\x11" + frame if n == 500 else frame, at)
    found = pleth(events)
    shift = {(place - value) % 128 for place, value in found.items()}
    assert min(shift) == 0
    assert max(shift) <= 9, "never wrong by more than 0.15 s"
    assert abs(driver.counters.lost_samples - 100) <= 9


def test_a_pause_is_a_gap_and_a_new_connection_goes_on_after_one(driver):
    events = []
    for n, frame in enumerate(frames(300)):
        if not 120 <= n < 240:
            events += feed(driver, frame, 10 + n / 60)
    assert abs(driver.counters.lost_samples - 120) <= 2
    driver.start()
    later = pleth(feed(driver, frames(4), 10 + 10.0))
    assert abs(min(later) - 600) <= 5
    assert abs(driver.counters.lost_samples - 120) <= 2, "between connections nothing was streaming"


def test_a_captured_download_is_read_and_live_data_follow(driver):
    assert driver.ask_stored() == b"\xf5\xf5"
    records = b"\xf0\x80\x00" * 6 + RECORD * 75
    events = feed(driver, frames(3)[0] + STORED) + feed(driver, records)
    assert values(events, "spo2") == [None] * 6 + [95] * 75
    assert values(events, "pulse_rate") == [None] * 6 + [68] * 75
    assert readings(events)["spo2"].status == ("from_storage", "second=80")
    assert driver.tick(2.0) == b"\xf6\xf6\xf6"
    assert driver.tick(2.25) == b""
    assert values(feed(driver, frames(4), 3.0), "spo2") == [97]


def test_a_download_that_halts_is_given_up(driver):
    driver.ask_stored()
    assert driver.tick(1.0) == b""
    feed(driver, STORED + RECORD, 1.2)
    assert driver.tick(3.1) == b""
    assert driver.tick(3.2) == b"\xf6\xf6\xf6"
    assert driver.counters.bad_frames == 1
    assert values(feed(driver, frames(4), 4.0), "spo2") == [97]


def test_a_download_that_lost_a_byte_loses_one_record(driver):
    driver.ask_stored()
    events = feed(driver, STORED + RECORD * 3 + RECORD[:2] + RECORD * 20)
    assert set(values(events, "spo2")) == {95}
    assert len(values(events, "spo2")) == 23
    assert driver.counters.bad_frames == 2, "two bytes that begin no record"
