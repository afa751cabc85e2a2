"""The virtual ECG instruments on the virtual air, read through unmodified bleak."""

import asyncio
import struct
import tempfile
import time
from pathlib import Path

import pytest
from driver_bench import values
from ecg_bench import placed
from waiting import PATIENCE_S

from chevet.bridge.link import open_link
from chevet.devices.driver import DRIVERS
from chevet.sim.bumble_backend import bluetooth
from chevet.sim.radio import RadioSocket, SimLink
from chevet.sim.twins import ecg_er1, ecg_ganglion, ecg_movesense, ecg_polar
from chevet.sim.twins.ecg_body import RecordedChest
from chevet.sim.twins.gatt_peripheral import GattPeripheral

ADDRESS = "C0:FF:EE:00:00:0E"
PAGE = (Path(__file__).parents[2] / "docs" / "instruments.md").read_text()
TWINS = {
    "polar-h10": ecg_polar.PolarStrap,
    "movesense": ecg_movesense.MovesenseSensor,
    "ganglion": ecg_ganglion.GanglionBoard,
    "er1": ecg_er1.Er1Recorder,
}


def documented_link(name):
    """Return the link that docs/instruments.md names for this driver."""
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |")]
    return row[row.index("`ble:") + 1 :].partition("`")[0].replace("ADDRESS", ADDRESS)


async def read(name, address, air, spec, seconds, count, one_at_a_time):
    """Put a twin on the air, read it by its documented link for some seconds and until `count` samples came.

    Returns:
        twin, driver, events.
    """
    twin = TWINS[name](RecordedChest(), time.monotonic())
    peripheral = GattPeripheral(air, twin, address)
    await peripheral.start()
    running = asyncio.create_task(peripheral.run())
    driver, events = DRIVERS[name](), []
    link = open_link(documented_link(name).replace(ADDRESS, address), bluetooth=bluetooth(spec))
    try:
        async with one_at_a_time:  # a controller makes one connection after the other
            await link.open()
        await link.send(driver.start())
        end, tick = time.monotonic() + seconds, 0.0
        while (now := time.monotonic()) < end or (len(placed(events)) < count and now < end + PATIENCE_S):
            if now - tick >= 0.25:
                tick = now
                if said := driver.tick(now):
                    await link.send(said)
            try:
                packet = await asyncio.wait_for(link.receive(), 0.1)
            except TimeoutError:
                continue
            events += driver.feed(packet)
    finally:
        await link.aclose()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return twin, driver, events


async def test_over_the_air_by_its_documented_link_every_sample_arrives():
    with tempfile.TemporaryDirectory(prefix="chevet-") as folder:
        air = SimLink()
        radio = RadioSocket(air, Path(folder) / "radio.sock")
        await radio.start()
        lock = asyncio.Lock()
        reads = [
            read(name, f"{ADDRESS[:-1]}{place}", air, radio.spec, 3.2, 125, lock)
            for place, name in enumerate(TWINS)
        ]
        done = await asyncio.gather(*reads)
        await radio.aclose()
        await asyncio.sleep(0.05)
    for name, (twin, driver, events) in zip(TWINS, done, strict=True):
        found = placed(events)
        assert len(found) >= 125, name
        assert list(found) == list(range(len(found)))
        assert driver.counters.lost_samples == driver.counters.bad_frames == 0
        check_values(name, twin, found)
        if name in {"polar-h10", "movesense"}:
            assert values(events, "battery")[0] == 80.0


def check_values(name, twin, found):
    sent = twin.samples(0, len(found) + 10_000)
    if name == "ganglion":
        pairs = [pair for a, b in zip(found.values(), sent, strict=False) for pair in zip(a, b, strict=True)]
        assert all(abs(got - want) < 64 for got, want in pairs)
        return
    read = [value for (value,) in found.values()]
    first = next(at for at in range(10_000) if sent[at : at + 50] == read[:50])
    assert read == sent[first : first + len(read)]


# The control points.


def test_a_strap_answers_as_the_reference_has_it():
    strap = ecg_polar.PolarStrap(RecordedChest(), 0.0)
    answers = {
        "0100": "f00100000000018200" + "01010e00",
        "02000001820001010e00": "f002000000",
        "0300": "f003000000",
        "0500": "f005000100",
    }
    for said, answer in answers.items():
        ((uuid, value),) = strap.written(ecg_polar.CONTROL, bytes.fromhex(said), 1.0)
        assert (uuid, value.hex()) == (ecg_polar.CONTROL, answer)
    start = bytes.fromhex("02000001820001010e00")
    assert strap.written(ecg_polar.CONTROL, start, 2.0)[0][1][3] == 0
    assert strap.written(ecg_polar.CONTROL, start, 2.0)[0][1][3] == 6
    assert strap.written(ecg_polar.CONTROL, bytes.fromhex("0200000190"), 2.0)[0][1][3] == 5
    assert strap.written(ecg_polar.DATA, start, 2.0) == []


def test_a_strap_sends_73_samples_at_a_time_with_the_time_of_the_last():
    strap = ecg_polar.PolarStrap(RecordedChest(), 0.0)
    assert [uuid for uuid, _ in strap.advance(5.0)] == [ecg_polar.HEART_RATE_MEASUREMENT]
    strap.written(ecg_polar.CONTROL, bytes.fromhex("02000001820001010e00"), 5.0)
    data = [value for uuid, value in strap.advance(6.2) if uuid == ecg_polar.DATA]
    assert [len(value) for value in data] == [229, 229]
    first, second = (struct.unpack_from("<Q", value, 1)[0] for value in data)
    assert second - first == pytest.approx(73 / 130 * 1e9, abs=2)


def test_a_strap_without_skin_has_no_rate():
    chest = RecordedChest({"ECG"})
    ((_, value),) = ecg_polar.PolarStrap(chest, 0.0).advance(1.0)
    assert value.hex() == "0400"


def test_a_recorder_answers_only_whole_questions_with_the_right_checksum():
    recorder = ecg_er1.Er1Recorder(RecordedChest({"ECG"}), 0.0)
    recorder.connected(0.0)
    poll = bytes.fromhex("a503fc000001007d23")
    assert recorder.written(ecg_er1.WRITES, poll[:4], 1.0) == []
    parts = recorder.written(ecg_er1.WRITES, poll[4:], 1.0)
    whole = b"".join(value for _, value in parts)
    assert [len(value) for _, value in parts] == [244, len(whole) - 244], "as many as an MTU of 247 takes"
    assert (whole[:5].hex(), whole[7:9], whole[15] & 7) == ("a503fc0100", bytes(2), 7)
    assert ecg_er1.remainder(whole) == 0
    assert recorder.written(ecg_er1.WRITES, b"\x00" + poll[:-1] + b"\x00", 2.0) == []
    assert recorder.written(ecg_er1.NOTIFIES, poll, 2.0) == []
    assert recorder.advance(2.0) == []


def test_a_movesense_refuses_what_its_firmware_has_not():
    sensor = ecg_movesense.MovesenseSensor(RecordedChest(), 0.0)
    ecg = "\x01\x05/Meas/ECG/"
    cases = {ecg + "125": 200, ecg + "99": 404, "\x01\x05/Meas/Temp": 404, "\0\x05": 200}
    for said, status in cases.items():
        ((_, value),) = sensor.written(ecg_movesense.WRITES, said.encode(), 1.0)
        assert value == b"\x01\x05" + status.to_bytes(2, "little")
    assert len(sensor.advance(2.0)) == 7
    sensor.written(ecg_movesense.WRITES, b"\x02\x05", 2.0)
    assert sensor.advance(3.0) == []


def test_a_ganglion_obeys_letters_and_measures_impedance():
    board = ecg_ganglion.GanglionBoard(RecordedChest(), 0.0)
    assert board.advance(1.0) == []
    board.written(ecg_ganglion.WRITES, b"b", 1.0)
    assert [value[0] for _, value in board.advance(1.05)] == [0, 1, 2, 3, 4]
    board.testing = True
    assert {value[0] for _, value in board.advance(1.1)} <= set(range(201, 206))
    board.written(ecg_ganglion.WRITES, b"s", 1.1)
    assert board.advance(2.0) == []
