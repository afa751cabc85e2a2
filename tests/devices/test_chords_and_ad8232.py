import pytest
from driver_bench import feed, notices, talk
from ecg_bench import channels, make, placed

from chevet.devices.ad8232 import Ad8232
from chevet.devices.chords import Chords
from chevet.sim.twins.ecg_body import RecordedChest
from chevet.sim.twins.ecg_chords import ChordsUno

WORKED = bytes.fromhex("c77c0702000200020002000200020001")
"""Reference: counter 7, six times 512."""


def frame(counter, first=512):
    return bytes((0xC7, 0x7C, counter % 256)) + first.to_bytes(2, "big") + bytes(10) + b"\x01"


def run_up(name=b"UNO-R3"):
    driver = Chords()
    assert driver.start() == b"STOP\n"
    driver.tick(0.0)
    assert driver.tick(0.5) == b"WHORU\n"
    events = feed(driver, name + b"\r\n", 0.6)
    assert driver.tick(0.75) == b"START\n"
    return driver, events


def test_the_worked_frame_is_the_middle_of_the_range():
    driver, told = run_up()
    assert told[0].detail == "model=Chords UNO-R3;serial=;firmware="
    events = feed(driver, WORKED + b"".join(frame(n) for n in range(8, 17)), 1.0)
    (lead,) = channels(events)
    assert placed(events)[0] == (512,)
    assert 512 * lead.gain + lead.offset == pytest.approx(0.0)
    assert lead.rate_hz == 250.0


def test_an_uno_r4_is_twice_as_fast_and_has_14_bits():
    driver, _ = run_up(b"UNO-R4")
    (lead,) = channels(feed(driver, [frame(n, 16383) for n in range(10)], 1.0))
    assert lead.rate_hz == 500.0
    assert 16383 * lead.gain + lead.offset == pytest.approx(5000 / 1100 / 2, rel=1e-3)


def test_while_it_streams_not_one_byte_is_sent():
    driver, _ = run_up()
    for number in range(2000):
        at = 1.0 + number / 250
        feed(driver, frame(number), at)
        assert driver.tick(at) == b""


def test_a_stream_that_was_stopped_is_started_again():
    driver, twin = make("chords")
    talk(driver, twin, 5.0)
    twin.receive(b"x", 105.0)  # another program on the line
    found = placed(talk(driver, twin, 8.0, began=105.0, started=True))
    assert len(found) > 500
    assert driver.tick(113.0) == b""


def test_the_loader_of_the_board_hears_nothing_and_is_asked_again():
    driver = Chords()
    twin = ChordsUno(RecordedChest(), 0.0)
    assert twin.receive(driver.start(), 0.0) == []
    assert len(placed(talk(driver, twin, 5.0))) > 300


def test_a_board_with_another_name_is_refused_once():
    driver = Chords()
    events = talk(driver, ChordsUno(RecordedChest(), 0.0, "NPG-LITE"), 8.0)
    assert [(one.code, one.detail) for one in notices(events)] == [("refused", "model=NPG-LITE")]
    assert placed(events) == {}
    twin = ChordsUno(RecordedChest(), 0.0)
    events = talk(driver, twin, 8.0, began=110.0)
    assert [one.on for one in notices(events, "refused")] == [False]
    assert placed(events)


def test_a_jump_of_the_counter_is_a_gap():
    driver, _ = run_up()
    feed(driver, [frame(n) for n in range(250, 256)], 1.0)
    events = feed(driver, [frame(n) for n in range(4, 24)], 1.04)
    assert [one.detail for one in notices(events, "lost_samples")] == ["4"]


def test_frames_with_impossible_numbers_are_not_taken():
    driver, _ = run_up()
    assert feed(driver, [frame(n, 0x4000) for n in range(20)], 1.0) == []


def lines(values):
    return b"".join(b"%d\r\n" % value for value in values)


def test_each_line_is_a_sample():
    driver = Ad8232()
    assert driver.start() == driver.stop() == driver.tick(0.0) == b""
    events = feed(driver, b"34\r\n" + lines(range(500, 516)))
    assert placed(events) == {place: (500 + place,) for place in range(16)}
    assert notices(events, "identified")[0].detail == "model=AD8232 sketch;serial=;firmware="
    assert driver.counters.frames == 16


def test_an_exclamation_mark_is_an_electrode_that_is_off():
    driver = Ad8232()
    events = feed(driver, lines(range(500, 509)), 1.0) + feed(driver, b"!\r\n" * 40, 2.0)
    events += feed(driver, lines(range(600, 609)), 3.0)
    assert [(one.on, one.at) for one in notices(events, "lead_off")] == [(True, 2.0), (False, 3.0)]
    assert driver.counters.lost_samples == 0
    assert min(place for place, value in placed(events).items() if value == (600,)) >= 300


@pytest.mark.parametrize("line", [b"1024", b"-5", b"5 6", b"\xff\xfe", b"abc", b"12345"])
def test_what_is_no_number_of_the_converter_costs_one_sample(line):
    driver = Ad8232()
    found = placed(feed(driver, b"1\r\n" + lines(range(8)) + line + b"\r\n" + lines(range(8))))
    assert set(found) == {*range(8), *range(9, 17)}
    assert (driver.counters.bad_frames, driver.counters.lost_samples) == (1, 1)
