"""Frames of exact samples: two readers agree, odd rows come back, damage and bombs are refused."""

import struct
import tracemalloc

import numpy as np
import pytest
from codec_plain import read_numbers as plainly_read_numbers
from codec_plain import read_waveform
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from study_examples import ecg, heart_sound

from chevet.study import codec, codec_fit, codec_frame
from chevet.study.codec import FRAME, MAX_BYTES, decode_waveform, encode_flac, encode_waveform
from chevet.study.codec_frame import read_frame, write_frame
from chevet.study.codec_levels import Levels
from chevet.study.codec_numbers import read_bits, read_numbers, write_bits, write_numbers
from chevet.study.codec_predict import Reach, left_over, restored
from chevet.study.codec_rans import lanes_of, read_tokens, runs, write_tokens
from chevet.study.codec_tokens import TABLES, TOKENS, first_counts, frequencies, joined, split
from chevet.study.errors import BundleError

LOWEST, HIGHEST = -(1 << 31), (1 << 31) - 1


def wave(count: int, rows: int = 1, noise: float = 3.0) -> np.ndarray:
    rng = np.random.default_rng(count + rows)
    t = np.arange(count)
    shape = 400 * np.sin(t / 17) + 150 * np.sin(t / 5.3)
    return np.rint(np.outer(np.linspace(1, -0.6, rows), shape) + rng.normal(0, noise, (rows, count))).astype(
        np.int64
    )


# One number after the other


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(np.int64, st.integers(0, 60), elements=st.integers(-(1 << 32) + 1, (1 << 32) - 1)))
@example(np.array([0, 31, 32, -31, -32, 35, 36, LOWEST, HIGHEST, (1 << 32) - 1]))
def test_any_number_is_a_token_and_a_few_bits(values):
    tokens, low, extra = split(values)
    assert tokens.min(initial=0) >= 0
    assert tokens.max(initial=0) < TOKENS
    assert not np.any(low >> extra)
    assert np.array_equal(joined(tokens, low), values)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, (1 << 60) - 1), st.integers(0, 60)), max_size=40))
def test_bits_come_back_in_their_order(pairs):
    values = np.array([value & ((1 << count) - 1) for value, count in pairs], np.int64)
    counts = np.array([count for _, count in pairs], np.int64)
    data = write_bits(values, counts)
    assert len(data) == -(-int(counts.sum()) // 8)
    assert np.array_equal(read_bits(data, counts), values)
    with pytest.raises(BundleError, match="waveform_length"):
        read_bits(data + b"\0", counts)


@settings(max_examples=20, deadline=None)
@given(
    hnp.arrays(np.int64, st.integers(0, 700), elements=st.integers(-40, 40) | st.integers(LOWEST, HIGHEST)),
    st.integers(0, 20),
    st.integers(0, 3),
)
def test_both_readers_read_the_same_numbers(values, shift, pace):
    shifts = np.full_like(values, shift)
    data = write_numbers(values, shifts, pace)
    assert np.array_equal(read_numbers(data, shifts), values)
    assert plainly_read_numbers(data, shifts.tolist()) == values.tolist()


def test_a_number_too_large_is_said_and_not_cut():
    with pytest.raises(OverflowError, match="33 bits"):
        write_numbers(np.array([1 << 40]), np.zeros(1, np.int64))


def test_tables_add_up_and_leave_no_token_out():
    for size in (1, 2, 100, TOKENS):
        shares = frequencies(first_counts(size))
        assert shares.shape == (TABLES, size)
        assert (shares.sum(1) == 1 << 15).all()
        assert shares.min() >= 1


def test_runs_cover_every_step_once():
    for steps in (0, 1, 2, 3, 40, 1000):
        assert [step for first, end in runs(steps) for step in range(first, end)] == list(range(steps))


def test_what_is_expected_costs_next_to_nothing():
    tokens = np.zeros(50_000, np.int64)
    assert len(write_tokens(tokens, 1, 0, 0)) <= 4 * lanes_of(50_000)
    tokens[25_000] = 9
    assert len(write_tokens(tokens, 10, 0, 0)) < 4 * lanes_of(50_000) + 200


@pytest.mark.parametrize("cut", [2, 4, 40])
def test_words_that_are_missing_or_left_over_are_refused(cut):
    tokens = split(wave(3000)[0] % 29)[0]
    size = int(tokens.max()) + 1
    data = write_tokens(tokens, size, 3, 0)
    assert np.array_equal(read_tokens(data, 3000, size, 3, 0), tokens)
    with pytest.raises(BundleError):
        read_tokens(data[:-cut], 3000, size, 3, 0)
    with pytest.raises(BundleError):
        read_tokens(data + bytes(cut), 3000, size, 3, 0)


# Rows


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 6),
    st.integers(1, 90),
    st.tuples(st.integers(0, 9), st.integers(0, 5), st.integers(1, 4), st.integers(0, 3), st.integers(0, 14)),
    st.integers(1, 3),
)
def test_prediction_is_taken_back_exactly(rows, length, reach, places):
    own, above, back, ahead, scale = reach
    shape = Reach(own, min(above, rows - 1), back, ahead, scale)
    rng = np.random.default_rng(rows * length)
    laid = rng.integers(-(1 << 20), 1 << 20, (rows, places, length))
    coefficients = rng.integers(-300, 300, (rows, places, shape.taps))
    rest = left_over(laid, coefficients, shape)
    assert np.array_equal(restored(rest, coefficients, shape), laid)


def test_prediction_is_exact_where_a_float_is_not():
    reach = Reach(4, 0, 0, 0, 16)
    laid = np.random.default_rng(1).integers(LOWEST, HIGHEST, (1, 1, 50)) * 2
    coefficients = np.full((1, 1, 4), (1 << 18) - 1)
    assert np.array_equal(restored(left_over(laid, coefficients, reach), coefficients, reach), laid)


def test_the_fit_finds_what_made_a_row():
    rng = np.random.default_rng(2)
    row = np.zeros(4000)
    for at in range(2, 4000):
        row[at] = 1.6 * row[at - 1] - 0.8 * row[at - 2] + rng.normal(0, 40)
    laid = np.rint(row).astype(np.int64)[None, None]
    found = codec_fit.coefficients(laid, Reach(2, 0, 0, 0, 12))[0, 0] / 4096
    assert found == pytest.approx([-0.8, 1.6], abs=0.05)


def test_quiet_stretches_are_predicted_by_their_own_rule_though_others_are_loud():
    """Plain least squares would serve the loud tenth alone."""
    rng = np.random.default_rng(3)
    row = np.zeros(5000)
    for at in range(1, 5000):
        loud = at % 1000 < 100
        row[at] = (0.2 if loud else 0.99) * row[at - 1] + rng.normal(0, 900 if loud else 4)
    laid = np.rint(row).astype(np.int64)[None, None]
    reach = Reach(1, 0, 0, 0, 12)
    found = codec_fit.coefficients(laid, reach)
    quiet = np.arange(5000) % 1000 > 200
    assert np.abs(left_over(laid, found, reach)[0, 0])[quiet].mean() < 5


def test_levels_that_do_not_occur_cost_nothing():
    grid = wave(4000, noise=20.0)
    dense, coarse, uneven = (len(write_frame(rows)) for rows in (grid, 256 * grid, _uneven(grid)))
    assert coarse <= dense + 8
    assert uneven < dense + 4 * np.unique(grid).size
    assert np.array_equal(read_frame(write_frame(_uneven(grid)), grid.shape), _uneven(grid))


def _uneven(grid: np.ndarray) -> np.ndarray:
    steps = np.random.default_rng(4).integers(20, 60, int(grid.max() - grid.min()) + 1)
    return np.cumsum(steps)[grid - grid.min()]


def test_levels_that_contradict_themselves_are_refused():
    for numbers in ([1, 1], [0, -1, 0], [0, 1, 3, 1, 1], [0, 1, 2, 1, 0], [0, 1, -1]):
        with pytest.raises(BundleError, match="waveform_levels"):
            Levels.read(np.array(numbers, np.int64))
    listed = Levels(10, 2, np.array([3, 1], np.int64))
    assert listed.values(np.array([0, 1, 2])).tolist() == [10, 16, 18]
    for rank in (-1, 3):
        with pytest.raises(BundleError, match="waveform_levels"):
            listed.values(np.array([rank]))


# Waveforms


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros((1, 1), np.int16),
        np.full((3, 700), -32768, np.int16),
        np.full((2, 700), HIGHEST, np.int32),
        wave(700).astype(np.int16),
        wave(300, 15).astype(np.int16),
        wave(2600, 2).astype(np.int32) * 4000,
        np.random.default_rng(5).integers(-32768, 32768, (2, 900)).astype(np.int16),
        np.random.default_rng(6).integers(LOWEST, HIGHEST, (2, 400)).astype(np.int32),
        np.tile(np.int16([32767, -32768]), (3, 300)),
        np.concatenate([np.full((1, 500), 9), wave(500)]).astype(np.int16),
        ecg()[:, :260],
        heart_sound()[:, :1500],
    ],
    ids=lambda samples: f"{samples.shape[0]}x{samples.shape[1]}-{samples.dtype}-{samples.flat[-1]}",
)
def test_both_readers_read_the_same_samples(samples):
    blob = encode_waveform(samples, 500.0)
    assert np.array_equal(decode_waveform(blob), samples)
    framed = codec._encode_frames(samples, 0)
    if framed is not None:
        assert np.array_equal(decode_waveform(framed), samples)
        assert read_waveform(framed) == samples.tolist()
    assert len(blob) == min(len(encode_flac(samples, 500.0)), len(framed or bytes(1 << 20)), len(blob))


def test_what_flac_holds_in_less_travels_as_flac():
    noise = np.random.default_rng(7).integers(-32768, 32768, (1, 6400)).astype(np.int16)
    assert encode_waveform(noise, 250.0) == encode_flac(noise, 250.0)


def test_a_bad_fit_costs_bytes_and_never_a_sample(monkeypatch):
    monkeypatch.setattr(
        codec_frame, "coefficients", lambda laid, reach: np.full((*laid.shape[:2], reach.taps), 1 << 18)
    )
    loud = (wave(400) * 4_000_000 + np.arange(400) % 7).astype(np.int32)
    assert np.array_equal(read_frame(write_frame(loud.astype(np.int64)), loud.shape), loud)
    quiet = np.zeros((1, 400), np.int32)
    quiet[0, 49::80] = 1
    quiet[0, 50::80] = HIGHEST - np.arange(5) * 12_345
    with pytest.raises(OverflowError):
        write_frame(quiet.astype(np.int64))
    assert encode_waveform(quiet, 250.0) == encode_flac(quiet, 250.0)


def test_a_recording_of_several_frames_comes_back(monkeypatch):
    monkeypatch.setattr(codec, "FRAME", 3000)
    samples = wave(2501, 3).astype(np.int16)
    blob = encode_waveform(samples, 500.0)
    assert blob[:4] == b"CVW\x03"
    sizes = list(codec._frames(3, 2501))
    assert sizes == [(0, 834), (834, 1668), (1668, 2501)]
    assert np.array_equal(decode_waveform(blob), samples)
    with pytest.raises(BundleError, match="waveform_length"):
        decode_waveform(blob + b"\0")
    with pytest.raises(BundleError, match="waveform_length"):
        decode_waveform(blob[: 12 + struct.unpack_from("<I", blob, 10)[0] + 3])


def test_a_long_recording_is_cut_into_segments():
    rows = wave(9000, 2)
    places = struct.unpack_from("<BBBBBBH", write_frame(rows))[-1]
    assert places == 2
    assert np.array_equal(read_frame(write_frame(rows), rows.shape), rows)


def test_the_same_rows_give_the_same_bytes_wherever_they_lie_in_memory():
    rows = wave(1500, 4)
    turned = np.asfortranarray(rows)
    apart = np.repeat(rows, 2, axis=1)[:, ::2]
    assert write_frame(rows) == write_frame(turned) == write_frame(apart)


# Hostile bytes


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a_damaged_frame_is_refused_or_gives_samples(data):
    rows = wave(120, 3)
    raw = bytearray(FRAMED)
    at = data.draw(st.integers(0, len(raw) - 1))
    how = data.draw(st.sampled_from(["flip", "cut", "noise"]))
    if how == "flip":
        raw[at] ^= 1 << data.draw(st.integers(0, 7))
    elif how == "cut":
        del raw[at:]
    else:
        raw[at : at + 4] = data.draw(st.binary(min_size=4, max_size=4))
    try:
        assert read_frame(bytes(raw), rows.shape).shape == rows.shape
    except BundleError as error:
        reason = error.reason
        assert reason.startswith("waveform_")


FRAMED = write_frame(wave(120, 3))


@pytest.mark.parametrize(
    "head",
    [
        (4, 16, 2, 2, 1, 12, 1),  # more rows than channels
        (3, 65, 2, 2, 1, 12, 1),
        (3, 16, 3, 2, 1, 12, 1),  # as many rows above as there are
        (3, 16, 2, 0, 1, 12, 1),
        (3, 16, 0, 2, 1, 12, 1),
        (3, 16, 2, 30, 3, 12, 1),
        (3, 16, 2, 2, 1, 17, 1),
        (3, 16, 2, 2, 1, 12, 0),
        (3, 16, 2, 2, 1, 12, 2),  # segments that are too short
        (2, 16, 1, 2, 1, 12, 1),  # fewer rows than move
        (3, 15, 2, 2, 1, 12, 1),  # fewer coefficients than are there
    ],
)
def test_heads_of_frames_that_nobody_writes_are_refused(head):
    with pytest.raises(BundleError, match="waveform_"):
        read_frame(struct.pack("<BBBBBBH", *head) + FRAMED[8:], (3, 120))


@pytest.mark.parametrize(("channels", "count"), [(1, 1 << 24), (64, 1 << 18), (16, 1 << 20), (2, 70_000)])
def test_a_bomb_is_refused_before_memory_is_taken(channels, count):
    assert channels * count * 2 <= MAX_BYTES
    side = write_numbers(np.zeros(3 * channels, np.int64), np.zeros(3 * channels, np.int64))
    frame = struct.pack("<BBBBBBHII", channels, 16, 0, 0, 0, 12, 1, 60_000_000, len(side)) + side
    blob = struct.pack("<4sBBII", b"CVW\x03", 0, channels, count, len(frame)) + frame
    tracemalloc.start()
    with pytest.raises(BundleError, match="waveform_"):
        decode_waveform(blob)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < channels * count * 2 + (4 << 20)


def test_a_frame_takes_memory_for_itself_and_no_more(monkeypatch):
    samples = wave(FRAME // 64, 2).astype(np.int16)
    monkeypatch.setattr(codec, "FRAME", FRAME // 128)
    blob = encode_waveform(samples, 500.0)
    tracemalloc.start()
    decode_waveform(blob)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < samples.nbytes + FRAME // 128 * 200 + (2 << 20)


def test_what_was_read_is_within_its_width():
    rows = wave(300, 2) * 1000
    frame = write_frame(rows)
    blob = struct.pack("<4sBBII", b"CVW\x03", 0, 2, 300, len(frame)) + frame
    with pytest.raises(BundleError, match="waveform_stream"):
        decode_waveform(blob)
    assert codec_frame.read_frame(frame, (2, 300)).max() > 32767
