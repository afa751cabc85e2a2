"""What a worker does wrong shows as it does in life, and the quality engine names it."""

import numpy as np
import pytest

from chevet.signals import ecg, pleth, quality
from chevet.sim import patient_faults as faults
from chevet.sim.heart.errors import PatientError
from chevet.sim.patient import Patient

RATE_HZ = 500.0


@pytest.fixture(scope="module")
def leads():
    return Patient(2, "normal").ecg(2, 10)


@pytest.fixture(scope="module")
def heart():
    return Patient(2, "normal").heart_sound(2, 10)


def codes(verdict):
    return {str(reason).split(":")[0] for reason in verdict.reasons}


def test_electrodes_and_leads_are_two_views_of_the_same(leads):
    np.testing.assert_allclose(faults.leads_of(faults.electrodes_of(leads)), leads, atol=1e-12)


def test_exchanged_arms_invert_lead_i_and_leave_the_chest_alone(leads):
    wrong = faults.swapped(leads, "RA", "LA")
    np.testing.assert_allclose(wrong[0], -leads[0], atol=1e-12)
    np.testing.assert_allclose(wrong[1], leads[2], atol=1e-12)
    np.testing.assert_allclose(wrong[3], leads[4], atol=1e-12)
    np.testing.assert_allclose(wrong[6:], leads[6:], atol=1e-12)


def test_exchanged_left_arm_and_leg_exchange_leads_i_and_ii(leads):
    wrong = faults.swapped(leads, "LA", "LL")
    np.testing.assert_allclose(wrong[0], leads[1], atol=1e-12)
    np.testing.assert_allclose(wrong[2], -leads[2], atol=1e-12)


def test_exchanged_chest_electrodes_exchange_their_leads_only(leads):
    wrong = faults.swapped(leads, "V1", "V2")
    np.testing.assert_allclose(wrong[[7, 6]], leads[[6, 7]], atol=1e-12)
    np.testing.assert_allclose(wrong[:6], leads[:6], atol=1e-12)


def test_an_arm_exchanged_with_the_right_leg_leaves_a_lead_almost_flat(leads):
    wrong = faults.swapped(leads, "RA", "RL")
    assert np.ptp(wrong[1]) < 0.1 * np.ptp(leads[1])


@pytest.mark.parametrize("pair", [("RA", "LA"), ("RA", "LL"), ("RA", "RL"), ("V2", "V3")])
def test_exchanges_are_found_and_a_right_wiring_is_not_accused(leads, pair):
    assert ecg.lead_swap(leads, RATE_HZ) == ()
    found = ecg.lead_swap(faults.swapped(leads, *pair), RATE_HZ)
    assert any(set(pair) == set(str(one).replace("/", " ").replace("-", " ").split()) for one in found), found


def test_a_loose_electrode_spoils_its_leads_and_spares_the_others(leads):
    wrong = faults.loose(leads, "V3", RATE_HZ, seed=1)
    changed = np.abs(wrong - leads).max(axis=1)
    assert changed[8] > 0.5
    assert np.delete(changed, 8).max() < 1e-9
    limb = np.abs(faults.loose(leads, "LA", RATE_HZ, seed=1) - leads).max(axis=1)
    assert limb[1] < 1e-9  # lead II does not know the left arm
    assert min(limb[0], limb[2]) > 0.5
    assert np.abs(faults.loose(leads, "RL", RATE_HZ) - leads).max(axis=1).mean() > 0.02


def test_every_fault_of_the_leads_keeps_einthovens_law(leads):
    for wrong in (
        faults.swapped(leads, "RA", "LL"),
        faults.loose(leads, "RA", RATE_HZ),
        faults.with_mains(leads, RATE_HZ),
        faults.with_tremor(leads, RATE_HZ),
    ):
        np.testing.assert_allclose(wrong[2], wrong[1] - wrong[0], atol=1e-12)


def test_hum_and_tremor_are_named_by_the_quality_engine(leads):
    assert "mains_hum" in codes(quality.ecg_quality(faults.with_mains(leads, RATE_HZ), RATE_HZ))
    assert "mains_hum" in codes(
        quality.ecg_quality(faults.with_mains(leads, RATE_HZ, mains_hz=60.0), RATE_HZ)
    )
    assert "tremor" in codes(quality.ecg_quality(faults.with_tremor(leads, RATE_HZ, tremor_mv=0.15), RATE_HZ))


def test_friction_and_speech_are_named_by_the_quality_engine(heart):
    rubbed = [quality.sound_quality(faults.with_friction(heart, 4000, seed=s), 4000) for s in range(4)]
    assert all(one.score < quality.sound_quality(heart, 4000).score for one in rubbed)
    assert any("friction" in codes(one) for one in rubbed)
    assert "room_noise" in codes(
        quality.sound_quality(faults.with_room_speech(heart, 4000, level=0.15), 4000)
    )


def test_a_cold_finger_pulses_less_and_keeps_its_saturation():
    light = Patient(2, "normal").pleth(2, 20)
    cold = faults.cold_finger(light, left=0.2)
    warm_index, cold_index = (pleth.perfusion_index(one[1], 125.0) for one in (light, cold))
    assert cold_index == pytest.approx(0.2 * warm_index, rel=0.05)
    assert pleth.spo2(*cold, 125.0) == pytest.approx(pleth.spo2(*light, 125.0), abs=0.6)


def test_without_a_finger_there_is_no_saturation():
    light = Patient(2, "normal").pleth(2, 20)
    gone = faults.finger_off(light, 125.0, from_s=8.0)
    np.testing.assert_array_equal(gone[:, :1000], light[:, :1000])
    pulses = pleth.detect_pulses(light[1, 1000:], 125.0)
    assert len(pulses) > 8
    assert np.ptp(gone[1, 1100:]) < 0.05
    assert gone[1, 1000:].mean() > 2 * light[1].mean()


def test_faults_repeat_with_their_seed_and_leave_their_argument_alone(leads, heart):
    kept_leads, kept_heart = leads.copy(), heart.copy()
    for once, again, other in (
        [faults.loose(leads, "V1", RATE_HZ, seed=s) for s in (1, 1, 2)],
        [faults.with_tremor(leads, RATE_HZ, seed=s) for s in (1, 1, 2)],
        [faults.with_friction(heart, 4000, seed=s) for s in (1, 1, 2)],
        [faults.with_room_speech(heart, 4000, seed=s) for s in (1, 1, 2)],
    ):
        np.testing.assert_array_equal(once, again)
        assert not np.array_equal(once, other)
    np.testing.assert_array_equal(leads, kept_leads)
    np.testing.assert_array_equal(heart, kept_heart)


def test_an_electrode_that_does_not_exist_is_refused(leads):
    with pytest.raises(PatientError, match="choose one of RA"):
        faults.swapped(leads, "RA", "V9")
