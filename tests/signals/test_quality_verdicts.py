"""The quality engine: good real recordings pass, and each fault is called by its name."""

import numpy as np
import pytest
from real_signals import DEVELOPER, LEADS, heart_sound, needs_developer_data, pleth, twelve_leads

from chevet.signals import quality, quality_ecg
from chevet.signals.quality import ecg_quality, picture_quality, pleth_quality, sound_quality

ECG, RATE = twelve_leads()
TIME = np.arange(ECG.shape[1]) / RATE


@pytest.fixture
def rng():
    """The same noise for each test, whatever ran before it."""
    return np.random.default_rng(7)


def codes(verdict):
    return [reason.code for reason in verdict.reasons]


def words(verdict):
    return [str(reason) for reason in verdict.reasons]


@pytest.mark.parametrize("start", [0, 500, 1500, 2500, 3000])
def test_four_seconds_of_a_good_ecg_pass(start):
    verdict = ecg_quality(ECG[:, start : start + 2000], RATE, LEADS)
    assert verdict.usable
    assert verdict.score > 0.8
    assert verdict.reasons == ()


def test_a_lead_that_fell_off_is_named():
    off = ECG.copy()
    off[8] = 0.7
    verdict = ecg_quality(off, RATE, LEADS)
    assert not verdict.usable
    assert words(verdict) == ["lead_off:V3"]


def test_a_lead_whose_samples_never_came_is_named():
    off = ECG.copy()
    off[6] = np.nan
    assert "lead_off:V1" in words(ecg_quality(off, RATE, LEADS))


def test_leads_without_names_are_numbered_unless_they_are_twelve():
    assert "lead_off:2" in words(ecg_quality(np.stack([ECG[1], ECG[1] * 0]), RATE))
    off = ECG.copy()
    off[11] = 0
    assert "lead_off:V6" in words(ecg_quality(off, RATE))


def test_all_leads_flat_is_one_reason():
    assert words(ecg_quality(np.zeros((12, 2000)), RATE, LEADS)) == ["flat"]


@pytest.mark.parametrize("mains", [50, 60])
def test_mains_hum_is_recognised_in_all_leads_at_once(mains):
    verdict = ecg_quality(ECG + 0.2 * np.sin(2 * np.pi * mains * TIME), RATE, LEADS)
    assert "mains_hum" in words(verdict)
    assert verdict.score < 0.7


def test_mains_hum_in_one_lead_names_it():
    hum = ECG.copy()
    hum[9] += 0.3 * np.sin(2 * np.pi * 50 * TIME)
    assert "mains_hum:V4" in words(ecg_quality(hum, RATE, LEADS))


def test_tremor_is_recognised(rng):
    rough = ECG + 0.12 * rng.standard_normal(ECG.shape)
    verdict = ecg_quality(rough, RATE, LEADS)
    assert "tremor" in codes(verdict)


def test_saturation_is_recognised():
    clipped = np.clip(ECG * 4 + 1, -2, 2)
    assert "saturated" in codes(ecg_quality(clipped, RATE, LEADS))


def test_a_wandering_baseline_is_recognised():
    assert "baseline_wander" in codes(ecg_quality(ECG + 2 * np.sin(2 * np.pi * 0.2 * TIME), RATE, LEADS))


def test_motion_is_recognised_and_makes_it_unusable(rng):
    jerks = np.cumsum(rng.standard_normal(ECG.shape[1]) * 0.15)
    jerks += 1.5 * np.repeat(rng.standard_normal(100), 50)
    verdict = ecg_quality(ECG + jerks - jerks.mean(), RATE, LEADS)
    assert "motion" in codes(verdict)
    assert not verdict.usable


def test_gaps_lower_the_score_and_are_named():
    gappy = ECG.copy()
    gappy[:, 1000:2000] = np.nan
    verdict = ecg_quality(gappy, RATE, LEADS)
    assert "gaps" in codes(verdict)
    assert verdict.score < ecg_quality(ECG, RATE, LEADS).score


def test_too_short_and_never_arrived_are_verdicts_not_errors():
    assert words(ecg_quality(ECG[:, :400], RATE, LEADS)) == ["too_short"]
    assert words(ecg_quality(np.full((12, 2000), np.nan), RATE, LEADS)) == ["gaps"]
    assert words(sound_quality(np.zeros(100), 4000)) == ["too_short"]
    assert words(sound_quality(np.full(20000, np.nan), 4000)) == ["gaps"]
    assert words(pleth_quality(np.zeros(10), 75)) == ["too_short"]
    assert words(pleth_quality(np.full(500, np.nan), 75)) == ["gaps"]


def test_scores_fall_as_noise_rises(rng):
    noise = np.repeat(rng.standard_normal(500), 10)
    scores = [
        quality_ecg.lead_scores((ECG[1] + level * noise)[None], RATE)[0] for level in (0, 0.1, 0.3, 1.0)
    ]
    assert scores[0] > 0.9
    assert scores[0] >= scores[1] > scores[2] >= scores[3]


@pytest.mark.parametrize("name", ["heart-circor-85343-mv", "heart-circor-85343-tv", "heart-circor-85345-av"])
def test_real_heart_sounds_pass(name):
    sound, rate = heart_sound(name)
    verdict = sound_quality(sound, rate)
    assert verdict.usable
    assert sound_quality(sound[: int(4 * rate)], rate).usable


def test_faults_of_a_sound_are_named(rng):
    sound, rate = heart_sound()
    loud = np.clip(sound * 4 / np.abs(sound).max(), -1, 1)
    assert "clipping" in codes(sound_quality(loud, rate))
    assert "too_faint" in codes(sound_quality(sound * 1e-4, rate))
    assert codes(sound_quality(np.full(20000, 0.1), rate)) == ["flat"]
    room = sound + 0.5 * np.std(sound) * 10 * rng.standard_normal(len(sound))
    assert "room_noise" in codes(sound_quality(room, rate))
    rubbed = sound.copy()
    for start in range(3000, len(sound) - 2000, 9000):
        rubbed[start : start + 1200] += 20 * np.std(sound) * rng.standard_normal(1200)
    assert "friction" in codes(sound_quality(rubbed, rate))
    gappy = sound.copy()
    gappy[4000:8000] = np.nan
    assert "gaps" in codes(sound_quality(gappy, rate))


def test_noise_alone_has_no_heart_sound_but_may_be_a_lung_sound():
    white = np.random.default_rng(11).standard_normal(80000)
    noise = 0.05 * np.convolve(white, np.hanning(40), "same")  # rumble without rhythm
    verdict = sound_quality(noise, 4000)
    assert "no_heart_sound" in codes(verdict)
    assert not verdict.usable
    assert sound_quality(noise, 4000, heart=False).usable


def test_a_real_pleth_passes_in_live_windows_and_whole():
    values, rate = pleth()
    assert pleth_quality(values, rate).usable
    assert np.mean([pleth_quality(values[s : s + 500], rate).usable for s in range(0, 6000, 250)]) > 0.9


def test_faults_of_a_pleth_are_named(rng):
    values, rate = pleth()
    assert codes(pleth_quality(np.full(1000, 5.0), rate)) == ["flat"]
    assert "low_perfusion" in codes(pleth_quality(values, rate, perfusion_index_pct=0.2))
    wild = [np.convolve(rng.standard_normal(len(values)), np.hanning(30), "same") for _ in range(3)]
    moved = [values + np.ptp(values) * one for one in wild]
    live = [pleth_quality(one[s : s + 500], rate) for one in moved for s in range(0, 6000, 250)]
    assert np.mean([bool({"motion", "no_pulse"} & set(codes(verdict))) for verdict in live]) > 0.4
    assert np.mean([verdict.score for verdict in live]) < 0.75 * pleth_quality(values, rate).score
    ramp = np.linspace(0, 1, 1000)
    assert "no_pulse" in codes(pleth_quality(ramp, rate))
    cut = np.clip(values, *np.quantile(values, [0.3, 0.7]))
    assert "saturated" in codes(pleth_quality(cut, rate))
    gappy = values.copy()
    gappy[500:2500] = np.nan
    assert "gaps" in codes(pleth_quality(gappy, rate))


def eardrum(rng, texture=14.0):
    """A lit disc with fine vessels on a dark rim."""
    y, x = np.mgrid[:240, :320]
    disc = np.clip((100 - np.hypot(y - 120, x - 160)) / 8, 0, 1)
    lines = np.sin(x / 3.1 + 2 * np.sin(y / 17)) * np.sin(y / 4.3 + np.sin(x / 11))
    grey = 120 + texture * lines + 15 * np.sin(x / 40)
    tint = np.array([1.15, 0.92, 0.9])
    return np.clip(
        disc[..., None] * grey[..., None] * tint + 6 + rng.normal(0, 1, (240, 320, 3)), 0, 255
    ).astype(np.uint8)


def test_faults_of_a_picture_are_named(rng):
    from scipy.ndimage import gaussian_filter

    image = eardrum(rng)
    assert picture_quality(image).usable
    assert picture_quality(image).reasons == ()
    blurred = gaussian_filter(image.astype(float), (4, 4, 0)).astype(np.uint8)
    assert "out_of_focus" in codes(picture_quality(blurred))
    assert "overexposed" in codes(picture_quality(np.clip(image * 2.4, 0, 255).astype(np.uint8)))
    assert "underexposed" in codes(picture_quality((image * 0.25).astype(np.uint8)))
    shiny = image.copy()
    shiny[80:140, 120:190] = 250
    assert "glare" in codes(picture_quality(shiny))
    assert "no_eardrum_in_view" in codes(picture_quality(np.full((240, 320, 3), 3, np.uint8)))
    brown = (image * np.array([1.0, 1.0, 0.45])).astype(np.uint8)
    assert "wax" in codes(picture_quality(brown))


@pytest.mark.parametrize(
    "wrong", [np.zeros((100, 100)), np.zeros((100, 100, 3)), np.zeros((10, 10, 3), np.uint8)]
)
def test_what_is_no_rgb_image_is_refused(wrong):
    with pytest.raises(ValueError, match="the picture has shape"):
        picture_quality(wrong)


def test_every_reason_is_explained_in_the_guide():
    from real_signals import ROOT

    guide = (ROOT / "docs" / "signals.md").read_text()
    assert [code for code in quality.REASONS if f"`{code}`" not in guide] == []


@needs_developer_data
def test_good_twelve_lead_recordings_are_accepted():
    verdicts = []
    for path in sorted((DEVELOPER / "ecg" / "ludb").glob("*.dat")):
        leads = np.fromfile(path, "<i2").reshape(-1, 12).T / 1000
        verdicts.append(ecg_quality(leads, 500, LEADS).usable)
    assert np.mean(verdicts) >= 0.97
