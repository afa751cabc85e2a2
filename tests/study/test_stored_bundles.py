"""Bundles packed by every version there ever was: they open for ever, to the same study."""

import pytest
from study_examples import as_tuple
from study_stored import FOLDER, read_stored, stored_visit

from chevet.study.bundle import Bundle, content_hash, pack, preview_waveform, unpack
from chevet.study.cbor import decode
from chevet.study.summary import read_shapes

HASHES = {
    "summary-1": "f25a479aeaf805e94362f100bb9e54c234420d292ab8b4a76edef93386fb86d3",
    "summary-2": "1869a200fa35407359b2d140173143c3e01b2c35d225348c91b3f92469ea8050",
    "preview-2": "6db80afe81ae7d8724c14758f73f15f8cb523cac241e00f39aba44a87a66690a",
    "waveform-3": "7843b4b95a0ca7be8a2858597db81b1c25f2ad128adca808fda82fb15acb22ad",
}
"""Of each stored bundle, so that nobody stores another one under an old name."""

BEFORE_CLIPS = ("summary-1", "summary-2")
PREVIEW_HZ = {
    "summary-1": [125.0, 125.0],
    "summary-2": [125.0, 125.0],
    "preview-2": [500.0, 250.0],
    "waveform-3": [500.0, 250.0],
}


def test_every_stored_bundle_is_tried():
    assert {path.stem for path in FOLDER.glob("*.cbor")} == set(HASHES)


@pytest.mark.parametrize("name", HASHES)
def test_a_stored_bundle_opens_to_the_same_study(name):
    bundle = read_stored(name)
    assert content_hash(bundle) == HASHES[name]
    assert as_tuple(unpack(bundle)) == as_tuple(stored_visit(clip=name not in BEFORE_CLIPS))


@pytest.mark.parametrize("name", HASHES)
def test_every_layer_of_a_stored_bundle_opens_alone(name):
    bundle = read_stored(name)
    study, shapes = read_shapes(bundle.parts[0].data)
    assert [shapes[item.id].samples for item in study.recordings[:4]] == [(600,), (2000,), (500,), (100,)]
    previews = [preview_waveform(p) for p in bundle.parts if (p.layer, p.kind) == (1, "waveform")]
    assert [len(item.channels) for item in previews] == [12, 1]
    assert [item.channels[0].rate_hz for item in previews] == PREVIEW_HZ[name]
    sounds = [part.data[:4] for part in bundle.parts if part.kind == "sound"]
    assert sounds == [b"OggS"] * 4
    stills = [part for part in bundle.parts if (part.layer, part.kind) == (1, "picture")]
    assert [part.media_type for part in stills] == ["image/avif"]


def test_what_is_packed_today_has_a_stored_example():
    """A new version of a format is stored as a new example, under a new name."""

    def versions(bundle: Bundle) -> list:
        previews = [decode(p.data)[0] for p in bundle.parts if (p.layer, p.kind) == (1, "waveform")]
        blobs = [decode(p.data)[0][1][:4] for p in bundle.parts if (p.layer, p.kind) == (3, "waveform")]
        return [bundle.parts[0].data[0], previews, blobs, [p.kind for p in bundle.parts]]

    assert versions(read_stored(list(HASHES)[-1])) == versions(pack(stored_visit()))
