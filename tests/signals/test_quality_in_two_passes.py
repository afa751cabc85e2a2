"""The quick ways of judging say what the thorough ones say."""

import numpy as np
import pytest
from scipy import ndimage

from chevet.signals import quality_ecg, sound_voice
from chevet.signals.filters import hum, hum_of_each
from chevet.signals.quality import ecg_quality
from chevet.sim.bodies import EcgBody
from chevet.sim.patient import Patient

LEADS = Patient(3, "normal").ecg(5.0, 10.0)


@pytest.fixture
def second_passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many candidates each second pass was given."""
    seen: list[int] = []
    thorough = quality_ecg.choose

    def counted(candidates, first):
        seen.append(len(candidates.at))
        return thorough(candidates, first)

    monkeypatch.setattr(quality_ecg, "choose", counted)
    return seen


@pytest.mark.parametrize("first", range(0, 1000, 100))
def test_few_beats_of_a_calm_ecg_are_never_called_motion(first: int) -> None:
    verdict = ecg_quality(EcgBody(1).take(first, 1250) * 0.001, 500)
    assert verdict.usable
    assert "motion" not in {reason.code for reason in verdict.reasons}


def test_calm_leads_are_judged_by_one_pass_and_get_the_score_of_two(
    second_passes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = ecg_quality(LEADS, 500)
    assert len(second_passes) <= 2
    monkeypatch.setattr(quality_ecg, "_SURELY_ALIKE", 2.0)
    thorough = ecg_quality(LEADS, 500)
    assert len(second_passes) >= 12
    assert quick.score == pytest.approx(thorough.score, abs=0.02)
    assert quick.reasons == thorough.reasons == ()


def test_a_lead_full_of_noise_is_judged_by_both(second_passes: list[int]) -> None:
    noise = ndimage.gaussian_filter1d(np.random.default_rng(1).normal(size=5000), 4) * 3
    assert not ecg_quality(noise, 500).usable
    assert len(second_passes) == 1


def test_the_hum_of_all_leads_is_that_of_each() -> None:
    turn = 2 * np.pi * 50 * np.arange(5000) / 500
    leads = LEADS + 0.05 * np.arange(12)[:, None] * np.sin(turn)
    rms, ratio = hum_of_each(leads, 500, 50.0)
    alone = [hum(lead[None], 500, 50.0) for lead in leads]
    np.testing.assert_allclose(np.stack([rms, ratio], axis=1), alone, rtol=1e-9)
    assert hum(leads, 500, 50.0)[0] == pytest.approx(0.55 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("wide", [3, 15])
def test_a_running_median_down_columns_is_that_of_the_whole_picture(wide: int) -> None:
    level = np.random.default_rng(2).normal(size=(60, 17))
    expected = ndimage.median_filter(level, size=(wide, 1), mode="nearest")
    np.testing.assert_array_equal(sound_voice._around(level, wide), expected)
