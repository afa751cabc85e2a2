import json
from pathlib import Path

import pytest

from chevet.bridge.frame import Frame, FrameDecoder, crc16, encode

ROOT = Path(__file__).parents[2] / "firmware-bridge"
VECTORS = json.loads((ROOT / "vectors.json").read_text())


def named(items):
    return [pytest.param(item, id=item["name"]) for item in items]


def test_the_check_value_of_the_crc():
    check = VECTORS["crc_check"]
    assert f"{crc16(check['text'].encode()):04x}" == check["crc"]


@pytest.mark.parametrize("vector", named(VECTORS["frames"]))
def test_every_frame_of_the_specification_is_read_and_written(vector):
    frame = Frame(vector["type"], vector["seq"], bytes.fromhex(vector["payload"]))
    assert encode(frame).hex() == vector["frame"]
    assert FrameDecoder().feed(bytes.fromhex(vector["frame"])) == [frame]


@pytest.mark.parametrize("vector", named(VECTORS["streams"]))
def test_every_stream_of_the_specification_gives_its_frames(vector):
    decoder = FrameDecoder()
    found = decoder.feed(bytes.fromhex(vector["hex"]))
    assert [encode(frame).hex() for frame in found] == vector["frames"]
    assert decoder.discarded == vector["discarded"]
    assert decoder.pending == 0


def test_every_example_in_the_text_is_a_vector():
    text = (ROOT / "PROTOCOL.md").read_text()
    examples = text.split("## 10. Examples")[1].split("```")[1]
    digits = "".join(char for char in examples if char in "0123456789abcdef \n")
    joined = digits.replace(" ", "").replace("\n", "")
    frames = {vector["frame"] for vector in VECTORS["frames"]}
    shown = [frame for frame in frames if frame in joined]
    assert len(shown) == examples.count("a55a")
