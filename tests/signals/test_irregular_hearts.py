"""Heart sounds of an irregular heart: right with an ECG, None without."""

import numpy as np
import pytest

from chevet.signals import heart_sound
from chevet.sim.patient import Patient

RATE = 2000.0


def onsets(states: np.ndarray, code: int) -> np.ndarray:
    starts = np.flatnonzero(np.diff(states, prepend=0) != 0)
    return starts[states[starts] == code] / RATE


@pytest.mark.parametrize("seed", [1, 5])
def test_fibrillation_has_no_rate_by_sound_alone_and_the_windows_own_with_an_ecg(seed: int) -> None:
    patient = Patient(seed, "atrial-fibrillation")
    sound, truth = patient.heart_sound(3.0, 12.0, "M", RATE), patient.truth(3.0, 12.0)
    assert heart_sound.heart_rate(sound, RATE) is None
    peaks = (truth.beats - 3.0) * RATE
    assert heart_sound.heart_rate(sound, RATE, peaks) == pytest.approx(truth.heart_rate_per_min, abs=3)


def test_with_an_ecg_each_beat_has_one_first_sound_even_beside_a_long_pause() -> None:
    patient = Patient(1, "atrial-fibrillation")
    sound, truth = patient.heart_sound(3.0, 10.0, "A", RATE), patient.truth(3.0, 10.0)
    found = onsets(heart_sound.segment(sound, RATE, (truth.beats - 3.0) * RATE), heart_sound.S1)
    assert len(found) == len(truth.beats)
    assert np.abs(found - (truth.beats - 3.0)).max() < 0.1


@pytest.mark.parametrize("condition", ["normal", "child", "premature-beats", "bradycardia"])
def test_other_hearts_keep_their_rate_by_sound_alone(condition: str) -> None:
    patient = Patient(2, condition)
    sound = patient.heart_sound(3.0, 12.0, "M", RATE)
    expected = patient.truth(3.0, 12.0).heart_rate_per_min
    assert heart_sound.heart_rate(sound, RATE) == pytest.approx(expected, abs=2)


def test_too_few_r_peaks_are_as_none() -> None:
    sound = Patient(2, "normal").heart_sound(3.0, 6.0, "M", RATE)
    alone = heart_sound.segment(sound, RATE)
    for peaks in ([], [100.0, 2000.0]):
        np.testing.assert_array_equal(heart_sound.segment(sound, RATE, peaks), alone)


def test_an_ecg_that_misses_beats_does_not_silence_the_sounds_between() -> None:
    patient = Patient(2, "normal")
    sound, truth = patient.heart_sound(3.0, 12.0, "M", RATE), patient.truth(3.0, 12.0)
    peaks = truth.beats - 3.0
    torn = np.concatenate([peaks[:4], peaks[8:]]) * RATE
    found = onsets(heart_sound.segment(sound, RATE, torn), heart_sound.S1)
    assert len(found) == pytest.approx(len(peaks), abs=1)
