import json
import random
import struct
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.bridge.frame import Frame, FrameDecoder, encode
from chevet.bridge.packet import Packet
from chevet.devices import kit_messages as wire
from chevet.devices.driver import DRIVERS
from chevet.devices.kit import kit_ecg, kit_oximeter, kit_stethoscope
from chevet.devices.samples import Notice, Reading, SampleBlock

VECTORS = {
    vector["name"]: vector
    for vector in json.loads((Path(__file__).parents[2] / "firmware-bridge" / "vectors.json").read_text())[
        "frames"
    ]
}


LEADS = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]


def vector(name):
    return bytes.fromhex(VECTORS[name]["frame"])


def commands(data):
    return [frame.type for frame in FrameDecoder().feed(data)]


def answer(command, code=0, seq=0):
    return encode(Frame(wire.ANSWER, seq, bytes((command, 0, code))))


def samples(first, values, seq=0, lost=0):
    values = np.atleast_2d(np.asarray(values, dtype=np.int16))
    head = struct.pack("<IIBB", first % 2**32, lost, values.shape[1], values.shape[0])
    return encode(Frame(wire.SAMPLES, seq, head + values.T.astype("<i2").tobytes()))


def status(off=0, battery=255, flags=1, seq=0):
    return encode(Frame(wire.STATUS, seq, struct.pack("<IIIHHHBB", 0, 0, 0, 0, 0, off, battery, flags)))


def started(driver, identity, at=1.0):
    driver.start()
    driver.feed(Packet(identity, at))
    assert commands(driver.tick(at + 0.2)) == [wire.START]
    assert driver.feed(Packet(answer(wire.START), at + 0.3)) == []
    return driver


def stethoscope():
    return started(kit_stethoscope(), vector("identity_stethoscope"))


def ecg():
    return started(kit_ecg(), vector("identity_ecg_simulated"))


def as_data(events):
    """Return events in a form that compares by value."""
    return [
        (event.channels, event.values.tolist(), event.first, event.at)
        if isinstance(event, SampleBlock)
        else event
        for event in events
    ]


def blocks(events):
    return [event for event in events if isinstance(event, SampleBlock)]


def notices(events, code):
    return [event for event in events if isinstance(event, Notice) and event.code == code]


def test_the_device_is_asked_who_it_is_and_then_started():
    driver = kit_stethoscope()
    assert driver.start() == vector("identify")
    assert driver.tick(1.0) == b""
    events = driver.feed(Packet(vector("identity_stethoscope"), 1.1))
    assert events == [Notice("identified", 1.1, detail="model=CHEVET-S1;serial=S0001;firmware=0.1.0")]
    assert driver.tick(1.25) == vector("start")
    assert driver.identity.channels[0].rate_hz == 4000
    driver.feed(Packet(answer(wire.START), 1.3))
    assert driver.tick(9.0) == b""


def test_a_simulated_device_says_so():
    driver = kit_ecg()
    driver.start()
    (notice,) = driver.feed(Packet(vector("identity_ecg_simulated"), 1.0))
    assert notice.detail == "model=CHEVET-E12;serial=E0001;firmware=0.1.0;simulated=1"


def test_unanswered_commands_are_repeated_each_half_second_for_ever():
    driver = kit_ecg()
    driver.start()
    sent = {at: commands(driver.tick(at / 4)) for at in range(40, 100)}
    assert [at for at, types in sent.items() if types] == list(range(42, 100, 2))
    driver.feed(Packet(vector("identity_ecg_simulated"), 25.0))
    sent = {at: commands(driver.tick(at / 4)) for at in range(100, 108)}
    assert [at for at, types in sent.items() if types == [wire.START]] == [100, 102, 104, 106]


def test_stop_is_sent_at_once_and_repeated_until_it_is_answered():
    driver = ecg()
    assert commands(driver.stop()) == [wire.STOP]
    assert driver.tick(10.0) == b""
    assert commands(driver.tick(10.5)) == [wire.STOP]
    driver.feed(Packet(answer(wire.STOP), 10.6))
    assert driver.tick(20.0) == b""


def test_every_command_has_the_next_sequence_number():
    driver = kit_ecg()
    data = driver.start() + b"".join(driver.tick(at / 2) for at in range(600))
    seqs = [frame.seq for frame in FrameDecoder().feed(data)]
    assert seqs == [number % 256 for number in range(len(seqs))]
    assert len(seqs) > 256


def test_samples_become_a_block_with_the_devices_own_gain():
    driver = ecg()
    values = np.arange(24).reshape(12, 2)
    (block,) = blocks(driver.feed(Packet(samples(0, values), 2.0)))
    assert block.values.tolist() == values.tolist()
    assert block.values.dtype == np.int16
    assert (block.first, block.at) == (0, 2.0)
    assert [channel.name for channel in block.channels] == LEADS
    assert {(channel.unit, channel.gain, channel.rate_hz) for channel in block.channels} == {
        ("mV", 0.001, 500)
    }


def test_a_jump_of_the_index_is_a_gap_with_a_notice_and_never_spliced():
    driver = stethoscope()
    driver.feed(Packet(samples(0, [1] * 100), 2.0))
    events = driver.feed(Packet(samples(300, [2] * 100), 2.1))
    assert notices(events, "lost_samples") == [Notice("lost_samples", 2.1, detail="200")]
    assert blocks(events)[0].first == 300
    assert driver.counters.lost_samples == 200


def test_what_is_lost_of_a_stream_that_has_just_begun_is_counted():
    driver = ecg()
    told = driver.feed(Packet(samples(225, np.zeros((12, 25))), 1.8))
    assert notices(told, "lost_samples") == [Notice("lost_samples", 1.8, detail="225")]
    assert [block.first for block in blocks(told)] == [225]
    assert driver.counters.lost_samples == 225


def test_what_was_not_heard_of_a_stream_that_ran_before_is_no_loss():
    driver = kit_ecg()
    driver.start()
    driver.feed(Packet(vector("identity_ecg_simulated") + status(flags=1), 1.0))
    driver.tick(1.2)
    driver.feed(Packet(answer(wire.START) + samples(225, np.zeros((12, 25))), 1.3))
    assert driver.counters.lost_samples == 0
    driver = ecg()  # nothing was heard of the stream while it was asked
    driver.feed(Packet(samples(5_000_000, np.zeros((12, 25))), 1.8))
    assert driver.counters.lost_samples == 0


def test_the_index_goes_on_over_its_wrap():
    driver = stethoscope()
    driver.feed(Packet(vector("samples_sound_at_wrap"), 2.0))
    (block,) = driver.feed(Packet(samples(2, [5, 6]), 2.01))
    assert block.first == 2**32 + 2
    assert driver.counters.lost_samples == 0


def test_samples_before_the_device_is_known_say_nothing():
    driver = kit_stethoscope()
    driver.start()
    assert driver.feed(Packet(samples(4000, [1, 2]), 1.0)) == []
    driver.feed(Packet(vector("identity_stethoscope"), 1.1))
    (block,) = driver.feed(Packet(samples(8000, [3, 4]), 1.2))
    assert block.first == 8000
    assert driver.counters.lost_samples == 0


def test_samples_with_another_number_of_channels_are_broken():
    driver = stethoscope()
    assert driver.feed(Packet(vector("samples_two_channels"), 2.0)) == []
    assert (driver.counters.bad_frames, driver.counters.frames) == (1, 2)


def test_a_device_that_restarts_is_identified_and_started_again_with_a_gap():
    driver = stethoscope()
    driver.feed(Packet(samples(0, [1] * 100), 2.0))
    driver.feed(Packet(status(flags=0), 4.0))
    assert commands(driver.tick(4.1)) == [wire.IDENTIFY]
    driver.feed(Packet(vector("identity_stethoscope"), 4.2))
    assert commands(driver.tick(4.3)) == [wire.START]
    driver.feed(Packet(answer(wire.START), 4.4))
    events = driver.feed(Packet(samples(0, [2] * 100), 5.0))
    assert blocks(events)[0].first == 100 + 3 * 4000 - 100
    assert notices(events, "lost_samples")[0].detail == str(3 * 4000 - 100)


def test_a_new_connection_goes_on_after_a_gap_that_is_no_loss():
    driver = stethoscope()
    driver.feed(Packet(samples(0, [1] * 100), 2.0))
    started(driver, vector("identity_stethoscope"), at=10.0)
    (block,) = driver.feed(Packet(samples(0, [2] * 100), 12.0))
    assert block.first == 10 * 4000
    assert driver.counters.lost_samples == 0


def test_leads_that_come_off_and_on_are_named_once():
    driver = ecg()
    assert notices(driver.feed(Packet(status(off=0b100000001), 2.0)), "lead_off") == [
        Notice("lead_off", 2.0, detail="I"),
        Notice("lead_off", 2.0, detail="V3"),
    ]
    assert notices(driver.feed(Packet(status(off=0b100000001), 3.0)), "lead_off") == []
    assert notices(driver.feed(Packet(status(off=0b1), 4.0)), "lead_off") == [
        Notice("lead_off", 4.0, on=False, detail="V3")
    ]
    assert notices(driver.feed(Packet(status(off=0xF001), 5.0)), "lead_off") == []


def test_a_stethoscope_off_the_skin_is_a_sensor_off():
    (notice,) = notices(stethoscope().feed(Packet(status(off=1), 2.0)), "sensor_off")
    assert (notice.detail, notice.on) == ("sound", True)


def test_contacts_of_an_unknown_device_are_left():
    driver = kit_ecg()
    driver.start()
    assert driver.feed(Packet(status(off=1), 2.0)) == []


def test_the_battery_is_read_when_it_changes_and_warned_of_when_low():
    driver = ecg()
    assert driver.feed(Packet(status(battery=255), 2.0)) == []
    assert driver.feed(Packet(status(battery=87), 3.0)) == [Reading("battery", 87, "%", 3.0)]
    assert driver.feed(Packet(status(battery=87), 4.0)) == []
    low = driver.feed(Packet(status(battery=9), 5.0))
    assert low == [Reading("battery", 9, "%", 5.0), Notice("battery_low", 5.0)]
    charging = driver.feed(Packet(status(battery=10, flags=3), 6.0))
    assert charging == [Reading("battery", 10, "%", 6.0, ("charging",)), Notice("battery_low", 6.0, on=False)]


@pytest.mark.parametrize(
    ("code", "detail"), [(1, "unknown_command"), (2, "bad_length"), (4, "version"), (77, "code=77")]
)
def test_a_device_that_refuses_to_start_is_not_asked_again(code, detail):
    driver = kit_ecg()
    driver.start()
    driver.feed(Packet(vector("identity_ecg_simulated"), 1.0))
    driver.tick(1.1)
    assert driver.feed(Packet(answer(wire.START, code), 1.2)) == [Notice("refused", 1.2, detail=detail)]
    assert driver.tick(60.0) == b""


def test_a_busy_device_is_asked_again_soon_and_a_silent_sensor_chip_later():
    driver = kit_ecg()
    driver.start()
    driver.feed(Packet(vector("identity_ecg_simulated"), 1.0))
    driver.tick(1.0)
    assert driver.feed(Packet(answer(wire.START, 3), 1.1)) == []
    assert commands(driver.tick(1.5)) == [wire.START]
    assert driver.feed(Packet(answer(wire.START, 5), 1.6)) == [Notice("refused", 1.6, detail="front_end")]
    assert driver.feed(Packet(answer(wire.START, 5), 1.7)) == []
    assert driver.tick(3.4) == b""
    assert commands(driver.tick(3.5)) == [wire.START]
    assert driver.feed(Packet(answer(wire.START), 3.6)) == [
        Notice("refused", 3.6, on=False, detail="front_end")
    ]


def test_another_major_version_is_reported_and_not_started():
    driver = kit_ecg()
    driver.start()
    newer = encode(Frame(wire.IDENTITY, 0, b"\x00\x02\x01\x01"))
    assert driver.feed(Packet(newer, 1.0)) == [Notice("refused", 1.0, detail="version=2.1")]
    assert driver.tick(60.0) == b""


def test_another_instrument_than_expected_is_reported_and_not_started():
    driver = kit_oximeter()
    driver.start()
    events = driver.feed(Packet(vector("identity_stethoscope"), 1.0))
    assert events == [Notice("refused", 1.0, detail="instrument=stethoscope")]
    assert driver.identity is None
    assert driver.tick(60.0) == b""


def test_late_answers_to_repeats_change_nothing():
    driver = ecg()
    assert driver.feed(Packet(vector("identity_ecg_simulated"), 3.0)) == []
    assert driver.feed(Packet(answer(wire.START, 5) + answer(wire.STOP), 3.0)) == []
    assert driver.tick(9.0) == b""


def test_types_of_a_later_version_are_ignored_as_good_frames():
    driver = ecg()
    before = driver.counters.frames
    assert driver.feed(Packet(vector("unknown_type"), 3.0)) == []
    assert (driver.counters.frames, driver.counters.bad_frames) == (before + 1, 0)


def test_a_false_head_is_given_up_when_the_line_is_quiet():
    driver = ecg()
    assert driver.feed(Packet(b"\xa5\x5a\x83\x00\x00\x04" + status(battery=50), 3.0)) == []
    assert driver.tick(3.2) == b""
    driver.tick(3.3)
    assert driver.feed(Packet(b"", 3.4)) == [Reading("battery", 50, "%", 3.3)]


def test_a_clock_that_is_off_is_told_once():
    driver = stethoscope()
    seen = []
    for number in range(1000):
        seen += notices(driver.feed(Packet(samples(number * 100, [0] * 100), 2 + number / 41)), "rate_wrong")
    assert [notice.detail for notice in seen] == ["nominal=4000;measured=4100.00"]


def test_a_true_clock_with_jitter_is_not_complained_of():
    driver, rng = stethoscope(), random.Random(3)
    for number in range(1000):
        at = 2 + number / 40 + rng.random() * 0.05
        assert not notices(driver.feed(Packet(samples(number * 100, [0] * 100), at)), "rate_wrong")


STREAM = (
    vector("identity_stethoscope")
    + answer(wire.START)
    + b"".join(samples(first, list(range(20))) for first in (0, 20, 40, 100, 120))
    + status(off=1, battery=40)
    + b"\xa5\x5a\xa5 noise \xff"
    + samples(140, [7] * 20)
)


def events_of(pieces):
    driver = kit_stethoscope()
    driver.start()
    return as_data([event for piece in pieces for event in driver.feed(Packet(piece, 5.0))]), driver.counters


@settings(max_examples=50)
@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_the_same_bytes_give_the_same_events_however_they_are_cut(places):
    ends = [0, *sorted(places), len(STREAM)]
    cut = [STREAM[start:end] for start, end in pairwise(ends)]
    assert events_of(cut) == events_of([STREAM])


def test_the_same_bytes_one_by_one_give_the_same_events():
    whole = events_of([STREAM])
    assert events_of([STREAM[at : at + 1] for at in range(len(STREAM))]) == whole
    assert len([event for event in whole[0] if isinstance(event, tuple)]) == 6


@settings(max_examples=100)
@given(st.lists(st.tuples(st.binary(max_size=300), st.integers(0, 255), st.integers(0x80, 0x85)), max_size=6))
def test_nothing_that_arrives_ever_raises(parts):
    for make in (kit_ecg, kit_stethoscope):
        driver = make()
        driver.start()
        driver.feed(Packet(vector("identity_stethoscope"), 0.0))
        for number, (data, seq, type_) in enumerate(parts):
            driver.feed(Packet(data, float(number)))
            driver.feed(Packet(encode(Frame(type_, seq, data)), number + 0.5))
            driver.tick(number + 0.9)
        assert driver.counters.frames + driver.counters.bad_frames > 0


@settings(max_examples=50)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=6))
def test_garbage_between_frames_costs_only_what_it_hit(noises):
    driver = stethoscope()
    data = b"".join(noise + samples(number * 4, [number] * 4) for number, noise in enumerate(noises))
    found = blocks(driver.feed(Packet(data, 2.0)))
    driver.tick(9.0)
    found += blocks(driver.feed(Packet(b"", 9.0)))
    assert [block.first for block in found] == [number * 4 for number in range(len(noises))]
    assert driver.counters.lost_samples == 0


def test_the_three_kit_drivers_are_listed_with_their_instruments():
    kit = {name: make() for name, make in DRIVERS.items() if name.startswith("kit-")}
    assert {name: driver.instrument for name, driver in kit.items()} == {
        "kit-ecg": "ecg",
        "kit-stethoscope": "stethoscope",
        "kit-oximeter": "oximeter",
    }
    assert all(driver.name == name for name, driver in kit.items())
