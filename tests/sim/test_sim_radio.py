"""The virtual Bluetooth oximeter, reached through bleak as the product uses it."""

import asyncio
import contextlib
import tempfile
from pathlib import Path

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
)
from waiting import PATIENCE_S, until

from chevet.bridge.errors import LinkError
from chevet.bridge.link import open_link
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Reading
from chevet.sim import plx_sensor
from chevet.sim.bodies import FingerBody
from chevet.sim.bumble_backend import bluetooth
from chevet.sim.errors import ServeError
from chevet.sim.plx_sensor import PlxSensor
from chevet.sim.radio import RadioSocket, SimLink

URL = f"ble:{plx_sensor.ADDRESS}?notify=2a5f,2a5e"
SERVICE = "00001822-0000-1000-8000-00805f9b34fb"
CONTINUOUS = "00002a5f-0000-1000-8000-00805f9b34fb"
SPOT = "00002a5e-0000-1000-8000-00805f9b34fb"
MODEL = "00002a24-0000-1000-8000-00805f9b34fb"


class Air:
    def __init__(self, radio, sensor, finger):
        self.radio, self.sensor, self.finger = radio, sensor, finger
        self.bluetooth = bluetooth(radio.spec)


async def forever(do):
    while True:
        await do()


@pytest.fixture
async def air(monkeypatch):
    monkeypatch.setattr(plx_sensor, "EVERY_S", 0.1)
    with tempfile.TemporaryDirectory(prefix="chevet-") as folder:
        link, finger = SimLink(), FingerBody(1)
        radio = RadioSocket(link, Path(folder) / "radio.sock")
        await radio.start()
        sensor = PlxSensor(link, finger, "SIM00001P")
        await sensor.start()
        task = asyncio.create_task(sensor.run())
        yield Air(radio, sensor, finger)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await radio.aclose()
        await asyncio.sleep(0.05)


async def test_scanning_finds_the_sensor_by_its_service(air):
    scanner = {"backend": air.bluetooth.scanner}
    found = {}
    async with asyncio.timeout(PATIENCE_S):
        while plx_sensor.ADDRESS not in found:
            found = await BleakScanner.discover(0.4, return_adv=True, service_uuids=[SERVICE], **scanner)
    device, advertised = found[plx_sensor.ADDRESS]
    assert device.name == "CHEVET-SIM-PLX"
    assert SERVICE in advertised.service_uuids
    assert await BleakScanner.discover(0.3, service_uuids=[MODEL], **scanner) == []


async def test_the_kits_link_and_driver_read_the_numbers(air):
    link, driver = open_link(URL, bluetooth=air.bluetooth), DRIVERS["plx"]()
    readings = {}
    async with asyncio.timeout(PATIENCE_S):
        while len(readings) < 2:
            events = driver.feed(await link.receive())
            readings |= {one.kind: one.value for one in events if isinstance(one, Reading)}
    await link.aclose()
    assert 94 <= readings["spo2"] <= 98
    assert 70 <= readings["pulse_rate"] <= 80


async def test_both_measurements_arrive_and_the_device_names_itself(air):
    seen = {CONTINUOUS: [], SPOT: []}
    async with BleakClient(plx_sensor.ADDRESS, backend=air.bluetooth.client, timeout=PATIENCE_S) as client:
        assert client.mtu_size == 517
        assert client.name == plx_sensor.ADDRESS
        assert bytes(await client.read_gatt_char(MODEL)) == b"CHEVET-SIM-PLX"
        for uuid, values in seen.items():
            await client.start_notify(uuid, lambda _, value, values=values: values.append(bytes(value)))
        await until(lambda: all(seen.values()))
        await client.stop_notify(CONTINUOUS)
        with pytest.raises(BleakGATTProtocolError):
            await client.read_gatt_char(CONTINUOUS)
        (service,) = [one for one in client.services if one.uuid.startswith("00001822")]
        assert len(service.characteristics) == 3
        descriptor = service.get_characteristic(CONTINUOUS).descriptors[0]
        assert len(await client.read_gatt_descriptor(descriptor.handle)) == 2
        air.finger.off = True
    assert seen[CONTINUOUS][0][0] == 0x0C
    assert seen[SPOT][0][0] == 0x12


async def test_going_out_of_range_ends_the_link_after_the_supervision_time(air):
    link = open_link(URL, bluetooth=air.bluetooth)
    async with asyncio.timeout(PATIENCE_S):
        await link.receive()
        air.sensor.leave()
        assert air.sensor.out_of_range
        with pytest.raises(LinkError):
            await forever(link.receive)
    await link.aclose()
    with pytest.raises(BleakDeviceNotFoundError):
        await BleakClient(plx_sensor.ADDRESS, backend=air.bluetooth.client, timeout=0.5).connect()
    air.sensor.come_back()
    async with BleakClient(plx_sensor.ADDRESS, backend=air.bluetooth.client, timeout=PATIENCE_S) as client:
        assert client.is_connected


async def test_coming_back_at_once_still_ends_the_old_connection(air):
    client = BleakClient(plx_sensor.ADDRESS, backend=air.bluetooth.client, timeout=PATIENCE_S)
    await client.connect()
    air.sensor.leave()
    air.sensor.come_back()
    await until(lambda: not client.is_connected)
    with pytest.raises(BleakError):
        await client.read_gatt_char(MODEL)
    await client.disconnect()


async def test_a_silent_sensor_stays_connected(air):
    air.sensor.silence = True
    values = []
    async with BleakClient(plx_sensor.ADDRESS, backend=air.bluetooth.client, timeout=PATIENCE_S) as client:
        await client.start_notify(CONTINUOUS, lambda _, value: values.append(value))
        await asyncio.sleep(0.4)
        assert client.is_connected
    assert values == []


async def test_no_radio_is_said_as_no_bluetooth():
    nowhere = bluetooth("unix:/nonexistent/radio.sock")
    with pytest.raises(BleakBluetoothNotAvailableError, match="chevet-sim serve"):
        await BleakClient(plx_sensor.ADDRESS, backend=nowhere.client, timeout=1).connect()
    with pytest.raises(BleakBluetoothNotAvailableError):
        await BleakScanner.discover(0.1, backend=nowhere.scanner)


async def test_a_program_that_ends_leaves_the_radio_to_the_next(air):
    _, writer = await asyncio.open_unix_connection(str(air.radio.path))
    writer.write(b"\x99 this is not HCI at all " * 20)
    await asyncio.sleep(0.1)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    async with BleakClient(plx_sensor.ADDRESS, backend=air.bluetooth.client, timeout=PATIENCE_S) as client:
        assert client.is_connected


async def test_a_socket_path_the_kernel_would_cut_is_refused(tmp_path):
    with pytest.raises(ServeError, match="shorter"):
        await RadioSocket(SimLink(), tmp_path / ("long" * 40)).start()


async def test_descriptors_writing_pairing_and_a_second_scan_work(air):
    async with BleakClient(plx_sensor.ADDRESS, backend=air.bluetooth.client, timeout=PATIENCE_S) as client:
        with pytest.raises(BleakGATTProtocolError):
            await client.write_gatt_char(MODEL, b"x", response=True)
        await client.pair()
        await client.unpair()
        assert client.is_connected
    device = await BleakScanner.find_device_by_address(
        plx_sensor.ADDRESS, PATIENCE_S, backend=air.bluetooth.scanner
    )
    async with BleakClient(device, backend=air.bluetooth.client, timeout=PATIENCE_S) as client:
        assert client.name == "CHEVET-SIM-PLX"
        await air.radio.aclose()


async def test_a_radio_that_dies_ends_the_connection_and_is_opened_anew(air):
    gone = asyncio.Event()
    client = BleakClient(
        plx_sensor.ADDRESS,
        backend=air.bluetooth.client,
        timeout=PATIENCE_S,
        disconnected_callback=lambda _: gone.set(),
    )
    await client.connect()
    air.radio.hang_up()
    await asyncio.wait_for(gone.wait(), PATIENCE_S)
    assert not client.is_connected
    async with BleakClient(plx_sensor.ADDRESS, backend=air.bluetooth.client, timeout=PATIENCE_S) as again:
        assert again.is_connected
