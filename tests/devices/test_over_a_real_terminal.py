"""Virtual instrument, pseudo-terminal, pyserial, link and driver: the whole wire, with its faults."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from waiting import PATIENCE_S, until

from chevet.bridge.errors import LinkLost
from chevet.bridge.link import open_link
from chevet.devices.driver import DRIVERS, Driver
from chevet.devices.samples import Event, Notice, Reading, SampleBlock
from chevet.sim.kit import KitDevice, ecg_identity, stethoscope_identity
from chevet.sim.nonin import NoninDf2, Numbers
from chevet.sim.pty_port import PtyPort
from chevet.sim.serial_runner import SerialRunner
from chevet.sim.wire_faults import WireFaults


class Counting:
    """A body whose samples tell their own index."""

    def __init__(self, channels=1):
        self.channels = channels

    def take(self, first, count):
        return np.tile((np.arange(first, first + count) % 30_000).astype(np.int16), (self.channels, 1))

    def off(self):
        return 0

    def pleth(self, first, count):
        return [index % 256 for index in range(first, first + count)]

    def numbers(self, first):
        return Numbers(72, 97)


@dataclass
class Bedside:
    """One instrument on its port, and the driver that reads it.

    Attributes:
        listened_s: how long the last reading took, opening included: a busy machine takes longer.
    """

    runner: SerialRunner
    driver: Driver
    baud: int
    events: list[Event] = field(default_factory=list)
    listened_s: float = 0.0

    async def read(
        self, seconds: float, enough: Callable[[list[Event]], object] = lambda _: True
    ) -> list[Event]:
        """Open the port and read for some seconds, and on until it is enough; LinkLost passes through."""
        began = time.monotonic()
        link = open_link(f"serial:{self.runner.port.link}?baud={self.baud}")
        fresh: list[Event] = []
        try:
            await link.open()
            if start := self.driver.start():
                await link.send(start)
            end = time.monotonic() + seconds
            tick = 0.0
            while (now := time.monotonic()) < end or (not enough(fresh) and now < end + PATIENCE_S):
                if now - tick >= 0.25:
                    tick = now
                    if words := self.driver.tick(now):
                        await link.send(words)
                with contextlib.suppress(TimeoutError):
                    packet = await asyncio.wait_for(link.receive(), 0.1)
                    new = self.driver.feed(packet)
                    fresh += new
                    self.events += new
            if stop := self.driver.stop():
                await link.send(stop)
        finally:
            await link.aclose()
            self.listened_s = time.monotonic() - began
        return fresh


MAKES = {
    "kit-ecg": lambda: KitDevice(ecg_identity("E1"), Counting(12), 25, time.monotonic()),
    "kit-stethoscope": lambda: KitDevice(stethoscope_identity("S1"), Counting(), 100, time.monotonic()),
    "nonin-df2": lambda: NoninDf2(Counting(), time.monotonic()),
}


@pytest.fixture
async def bedside(request, tmp_path):
    device = MAKES[request.param]()
    runner = SerialRunner(device, PtyPort(tmp_path / "port"), WireFaults(random.Random(7)))
    running = asyncio.create_task(runner.run())
    await asyncio.sleep(0)
    yield Bedside(runner, DRIVERS[request.param](), device.baud)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def blocks(events):
    return [event for event in events if isinstance(event, SampleBlock)]


def samples(events):
    return sum(block.values.shape[1] for block in blocks(events))


def placed(events, modulus):
    """Return how many samples came, after checking that each stands at its own index."""
    found = blocks(events)
    origin = found[0].values[0, 0] - found[0].first
    for block in found:
        wanted = (np.arange(block.first, block.first + block.values.shape[1]) + origin) % modulus
        assert (block.values == wanted).all()
    return samples(found)


@pytest.mark.parametrize(
    ("bedside", "rate", "modulus"),
    [("kit-ecg", 500, 30_000), ("kit-stethoscope", 4000, 30_000), ("nonin-df2", 75, 256)],
    indirect=["bedside"],
)
async def test_every_sample_arrives_in_its_place(bedside, rate, modulus):
    count = placed(await bedside.read(1.2, lambda events: samples(events) > 0.5 * rate), modulus)
    assert 0.5 * rate < count < (bedside.listened_s + 0.4) * rate
    assert bedside.driver.counters.lost_samples == 0
    assert bedside.driver.counters.bad_frames <= 1  # attached in the middle of a frame


@pytest.mark.parametrize("bedside", ["nonin-df2"], indirect=True)
async def test_numbers_come_three_times_a_second(bedside):
    def numbers(events):
        return [event for event in events if isinstance(event, Reading)]

    readings = numbers(await bedside.read(1.2, lambda events: len(numbers(events)) >= 2))
    assert {(event.kind, event.value) for event in readings} == {("spo2", 97), ("pulse_rate", 72)}
    assert 2 <= len(readings) <= 10 * bedside.listened_s / 1.2


@pytest.mark.parametrize("bedside", ["kit-ecg", "nonin-df2"], indirect=True)
async def test_lost_bytes_wrong_checksums_and_noise_cost_frames_and_are_counted(bedside):
    faults = bedside.runner.faults
    faults.lost_bytes = faults.checksum = faults.garbage = 0.04
    counters = bedside.driver.counters
    events = await bedside.read(2.0, lambda so_far: counters.bad_frames and blocks(so_far))
    assert faults.disturbed > 0
    assert counters.bad_frames > 0
    assert counters.lost_samples == sum(
        int(event.detail) for event in events if isinstance(event, Notice) and event.code == "lost_samples"
    )
    if bedside.driver.name == "kit-ecg":
        # Only the kit's frames carry an index; the length of a gap in Nonin's format 2 is an estimate.
        assert placed(events, 30_000) > 0


@pytest.mark.parametrize("bedside", ["kit-ecg"], indirect=True)
async def test_a_pulled_cable_ends_the_link_and_a_new_one_goes_on_after_a_gap(bedside):
    reading = asyncio.create_task(bedside.read(PATIENCE_S))
    await until(lambda: samples(bedside.events) >= 250)
    bedside.runner.unplug()
    with pytest.raises(LinkLost) as lost:
        await reading
    assert lost.value.reason == "unplugged"
    await asyncio.sleep(0.25)
    bedside.runner.plug()
    before = blocks(bedside.events)[-1]
    after = blocks(await bedside.read(1.0, blocks))
    assert after[0].first >= before.first + 25 + 100
    assert bedside.driver.counters.lost_samples == 0


@pytest.mark.parametrize("bedside", ["kit-ecg", "nonin-df2"], indirect=True)
async def test_the_wrong_speed_gives_nothing_and_breaks_nothing(bedside):
    bedside.baud = 19200
    bedside.runner.faults.random.seed(1)
    events = await bedside.read(0.8)
    assert blocks(events) == []
