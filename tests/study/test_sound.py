"""Listening layers: flat where hearts and lungs sound, equal bytes for equal sound."""

import io
from dataclasses import replace

import numpy as np
import pytest
import soundfile as sf
from scipy.signal import resample_poly, welch
from study_examples import heart_sound, sound_recording

from chevet.devices.samples import Channel
from chevet.study.ogg import plain
from chevet.study.recording import Waveform
from chevet.study.sound import PREVIEW_BYTES, diagnostic_sound, is_sound, preview_sound, wav


def noise(seconds: float, rate_hz: float = 4000.0, level: float = 1500.0) -> Waveform:
    values = np.random.default_rng(3).normal(0, level, (1, int(seconds * rate_hz))).astype(np.int16)
    return Waveform((Channel("sound", "1", rate_hz, 1 / 32768),), values)


@pytest.mark.parametrize("rate_hz", [2000.0, 4000.0])
def test_the_listening_layer_is_flat_from_20_to_800_hz(rate_hz):
    source = noise(20.0, rate_hz)
    heard, rate = sf.read(io.BytesIO(diagnostic_sound(source)))
    given = resample_poly(source.values[0] / 32768, rate, int(rate_hz))
    hz, before = welch(given, rate, nperseg=4096)
    _, after = welch(heard[: len(given)], rate, nperseg=4096)
    for low, high in ((20, 40), (40, 80), (80, 160), (160, 320), (320, 560), (560, 800)):
        band = (hz >= low) & (hz < high)
        level = 10 * np.log10(after[band].sum() / before[band].sum())
        assert abs(level) < 1.5, f"{level:.2f} dB in {low}-{high} Hz"


def test_a_heart_sound_keeps_its_shape():
    source = sound_recording("A").waveforms[0]
    heard, rate = sf.read(io.BytesIO(diagnostic_sound(source)))
    given = resample_poly(source.values[0] / 32768, rate, 4000)
    assert np.corrcoef(given, heard[: len(given)])[0, 1] > 0.99


def test_the_listening_layer_is_as_long_as_the_recording():
    heard, rate = sf.read(io.BytesIO(diagnostic_sound(noise(3.0))))
    assert abs(len(heard) / rate - 3.0) < 0.01


@pytest.mark.parametrize("seconds", [0.5, 8.0, 30.0])
def test_the_preview_fits_and_plays(seconds):
    data = preview_sound(noise(seconds))
    heard, rate = sf.read(io.BytesIO(data))
    assert len(data) <= PREVIEW_BYTES
    assert len(heard) / rate >= min(seconds, 3.5) - 0.01


def test_equal_sound_gives_equal_bytes():
    source = sound_recording("A").waveforms[0]
    assert diagnostic_sound(source) == diagnostic_sound(source)


def test_full_scale_does_not_wrap_around():
    loud = Waveform(
        (Channel("sound", "1", 4000.0, 1 / 32768),), np.tile([[32767, -32768]], 4000).astype(np.int16)
    )
    heard, _ = sf.read(io.BytesIO(diagnostic_sound(loud)))
    assert np.abs(heard).max() <= 1.0


def test_a_rate_opus_cannot_take_is_resampled():
    heard, rate = sf.read(io.BytesIO(diagnostic_sound(noise(2.0, 44_100.0))))
    assert rate == 48_000
    assert abs(len(heard) / rate - 2.0) < 0.02


def test_the_wav_is_exact():
    source = Waveform((Channel("sound", "1", 4000.0, 1 / 32768),), heart_sound())
    values, rate = sf.read(io.BytesIO(wav(source)), dtype="int16")
    assert rate == 4000
    assert np.array_equal(values, heart_sound()[0])


def test_only_fast_unitless_waveforms_are_for_the_ear():
    sound = sound_recording("A").waveforms[0]
    slow = replace(sound, channels=(replace(sound.channels[0], rate_hz=75.0),))
    ecg = replace(sound, channels=(replace(sound.channels[0], unit="mV"),))
    assert is_sound(sound)
    assert not is_sound(slow)
    assert not is_sound(ecg)


@pytest.mark.parametrize("data", [b"OggS", b"x" * 60, diagnostic_sound(noise(0.2))[:-1]])
def test_something_that_is_not_ogg_is_refused(data):
    with pytest.raises(ValueError, match="Ogg"):
        plain(data)
