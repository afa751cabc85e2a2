"""Blood pressure, temperature, glucose, weight, heart rate and battery: worked values of the reference."""

import pytest
from driver_bench import feed, notices, readings, values
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.devices import racp
from chevet.devices.driver import DRIVERS
from chevet.devices.gatt import medical_float, uuid
from chevet.devices.samples import Notice, Reading

DATE = bytes.fromhex("e907030e091e05")
TAKEN = "taken=2025-03-14T09:30:05"
BP, CUFF, TEMPERATURE, INTERMEDIATE = (uuid(number) for number in (0x2A35, 0x2A36, 0x2A1C, 0x2A1E))
GLUCOSE, CONTEXT, WEIGHT, HEART = (uuid(number) for number in (0x2A18, 0x2A34, 0x2A9D, 0x2A37))
BATTERY, CONTROL = uuid(0x2A19), uuid(0x2A52)


def told(name, text, source, driver=None):
    data = text if isinstance(text, bytes) else bytes.fromhex(text)
    return feed(driver or DRIVERS[name](), data, source=source)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        (0xFF00016E, 36.6),
        (0xFF00016C, 36.4),
        (0x00000061, 97),
        (0xFFFFFF9C, -10.0),
        (0x02000001, 100),
        (0x007FFFFF, None),
        (0x00800000, None),
        (0x007FFFFE, None),
        (0x00800002, None),
        (0x00800001, None),
    ],
)
def test_floats_are_decimal_with_signed_parts_and_specials_are_none(word, value):
    assert medical_float(word) == value


@settings(max_examples=50)
@given(st.integers(-8, 7), st.integers(-(2**23) + 3, 2**23 - 3))
def test_floats_of_every_size_are_read_as_meant(exponent, mantissa):
    word = (exponent & 0xFF) << 24 | mantissa & 0xFFFFFF
    assert medical_float(word) == float(f"{mantissa}e{exponent}")


# Blood pressure


def test_the_worked_blood_pressure():
    got = readings(told("blood-pressure", "04780050005d004800", BP))
    assert {kind: (one.value, one.unit) for kind, one in got.items()} == {
        "systolic": (120, "mm[Hg]"),
        "diastolic": (80, "mm[Hg]"),
        "mean_pressure": (93, "mm[Hg]"),
        "pulse_rate": (72, "/min"),
    }
    assert got["systolic"].status == ()


def test_blood_pressure_in_kilopascal_with_everything():
    # 16.0 / 10.7 kPa, mean NaN; date; pulse 72; user 1; irregular pulse, too fast, body moved.
    data = bytes.fromhex("1fa0f06bf0ff07") + DATE + bytes.fromhex("4800010d00")
    got = readings(told("blood-pressure", data, BP))
    assert got["systolic"].value == pytest.approx(120.0, abs=0.1)
    assert got["diastolic"].value == pytest.approx(80.3, abs=0.1)
    assert got["mean_pressure"].value is None
    assert got["systolic"].status == (TAKEN, "user=1", "body_moved", "irregular_pulse", "pulse_too_fast")


@pytest.mark.parametrize("special", ["ff07", "0008", "fe07", "0208", "0108"])
def test_specials_are_no_blood_pressure(special):
    assert {one.value for one in told("blood-pressure", "00" + special * 3, BP)} == {None}


def test_the_cuffs_pressure_is_no_blood_pressure():
    driver = DRIVERS["blood-pressure"]()
    assert told("", "005a00ff07ff07", CUFF, driver) == []
    assert told("", "2000", uuid(0x2A49), driver) == []
    assert (driver.counters.frames, driver.counters.bad_frames) == (2, 0)


# Temperature


@pytest.mark.parametrize(
    ("text", "value", "words"),
    [
        ("046e0100ff02", 36.6, ("site=body",)),
        ("006e0100ff", 36.6, ()),
        ("026e0100ff" + DATE.hex(), 36.6, (TAKEN,)),
        ("04ffff7f0009", None, ("site=tympanum",)),
        ("00ce0300ff", None, ("implausible",)),
        ("046e0100ff7f", 36.6, ("site=unknown",)),
    ],
)
def test_temperatures(text, value, words):
    assert told("thermometer", text, TEMPERATURE) == [Reading("temperature", value, "Cel", 1.0, words)]


def test_fahrenheit_is_told_in_celsius():
    (got,) = told("thermometer", "01da0300ff", TEMPERATURE)  # 98.6 F
    assert (got.value, got.unit) == (pytest.approx(37.0), "Cel")


def test_numbers_on_the_way_say_so():
    (got,) = told("thermometer", "006e0100ff", INTERMEDIATE)
    assert got.status == ("intermediate",)
    assert told("thermometer", "02", uuid(0x2A1D)) == []


# Glucose


def test_the_worked_glucose_in_kilograms_per_litre():
    (got,) = told("glucose", "020700e907030e091e055fb011", GLUCOSE)
    words = ("from_storage", "sequence=7", TAKEN, "capillary_whole_blood")
    assert got == Reading("glucose", pytest.approx(95.0), "mg/dL", 1.0, words)


def test_the_worked_glucose_in_moles_per_litre():
    (got,) = told("glucose", "060800e907030e091e0535c011", GLUCOSE)
    assert got.value == pytest.approx(95.48, abs=0.01)


def test_a_time_offset_shifts_the_time():
    (got,) = told(
        "glucose",
        b"\x03\x01\x00" + DATE + (-90).to_bytes(2, "little", signed=True) + b"\x5f\xb0\x11",
        GLUCOSE,
    )
    assert "taken=2025-03-14T08:00:05" in got.status


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("0a0700e907030e091e055fb0112000", "result_too_high"),
        ("0a0700e907030e091e055fb0110200", "sensor_malfunction"),
        ("020700e907030e091e055fb01a", "control_solution"),
        ("020700e907030e091e05fe0711", "capillary_whole_blood"),
        ("000700e907030e091e05", "from_storage"),
        ("0207000000000000000005b011", "from_storage"),
    ],
)
def test_what_is_no_glucose_of_a_patient_is_none(text, word):
    (got,) = told("glucose", text, GLUCOSE)
    assert word in got.status
    assert got.value is None or "taken" not in str(got.status)


def test_a_meter_is_asked_for_everything_and_then_for_what_is_new():
    driver = DRIVERS["glucose"]()
    assert driver.start() == bytes.fromhex("0101")
    told("", "020700e907030e091e055fb011", GLUCOSE, driver)
    assert told("", "06000101", CONTROL, driver) == [Notice("stored_until", 1.0, detail="sequence=7")]
    assert driver.tick(99.0) == b""
    assert driver.start() == bytes.fromhex("0103010700")
    assert told("", "020700e907030e091e055fb011", GLUCOSE, driver) == [], "told before"
    assert len(told("", "020800e907030e091e055fb011", GLUCOSE, driver)) == 1


def test_a_meter_that_counts_anew_is_asked_for_everything_again():
    driver = DRIVERS["glucose"]()
    driver.start()
    told("", "020700e907030e091e055fb011", GLUCOSE, driver)
    told("", "06000101", CONTROL, driver)
    driver.start()
    told("", "06000106", CONTROL, driver)
    assert driver.tick(5.0) == bytes.fromhex("0101")
    assert driver.tick(5.25) == b""


def test_a_meter_that_says_nothing_is_asked_again_after_30_seconds():
    driver = DRIVERS["glucose"]()
    driver.start()
    sent = [driver.tick(1.0 + second) for second in range(62)]
    assert [second for second, words in enumerate(sent) if words] == [30, 60]
    told("", "06000106", CONTROL, driver)
    assert driver.tick(999.0) == driver.stop() == b""


def test_a_measurement_waits_for_its_context():
    driver = DRIVERS["glucose"]()
    driver.start()
    assert told("", "120700e907030e091e055fb011", GLUCOSE, driver) == []
    (got,) = told("", "03070001e80303", CONTEXT, driver)
    assert got.status[-1] == "meal=fasting"
    assert told("", "02070001", CONTEXT, driver) == [], "of none that is held"


def test_a_context_that_never_comes_delays_until_the_next_or_the_end():
    driver = DRIVERS["glucose"]()
    driver.start()
    told("", "120700e907030e091e055fb011", GLUCOSE, driver)
    assert told("", "82090000", CONTEXT, driver) == []
    (got,) = told("", "120800e907030e091e055fb011", GLUCOSE, driver)
    assert "sequence=7" in got.status
    got, until = told("", "06000101", CONTROL, driver)
    assert until == Notice("stored_until", 1.0, detail="sequence=8")
    assert "sequence=8" in got.status


def test_low_batteries_are_told():
    events = told("glucose", "0a0700e907030e091e055fb0110100", GLUCOSE)
    assert notices(events) == [Notice("battery_low", 1.0)]
    assert values(events, "glucose") == [pytest.approx(95.0)]


def test_the_worked_requests_and_answers_of_the_control_point():
    assert racp.report_all().hex() == "0101"
    assert racp.report_from(7).hex() == "0103010700"
    assert racp.answer_to_report(bytes.fromhex("06000101")) == racp.SUCCESS
    assert racp.answer_to_report(bytes.fromhex("06000106")) == racp.NO_RECORDS
    assert racp.answer_to_report(bytes.fromhex("05000300")) is None
    assert racp.answer_to_report(bytes.fromhex("06000401")) is None


def test_a_time_beyond_the_calendar_is_no_time():
    last = bytes.fromhex("0f270c1f173b3b")  # 9999-12-31 23:59:59
    (got,) = told("glucose", b"\x03\x01\x00" + last + b"\x64\x00" + b"\x5f\xb0\x11", GLUCOSE)
    assert not [word for word in got.status if word.startswith("taken")]


def test_features_are_taken_and_left():
    assert told("glucose", "0000", uuid(0x2A51)) == []
    driver = DRIVERS["thermometer"]()
    assert told("", "", uuid(0x2A1D), driver) == []
    assert driver.counters.bad_frames == 1
    driver = DRIVERS["glucose"]()
    assert told("", "060001", CONTROL, driver) == []
    assert driver.counters.bad_frames == 1


# Stored spot checks of oximeters

SPOT, FEATURES = uuid(0x2A5E), uuid(0x2A60)


def test_an_oximeter_that_stores_is_asked_and_its_records_are_marked():
    driver = DRIVERS["plx"]()
    driver.start()
    assert driver.tick(1.0) == b""
    told("", "0400", FEATURES, driver)
    assert driver.tick(1.25) == bytes.fromhex("0101")
    assert driver.tick(1.5) == b""
    got = readings(told("", "0362004100e907030e091e050003", SPOT, driver))
    assert (got["spo2"].value, got["spo2"].status) == (
        98,
        ("fully_qualified", "from_storage", "spot_check", TAKEN),
    )
    assert "from_storage" in readings(told("", "0062004100", SPOT, driver))["spo2"].status
    told("", "06000101", CONTROL, driver)
    assert readings(told("", "0062004100", SPOT, driver))["spo2"].status == ("spot_check",)


@pytest.mark.parametrize("features", ["0000", "fb00"])
def test_an_oximeter_that_stores_nothing_is_not_asked(features):
    driver = DRIVERS["plx"]()
    told("", features, FEATURES, driver)
    assert driver.tick(1.0) == b""


# Weight, heart rate, battery


@pytest.mark.parametrize(
    ("text", "value", "words"),
    [
        ("001437", 70.5, ()),
        ("00ffff", None, ()),
        ("01983a", 68.039, ()),  # 150 lb
        ("0e1437" + DATE.hex() + "03" + "ea00" + "a406", 70.5, (TAKEN, "user=3")),
        ("041437ff", 70.5, ()),
    ],
)
def test_weights(text, value, words):
    assert told("weight-scale", text, WEIGHT) == [Reading("weight", value, "kg", 1.0, words)]


def test_the_features_of_a_scale_are_left():
    assert told("weight-scale", "00000000", uuid(0x2A9E)) == []


def test_the_worked_heart_rate():
    events = told("heart-rate", "16485503", HEART)
    assert events == [
        Reading("heart_rate", 72, "/min", 1.0),
        Reading("rr_interval", pytest.approx(833.0, abs=0.01), "ms", 1.0),
    ]


def test_wide_rates_energy_and_several_intervals():
    events = told("heart-rate", "192c01" + "1000" + "00040002", HEART)
    assert values(events, "heart_rate") == [300]
    assert values(events, "rr_interval") == [1000.0, 500.0]


def test_a_strap_without_contact_has_no_numbers():
    driver = DRIVERS["heart-rate"]()
    events = told("", "14485503", HEART, driver)
    assert events == [
        Notice("sensor_off", 1.0),
        Reading("heart_rate", None, "/min", 1.0, ("sensor_not_on_user",)),
    ]
    assert notices(told("", "1648", HEART, driver)) == [Notice("sensor_off", 1.0, on=False)]
    assert values(told("", "0600", HEART, driver), "heart_rate") == [None]
    assert told("", "01", uuid(0x2A38), driver) == []


def test_battery_and_device_information():
    driver = DRIVERS["battery"]()
    texts = ((0x2A29, "Chevet"), (0x2A24, "X1"), (0x2A25, "7"), (0x2A26, "1.0;="), (0x2A23, "12345678"))
    events = [event for number, text in texts for event in told("", text.encode(), uuid(number), driver)]
    assert events[-1].detail == "model=Chevet X1;serial=7;firmware=1.0"
    assert told("", "50", BATTERY, driver) == [Reading("battery", 80, "%", 1.0)]
    driver.start()
    assert told("", "50", BATTERY, driver) == [Reading("battery", 80, "%", 1.0)]


# All


SOURCES = {
    "blood-pressure": (BP, CUFF),
    "thermometer": (TEMPERATURE, INTERMEDIATE),
    "glucose": (GLUCOSE, CONTEXT, CONTROL),
    "weight-scale": (WEIGHT,),
    "heart-rate": (HEART,),
    "battery": (BATTERY,),
}


@pytest.mark.parametrize("name", SOURCES)
@settings(max_examples=60)
@given(data=st.binary(max_size=24), pick=st.integers(0, 9))
def test_nothing_that_arrives_ever_raises_or_gives_an_impossible_number(name, data, pick):
    driver = DRIVERS[name]()
    driver.start()
    sources = (*SOURCES[name], BATTERY, uuid(0x2A24), "", "x")
    for event in told("", data, sources[pick % len(sources)], driver):
        if isinstance(event, Reading) and event.value is not None:
            assert 0 <= event.value <= 5000
    assert driver.counters.frames + driver.counters.bad_frames == 1
    assert driver.tick(1.0) == driver.stop() == b""


@pytest.mark.parametrize("name", SOURCES)
def test_a_value_cut_short_is_counted_and_gives_nothing(name):
    driver = DRIVERS[name]()
    driver.start()
    for source in SOURCES[name]:
        assert told("", b"" if source == BATTERY else b"\x0f", source, driver) == []
    assert driver.counters.bad_frames == len(SOURCES[name])
