"""Other projects test against the virtual instruments: a pytest of its own, as they would run it."""

import importlib.metadata
import subprocess
import sys

import pytest

from chevet.sim.errors import FaultError, ServeError, SimError
from chevet.sim.lent import LentRoom, LentRooms
from chevet.sim.serve import Plan

pytest_plugins = ["pytester"]

READING = """
import asyncio
import pytest
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Reading


def first(device, kind):
    async def read():
        link, driver = device.open_link(), DRIVERS[device.driver]()
        async with asyncio.timeout(60):
            await link.open()
            if said := driver.start():
                await link.send(said)
            while True:
                for event in driver.feed(await link.receive()):
                    if isinstance(event, Reading) and event.kind == kind and event.value is not None:
                        await link.aclose()
                        return event.value

    return asyncio.run(read())
"""


def run(pytester, test, *options):
    pytester.makepyfile(READING + test)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)


def test_a_project_reads_devices_of_one_patient_through_real_links(pytester):
    result = run(
        pytester,
        """
@pytest.fixture(scope="module")
def bedside(chevet_sim):
    with chevet_sim("nonin-df8", "oximeter-ble", patient="hypoxia") as room:
        yield room


@pytest.mark.parametrize("name", ["nonin-df8", "oximeter-ble"])
def test_saturation(bedside, name):
    true = bedside.truth(5)[-1]["spo2"]
    assert 78 <= true <= 88
    assert abs(first(bedside[name], "spo2") - true) <= 2


@pytest.mark.chevet_sim("contec-cms50-v1", seed=4)
def test_one(chevet_sim_device):
    assert first(chevet_sim_device, "pulse_rate") > 40
    assert "parity=O" in chevet_sim_device.url
    assert "sensor_off" in chevet_sim_device.faults
    chevet_sim_device.set_fault("sensor_off")


def test_unnamed(chevet_sim_device):
    pass
""",
        "--chevet-sim",
        "--chevet-sim-seed=3",
    )
    assert result.parseoutcomes() == {"passed": 3, "errors": 1}
    result.stdout.fnmatch_lines(['*name the instrument: @pytest.mark.chevet_sim("nonin-df7")*'])


def test_a_project_cuts_the_power_of_a_disk_or_is_told_why_it_cannot(pytester):
    result = run(
        pytester,
        """
import os


def test_unsynced(chevet_cut_disk):
    for name in ("synced", "unsynced"):
        with (chevet_cut_disk.seen / name).open("wb") as file:
            file.write(b"x")
            file.flush()
            if name == "synced":
                os.fsync(file.fileno())
    chevet_cut_disk.cut()
    chevet_cut_disk.restore()
    assert (chevet_cut_disk.seen / "synced").read_bytes() == b"x"
    lost = chevet_cut_disk.seen / "unsynced"
    assert not lost.exists() or lost.read_bytes() == b""
""",
        "--chevet-sim",
        "-rs",
    )
    outcome = result.parseoutcomes()
    assert outcome in ({"passed": 1}, {"skipped": 1})
    if "skipped" in outcome:
        result.stdout.re_match_lines([r"SKIPPED.*(run as root|apt install|loop)"])


def test_without_the_option_such_tests_are_skipped_with_a_sentence(pytester):
    result = run(
        pytester,
        """
import sys

def test_a(chevet_sim):
    assert False

@pytest.mark.chevet_sim("ecg")
def test_b(chevet_sim_device):
    assert False
""",
        "-rs",
        "--strict-markers",
    )
    assert result.parseoutcomes() == {"skipped": 2}
    result.stdout.fnmatch_lines(["*virtual instruments are off: run pytest with --chevet-sim"])


def test_the_plugin_is_declared_and_loads_nothing_heavy():
    (point,) = importlib.metadata.entry_points(group="pytest11", name="chevet-sim")
    assert point.value == "chevet.sim.pytest_plugin"
    code = (
        "import sys, pytest; before = set(sys.modules); import chevet.sim.pytest_plugin;"
        "print(*sorted(set(sys.modules) - before))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(loaded.stdout.split()) == {"chevet", "chevet.sim", "chevet.sim.pytest_plugin"}


def test_a_room_is_gone_when_its_block_ends():
    with LentRooms(5) as rooms:
        with rooms("nonin-df7") as room:
            device = room["nonin-df7"]
            assert (room.folder / "devices.json").exists()
            device.set_fault("renamed", value="elsewhere")
            assert "elsewhere" in device.url
            with pytest.raises(FaultError, match="knows no fault"):
                device.set_fault("lead_off")
        with pytest.raises(ServeError, match="their block has ended"):
            device.set_fault("silence")
        room.close()
        left = rooms("masimo-ascii", patient="normal", seed=2)
        left.set_fault("patient", "condition", value="hypoxia")
        assert left.truth(1)
    assert not left.folder.exists()


def test_what_cannot_be_lent_is_refused_in_words():
    with LentRooms(1) as rooms:
        with pytest.raises(ServeError, match="no device bottle"):
            rooms("bottle")
        with pytest.raises(SimError, match="xyz"):
            rooms("nonin-df7", patient="xyz")
        with pytest.raises(ServeError, match="named twice"):
            rooms("nonin-df7", "nonin-df7")


def test_a_room_that_cannot_start_says_why(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ServeError, match="cannot create"):
        LentRoom(Plan(tmp_path / "file" / "room"))
