"""What must not matter to beats, waves and numbers: scale, offset, polarity, rate, gaps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from real_signals import LEADS, twelve_leads
from scipy import signal

from chevet.signals import ecg

ECG, RATE = twelve_leads()
LEAD = ECG[1]
BEATS = ecg.detect_qrs(LEAD, RATE)
WHOLE = ecg.measure(ECG, RATE, LEADS)
LENGTH = ECG.shape[1]


def streamed(values, rate=RATE, block=97):
    detector = ecg.QrsDetector(rate)
    found = [detector.feed(values[s : s + block]) for s in range(0, len(values), block)]
    return np.concatenate([*found, detector.flush()])


STREAMED = streamed(LEAD)


@settings(max_examples=15, deadline=None)
@given(st.floats(-3, 4), st.floats(-50, 50))
def test_beats_do_not_depend_on_scale_and_offset(decades, offset):
    other = (LEAD + offset) * 10.0**decades
    np.testing.assert_array_equal(ecg.detect_qrs(other, RATE), BEATS)


@settings(max_examples=5, deadline=None)
@given(st.floats(-3, 4), st.floats(-50, 50))
def test_beats_of_a_stream_do_not_depend_on_scale_and_offset(decades, offset):
    np.testing.assert_array_equal(streamed((LEAD + offset) * 10.0**decades), STREAMED)


def test_a_stream_upside_down_gives_the_same_beats_within_the_qrs():
    turned = streamed(-LEAD)
    assert len(turned) == len(STREAMED)
    assert np.abs(turned - STREAMED).max() <= 0.08 * RATE


def test_waves_of_leads_upside_down_stay_where_they_are():
    upright, turned = ecg.delineate(ECG, RATE, BEATS), ecg.delineate(-ECG, RATE, BEATS)
    for name in ("qrs_on", "qrs_off", "t_off"):
        np.testing.assert_array_equal(getattr(turned, name), getattr(upright, name))


def test_axes_turn_round_and_st_changes_sign_with_the_leads():
    turned = ecg.measure(-ECG, RATE, LEADS)
    assert turned.qt.value == pytest.approx(WHOLE.qt.value, abs=4)
    assert abs(turned.qrs_axis.value - WHOLE.qrs_axis.value) == pytest.approx(180, abs=4)
    for plain, other in zip(WHOLE.st, turned.st, strict=True):
        assert other.value == pytest.approx(-plain.value, abs=0.01)


@pytest.mark.parametrize("rate", [125, 200, 250, 360, 1000])
def test_waves_and_numbers_do_not_depend_on_the_rate(rate):
    other = ecg.measure(signal.resample_poly(ECG, rate, int(RATE), axis=1), rate, LEADS)
    coarse = 1000 / rate
    assert other.heart_rate.value == pytest.approx(WHOLE.heart_rate.value, abs=0.5)
    for name, within_ms in (("pr", 10), ("qrs", 8), ("qt", 12)):
        assert getattr(other, name).value == pytest.approx(getattr(WHOLE, name).value, abs=within_ms + coarse)
    assert other.qrs_axis.value == pytest.approx(WHOLE.qrs_axis.value, abs=4)


@pytest.mark.parametrize("rate", [125, 250, 1000])
def test_beats_of_a_stream_do_not_depend_on_the_rate(rate):
    found = streamed(signal.resample_poly(LEAD, rate, int(RATE)), rate)
    assert len(found) == len(STREAMED)
    assert np.abs(found / rate - STREAMED / RATE).max() < 0.02


@settings(max_examples=8, deadline=None)
@given(st.integers(0, LENGTH - 1), st.integers(1, 2500))
def test_a_gap_never_becomes_signal(start, length):
    gappy = ECG.copy()
    gappy[:, start : start + length] = np.nan
    inside = range(start, start + length)
    for beats in (ecg.detect_qrs(gappy[1], RATE), streamed(gappy[1])):
        assert not set(beats) & set(inside)
    found = ecg.delineate(gappy, RATE, ecg.beats_of(gappy, RATE, LEADS))
    for name in ("p_on", "p_peak", "p_off", "qrs_on", "qrs_off", "t_on", "t_peak", "t_off"):
        assert not set(getattr(found, name)) & set(inside)


@pytest.mark.parametrize("lost", [0, 5, 11])
def test_a_lead_that_never_arrived_takes_no_number_from_the_others(lost):
    partly = ECG.copy()
    partly[lost] = np.nan
    found = ecg.measure(partly, RATE, LEADS)
    assert found.st[lost].value is None
    assert all(m.value is not None for m in found.st[:lost] + found.st[lost + 1 :])
    assert found.qt.value == pytest.approx(WHOLE.qt.value, abs=20)
    assert found.qrs.value == pytest.approx(WHOLE.qrs.value, abs=10)


@pytest.mark.parametrize("size", range(1, 12))
def test_any_number_of_leads_can_be_delineated(size):
    waves = ecg.delineate(ECG[:size], RATE, BEATS)
    width = (waves.qrs_off - waves.qrs_on)[waves.qrs_on >= 0] / RATE
    assert len(width) >= len(BEATS) - 1
    assert 0.05 < np.median(width) < 0.14


NOTHING = [
    (np.zeros((12, 0)), "record longer"),
    (np.zeros((12, 300)), "record longer"),
    (np.full((12, 5000), np.nan), "check the sensor"),
    (np.zeros((5000, 12)), "transpose"),
    (np.zeros((2, 3, 5000)), "leads as rows"),
]


@pytest.mark.parametrize("call", [ecg.measure, ecg.lead_swap, lambda x, r: ecg.delineate(x, r, [])])
@pytest.mark.parametrize(("values", "remedy"), NOTHING)
def test_what_cannot_be_measured_is_refused_with_a_remedy(call, values, remedy):
    with pytest.raises(ValueError, match=remedy):
        call(values, 500)


@pytest.mark.parametrize("call", [ecg.measure, ecg.lead_swap, lambda x, r: ecg.delineate(x, r, [])])
@pytest.mark.parametrize("rate", [0, 99, 2001, -500, float("inf")])
def test_a_rate_that_was_never_tried_is_refused(call, rate):
    with pytest.raises(ValueError, match="resample"):
        call(ECG, rate)


def test_a_stream_at_a_rate_that_was_never_tried_is_refused():
    with pytest.raises(ValueError, match="resample"):
        ecg.QrsDetector(50)
