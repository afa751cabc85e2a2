"""One task a device: found, lost, found again, and never taking others down."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from edge_fakes import FakeDevice, ecg_block, identified, make_instrument, until

from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Event, Notice, Reading
from chevet.edge import instruments
from chevet.edge.errors import SettingsError
from chevet.edge.instruments import Instrument
from chevet.edge.settings import DeviceSettings
from chevet.edge.shapes import device_shape


class Ear:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.losses: list[str] = []

    def offer(self, device: str, event: Event) -> None:
        self.events.append(event)

    def lost(self, device: str, problem: str) -> None:
        self.losses.append(problem)


@asynccontextmanager
async def running(device: FakeDevice) -> AsyncIterator[tuple[Instrument, Ear, list[tuple[str, str]]]]:
    states: list[tuple[str, str]] = []
    instrument = make_instrument(device, lambda one: states.append((one.state, one.problem)))
    ear = Ear()
    instrument.listeners.append(ear)
    task = asyncio.create_task(instrument.run())
    try:
        yield instrument, ear, states
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same waits, a hundred times shorter."""
    monkeypatch.setattr(instruments, "FIRST_WAIT_S", 0.002)
    monkeypatch.setattr(instruments, "LONGEST_WAIT_S", 0.05)
    monkeypatch.setattr(instruments, "TICK_S", 0.01)


async def test_a_device_is_started_becomes_ready_and_its_events_are_handed_on() -> None:
    device = FakeDevice("ecg", "ecg")
    async with running(device) as (instrument, ear, _):
        device.play(identified(), ecg_block(0, 25), Reading("battery", 80.0, "%", 0.0))
        await until(lambda: len(ear.events) == 3)
        assert instrument.state == "ready"
        assert instrument.identity == {"model": "Kit ECG", "serial": "7", "firmware": "1.0"}
        assert instrument.rates["V6"] == 500.0
        assert instrument.battery_pct == 80.0
        assert device.sent[0] == b"start"
        shape = device_shape(instrument, 1_000_000, time.monotonic(), "")
        assert abs(shape["last_packet_ms"] - 1_000_000) < 5_000
        assert shape["link"] == "serial:ecg", "an operator's path does not leave the box"
    assert device.sent[-1] == b"stop"


async def test_an_absent_device_is_tried_again_until_it_comes() -> None:
    device = FakeDevice("ecg", "ecg", plugged=False)
    async with running(device) as (instrument, ear, _):
        await until(lambda: instrument.state == "absent")
        assert instrument.problem == "not_found"
        device.plug_in()
        device.play(ecg_block(0, 25))
        await until(lambda: instrument.state == "ready")
        assert instrument.problem == ""
        assert ear.losses


async def test_unplugging_and_plugging_in_again_needs_no_hand() -> None:
    device = FakeDevice("ecg", "ecg")
    async with running(device) as (instrument, ear, states):
        device.play(ecg_block(0, 25))
        await until(lambda: instrument.state == "ready")
        device.pull_out()
        await until(lambda: ("absent", "unplugged") in states)
        assert ear.losses[0] == "unplugged"
        device.plug_in()
        device.play(ecg_block(100, 25))
        await until(lambda: instrument.state == "ready")
        assert device.opened == 2
        assert states.count(("ready", "")) == 2


@pytest.mark.parametrize("steps", range(8))
async def test_the_end_is_obeyed_also_when_the_cable_goes_at_that_very_moment(steps: int) -> None:
    device = FakeDevice("ecg", "ecg")
    instrument = make_instrument(device, lambda _: None)
    task = asyncio.create_task(instrument.run())
    device.play(ecg_block(0, 25))
    await until(lambda: instrument.state == "ready")
    device.pull_out()
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    device.plug_in()
    done, _pending = await asyncio.wait([task], timeout=60.0)
    assert done == {task}
    assert device.opened == 1


@pytest.mark.parametrize("reason", ["busy", "no_permission", "no_adapter"])
async def test_a_device_that_needs_a_person_is_failed_with_the_reason(reason: str) -> None:
    device = FakeDevice("ecg", "ecg", plugged=False, reason=reason)
    async with running(device) as (instrument, _, _states):
        await until(lambda: instrument.state == "failed")
        assert instrument.problem == reason


async def test_a_fault_in_a_driver_stays_with_its_device() -> None:
    device = FakeDevice("ecg", "ecg")
    async with running(device) as (instrument, _, states):
        device.say(b"noise")
        device.say(b"bug")
        await until(lambda: ("failed", "driver_fault") in states)
        device.play(ecg_block(0, 25))
        await until(lambda: instrument.state == "ready")
        assert instrument.bad_frames == 1, "what was counted before the fault still counts"


async def test_a_silent_device_is_told_and_then_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instruments, "SILENT_AFTER_S", 0.05)
    monkeypatch.setattr(instruments, "REOPEN_AFTER_S", 0.15)
    device = FakeDevice("ecg", "ecg")
    async with running(device) as (_, _, states):
        await until(lambda: device.opened >= 2 and len(states) >= 2)
        assert states[:2] == [("failed", "silent"), ("connecting", "")]


async def test_a_host_that_stood_still_does_not_take_its_own_pause_for_the_devices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(instruments, "SILENT_AFTER_S", 1.0)
    device = FakeDevice("ecg", "ecg")
    loop = asyncio.get_running_loop()

    def unread(turns: int) -> None:
        """What came meanwhile is read some turns of the loop later."""
        if turns:
            loop.call_soon(unread, turns - 1)
        else:
            device.play(ecg_block(25, 25))

    async with running(device) as (instrument, ear, states):
        device.play(ecg_block(0, 25))
        await until(lambda: instrument.state == "ready")
        loop.call_soon(unread, 5)
        time.sleep(1.2)  # noqa: ASYNC251 (the pause of the whole host is meant)
        await until(lambda: len(ear.events) == 2)
        assert ("failed", "silent") not in states


async def test_lead_off_and_other_notices_are_handed_on() -> None:
    device = FakeDevice("ecg", "ecg")
    async with running(device) as (_, ear, _states):
        device.play(Notice("lead_off", 0.0, True, "V3"))
        await until(lambda: ear.events)
        assert ear.events == [Notice("lead_off", 0.0, True, "V3")]


async def test_a_device_that_says_it_is_simulated_is_believed_for_good() -> None:
    device = FakeDevice("ecg", "ecg")
    async with running(device) as (instrument, ear, _):
        assert not instrument.simulated
        device.play(Notice("identified", 0.0, detail="model=KIT;serial=1;firmware=2;simulated=1"))
        await until(lambda: len(ear.events) == 1)
        device.play(Notice("identified", 0.0, detail="model=KIT;serial=1;firmware=2"))
        await until(lambda: len(ear.events) == 2)
        assert instrument.simulated
        assert device_shape(instrument, 0, 0.0, "")["simulated"]


async def test_a_device_that_refuses_is_failed_until_it_works_again() -> None:
    device = FakeDevice("ecg", "ecg")
    async with running(device) as (instrument, ear, _):
        device.play(Notice("refused", 0.0, detail="front_end_silent"))
        await until(lambda: len(ear.events) == 1)
        assert (instrument.state, instrument.problem) == ("failed", "refused")
        device.play(ecg_block(0, 25))
        await until(lambda: len(ear.events) == 2)
        assert instrument.state == "ready"


def test_an_unknown_driver_is_a_sentence() -> None:
    settings = DeviceSettings(id="x", driver="no-such", link="serial:/x")
    with pytest.raises(SettingsError, match=r"driver 'no-such' of device 'x' is not known; known are: fake"):
        Instrument(settings, {"fake": FakeDevice("x", "ecg").driver}, None, time.monotonic, None)  # type: ignore[arg-type]


def make_spot(device: FakeDevice, driver: str, states: list[tuple[str, str]]) -> Instrument:
    """An instrument whose driver's name says how it behaves."""
    settings = DeviceSettings(id=device.id, driver=driver, link=f"ble:{device.id}")
    return Instrument(
        settings,
        {driver: device.driver},
        device.link,
        time.monotonic,
        lambda one: states.append((one.state, one.problem)),
    )


@pytest.mark.parametrize("driver", ["blood-pressure", "thermometer", "glucose", "weight-scale", "nonin-df13"])
async def test_a_meter_is_waited_for_without_an_error_and_neither_silent_nor_opened_again(
    driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instruments, "SILENT_AFTER_S", 0.02)
    monkeypatch.setattr(instruments, "REOPEN_AFTER_S", 0.05)
    device, states, ear = FakeDevice("meter", "glucose", plugged=False), list[tuple[str, str]](), Ear()
    instrument = make_spot(device, driver, states)
    instrument.listeners.append(ear)
    task = asyncio.create_task(instrument.run())
    try:
        await until(lambda: ear.losses)  # it does not advertise
        assert (instrument.state, instrument.problem) == ("waiting", "")
        device.plug_in()
        await until(lambda: device.opened == 1)
        await asyncio.sleep(0.15)
        assert device.opened == 1
        device.play(Reading("weight", 70.5, "kg", 0.0))
        await until(lambda: instrument.state == "ready")
        device.pull_out()
        await until(lambda: instrument.state == "waiting")
        assert {state for state, _ in states} == {"ready", "waiting"}
        assert {problem for _, problem in states} == {""}
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_plx_oximeter_shows_by_what_it_sends_whether_silence_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(instruments, "SILENT_AFTER_S", 0.05)
    device, states = FakeDevice("plx", "oximeter"), list[tuple[str, str]]()
    instrument = make_spot(device, "plx", states)
    task = asyncio.create_task(instrument.run())
    try:
        device.play(Reading("spo2", 97.0, "%", 0.0, ("spot_check",)))
        await until(lambda: instrument.state == "ready")
        await asyncio.sleep(0.15)
        assert instrument.state == "ready", "it has nothing more to say"
        assert instrument.spot
        device.play(Reading("spo2", 97.0, "%", 0.0))
        await until(lambda: ("failed", "silent") in states)
        assert not instrument.spot
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_wait_ends_as_soon_as_the_device_is_seen_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instruments, "FIRST_WAIT_S", 60.0)
    monkeypatch.setattr(instruments, "LONGEST_WAIT_S", 60.0)
    device = FakeDevice("ecg", "ecg", plugged=False)
    async with running(device) as (instrument, ear, _):
        await until(lambda: ear.losses)
        device.plug_in()
        device.play(ecg_block(0, 25))
        instrument.wake()
        await until(lambda: instrument.state == "ready")
        assert device.opened == 1


@pytest.mark.parametrize("kind", sorted({make().instrument for make in DRIVERS.values()}))
def test_the_configuration_takes_every_kind_of_instrument_that_a_driver_reads(kind: str) -> None:
    settings = DeviceSettings(id="x", driver="kit-ecg", link="serial:/x", instrument=kind)  # type: ignore[arg-type]
    assert settings.instrument == kind
