"""Three independent implementations of one page: firmware, host and simulator say and find the same bytes."""

import itertools
import json

import numpy as np
import pytest
from firmware_core import FIRMWARE, Core, CoreDecoder, identity
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chevet.bridge.frame import Frame, FrameDecoder, encode
from chevet.bridge.packet import Packet
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Notice, SampleBlock
from chevet.sim import kit_wire as wire
from chevet.sim.kit import KitDevice

VECTORS = json.loads((FIRMWARE.parent / "vectors.json").read_text("utf-8"))
modest = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

frames = st.builds(Frame, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=40)).map(encode)
false_starts = st.binary(min_size=1, max_size=6).map(lambda tail: b"\xa5\x5a" + tail)
lines = st.lists(st.one_of(frames, false_starts, st.binary(max_size=20)), max_size=12).map(b"".join)


@given(lines, st.lists(st.integers(0, 500), max_size=8))
@modest
def test_both_find_the_same_frames_however_the_bytes_are_cut(core, line, cuts):
    ours = FrameDecoder()
    wanted = b"".join(map(encode, ours.feed(line)))
    late = b"".join(map(encode, ours.expire()))
    edges = [0, *sorted(min(cut, len(line)) for cut in cuts), len(line)]
    pieces = [line[a:b] for a, b in itertools.pairwise(edges)]
    for way in ([line], pieces, [bytes([byte]) for byte in line]):
        decoder = CoreDecoder(core)
        assert b"".join(map(decoder.feed, way)) == wanted
        assert decoder.expire() == late
        assert decoder.counts == (ours.bad_frames, ours.discarded)


@pytest.mark.parametrize("instrument", ["ecg", "stethoscope"])
@pytest.mark.parametrize("simulated", [False, True])
def test_the_identity_is_the_same_to_the_last_byte(core, instrument, simulated):
    device = Core(core, instrument, "E0001", simulated=simulated)
    device.receive(wire.frame(wire.IDENTIFY, 7, b"\1\0"), 0)
    ours = wire.identity_payload(identity(instrument, "E0001", simulated=simulated), 7)
    assert device.read() == wire.frame(wire.IDENTITY, 0, ours)


@pytest.mark.parametrize("vector", VECTORS["to_device"], ids=lambda vector: vector["name"])
def test_the_simulated_device_answers_as_the_vectors_say(vector):
    device = KitDevice(identity("stethoscope", "S0001", simulated=False), Scripted(1), 100, 0.0)
    answers = device.receive(bytes.fromhex(vector["hex"]), 0.0) + device.receive(b"", 0.125)
    assert [answer.hex() for answer in answers] == vector["answers"]
    status = device.advance(1.0)[-1]
    assert int.from_bytes(status[6 + 14 : 6 + 16], "little") == vector["bad_commands"]


class Scripted:
    """Samples that any index gives again, and contacts that a test sets."""

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self.contacts = 0

    def take(self, first, count):
        index = np.arange(first, first + count)
        return np.stack([(index * (7 + lead) * 131 % 65536 - 32768) for lead in range(self.channels)]).astype(
            np.int16
        )

    def off(self):
        return self.contacts


COMMANDS = [
    b"",
    b"",
    wire.frame(wire.IDENTIFY, 3, b"\1\0"),
    wire.frame(wire.IDENTIFY, 4, b""),
    wire.frame(wire.START, 5, b""),
    wire.frame(wire.START, 6, b"later"),
    b"\x00\xffnoise" + wire.frame(wire.STOP, 7, b""),
    wire.frame(0x33, 8, b"?"),
    wire.frame(wire.START, 9, b"")[:-1] + b"\0",
    b"\xa5\x5a\x02\x00\xff\xff",
    wire.frame(wire.ANSWER, 1, b"\2\1\0"),
]
steps = st.lists(st.tuples(st.sampled_from(COMMANDS), st.sampled_from([0, 0, 0, 1, 0b11])), max_size=60)


@pytest.mark.parametrize(("instrument", "sets"), [("ecg", 25), ("stethoscope", 100)])
@given(script=steps)
@modest
def test_firmware_and_simulator_say_the_same_bytes_through_a_whole_life(core, instrument, sets, script):
    """Same commands, same times, same samples, same contacts: every answer, frame of samples and status."""
    front = Scripted(12 if instrument == "ecg" else 1)
    simulator = KitDevice(identity(instrument, "T1"), front, sets, 0.0)
    device = Core(core, instrument, "T1")
    device.tick(0)
    script = [(COMMANDS[4], 0), *script]
    taken = 0
    for eighth, (command, contacts) in enumerate(script, 1):
        front.contacts = contacts if front.channels > 1 else contacts & 1
        wanted = simulator.receive(command, eighth / 8)
        device.receive(command, eighth * 125)
        said = b"".join(wanted)
        if command in {COMMANDS[4], COMMANDS[5], COMMANDS[6]} and simulator._index == 0:
            taken = 0
        due = simulator.advance(eighth / 8)
        said += b"".join(due)
        count = sets * sum(frame[2] == wire.SAMPLES for frame in due)
        if count:
            device.take(taken, front.take(taken, count))
            taken += count
        device.tick(eighth * 125, off=front.contacts)
        assert device.read() == said


def test_the_driver_reads_the_firmware_and_loses_nothing(core):
    rng = np.random.default_rng(3)
    sound = rng.integers(-32768, 32768, (1, 4000)).astype(np.int16)
    device, driver = Core(core, "stethoscope", "S9"), DRIVERS["kit-stethoscope"]()
    device.tick(0)
    device.receive(driver.start(), 1)
    events = driver.feed(Packet(device.read(), 0.1, ""))
    assert events == [
        Notice("identified", 0.1, detail="model=CHEVET-S1;serial=S9;firmware=0.1.0;simulated=1")
    ]
    device.receive(driver.tick(0.2), 200)
    device.take(0, sound[:, :1500])
    device.take(1750, sound[:, 1750:])  # 250 sets were lost in the device
    device.receive(driver.stop(), 900)
    events = driver.feed(Packet(device.read(), 1.0, ""))
    blocks = [event for event in events if isinstance(event, SampleBlock)]
    assert all(
        (block.values == sound[:, block.first : block.first + block.values.shape[1]]).all()
        for block in blocks
    )
    assert sum(block.values.shape[1] for block in blocks) == 3750
    assert driver.counters.lost_samples == 250
