"""Heart sounds and pleth: states, pulses and rates on real recordings."""

from itertools import pairwise

import numpy as np
import pytest
from real_signals import heart_sound, pleth
from scipy import signal

from chevet.signals import heart_sound as hs
from chevet.signals import pleth as pl

SOUND, RATE = heart_sound()
PLETH, PLETH_RATE = pleth()
CYCLE_S = 0.454  # median S1 to S1 of the database's own states in this cut


def cycle(values, rate):
    return 60 / hs.heart_rate(values, rate)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("heart-circor-85343-mv", 0.454), ("heart-circor-85343-tv", 0.46), ("heart-circor-85345-av", 0.52)],
)
def test_heart_rate_of_real_sounds(name, seconds):
    sound, rate = heart_sound(name)
    assert cycle(sound, rate) == pytest.approx(seconds, rel=0.05)


@pytest.mark.parametrize("factor", [1e-3, -1.0, 30.0])
def test_scale_and_polarity_change_no_state(factor):
    np.testing.assert_array_equal(hs.segment(SOUND * factor, RATE), hs.segment(SOUND, RATE))


@pytest.mark.parametrize("rate", [2000, 8000, 16000, 48000])
def test_resampling_changes_the_rate_hardly(rate):
    assert cycle(signal.resample_poly(SOUND, rate, int(RATE)), rate) == pytest.approx(CYCLE_S, rel=0.05)


def test_states_follow_each_other_round_the_cycle():
    states = hs.segment(SOUND, RATE)
    assert states.shape == SOUND.shape
    assert states.dtype == np.uint8
    order = states[np.flatnonzero(np.diff(states, prepend=0))]
    assert set(order) == {1, 2, 3, 4}
    assert all(b == a % 4 + 1 for a, b in pairwise(order))
    systole = np.median(np.diff(np.flatnonzero(np.diff((states == 2).astype(int)))))
    assert 0.03 * RATE < systole < 0.3 * RATE


def test_a_simultaneous_ecg_leads_the_segmentation():
    starts = np.flatnonzero(np.diff((hs.segment(SOUND, RATE) == 1).astype(int)) == 1)
    states = hs.segment(SOUND, RATE, qrs=starts - int(0.04 * RATE))
    gated = np.flatnonzero(np.diff((states == 1).astype(int)) == 1)
    assert len(gated) == pytest.approx(len(starts), abs=1)
    assert 60 / hs.heart_rate(SOUND, RATE, qrs=starts) == pytest.approx(CYCLE_S, rel=0.05)


def test_a_gap_in_the_sound_is_unknown():
    gappy = SOUND.copy()
    gappy[8000:14000] = np.nan
    states = hs.segment(gappy, RATE)
    assert np.all(states[8000:14000] == 0)
    assert np.any(states[:8000] == 1)


def test_silence_has_neither_states_nor_rate():
    assert hs.heart_rate(np.zeros(20000), 4000) is None
    assert not hs.segment(np.zeros(20000), 4000).any()


@pytest.mark.parametrize(
    "call", [hs.segment, hs.heart_rate, pl.detect_pulses, pl.pulse_rate, pl.respiration_rate]
)
def test_bad_input_is_refused_with_a_remedy(call):
    with pytest.raises(ValueError, match="record longer"):
        call(np.zeros(0), 1000)
    with pytest.raises(ValueError, match="check the sensor"):
        call(np.full(60000, np.nan), 1000)
    with pytest.raises(ValueError, match="one channel"):
        call(np.zeros((2, 60000)), 1000)
    with pytest.raises(ValueError, match="resample"):
        call(np.zeros(60000), 3)


def test_pulses_of_a_real_pleth_match_the_monitor():
    from real_signals import SHIPPED

    with np.load(SHIPPED / "pleth-bidmc-03.npz") as file:
        monitor = float(np.median(file["pulse"]))
    assert pl.pulse_rate(PLETH, PLETH_RATE) == pytest.approx(monitor, abs=2)
    pulses = pl.detect_pulses(PLETH, PLETH_RATE)
    assert len(pulses) == pytest.approx(monitor * len(PLETH) / PLETH_RATE / 60, rel=0.06)


@pytest.mark.parametrize(("scale", "offset"), [(0.01, 5.0), (1000.0, -3e4), (1e-6, 0.0)])
def test_scale_and_offset_change_no_pulse(scale, offset):
    np.testing.assert_array_equal(
        pl.detect_pulses(PLETH * scale + offset, PLETH_RATE), pl.detect_pulses(PLETH, PLETH_RATE)
    )


@pytest.mark.parametrize("rate", [50, 75, 250, 500])
def test_resampling_changes_the_pulse_rate_hardly(rate):
    other = signal.resample_poly(PLETH, rate, int(PLETH_RATE))
    assert pl.pulse_rate(other, rate) == pytest.approx(pl.pulse_rate(PLETH, PLETH_RATE), abs=1.5)


def test_no_pulse_lies_in_a_gap_and_a_flat_line_has_none():
    gappy = PLETH.copy()
    gappy[2000:3000] = np.nan
    pulses = pl.detect_pulses(gappy, PLETH_RATE)
    assert not np.any((pulses >= 2000) & (pulses < 3000))
    assert len(pl.detect_pulses(np.full(1000, 7.0), 125)) == 0
    assert pl.pulse_rate(np.full(1000, 7.0), 125) is None


def breathing_pleth(breaths, seconds=40.0, rate=100.0):
    t = np.arange(0, seconds, 1 / rate)
    breath = np.sin(2 * np.pi * breaths / 60 * t)
    phase = 2 * np.pi * np.cumsum(1.2 + 0.06 * breath) / rate
    return (1 + 0.15 * breath) * (np.sin(phase) + 0.25 * np.sin(2 * phase)) + 0.3 * breath


@pytest.mark.parametrize("breaths", [9, 15, 24, 33])
def test_breathing_is_found_where_it_is_clear(breaths):
    assert pl.respiration_rate(breathing_pleth(breaths), 100.0) == pytest.approx(breaths, abs=1)


def test_respiration_needs_twenty_seconds_that_arrived():
    whole = breathing_pleth(15)
    rate = 100.0
    part = whole.copy()
    part[1000 : len(part) - 900] = np.nan  # 19 s are left
    assert pl.respiration_rate(whole, rate) is not None
    assert pl.respiration_rate(part, rate) is None


def test_respiration_abstains_without_pulses():
    assert pl.respiration_rate(np.zeros(2500), 100.0) is None


def lights(ratio, noise=0.0):
    t = np.arange(0, 10, 1 / 64)
    pulse = np.sin(2 * np.pi * 1.2 * t) + 0.3 * np.sin(2 * np.pi * 2.4 * t)
    rng = np.random.default_rng(3)
    red = 5e4 * (1 - 0.01 * ratio * pulse) + noise * rng.standard_normal(len(t))
    infrared = 8e4 * (1 - 0.01 * pulse) + noise * rng.standard_normal(len(t))
    return red, infrared


@pytest.mark.parametrize("ratio", [0.5, 0.8, 1.2])
def test_saturation_follows_the_ratio_of_ratios(ratio):
    red, infrared = lights(ratio)
    assert pl.spo2(red, infrared, 64) == pytest.approx(110 - 25 * ratio, abs=0.5)
    assert pl.spo2(red, infrared, 64, calibration=(100, 0, -5)) == pytest.approx(100 - 5 * ratio**2, abs=0.5)
    assert pl.spo2(*lights(ratio, noise=60.0), 64) == pytest.approx(110 - 25 * ratio, abs=2.5)


def test_channels_that_do_not_pulse_together_give_no_saturation():
    rng = np.random.default_rng(5)
    red, infrared = lights(0.8)
    assert pl.spo2(5e4 + 300 * rng.standard_normal(len(red)), infrared, 64) is None
    assert pl.spo2(-red, infrared, 64) is None
    gap = red.copy()
    gap[::40] = np.nan
    assert pl.spo2(gap, infrared, 64) is None
    with pytest.raises(ValueError, match="as many samples"):
        pl.spo2(red, infrared[:-1], 64)


def test_perfusion_index_is_pulse_height_over_light():
    _, infrared = lights(1.0)
    assert pl.perfusion_index(infrared, 64) == pytest.approx(2.0, abs=0.4)
    assert pl.perfusion_index(infrared - 9e4, 64) is None
    assert pl.perfusion_index(np.full(640, 5.0), 64) is None
