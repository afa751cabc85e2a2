import json
from dataclasses import is_dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.devices import kit_messages as wire
from chevet.devices.errors import BrokenPayload, DeviceError

VECTORS = json.loads((Path(__file__).parents[2] / "firmware-bridge" / "vectors.json").read_text())
PARSERS = {
    wire.IDENTITY: wire.parse_identity,
    wire.ANSWER: wire.parse_answer,
    wire.SAMPLES: wire.parse_samples,
    wire.STATUS: wire.parse_status,
}


def vectors(type_):
    return [pytest.param(v, id=v["name"]) for v in VECTORS["frames"] if v["type"] == type_]


@pytest.mark.parametrize("vector", vectors(wire.IDENTITY))
def test_identities_of_the_specification_are_read(vector):
    fields = vector["fields"]
    identity = wire.parse_identity(bytes.fromhex(vector["payload"]))
    for name in (
        "answers",
        "major",
        "minor",
        "instrument",
        "simulated",
        "bits",
        "model",
        "serial",
        "firmware",
    ):
        assert getattr(identity, name) == fields[name], name
    described = [
        {"name": channel.name, "unit": channel.unit, "gain": channel.gain, "offset": channel.offset}
        for channel in identity.channels
    ]
    assert described == fields["channels"]
    assert {channel.rate_hz for channel in identity.channels} == {fields["rate_hz"]}


@pytest.mark.parametrize("vector", vectors(wire.ANSWER))
def test_answers_of_the_specification_are_read(vector):
    fields = vector["fields"]
    answer = wire.parse_answer(bytes.fromhex(vector["payload"]))
    assert (answer.command, answer.answers, answer.code) == (
        fields["command"],
        fields["answers"],
        fields["code"],
    )


@pytest.mark.parametrize("vector", vectors(wire.SAMPLES))
def test_samples_of_the_specification_are_read(vector):
    fields = vector["fields"]
    sets = wire.parse_samples(bytes.fromhex(vector["payload"]))
    assert (sets.first, sets.lost) == (fields["first"], fields["lost"])
    assert sets.values.tolist() == fields["values"]
    assert sets.values.dtype == "int16"


@pytest.mark.parametrize("vector", vectors(wire.STATUS))
def test_statuses_of_the_specification_are_read(vector):
    status = wire.parse_status(bytes.fromhex(vector["payload"]))
    for name, value in vector["fields"].items():
        got = getattr(status, name)
        assert (list(got) if name == "off" else got) == value, name


@pytest.mark.parametrize("vector", [pytest.param(v, id=v["name"]) for v in VECTORS["broken_payloads"]])
def test_broken_payloads_of_the_specification_are_refused(vector):
    frame = bytes.fromhex(vector["frame"])
    with pytest.raises(BrokenPayload) as refused:
        PARSERS[frame[2]](frame[6:-2])
    assert isinstance(refused.value, DeviceError)
    assert vector["name"].startswith(refused.value.what)


def test_of_another_major_version_only_the_version_is_read():
    assert wire.parse_identity(b"\x05\x02\x07whatever follows") == wire.Identity(5, 2, 7)


@pytest.mark.parametrize(
    "text", [b"\x01;", b"\x01=", b"\x01\x1f", b"\x01\xe9", b"\x21" + b"a" * 33], ids=repr
)
def test_a_text_that_could_spoil_the_device_line_is_refused(text):
    head = bytes.fromhex("000100020000093d001001")
    channel = bytes.fromhex("05736f756e64013101000000000000000000")
    with pytest.raises(BrokenPayload):
        wire.parse_identity(head + text + b"\0\0" + channel)
    assert wire.parse_identity(head + b"\x01M\0\0" + channel).model == "M"


@pytest.mark.parametrize(
    "channel",
    [
        "00013101000000000000000000",
        "0173000100000000 0000000000",
        "01730131000000000000000000 00",
        "0173013101000000 0d0000000000",
    ],
)
def test_a_channel_without_name_unit_gain_or_with_a_wild_exponent_is_refused(channel):
    head = bytes.fromhex("000100020000093d001001") + b"\0\0\0"
    with pytest.raises(BrokenPayload):
        wire.parse_identity(head + bytes.fromhex(channel))


@settings(max_examples=100)
@given(st.binary(max_size=200), st.sampled_from(sorted(PARSERS)))
def test_garbage_is_read_or_refused_and_nothing_else(payload, type_):
    try:
        found = PARSERS[type_](payload)
    except BrokenPayload as refused:
        found = refused.what
    assert found in {"identity", "answer", "samples", "status"} or is_dataclass(found)
