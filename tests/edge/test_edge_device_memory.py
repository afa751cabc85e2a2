"""What instruments had stored is kept once and apart; their clocks are read and, with care, set."""

import asyncio
import datetime
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import pytest
from edge_fakes import FakeDevice, make_instrument, until

from chevet.bridge.errors import LinkError, LinkLost
from chevet.bridge.link import open_link
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Notice, Reading
from chevet.edge import device_memory
from chevet.edge.api_stored import taken_ms
from chevet.edge.device_memory import DeviceMemory, StoredReading, ask_time, brief, set_clock
from chevet.edge.errors import DiskFull
from chevet.edge.instruments import Instrument
from chevet.edge.judge import numbers_mark
from chevet.edge.settings import DeviceSettings
from chevet.edge.store import open_store
from chevet.sim.bumble_backend import bluetooth
from chevet.sim.radio import RadioSocket, SimLink
from chevet.sim.twins.gatt_peripheral import GattPeripheral
from chevet.sim.twins.records import glucose, glucose_meter

LINK = "ble:C0:FF:EE:00:02:01?notify=2a18"
NOW_MS = 1_741_944_600_000
ADDRESS = "C0:FF:EE:00:02:01"


def of_the_past(sequence: int, value: float = 95.0) -> Reading:
    words = ("from_storage", f"sequence={sequence}", "taken=2025-03-14T09:30:05")
    return Reading("glucose", value, "mg/dL", 1.0, words)


def until_record(sequence: int) -> Notice:
    return Notice("stored_until", 1.0, detail=f"sequence={sequence}")


@pytest.fixture
def database(tmp_path: Path):
    store = open_store(tmp_path / "edge.db")
    yield store
    store.close()


def kept(database, quality: str = "synchronised") -> DeviceMemory:
    return DeviceMemory(database, lambda: NOW_MS, lambda: quality)


def test_a_record_that_comes_twice_is_kept_once_and_its_mark_survives_a_restart(database) -> None:
    memory = kept(database)
    for _ in range(2):
        for sequence in (7, 8):
            memory.take("meter", LINK, 12.5, of_the_past(sequence))
        memory.take("meter", LINK, 12.5, until_record(8))
        assert memory.mark(LINK) in {"", "sequence=8"}
        memory.flush()
    again = kept(database)
    assert again.mark(LINK) == "sequence=8"
    assert again.mark("ble:C0:FF:EE:00:02:02") == "", "another meter"
    assert again.mark(LINK.partition("?")[0] + "?notify=2a18,2a52") == "sequence=8", "options do not matter"
    found = again.recent()
    assert [one.status[1] for one in found] == ["sequence=8", "sequence=7"]
    assert (found[0].taken, found[0].clock_offset_s, found[0].fetched_ms) == (
        "2025-03-14T09:30:05",
        12.5,
        NOW_MS,
    )


def test_the_mark_moves_only_with_what_is_durable(database, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = kept(database)
    memory.take("meter", LINK, None, of_the_past(7))
    memory.take("meter", LINK, None, until_record(7))
    assert memory.mark(LINK) == ""

    def full():
        raise DiskFull

    with monkeypatch.context() as patch:
        patch.setattr(database, "write", full)
        memory.flush()
    memory.flush()
    assert (memory.mark(LINK), memory.recent()) == ("", []), "it will be fetched again"


def test_more_than_fits_is_dropped_and_the_mark_stays_for_another_fetch(
    database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_memory, "PENDING_AT_MOST", 3)
    memory = kept(database)
    for sequence in range(5):
        memory.take("meter", LINK, None, of_the_past(sequence))
    memory.flush()
    memory.take("meter", LINK, None, until_record(4))
    memory.flush()
    assert memory.mark(LINK) == ""
    memory.take("meter", LINK, None, until_record(4))
    memory.flush()
    assert memory.mark(LINK) == "sequence=4"


def test_old_readings_are_forgotten_but_not_that_they_came(database) -> None:
    memory = kept(database)
    memory.take("meter", LINK, None, of_the_past(7))
    memory.take("meter", LINK, None, until_record(7))
    memory.flush()
    memory.drop_old(NOW_MS)
    assert len(memory.recent()) == 1
    memory.drop_old(NOW_MS + 1)
    assert memory.recent() == []
    assert memory.mark(LINK) == "sequence=7"


def test_how_far_a_clock_is_off_counts_from_when_it_told_so(database) -> None:
    memory = kept(database)
    told = (memory.local_time() + datetime.timedelta(seconds=90)).isoformat(timespec="seconds")
    assert memory.offset_s(told, 10.0, 10.0) == 90.0
    assert memory.offset_s(told, 10.0, 40.0) == 120.0
    assert memory.offset_s("noon", 10.0, 10.0) is None


def test_a_reading_is_placed_by_the_boxs_clock_where_the_devices_can_be() -> None:
    local = datetime.datetime.fromtimestamp(NOW_MS / 1000)
    one = StoredReading("m", "glucose", 95.0, "mg/dL", (), local.isoformat(), 60.0, NOW_MS)
    assert taken_ms(one) == NOW_MS - 60_000
    for taken, offset in (("", 1.0), (local.isoformat(), None), ("0001-01-01T00:00:00", 1e12), ("x", 1.0)):
        assert taken_ms(StoredReading("m", "k", None, "", (), taken, offset, 0)) is None


@pytest.mark.parametrize(
    ("age_s", "offset_s", "is_fresh"),
    [
        (0, 0.0, True),
        (540, 0.0, True),
        (660, 0.0, False),
        (-30, 0.0, True),
        (-90, 0.0, False),
        (0, 3600.0, False),
        (-3600, 3600.0, True),
        (0, None, False),
    ],
)
def test_only_what_a_meter_measured_a_moment_ago_counts_as_of_now(
    database, age_s: float, offset_s: float | None, *, is_fresh: bool
) -> None:
    memory = kept(database)
    taken = (memory.local_time() - datetime.timedelta(seconds=age_s)).isoformat(timespec="seconds")
    words = ("from_storage", "sequence=7", f"taken={taken}", "capillary_whole_blood")
    fresh = memory.fresh("glucose", Reading("glucose", 95.0, "mg/dL", 5.0, words), offset_s, 1000.0)
    assert (fresh is not None) == is_fresh
    if fresh is not None:
        assert fresh.status == words[1:]
        assert abs(fresh.at - (1000.0 - max(0.0, age_s + (offset_s or 0.0)))) < 2
        assert numbers_mark([fresh]).usable


def test_what_cannot_be_placed_or_is_told_otherwise_is_never_of_now(database) -> None:
    memory = kept(database)
    when = memory.local_time().isoformat()
    reading = Reading("spo2", 97.0, "%", 5.0, ("from_storage", f"taken={when}"))
    assert memory.fresh("oximeter", reading, 0.0, 1.0) is None
    assert memory.fresh("glucose", Reading("glucose", 9.0, "mg/dL", 5.0, ("from_storage",)), 0.0, 1.0) is None
    assert memory.fresh("glucose", until_record(3), 0.0, 1.0) is None


# Through an instrument


async def test_a_stored_reading_reaches_no_listener_and_the_clock_is_remembered(database) -> None:
    device = FakeDevice("meter", "glucose")
    instrument = make_instrument(device, lambda _: None)
    memory = instrument.memory = kept(database)
    heard: list[object] = []

    class Ear:
        def offer(self, device: str, event: object) -> None:
            heard.append(event)

        def lost(self, device: str, problem: str) -> None: ...

    instrument.listeners.append(Ear())
    running = asyncio.create_task(instrument.run())
    writing = asyncio.create_task(memory.run())
    ahead = (memory.local_time() + datetime.timedelta(hours=1)).isoformat(timespec="seconds")
    now = Reading("glucose", 101.0, "mg/dL", 2.0)
    at = time.monotonic()
    device.play(Notice("device_time", at, detail=ahead), of_the_past(7), now, until_record(7))
    await until(lambda: memory.mark(instrument.settings.link) == "sequence=7")
    running.cancel()
    writing.cancel()
    await asyncio.gather(running, writing, return_exceptions=True)
    assert [event for event in heard if isinstance(event, Reading)] == [now]
    assert instrument.clock_offset_s is not None
    assert abs(instrument.clock_offset_s - 3600) < 60
    assert memory.recent()[0].clock_offset_s == instrument.clock_offset_s


class Place:
    """A link with places to write to, which may refuse."""

    url = "ble:x"
    dropped = 0

    def __init__(self, refuse: LinkError | None = None) -> None:
        self.written: list[tuple[str, bytes]] = []
        self._refuse = refuse

    async def open(self) -> None: ...
    async def receive(self): ...
    async def aclose(self) -> None: ...

    async def send(self, data: bytes) -> None:
        await self.write("", data)

    async def write(self, target: str, data: bytes) -> None:
        if self._refuse:
            raise self._refuse
        self.written.append((target, data))


async def test_clocks_are_set_only_by_a_clock_that_is_right(database) -> None:
    meter, place = DRIVERS["glucose"](), Place()
    assert not await set_clock(meter, place, kept(database, "free-running"))
    assert not await set_clock(DRIVERS["nonin-df2"](), place, kept(database))
    assert place.written == []
    assert await set_clock(meter, place, kept(database))
    local = datetime.datetime.fromtimestamp(NOW_MS / 1000)
    ((target, data),) = place.written
    assert target.startswith("00002a2b")
    assert data[:7] == local.year.to_bytes(2, "little") + bytes(local.timetuple()[1:6])


@pytest.mark.parametrize("reason", ["not_writable", "write_refused"])
async def test_a_clock_that_cannot_be_set_or_asked_costs_nothing(database, reason: str) -> None:
    place = Place(LinkError("ble:x", reason))
    assert not await set_clock(DRIVERS["glucose"](), place, kept(database))
    await ask_time(DRIVERS["nonin-ble"](), place)
    assert place.written == []


async def test_a_device_that_goes_away_meanwhile_is_lost(database) -> None:
    place = Place(LinkLost("ble:x", "disconnected"))
    with pytest.raises(LinkLost):
        await set_clock(DRIVERS["glucose"](), place, kept(database))
    with pytest.raises(LinkLost):
        await ask_time(DRIVERS["nonin-ble"](), place)


async def test_a_device_that_tells_its_time_is_asked() -> None:
    place = Place()
    await ask_time(DRIVERS["nonin-ble"](), place)
    await ask_time(DRIVERS["plx"](), place)
    assert len(place.written) == 1


def test_a_driver_is_briefed_with_its_own_mark(database) -> None:
    memory, driver = kept(database), DRIVERS["glucose"]()
    memory.take("meter", LINK, None, until_record(9))
    memory.flush()
    brief(driver, LINK, memory)
    brief(DRIVERS["nonin-df2"](), LINK, memory)
    assert driver.start() == bytes.fromhex("0103010900")


async def test_a_meter_that_wants_the_time_first_gives_its_records_once(database) -> None:
    meter = glucose_meter()
    meter.wants_time = True
    when = datetime.datetime(2025, 3, 14, 8, 0)
    meter.records += [glucose(n, Decimal("0.00095"), when) for n in (3, 4)]
    url = f"ble:{ADDRESS}?notify=2a18,2a34,2a52&write=2a52,2a2b&read=2a24,2a2b&scan=20"
    memory = kept(database)
    with tempfile.TemporaryDirectory(prefix="chevet-") as folder:
        air = SimLink()
        radio = RadioSocket(air, Path(folder) / "radio.sock")
        await radio.start()
        peripheral = GattPeripheral(air, meter, ADDRESS)
        await peripheral.start()
        on_air = asyncio.create_task(peripheral.run())
        backend = bluetooth(radio.spec)
        settings = DeviceSettings(id="meter", driver="glucose", link=url)
        made = Instrument(
            settings,
            DRIVERS,
            lambda link: open_link(link, bluetooth=backend),
            time.monotonic,
            lambda _: None,
        )
        made.memory = memory
        running = [asyncio.create_task(made.run()), asyncio.create_task(memory.run())]
        await until(lambda: memory.mark(url) == "sequence=4", 60)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        on_air.cancel()
        await asyncio.gather(on_air, return_exceptions=True)
        await radio.aclose()
        await asyncio.sleep(0.05)
    assert meter.clock is not None
    assert [one.value for one in memory.recent()] == [95.0, 95.0]
    assert made.clock_offset_s is not None, "it told its time before it was set"
