"""Real recordings, played without a seam, and what can disturb them."""

import numpy as np
import pytest

from chevet.sim import nonin
from chevet.sim.bodies import SOUND_OF_SITE, ChestBody, EcgBody, FingerBody, noise
from chevet.sim.playback import load


def test_shipped_recordings_are_small():
    from importlib import resources

    folder = resources.files("chevet.sim") / "recordings"
    sizes = [len(path.read_bytes()) for path in folder.iterdir()]
    assert sum(sizes) < 1_000_000


def test_the_ecg_repeats_without_a_step_at_its_seam():
    loop = load("ecg-ludb-152")
    around = loop.take(loop.length - 5, 10).astype(int)
    steps = np.abs(np.diff(around, axis=1))
    assert steps.max() < 40  # microvolts from sample to sample, between two beats


def test_the_ecg_keeps_einthovens_law_to_the_last_bit():
    one, two, three, avr, avl, avf = load("ecg-ludb-152").values[:6].astype(int)
    assert (three == two - one).all()
    assert (np.abs(2 * avr + one + two) <= 1).all()
    assert (np.abs(2 * avl - 2 * one + two) <= 1).all()
    assert (np.abs(2 * avf - 2 * two + one) <= 1).all()


def test_the_ecg_has_the_amplitude_and_rate_of_a_heart():
    loop = load("ecg-ludb-152")
    lead_two = loop.values[1] / 1000
    assert 0.5 < np.ptp(lead_two) < 3.0
    beats = np.flatnonzero(np.diff((lead_two > 0.5).astype(int)) == 1)
    assert 50 < 60 * len(beats) / (loop.length / loop.rate_hz) < 90


@pytest.mark.parametrize("name", sorted(set(SOUND_OF_SITE.values())))
def test_a_heart_sound_has_no_click_at_its_seam(name):
    loop = load(name)
    everywhere = np.abs(np.diff(loop.values[0].astype(int)))
    seam = np.abs(np.diff(loop.take(loop.length - 2, 4)[0].astype(int)))
    assert loop.rate_hz == 4000
    assert seam.max() <= np.percentile(everywhere, 99.9)


def test_the_same_seed_gives_the_same_disturbances_however_they_are_read():
    whole = ChestBody(7, friction=1.0).take(0, 10_000)
    body = ChestBody(7, friction=1.0)
    pieces = np.concatenate([body.take(first, 100) for first in range(0, 10_000, 100)], axis=1)
    np.testing.assert_array_equal(whole, pieces)
    assert not np.array_equal(whole, ChestBody(8, friction=1.0).take(0, 10_000))


def test_noise_is_the_same_sample_by_sample():
    assert noise(3, 4090, 20)[6] == noise(3, 4096, 1)[0]


def test_a_lead_that_is_off_floats_and_the_others_do_not():
    body = EcgBody(1, leads_off={"V3"})
    clean = EcgBody(1).take(0, 500)
    disturbed = body.take(0, 500)
    assert body.off() == 1 << 8
    assert np.abs(disturbed[8]).min() > 4000
    np.testing.assert_array_equal(np.delete(disturbed, 8, 0), np.delete(clean, 8, 0))


def test_mains_hum_is_50_hz_on_every_lead():
    hum = EcgBody(1, mains_uv=500.0).take(0, 500).astype(float) - EcgBody(1).take(0, 500)
    spectrum = np.abs(np.fft.rfft(hum, axis=1))
    assert (spectrum.argmax(axis=1) == 50).all()
    assert np.abs(hum).max() == pytest.approx(500 * np.sin(0.4 * np.pi), abs=1)


def test_sites_sound_different_and_a_lifted_head_hears_nothing():
    body = ChestBody(1)
    apex = body.take(0, 4000)
    body.site = "A"
    assert not np.array_equal(apex, body.take(0, 4000))
    body.lifted = True
    assert body.off() == 1
    assert np.abs(body.take(0, 4000)).max() < 100


def test_the_pleth_is_75_hz_with_the_monitors_numbers():
    finger = FingerBody(1)
    pleth = np.array(finger.pleth(0, 75 * 20))
    assert 0 < pleth.min() < pleth.max() < 255
    rises = np.flatnonzero(np.diff((pleth > 120).astype(int)) == 1)
    shown = finger.numbers(0)
    assert abs(60 * len(rises) / 20 - shown.pulse_rate) < 6
    assert 95 <= shown.spo2 <= 97


def test_a_finger_out_of_the_clip_has_no_numbers():
    shown = FingerBody(1, off=True).numbers(0)
    assert shown.spo2 is None
    assert shown.pulse_rate is None
    assert shown.status & nonin.DISCONNECTED
    assert set(FingerBody(1, off=True).pleth(0, 10)) == {0}


def test_a_moving_finger_is_marked_as_artifact():
    finger = FingerBody(1, moving=True)
    assert finger.numbers(0).status & nonin.ARTIFACT
    assert list(finger.pleth(0, 75)) != list(FingerBody(1).pleth(0, 75))
