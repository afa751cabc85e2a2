"""Faults that the quality engine names on real and simulated signals, and what must not change a verdict."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from real_signals import heart_sound, pleth, twelve_leads
from scipy import signal

from chevet.signals import heart_sound as heart
from chevet.signals import pleth as pl
from chevet.signals.quality import ecg_quality, pleth_quality, sound_quality
from chevet.sim import patient_faults as made
from chevet.sim.patient import Patient

ECG, ECG_RATE = twelve_leads()
SOUND, SOUND_RATE = heart_sound()
SOUND = SOUND[: int(6 * SOUND_RATE)]
LOUD = float(np.quantile(np.abs(SOUND), 0.99))
PLETH, PLETH_RATE = pleth()
PLETH = PLETH[: int(12 * PLETH_RATE)]


@pytest.fixture
def rng():
    return np.random.default_rng(12)


def codes(verdict):
    return [reason.code for reason in verdict.reasons]


def muscle(count, rate, rng):
    """Muscle as a Holter recorder keeps it: 8 to 42 Hz."""
    band = signal.butter(2, [8, 42], "band", fs=rate, output="sos")
    return signal.sosfilt(band, rng.standard_normal(count))


def test_muscle_below_the_usual_band_is_tremor_and_not_motion(rng):
    shaken = ECG + 0.12 * np.stack([muscle(ECG.shape[1], ECG_RATE, rng) * 3 for _ in ECG])
    found = codes(ecg_quality(shaken, ECG_RATE))
    assert "tremor" in found
    assert "motion" not in found


def test_slow_movement_of_electrodes_is_motion_and_not_tremor(rng):
    band = signal.butter(2, [0.7, 4], "band", fs=ECG_RATE, output="sos")
    moved = ECG + np.stack([8 * signal.sosfilt(band, rng.standard_normal(ECG.shape[1])) for _ in ECG])
    found = codes(ecg_quality(moved, ECG_RATE))
    assert "motion" in found
    assert "tremor" not in found


@pytest.mark.parametrize("source", ["real", "simulated"])
def test_friction_over_a_heart_is_named_and_a_clean_heart_is_not(source):
    if source == "real":
        sound, rate = 0.3 * SOUND / LOUD, SOUND_RATE
    else:
        sound, rate = Patient(3, "normal").heart_sound(5.0, 8.0, "M", 4000.0), 4000.0
    rubbed = [sound_quality(made.with_friction(sound, rate, seed=seed), rate) for seed in range(5)]
    assert sum("friction" in codes(one) for one in rubbed) >= 4
    assert "friction" not in codes(sound_quality(sound, rate))


def test_a_loud_murmur_beats_and_is_no_friction():
    murmur = Patient(3, "aortic-stenosis").heart_sound(5.0, 8.0, "A", 4000.0)
    assert "friction" not in codes(sound_quality(murmur, 4000))


def test_steady_noise_of_a_room_half_as_loud_as_the_heart_is_named(rng):
    f = np.fft.rfftfreq(len(SOUND), 1 / SOUND_RATE)
    hiss = np.fft.irfft(np.fft.rfft(rng.standard_normal(len(SOUND))) / np.sqrt(np.maximum(f, 50)), len(SOUND))
    verdict = sound_quality(SOUND + 0.5 * LOUD * hiss / hiss.std(), SOUND_RATE)
    assert codes(verdict) == ["room_noise"]
    assert verdict.score < 0.7 * sound_quality(SOUND, SOUND_RATE).score


def test_an_unplugged_piece_is_faint_and_its_converter_is_no_noisy_room(rng):
    found = codes(sound_quality(3e-5 * rng.standard_normal(20000), 4000))
    assert found[0] == "too_faint"
    assert "room_noise" not in found


def test_a_converter_alone_has_no_pulse(rng):
    verdict = pleth_quality(np.round(rng.standard_normal(1000)), 125)
    assert codes(verdict) == ["no_pulse"]
    assert not verdict.usable


@settings(max_examples=8, deadline=None)
@given(st.floats(0.05, 3.0), st.floats(-0.3, 0.3), st.sampled_from([-1, 1]))
def test_scale_offset_and_polarity_of_a_sound_change_neither_rate_nor_reasons(scale, offset, sign):
    other = sign * scale * SOUND + offset
    assert heart.heart_rate(other, SOUND_RATE) == pytest.approx(heart.heart_rate(SOUND, SOUND_RATE), abs=0.5)
    assert codes(sound_quality(other, SOUND_RATE)) == codes(sound_quality(SOUND, SOUND_RATE))


@settings(max_examples=8, deadline=None)
@given(st.floats(1e-3, 1e5), st.floats(-1e5, 1e5))
def test_scale_and_offset_of_a_pleth_change_neither_rate_nor_reasons(scale, offset):
    other = scale * PLETH + offset
    assert pl.pulse_rate(other, PLETH_RATE) == pytest.approx(pl.pulse_rate(PLETH, PLETH_RATE), abs=0.5)
    assert codes(pleth_quality(other, PLETH_RATE)) == codes(pleth_quality(PLETH, PLETH_RATE))


@pytest.mark.parametrize("rate", [2000, 4000, 8000, 16000, 44100, 48000])
def test_a_sound_resampled_keeps_its_rate_and_verdict(rate):
    other = signal.resample_poly(SOUND, rate, int(SOUND_RATE))
    assert heart.heart_rate(other, rate) == pytest.approx(heart.heart_rate(SOUND, SOUND_RATE), abs=1)
    verdict = sound_quality(other, rate)
    assert verdict.usable == sound_quality(SOUND, SOUND_RATE).usable


@pytest.mark.parametrize("judge", [heart.heart_rate, heart.segment, pl.pulse_rate, pl.detect_pulses])
@pytest.mark.parametrize("values", [np.zeros(0), np.zeros(10), np.full(9000, np.nan)])
def test_what_is_too_short_or_never_arrived_is_refused_with_a_remedy(judge, values):
    with pytest.raises(ValueError, match=r"record|check"):
        judge(values, 1000)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 40000), st.integers(200, 4000))
def test_a_gap_never_becomes_sound_nor_a_pulse(start, length):
    torn = SOUND.copy()
    torn[start % len(torn) : start % len(torn) + length] = np.nan
    assert not heart.segment(torn, SOUND_RATE)[np.isnan(torn)].any()
    hole = PLETH.copy()
    at = start % (len(hole) - 200)
    hole[at : at + 150] = np.nan
    pulses = pl.detect_pulses(hole, PLETH_RATE)
    assert not np.isnan(hole[pulses]).any()
