"""Heart sounds live, what a reader sees of a sound, the lung without the heart, and draft marks."""

import numpy as np
import pytest
from real_signals import heart_sound

from chevet.signals import heart_sound as hs
from chevet.signals.filters import listening
from chevet.signals.heart_stream import HeartSoundStates
from chevet.signals.lung_sound import lung_marks, without_heart
from chevet.signals.quality import sound_quality
from chevet.signals.sound_view import murmur_envelope, spectrogram
from chevet.signals.sound_voice import ridges, voiced

SOUND, RATE = heart_sound()


def streamed(values, rate, block, beats=()):
    live = HeartSoundStates(rate)
    beats = np.asarray(beats, dtype=int)
    parts = [
        live.feed(values[s : s + block], beats[(beats >= s) & (beats < s + block)])
        for s in range(0, len(values), block)
    ]
    return np.concatenate([*parts, live.flush()]), live


@pytest.fixture(scope="module")
def live_states():
    return streamed(SOUND, RATE, 400)


def test_live_states_are_one_for_each_sample_and_agree_with_the_batch(live_states):
    states, live = live_states
    assert len(states) == len(SOUND)
    assert np.mean(states == hs.segment(SOUND, RATE)) > 0.85
    assert live.rate_per_min == pytest.approx(60 / 0.454, rel=0.06)


@pytest.mark.parametrize("block", [131, 50000])
def test_any_block_size_gives_the_same_live_states(live_states, block):
    part = SOUND[: int(6 * RATE)]
    states, _ = streamed(part, RATE, block)
    known = int((6 - HeartSoundStates.delay_s) * RATE)
    np.testing.assert_array_equal(states[:known], live_states[0][:known])


def test_no_live_state_is_later_than_stated_and_only_the_last_seconds_are_held():
    live = HeartSoundStates(RATE)
    given = told = 0
    step = int(0.25 * RATE)
    for start in range(0, len(SOUND), step):
        block = SOUND[start : start + step]
        given += len(block)
        told += len(live.feed(block))
        assert given - told <= HeartSoundStates.delay_s * RATE
        assert len(live._held) <= 9.1 * RATE


def test_live_gaps_are_unknown_and_what_is_no_sound_is_refused():
    gappy = SOUND[: int(8 * RATE)].copy()
    gappy[int(4 * RATE) : int(5 * RATE)] = np.nan
    states, _ = streamed(gappy, RATE, 1000)
    assert not states[int(4 * RATE) : int(5 * RATE)].any()
    silent, live = streamed(np.full(int(5 * RATE), np.nan), RATE, 4000)
    assert not silent.any()
    assert live.rate_per_min is None
    with pytest.raises(ValueError, match="one channel"):
        live.feed(np.zeros((2, 100)))
    with pytest.raises(ValueError, match="resample"):
        HeartSoundStates(100.0)


def test_an_ecg_keeps_the_states_right_in_noise():
    clean = hs.segment(SOUND, RATE) == 1
    starts = np.flatnonzero(np.diff(clean.astype(int)) == 1)
    noisy = SOUND + 1.5 * np.std(SOUND) * np.random.default_rng(1).standard_normal(len(SOUND))
    beats = starts - int(0.045 * RATE)
    gated = np.flatnonzero(np.diff((hs.segment(noisy, RATE, qrs=beats) == 1).astype(int)) == 1)
    near = [np.abs(gated - start).min() < 0.1 * RATE for start in starts[1:-1]]
    assert np.mean(near) > 0.9
    live, _ = streamed(noisy, RATE, 2000, beats)
    found = np.flatnonzero(np.diff((live == 1).astype(int)) == 1)
    late = starts[(starts > 4 * RATE) & (starts < len(SOUND) - RATE)]
    assert np.mean([np.abs(found - start).min() < 0.1 * RATE for start in late]) > 0.85


def test_a_sensor_off_the_body_for_a_while_is_unknown_and_leaves_the_rate():
    t = np.arange(len(SOUND)) / RATE
    off = SOUND.copy()
    off[(t > 6) & (t < 10)] *= 1e-4
    states = hs.segment(off, RATE)
    assert np.mean(states[(t > 7) & (t < 9)] == 0) > 0.9
    assert hs.heart_rate(off, RATE) == pytest.approx(60 / 0.454, rel=0.06)


def test_a_spectrogram_shows_a_tone_at_its_frequency_and_level():
    t = np.arange(0, 2, 1 / 4000)
    tone = 0.5 * np.sin(2 * np.pi * 250 * t)
    tone[5000:5100] = np.nan
    seen = spectrogram(tone, 4000, top_hz=800)
    assert seen.level_db.shape == (len(seen.frequencies_hz), len(seen.times_s))
    assert seen.frequencies_hz[-1] <= 800
    row, column = np.argmin(np.abs(seen.frequencies_hz - 250)), np.argmin(np.abs(seen.times_s - 0.5))
    assert seen.level_db[row, column] == pytest.approx(20 * np.log10(0.5), abs=0.3)
    assert np.argmax(seen.level_db[:, column]) == row
    missing = np.isnan(seen.level_db).any(axis=0)
    assert missing[np.abs(seen.times_s - 5050 / 4000) < 0.02].all()
    assert not missing[seen.times_s < 1.1].any()


def test_a_systolic_murmur_shows_between_the_sounds():
    states = hs.segment(SOUND, RATE)
    hiss = np.random.default_rng(3).standard_normal(len(SOUND)) * (states == 2)
    quiet = murmur_envelope(SOUND, RATE, states)
    loud = murmur_envelope(SOUND + 0.8 * np.std(SOUND) * hiss, RATE, states)
    assert quiet.cycles > 15
    assert quiet.cycle.shape == (100,)
    systole, diastole = slice(28, 40), slice(70, 95)
    assert loud.cycle[systole].mean() > 1.5 * quiet.cycle[systole].mean()
    assert loud.cycle[diastole].mean() == pytest.approx(quiet.cycle[diastole].mean(), rel=0.25)
    assert murmur_envelope(SOUND, RATE).cycle is None
    assert len(quiet.times_s) == len(quiet.amplitude)
    with pytest.raises(ValueError, match="one for each"):
        murmur_envelope(SOUND, RATE, states[:-1])


def breath(rng, seconds=8.0, rate=4000):
    t = np.arange(0, seconds, 1 / rate)
    rustle = np.convolve(rng.standard_normal(len(t)), np.hanning(9), "same")
    return 0.01 * rustle * (1.2 + np.sin(2 * np.pi * 0.3 * t)), t


def test_the_heart_is_taken_out_and_both_parts_add_up():
    rng = np.random.default_rng(5)
    rustle, t = breath(rng)
    beat = np.zeros(len(t))
    states = np.full(len(t), 4, dtype=np.uint8)
    for start in np.arange(0.3, 7.5, 0.8):
        at = (t >= start) & (t < start + 0.1)
        beat[at] += 0.3 * np.sin(2 * np.pi * 50 * t[at]) * np.hanning(at.sum())
        states[at] = 1
    lung, heart = without_heart(rustle + beat, 4000, states)
    np.testing.assert_allclose(lung + heart, rustle + beat, atol=1e-9)
    assert np.sum((lung - rustle) ** 2) < 0.1 * np.sum(beat**2)
    same, none = without_heart(rustle, 4000, np.zeros(len(t), dtype=np.uint8))
    np.testing.assert_allclose(same, rustle, atol=1e-9)
    assert np.abs(none).max() < 1e-9
    gappy = rustle.copy()
    gappy[1000:1200] = np.nan
    assert not without_heart(gappy, 4000, states)[0][1000:1200].any()


def test_a_wheeze_and_crackles_are_marked_with_their_evidence():
    rng = np.random.default_rng(6)
    rustle, t = breath(rng)
    inside = (t > 3) & (t < 3.4)
    rustle[inside] += 0.03 * np.sin(2 * np.pi * 420 * t[inside])
    for at in (5.0, 5.2, 5.35):
        k = int(at * 4000)
        u = np.arange(80) / 4000
        rustle[k : k + 80] += 0.6 * np.exp(-u / 0.003) * np.sin(2 * np.pi * 350 * u)
    marks = lung_marks(rustle, 4000, ("wheeze", "crackle"))
    assert lung_marks(rustle, 4000) == tuple(m for m in marks if m.kind == "wheeze")
    wheezes = [m for m in marks if m.kind == "wheeze"]
    assert len(wheezes) == 1
    assert wheezes[0].frequency_hz == pytest.approx(420, abs=15)
    assert 2.9 < wheezes[0].start_s < 3.15 < wheezes[0].end_s < 3.5
    crackles = [m.start_s for m in marks if m.kind == "crackle"]
    assert len(crackles) == 3
    np.testing.assert_allclose(crackles, [5.0, 5.2, 5.35], atol=0.01)
    rustle[int(2.9 * 4000) : int(3.5 * 4000)] = np.nan
    assert not [m for m in lung_marks(rustle, 4000) if m.kind == "wheeze"]


def test_plain_breath_and_silence_have_no_marks():
    rustle, _ = breath(np.random.default_rng(8))
    assert lung_marks(rustle, 4000, ("wheeze", "crackle")) == ()
    assert lung_marks(np.zeros(16000), 4000) == ()
    with pytest.raises(ValueError, match="record longer"):
        lung_marks(np.zeros(100), 4000)


def spoken(t, pitch=140.0):
    wander = pitch * (1 + 0.02 * np.sin(2 * np.pi * 1.5 * t))
    phase = 2 * np.pi * np.cumsum(wander) / 4000
    syllables = np.clip(np.sin(2 * np.pi * 2.5 * t), 0, 1)
    return sum(np.sin(k * phase) / k for k in range(1, 8)) * syllables


def test_a_voice_is_heard_and_named_room_noise_but_never_marked():
    rustle, t = breath(np.random.default_rng(9))
    voice = rustle + 0.2 * spoken(t)
    assert voiced(ridges(voice, 4000)).mean() > 0.3
    assert not voiced(ridges(rustle, 4000)).any()
    assert not voiced(ridges(SOUND, RATE)).any()
    assert "room_noise" in [r.code for r in sound_quality(voice, 4000, heart=False).reasons]
    assert sound_quality(rustle, 4000, heart=False).reasons == ()
    assert not [m for m in lung_marks(voice, 4000) if m.kind == "wheeze"]


@pytest.mark.parametrize(
    ("name", "low", "high"), [("bell", 20, 200), ("diaphragm", 100, 500), ("wide", 20, 1500)]
)
def test_listening_filters_are_flat_within_their_band_and_fall_outside(name, low, high):
    rate = 8000
    impulse = np.zeros(4 * rate)
    impulse[2 * rate] = 1.0
    gain = 20 * np.log10(np.abs(np.fft.rfft(listening(impulse, rate, name))) + 1e-9)
    frequency = np.fft.rfftfreq(len(impulse), 1 / rate)
    inside = (frequency > 1.7 * low) & (frequency < high / 1.7)
    assert np.ptp(gain[inside]) < 3.0
    assert np.abs(gain[inside]).max() < 3.0
    assert gain[np.argmin(np.abs(frequency - low))] == pytest.approx(-6, abs=1)
    assert gain[np.argmin(np.abs(frequency - low / 4))] < -30


def test_a_steady_hiss_is_as_loud_at_its_ends_and_states_must_fit():
    hiss = np.sin(2 * np.pi * 200 * np.arange(4 * 4000) / 4000)
    seen = murmur_envelope(hiss, 4000).amplitude
    assert seen[2:-2].min() == pytest.approx(np.sqrt(0.5), rel=0.02)
    assert seen[-1] > 0.9 * np.sqrt(0.5)
    for refuse in (murmur_envelope, without_heart):
        with pytest.raises(ValueError, match="one for each of the 16000 samples"):
            refuse(hiss, 4000, np.zeros(99, dtype=np.uint8))


@pytest.mark.parametrize("rate", [500, 1999, 11025, 44100, 48000])
@pytest.mark.parametrize("seconds", [3.0, 3.1, 4.567])
def test_every_rate_and_length_is_segmented_to_the_last_sample(rate, seconds):
    count = int(np.ceil(seconds * rate))
    at = np.arange(count) * (RATE / rate)
    other = np.interp(at, np.arange(len(SOUND)), SOUND)
    states = hs.segment(other, rate)
    assert len(states) == count
    assert set(np.unique(states)) <= {0, 1, 2, 3, 4}
    assert (states == 1).any()
