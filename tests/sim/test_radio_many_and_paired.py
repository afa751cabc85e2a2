"""Many devices connected at once, and a device that wants to be paired, on the virtual radio."""

import asyncio
import contextlib
import tempfile
from pathlib import Path

import pytest

from chevet.bridge.errors import LinkError
from chevet.bridge.link import open_link
from chevet.sim.bumble_backend import bluetooth
from chevet.sim.radio import RadioSocket, SimLink
from chevet.sim.twins.gatt import NOTIFY, PAIRED, READ, WRITE, Service, characteristic, sig
from chevet.sim.twins.gatt_peripheral import GattPeripheral

SERVICE, NUMBER, SECRET = sig(0xFFF0), sig(0xFFF1), sig(0xFFF2)


class Counting:
    """Says its own number again and again, and keeps what is written to it."""

    linger_s = 0.0

    def __init__(self, number):
        self.name = f"COUNT{number}"
        self.number = number
        self.written_values = []
        parts = (
            characteristic(NUMBER, NOTIFY),
            characteristic(SECRET, READ, WRITE, PAIRED, value=b"secret"),
        )
        self.services = (Service(SERVICE, parts),)

    def connected(self, now): ...

    def written(self, uuid, data, now):
        self.written_values.append((uuid, data))
        return []

    def advance(self, now):
        return [(NUMBER, bytes([self.number]))]


@contextlib.asynccontextmanager
async def on_the_air(count):
    """Yield the backend and, by address, what is on the air."""
    with tempfile.TemporaryDirectory(prefix="chevet-") as folder:
        air = SimLink()
        radio = RadioSocket(air, Path(folder) / "radio.sock")
        await radio.start()
        devices = {f"C0:FF:EE:00:01:{number:02X}": Counting(number) for number in range(count)}
        peripherals = [GattPeripheral(air, twin, address) for address, twin in devices.items()]
        for one in peripherals:
            await one.start()
        running = [asyncio.create_task(one.run()) for one in peripherals]
        try:
            yield bluetooth(radio.spec), devices
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await radio.aclose()
            await asyncio.sleep(0.05)


async def test_six_devices_that_are_connected_at_once_all_answer():
    async with on_the_air(6) as (backend, devices), asyncio.timeout(60):
        links = [open_link(f"ble:{address}?notify=fff1&scan=20", bluetooth=backend) for address in devices]
        firsts = await asyncio.gather(*(link.receive() for link in links))
        await asyncio.gather(*(link.aclose() for link in links))
    assert [packet.data[0] for packet in firsts] == list(range(6))


async def test_two_programs_use_the_radio_at_the_same_time_without_hearing_each_other():
    async with on_the_air(2) as (backend, devices), asyncio.timeout(60):
        other = bluetooth(backend.scanner.spec.replace("radio.sock", "./radio.sock"))  # its own adapter
        links = [
            open_link(f"ble:{address}?notify=fff1&scan=20", bluetooth=program)
            for address, program in zip(devices, (backend, other), strict=True)
        ]
        await asyncio.gather(*(link.receive() for link in links))
        heard = [{(await link.receive()).data[0] for _ in range(20)} for link in links]
        await asyncio.gather(*(link.aclose() for link in links))
    assert heard == [{0}, {1}]


async def test_what_needs_pairing_is_refused_before_and_given_after():
    async with on_the_air(1) as (backend, devices), asyncio.timeout(60):
        ((address, twin),) = devices.items()
        url = f"ble:{address}?notify=fff1&read=fff2&write=fff2&scan=20"
        stranger = open_link(url, bluetooth=backend)
        assert (await stranger.receive()).source == NUMBER
        with pytest.raises(LinkError) as refused:
            await stranger.write(SECRET, b"let me in")
        assert refused.value.reason == "write_refused"
        await stranger.aclose()
        assert twin.written_values == []
        paired = open_link(f"{url}&pair=1", bluetooth=backend)
        await paired.open()
        sources = {(packet.source, packet.data) for packet in [await paired.receive() for _ in range(9)]}
        await paired.write(SECRET, b"let me in")
        await paired.aclose()
    assert (SECRET, b"secret") in sources
    assert twin.written_values == [(SECRET, b"let me in")]
