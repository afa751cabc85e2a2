"""Virtual instruments on real pseudo-terminals, read through the kit's links and drivers."""

import asyncio
import contextlib
import os
import random
import time

import numpy as np
import pytest
import serial
from hypothesis import given, settings
from hypothesis import strategies as st
from waiting import PATIENCE_S, until_true

from chevet.bridge.errors import LinkError
from chevet.bridge.link import open_link
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Notice, Reading, SampleBlock
from chevet.sim import instruments
from chevet.sim.pty_port import PtyPort
from chevet.sim.wire_faults import WireFaults


@contextlib.asynccontextmanager
async def running(instrument):
    task = asyncio.create_task(instrument.run())
    await asyncio.sleep(0.05)
    try:
        yield instrument
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def listen(instrument, enough, limit_s=PATIENCE_S, url=""):
    """Read through link and driver until `enough(events)`; return events and driver."""
    link, driver = open_link(url or instrument.url), DRIVERS[instrument.driver]()
    events = []
    try:
        async with asyncio.timeout(limit_s):
            await link.open()
            await link.send(driver.start())
            while not enough(events):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.25):  # `wait_for` may swallow the outer limit (Python 3.11)
                        events += driver.feed(await link.receive())
                reply = driver.tick(time.monotonic())
                if reply:
                    await link.send(reply)
    finally:
        await link.aclose()
    return events, driver


async def forever(do):
    while True:
        await do()


def samples(events):
    return sum(one.values.shape[1] for one in events if isinstance(one, SampleBlock))


async def test_the_ecg_is_read_exactly_through_a_serial_port(tmp_path):
    async with running(instruments.ecg(tmp_path, 1, time.monotonic())) as ecg:
        events, driver = await listen(ecg, lambda seen: samples(seen) >= 250)
    blocks = [one for one in events if isinstance(one, SampleBlock)]
    read = np.concatenate([one.values for one in blocks], axis=1)
    from chevet.sim.bodies import EcgBody

    np.testing.assert_array_equal(read, EcgBody(1).take(blocks[0].first, read.shape[1]))
    assert (driver.counters.bad_frames, driver.counters.lost_samples) == (0, 0)


async def test_the_stethoscope_keeps_4_khz(tmp_path):
    async with running(instruments.stethoscope(tmp_path, 1, time.monotonic())) as stethoscope:
        began = time.monotonic()
        await listen(stethoscope, lambda seen: samples(seen) >= 4000)
        assert time.monotonic() - began > 0.8
        runner = stethoscope.run.__self__
        ran_s = runner._stepped_at - runner.device.began_at  # however long this machine took to listen
        assert runner.device._index / 4000 == pytest.approx(ran_s, abs=0.1)


async def test_the_oximeter_gives_pleth_and_numbers(tmp_path):
    async with running(instruments.oximeter(tmp_path, 1, time.monotonic())) as oximeter:
        events, _ = await listen(oximeter, lambda seen: samples(seen) >= 75)
    values = {one.kind: one.value for one in events if isinstance(one, Reading)}
    assert 90 < values["spo2"] <= 100


async def test_a_client_at_the_wrong_speed_hears_garbage(tmp_path):
    async with running(instruments.oximeter(tmp_path, 1, time.monotonic())) as oximeter:
        url = f"serial:{tmp_path / 'oximeter'}?baud=19200"
        with pytest.raises(TimeoutError):
            await listen(oximeter, lambda seen: samples(seen) > 0, limit_s=1.0, url=url)


async def test_pulling_the_cable_ends_the_link_and_replugging_gives_a_new_one(tmp_path):
    async with running(instruments.ecg(tmp_path, 1, time.monotonic())) as ecg:
        link = open_link(ecg.url)
        await link.open()
        await ecg.set_fault("unplug", True, "")
        with pytest.raises(LinkError):
            async with asyncio.timeout(PATIENCE_S):
                await forever(link.receive)
        await link.aclose()
        assert not (tmp_path / "ecg").exists()
        await ecg.set_fault("unplug", False, "")
        events, _ = await listen(ecg, lambda seen: samples(seen) >= 50)
        assert samples(events) >= 50
        await ecg.set_fault("replug", True, "0.05")
        assert (tmp_path / "ecg").exists()


@pytest.mark.parametrize("fault", ["garbage", "lost_bytes", "checksum"])
async def test_disturbed_bytes_are_counted_and_the_stream_goes_on(tmp_path, fault):
    async with running(instruments.ecg(tmp_path, 1, time.monotonic())) as ecg:
        await ecg.set_fault(fault, True, "0.3")
        events, driver = await listen(ecg, lambda seen: samples(seen) >= 400)
    blocks = [one for one in events if isinstance(one, SampleBlock)]
    from chevet.sim.bodies import EcgBody

    body = EcgBody(1)
    for block in blocks:
        np.testing.assert_array_equal(block.values, body.take(block.first, block.values.shape[1]))
    counters = driver.counters
    assert counters.bad_frames + counters.lost_samples + counters.resyncs > 0


async def test_a_silent_device_sends_nothing(tmp_path):
    async with running(instruments.oximeter(tmp_path, 1, time.monotonic())) as oximeter:
        await oximeter.set_fault("silence", True, "")
        with pytest.raises(TimeoutError):
            await listen(oximeter, lambda seen: samples(seen) > 0, limit_s=0.6)
        await oximeter.set_fault("silence", False, "")
        events, _ = await listen(oximeter, lambda seen: samples(seen) > 0)
        assert events


async def test_a_lead_off_and_a_finger_out_reach_the_drivers(tmp_path):
    async with (
        running(instruments.ecg(tmp_path, 1, time.monotonic())) as ecg,
        running(instruments.oximeter(tmp_path, 1, time.monotonic())) as oximeter,
    ):
        await ecg.set_fault("lead_off", True, "V3")
        events, _ = await listen(ecg, lambda seen: any(_is(one, "lead_off", "V3") for one in seen))
        assert events
        await oximeter.set_fault("sensor_off", True, "")
        events, _ = await listen(oximeter, lambda seen: any(_is(one, "sensor_off") for one in seen))
        assert all(one.value is None for one in events if isinstance(one, Reading) and one.kind == "spo2")


def _is(event, code, detail=""):
    return isinstance(event, Notice) and event.code == code and event.on and detail in event.detail


def test_nobody_hears_what_a_port_sends_before_it_is_opened_raw(tmp_path):
    port = PtyPort(tmp_path / "port")
    port.plug()
    try:
        assert port.plugged
        assert not port.attached()
        client = serial.Serial(str(tmp_path / "port"), 9600, timeout=PATIENCE_S, exclusive=True)
        assert port.attached()
        assert port.baud() == 9600
        every_byte = bytes(range(256))
        port.write(every_byte)
        assert client.read(256) == every_byte
        assert port.read() == b""  # nothing is echoed
        client.write(every_byte)
        arrived = []
        until_true(lambda: arrived.extend(port.read()) or len(arrived) >= 256)
        assert bytes(arrived) == every_byte
        client.close()
        assert not port.attached()
    finally:
        port.unplug()


def test_a_slow_reader_loses_bytes_instead_of_blocking(tmp_path):
    port = PtyPort(tmp_path / "port")
    port.plug()
    client = os.open(tmp_path / "port", os.O_RDWR | os.O_NOCTTY)
    try:
        for _ in range(100):
            port.write(bytes(1000))
        assert port.dropped_bytes > 0
    finally:
        os.close(client)
        port.unplug()


def test_an_unplugged_port_can_be_asked_anything(tmp_path):
    port = PtyPort(tmp_path / "port")
    assert (port.attached(), port.baud(), port.read()) == (False, 0, b"")
    port.write(b"lost")
    port.unplug()
    assert port.dropped_bytes == 0


@given(st.integers(0, 2**32), st.lists(st.binary(min_size=1, max_size=40), max_size=20))
@settings(max_examples=50)
def test_faults_that_are_off_change_nothing_and_are_repeatable_when_on(seed, frames):
    assert WireFaults(random.Random(seed)).apply(frames) == b"".join(frames)

    def disturbed():
        return WireFaults(random.Random(seed), garbage=0.5, lost_bytes=0.5, checksum=0.5).apply(frames)

    assert disturbed() == disturbed()


def test_each_fault_does_what_it_says():
    frames = [bytes(10)] * 50
    faults = WireFaults(random.Random(1), lost_bytes=1.0)
    assert len(faults.apply(frames)) == 450
    assert len(WireFaults(random.Random(1), garbage=1.0).apply(frames)) > 500
    assert WireFaults(random.Random(1), checksum=1.0).apply(frames[:1]) == bytes(9) + b"\x55"
    assert WireFaults(random.Random(1), silence=True).apply(frames) == b""
    assert faults.disturbed == 50
