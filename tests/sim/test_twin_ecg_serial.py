"""The virtual ECG boards: what they send is what was measured, and they begin as the real ones do."""

import asyncio
import random
import time

import numpy as np
import pytest
from driver_bench import notices, readings, talk
from ecg_bench import BEGAN, SERIAL_TWINS, channels, make, placed
from waiting import PATIENCE_S

from chevet.bridge.link import open_link
from chevet.devices.driver import DRIVERS
from chevet.sim.pty_port import PtyPort
from chevet.sim.serial_runner import SerialRunner
from chevet.sim.twins import ecg_bitalino, ecg_chords, ecg_cyton, ecg_openview
from chevet.sim.twins.ecg_body import RecordedChest, int24
from chevet.sim.wire_faults import WireFaults

TWELVE = {"ads1298", "cyton"}
MEASURED = [0, 1, 6, 7, 8, 9, 10, 11]


def measured(name, found):
    """Return the samples of the channels that are measured, not derived."""
    return [tuple(np.array(one)[MEASURED]) if name in TWELVE else one for one in found.values()]


def sent(twin, count):
    """Return what the twin measured, one tuple a sample."""
    return [one if isinstance(one, tuple) else (one,) for one in twin.samples(0, count)]


@pytest.mark.parametrize("name", sorted(set(SERIAL_TWINS) - {"ad8232"}))
def test_the_driver_reads_exactly_what_the_twin_measured(name):
    driver, twin = make(name)
    found = placed(talk(driver, twin, 8.0))
    wanted = sent(twin, len(found))
    read = (
        [tuple(np.array(one)[MEASURED]) for one in found.values()] if name in TWELVE else list(found.values())
    )
    assert len(read) > 500
    assert read == wanted


def test_the_recording_is_played_at_its_own_height_and_rate():
    chest = RecordedChest()
    fast = chest.microvolts(("II", "V2"), 0, 1000, 500.0)
    assert (fast == chest.loop.take(0, 1000)[[1, 7]]).all()
    slow = chest.microvolts(("II",), 0, 250, 125.0)
    assert (slow[0] == fast[0][::4]).all()


@pytest.mark.parametrize(
    "name", ["healthypi-v3", "healthypi-v4", "ads1292r raw", "ads1298", "cyton", "ad8232"]
)
def test_a_lead_without_contact_is_told_and_told_again_when_it_is_back(name):
    chest = RecordedChest()
    driver, twin = make(name, chest)
    talk(driver, twin, 5.0)
    chest.off.add("II")
    events = talk(driver, twin, 2.0, began=BEGAN + 5.0, started=True)
    lead = "II" if name in TWELVE else "ECG"
    assert (True, lead) in [(one.on, one.detail) for one in notices(events, "lead_off")]
    chest.off.clear()
    events = talk(driver, twin, 2.0, began=BEGAN + 7.0, started=True)
    assert (False, lead) in [(one.on, one.detail) for one in notices(events, "lead_off")]


def test_numbers_of_the_healthypi_are_its_own():
    driver, twin = make("healthypi-v3")
    twin.probe_off = True
    got = readings(talk(driver, twin, 3.0))
    assert (got["heart_rate"].value, got["spo2"].value) == (76.0, None)


# Encoders against the reference's worked frames.


def test_worked_frames_of_the_encoders():
    assert int24(4474).hex() == "00117a"
    assert ecg_bitalino.frame(5, [512]).hex() == "000851"
    assert ecg_bitalino.frame(5, [512, 300, 1000, 700, 31, 32]).hex() == "e0c72bfa2c010856"
    payload = bytes.fromhex("88ff230040e20100479403004c0e106148507800")
    assert ecg_openview.framed(2, payload).hex() == "0afa140002" + payload.hex() + "000b"


def test_the_chords_frame_is_the_references():
    flat = RecordedChest()
    twin = ecg_chords.ChordsUno(flat, 0.0)
    assert twin._frame(512)[:5].hex() == "c77c010200"
    assert len(twin._frame(512)) == 16


# How they begin.


def test_the_breakout_greets_once_after_power_on():
    twin = ecg_openview.ads1292r_breakout(RecordedChest(), 0.0)
    assert twin.advance(0.0) == [b"Initiliziation is done\r\n"]
    assert all(frame.startswith(b"\x0a\xfa") for frame in twin.advance(0.1))
    twin.restart(5.0)
    assert twin.advance(5.0) == [b"Initiliziation is done\r\n"]
    assert twin.receive(b"anything", 5.0) == []


def test_a_cyton_is_silent_until_it_is_begun_and_hears_only_stop_while_it_streams():
    twin = ecg_cyton.CytonBoard(RecordedChest(), 0.0)
    assert twin.advance(1.0) == []
    assert b"".join(twin.receive(b"v", 1.0)).endswith(b"$$$")
    assert twin.receive(b"b", 1.0) == []
    assert len(twin.advance(1.21)) == 52
    assert twin.receive(b"v", 1.21) == []
    twin.receive(b"s", 1.2)
    assert twin.advance(1.4) == []
    twin.off = True
    assert twin.receive(b"b", 1.5)[0].startswith(b"Failure")


def test_a_bitalino_loses_commands_that_come_too_fast():
    twin = ecg_bitalino.BitalinoBoard(RecordedChest(), 0.0)
    assert twin.receive(b"\x07", 1.0) == [b"BITalino_v5.2\n"]
    assert twin.receive(b"\x07", 1.05) == []
    twin.receive(b"\xfd", 1.2)
    assert len(twin.advance(1.3)[0]) == 8
    assert twin.receive(b"\x07", 1.4) == [], "it answers only while idle"
    twin.receive(b"\x00", 1.6)
    assert twin.advance(1.7) == []


def test_chords_boards_stop_at_any_byte_and_hear_nothing_in_their_loader():
    twin = ecg_chords.ChordsUno(RecordedChest(), 0.0)
    assert twin.receive(b"WHORU\n", 1.0) == []
    assert twin.receive(b"WHORU\nSTATUS\nWHAT\nSTOP\n", 2.0) == [
        b"UNO-R3\r\n",
        b"STOPPED\r\n",
        b"UNKNOWN COMMAND\r\n",
    ]
    twin.receive(b"START\n", 2.0)
    assert len(twin.advance(2.21)) == 52
    twin.receive(b"x", 2.21)
    assert twin.advance(2.4) == []


def test_the_sketch_prints_as_fast_as_its_line_lets_it():
    driver, twin = make("ad8232")
    events = talk(driver, twin, 4.0)
    assert 4 * 150 < len(placed(events)) < 4 * 245
    twin.restart(500.0)
    assert len(twin.advance(600.0)) < 130, "nobody listened: it goes on from now"
    assert twin.receive(b"?", 600.0) == []


# On a real pseudo-terminal.


def enough(events, seconds):
    """Return whether as many samples came as the board takes in so many seconds."""
    found = placed(events)
    return bool(found) and len(found) > seconds * channels(events)[0].rate_hz


async def read(runner, name, seconds):
    """Read a board for some seconds, and on where this machine was too busy for half of its samples."""
    driver = DRIVERS[name]()
    link = open_link(f"serial:{runner.port.link}?baud={runner.device.baud}")
    running = asyncio.create_task(runner.run())
    events = []
    try:
        await asyncio.sleep(0)
        await link.open()
        if said := driver.start():
            await link.send(said)
        end, tick = time.monotonic() + seconds, 0.0
        while (now := time.monotonic()) < end or (not enough(events, seconds / 4) and now < end + PATIENCE_S):
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
    return driver, events


async def read_all(names, seconds, folder, **faults):
    """Read several boards at once; return {name: (twin, driver, events)}."""
    twins = {name: SERIAL_TWINS[name](RecordedChest(), time.monotonic()) for name in names}
    runners = [
        SerialRunner(twin, PtyPort(folder / name), WireFaults(random.Random(5), **faults))
        for name, twin in twins.items()
    ]
    together = (read(runner, name, seconds) for runner, name in zip(runners, names, strict=True))
    done = await asyncio.gather(*together)
    return {name: (twins[name], *one) for name, one in zip(names, done, strict=True)}


async def test_over_a_terminal_every_sample_arrives(tmp_path):
    names = ("cyton", "bitalino", "healthypi-v4", "ads1298")
    for name, (twin, driver, events) in (await read_all(names, 2.8, tmp_path)).items():
        found = placed(events)
        assert len(found) > 0.5 * channels(events)[0].rate_hz
        assert list(found) == list(range(len(found)))
        assert driver.counters.lost_samples == 0
        wanted, got = sent(twin, 10_000), measured(name, found)
        first = next(at for at in range(len(wanted)) if wanted[at : at + 20] == got[:20])
        assert got == wanted[first : first + len(got)]


async def test_over_a_bad_line_no_sample_is_wrong(tmp_path):
    names = ("cyton", "ads1298", "chords", "healthypi-v3")
    for name, (twin, driver, events) in (
        await read_all(names, 3.6, tmp_path, lost_bytes=0.01, garbage=0.01)
    ).items():
        found = placed(events)
        wanted = set(sent(twin, 10_000))
        assert len(found) > 60, name
        assert driver.counters.bad_frames > 0
        assert [one for one in measured(name, found) if one not in wanted] == []
