"""Voice notes: what a minute weighs, what is no voice note, and whose it is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.study.bundle import Bundle, Part, read_part, write_part
from chevet.study.errors import BundleError
from chevet.study.spoken import (
    LONGEST_MS,
    MOST_BYTES,
    RATE_HZ,
    encode_voice,
    pack_voice,
    told_of,
    unpack_voice,
    voice_ms,
)

CASE = "0192aaaa-0000-7000-8000-000000000001"
VOICE = "0192aaaa-0000-7000-8000-000000000002"


def speech(seconds: float) -> bytes:
    """A voice without words: a pitch of 140 Hz that comes and goes three times a second."""
    at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    pitch = sum(np.sin(2 * np.pi * 140 * k * at) / k for k in range(1, 20))
    return (pitch * (1 + np.sin(2 * np.pi * 3 * at)) * 3000).astype("<i2").tobytes()


OGG = encode_voice(speech(2.0))


def test_two_seconds_of_speech_are_two_seconds_of_opus_within_its_rate():
    assert voice_ms(OGG) == pytest.approx(2000, abs=40)
    assert len(OGG) < 2 * 1.5 * 10_000 / 8 + 200
    assert encode_voice(speech(2.0)) == OGG, "equal sound gives equal bytes"


def test_a_slip_of_the_finger_and_a_speech_are_refused():
    with pytest.raises(BundleError, match="too_short"):
        encode_voice(speech(0.3))
    with pytest.raises(BundleError, match="too_long"):
        encode_voice(bytes(2 * RATE_HZ * 61))
    with pytest.raises(BundleError, match="malformed"):
        encode_voice(bytes(2 * RATE_HZ + 1))


def test_what_is_signed_names_this_sound_and_no_other():
    note = told_of(VOICE, OGG)
    assert (note.size, note.length_ms) == (len(OGG), voice_ms(OGG))
    assert note.names(OGG)
    assert not note.names(OGG[:-1] + b"x")


def test_it_travels_as_a_bundle_behind_all_words_and_previews():
    bundle = pack_voice(told_of(VOICE, OGG), CASE, OGG)
    assert [part.layer for part in bundle.parts] == [2]
    part = read_part(0, 2, write_part(bundle.parts[0]))
    assert unpack_voice(Bundle(VOICE, "voice", CASE, (part,))) == OGG


def test_a_bundle_of_something_else_is_no_voice_note():
    bundle = pack_voice(told_of(VOICE, OGG), CASE, OGG)
    for other in (
        replace(bundle, kind="message"),
        replace(bundle, parts=bundle.parts * 2),
        replace(bundle, parts=(Part(0, 2, "sound", "audio/ogg", "", OGG),)),
    ):
        with pytest.raises(BundleError, match="another_kind"):
            unpack_voice(other)


def test_two_channels_other_pages_and_too_many_bytes_are_refused():
    stereo = OGG.replace(b"OpusHead\x01\x01", b"OpusHead\x01\x02", 1)
    for bad in (b"", b"OggS", b"RIFF" + OGG, stereo, OGG[: len(OGG) // 2 + 7]):
        with pytest.raises(BundleError, match="malformed"):
            voice_ms(bad)
    with pytest.raises(BundleError, match="too_large"):
        voice_ms(OGG + bytes(MOST_BYTES))


@settings(max_examples=50)
@given(st.data())
def test_damaged_bytes_are_refused_or_have_a_length(data):
    raw = bytearray(OGG)
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    try:
        told = voice_ms(cut)
    except BundleError:
        told = LONGEST_MS
    assert 0 < told <= LONGEST_MS


@settings(max_examples=50)
@given(st.binary(max_size=200))
def test_no_bytes_are_taken_for_a_voice_note(data):
    with pytest.raises(BundleError):
        voice_ms(data)
