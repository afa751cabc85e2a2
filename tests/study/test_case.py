"""Opinions and messages as they travel."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.study.bundle import Bundle
from chevet.study.case import (
    CERTAINTIES,
    MESSAGE_KINDS,
    Author,
    Medicine,
    Message,
    Opinion,
    Signature,
    author_bytes,
    message_bytes,
    opinion_bytes,
    pack_message,
    pack_opinion,
    unpack_message,
    unpack_opinion,
)
from chevet.study.errors import BundleError
from chevet.study.spoken import VoiceNote

text = st.text(max_size=20)
ids = st.uuids().map(str) | st.text(max_size=6)
authors = st.builds(Author, ids, text, text)
voices = st.none() | st.builds(
    VoiceNote,
    ids,
    st.integers(1, 60_000),
    st.integers(1, 90_000),
    st.binary(min_size=32, max_size=32),
)
signatures = st.builds(Signature, st.binary(max_size=64), st.binary(max_size=32), st.binary(max_size=64))
opinions = st.builds(
    Opinion,
    id=ids,
    case=ids,
    version=st.integers(1, 99),
    impression=text,
    certainty=st.sampled_from(CERTAINTIES),
    advice=text,
    urgency=text,
    transfer=st.booleans(),
    follow_up_date=st.none() | st.just("2026-12-24"),
    author=authors,
    signed_ms=st.integers(0, 1 << 45),
    label=st.sampled_from(["", "HTEST"]),
    signature=signatures,
    medicines=st.lists(st.builds(Medicine, text, text), max_size=3).map(tuple),
    voice=voices,
)
messages = st.builds(
    Message,
    *(ids, ids, st.sampled_from(MESSAGE_KINDS), text, authors, st.integers(0, 1 << 45)),
    *(text, text, text, text, signatures, voices),
)


@settings(max_examples=50)
@given(opinions)
def test_an_opinion_survives(opinion):
    bundle = pack_opinion(opinion)
    assert (bundle.id, bundle.kind, bundle.case) == (opinion.id, "opinion", opinion.case)
    assert unpack_opinion(bundle) == opinion


@settings(max_examples=50)
@given(messages)
def test_a_message_survives(message):
    assert unpack_message(pack_message(message)) == message


VOICE = VoiceNote("v", 9000, 11_000, bytes(32))
OPINION = Opinion(
    "a", "b", 1, "MR", "probable", "echo", "urgent", False, None, Author("d", "Dr", "cardiology"), 5
)
MESSAGE = Message("a", "b", "retake", "again please", Author("d", "Dr"), 5, "ecg")


def test_the_signature_covers_every_field_but_itself():
    changes = [
        {"id": "x"}, {"case": "x"}, {"version": 2}, {"impression": "x"}, {"certainty": "certain"},
        {"advice": "x"},
        {"urgency": "x"}, {"transfer": True}, {"follow_up_date": "2027-01-01"}, {"author": Author("e", "Dr")},
        {"signed_ms": 6}, {"label": "HTEST"}, {"medicines": (Medicine("a", "b"),)},
        {"voice": VOICE}, {"voice": replace(VOICE, sha256=bytes(31) + b"x")},
        {"voice": replace(VOICE, id="w")}, {"voice": VOICE, "medicines": (Medicine("a", "b"),)},
    ]  # fmt: skip
    signed = {opinion_bytes(replace(OPINION, **change)) for change in ({}, *changes)}
    assert len(signed) == len(changes) + 1
    assert opinion_bytes(replace(OPINION, signature=Signature(b"s"))) == opinion_bytes(OPINION)
    assert message_bytes(replace(MESSAGE, text="x")) != message_bytes(MESSAGE)
    assert message_bytes(replace(MESSAGE, voice=VOICE)) != message_bytes(MESSAGE)
    assert author_bytes(OPINION.author, b"k") != author_bytes(MESSAGE.author, b"k")


def test_one_is_not_taken_for_the_other():
    with pytest.raises(BundleError, match="another_kind"):
        unpack_message(pack_opinion(OPINION))
    with pytest.raises(BundleError, match="another_kind"):
        unpack_opinion(pack_message(MESSAGE))


def test_a_bundle_that_names_another_case_is_refused():
    with pytest.raises(BundleError, match="contradiction"):
        unpack_opinion(replace(pack_opinion(OPINION), case="z"))


def test_unknown_words_are_refused():
    with pytest.raises(BundleError, match="unknown_word"):
        unpack_opinion(pack_opinion(replace(OPINION, certainty="surely")))
    with pytest.raises(BundleError, match="wrong_type"):
        unpack_opinion(pack_opinion(replace(OPINION, follow_up_date=7)))


@settings(max_examples=100)
@given(st.data())
def test_damaged_bytes_are_refused_or_read(data):
    bundle = data.draw(st.sampled_from([pack_opinion(OPINION), pack_message(MESSAGE)]))
    raw = bytearray(bundle.parts[0].data)
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    damaged = Bundle(bundle.id, bundle.kind, bundle.case, (replace(bundle.parts[0], data=bytes(raw)),))
    read = unpack_opinion if bundle.kind == "opinion" else unpack_message
    try:
        assert read(damaged).id == bundle.id
    except BundleError:
        return
