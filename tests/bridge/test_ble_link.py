import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
    BleakGATTProtocolError,
)

from chevet.bridge.errors import LinkError, LinkLost, LinkUnavailable
from chevet.bridge.link import Bluetooth, open_link
from chevet.sim.bumble_backend import bluetooth
from chevet.sim.nonin import Numbers
from chevet.sim.plx_sensor import ADDRESS, PlxSensor
from chevet.sim.radio import RadioSocket, SimLink

CONTINUOUS = "00002a5f-0000-1000-8000-00805f9b34fb"
SPOT_CHECK = "00002a5e-0000-1000-8000-00805f9b34fb"
WRITE = "6e400002-b5a3-f393-e0a9-e50e24dcca9e"
URL = f"ble:{ADDRESS}?notify=2a5f,2a5e&scan=30"


async def receive_until_lost(link):
    while True:
        await link.receive()


class Finger:
    def numbers(self, first):
        return Numbers(72, 97)


@dataclass
class Air:
    sensor: PlxSensor
    bluetooth: Bluetooth


@pytest.fixture
async def air(monkeypatch):
    """A virtual sensor that sends ten times a second, and the radio through which it is heard."""
    monkeypatch.setattr("chevet.sim.plx_sensor.EVERY_S", 0.1)
    monkeypatch.setattr("chevet.sim.plx_sensor.SUPERVISION_S", 0.2)
    with tempfile.TemporaryDirectory(prefix="chevet-") as folder:
        link = SimLink()
        radio = RadioSocket(link, Path(folder) / "radio.sock")
        await radio.start()
        sensor = PlxSensor(link, Finger(), "P0001")
        await sensor.start()
        running = asyncio.create_task(sensor.run())
        yield Air(sensor, bluetooth(radio.spec))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await radio.aclose()
        await asyncio.sleep(0.05)


async def test_a_sensor_on_the_air_is_found_subscribed_and_read(air):
    link = open_link(URL, clock=lambda: 3.0, bluetooth=air.bluetooth)
    async with asyncio.timeout(60):
        packets = [await link.receive() for _ in range(7)]
    await link.aclose()
    assert {packet.source for packet in packets} == {CONTINUOUS, SPOT_CHECK}
    assert packets[0].data[1:5] == bytes.fromhex("61004800")
    assert packets[0].at == 3.0


async def test_what_is_to_be_read_once_comes_as_a_packet_of_its_own(air):
    # 2a5f refuses to be read and 2a37 is not there: neither keeps the link from opening.
    link = open_link(f"{URL}&read=2a5f,2a37,2a25,2a26", bluetooth=air.bluetooth)
    async with asyncio.timeout(60):
        await link.open()
        packets = [await link.receive() for _ in range(6)]
    await link.aclose()
    texts = [packet for packet in packets if packet.source not in {CONTINUOUS, SPOT_CHECK}]
    assert [(packet.source[4:8], packet.data) for packet in texts] == [
        ("2a25", b"P0001"),
        ("2a26", b"0.1.0-sim"),
    ]


async def test_walking_out_of_range_loses_the_link_and_coming_back_gives_a_new_one(air, monkeypatch):
    # An indication under way when the sensor leaves would keep it waiting for ATT's 30 s.
    monkeypatch.setattr("chevet.sim.plx_sensor.SPOT_CHECK_AFTER", 10_000)
    link = open_link(URL, bluetooth=air.bluetooth)
    async with asyncio.timeout(60):
        await link.receive()
        air.sensor.leave()
        with pytest.raises(LinkLost) as lost:
            await receive_until_lost(link)
        await link.aclose()
        assert lost.value.reason == "disconnected"
        air.sensor.come_back()
        again = open_link(URL, bluetooth=air.bluetooth)
        assert (await again.receive()).source == CONTINUOUS
        await again.aclose()


async def test_a_sensor_that_does_not_advertise_is_not_found(air):
    with pytest.raises(LinkUnavailable) as refused:
        await open_link("ble:C0:FF:EE:00:00:99?scan=0.3", bluetooth=air.bluetooth).open()
    assert refused.value.reason == "not_found"


async def test_a_device_without_the_characteristic_is_the_wrong_one(air):
    with pytest.raises(LinkUnavailable) as refused:
        await open_link(f"ble:{ADDRESS}?notify=2a37&scan=30", bluetooth=air.bluetooth).open()
    assert refused.value.reason == "wrong_device"


class FakeScanner(BaseBleakScanner):
    """Hears one device at once, or fails as a platform without Bluetooth does."""

    error: Exception | None = None

    def __init__(self, detection_callback=None, service_uuids=None, scanning_mode="active", **_others):
        super().__init__(detection_callback, service_uuids)

    async def start(self):
        if self.error:
            raise self.error
        self.seen_devices = {}
        seen = AdvertisementData("x", {}, {}, [], None, -50, ())
        device = self.create_or_update_device(ADDRESS, ADDRESS, "x", None, seen)
        asyncio.get_running_loop().call_soon(self.call_detection_callbacks, device, seen)

    async def stop(self):
        pass


class FakeClient(BaseBleakClient):
    """A device that can be written to, and fails where it is told to."""

    fail_at = ""
    error: Exception = BleakError("no")
    last: "FakeClient | None" = None

    def __init__(self, address_or_ble_device, **kwargs):
        super().__init__(address_or_ble_device, **kwargs)
        self.connected, self.written, self.places, self.paired = False, [], [], False
        type(self).last = self

    def _may_fail(self, step):
        if self.fail_at == step:
            raise self.error

    name = "x"
    mtu_size = 23

    @property
    def is_connected(self):
        return self.connected

    async def connect(self, pair, **kwargs):
        self._may_fail("connect")
        self.connected, self.paired = True, pair
        self.services = BleakGATTServiceCollection()
        service = BleakGATTService(None, 1, "0000fff0-0000-1000-8000-00805f9b34fb")
        self.services.add_service(service)
        for handle, uuid, properties in ((2, CONTINUOUS, ["notify"]), (4, WRITE, ["write-without-response"])):
            one = BleakGATTCharacteristic(None, handle, uuid, properties, lambda: 20, service)
            self.services.add_characteristic(one)

    async def disconnect(self):
        self.connected = False
        self._may_fail("disconnect")

    async def start_notify(self, characteristic, callback, **kwargs):
        self._may_fail("subscribe")

    async def write_gatt_char(self, characteristic, data, response):
        self._may_fail("write")
        self.written.append((bytes(data), response))
        self.places.append(characteristic.uuid)

    async def pair(self, *args, **kwargs): ...
    async def unpair(self): ...
    async def read_gatt_char(self, characteristic, **kwargs): ...
    async def read_gatt_descriptor(self, descriptor, **kwargs): ...
    async def write_gatt_descriptor(self, descriptor, data): ...
    async def stop_notify(self, characteristic): ...


def fake(scan_error=None, fail_at="", error=None):
    scanner = type("Scanner", (FakeScanner,), {"error": scan_error})
    client = type("Client", (FakeClient,), {"fail_at": fail_at, "error": error or BleakError("no")})
    return Bluetooth(scanner, client)


async def test_what_is_written_is_cut_to_what_one_write_holds():
    backend = fake()
    link = open_link(f"ble:{ADDRESS}?notify=2a5f&write={WRITE.upper()}&pair=1", bluetooth=backend)
    await link.send(bytes(range(50)))
    client = backend.client.last
    assert [len(data) for data, _ in client.written] == [20, 20, 10]
    assert client.paired
    await link.aclose()
    assert not client.connected


async def test_a_link_without_a_characteristic_to_write_refuses_to_send():
    link = open_link(f"ble:{ADDRESS}?notify=2a5f", bluetooth=fake())
    with pytest.raises(LinkError) as refused:
        await link.send(b"x")
    assert refused.value.reason == "not_writable"
    await link.aclose()


@pytest.mark.parametrize("write", [SPOT_CHECK, WRITE])
async def test_a_failed_write_ends_the_link(write):
    link = open_link(f"ble:{ADDRESS}?write={write}", bluetooth=fake(fail_at="write"))
    with pytest.raises(LinkLost) as lost:
        await link.send(b"x")
    assert lost.value.reason == "disconnected"
    await link.aclose()


async def test_a_value_goes_whole_to_the_characteristic_it_is_addressed_to():
    backend = fake()
    link = open_link(f"ble:{ADDRESS}?write=2a5f,{WRITE}", bluetooth=backend)
    await link.write(WRITE, b"x" * 30)
    await link.send(b"y")
    client = backend.client.last
    assert client.places == [WRITE, CONTINUOUS]
    assert [data for data, _ in client.written] == [b"x" * 30, b"y"]
    await link.aclose()


@pytest.mark.parametrize("target", [CONTINUOUS, SPOT_CHECK])
async def test_a_characteristic_that_is_not_named_or_not_there_is_not_written(target):
    link = open_link(f"ble:{ADDRESS}?notify=2a5f&write={WRITE},2a5e", bluetooth=fake())
    with pytest.raises(LinkError) as refused:
        await link.write(target, b"x")
    assert refused.value.reason == "not_writable"
    await link.send(b"still here")
    await link.aclose()


async def test_a_value_that_the_device_refuses_leaves_the_link_open():
    backend = fake(fail_at="write", error=BleakGATTProtocolError(0x05))
    link = open_link(f"ble:{ADDRESS}?write={WRITE}", bluetooth=backend)
    for _ in range(2):
        with pytest.raises(LinkError) as refused:
            await link.write(WRITE, b"x")
        assert refused.value.reason == "write_refused"
    await link.aclose()
    with pytest.raises(LinkLost):
        await link.write(WRITE, b"x")


async def test_a_disconnect_that_fails_still_closes():
    link = open_link(f"ble:{ADDRESS}?notify=2a5f", bluetooth=fake(fail_at="disconnect"))
    await link.open()
    await link.aclose()
    with pytest.raises(LinkLost):
        await link.receive()


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        (fake(scan_error=FileNotFoundError(2, "no D-Bus socket")), "no_adapter"),
        (fake(scan_error=BleakDBusError("org.freedesktop.DBus.Error.ServiceUnknown", [])), "no_adapter"),
        (fake(scan_error=BleakDBusError("org.freedesktop.DBus.Error.AccessDenied", [])), "no_permission"),
        (fake(scan_error=BleakDBusError("org.bluez.Error.InProgress", [])), "busy"),
        (fake(scan_error=BleakDBusError("org.bluez.Error.Odd", [])), "failed"),
        (
            fake(
                scan_error=BleakBluetoothNotAvailableError(
                    "off", BleakBluetoothNotAvailableReason.POWERED_OFF
                )
            ),
            "no_adapter",
        ),
        (fake(fail_at="connect", error=TimeoutError()), "not_found"),
        (fake(fail_at="connect"), "failed"),
        (fake(fail_at="subscribe", error=BleakGATTProtocolError(0x05)), "no_permission"),
        (fake(fail_at="subscribe"), "failed"),
    ],
)
async def test_what_the_platform_says_becomes_a_coded_reason(backend, reason):
    link = open_link(f"ble:{ADDRESS}?notify=2a5f", bluetooth=backend)
    with pytest.raises(LinkUnavailable) as refused:
        await link.open()
    assert refused.value.reason == reason
    client = backend.client.last
    assert client is None or not client.connected
    await link.aclose()


async def test_a_machine_without_bluetooth_says_so():
    link = open_link(f"ble:{ADDRESS}?notify=2a5f&scan=0.5")
    with pytest.raises(LinkUnavailable) as refused:
        await link.open()
    assert refused.value.reason in {"no_adapter", "not_found"}  # the latter where there is one
