"""BerryMed, PC-60FW, O2Ring and Nonin BLE against worked frames of the reference."""

import pytest
from driver_bench import feed, notices, pleth, readings, values

from chevet.devices import berrymed, nonin_ble, pc60fw, viatom_o2ring
from chevet.devices.crc8 import crc8, crc8_maxim
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Notice, Reading

BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"
MODEL = "00002a24-0000-1000-8000-00805f9b34fb"


def test_the_checksums_of_the_catalogue():
    assert (crc8(b"123456789"), crc8_maxim(b"123456789")) == (0xF4, 0xA1)


# BerryMed


def berry(count, start=0, rate=72, spo2=97, first=0x86, third=0x04):
    return [
        bytes((first, (start + n) % 101, third | (rate & 0x80) >> 1, rate & 0x7F, spo2)) for n in range(count)
    ]


@pytest.mark.parametrize("source", [berrymed.NOTIFY, ""])
def test_berrymed_numbers_once_a_second_and_pleth(source):
    driver = DRIVERS["berrymed"]()
    events = feed(driver, berry(201, rate=140), source=source)
    assert values(events, "pulse_rate") == [140, 140]
    assert pleth(events) == {n: n % 101 for n in range(200)}
    assert notices(events, "identified")[0].detail.startswith("model=BerryMed;")
    assert driver.start() == driver.tick(1.0) == driver.stop() == b""


@pytest.mark.parametrize(
    ("first", "third", "rate", "spo2", "word", "code"),
    [
        (0xA6, 0x00, 72, 97, "sensor_disconnected", "sensor_off"),
        (0x80, 0x10, 72, 97, "sensor_not_on_user", "sensor_off"),
        (0x80, 0x20, 255, 127, "searching", "searching"),
        (0x90, 0x00, 255, 127, "no_signal", None),
    ],
)
def test_berrymed_without_a_finger_has_no_numbers(first, third, rate, spo2, word, code):
    events = feed(DRIVERS["berrymed"](), berry(3, 0, rate, spo2, first, third), source=berrymed.NOTIFY)
    got = readings(events)
    assert (got["spo2"].value, got["pulse_rate"].value, word in got["spo2"].status) == (None, None, True)
    assert [notice.code for notice in notices(events)] == ["identified", *([code] if code else [])]


def test_berrymed_break_is_a_gap():
    driver = DRIVERS["berrymed"]()
    stream = berry(104)
    stream[50] = stream[50][:3] + stream[50][4:]
    stream.insert(60, b"")
    found = pleth(feed(driver, stream, source=berrymed.NOTIFY))
    assert 50 not in found
    assert all(place % 101 == value for place, value in found.items())
    assert driver.counters.lost_samples == 1


@pytest.mark.parametrize("name", ["berrymed", "pc60fw", "viatom-o2ring"])
def test_device_information_and_battery_are_read_beside_the_stream(name):
    driver = DRIVERS[name]()
    assert feed(driver, b"\x50", source=BATTERY) == [Reading("battery", 80, "%", 1.0)]
    assert feed(driver, b"\x50", source=BATTERY) == []
    assert feed(driver, b"\xff", source=BATTERY) == []
    assert driver.counters.bad_frames == 1
    assert feed(driver, b"BM1000", source=MODEL) == [
        Notice("identified", 1.0, detail="model=BM1000;serial=;firmware=")
    ]


# PC-60FW

CAPTURED = bytes.fromhex("aa550f0801603e005000c008")
"""Of the reference: 96 %, 62/min, perfusion index 8.0."""


def viatom_frame(token, function, *data):
    body = bytes((0xAA, 0x55, token, len(data) + 2, function, *data))
    return body + bytes((crc8_maxim(body),))


def test_the_captured_frame_of_a_pc60fw():
    events = feed(DRIVERS["pc60fw"](), CAPTURED, source=pc60fw.NOTIFY)
    got = readings(events)
    assert [got[kind].value for kind in ("spo2", "pulse_rate", "perfusion_index")] == [96, 62, 8.0]
    assert got["spo2"].status == ()
    assert notices(events)[0].detail == "model=PC-60FW;serial=;firmware="


def test_pc60fw_pleth_has_no_beat_marks_and_no_numbers_while_searching():
    driver = DRIVERS["pc60fw"]()
    wave = viatom_frame(0x0F, 0x02, 0x3B, 0xB8, 0x35, 0x32, 0x2F)
    nothing = viatom_frame(0x0F, 0x01, 0, 0, 0, 0, 0, 0x40)
    events = feed(driver, wave + nothing, source=pc60fw.NOTIFY)
    assert pleth(events) == dict(enumerate((0x3B, 0x38, 0x35, 0x32, 0x2F)))
    assert {event.value for event in readings(events).values()} == {None}
    assert readings(events)["spo2"].status == ("status=40",)
    assert Notice("searching", 1.0) in notices(events)
    assert driver.start() == driver.tick(1.0) == driver.stop() == b""


def test_pc60fw_battery_and_unknown_functions():
    driver = DRIVERS["pc60fw"]()
    events = feed(driver, viatom_frame(0xF0, 0x03, 0) + viatom_frame(0x0F, 0x21, 2, 0, 0, 0))
    assert events == [Notice("battery_low", 1.0)]
    assert driver.counters.frames == 2


@pytest.mark.parametrize("hole", range(11))
def test_pc60fw_lost_byte_costs_five_samples(hole):
    driver = DRIVERS["pc60fw"]()
    frames = [viatom_frame(0x0F, 0x02, *range(n, n + 5)) for n in range(0, 100, 5)]
    frames[7] = frames[7][:hole] + frames[7][hole + 1 :]
    found = pleth(feed(driver, frames, source=pc60fw.NOTIFY))
    assert found == {n: n for n in range(100) if not 35 <= n < 40}
    assert driver.counters.lost_samples == 5


# O2Ring

POLL_NUMBERS, POLL_WAVE, POLL_INFORMATION = (
    bytes.fromhex(text) for text in ("aa17e8000000001b", "aa1be40000000066", "aa14eb00000000c6")
)
NUMBERS = bytes.fromhex("5500ff00000d006148000000000050000023010047")
"""Of the reference: 97 %, 72/min, battery 80 %, perfusion index 3.5, worn."""


def reply(data, status=0):
    head = bytes((0x55, status, status ^ 0xFF, 0, 0)) + len(data).to_bytes(2, "little") + data
    return head + bytes((crc8(head),))


def wave(samples, spo2=97, rate=72, worn=1):
    head = bytes((spo2, rate & 0xFF, rate >> 8, 80, 0, 35, worn, 0, 0, 0))
    return reply(head + len(samples).to_bytes(2, "little") + bytes(samples))


def information(text=b'{"Model":"1611","SN":"2012345","SoftwareVer":"1.4.0","CurBAT":"80%"}'):
    return reply(text + b"\x00" * 5)


@pytest.fixture
def ring():
    """Return an O2Ring's driver that has learned who is there and asks for numbers next but one."""
    driver = DRIVERS["viatom-o2ring"]()
    assert driver.start() == POLL_INFORMATION
    driver.tick(0.0)
    (told,) = feed(driver, information())
    assert told.detail == "model=1611;serial=2012345;firmware=1.4.0"
    return driver


def test_the_worked_requests():
    requests = [viatom_o2ring.request(code) for code in (0x17, 0x1B, 0x14)]
    assert requests == [POLL_NUMBERS, POLL_WAVE, POLL_INFORMATION]


def test_it_asks_for_pleth_and_numbers_in_turn_twice_a_second(ring):
    asked = []
    for tick in range(1, 13):
        asked.append(ring.tick(tick / 4))
        if asked[-1]:
            feed(ring, NUMBERS if asked[-1] == POLL_NUMBERS else wave(range(125)), tick / 4)
    assert asked == [b"", POLL_WAVE, b"", POLL_NUMBERS] * 3


def test_the_worked_reply_in_notifications_of_20_bytes(ring):
    ring.tick(0.5)
    feed(ring, wave([]))
    assert ring.tick(1.0) == POLL_NUMBERS
    events = feed(ring, NUMBERS[:20]) + feed(ring, NUMBERS[20:])
    got = readings(events)
    assert [got[kind].value for kind in ("spo2", "pulse_rate", "perfusion_index", "battery")] == [
        97,
        72,
        3.5,
        80,
    ]
    assert got["spo2"].status == ()


def test_pleth_of_successive_replies_is_continuous_and_beat_marks_are_gaps(ring):
    events = []
    for tick in range(1, 5):
        asked = ring.tick(tick / 2)
        samples = list(range(100))
        samples[10] = 156
        events += feed(ring, wave(samples) if asked == POLL_WAVE else NUMBERS, tick / 2)
    found = pleth(events)
    assert found == {n: n % 100 for n in range(200) if n % 100 != 10}
    assert ring.counters.lost_samples == 2


def test_a_ring_that_is_not_worn_or_moves(ring):
    ring.tick(0.5)
    events = feed(ring, wave([], worn=0))
    assert readings(events)["spo2"] == Reading("spo2", None, "%", 1.0, ("sensor_not_on_user",))
    assert notices(events) == [Notice("sensor_off", 1.0)]
    ring.tick(1.0)
    moving = bytearray(NUMBERS[7:20])
    moving[9], moving[7], moving[8] = 5, 9, 0
    events = feed(ring, reply(bytes(moving)))
    assert readings(events)["spo2"].status == ("motion",)
    assert {notice.code for notice in notices(events)} == {"artifact", "sensor_off", "battery_low"}


@pytest.mark.parametrize("number", [0, 0xFF])
def test_a_ring_without_a_reading(ring, number):
    ring.tick(0.5)
    got = readings(feed(ring, wave([], spo2=number, rate=number)))
    assert (got["spo2"].value, got["pulse_rate"].value) == (None, None)


def test_an_unanswered_question_is_given_up_and_a_late_answer_not_misread(ring):
    assert ring.tick(0.5) == POLL_WAVE
    assert ring.tick(1.75) == b""
    assert ring.tick(2.0) == POLL_NUMBERS
    assert feed(ring, wave([1, 2, 3])) == []
    assert ring.counters.bad_frames == 1
    assert readings(feed(ring, NUMBERS))["spo2"].value == 97
    assert feed(ring, NUMBERS) == [], "nobody asked"


def test_a_ring_that_knows_no_pleth_is_asked_in_two_forms_and_then_left_alone(ring):
    asked, at = [], 0.0
    for _ in range(20):
        at += 0.5
        asked.append(ring.tick(at))
        feed(ring, NUMBERS if asked[-1] == POLL_NUMBERS else reply(b"", status=1), at)
    waves = [words for words in asked if words != POLL_NUMBERS]
    assert waves == [POLL_WAVE] * 3 + [viatom_o2ring.request(0x1B, b"\x00")] * 3


def test_polls_missed_are_a_gap():
    driver = DRIVERS["viatom-o2ring"]()
    driver.start()
    driver.tick(0.0)
    feed(driver, information(), 0.0)
    events, at = [], 0.0
    for step in range(1, 80):
        at = step / 4
        asked = driver.tick(at)
        if asked == POLL_WAVE and not 10 < at < 13:
            events += feed(driver, wave([step] * 125), at)
        elif asked == POLL_NUMBERS:
            events += feed(driver, NUMBERS, at)
    assert 100 < driver.counters.lost_samples < 700
    assert len(notices(events, "lost_samples")) == 1


@pytest.mark.parametrize("text", [b"no json", b"[1,2]", b"[" * 3000, b'{"a":', b"\xff"])
def test_information_that_is_none_is_asked_for_again(text):
    driver = DRIVERS["viatom-o2ring"]()
    driver.start()
    driver.tick(0.0)
    assert feed(driver, information(text)) == []
    asked = [driver.tick(at) for at in (1.5, 3.0, 4.5, 6.0)]
    assert asked == [POLL_INFORMATION, POLL_INFORMATION, POLL_WAVE, POLL_NUMBERS]
    assert driver.stop() == b""


# Nonin BLE

WORKED = bytes.fromhex("0a141e01f40001610048")
"""Of the reference: 3.0 V, perfusion index 5.00 %, 97 %, 72/min."""


def told(data, source=nonin_ble.CONTINUOUS, driver=None):
    return feed(driver or DRIVERS["nonin-ble"](), data, source=source)


def ppg(counter, values):
    return bytes((53,)) + b"".join(v.to_bytes(2, "big") for v in values) + counter.to_bytes(2, "big")


def test_the_worked_measurement_of_nonin_ble():
    got = readings(told(WORKED))
    assert [got[kind].value for kind in ("spo2", "pulse_rate", "perfusion_index")] == [97, 72, 5.0]
    assert got["spo2"].status == ("smartpoint",)


def test_missing_numbers_and_status_bits_of_nonin_ble():
    events = told(bytes((10, 0x2A, 30, 0, 0, 0, 1, 127, 1, 255)))
    got = readings(events)
    assert {event.value for event in got.values()} == {None}
    assert got["spo2"].status == ("searching", "poor_signal")
    codes = {notice.code for notice in notices(events)}
    assert codes == {"searching", "battery_low", "sensor_off", "low_perfusion"}


def test_pleth_packets_are_placed_by_their_counter():
    driver, events = DRIVERS["nonin-ble"](), []
    for n, counter in enumerate((65534, 65535, 0, 3)):
        values = [(counter * 25 + k) % 60000 for k in range(25)]
        events += feed(driver, ppg(counter, values), 10 + n / 3, nonin_ble.PPG)
    found = sorted(pleth(events))
    assert found == [65534 * 25 + n for n in range(150) if not 75 <= n < 125]
    assert driver.counters.lost_samples == 50
    assert notices(events, "lost_samples")[0].detail == "50"
    driver.start()
    assert notices(feed(driver, ppg(9, [1] * 25), 20.0, nonin_ble.PPG)) == []
    assert driver.counters.lost_samples == 50


def test_pulse_intervals():
    data = bytes((12, 0, 1, 0)) + bytes.fromhex("01f42134") + bytes.fromhex("81f42134")
    events = told(data, nonin_ble.INTERVALS)
    assert events == [
        Reading("rr_interval", 850.0, "ms", 1.0, ("pulse",)),
        Reading("rr_interval", None, "ms", 1.0, ("pulse", "bad_pulse")),
    ]
    assert told(bytes((4, 0, 1, 1)), nonin_ble.INTERVALS) == []


def test_sensor_state_and_battery():
    events = told(bytes((7, 1, 1, 30, 80, 0, 1)), nonin_ble.STATE)
    assert events == [
        Notice("sensor_off", 1.0),
        Reading("battery", 80, "%", 1.0, ("sensor_disconnected",)),
    ]


def test_the_clock_is_asked_for_and_told():
    driver = DRIVERS["nonin-ble"]()
    assert driver.ask_time() == b"\x60NMI\x06DTM?\r\n"
    answer = bytes((0xE0, 0, 12)) + b"250314093005"
    assert told(answer, nonin_ble.CONTROL) == [Notice("device_time", 1.0, detail="2025-03-14T09:30:05")]
    assert told(bytes((0xE0, 2, 0)), nonin_ble.CONTROL) == []
    assert driver.start() == driver.tick(1.0) == driver.stop() == b""


@pytest.mark.parametrize(
    ("data", "source"),
    [
        (WORKED[:-1], nonin_ble.CONTINUOUS),
        (b"\x0b" + WORKED[1:], nonin_ble.CONTINUOUS),
        (b"\x35" * 52, nonin_ble.PPG),
        (b"", nonin_ble.INTERVALS),
        (b"\x05" * 5, nonin_ble.INTERVALS),
        (b"\x07\x01", nonin_ble.STATE),
        (b"\xe0\x00\x09", nonin_ble.CONTROL),
        (WORKED, ""),
    ],
)
def test_what_is_too_short_or_from_elsewhere_is_counted(data, source):
    driver = DRIVERS["nonin-ble"]()
    assert told(data, source, driver) == []
    assert (driver.counters.frames, driver.counters.bad_frames) == (0, 1)
