"""QRS detection, batch and streaming: properties on real ECG."""

import lzma
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from real_signals import DEVELOPER, needs_developer_data, twelve_leads
from scipy import signal

from chevet.signals import ecg
from chevet.signals.ecg_qrs import peak_near

ECG, RATE = twelve_leads()
LEAD = ECG[1]
BEATS = ecg.detect_qrs(LEAD, RATE)


def test_a_real_lead_gives_every_beat_once():
    assert len(BEATS) == 11
    assert np.all(np.diff(BEATS) > 0.5 * RATE)
    assert BEATS.dtype == np.int64


@pytest.mark.parametrize("scale", [1e-3, 0.1, 50.0, 1e4])
def test_scale_and_offset_change_no_beat(scale):
    np.testing.assert_array_equal(ecg.detect_qrs(LEAD * scale + 3 * scale, RATE), BEATS)


def test_a_lead_upside_down_gives_the_same_beats_within_the_qrs():
    turned = ecg.detect_qrs(-LEAD, RATE)
    assert len(turned) == len(BEATS)
    assert np.abs(turned - BEATS).max() <= 0.08 * RATE


@pytest.mark.parametrize(("height", "marked"), [(1.2, 100), (0.8, 100), (0.6, 118), (0.0, 118)])
def test_r_is_marked_where_it_is_tall_enough_and_else_the_deepest_wave(height, marked):
    at = np.arange(200)
    wave = height * np.exp(-0.5 * ((at - 100) / 4) ** 2) - np.exp(-0.5 * ((at - 118) / 4) ** 2)
    wave *= 3.0  # whatever the scale
    assert abs(peak_near(wave, np.array([106]), 23)[0] - marked) <= 1


@pytest.mark.parametrize("rate", [125, 180, 250, 360, 800, 1000])
def test_resampling_moves_no_beat_by_more_than_a_few_milliseconds(rate):
    other = signal.resample_poly(LEAD, rate, int(RATE))
    beats = ecg.detect_qrs(other, rate)
    assert len(beats) == len(BEATS)
    assert np.abs(beats / rate - BEATS / RATE).max() < 0.012


@pytest.mark.parametrize("row", range(12))
def test_every_lead_shows_the_same_rhythm(row):
    beats = ecg.detect_qrs(ECG[row], RATE)
    assert len(beats) == len(BEATS)
    assert np.abs(beats - BEATS).max() < 0.08 * RATE


def test_no_beat_is_found_inside_a_gap():
    gappy = LEAD.copy()
    gappy[1500:2600] = np.nan
    beats = ecg.detect_qrs(gappy, RATE)
    assert not np.any((beats >= 1500) & (beats < 2600))
    outside = BEATS[(BEATS < 1450) | (BEATS > 2650)]
    assert set(outside) <= set(beats)


def test_a_flat_line_has_no_beats():
    assert len(ecg.detect_qrs(np.zeros(5000), RATE)) == 0


@pytest.mark.parametrize(
    ("values", "rate", "remedy"),
    [
        (np.zeros(0), 500, "record longer"),
        (np.zeros(100), 500, "record longer"),
        (np.full(5000, np.nan), 500, "check the sensor"),
        (np.zeros((2, 5000)), 500, "one channel"),
        (np.zeros(5000), 20, "resample"),
        (np.zeros(5000), float("nan"), "resample"),
    ],
)
def test_bad_input_is_refused_with_a_remedy(values, rate, remedy):
    with pytest.raises(ValueError, match=remedy):
        ecg.detect_qrs(values, rate)


def fed(values, rate, cuts):
    detector = ecg.QrsDetector(rate)
    found = [detector.feed(part) for part in np.split(values, sorted(cuts))]
    return np.concatenate([*found, detector.flush()])


STREAMED = fed(LEAD, RATE, [])


def test_streaming_finds_the_beats_of_the_batch():
    assert len(STREAMED) == len(BEATS)
    assert np.abs(STREAMED - BEATS).max() <= 0.02 * RATE


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, len(LEAD)), max_size=60))
def test_any_cut_gives_the_same_beats(cuts):
    np.testing.assert_array_equal(fed(LEAD, RATE, cuts), STREAMED)


def test_one_sample_at_a_time_gives_the_same_beats_within_the_stated_delay():
    detector = ecg.QrsDetector(RATE)
    found, late = [], []
    for i, value in enumerate(LEAD):
        for beat in detector.feed([value]):
            found.append(beat)
            late.append((i - beat) / RATE)
    learnt = [d for d, b in zip(late, found, strict=True) if b > 2.5 * RATE]
    assert [*found, *detector.flush()] == list(STREAMED)
    assert max(learnt) <= 0.4


def test_a_gap_in_the_stream_gives_no_beat_and_no_crash():
    gappy = LEAD.copy()
    gappy[1500:2600] = np.nan
    found = fed(gappy, RATE, range(0, 5000, 37))
    assert not np.any((found >= 1500) & (found < 2600))
    assert len(found) >= 7
    assert len(fed(np.full(2000, np.nan), RATE, [3])) == 0


def test_a_stream_shorter_than_the_learning_time_still_gives_its_beats():
    short = LEAD[: int(1.6 * RATE)]
    assert len(fed(short, RATE, [100, 101])) in (1, 2)


def test_memory_of_the_stream_is_bounded():
    detector = ecg.QrsDetector(RATE)
    sizes = []
    for _ in range(12):
        detector.feed(LEAD)
        sizes.append(len(pickle.dumps(detector)))
    assert max(sizes[2:]) < 1.1 * sizes[1]


def noisy_minute(strength):
    """Six copies of the lead, the last four under slow edges such as a moving electrode makes."""
    rng = np.random.default_rng(5)
    long = np.tile(LEAD - np.linspace(LEAD[0], LEAD[-1], len(LEAD)), 6)
    steps = np.cumsum(rng.normal(0, 1, len(long)) * (rng.random(len(long)) < 3 / RATE))
    slow = signal.sosfiltfilt(signal.butter(2, [0.5, 8], "band", fs=RATE, output="sos"), steps)
    slow[: 2 * len(LEAD)] = 0
    return long + strength * np.ptp(LEAD) * slow / slow[2 * len(LEAD) :].std()


def test_slow_edges_of_a_moving_electrode_are_not_taken_for_beats():
    clean, noisy = ecg.detect_qrs(noisy_minute(0), RATE), ecg.detect_qrs(noisy_minute(0.5), RATE)
    near = np.abs(noisy[:, None] - clean).min(axis=1) < 0.1 * RATE
    assert near.mean() > 0.97
    assert len(noisy) == pytest.approx(len(clean), abs=3)


def test_a_stream_that_begins_without_its_beats_still_finds_the_later_ones():
    quiet = np.concatenate([0.002 * np.random.default_rng(0).standard_normal(int(4 * RATE)), LEAD])
    found = fed(quiet, RATE, range(0, len(quiet), 50))
    assert len(found[found > 8 * RATE]) >= 5


def test_a_block_of_several_leads_is_refused():
    with pytest.raises(ValueError, match="one lead"):
        ecg.QrsDetector(RATE).feed(ECG)


def mit_bih(record, seconds):
    folder = DEVELOPER / "ecg" / "mitdb"
    packed = np.frombuffer(lzma.decompress((folder / f"{record}.dat.xz").read_bytes()), np.uint8)
    packed = packed.reshape(-1, 3).astype(int)[: seconds * 360]
    first = packed[:, 0] | (packed[:, 1] & 15) << 8
    return (np.where(first > 2047, first - 4096, first) - 1024) / 200.0


@needs_developer_data
@pytest.mark.parametrize(
    ("record", "per_minute"), [("101", 62), ("106", 67), ("119", 66), ("208", 98), ("223", 87)]
)
def test_arrhythmia_records_give_their_number_of_beats(record, per_minute):
    found = ecg.detect_qrs(mit_bih(record, 1800), 360)
    assert len(found) / 30 == pytest.approx(per_minute, abs=1.5)
