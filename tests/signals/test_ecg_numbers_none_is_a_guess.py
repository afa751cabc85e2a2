"""Measurements of an ECG: what they rest on, and None where a number would be a guess."""

import numpy as np
import pytest
from real_signals import LEADS, twelve_leads
from scipy import ndimage

from chevet.signals import ecg
from chevet.signals.ecg_measure import axis, interval, st_levels
from chevet.signals.ecg_rhythm import heart_rate, irregularity, likeness, rr_intervals

ECG, RATE = twelve_leads()
WHOLE = ecg.measure(ECG, RATE, LEADS)
SOME = np.arange(500, 4500, 400)


def test_an_interval_over_a_gap_counts_neither_for_rate_nor_for_rhythm():
    gap = np.zeros(5000, dtype=bool)
    gap[1400:2100] = True
    beats = np.array([300, 700, 1100, 2300, 2700, 3100, 3500])
    rr = rr_intervals(beats, gap, 500)
    assert np.isnan(rr).sum() == 1
    assert heart_rate(rr).value == 75.0
    assert heart_rate(rr).beats == 6
    assert irregularity(rr).value == 0.0


def test_a_few_lost_samples_hide_no_beat():
    gap = np.zeros(5000, dtype=bool)
    gap[900:910] = True
    assert np.isfinite(rr_intervals(SOME, gap, 500)).all()


def test_a_recording_with_a_gap_keeps_its_rate():
    gappy = ECG.copy()
    gappy[:, 2000:2600] = np.nan
    assert ecg.measure(gappy, RATE, LEADS).heart_rate.value == pytest.approx(WHOLE.heart_rate.value, abs=2)


@pytest.mark.parametrize("seed", range(4))
def test_noise_has_no_heart_rate(seed):
    rng = np.random.default_rng(seed)
    noise = 0.2 * ndimage.gaussian_filter1d(rng.standard_normal((12, 5000)), 2 + seed, axis=1)
    found = ecg.measure(noise, RATE, LEADS)
    assert found.heart_rate.value is None
    assert found.heart_rate.quality < 0.5


def test_beats_of_one_shape_are_alike_and_peaks_of_noise_are_not():
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(5000)
    pulses = np.zeros(5000)
    pulses[SOME] = 1
    assert likeness(ndimage.gaussian_filter1d(pulses, 5) + 1e-4 * noise, SOME, 500) > 0.99
    assert likeness(noise, SOME, 500) < 0.5
    assert likeness(noise, SOME[:2], 500) == 1.0


def test_two_beats_are_no_rate_and_no_beats_no_rhythm():
    none = np.zeros(5000, dtype=bool)
    assert heart_rate(rr_intervals(SOME[:2], none, 500)).value is None
    assert len(rr_intervals(SOME[:1], none, 500)) == 0
    assert irregularity(rr_intervals(SOME[:4], none, 500)).value is None
    assert heart_rate(np.full(5, 0.1)).value is None  # 600 a minute


def test_an_interval_that_half_of_the_beats_do_not_show_is_none():
    start = SOME.copy()
    assert interval("pr", start, start + 80, 500, 20.0).value == 160
    start[:6] = -1
    few = interval("pr", start, start + 80, 500, 20.0)
    assert (few.value, few.beats) == (None, 4)


def test_intervals_that_disagree_are_none_with_low_quality():
    wild = interval("qt", SOME, SOME + np.array([100, 300] * 5), 500, 35.0)
    assert wild.value is None
    assert wild.quality == 0.0
    assert wild.beats == 10


@pytest.mark.parametrize("degrees", [-150, -89, -30, 0, 45, 90, 135, 180])
def test_the_axis_is_where_the_vector_points(degrees):
    shape = np.zeros(5000)
    for at in SOME:
        shape[at : at + 40] = np.hanning(40)
    one, foot = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    leads = np.stack([one * shape, foot * np.sqrt(3) / 2 * shape])
    found = axis("qrs_axis", (leads, ("I", "aVF"), 500.0), SOME, SOME + 40)
    assert found.value == degrees
    two = np.stack([leads[0], leads[1] + leads[0] / 2])
    assert axis("qrs_axis", (two, ("I", "II"), 500.0), SOME, SOME + 40).value == degrees


def test_st_is_the_step_that_was_put_in_and_hum_does_not_matter():
    waves = ecg.delineate(ECG, RATE, ecg.beats_of(ECG, RATE, LEADS))
    raised = ECG.copy()
    for on, off in zip(waves.qrs_on, waves.qrs_off, strict=True):
        raised[:, on : off + 60] += 0.2
    t = np.arange(ECG.shape[1]) / RATE
    hum = 0.1 * np.sin(2 * np.pi * 50 * t)
    plain = st_levels(ECG, LEADS, waves, RATE)
    for kind, before, after in zip(plain, st_levels(raised + hum, LEADS, waves, RATE), LEADS, strict=False):
        assert before.value == pytest.approx(kind.value + 0.2, abs=0.02), after


def test_st_levels_that_disagree_are_none():
    waves = ecg.delineate(ECG, RATE, ecg.beats_of(ECG, RATE, LEADS))
    wild = ECG.copy()
    for k, off in enumerate(waves.qrs_off):
        wild[:, off + 5 :] += (-1) ** k * 0.5
    assert all(m.value is None for m in st_levels(wild, LEADS, waves, RATE))


def test_every_measurement_says_its_beats_method_and_quality():
    for one in WHOLE.all():
        assert one.method
        assert 0 <= one.quality <= 1
        assert one.value is None or one.beats >= 3
    kinds = [m.kind for m in WHOLE.all()]
    assert len(kinds) == len(set(kinds)) == 12 + 12
