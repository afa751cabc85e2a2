"""Filters that touch what is shown, and the choice of the best picture."""

import numpy as np
import pytest
from real_signals import twelve_leads
from scipy.ndimage import gaussian_filter, uniform_filter1d
from test_quality_verdicts import eardrum

from chevet.signals import filters, picture

ECG, RATE = twelve_leads()


def test_the_standard_impulse_leaves_less_than_a_tenth_of_a_millivolt():
    impulse = np.zeros(int(20 * RATE))
    start = int(8 * RATE)
    impulse[start : start + int(0.1 * RATE)] = 3.0
    after = slice(start + int(0.16 * RATE), None)
    zero_phase = filters.ecg_display(impulse, RATE)
    assert zero_phase[after].min() > -0.1
    live = filters.LiveEcgFilter(RATE, 1).feed(impulse[None])[0]
    assert live[after].min() > -0.1


def test_zero_phase_moves_no_peak():
    shown = filters.ecg_display(ECG, RATE, filters.MONITOR)
    peak = np.argmax(ECG[1, 400:900])
    assert abs(np.argmax(shown[1, 400:900]) - peak) <= 2


def test_the_notch_takes_the_hum_and_leaves_the_qrs():
    t = np.arange(ECG.shape[1]) / RATE
    hum = ECG + 0.3 * np.sin(2 * np.pi * 50 * t)
    assert filters.find_mains(hum, RATE) == 50.0
    assert filters.find_mains(ECG + 0.3 * np.sin(2 * np.pi * 60 * t), RATE) == 60.0
    assert filters.find_mains(ECG, RATE) is None
    clean = filters.ecg_display(hum, RATE, mains_hz=50.0)
    plain = filters.ecg_display(ECG, RATE)
    inner = (slice(None), slice(1000, -1000))
    assert np.abs(clean - filters.ecg_display(ECG, RATE, mains_hz=50.0))[inner].max() < 0.01
    assert np.sqrt(np.mean((clean - plain)[inner] ** 2)) < 0.02


def test_the_label_says_what_was_done():
    assert filters.label(filters.DIAGNOSTIC, 50) == "0.05-150 Hz, notch 50 Hz"
    assert filters.LiveEcgFilter(RATE, 12, filters.MONITOR).label == "0.5-40 Hz"


@pytest.mark.parametrize("block", [1, 7, 50, 2500])
def test_live_filtering_is_the_same_for_any_block_size(block):
    whole = filters.LiveEcgFilter(RATE, 12, mains_hz=50).feed(ECG[:, :2500])
    live = filters.LiveEcgFilter(RATE, 12, mains_hz=50)
    parts = [live.feed(ECG[:, s : min(s + block, 2500)]) for s in range(0, 2500, block)]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-12)


def test_the_live_delay_is_the_one_stated():
    live = filters.LiveEcgFilter(RATE, 1, filters.MONITOR)
    shown = live.feed(ECG[1:2])[0]
    ideal = filters.ecg_display(ECG[1], RATE, filters.MONITOR)
    lag = np.argmax(np.correlate(shown[1000:], ideal[1000:], "full")) - (len(shown) - 1001)
    assert lag / RATE == pytest.approx(live.delay_s, abs=0.004)
    assert 0 < live.delay_s < 0.02


def test_gaps_stay_gaps_and_the_live_filter_starts_anew_after_one():
    gappy = ECG[:1, :3000].copy()
    gappy[0, 1000:1500] = np.nan
    shown = filters.ecg_display(gappy, RATE)
    np.testing.assert_array_equal(np.isnan(shown), np.isnan(gappy))
    live = filters.LiveEcgFilter(RATE, 1).feed(gappy)
    np.testing.assert_array_equal(np.isnan(live), np.isnan(gappy))
    alone = filters.LiveEcgFilter(RATE, 1).feed(gappy[:, 1500:])
    np.testing.assert_allclose(live[:, 1500:], alone)


def test_wrong_blocks_and_names_are_refused():
    with pytest.raises(ValueError, match="one per lead"):
        filters.LiveEcgFilter(RATE, 12).feed(ECG[:3])
    with pytest.raises(ValueError, match="bell, diaphragm, wide"):
        filters.listening(np.zeros(4000), 4000, "loud")


@pytest.mark.parametrize(
    ("name", "kept", "lost"), [("bell", 80, 900), ("diaphragm", 250, 25), ("wide", 800, 4)]
)
def test_listening_filters_keep_their_band(name, kept, lost):
    t = np.arange(0, 2, 1 / 8000)
    both = np.sin(2 * np.pi * kept * t) + np.sin(2 * np.pi * lost * t)
    heard = filters.listening(both, 8000, name)[4000:12000]
    spectrum = np.abs(np.fft.rfft(heard)) / 4000
    assert spectrum[kept] > 0.8
    assert spectrum[lost] < 0.25
    gap = both.copy()
    gap[100:300] = np.nan
    assert not filters.listening(gap, 8000, name)[100:300].any()


@pytest.mark.parametrize("sound", [[], [0.1], np.full(4000, np.nan), np.zeros((2, 4000)), 0.1])
def test_what_cannot_be_listened_to_is_refused_with_the_remedy(sound):
    with pytest.raises(ValueError, match=r"record|check|hand in"):
        filters.listening(sound, 4000, "bell")


def spoilt(image, rng):
    f = image.astype(float)
    wave = [
        gaussian_filter(f, (1.6, 1.6, 0)),
        uniform_filter1d(f, 9, axis=1),
        f * 2.0,
        f * 0.35 + rng.normal(0, 6, f.shape),
        gaussian_filter(f, (1.5, 1.5, 0)) + rng.normal(0, 14, f.shape),
    ]
    shiny = f + rng.normal(0, 10, f.shape)
    shiny[90:130, 130:200] = 255
    return [np.clip(v, 0, 255).astype(np.uint8) for v in [f, *wave, shiny]]


@pytest.mark.parametrize("seed", range(6))
def test_the_sharp_well_lit_frame_is_chosen(seed):
    rng = np.random.default_rng(seed)
    frames = spoilt(eardrum(rng, texture=10 + 2 * seed), rng)
    order = rng.permutation(len(frames))
    assert order[picture.best_frame([frames[i] for i in order])] == 0


def test_noise_is_not_taken_for_sharpness():
    rng = np.random.default_rng(2)
    image = eardrum(rng)
    blurred = gaussian_filter(image.astype(float), (3, 3, 0))
    noisy = np.clip(blurred + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8)
    assert picture.sharpness(noisy) < 0.6 * picture.sharpness(image)


def test_one_frame_is_the_best_of_one_and_none_is_refused():
    assert picture.best_frame([eardrum(np.random.default_rng(0))]) == 0
    with pytest.raises(ValueError, match="record at least one"):
        picture.best_frame([])


def test_a_frame_without_light_has_no_sharpness():
    assert picture.sharpness(np.zeros((100, 100, 3), np.uint8)) == 0.0
