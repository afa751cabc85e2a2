import pytest
from driver_bench import feed, notices, readings

from chevet.devices import nonin_commands
from chevet.devices.driver import DRIVERS

WORKED = bytes.fromhex("0002000d000e1419030e091e05000200004800611503")
"""The reference's record: 2025-03-14 09:30:05, SmartPoint, 72/min, 97 %."""
FORMAT_9560 = bytes.fromhex("027002020d03")
FORMAT_3150 = bytes.fromhex("027004020d018403")
SERIAL = bytes.fromhex("027402020203")


def record(rate=72, spo2=97, status=0x0200, date=(20, 25, 3, 14, 9, 30, 5), more=b""):
    data = bytes((*date, 0)) + status.to_bytes(2, "big") + rate.to_bytes(2, "big") + bytes((0, spo2)) + more
    head = b"\x00\x02\x00\x0d" + len(data).to_bytes(2, "big")
    return head + data + bytes((sum(data) & 0xFF, 3))


@pytest.fixture
def driver():
    made = DRIVERS["nonin-df13"]()
    made.start()
    return made


def test_the_worked_commands():
    assert nonin_commands.set_format(2).hex() == "027002020203"
    assert nonin_commands.set_format(7).hex() == "027002020703"
    assert nonin_commands.set_format(13) == FORMAT_9560
    assert nonin_commands.get_serial_number() == SERIAL
    assert nonin_commands.set_format_3150(13) == FORMAT_3150
    options = nonin_commands.SPOT_CHECK | nonin_commands.BLUETOOTH_ON
    assert nonin_commands.set_format_3150(13, options)[5] == 0x61


def test_the_worked_record_is_taken_and_acknowledged(driver):
    got = readings(feed(driver, WORKED))
    words = ("spot_check", "smartpoint", "taken=2025-03-14T09:30:05")
    assert (got["pulse_rate"].value, got["spo2"].value, got["spo2"].status) == (72, 97, words)
    assert driver.tick(1.0) == b"\x06"
    assert driver.tick(1.25) == b""


def test_it_starts_by_asking_for_the_serial_number_and_the_format():
    assert DRIVERS["nonin-df13"]().start() == SERIAL + FORMAT_9560


def test_a_refused_format_is_asked_for_as_a_3150_wants_it(driver):
    feed(driver, b"\x15")
    assert driver.tick(1.0) == FORMAT_3150
    feed(driver, b"\x06")
    assert driver.tick(9.0) == b""


def test_a_format_that_nobody_answers_is_asked_for_once_in_each_form(driver):
    sent = [driver.tick(1.0 + tick / 4) for tick in range(20)]
    assert [words for words in sent if words] == [FORMAT_3150]


def test_the_serial_number_identifies_it(driver):
    events = feed(driver, b"\x02\xf4\x09501234567\x03")
    assert notices(events, "identified")[0].detail == "model=Nonin DF13;serial=501234567;firmware="


def test_a_wrong_checksum_is_answered_with_nak(driver):
    bad = WORKED[:-2] + b"\x16\x03"
    assert feed(driver, bad) == []
    assert driver.tick(1.0) == b"\x15"
    assert (driver.counters.frames, driver.counters.bad_frames) == (0, 1)
    assert len(feed(driver, WORKED)) == 2


def test_a_record_cut_off_is_asked_for_again_after_a_second(driver):
    feed(driver, b"\x06" + WORKED[:9] + WORKED[10:])
    assert driver.tick(1.5) == b""
    assert driver.tick(2.0) == b"\x15"
    assert len(feed(driver, WORKED, 2.5)) == 2


def test_the_same_record_again_is_acknowledged_but_not_told_twice(driver):
    assert len(feed(driver, WORKED, 1.0)) == 2
    assert feed(driver, WORKED, 3.0) == []
    assert driver.tick(3.0) == b"\x06\x06"
    assert len(feed(driver, WORKED, 60.0)) == 2, "much later it is another one, the clock stands still"


@pytest.mark.parametrize(
    ("made", "spo2", "word"),
    [
        (record(rate=511, spo2=127), None, "smartpoint"),
        (record(status=0x0100), None, "unavailable"),
        (record(status=0x0010), 97, "from_storage"),
        (record(status=0x0001), 97, "battery_low"),
        (record(more=b"\x01\x02\x03"), 97, "smartpoint"),
    ],
)
def test_missing_stored_low_battery_and_longer_records(driver, made, spo2, word):
    got = readings(feed(driver, made))
    assert got["spo2"].value == spo2
    assert word in got["spo2"].status


def test_a_clock_that_is_not_set_gives_no_time(driver):
    got = readings(feed(driver, record(date=(0, 0, 0, 0, 0, 0, 0))))
    assert got["spo2"].status == ("spot_check", "smartpoint")


def test_noise_before_a_record_costs_nothing_but_itself(driver):
    noise = b"\x00\x02\x00\x0d\xff\xff\x02\x01\x02\xf2\xff\x00\x00"
    assert readings(feed(driver, noise + WORKED))["spo2"].value == 97
    assert driver.counters.bad_frames == 1
