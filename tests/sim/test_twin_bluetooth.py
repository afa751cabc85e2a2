"""Virtual Bluetooth instruments and the drivers that read them, joined value for value without a radio."""

import datetime
from decimal import Decimal

import pytest
from driver_bench import STEP_S, TICK_S, notices, pleth, readings, values

from chevet.bridge.packet import Packet
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Notice, Reading
from chevet.sim.twins import o2ring
from chevet.sim.twins import records as stored
from chevet.sim.twins import vital_signs as vital
from chevet.sim.twins.ble_oximeters import NONIN_CONTROL, BerryMed, NoninBle, Pc60Fw, maxim
from chevet.sim.twins.finger import RecordedFinger, Shown, SteadyFinger
from chevet.sim.twins.ieee11073 import medical_float
from chevet.sim.twins.o2ring import O2Ring, checksum

WHEN = datetime.datetime(2025, 3, 14, 9, 30, 5)
WRITES = {
    "viatom-o2ring": o2ring.WRITES,
    "glucose": stored.CONTROL_POINT,
    "plx": stored.CONTROL_POINT,
    "nonin-ble": NONIN_CONTROL,
}


def meet(name, twin, seconds, *, began=100.0, driver=None, reads=(), lost=()):
    """Let a driver and a Bluetooth twin meet for some seconds; return the driver and all events."""
    driver = driver or DRIVERS[name]()
    twin.connected(began)
    events, sent = [], []

    def say(data, now):
        for start in range(0, len(data), 20):
            sent.extend(twin.written(WRITES[name], data[start : start + 20], now))

    said = driver.start()
    values_to_read = {one.uuid: one.value for service in twin.services for one in service.characteristics}
    for uuid in reads:
        events += driver.feed(Packet(values_to_read[uuid], began, uuid))
    say(said, began)
    for step in range(1, round(seconds / STEP_S) + 1):
        now = began + step * STEP_S
        if step % round(TICK_S / STEP_S) == 0:
            say(driver.tick(now), now)
        for number, (uuid, data) in enumerate(sent + twin.advance(now)):
            assert len(data) <= 512
            if (step, number) not in lost:
                events += driver.feed(Packet(data, now, uuid))
        sent.clear()
    return driver, events


OXIMETERS = {"berrymed": BerryMed, "pc60fw": Pc60Fw, "nonin-ble": NoninBle, "viatom-o2ring": O2Ring}


def test_worked_frames_and_checksums():
    assert BerryMed(SteadyFinger(), 0.0).frame(64).hex() == "8640094861"
    assert maxim(b"123456789") == 0xA1
    assert checksum(b"123456789") == 0xF4
    twin = Pc60Fw(SteadyFinger(spo2=96, pulse_rate=62, perfusion_pct=8.0), 0.0)
    assert twin._numbers(0).hex() == "aa550f0801603e005000c008"
    twin = NoninBle(SteadyFinger(perfusion_pct=5.0), 0.0)
    assert twin._continuous(1).hex() == "0a541e01f40001610048", "the reference's, and the encrypted bit"
    assert (
        o2ring.reply(O2Ring(SteadyFinger(), 0.0)._numbers()).hex()
        == "5500ff00000d006148000000000050000023010047"
    )


def test_worked_values_of_the_services():
    assert vital.blood_pressure(120, 80, 93, 72).hex() == "04780050005d004800"
    assert vital.temperature(Decimal("36.6")).hex() == "046e0100ff02"
    assert vital.weight(Decimal("70.5")).hex() == "001437"
    assert medical_float(Decimal("36.4")).hex() == "6c0100ff"
    record = stored.glucose(7, Decimal("0.00095"), WHEN)
    assert record.sent[0][1].hex() == "020700e907030e091e055fb011"
    record = stored.glucose(8, Decimal("0.0053"), WHEN, molar=True)
    assert record.sent[0][1].hex() == "060800e907030e091e0535c011"


@pytest.mark.parametrize("number", ["1e200", "9999999999", "NaN"])
def test_numbers_that_do_not_fit_a_float_are_refused(number):
    with pytest.raises(ValueError, match="does not fit"):
        medical_float(Decimal(number))


@pytest.mark.parametrize("name", OXIMETERS)
def test_numbers_arrive_as_shown(name):
    driver, events = meet(name, OXIMETERS[name](SteadyFinger(spo2=93, pulse_rate=141), 100.0), 5.0)
    got = readings(events)
    assert (got["spo2"].value, got["pulse_rate"].value, got["spo2"].status) in (
        (93, 141, ()),
        (93, 141, ("smartpoint",)),
    )
    if name != "berrymed":
        assert got["perfusion_index"].value == 3.5
    assert len(values(events, "spo2")) >= 4
    assert (driver.counters.lost_samples, driver.counters.bad_frames) == (0, 0)


@pytest.mark.parametrize("name", OXIMETERS)
def test_without_a_finger_there_are_no_numbers(name):
    _, events = meet(name, OXIMETERS[name](SteadyFinger(off=True), 100.0), 5.0)
    assert set(values(events, "spo2")) | set(values(events, "pulse_rate")) <= {None}
    if name != "pc60fw":  # it switches off instead
        assert "sensor_off" in {notice.code for notice in notices(events)}


@pytest.mark.parametrize(
    ("name", "rate", "top"),
    [("berrymed", 100, 100), ("pc60fw", 60, 127), ("nonin-ble", 75, 65535), ("viatom-o2ring", 125, 100)],
)
def test_a_real_pleth_arrives_whole(name, rate, top):
    finger = RecordedFinger(3)
    _, events = meet(name, OXIMETERS[name](finger, 100.0), 6.0)
    found = pleth(events)
    got = [found[place] for place in sorted(found)]
    assert sorted(found) == list(range(min(found), max(found) + 1)), "without a gap"
    sent = finger.wave(0, 8 * rate, float(rate), top)
    assert len(got) > 4 * rate
    assert any(sent[at : at + len(got)] == got for at in range(2 * rate))


def test_a_lost_notification_is_a_gap_of_its_samples():
    driver, events = meet("nonin-ble", NoninBle(SteadyFinger(), 100.0), 5.0, lost={(27, 0)})
    assert driver.counters.lost_samples == 25
    assert [notice.detail for notice in notices(events, "lost_samples")] == ["25"]


def test_nonins_clock_texts_and_battery():
    twin = NoninBle(SteadyFinger(), 100.0)
    reads = ("00002a24-0000-1000-8000-00805f9b34fb", "00002a25-0000-1000-8000-00805f9b34fb")
    driver, events = meet("nonin-ble", twin, 2.0, reads=reads)
    assert notices(events, "identified")[-1].detail == "model=3150;serial=501234567;firmware="
    assert readings(events)["battery"].value == 80
    assert readings(events)["rr_interval"].value == pytest.approx(833.3)
    ((uuid, data),) = twin.written(NONIN_CONTROL, driver.ask_time(), 102.0)
    assert driver.feed(Packet(data, 102.0, uuid)) == [
        Notice("device_time", 102.0, detail="2025-03-14T09:30:05")
    ]
    assert twin.written(NONIN_CONTROL, b"\x60NMI\x06ACT?\r\n", 102.0) == [(NONIN_CONTROL, b"\xe0\x01\x00")]
    assert twin.written(NONIN_CONTROL, b"", 102.0) == []


def test_a_pc60fw_whose_battery_is_empty_says_so():
    twin = Pc60Fw(SteadyFinger(), 100.0)
    twin.battery = 0
    _, events = meet("pc60fw", twin, 1.0)
    assert Notice("battery_low", notices(events, "battery_low")[0].at) in events
    assert twin.written("x", b"", 1.0) == []


def test_a_ring_says_nothing_by_itself():
    twin = O2Ring(SteadyFinger(), 100.0)
    assert [twin.advance(100.0 + step) for step in range(20)] == [[]] * 20
    assert twin.written(o2ring.WRITES, b"\xaa\x17\xe8\x00\x00\x00\x00\x1c", 120.0) == [], "wrong checksum"
    assert twin.written("x", b"\xaa\x17\xe8\x00\x00\x00\x00\x1b", 120.0) == []
    assert twin.written(o2ring.WRITES, b"\x00\x01\xaa\x17\xe8\x00\x00\x00\x00\x1b", 120.0)


def test_a_ring_is_identified_and_its_beat_marks_are_gaps():
    twin = O2Ring(SteadyFinger(), 100.0, battery=9)
    twin.beat_marks = True
    driver, events = meet("viatom-o2ring", twin, 6.0)
    assert notices(events, "identified")[0].detail == "model=1611;serial=2012345678;firmware=1.4.0"
    assert Reading("battery", 9, "%", notices(events, "battery_low")[0].at, ()) in events
    assert 156 not in pleth(events).values()
    assert driver.counters.lost_samples == len(notices(events, "lost_samples")) > 3


def test_a_ring_without_pleth_gives_numbers_only():
    twin = O2Ring(SteadyFinger(), 100.0)
    twin.knows_wave = False
    _, events = meet("viatom-o2ring", twin, 12.0)
    assert pleth(events) == {}
    assert len(values(events, "spo2")) >= 8


def test_a_deaf_ring_is_asked_patiently():
    twin = O2Ring(SteadyFinger(), 100.0)
    twin.deaf = True
    driver, events = meet("viatom-o2ring", twin, 10.0)
    assert events == []
    twin.deaf = False
    _, events = meet("viatom-o2ring", twin, 4.0, began=110.0, driver=driver)
    assert values(events, "spo2")


# What was stored


def test_a_meters_records_are_read_once_and_new_ones_next_time():
    twin = stored.glucose_meter()
    twin.records = [
        stored.glucose(1, Decimal("0.00095"), WHEN),
        stored.glucose(2, Decimal("0.0053"), WHEN, molar=True, meal=3),
        stored.glucose(3, None, WHEN, status=1 << 5),
    ]
    driver, events = meet("glucose", twin, 2.0)
    got = values(events, "glucose")
    assert got[:2] == [pytest.approx(95.0), pytest.approx(95.48, abs=0.01)]
    assert got[2] is None
    assert "meal=fasting" in [event for event in events if isinstance(event, Reading)][1].status
    twin.records.append(stored.glucose(4, Decimal("0.00110"), WHEN))
    _, events = meet("glucose", twin, 2.0, began=200.0, driver=driver)
    assert values(events, "glucose") == [pytest.approx(110.0)]
    _, events = meet("glucose", twin, 2.0, began=300.0, driver=driver)
    assert values(events, "glucose") == []


def test_a_meter_that_was_reset_is_read_from_its_beginning():
    twin = stored.glucose_meter()
    twin.records = [stored.glucose(50, Decimal("0.00095"), WHEN)]
    driver, _ = meet("glucose", twin, 2.0)
    twin.records = [stored.glucose(1, Decimal("0.00070"), WHEN)]
    _, events = meet("glucose", twin, 2.0, began=200.0, driver=driver)
    assert values(events, "glucose") == [pytest.approx(70.0)]


def test_an_empty_and_a_silent_meter_give_nothing():
    twin = stored.glucose_meter()
    _, events = meet("glucose", twin, 2.0)
    assert events == []
    twin.silent = True
    twin.records = [stored.glucose(1, Decimal("0.00070"), WHEN)]
    driver, events = meet("glucose", twin, 40.0, began=200.0)
    assert events == []
    twin.silent = False
    _, events = meet("glucose", twin, 2.0, began=300.0, driver=driver)
    assert values(events, "glucose") == [pytest.approx(70.0)]


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("0401", "05000200"),
        ("0105", "06000101"),
        ("0106", "06000101"),
        ("0301", "06000302"),
        ("010400", "06000104"),
        ("010302", "06000105"),
        ("0103010300", "06000106"),
    ],
)
def test_the_control_point_answers_as_the_service_has_it(request_, answer):
    twin = stored.glucose_meter()
    twin.records = [stored.glucose(number, Decimal("0.001"), WHEN) for number in (1, 2)]
    sent = twin.written(stored.CONTROL_POINT, bytes.fromhex(request_), 1.0)
    assert sent[-1] == (stored.CONTROL_POINT, bytes.fromhex(answer))
    assert len(sent) == (2 if request_ in ("0105", "0106") else 1)
    assert twin.written(stored.CONTROL_POINT, b"\x01", 1.0) == []


def test_an_oximeters_stored_spot_checks_are_read_when_its_features_say_so():
    twin = stored.storing_oximeter()
    twin.records = [
        stored.spot_check(1, Decimal(98), Decimal(65), WHEN),
        stored.spot_check(2, None, None, WHEN),
    ]
    _, events = meet("plx", twin, 2.0, reads=("00002a60-0000-1000-8000-00805f9b34fb",))
    assert values(events, "spo2") == [98, None]
    words = readings(events)["spo2"].status
    assert {"from_storage", "taken=2025-03-14T09:30:05"} <= set(words)


# What is pushed after a measurement


def test_a_blood_pressure_monitor_pushes_what_it_measured_once():
    twin = vital.blood_pressure_monitor()
    twin.measured(vital.blood_pressure(182, 104, None, 91, when=WHEN, status=0x0004))
    driver, events = meet("blood-pressure", twin, 2.0)
    got = readings(events)
    assert [got[kind].value for kind in ("systolic", "diastolic", "mean_pressure", "pulse_rate")] == [
        182,
        104,
        None,
        91,
    ]
    assert got["systolic"].status == ("taken=2025-03-14T09:30:05", "irregular_pulse")
    assert meet("blood-pressure", twin, 2.0, began=200.0, driver=driver)[1] == []


def test_thermometer_and_scale():
    twin = vital.thermometer()
    twin.measured(vital.temperature(Decimal("101.3"), fahrenheit=True, when=WHEN))
    twin.measured(vital.temperature(None))
    _, events = meet("thermometer", twin, 1.0)
    assert values(events, "temperature") == [pytest.approx(38.5), None]
    twin = vital.scale()
    twin.measured(vital.weight(Decimal("3.25")))
    twin.measured(vital.weight(None))
    _, events = meet("weight-scale", twin, 1.0)
    assert values(events, "weight") == [3.25, None]
    assert twin.written("x", b"", 1.0) == []


def test_a_strap_streams_rate_and_intervals_and_knows_contact():
    chest = SteadyFinger(pulse_rate=75)
    twin = vital.Strap(chest, 100.0)
    driver, events = meet("heart-rate", twin, 11.0, reads=("00002a19-0000-1000-8000-00805f9b34fb",))
    assert set(values(events, "heart_rate")) == {75}
    intervals = values(events, "rr_interval")
    assert all(abs(interval - 800) < 1 for interval in intervals)
    assert 11 <= len(intervals) <= 15
    assert readings(events)["battery"].value == 64
    chest.off = True
    _, events = meet("heart-rate", twin, 3.0, began=120.0, driver=driver)
    assert set(values(events, "heart_rate")) == {None}
    assert notices(events, "sensor_off")


def test_the_recorded_finger_shows_what_its_monitor_showed():
    finger = RecordedFinger(1)
    shown = finger.shown(3.0)
    assert 94 <= shown.spo2 <= 98
    assert 70 <= shown.pulse_rate <= 80
    finger.off = True
    assert finger.shown(3.0) == Shown(None, None, None)
    assert finger.wave(0, 5, 60.0, 127) == [0] * 5
    finger.off, finger.moving = False, True
    assert finger.wave(0, 50, 60.0, 127) != RecordedFinger(1).wave(0, 50, 60.0, 127)
