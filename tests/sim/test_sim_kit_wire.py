"""The simulator's own encoders against the vectors that firmware and host share."""

import itertools
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.sim import kit_wire as wire

VECTORS = json.loads((Path(__file__).parents[2] / "firmware-bridge" / "vectors.json").read_text())
FRAMES = {vector["name"]: vector for vector in VECTORS["frames"]}


def test_crc_gives_the_published_check_value():
    assert wire.crc16(b"123456789") == int(VECTORS["crc_check"]["crc"], 16) == 0x29B1


@pytest.mark.parametrize("vector", VECTORS["frames"], ids=lambda vector: vector["name"])
def test_every_vector_is_framed_to_the_same_bytes(vector):
    framed = wire.frame(vector["type"], vector["seq"], bytes.fromhex(vector["payload"]))
    assert framed.hex() == vector["frame"]


def _identity(fields):
    channels = tuple(
        wire.WireChannel(one["name"], one["unit"], Decimal(str(one["gain"])), Decimal(str(one["offset"])))
        for one in fields["channels"]
    )
    return wire.Identity(
        instrument={"ecg": 1, "stethoscope": 2}[fields["instrument"]],
        rate_mhz=round(fields["rate_hz"] * 1000),
        model=fields["model"],
        serial=fields["serial"],
        firmware=fields["firmware"],
        channels=tuple(_whole(channel) for channel in channels),
        bits=fields["bits"],
        simulated=fields["simulated"],
        version=(fields["major"], fields["minor"]),
    )


def _whole(channel):
    """Take away what a float's text adds: 1.0 is the decimal 1."""
    trim = {Decimal("1.0"): Decimal(1), Decimal("0.0"): Decimal(0)}
    return wire.WireChannel(
        channel.name,
        channel.unit,
        trim.get(channel.gain, channel.gain),
        trim.get(channel.offset, channel.offset),
    )


@pytest.mark.parametrize("name", ["identity_stethoscope", "identity_ecg_simulated"])
def test_identities_are_encoded_field_by_field(name):
    fields = FRAMES[name]["fields"]
    assert wire.identity_payload(_identity(fields), fields["answers"]).hex() == FRAMES[name]["payload"]


def test_gain_and_offset_keep_their_decimal_digits():
    vector = FRAMES["identity_gain_and_offset"]
    ours = wire.identity_payload(_identity(vector["fields"]), vector["fields"]["answers"]).hex()
    assert ours + "dead" == vector["payload"]  # the vector ends in two bytes of a later version


@pytest.mark.parametrize("name", ["answer_start_done", "answer_start_front_end"])
def test_answers_are_encoded_field_by_field(name):
    fields = FRAMES[name]["fields"]
    payload = wire.answer_payload(fields["command"], fields["answers"], fields["code"])
    assert payload.hex() == FRAMES[name]["payload"]


@pytest.mark.parametrize("name", ["samples_two_channels", "samples_sound_at_wrap"])
def test_samples_are_encoded_set_after_set(name):
    fields = FRAMES[name]["fields"]
    values = np.array(fields["values"], np.int16)
    assert wire.samples_payload(fields["first"], fields["lost"], values).hex() == FRAMES[name]["payload"]


@pytest.mark.parametrize("name", ["status_streaming_v3_off", "status_idle_mains"])
def test_status_is_encoded_field_by_field(name):
    fields = dict(FRAMES[name]["fields"])
    off = sum(1 << bit for bit in fields.pop("off"))
    battery = fields.pop("battery_pct")
    status = wire.Status(off=off, battery_pct=wire.NO_BATTERY if battery is None else battery, **fields)
    assert wire.status_payload(status).hex() == FRAMES[name]["payload"]


def test_a_gain_that_is_no_number_is_our_own_mistake():
    channel = wire.WireChannel("I", "mV", Decimal("NaN"))
    with pytest.raises(ValueError, match="finite"):
        wire.identity_payload(wire.Identity(1, 500_000, "M", "S", "F", (channel,)), 0)


IDENTIFY = bytes.fromhex(FRAMES["identify"]["frame"])
START = bytes.fromhex(FRAMES["start"]["frame"])
STOP = bytes.fromhex(FRAMES["stop"]["frame"])
COMMANDS = [wire.Command(1, 0, b"\x01\x00"), wire.Command(2, 1, b""), wire.Command(3, 2, b"")]


def _read(pieces):
    reader = wire.CommandReader()
    return [command for piece in pieces for command in reader.feed(piece, 0.0)], reader


def test_commands_are_found_between_noise():
    stream = b"\x00\xff\xa5" + IDENTIFY + b"garbage" + START + b"\xa5\xa5" + STOP
    found, _ = _read([stream])
    assert found == COMMANDS


@given(
    st.lists(st.binary(max_size=12).filter(lambda noise: b"\xa5" not in noise), min_size=4, max_size=4),
    st.data(),
)
@settings(max_examples=50)
def test_cutting_the_stream_anywhere_finds_the_same_commands(noises, data):
    stream = noises[0] + IDENTIFY + noises[1] + START + noises[2] + STOP + noises[3]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    edges = [0, *cuts, len(stream)]
    pieces = [stream[a:b] for a, b in itertools.pairwise(edges)]
    assert _read(pieces)[0] == _read([stream])[0] == COMMANDS
    assert _read([bytes([byte]) for byte in stream])[0] == COMMANDS


def test_a_broken_command_costs_itself_only_and_is_counted():
    broken = bytearray(START)
    broken[-1] ^= 1
    found, reader = _read([bytes(broken) + STOP])
    assert found == COMMANDS[2:]
    assert reader.bad_commands == 1


def test_an_impossible_length_is_no_frame():
    found, reader = _read([bytes.fromhex("a55a0200ffff") + START])
    assert found == COMMANDS[1:2]
    assert reader.bad_commands == 1


def test_a_false_start_is_given_up_when_the_line_is_quiet():
    reader = wire.CommandReader()
    false_start = bytes.fromhex("a55a02000004")  # promises 1024 bytes that never come
    assert reader.feed(false_start + START, 10.0) == []
    assert reader.feed(b"", 10.05) == []
    assert reader.feed(b"", 10.11) == COMMANDS[1:2]


@given(st.binary(max_size=300))
@settings(max_examples=50)
def test_no_noise_ever_raises(noise):
    reader = wire.CommandReader()
    reader.feed(noise, 0.0)
    assert isinstance(reader.feed(b"", 1.0), list)


def test_frames_meant_for_the_host_are_ignored_by_the_device():
    found, reader = _read([bytes.fromhex(FRAMES["answer_start_done"]["frame"]) + START])
    assert found == COMMANDS[1:2]
    assert reader.bad_commands == 0
