"""Some of the twins on real pseudo-terminals and on the virtual radio, through the kit's own links."""

import asyncio
import contextlib
import datetime
import random
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import pytest
from driver_bench import pleth, readings, values
from waiting import PATIENCE_S

from chevet.bridge.errors import LinkError, LinkLost
from chevet.bridge.link import open_link
from chevet.devices import berrymed, viatom_o2ring
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Reading, SampleBlock
from chevet.sim.bumble_backend import bluetooth
from chevet.sim.pty_port import PtyPort
from chevet.sim.radio import RadioSocket, SimLink
from chevet.sim.serial_runner import SerialRunner
from chevet.sim.twins import records, vital_signs
from chevet.sim.twins.ble_oximeters import BerryMed
from chevet.sim.twins.contec import ContecNew, ContecOld
from chevet.sim.twins.finger import SteadyFinger
from chevet.sim.twins.gatt_peripheral import GattPeripheral, advertisement
from chevet.sim.twins.nonin import NoninDf7
from chevet.sim.twins.nonin_spot_check import NoninSpotCheck
from chevet.sim.twins.o2ring import O2Ring
from chevet.sim.wire_faults import WireFaults

ADDRESS = "C0:FF:EE:00:00:21"


async def read(link, driver, seconds, enough=lambda events: False):
    """Read as the edge does, until `enough` says so or the time is over."""
    events, tick = [], 0.0
    await link.open()
    if start := driver.start():
        await link.send(start)
    end = time.monotonic() + seconds
    while (now := time.monotonic()) < end and not enough(events):
        if now - tick >= 0.25:
            tick = now
            if words := driver.tick(now):
                await link.send(words)
        with contextlib.suppress(TimeoutError):
            packet = await asyncio.wait_for(link.receive(), 0.1)
            events += driver.feed(packet)
    return events


def has_numbers(events):
    return len(values(events, "spo2")) >= 2


@contextlib.asynccontextmanager
async def plugged(twin, folder):
    runner = SerialRunner(twin, PtyPort(folder / "port"), WireFaults(random.Random(3)))
    running = asyncio.create_task(runner.run())
    await asyncio.sleep(0)
    yield runner
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


SERIAL = {
    "nonin-df7": (NoninDf7, "baud=9600", 65536),
    "contec-cms50-v1": (ContecOld, "baud=19200&parity=O", 128),
    "contec-cms50-v2": (ContecNew, "baud=115200", 128),
}


@pytest.mark.parametrize("name", SERIAL)
async def test_a_stream_over_a_real_terminal(name, tmp_path):
    make, options, modulus = SERIAL[name]
    driver = DRIVERS[name]()
    async with plugged(make(SteadyFinger(), time.monotonic()), tmp_path):
        link = open_link(f"serial:{tmp_path / 'port'}?{options}")
        events = await read(link, driver, PATIENCE_S, has_numbers)
        await link.send(driver.stop() or b"\x00")
        await link.aclose()
    found = pleth(events)
    assert readings(events)["spo2"].value == 97
    assert len({(value - place) % modulus for place, value in found.items()}) == 1
    assert driver.counters.lost_samples == 0


async def test_spot_checks_over_a_real_terminal(tmp_path):
    twin = NoninSpotCheck(SteadyFinger(), time.monotonic() - 3.5)
    driver = DRIVERS["nonin-df13"]()
    async with plugged(twin, tmp_path) as runner:
        twin._began = time.monotonic() - 3.5  # plugging powers it on; do not wait for it
        link = open_link(f"serial:{tmp_path / 'port'}?baud=9600")
        events = await read(link, driver, PATIENCE_S, lambda _: twin.acknowledged > 0)
        await link.aclose()
        assert runner.port.plugged
    assert values(events, "spo2") == [97]
    assert twin.acknowledged == 1


async def test_the_wrong_speed_over_a_real_terminal_gives_no_numbers(tmp_path):
    driver = DRIVERS["contec-cms50-v1"]()
    async with plugged(ContecOld(SteadyFinger(), time.monotonic()), tmp_path):
        link = open_link(f"serial:{tmp_path / 'port'}?baud=115200")
        listened = time.monotonic() + 1.0
        events = await read(
            link, driver, PATIENCE_S, lambda _: time.monotonic() > listened and driver.counters.bad_frames > 0
        )
        await link.aclose()
    assert [event for event in events if isinstance(event, Reading) and event.value == 97] == []
    assert driver.counters.bad_frames > 0


class Air:
    def __init__(self, link, radio):
        self.link, self.radio = link, radio
        self.bluetooth = bluetooth(radio.spec)

    @contextlib.asynccontextmanager
    async def carrying(self, twin, **how):
        device = GattPeripheral(self.link, twin, ADDRESS, **how)
        await device.start()
        running = asyncio.create_task(device.run())
        yield device
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def air():
    with tempfile.TemporaryDirectory(prefix="chevet-") as folder:
        link = SimLink()
        radio = RadioSocket(link, Path(folder) / "radio.sock")
        await radio.start()
        yield Air(link, radio)
        await radio.aclose()
        await asyncio.sleep(0.05)


async def test_a_berrymed_over_the_air_with_small_packets(air):
    driver = DRIVERS["berrymed"]()
    async with air.carrying(BerryMed(SteadyFinger(), time.monotonic()), mtu=23):
        link = open_link(f"ble:{ADDRESS}?notify={berrymed.NOTIFY}", bluetooth=air.bluetooth)
        events = await read(link, driver, PATIENCE_S, has_numbers)
        await link.aclose()
    assert readings(events)["spo2"].value == 97
    assert len({(value - place) % 101 for place, value in pleth(events).items()}) == 1
    assert driver.counters.lost_samples == 0


async def test_a_ring_over_the_air_is_polled_and_goes_out_of_range(air):
    driver = DRIVERS["viatom-o2ring"]()
    url = f"ble:{ADDRESS}?notify={viatom_o2ring.NOTIFY}&write={viatom_o2ring.WRITE}"
    async with air.carrying(O2Ring(SteadyFinger(), time.monotonic()), mtu=23) as device:
        link = open_link(url, bluetooth=air.bluetooth)
        events = await read(link, driver, PATIENCE_S, has_numbers)
        assert readings(events)["spo2"].value == 97
        assert any(isinstance(event, SampleBlock) for event in events)
        device.leave()
        with pytest.raises(LinkError):
            await read(link, driver, PATIENCE_S)
        await link.aclose()
        device.come_back()
        again = open_link(url, bluetooth=air.bluetooth)
        assert has_numbers(await read(again, driver, PATIENCE_S, has_numbers))
        await again.aclose()


async def test_a_monitor_pushes_its_measurement_and_hangs_up(air):
    twin = vital_signs.blood_pressure_monitor()
    twin.linger_s = PATIENCE_S
    twin.measured(vital_signs.blood_pressure(120, 80, 93, 72))
    driver = DRIVERS["blood-pressure"]()
    url = f"ble:{ADDRESS}?notify=2a35,2a36&read=2a19,2a24,2a49"
    events = []
    async with air.carrying(twin) as device:
        link = open_link(url, bluetooth=air.bluetooth)
        await link.open()  # with all that it reads; only then may the device be in a hurry to hang up
        twin.linger_s = 0.2
        with contextlib.suppress(LinkLost):
            while True:
                events += driver.feed(await asyncio.wait_for(link.receive(), PATIENCE_S))
        assert not device.connected
        await link.aclose()
    assert readings(events)["systolic"].value == 120
    assert readings(events)["battery"].value == 80
    assert driver.counters.bad_frames == 0


async def test_a_monitor_keeps_its_measurement_until_somebody_subscribes_it(air):
    twin = vital_signs.thermometer()
    twin.measured(vital_signs.temperature(Decimal("36.6")))
    async with air.carrying(twin) as device:
        deaf = open_link(f"ble:{ADDRESS}?notify=2a1e&read=2a1d", bluetooth=air.bluetooth)
        assert (await asyncio.wait_for(deaf.receive(), PATIENCE_S)).data == b"\x02"
        await asyncio.sleep(2 * vital_signs.PUSH_AFTER_S)
        assert device.connected
        await deaf.aclose()
        link = open_link(f"ble:{ADDRESS}?notify=2a1c", bluetooth=air.bluetooth)
        assert (await asyncio.wait_for(link.receive(), PATIENCE_S)).data.hex() == "046e0100ff02"
        await link.aclose()


async def test_a_meter_gives_its_records_over_the_air(air):
    twin = records.glucose_meter()
    when = datetime.datetime(2025, 3, 14, 9, 30, 5)
    twin.records = [records.glucose(number, Decimal("0.00095"), when) for number in range(1, 6)]
    driver = DRIVERS["glucose"]()
    url = f"ble:{ADDRESS}?notify=2a18,2a34,2a52&write=2a52"
    async with air.carrying(twin) as device:
        link = open_link(url, bluetooth=air.bluetooth)
        events = await read(link, driver, PATIENCE_S, lambda got: len(values(got, "glucose")) >= 5)
        await link.aclose()
        device.silence = True
        mute = open_link(url, bluetooth=air.bluetooth)
        assert await read(mute, DRIVERS["glucose"](), 0.5) == []
        await mute.aclose()
    assert values(events, "glucose") == [pytest.approx(95.0)] * 5


async def test_a_meter_refuses_whoever_did_not_subscribe_its_control_point(air):
    twin = records.glucose_meter()
    control = "00002a52-0000-1000-8000-00805f9b34fb"
    async with air.carrying(twin):
        for subscribed, refused in (("2a18", True), ("2a52", True), ("2a18,2a52", False)):
            link = open_link(f"ble:{ADDRESS}?notify={subscribed}&write=2a52", bluetooth=air.bluetooth)
            await link.open()
            if refused:
                with pytest.raises(LinkError):
                    await link.write(control, b"\x01\x01")
            else:
                await link.write(control, b"\x01\x01")
                assert (await asyncio.wait_for(link.receive(), PATIENCE_S)).data == b"\x06\x00\x01\x06"
            await link.aclose()


@pytest.mark.parametrize(
    "twin",
    [
        vital_signs.thermometer(),
        vital_signs.scale(),
        records.storing_oximeter(),
        O2Ring(SteadyFinger(), 0.0),
        BerryMed(SteadyFinger(), 0.0),
    ],
    ids=lambda twin: twin.name,
)
def test_an_advertisement_fits_its_31_bytes(twin):
    assert 10 < len(advertisement(twin)) <= 31
