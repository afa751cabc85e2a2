"""Lossless waveforms: exact, small, and hostile bytes refused."""

import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from study_examples import LEADS, ecg

from chevet.study.codec import MAX_SAMPLES, declared_shape, decode_waveform, encode_flac, encode_waveform
from chevet.study.errors import BundleError

shapes = st.tuples(st.integers(0, 20), st.integers(0, 40))
edges = st.sampled_from([-32768, -1, 0, 1, 32767])


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.int16, shapes, elements=st.integers(-32768, 32767) | edges), st.floats(0.1, 1e6))
@example(np.full((12, 3), -32768, np.int16), 500.0)
@example(np.tile(np.int16([32767, -32768]), (12, 4)), 500.0)
def test_any_samples_survive_exactly(samples, rate_hz):
    data = encode_waveform(samples, rate_hz)
    back = decode_waveform(data)
    assert back.dtype == np.int16
    assert np.array_equal(back, samples)
    assert declared_shape(data) == samples.shape


def test_the_same_samples_give_the_same_bytes():
    assert encode_waveform(ecg(), 500) == encode_waveform(ecg().copy(), 500)


@pytest.mark.parametrize(
    "halve",
    [
        lambda x: x >> 1,
        lambda x: np.fix(x / 2).astype(np.int32),
        lambda x: np.rint(x / 2).astype(np.int32),
    ],
    ids=["down", "toward zero", "half to even"],
)
def test_twelve_leads_travel_as_eight_where_four_follow(halve):
    eight = np.delete(ecg(), [2, 3, 4, 5], axis=0)
    one, two = eight[:2].astype(np.int32)
    limb = np.stack([two - one, halve(-one - two), halve(2 * one - two), halve(2 * two - one)])
    twelve = np.concatenate([eight[:2], limb.astype(np.int16), eight[2:]])
    data = encode_waveform(twelve, 500)
    assert len(twelve) == len(LEADS)
    assert np.array_equal(decode_waveform(data), twelve)
    assert len(data) < len(encode_waveform(eight, 500)) + 200


def test_leads_that_do_not_follow_are_stored_as_they_are():
    odd = np.random.default_rng(1).integers(-3000, 3000, (12, 500)).astype(np.int16)
    assert np.array_equal(decode_waveform(encode_waveform(odd, 500)), odd)


def test_lossless_means_smaller_than_raw():
    assert len(encode_waveform(ecg(), 500)) < ecg().nbytes / 3


@pytest.mark.parametrize(
    "bad", [np.zeros((2, 2), np.int64), np.zeros(4, np.int16), np.zeros((65, 1), np.int16)]
)
def test_other_arrays_are_refused(bad):
    with pytest.raises(ValueError, match="channels"):
        encode_waveform(bad, 500)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_damage_is_refused_or_detected(data):
    raw = bytearray(encode_waveform(ecg()[:, :300], 500))
    how = data.draw(st.sampled_from(["flip", "cut", "noise"]))
    at = data.draw(st.integers(0, len(raw) - 1))
    if how == "flip":
        raw[at] ^= 1 << data.draw(st.integers(0, 7))
    elif how == "cut":
        del raw[at:]
    else:
        raw[at : at + 4] = data.draw(st.binary(min_size=4, max_size=4))
    try:
        assert decode_waveform(bytes(raw)).shape[0] <= 64
    except BundleError as error:
        reason = error.reason
        assert reason.startswith("waveform_")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=120))
def test_garbage_is_refused(data):
    with pytest.raises(BundleError):
        decode_waveform(b"CVW\x01" + data[4:] + b"\xff")


def test_a_header_that_promises_too_much_costs_no_memory():
    for channels, count in ((64, 1 << 31), (2, MAX_SAMPLES)):
        head = struct.pack("<4sBBI", b"CVW\x01", 0, channels, count)
        tracemalloc.start()
        with pytest.raises(BundleError, match="waveform_header"):
            decode_waveform(head + b"\0" * 40)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 1 << 20


def test_a_stream_longer_than_declared_is_refused():
    long = encode_flac(ecg(), 500)
    short = struct.pack("<4sBBI", b"CVW\x01", long[4], 12, 100) + long[10:]
    with pytest.raises(BundleError, match="waveform_shape"):
        decode_waveform(short)
