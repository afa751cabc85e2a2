"""Bluetooth meters on a virtual radio: found by unmodified bleak, accepted, waited for, heard, let go."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from discovery_bench import Bench, Looking, look_around
from edge_fakes import until

from chevet.devices.samples import Event, Reading
from chevet.sim.bumble_backend import bluetooth
from chevet.sim.radio import RadioSocket, SimLink
from chevet.sim.twins import vital_signs
from chevet.sim.twins.ble_oximeters import BerryMed
from chevet.sim.twins.finger import SteadyFinger
from chevet.sim.twins.gatt import GattDevice
from chevet.sim.twins.gatt_peripheral import GattPeripheral

CUFF, OTHER_CUFF, RING = "C0:FF:EE:00:02:01", "C0:FF:EE:00:02:02", "C0:FF:EE:00:02:03"


class Ear:
    """Remembers readings by device."""

    def __init__(self) -> None:
        self.values: dict[str, list[float | None]] = {}
        self.lost_ones: list[str] = []

    def offer(self, device: str, event: Event) -> None:
        if isinstance(event, Reading) and event.kind == "systolic":
            self.values.setdefault(device, []).append(event.value)

    def lost(self, device: str, problem: str) -> None:
        self.lost_ones.append(problem)


class Air:
    """A virtual radio with twins that come and go."""

    def __init__(self) -> None:
        self.link = SimLink()
        self._stack = contextlib.AsyncExitStack()

    async def put(self, twin: GattDevice, address: str) -> GattPeripheral:
        """Switch a twin on."""
        device = GattPeripheral(self.link, twin, address)
        running = asyncio.create_task(device.run())

        async def off() -> None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

        self._stack.push_async_callback(off)
        await device.start()
        return device

    async def clear(self) -> None:
        await self._stack.aclose()


@pytest.fixture
async def air() -> AsyncIterator[tuple[Air, Bench]]:
    with tempfile.TemporaryDirectory(prefix="chevet-") as folder:
        air = Air()
        radio = RadioSocket(air.link, Path(folder) / "radio.sock")
        await radio.start()
        yield air, Bench(Path(folder), bluetooth(radio.spec))
        await air.clear()
        await radio.aclose()
        await asyncio.sleep(0.05)


@pytest.fixture
async def looking(air: tuple[Air, Bench], tmp_path: Path) -> AsyncIterator[Looking]:
    made = look_around(air[1], tmp_path / "edge.db")
    yield made
    await made.stop()


async def test_a_cuff_is_found_accepted_and_waited_for_without_a_word_of_trouble(
    air: tuple[Air, Bench], looking: Looking
) -> None:
    twin, ear = vital_signs.blood_pressure_monitor(), Ear()
    device = await air[0].put(twin, CUFF)
    await until(lambda: looking.states() == {CUFF: "offered"}, 60)
    assert looking.at(CUFF).simulated, "a virtual radio is no patient"
    device.leave()
    await looking.discovery.decide(looking.at(CUFF).id, use=True)
    cuff = looking.instruments["blood_pressure-1"]
    cuff.listeners.append(ear)
    states = {cuff.state}
    await asyncio.sleep(1.0)
    states.add(cuff.state)
    assert (states, cuff.problem) == ({"waiting"}, ""), "nothing is wrong with a meter at rest"

    twin.measured(vital_signs.blood_pressure(121, 81, 94, 71))
    device.come_back()
    await until(lambda: ear.values == {"blood_pressure-1": [121.0]}, 60)
    assert cuff.identity["serial"] == "BP0001"
    assert cuff.simulated
    await until(lambda: cuff.state == "waiting", 60)  # it hung up by itself
    twin.measured(vital_signs.blood_pressure(135, 90, 105, 80))
    await until(lambda: ear.values == {"blood_pressure-1": [121.0, 135.0]}, 60)


async def test_two_equal_cuffs_are_two_devices_by_their_addresses(
    air: tuple[Air, Bench], looking: Looking
) -> None:
    ear = Ear()
    twins = {CUFF: vital_signs.blood_pressure_monitor(), OTHER_CUFF: vital_signs.blood_pressure_monitor()}
    for number, (address, twin) in enumerate(twins.items()):
        twin.measured(vital_signs.blood_pressure(110 + number, 70, 80, 60))
        await air[0].put(twin, address)
    await until(lambda: looking.states() == {CUFF: "offered", OTHER_CUFF: "offered"}, 60)
    for address in twins:
        await looking.discovery.decide(looking.at(address).id, use=True)
    for instrument in looking.instruments.values():
        instrument.listeners.append(ear)
    await until(lambda: ear.values == {"blood_pressure-1": [110.0], "blood_pressure-2": [111.0]}, 60)
    assert len(looking.instruments) == 2


async def test_a_streaming_oximeter_comes_back_as_soon_as_it_is_heard_again(
    air: tuple[Air, Bench], looking: Looking
) -> None:
    device = await air[0].put(BerryMed(SteadyFinger(), 0.0), RING)
    await until(lambda: looking.states() == {RING: "offered"}, 60)
    await looking.discovery.decide(looking.at(RING).id, use=True)
    oximeter = looking.instruments["oximeter-1"]
    await until(lambda: oximeter.state == "ready", 60)
    device.leave()
    await until(lambda: oximeter.state == "absent", 60)
    assert oximeter.problem in {"disconnected", "not_found"}
    device.come_back()
    await until(lambda: oximeter.state == "ready", 60)
