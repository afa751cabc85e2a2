"""Delineation, measurements and exchanged electrodes on a real twelve-lead ECG."""

import csv

import numpy as np
import pytest
from real_signals import DEVELOPER, LEADS, needs_developer_data, twelve_leads

from chevet.signals import ecg
from chevet.signals.ecg_rhythm import corrected

ECG, RATE = twelve_leads()
BEATS = ecg.beats_of(ECG, RATE, LEADS)
WAVES = ecg.delineate(ECG, RATE, BEATS)
ORDER = ("p_on", "p_peak", "p_off", "qrs_on", "qrs_peak", "qrs_off", "t_on", "t_peak", "t_off")


def test_waves_of_every_beat_come_in_their_order():
    marks = np.stack([getattr(WAVES, name) for name in ORDER])
    assert marks.shape == (9, len(BEATS))
    for beat in marks.T:
        there = beat[beat >= 0]
        assert np.all(np.diff(there) >= 0)
    assert (marks >= 0).mean() > 0.95


def test_scale_and_offset_change_no_wave():
    other = ecg.delineate(ECG * 7 + 2, RATE, BEATS)
    for name in ORDER:
        np.testing.assert_array_equal(getattr(other, name), getattr(WAVES, name))


def test_waves_in_a_gap_are_absent():
    gappy = ECG.copy()
    gappy[:, 2000:2600] = np.nan
    waves = ecg.delineate(gappy, RATE, ecg.beats_of(gappy, RATE, LEADS))
    for name in ORDER:
        at = getattr(waves, name)
        assert not np.any((at >= 2000) & (at < 2600))


def test_no_beats_give_empty_arrays():
    assert len(ecg.delineate(ECG, RATE, []).t_off) == 0


def test_a_chaotic_rhythm_shows_no_p_waves():
    rng = np.random.default_rng(4)
    middle = BEATS[3]
    beat = ECG[:, middle - 130 : middle + 250] - ECG[:, middle - 130 : middle - 129]
    long = np.zeros((12, 9000))
    at = 300
    while at < 8500:
        long[:, at : at + 380] += beat
        at += int(rng.uniform(390, 700))
    long += 0.005 * rng.standard_normal(long.shape)
    waves = ecg.delineate(long, RATE, ecg.beats_of(long, RATE, LEADS))
    assert np.all(waves.p_peak == -1)
    assert ecg.measure(long, RATE, LEADS).pr.value is None


def test_measurements_of_a_healthy_man_are_plausible_and_named():
    found = ecg.measure(ECG, RATE, LEADS)
    assert found.heart_rate.value == pytest.approx(60 * RATE / np.mean(np.diff(BEATS)), abs=1)
    assert 120 <= found.pr.value <= 200
    assert 70 <= found.qrs.value <= 110
    assert 330 <= found.qt.value <= 450
    assert -30 <= found.qrs_axis.value <= 95
    assert "Fridericia" in found.qtc_fridericia.method
    assert {"Bazett", "Framingham", "Hodges"} <= {m.method.split(",")[0] for m in found.all()}
    assert all(m.unit and m.method for m in found.all())
    assert {m.kind for m in found.st} == {f"st_{name}" for name in LEADS}


def test_correction_formulas_agree_at_sixty_beats_a_minute():
    qt = ecg.Measured("qt", 400.0, "ms", "x", 8, 1.0)

    assert [m.value for m in corrected(qt, np.full(9, 1.0))] == [400, 400, 400, 400]


def test_correction_formulas_at_a_hundred_beats_a_minute():
    qt = ecg.Measured("qt", 320.0, "ms", "x", 8, 1.0)
    bazett, fridericia, framingham, hodges = (m.value for m in corrected(qt, np.full(9, 0.6)))
    assert (bazett, fridericia, framingham, hodges) == (413, 379, 382, 390)


def test_noise_gives_no_numbers_but_no_crash():
    noise = 0.2 * np.random.default_rng(1).standard_normal((12, 5000))
    found = ecg.measure(noise, RATE, LEADS)
    assert found.pr.value is None
    assert all(m.value is None or np.isfinite(m.value) for m in found.all())


def test_a_flat_recording_gives_none_everywhere():
    assert all(m.value is None for m in ecg.measure(np.zeros((12, 5000)), RATE, LEADS).all())


def test_one_lead_alone_gives_a_rate_but_no_axis():
    found = ecg.measure(ECG[1], RATE, ("II",))
    assert found.heart_rate.value is not None
    assert found.qrs_axis.value is None


def test_names_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="name every row"):
        ecg.measure(ECG, RATE, ("I", "II"))
    with pytest.raises(ValueError, match="transpose"):
        ecg.measure(ECG.T, RATE)


def rewired(right, left, leg):
    """The recording as it looks with the electrodes on other limbs."""
    potential = {"RA": np.zeros(ECG.shape[1]), "LA": ECG[0], "LL": ECG[1], "RL": ECG[1] + 0.002}
    ra, la, ll = potential[right], potential[left], potential[leg]
    one, two = la - ra, ll - ra
    shift = (potential["LA"] + potential["LL"]) / 3 - (ra + la + ll) / 3
    limb = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    grain = 0.003 * np.random.default_rng(0).standard_normal(ECG.shape)
    return np.vstack([limb, ECG[6:] + shift]) + grain


def test_a_right_wiring_raises_no_alarm():
    assert ecg.lead_swap(ECG, RATE, LEADS) == ()
    assert ecg.lead_swap(rewired("RA", "LA", "LL"), RATE, LEADS) == ()


@pytest.mark.parametrize(
    ("order", "name"),
    [
        (("LA", "RA", "LL"), "RA/LA"),
        (("LL", "LA", "RA"), "RA/LL"),
        (("RL", "LA", "LL"), "RA/RL"),
        (("RA", "RL", "LL"), "LA/RL"),
    ],
)
def test_exchanged_limb_electrodes_are_named(order, name):
    assert name in [str(s) for s in ecg.lead_swap(rewired(*order), RATE, LEADS)]


def test_exchanged_chest_electrodes_are_named():
    mixed = ECG.copy()
    mixed[[7, 10]] = mixed[[10, 7]]
    (swap,) = ecg.lead_swap(mixed, RATE, LEADS)
    assert swap.electrodes == ("V2", "V5")
    assert 0 < swap.confidence <= 1


def test_a_recording_without_limb_leads_says_nothing():
    assert ecg.lead_swap(ECG[6:], RATE, LEADS[6:]) == ()


@needs_developer_data
def test_manual_marks_of_ludb_are_met():
    folder = DEVELOPER / "ecg" / "ludb"
    errors = {"QRS": [], "T": []}
    with (folder / "annotations.csv").open() as file:
        rows = list(csv.DictReader(file))
    for record in ("1", "7", "26", "68", "73", "106", "152", "181"):
        leads = np.fromfile(folder / f"{record}.dat", "<i2").reshape(-1, 12).T / 1000
        waves = ecg.delineate(leads, 500, ecg.beats_of(leads, 500))
        for row in rows:
            if row["record"] == record and row["lead"] == "ii" and row["wave"] in errors:
                found = waves.qrs_on if row["wave"] == "QRS" else waves.t_off
                mark = int(row["onset"] if row["wave"] == "QRS" else row["offset"])
                errors[row["wave"]].append(found[np.argmin(np.abs(found - mark))] - mark)
    assert np.std(errors["QRS"]) * 2 < 11
    assert np.std(errors["T"]) * 2 < 40
