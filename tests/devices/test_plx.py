from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.bridge.packet import Packet
from chevet.devices.plx import BATTERY_LEVEL, CONTINUOUS, SPOT_CHECK, Plx
from chevet.devices.samples import Notice, Reading
from chevet.devices.sfloat import sfloat
from chevet.sim import plx as sensor


def feed(hex_, source=CONTINUOUS, driver=None):
    return (driver or Plx()).feed(Packet(bytes.fromhex(hex_), 1.0, source))


def reading(kind, value, unit, *status):
    return Reading(kind, value, unit, 1.0, status)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        (0x0061, 97),
        (0xF3CF, 97.5),
        (0xC035, 5.3e-3),
        (0x0FFF, -1),
        (0x1001, 10),
        (0x8801, -2047e-8),
        (0x7001, 1e7),
        (0x07FF, None),
        (0x0800, None),
        (0x07FE, None),
        (0x0802, None),
        (0x0801, None),
    ],
)
def test_sfloats_are_decimal_with_signed_parts_and_specials_are_none(word, value):
    assert sfloat(word) == value


@settings(max_examples=100)
@given(st.integers(-8, 7), st.integers(-2045, 2045))
def test_sfloats_of_the_sensor_are_read_as_meant(exponent, mantissa):
    word = int.from_bytes(sensor.sfloat(Decimal(mantissa).scaleb(exponent)), "little")
    assert sfloat(word) == float(Decimal(mantissa).scaleb(exponent))


def test_the_worked_continuous_measurement_is_97_percent_and_72_a_minute():
    assert feed("0061004800") == [reading("spo2", 97, "%"), reading("pulse_rate", 72, "/min")]


def test_the_worked_measurement_without_numbers_is_none_twice():
    assert feed("00ff07ff07") == [reading("spo2", None, "%"), reading("pulse_rate", None, "/min")]


def test_the_worked_measurement_of_a_sensor_in_the_air():
    words = ("unavailable", "sensor_not_on_user")
    assert feed("0cff07ff070020000800") == [
        Notice("sensor_off", 1.0),
        reading("spo2", None, "%", *words),
        reading("pulse_rate", None, "/min", *words),
    ]


def test_the_worked_spot_check_is_98_percent_and_65_a_minute():
    words = ("fully_qualified", "spot_check")
    assert feed("0362004100e907030e091e050001", SPOT_CHECK) == [
        reading("spo2", 98, "%", *words),
        reading("pulse_rate", 65, "/min", *words),
    ]


def test_a_spot_check_without_a_clock_says_so():
    assert feed("1061004800", SPOT_CHECK)[0].status == ("spot_check", "clock_not_set")


def test_all_optional_fields_are_stepped_over_to_the_amplitude():
    full = "1f" + "61004800" + "62004900" + "60004700" + "2000" + "200000" + "35f0"
    events = feed(full)
    assert events[-1] == reading("perfusion_index", 5.3, "%", "ongoing", "low_perfusion")
    assert events[0] == Notice("low_perfusion", 1.0)
    assert [event.value for event in events[1:3]] == [97, 72]


@pytest.mark.parametrize("status", ["0080", "0020"])
def test_numbers_that_the_device_calls_invalid_or_unavailable_are_none(status):
    assert [event.value for event in feed("0461004800" + status)] == [None, None]


def test_a_number_left_over_from_a_finger_that_is_gone_is_none():
    assert [e.value for e in feed("0861004800000800") if isinstance(e, Reading)] == [None, None]


@pytest.mark.parametrize(
    ("hex_", "words"), [("0065004800", ("implausible",)), ("00ff0f4800", ("implausible",))]
)
def test_numbers_that_no_body_has_are_none(hex_, words):
    spo2 = feed(hex_)[0]
    assert (spo2.value, spo2.status) == (None, words)


def test_a_pulse_rate_of_zero_is_no_value():
    assert feed("0061000000")[1] == reading("pulse_rate", None, "/min")


@pytest.mark.parametrize(
    ("hex_", "source"),
    [
        ("", CONTINUOUS),
        ("00610048", CONTINUOUS),
        ("0c61004800002000", CONTINUOUS),
        ("1061004800", CONTINUOUS),
        ("0162004100e907030e091e", SPOT_CHECK),
        ("", BATTERY_LEVEL),
        ("65", BATTERY_LEVEL),
        ("0061004800", ""),
        ("0061004800", "00002a37-0000-1000-8000-00805f9b34fb"),
    ],
)
def test_what_is_too_short_or_from_elsewhere_is_counted_and_gives_nothing(hex_, source):
    driver = Plx()
    assert feed(hex_, source, driver) == []
    assert (driver.counters.bad_frames, driver.counters.frames) == (1, 0)


def test_the_device_information_texts_identify_it():
    driver = Plx()
    told = [
        event.detail
        for number, text in (("2a24", "3150"), ("2a25", " 77;=\0 "), ("2a26", "\xff1.2"))
        for event in driver.feed(
            Packet(text.encode("latin-1"), 1.0, f"0000{number}-0000-1000-8000-00805f9b34fb")
        )
    ]
    assert told[0] == "model=3150;serial=;firmware="
    assert told[2] == "model=3150;serial=77;firmware=\ufffd1.2"


def test_the_battery_level_is_read():
    assert feed("50", BATTERY_LEVEL) == [reading("battery", 80, "%")]


def test_notices_come_when_something_begins_and_when_it_ends():
    driver = Plx()
    off, on = "0cff07ff070020000800", "0c610048002000000000"
    seen = [event for hex_ in (on, off, off, on) for event in feed(hex_, driver=driver)]
    assert [event for event in seen if isinstance(event, Notice)] == [
        Notice("sensor_off", 1.0),
        Notice("sensor_off", 1.0, on=False),
    ]
    assert driver.start() == driver.stop() == driver.tick(0.0) == b""


def test_the_virtual_sensor_is_read_as_it_was_meant():
    sent = sensor.continuous(sensor.PlxNumbers(Decimal("96.5"), Decimal(131), sensor.STATUS_ONGOING))
    assert [event.value for event in feed(sent.hex())] == [96.5, 131]
    spot = sensor.spot_check(sensor.PlxNumbers(Decimal(95), Decimal(60), sensor.STATUS_FULLY_QUALIFIED))
    assert feed(spot.hex(), SPOT_CHECK)[0].status == ("fully_qualified", "spot_check", "clock_not_set")


@settings(max_examples=100)
@given(st.binary(max_size=30), st.sampled_from([CONTINUOUS, SPOT_CHECK, BATTERY_LEVEL, "", "x"]))
def test_nothing_that_arrives_ever_raises_or_gives_an_impossible_number(data, source):
    driver = Plx()
    for event in driver.feed(Packet(data, 1.0, source)):
        if isinstance(event, Reading) and event.value is not None:
            assert 0 <= event.value <= 500
    assert driver.counters.frames + driver.counters.bad_frames == 1
