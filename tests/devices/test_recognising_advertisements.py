"""What a Bluetooth device is, by what it advertises."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chevet.devices.driver import DRIVERS
from chevet.devices.gatt import uuid
from chevet.devices.recognise import (
    BLUETOOTH_OPTIONS,
    MAY_BOND,
    NAMED,
    SERVICES,
    SPOT,
    VIATOM,
    adapter,
    recognise_advertisement,
    recognise_camera,
)
from chevet.devices.recognition import NOTHING
from chevet.sim.twins import ble_oximeters, o2ring, records, vital_signs
from chevet.sim.twins.ecg_body import RecordedChest
from chevet.sim.twins.ecg_er1 import Er1Recorder
from chevet.sim.twins.ecg_ganglion import GanglionBoard
from chevet.sim.twins.ecg_movesense import MovesenseSensor
from chevet.sim.twins.ecg_polar import PolarStrap
from chevet.sim.twins.finger import RecordedFinger

PAGE = (Path(__file__).parents[2] / "docs" / "instruments.md").read_text()
TWINS = {
    "nonin-ble": lambda: ble_oximeters.NoninBle(RecordedFinger(), 0.0),
    "berrymed": lambda: ble_oximeters.BerryMed(RecordedFinger(), 0.0),
    "pc60fw": lambda: ble_oximeters.Pc60Fw(RecordedFinger(), 0.0),
    "viatom-o2ring": lambda: o2ring.O2Ring(RecordedFinger(), 0.0),
    "heart-rate": lambda: vital_signs.Strap(RecordedFinger(), 0.0),
    "blood-pressure": vital_signs.blood_pressure_monitor,
    "thermometer": vital_signs.thermometer,
    "weight-scale": vital_signs.scale,
    "glucose": records.glucose_meter,
    "polar-h10": lambda: PolarStrap(RecordedChest(), 0.0),
    "er1": lambda: Er1Recorder(RecordedChest(), 0.0),
    "ganglion": lambda: GanglionBoard(RecordedChest(), 0.0),
    "movesense": lambda: MovesenseSensor(RecordedChest(), 0.0),
}


@pytest.mark.parametrize("driver", sorted(TWINS))
def test_each_twin_is_recognised_by_what_it_advertises(driver):
    twin = TWINS[driver]()
    services = [one.uuid for one in twin.services if one.advertised]
    found = recognise_advertisement(twin.name, services)
    assert found.driver == driver
    assert found.options == BLUETOOTH_OPTIONS[driver]
    nameless = recognise_advertisement("", services)
    by_name_alone = {"pc60fw", "polar-h10"}  # they advertise what others advertise too
    assert driver in nameless.drivers or driver in by_name_alone or not services


def test_a_name_goes_before_a_standard_service():
    found = recognise_advertisement("Polar H10 1A2B3C4D", [uuid(0x180D)])
    assert (found.driver, found.certainty, found.reason) == (
        "polar-h10",
        "certain",
        "name:Polar H10 1A2B3C4D",
    )
    assert recognise_advertisement("Some belt", [uuid(0x180D)]).driver == "heart-rate"


def test_a_service_that_two_families_share_is_ambiguous_until_the_name_tells():
    unnamed = recognise_advertisement("", [VIATOM])
    assert (unnamed.driver, unnamed.certainty, set(unnamed.drivers)) == (
        "",
        "ambiguous",
        {"viatom-o2ring", "er1"},
    )
    assert recognise_advertisement("DuoEK 1234", [VIATOM]).driver == "er1"
    assert recognise_advertisement("O2Ring 0042", [VIATOM]).driver == "viatom-o2ring"


def test_a_chip_makers_service_is_likely_at_most():
    found = recognise_advertisement("", ["49535343-fe7d-4ae5-8fa9-9fafd205e455"])
    assert (found.driver, found.certainty) == ("berrymed", "likely")
    assert found.doubt


@pytest.mark.parametrize(
    ("name", "services"),
    [
        ("Healthypi v4", [uuid(0x180D), uuid(0x1822), uuid(0x1809)]),  # sends other bytes than these say
        ("O2Ring-S 1234", [VIATOM]),
        ("Mouse", [uuid(0x180F)]),
        ("", []),
        ("Somebody's phone", ["6e400001-b5a3-f393-e0a9-e50e24dcca9e"]),
    ],
)
def test_what_is_not_known_or_only_looks_like_it_is_not_recognised(name, services):
    assert recognise_advertisement(name, services) == NOTHING


@given(st.text(), st.lists(st.uuids().map(str)))
def test_any_advertisement_is_judged_and_a_strangers_name_never_breaks_a_line(name, services):
    found = recognise_advertisement(name, services)
    assert found.certainty in {"certain", "likely", "ambiguous", "unknown"}
    assert found.reason.isprintable()


def test_the_tables_name_drivers_that_exist_with_links_that_the_page_has():
    names = {one.driver for one in (*NAMED, *SERVICES)}
    assert names <= DRIVERS.keys()
    assert names <= BLUETOOTH_OPTIONS.keys()
    assert DRIVERS.keys() >= MAY_BOND | SPOT
    for driver in MAY_BOND:
        assert "pair=1" in BLUETOOTH_OPTIONS[driver]
    for driver, options in BLUETOOTH_OPTIONS.items():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{driver}` |"))
        link = re.search(r"`ble:ADDRESS\?([^`]*)`", row)[1]
        ours = dict(part.split("=") for part in options.split("&"))
        page = dict(part.split("=") for part in link.split("&"))
        assert set(page["notify"].split(",")) <= set(ours["notify"].split(",")), driver
        assert page.get("write") == ours.get("write"), driver


def test_a_camera_is_an_otoscope_only_if_a_person_says_so():
    found = recognise_camera()
    assert (found.driver, found.certainty) == ("camera", "likely")
    assert "look" in found.doubt


def test_an_adapter_is_a_hint_and_an_unknown_one_is_none():
    assert adapter(0x10C4, 0xEA60).name == "Silicon Labs CP210x"
    assert adapter(None, None).drivers == ()
    assert adapter(0x1234, 0x5678).name == ""
