"""Virtual front ends as state machines, read back by the kit's own drivers."""

import numpy as np
import pytest

from chevet.bridge.packet import Packet
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Notice, SampleBlock
from chevet.sim import kit
from chevet.sim import kit_wire as wire
from chevet.sim.bodies import ChestBody, EcgBody

IDENTIFY = wire.frame(wire.IDENTIFY, 0, b"\x01\x00")
START = wire.frame(wire.START, 1, b"")
STOP = wire.frame(wire.STOP, 2, b"")


def ecg_device(now=0.0):
    return kit.KitDevice(kit.ecg_identity("SIM00001E"), EcgBody(1), 25, now)


def types(frames):
    return [frame[2] for frame in frames]


def test_it_is_silent_but_for_one_status_a_second_until_started():
    device = ecg_device()
    sent = [types(device.advance(at / 50)) for at in range(1, 151)]
    assert [kinds for kinds in sent if kinds] == [[wire.STATUS]] * 3


def test_identify_says_that_it_is_simulated():
    (answer,) = ecg_device().receive(IDENTIFY, 0.0)
    assert answer[2] == wire.IDENTITY
    assert answer[6 + 4] & 1 == 1
    assert b"CHEVET-SIM-E12" in answer
    assert b"SIM00001E" in answer


def test_start_streams_the_right_number_of_samples_by_the_clock():
    device = ecg_device()
    device.receive(START, 0.0)
    frames = [frame for tick in range(1, 501) for frame in device.advance(tick * 0.02)]
    samples = [frame for frame in frames if frame[2] == wire.SAMPLES]
    assert len(samples) * 25 == 5000


def test_start_while_streaming_changes_nothing():
    device = ecg_device()
    device.receive(START, 0.0)
    device.advance(0.1)
    (answer,) = device.receive(START, 0.1)
    assert answer[6:9] == bytes((wire.START, 1, wire.DONE))
    (frame,) = device.advance(0.15)
    assert int.from_bytes(frame[6:10], "little") == 50


def test_no_samples_follow_the_answer_to_stop():
    device = ecg_device()
    device.receive(START, 0.0)
    device.advance(0.1)
    assert types(device.receive(STOP, 0.1)) == [wire.ANSWER]
    assert device.advance(0.5) == []


def test_unknown_and_short_commands_are_refused_by_code():
    device = ecg_device()
    (unknown,) = device.receive(wire.frame(0x55, 7, b""), 0.0)
    assert unknown[6:9] == bytes((0x55, 7, wire.UNKNOWN_COMMAND))
    (short,) = device.receive(wire.frame(wire.IDENTIFY, 8, b""), 0.0)
    assert short[6:9] == bytes((wire.IDENTIFY, 8, wire.BAD_LENGTH))


def test_a_simulator_that_slept_reports_the_samples_as_lost():
    device = ecg_device()
    device.receive(START, 0.0)
    device.advance(0.1)
    (after, *_) = [frame for frame in device.advance(5.15) if frame[2] == wire.STATUS]
    assert int.from_bytes(after[14:18], "little") == 2525


def test_a_lead_that_falls_off_is_told_at_once():
    body = EcgBody(1)
    device = kit.KitDevice(kit.ecg_identity("S"), body, 25, 0.0)
    body.leads_off.add("V3")
    (status,) = device.advance(0.02)
    assert int.from_bytes(status[6 + 16 : 6 + 18], "little") == 1 << 8
    body.leads_off.clear()
    assert device.advance(0.05) == []  # at most ten a second
    assert types(device.advance(0.13)) == [wire.STATUS]


@pytest.mark.parametrize(
    ("driver", "identity", "body", "sets", "rate_hz"),
    [
        ("kit-ecg", kit.ecg_identity("SIM1"), EcgBody(1), 25, 500),
        ("kit-stethoscope", kit.stethoscope_identity("SIM2"), ChestBody(1), 100, 4000),
    ],
)
def test_the_kits_driver_reads_every_sample_exactly(driver, identity, body, sets, rate_hz):
    device = kit.KitDevice(identity, body, sets, 0.0)
    reader = DRIVERS[driver]()
    events, to_device = [], reader.start()
    for tick in range(1, 201):
        now = tick * 0.02
        frames = device.receive(to_device, now) + device.advance(now)
        events += reader.feed(Packet(b"".join(frames), now))
        to_device = reader.tick(now)
    blocks = [event for event in events if isinstance(event, SampleBlock)]
    read = np.concatenate([block.values for block in blocks], axis=1)
    assert blocks[0].first == 0
    assert read.shape[1] >= 3 * rate_hz
    assert blocks[0].channels[0].rate_hz == rate_hz
    np.testing.assert_array_equal(read, body.take(0, read.shape[1]))
    (identified,) = [one for one in events if isinstance(one, Notice) and one.code == "identified"]
    assert "CHEVET-SIM" in identified.detail
    assert reader.counters.bad_frames == 0
