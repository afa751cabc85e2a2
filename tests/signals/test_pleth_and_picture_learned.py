"""What was learned of pulses, breathing and ear pictures holds on real recordings and on made faults."""

import numpy as np
import pytest
from real_signals import DEVELOPER, needs_developer_data, pleth
from scipy.ndimage import gaussian_filter, uniform_filter1d
from test_quality_verdicts import eardrum
from test_sound_and_pleth import breathing_pleth

from chevet.signals import pleth as pl
from chevet.signals.picture import look
from chevet.signals.picture_display import enhanced
from chevet.signals.quality import picture_quality, pleth_quality

PLETH, RATE = pleth()


def codes(verdict):
    return [reason.code for reason in verdict.reasons]


def test_a_dicrotic_wave_is_no_pulse():
    rate = 100.0
    t = np.arange(0, 20, 1 / rate)
    beat = t % 1.0
    wave = np.exp(-(((beat - 0.2) / 0.08) ** 2)) + 0.45 * np.exp(-(((beat - 0.52) / 0.07) ** 2))
    wave += 0.5 * np.where(beat > 0.2, np.exp(-(beat - 0.2) / 0.3), np.exp(-(((beat - 0.2) / 0.06) ** 2)))
    pulses = pl.detect_pulses(wave, rate)
    assert len(pulses) == pytest.approx(20, abs=1)
    np.testing.assert_allclose((pulses[:-1] / rate) % 1.0, 0.2, atol=0.03)  # the last lacks its neighbour


def test_a_lost_pulse_does_not_change_the_rate():
    rate, t = 100.0, np.arange(0, 30, 0.01)
    wave = np.sin(2 * np.pi * 1.25 * t) + 0.3 * np.sin(4 * np.pi * 1.25 * t)
    wave[(t > 12.0) & (t < 12.8)] = -1.0
    assert pl.pulse_rate(wave, rate) == pytest.approx(75, abs=0.3)


def test_no_pulse_rate_is_told_where_intervals_disagree():
    rate = 100.0
    starts = np.cumsum(np.tile([0.5, 1.1], 15))
    t = np.arange(0, starts[-1] + 1, 1 / rate)
    wave = sum(np.exp(-(((t - s) / 0.08) ** 2)) for s in starts)
    assert len(pl.detect_pulses(wave, rate)) >= 20
    assert pl.pulse_rate(wave, rate) is None


def pulsing(rates_per_min):
    """A pulse wave of 30 s whose rate moves through these."""
    rate = 100.0
    t = np.arange(0, 30, 1 / rate)
    turns = np.cumsum(np.interp(t, np.linspace(0, 30, len(rates_per_min)), rates_per_min)) / 60 / rate
    return np.sin(2 * np.pi * turns) + 0.3 * np.sin(4 * np.pi * turns), rate


def test_no_pulse_rate_is_told_where_it_changed_on_the_way():
    assert pl.pulse_rate(*pulsing([70, 90])) is None
    assert pl.pulse_rate(*pulsing([70, 72])) == pytest.approx(71, abs=1)


def test_a_pulse_that_follows_the_breath_has_a_rate():
    breathing = 75 + 9 * np.sin(2 * np.pi * np.arange(0, 30.1, 0.1) / 4.0)
    assert pl.pulse_rate(*pulsing(breathing)) == pytest.approx(75, abs=1.5)


@pytest.mark.parametrize("breaths", [8, 20])
def test_breathing_over_minutes_is_that_of_its_clear_parts(breaths):
    long = breathing_pleth(breaths, seconds=150.0)
    long[4000:6000] += np.random.default_rng(2).standard_normal(2000)
    assert pl.respiration_rate(long, 100.0) == pytest.approx(breaths, abs=1)


def test_breathing_is_not_told_from_noise():
    rng = np.random.default_rng(4)
    told = [
        pl.respiration_rate(np.convolve(rng.standard_normal(3200), np.hanning(40), "same"), 100.0)
        for _ in range(12)
    ]
    assert sum(rate is None for rate in told) >= 8


def moved(values, strength, seed):
    rng = np.random.default_rng(seed)
    noise = np.convolve(rng.standard_normal(len(values)), np.hanning(60), "same")
    return values + strength * np.ptp(values) * noise / noise.std()


def test_motion_is_named_and_undisturbed_pulses_are_not():
    plain = [pleth_quality(PLETH[s : s + 1000], RATE) for s in range(0, 6000, 500)]
    shaken = [pleth_quality(moved(PLETH[s : s + 1000], 0.6, s), RATE) for s in range(0, 6000, 500)]
    assert sum("motion" in codes(v) for v in plain) <= 1
    assert np.mean([bool({"motion", "no_pulse"} & set(codes(v))) for v in shaken]) >= 0.5
    assert np.mean([v.score for v in shaken]) < 0.5 * np.mean([v.score for v in plain])


def test_every_second_pulse_being_small_is_not_motion():
    rate = 100.0
    t = np.arange(0, 10, 1 / rate)
    beat = t % 1.6
    wave = np.exp(-(((beat - 0.3) / 0.1) ** 2)) + 0.7 * np.exp(-(((beat - 1.0) / 0.1) ** 2))
    assert "motion" not in codes(pleth_quality(wave, rate))


@pytest.fixture
def ear():
    return eardrum(np.random.default_rng(7))


@pytest.mark.parametrize("axis", [0, 1])
def test_a_smear_is_called_motion_not_focus(ear, axis):
    vessels = gaussian_filter(np.random.default_rng(3).standard_normal(ear.shape[:2]), 1.2)[..., None]
    fine = np.clip(ear + (ear.mean(2, keepdims=True) > 60) * 60 * vessels, 0, 255)
    smeared = uniform_filter1d(fine, 11, axis=axis).astype(np.uint8)
    assert "motion" in codes(picture_quality(smeared))
    assert "out_of_focus" not in codes(picture_quality(smeared))
    assert "motion" not in codes(picture_quality(fine.astype(np.uint8)))


def test_a_veil_is_called_fog(ear):
    veil = 0.75 * (ear.mean(2, keepdims=True) > 20)
    fogged = gaussian_filter(ear.astype(float), (2.5, 2.5, 0)) * (1 - veil) + 200 * veil
    verdict = picture_quality(fogged.astype(np.uint8))
    assert "fog" in codes(verdict)
    assert not verdict.usable


def test_a_picture_of_a_bluish_room_shows_no_eardrum(ear):
    room = (ear * np.array([0.75, 1.0, 1.15])).clip(0, 255).astype(np.uint8)
    assert "no_eardrum_in_view" in codes(picture_quality(room))


@pytest.mark.parametrize("shape", [(48, 48), (49, 97), (240, 321), (481, 643)])
def test_pictures_of_any_size_are_judged(shape):
    rng = np.random.default_rng(1)
    image = rng.integers(60, 180, (*shape, 3), dtype=np.uint8)
    assert 0 <= picture_quality(image).score <= 1
    assert enhanced(image).shape == image.shape


def test_enhancing_raises_local_contrast_and_keeps_the_original(ear):
    before = ear.copy()
    shown = enhanced(ear)
    np.testing.assert_array_equal(ear, before)
    assert shown.dtype == np.uint8
    assert look(shown).sharpness > 1.2 * look(ear).sharpness


def test_a_reflection_neither_grows_nor_darkens_what_is_around_it(ear):
    flat = np.full((240, 320, 3), 120, np.uint8)
    flat[100:120, 150:180] = 255
    shown = enhanced(flat).astype(int)
    around = shown[88:98, 150:180]
    assert np.abs(around - 120).max() <= 4
    assert shown[110, 165].mean() < 255
    black = enhanced(np.zeros((60, 60, 3), np.uint8))
    assert not black.any()
    with pytest.raises(ValueError, match="the picture has shape"):
        enhanced(np.zeros((10, 10, 3), np.uint8))


@needs_developer_data
def test_real_wax_is_named_and_real_eardrums_are_not():
    from PIL import Image

    named = {}
    for kind in ("earwax_plug", "normal"):
        paths = sorted((DEVELOPER / "otoscopy" / kind).glob("*.jpg"))[::4]
        verdicts = [picture_quality(np.asarray(Image.open(p).convert("RGB"))) for p in paths]
        named[kind] = sum("wax" in codes(v) for v in verdicts)
    assert named["earwax_plug"] >= 4
    assert named["normal"] == 0
