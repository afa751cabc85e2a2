"""The driver against the virtual front end, which was written from PROTOCOL.md alone, over four lines."""

import random
from itertools import pairwise

import numpy as np
import pytest

from chevet.bridge.packet import Packet
from chevet.devices.kit import kit_ecg, kit_stethoscope
from chevet.devices.samples import Notice, SampleBlock
from chevet.sim.kit import KitDevice, ecg_identity, stethoscope_identity


class Front:
    """Samples that tell their own index, so that a spliced gap would show."""

    def __init__(self, channels):
        self.channels = channels

    def take(self, first, count):
        row = (np.arange(first, first + count) % 30_000).astype(np.int16)
        return np.stack([row + number for number in range(self.channels)])

    def off(self):
        return 0


class Line:
    """One direction of a serial line with a fault; `pass_on` takes bytes and gives the pieces that arrive."""

    def pass_on(self, data):
        return [data] if data else []


class OneByte(Line):
    def pass_on(self, data):
        return [data[at : at + 1] for at in range(len(data))]


class Lossy(Line):
    """Loses whole writes with probability 0.2, as an overrun UART loses stretches of bytes."""

    def __init__(self):
        self.rng = random.Random(20)

    def pass_on(self, data):
        return [data] if data and self.rng.random() >= 0.2 else []


class Delayed(Line):
    """What is sent arrives up to three rounds later, in order."""

    def __init__(self):
        self.rng, self.waiting = random.Random(3), []

    def pass_on(self, data):
        if data:
            self.waiting.append(data)
        if self.waiting and self.rng.random() < 0.3:
            arrived, self.waiting = self.waiting, []
            return arrived
        return []


def converse(driver, device, up, down, seconds):
    """Let both talk for `seconds` in steps of 20 ms."""
    events = []
    for piece in down.pass_on(driver.start()):
        for frame in device.receive(piece, 0.0):
            events += deliver(driver, up, frame, 0.0)
    for step in range(int(seconds * 50)):
        now = step / 50
        out = driver.tick(now) if step % 12 == 0 else b""
        frames = [frame for piece in down.pass_on(out) for frame in device.receive(piece, now)]
        frames += device.receive(b"", now) + device.advance(now)
        for frame in frames or [b""]:
            events += deliver(driver, up, frame, now)
    return events


def deliver(driver, line, data, now):
    return [event for piece in line.pass_on(data) for event in driver.feed(Packet(piece, now))]


KITS = [
    pytest.param(kit_ecg, ecg_identity("E1"), 12, 25, id="ecg"),
    pytest.param(kit_stethoscope, stethoscope_identity("S1"), 1, 100, id="stethoscope"),
]


@pytest.mark.parametrize("line", [Line, OneByte, Lossy, Delayed])
@pytest.mark.parametrize(("make", "identity", "channels", "sets"), KITS)
def test_the_consultation_goes_on_over_any_line(line, make, identity, channels, sets):
    driver = make()
    device = KitDevice(identity, Front(channels), sets, 0.0)
    events = converse(driver, device, line(), line(), 12)
    found = [event for event in events if isinstance(event, SampleBlock)]
    lost = sum(int(e.detail) for e in events if isinstance(e, Notice) and e.code == "lost_samples")
    assert found, "the device never started"
    for block in found:
        assert block.values[0].tolist() == [
            index % 30_000 for index in range(block.first, block.first + sets)
        ]
    firsts = [block.first for block in found]
    jumps = sum(after - before - sets for before, after in pairwise(firsts))
    assert lost == driver.counters.lost_samples == jumps
    if line is Lossy:
        total = firsts[-1] + sets - firsts[0]
        assert 0.1 < lost / total < 0.3
    else:
        assert lost == driver.counters.bad_frames == 0
    assert driver.counters.resyncs == 0  # a lossy line loses whole frames here, so nothing is ever cut


def test_single_bytes_lost_cost_their_frames_and_no_other():
    rng = random.Random(11)
    driver = kit_stethoscope()
    device = KitDevice(stethoscope_identity("S1"), Front(1), 100, 0.0)

    class DropsBytes(Line):
        dropped = 0

        def pass_on(self, data):
            kept = bytearray()
            for byte in data:
                if rng.random() < 0.0002:
                    self.dropped += 1
                else:
                    kept.append(byte)
            return [bytes(kept)]

    line = DropsBytes()
    events = converse(driver, device, line, Line(), 20)
    found = [event for event in events if isinstance(event, SampleBlock)]
    for block in found:
        assert block.values[0].tolist() == [index % 30_000 for index in range(block.first, block.first + 100)]
    assert line.dropped > 10
    assert 0 < driver.counters.lost_samples <= 100 * line.dropped
    assert driver.counters.resyncs > 0


def test_a_front_end_that_restarts_is_picked_up_again():
    driver = kit_ecg()
    device = KitDevice(ecg_identity("E1"), Front(12), 25, 0.0)
    events = converse(driver, device, Line(), Line(), 5)
    before = max(event.first for event in events if isinstance(event, SampleBlock))
    device.restart(5.0)
    after = []
    for step in range(250, 500):
        now = step / 50
        out = driver.tick(now) if step % 12 == 0 else b""
        for frame in device.receive(out, now) + device.advance(now):
            after += driver.feed(Packet(frame, now))
    found = [event for event in after if isinstance(event, SampleBlock)]
    assert found[0].first - before > 250, "the gap is at least half a second long"
    assert found[-1].first == pytest.approx(10 * 500, abs=400)
