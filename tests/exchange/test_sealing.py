"""Sealed bundles: opened by their recipients alone, bound together so that nothing can be swapped."""

import os
from dataclasses import replace

import pytest
from exchange_fakes import CLOCK, OTHER_KEY, PROGRAMME, SITE_KEY, bundle, sealed
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.exchange.errors import BadKey, Refused
from chevet.exchange.keys import (
    kid,
    new_sealing_key,
    new_signing_key,
    private_pem,
    public_text,
    sealing_key,
    sealing_public,
    signing_key,
    signing_public,
)
from chevet.exchange.manifest import CHUNK, CHUNK_PLAIN, MAX_MANIFEST, join, read_manifest, write_body
from chevet.exchange.sealing import Recipient, Sealed, open_manifest, open_object, open_sealed, seal
from chevet.study.bundle import Bundle, Part

VERIFY = SITE_KEY.public_key()
EDGES = st.sampled_from([CHUNK_PLAIN - 20, CHUNK_PLAIN, 2 * CHUNK_PLAIN])


def data_of(item: Sealed) -> dict[int, bytes]:
    return {part.oid: part.data for part in item.objects}


def test_every_recipient_opens_it_and_nobody_else():
    keys = [new_sealing_key() for _ in range(3)]
    what = bundle(1)
    item = seal(
        what, origin="abc", seq=7, priority=0, created=CLOCK, signer=SITE_KEY, random=os.urandom,
        recipients=[Recipient(str(n), key.public_key()) for n, key in enumerate(keys)],
    )  # fmt: skip
    manifest = open_manifest(item.manifest, VERIFY)
    for key in keys:
        assert open_sealed(manifest, data_of(item), key) == what
    with pytest.raises(Refused, match="not_a_recipient"):
        open_sealed(manifest, data_of(item), new_sealing_key())


def test_the_manifest_says_what_comes_and_nothing_about_the_patient():
    item = sealed(bundle(2), priority=0)
    manifest = open_manifest(item.manifest, VERIFY)
    assert (manifest.origin, manifest.seq, manifest.priority, manifest.label) == ("abc", 1, 0, "HTEST")
    assert (manifest.kind, manifest.id, manifest.created) == ("study", item.id, CLOCK)
    assert manifest.tid == item.tid
    assert [entry.size for entry in manifest.objects] == [len(part.data) for part in item.objects]
    assert manifest.chunks == sum(entry.chunks for entry in manifest.objects) == 1 + 1 + 8
    assert b"waveform" not in item.manifest


def test_a_manifest_for_three_recipients_is_small():
    keys = [Recipient(str(n), new_sealing_key().public_key()) for n in range(3)]
    item = seal(
        bundle(3), origin="abc", seq=1, priority=1, created=CLOCK, recipients=keys,
        signer=SITE_KEY, random=os.urandom,
    )  # fmt: skip
    assert len(item.manifest) < 600


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.integers(0, 9000) | st.sampled_from([CHUNK_PLAIN - 20, CHUNK_PLAIN, 2 * CHUNK_PLAIN]),
        min_size=1,
        max_size=4,
    )
)
def test_any_sizes_survive_and_each_object_opens_alone(sizes):
    what = bundle(4, [(3, size) for size in sizes])
    item = sealed(what)
    manifest = open_manifest(item.manifest, VERIFY)
    for part, cipher in zip(what.parts, item.objects, strict=True):
        assert open_object(manifest, part.oid, cipher.data, PROGRAMME) == part
        assert len(cipher.data) <= manifest.objects[part.oid].chunks * CHUNK


def test_two_seals_of_one_bundle_share_neither_key_nor_name():
    one, two = sealed(bundle(5)), sealed(bundle(5))
    assert one.objects[0].data != two.objects[0].data
    assert one.tid != two.tid


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_changed_manifest_is_refused(data):
    raw = bytearray(sealed(bundle(6)).manifest)
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Refused, match=r"malformed|bad_signature"):
        open_manifest(bytes(raw), VERIFY)


def test_another_signer_is_refused():
    item = sealed(bundle(7), key=OTHER_KEY)
    with pytest.raises(Refused, match="bad_signature"):
        open_manifest(item.manifest, VERIFY)


def resealed(item: Sealed, **change: object):
    """What an origin would send that lies in its own manifest."""
    return read_manifest(join(write_body(replace(read_manifest(item.manifest), **change)), bytes(64)))


def test_objects_cannot_be_swapped_cut_or_moved_to_another_bundle():
    what = bundle(8, [(3, 5000), (3, 5000)])
    item = sealed(what)
    manifest = read_manifest(item.manifest)
    first, second = item.objects
    for oid, data in ((0, second.data), (0, first.data[:-1]), (0, b""), (1, first.data)):
        with pytest.raises(Refused, match="bad_hash"):
            open_object(manifest, oid, data, PROGRAMME)
    crossed = resealed(
        item, objects=tuple(replace(entry, oid=1 - entry.oid) for entry in reversed(manifest.objects))
    )
    with pytest.raises(Refused, match="undecryptable"):
        open_object(crossed, 0, second.data, PROGRAMME)
    moved = resealed(item, id=bundle(9).id)
    with pytest.raises(Refused, match="undecryptable"):
        open_object(moved, 0, first.data, PROGRAMME)
    with pytest.raises(Refused, match="malformed"):
        open_object(manifest, 2, first.data, PROGRAMME)
    with pytest.raises(Refused, match="incomplete"):
        open_sealed(manifest, {0: first.data}, PROGRAMME)


def test_a_wrapped_key_that_is_damaged_is_refused():
    item = sealed(bundle(10))
    wrap = read_manifest(item.manifest).wraps[0]
    damaged = resealed(item, wraps=(replace(wrap, sealed_key=bytes(80)),))
    with pytest.raises(Refused, match="undecryptable"):
        open_object(damaged, 0, item.objects[0].data, PROGRAMME)


def test_a_sealed_part_of_unknown_kind_is_refused():
    strange = Bundle("a", "study", "a", (Part(0, 0, "surprise", "x", "", b"data"),))
    item = sealed(strange)
    with pytest.raises(Refused, match="malformed"):
        open_object(read_manifest(item.manifest), 0, item.objects[0].data, PROGRAMME)


def test_nothing_and_nobody_are_refused():
    with pytest.raises(ValueError, match="recipient"):
        seal(
            bundle(1), origin="abc", seq=1, priority=1, created=CLOCK, recipients=[],
            signer=SITE_KEY, random=os.urandom,
        )  # fmt: skip
    with pytest.raises(ValueError, match="recipient"):
        sealed(Bundle("a", "study", "a", ()))


@settings(max_examples=80)
@given(st.binary(max_size=100))
def test_garbage_is_no_manifest(data):
    with pytest.raises(Refused, match="malformed"):
        read_manifest(data)


def test_manifests_that_cannot_be_are_refused():
    item = sealed(bundle(11))
    entry = read_manifest(item.manifest).objects[0]
    for change in (
        {"kind": "virus"},
        {"objects": ()},
        {"objects": (replace(entry, size=CHUNK + 3),)},
        {"priority": 10},
    ):
        with pytest.raises(Refused, match="malformed"):
            resealed(item, **change)
    with pytest.raises(Refused, match="malformed"):
        read_manifest(bytes(MAX_MANIFEST + 1))


# Keys


@pytest.mark.parametrize("password", [None, b"four words in order"])
def test_private_keys_survive_their_file(password):
    sign, open_ = new_signing_key(), new_sealing_key()
    again = signing_key(private_pem(sign, password), password)
    assert public_text(again.public_key()) == public_text(sign.public_key())
    again = sealing_key(private_pem(open_, password), password)
    assert public_text(again.public_key()) == public_text(open_.public_key())


def test_public_keys_survive_as_text_and_as_bytes():
    sign, open_ = new_signing_key().public_key(), new_sealing_key().public_key()
    for key, read in ((sign, signing_public), (open_, sealing_public)):
        assert kid(read(public_text(key))) == kid(read(key.public_bytes_raw())) == kid(key)
    assert len(kid(sign)) == 8


def test_wrong_keys_are_refused_with_the_remedy():
    sign, open_ = private_pem(new_signing_key()), private_pem(new_sealing_key())
    for read, pem in ((signing_key, open_), (sealing_key, sign), (signing_key, b"junk")):
        with pytest.raises(BadKey, match=r"file"):
            read(pem)
    with pytest.raises(BadKey, match="password"):
        signing_key(private_pem(new_signing_key(), b"right"), b"wrong")
    for text in ("short", "*" * 44, b"short", public_text(new_signing_key().public_key())[:40]):
        with pytest.raises(BadKey, match="base64"):
            signing_public(text)
