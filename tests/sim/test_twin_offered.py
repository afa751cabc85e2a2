"""Instruments that others make, served like the kit's own."""

import asyncio
import contextlib
import json
import tempfile
import time
from pathlib import Path

import pytest
from driver_bench import readings, values

from chevet.bridge.errors import LinkError
from chevet.bridge.link import open_link
from chevet.devices.driver import DRIVERS
from chevet.sim.bedside import Bedside
from chevet.sim.bumble_backend import bluetooth
from chevet.sim.errors import FaultError
from chevet.sim.serve import TWINS, Plan, serve
from chevet.sim.twins import offered


@contextlib.asynccontextmanager
async def served(*devices):
    with tempfile.TemporaryDirectory(prefix="chevet-") as name:
        folder, stop = Path(name), asyncio.Event()
        task = asyncio.create_task(serve(Plan(folder, devices=devices), stop))
        async with asyncio.timeout(60):
            while not (folder / "devices.json").exists():
                await asyncio.sleep(0.02)
                assert not task.done(), task
        yield {one["id"]: one for one in json.loads((folder / "devices.json").read_text())}
        stop.set()
        await task


async def first_numbers(one, kind, seconds=60.0):
    radio = bluetooth(one["bluetooth_spec"]) if "bluetooth_spec" in one else None
    link, driver = open_link(one["link"], bluetooth=radio), DRIVERS[one["driver"]]()
    events, tick, end = [], 0.0, time.monotonic() + seconds
    await link.open()
    if said := driver.start():
        await link.send(said)
    with contextlib.suppress(LinkError):
        while time.monotonic() < end and not values(events, kind):
            if time.monotonic() - tick > 0.25:
                tick = time.monotonic()
                if said := driver.tick(tick):
                    await link.send(said)
            with contextlib.suppress(TimeoutError):
                events += driver.feed(await asyncio.wait_for(link.receive(), 0.1))
    await link.aclose()
    return readings(events)


async def test_chosen_twins_are_listed_and_read_by_their_drivers():
    async with served("contec-cms50-v1", "masimo-ascii", "blood-pressure", "glucose") as listed:
        assert {one["driver"] for one in listed.values()} == set(listed)
        assert "parity=O" in listed["contec-cms50-v1"]["link"]
        for name in ("contec-cms50-v1", "masimo-ascii"):
            got = await first_numbers(listed[name], "spo2")
            assert 94 <= got["spo2"].value <= 98
        got = await first_numbers(listed["blood-pressure"], "systolic")
        assert [got[kind].value for kind in ("systolic", "diastolic", "mean_pressure")] == [120, 80, 93]
        got = await first_numbers(listed["glucose"], "glucose")
        assert got["glucose"].value == pytest.approx(95.0)


@pytest.mark.parametrize("name", offered.SERIAL)
def test_every_serial_twin_has_a_driver_and_faults(name, tmp_path):
    one = offered.serial_twin(name, Bedside(tmp_path, 1, 0.0))
    assert one.instrument == DRIVERS[one.driver]().instrument
    assert {"motion", "lost_bytes", "unplug", "silence", "clock_drift"} <= set(one.faults)
    assert {"sensor_off", "lead_off"} & set(one.faults)


@pytest.mark.parametrize("name", offered.BLUETOOTH)
async def test_every_bluetooth_twin_has_a_driver_and_faults(name):
    one = await offered.bluetooth_twin(name, Bedside(Path("x"), 1, 0.0, radio="unix:x"))
    running = asyncio.create_task(one.run())
    await asyncio.sleep(0.05)
    assert one.instrument == DRIVERS[one.driver]().instrument
    await one.set_fault("silence", True, "")
    await one.set_fault("ble_drop", True, "")
    await one.set_fault("ble_drop", False, "")
    if name in offered.MEASURING:
        await one.set_fault("measure", True, "")
        with pytest.raises(FaultError, match="the value is"):
            await one.set_fault("measure", True, "x")
    else:
        await one.set_fault("sensor_off" if name not in offered.ECG_ON_AIR else "lead_off", True, "")
        await one.set_fault("motion", True, "")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_twins_are_read_by_drivers_and_no_two_share_a_name():
    assert {offered.driver_of(name) for name in TWINS} <= set(DRIVERS)
    assert len(set(TWINS)) == len(TWINS)
