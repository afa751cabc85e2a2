"""Listening layers: flat where hearts and lungs sound, equal bytes for equal sound."""

import io
from dataclasses import replace

import numpy as np
import pytest
import soundfile as sf
from scipy.signal import chirp, resample_poly, welch
from study_examples import heart_sound, sound_recording

from chevet.devices.samples import Channel
from chevet.study.ogg import plain
from chevet.study.recording import Waveform
from chevet.study.sound import PREVIEW_BYTES, diagnostic_sound, is_sound, preview_sound, wav


def noise(seconds: float, rate_hz: float = 4000.0, level: float = 1500.0) -> Waveform:
    values = np.random.default_rng(3).normal(0, level, (1, int(seconds * rate_hz))).astype(np.int16)
    return Waveform((Channel("sound", "1", rate_hz, 1 / 32768),), values)


BANDS = ((20, 40), (40, 80), (80, 160), (160, 320), (320, 560), (560, 800))
THIRDS = (20, 25, 31.5, 40, 50, 63, 80, 100, 125, 160, 200, 250, 315, 400, 500, 630, 800)


def shaped(kind: str, rate_hz: float) -> Waveform:
    """Twenty seconds of white or pink noise, or of a slow sweep from 20 to 800 Hz."""
    t = np.arange(int(20 * rate_hz)) / rate_hz
    if kind == "sweep":
        values = 6000 * chirp(t, 20, 20, 800, method="logarithmic")
    else:
        spectrum = np.fft.rfft(np.random.default_rng(3).normal(size=t.size))
        tilt = np.maximum(np.fft.rfftfreq(t.size, 1 / rate_hz), 20) ** (-0.5 if kind == "pink" else 0.0)
        values = np.fft.irfft(spectrum * tilt)
        values *= 1500 / values.std()
    return Waveform((Channel("sound", "1", rate_hz, 1 / 32768),), np.rint(values).astype(np.int16)[None])


@pytest.mark.parametrize("kind", ["white", "pink", "sweep"])
@pytest.mark.parametrize("rate_hz", [2000.0, 4000.0])
def test_the_listening_layer_is_flat_within_1_db_from_20_to_800_hz(rate_hz, kind):
    source = shaped(kind, rate_hz)
    data = diagnostic_sound(source)
    heard, rate = sf.read(io.BytesIO(data))
    given = resample_poly(source.values[0] / 32768, rate, int(rate_hz))
    hz, before = welch(given, rate, nperseg=4096)
    _, after = welch(heard[: len(given)], rate, nperseg=4096)
    for low, high in BANDS:
        band = (hz >= low) & (hz < high)
        level = 10 * np.log10(after[band].sum() / before[band].sum())
        assert abs(level) <= 1.0, f"{level:.2f} dB in {low}-{high} Hz"
    assert len(data) <= 20 * 17_000 / 8


@pytest.mark.parametrize("rate_hz", [2000.0, 4000.0])
def test_every_tone_from_20_to_800_hz_comes_back_within_half_a_db(rate_hz):
    t = np.arange(int(3 * rate_hz)) / rate_hz
    tones = [np.rint(6000 * np.sin(2 * np.pi * hz * t)).astype(np.int16) for hz in THIRDS]
    for hz, tone in zip(THIRDS, tones, strict=True):
        source = Waveform((Channel("sound", "1", rate_hz, 1 / 32768),), tone[None])
        heard, rate = sf.read(io.BytesIO(diagnostic_sound(source)))
        at = np.arange(len(heard)) / rate
        middle = (at > 0.5) & (at < 2.5)
        found = 2 * abs(np.mean(heard[middle] * np.exp(-2j * np.pi * hz * at[middle])))
        level = 20 * np.log10(found / (6000 / 32768))
        assert abs(level) <= 0.5, f"{level:.2f} dB at {hz} Hz"


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
