"""What a device keeps is fetched once, and its clock is read and set."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chevet.bridge.packet import Packet
from chevet.devices import racp
from chevet.devices.driver import DRIVERS
from chevet.devices.gatt import CURRENT_TIME, current_time, uuid
from chevet.devices.memory import AsksTime, KeepsRecords, SetsClock, Write, is_stored
from chevet.devices.samples import Notice, Reading
from chevet.sim.twins.contec import ContecNew
from chevet.sim.twins.finger import SteadyFinger

GLUCOSE, SPOT, FEATURES, CONTROL = uuid(0x2A18), uuid(0x2A5E), uuid(0x2A60), uuid(0x2A52)
NOON = datetime.datetime(2025, 3, 14, 9, 30, 5, 500_000)  # a Friday
SUCCESS = bytes.fromhex("06000101")
STORED = ((97, 72), (96, 140), (0, 0), (95, 61))


def stored(events):
    return [event for event in events if is_stored(event)]


def test_which_drivers_fetch_and_which_set_a_clock():
    made = {name: make() for name, make in DRIVERS.items()}
    assert {name for name, one in made.items() if isinstance(one, KeepsRecords)} == {
        "contec-cms50-v2",
        "glucose",
        "plx",
    }
    assert {name for name, one in made.items() if isinstance(one, AsksTime)} == {"nonin-ble"}
    assert {"glucose", "plx", "blood-pressure", "thermometer", "weight-scale", "battery"} <= {
        name for name, one in made.items() if isinstance(one, SetsClock)
    }


# Clocks


def test_the_worked_current_time():
    # The notes' bytes are "e907030e091e05058001": weekday 5, 128/256 s, set by hand.
    assert current_time(NOON).hex() == "e907030e091e05058001"


@pytest.mark.parametrize("name", ["glucose", "plx", "blood-pressure", "thermometer"])
def test_a_clock_is_set_by_its_own_characteristic_and_told_when_read(name):
    driver = DRIVERS[name]()
    assert driver.set_clock(NOON) == [Write(CURRENT_TIME, current_time(NOON))]
    driver.start()
    told = driver.feed(Packet(current_time(NOON), 7.0, CURRENT_TIME))
    assert told == [Notice("device_time", 7.0, detail="2025-03-14T09:30:05")]


@pytest.mark.parametrize("name", ["glucose", "plx"])
def test_a_clock_that_is_not_set_tells_nothing_and_a_cut_one_is_counted(name):
    driver = DRIVERS[name]()
    driver.start()
    assert driver.feed(Packet(bytes(10), 7.0, CURRENT_TIME)) == []
    assert driver.counters.bad_frames == 0
    assert driver.feed(Packet(current_time(NOON)[:6], 7.0, CURRENT_TIME)) == []
    assert driver.counters.bad_frames == 1


# Glucose


def glucose(sequence):
    return bytes.fromhex("02") + sequence.to_bytes(2, "little") + bytes.fromhex("e907030e091e055fb011")


def test_a_meter_is_asked_only_for_what_is_newer_than_the_mark():
    driver = DRIVERS["glucose"]()
    driver.remember("sequence=7")
    assert driver.start() == racp.report_from(7)
    events = [driver.feed(Packet(glucose(n), 1.0, GLUCOSE)) for n in (7, 8, 9)]
    assert [len(stored(one)) for one in events] == [0, 1, 1]
    assert driver.feed(Packet(SUCCESS, 2.0, CONTROL)) == [Notice("stored_until", 2.0, detail="sequence=9")]


@pytest.mark.parametrize("mark", ["", "sequence=", "sequence=70000", "sequence=-1", "taken=2025-03-14", "x"])
def test_a_mark_that_says_nothing_asks_for_everything(mark):
    driver = DRIVERS["glucose"]()
    driver.remember(mark)
    assert driver.start() == racp.report_all()


@pytest.mark.parametrize("answer", ["06000106", "06000108", "05000300"])
def test_a_fetch_that_did_not_succeed_leaves_the_mark_alone(answer):
    driver = DRIVERS["glucose"]()
    driver.start()
    driver.feed(Packet(glucose(7), 1.0, GLUCOSE))
    assert not stored(driver.feed(Packet(bytes.fromhex(answer), 2.0, CONTROL)))


@given(st.integers(0, 0xFFFF))
def test_marks_of_sequence_numbers_come_back(sequence):
    assert racp.marked(racp.mark(sequence)) == sequence


# Stored spot checks


def spot(day, status="0003"):
    head = "0362004100e907"
    return bytes.fromhex(head) + bytes((3, day, 9, 30, 5)) + bytes.fromhex(status)


def fetched(mark, days, *, answer=SUCCESS):
    driver = DRIVERS["plx"]()
    driver.remember(mark)
    driver.start()
    driver.feed(Packet(bytes.fromhex("0400"), 1.0, FEATURES))
    assert driver.tick(1.0) == racp.report_all()
    events = [event for day in days for event in driver.feed(Packet(spot(day), 1.0, SPOT))]
    return events + driver.feed(Packet(answer, 2.0, CONTROL))


def test_spot_checks_up_to_the_mark_are_passed_over():
    events = fetched("taken=2025-03-14T09:30:05", (13, 14, 15, 16))
    words = [word for one in stored(events) if isinstance(one, Reading) for word in one.status]
    assert {word for word in words if word.startswith("taken")} == {
        "taken=2025-03-15T09:30:05",
        "taken=2025-03-16T09:30:05",
    }
    assert events[-1] == Notice("stored_until", 2.0, detail="taken=2025-03-16T09:30:05")


@pytest.mark.parametrize("mark", ["", "taken=yesterday", "taken=2025-03-14T09:30:05+01:00", "sequence=3"])
def test_without_a_time_in_the_mark_all_spot_checks_come(mark):
    assert sum(isinstance(one, Reading) for one in fetched(mark, (13, 14))) == 4


def test_a_fetch_that_fails_or_finds_nothing_gives_no_new_mark():
    assert not any(isinstance(one, Notice) for one in fetched("", (13,), answer=bytes.fromhex("06000108")))
    assert fetched("", ()) == []


def test_a_stored_spot_check_says_nothing_of_the_sensor_now():
    driver = DRIVERS["plx"]()
    driver.start()
    gone = bytes.fromhex("0662004100") + (0x0200).to_bytes(2, "little") + (1 << 11).to_bytes(3, "little")
    events = driver.feed(Packet(gone, 1.0, SPOT))
    assert [type(one) for one in events] == [Reading, Reading]
    assert all(is_stored(one) for one in events)


# Contec's stored recording


def met(twin, mark, *, seconds=12.0):
    """Let a driver and a virtual oximeter talk; return the events."""
    driver, now = DRIVERS["contec-cms50-v2"](), 100.0
    if mark is not None:
        driver.remember(mark)
    events, said = [], twin.receive(driver.start(), now)
    while now < 100.0 + seconds:
        for data in [*said, *twin.advance(now)]:
            events += driver.feed(Packet(data, now))
        now += 0.25
        sent = driver.tick(now)
        said = twin.receive(sent, now) if sent else []
    return events


def values(events, kind):
    return [one.value for one in stored(events) if isinstance(one, Reading) and one.kind == kind]


def test_a_stored_recording_is_fetched_once_and_live_data_follow():
    twin = ContecNew(SteadyFinger(), 100.0, STORED)
    events = met(twin, "")
    assert values(events, "spo2") == [97, 96, None, 95]
    (mark,) = [one.detail for one in events if isinstance(one, Notice) and one.code == "stored_until"]
    live = [one for one in events if isinstance(one, Reading) and not is_stored(one)]
    assert live
    assert live[0].at > stored(events)[-1].at
    assert not stored(met(twin, mark))
    twin.began = b"\x00\x00\x19\x03\x0f\x09"
    assert values(met(twin, mark), "spo2") == [97, 96, None, 95], "another recording of the same length"


def test_readings_of_one_recording_can_be_told_from_those_of_another():
    twin = ContecNew(SteadyFinger(), 100.0, STORED)
    first = stored(met(twin, ""))[0].status
    assert first == stored(met(twin, ""))[0].status
    assert first[:2] == ("from_storage", "second=0")
    twin.began = b"\x09\x00"
    assert stored(met(twin, ""))[0].status != first


def test_a_device_that_does_not_say_when_it_began_gives_no_mark_and_is_asked_again():
    twin = ContecNew(SteadyFinger(), 100.0, STORED)
    twin.began = b""
    events = stored(met(twin, ""))
    assert len(events) == 8
    assert not any(isinstance(one, Notice) for one in events)


def test_nothing_stored_or_nobody_to_keep_it_means_live_data_at_once():
    assert not stored(met(ContecNew(SteadyFinger(), 100.0), ""))
    events = met(ContecNew(SteadyFinger(), 100.0, STORED), None)
    assert events
    assert not stored(events)
