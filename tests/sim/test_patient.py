"""One simulated heart, seen, heard and felt: the same however it is asked, and true to its own truth."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.signals import ecg, heart_sound, pleth, quality
from chevet.signals.ecg_measure import beats_of, measure
from chevet.sim.heart.errors import PatientError
from chevet.sim.heart.pulse import ratio_of
from chevet.sim.patient import Patient
from chevet.sim.patient_conditions import CONDITIONS

RATE_HZ = 500.0
REGULAR = [name for name, row in CONDITIONS.items() if row.pace.kind == "sinus"]

SIGNALS = {
    "ecg": (lambda p, start, n: p.ecg(start / 500, n / 500), 500),
    "heart": (lambda p, start, n: p.heart_sound(start / 4000, n / 4000, "A"), 4000),
    "lungs": (lambda p, start, n: p.lung_sound(start / 4000, n / 4000, "Pl"), 4000),
    "light": (lambda p, start, n: p.pleth(start / 125, n / 125), 125),
    "pulse": (lambda p, start, n: p.pulse_wave(start / 75, n / 75), 75),
}


def f1(found: np.ndarray, true: np.ndarray, within_s: float = 0.15) -> float:
    """Return F1 of one-to-one matches; both ascend."""
    left, hits = list(true), 0
    for at in found:
        near = min(left, key=lambda one: abs(one - at), default=np.inf)
        if abs(near - at) <= within_s:
            left.remove(near)
            hits += 1
    return 2 * hits / (len(found) + len(true))


def inner(times: np.ndarray, start_s: float, stop_s: float) -> np.ndarray:
    return times[(times > start_s + 0.5) & (times < stop_s - 0.5)]


@pytest.mark.parametrize("signal", SIGNALS)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_a_window_cut_anywhere_holds_the_same_samples(signal, data):
    take, rate = SIGNALS[signal]
    condition = data.draw(st.sampled_from(sorted(CONDITIONS)))
    first = data.draw(st.integers(0, 5 * rate))
    count = data.draw(st.integers(2, 3 * rate))
    cut = data.draw(st.integers(1, count - 1))
    whole = take(Patient(5, condition), first, count)
    other = Patient(5, condition)
    late = take(other, first + cut, count - cut)  # the later part is asked for first
    early = take(other, first, cut)
    assert whole.shape[-1] == count
    np.testing.assert_array_equal(np.concatenate([early, late], axis=-1), whole)


def test_another_seed_is_another_person_with_the_same_condition():
    one, again, other = (Patient(seed, "normal").ecg(2, 4) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)


def test_truth_does_not_depend_on_what_was_asked_before():
    fresh, used = Patient(3, "atrial-fibrillation"), Patient(3, "atrial-fibrillation")
    used.ecg(40, 5)
    used.truth(100, 10)
    np.testing.assert_array_equal(fresh.truth(10, 20).beats, used.truth(10, 20).beats)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_the_leads_keep_einthovens_and_goldbergers_laws(condition):
    one, two, three, avr, avl, avf = Patient(1, condition).ecg(1, 5)[:6]
    np.testing.assert_array_equal(three, two - one)
    np.testing.assert_allclose(avr, -(one + two) / 2, atol=1e-15)
    np.testing.assert_allclose(avl, (one - three) / 2, atol=1e-12)
    np.testing.assert_allclose(avf, (two + three) / 2, atol=1e-12)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_the_beats_that_are_true_are_found(condition):
    patient = Patient(4, condition)
    found = 5 + beats_of(patient.ecg(5, 40), RATE_HZ) / RATE_HZ
    score = f1(inner(found, 5, 45), inner(patient.truth(5, 40).beats, 5, 45))
    assert score > (0.99 if condition in REGULAR else 0.97)


def test_a_healthy_ecg_measures_as_a_healthy_persons():
    for seed in range(1, 7):
        found = measure(Patient(seed, "normal").ecg(3, 10), RATE_HZ)
        assert 60 <= found.heart_rate.value <= 80
        assert 120 <= found.pr.value <= 200
        assert 80 <= found.qrs.value <= 110
        assert 350 <= found.qtc_fridericia.value <= 440
        assert -10 <= found.qrs_axis.value <= 95


def test_waves_lie_where_the_truth_says():
    patient = Patient(2, "normal")
    leads, truth = patient.ecg(5, 20), patient.truth(5, 20)
    marks = ecg.delineate(leads, RATE_HZ, beats_of(leads, RATE_HZ))
    for name, within_ms in (("p_on", 15), ("qrs_on", 12), ("qrs_off", 12), ("t_peak", 20), ("t_off", 25)):
        found = getattr(marks, name)
        found = 5 + found[found >= 0] / RATE_HZ
        off = [np.abs(found - one).min() for one in inner(truth.waves[name], 5, 25)]
        assert np.median(off) * 1000 < within_ms, name


def st_at(condition: str, leads: tuple[str, ...]) -> list[float]:
    found = measure(Patient(2, condition).ecg(3, 10), RATE_HZ).st
    by_name = {one.kind.rsplit("_", 1)[-1].lower(): one.value for one in found}
    return [by_name[name.lower()] for name in leads]


def test_infarctions_lift_st_where_they_should():
    assert min(st_at("anterior-infarction", ("V2", "V3", "V4"))) > 0.2
    assert min(st_at("inferior-infarction", ("II", "III", "aVF"))) > 0.1
    assert st_at("inferior-infarction", ("aVL",))[0] < -0.05
    assert max(np.abs(st_at("normal", ("I", "II", "V5", "V6")))) < 0.1


def test_left_bundle_block_is_wide_and_has_no_septal_q_in_v6():
    patient = Patient(1, "left-bundle-block")
    assert measure(patient.ecg(3, 10), RATE_HZ).qrs.value > 125
    truth, leads = patient.truth(3, 10), patient.ecg(3, 10)
    on = int((truth.waves["qrs_on"][3] - 3) * RATE_HZ)
    assert leads[11, on : on + 30].min() > leads[11, on] - 0.05


def test_fibrillation_has_no_p_waves_and_no_rhythm():
    truth = Patient(1, "atrial-fibrillation").truth(0, 120)
    assert len(truth.p_waves) == 0
    assert np.isnan(truth.waves["p_on"]).all()
    interval = np.diff(truth.beats)
    assert interval.std() / interval.mean() > 0.15
    assert abs(np.corrcoef(interval[:-1], interval[1:])[0, 1]) < 0.25


def test_a_premature_beat_comes_early_and_is_followed_by_a_full_pause():
    truth = Patient(1, "premature-beats").truth(0, 120)
    at = [k for k, kind in enumerate(truth.kinds) if kind == "premature" and 1 < k < len(truth.kinds) - 1]
    assert len(at) > 5
    usual = np.median(np.diff(truth.beats))
    for k in at:
        before, after = np.diff(truth.beats[k - 1 : k + 2])
        assert before < 0.85 * usual
        assert before + after == pytest.approx(2 * usual, rel=0.15)


def test_in_complete_block_atria_and_ventricles_keep_their_own_time():
    truth = Patient(1, "complete-av-block").truth(0, 120)
    assert set(truth.kinds) == {"escape"}
    assert truth.heart_rate_per_min < 45
    assert len(truth.p_waves) > 1.7 * len(truth.beats)
    after_p = [(at - truth.p_waves[truth.p_waves < at][-1]) for at in truth.beats[2:]]
    assert np.ptp(after_p) > 0.4


@pytest.mark.parametrize(
    "condition", ["normal", "child", "tachycardia", "aortic-stenosis", "mitral-regurgitation"]
)
def test_heart_sounds_follow_the_ecg_and_are_found_where_they_are(condition):
    patient = Patient(2, condition)
    truth, sound = patient.truth(2, 15), patient.heart_sound(2, 15, "M")
    delay = truth.s1[:, 0] - truth.beats
    assert ((delay > -0.01) & (delay < 0.06)).all()
    qrs = beats_of(patient.ecg(2, 15), RATE_HZ) * 8
    states = heart_sound.segment(sound, 4000, qrs)
    for state, spans in ((1, truth.s1), (3, truth.s2)):
        on = 2 + np.flatnonzero((states[1:] == state) & (states[:-1] != state)) / 4000
        assert f1(inner(on, 2, 17), inner(spans[:, 0], 2, 17), 0.08) > 0.9
    assert heart_sound.heart_rate(sound, 4000) == pytest.approx(truth.heart_rate_per_min, rel=0.04)


def level(sound: np.ndarray, at_s: float, spans: np.ndarray) -> float:
    inside = [sound[int((a - at_s) * 4000) : int((b - at_s) * 4000)] for a, b in spans[1:-1]]
    return float(np.sqrt(np.mean(np.concatenate(inside) ** 2)))


def test_a_murmur_fills_systole_at_its_own_site():
    for condition, near, far in (("aortic-stenosis", "A", "T"), ("mitral-regurgitation", "M", "A")):
        patient = Patient(1, condition)
        spans = patient.truth(1, 10).murmurs
        silent = Patient(1, "normal").truth(1, 10)
        assert len(spans) > 5
        assert len(silent.murmurs) == 0
        middle = np.stack([spans.mean(1) - 0.05, spans.mean(1) + 0.05], axis=1)
        loud = level(patient.heart_sound(1, 10, near), 1, middle)
        assert loud > 1.5 * level(patient.heart_sound(1, 10, far), 1, middle)
        assert loud > 5 * level(Patient(1, "normal").heart_sound(1, 10, near), 1, middle)


def test_a_third_sound_is_early_in_diastole_and_heard_at_the_apex():
    patient = Patient(1, "third-sound")
    truth, sound = patient.truth(1, 10), patient.heart_sound(1, 10, "M")
    assert len(truth.s3) == len(truth.beats)
    assert np.allclose(truth.s3 - truth.s2[:, 0], 0.145)
    spans = np.stack([truth.s3, truth.s3 + 0.08], axis=1)
    assert level(sound, 1, spans) > 4 * level(patient.heart_sound(1, 10, "P"), 1, spans)


def test_crackles_are_heard_on_their_side_only():
    patient = Patient(1, "crackles")
    truth = patient.truth(1, 20)
    sick, well = ("Pl", "Pr") if truth.crackles_side == "left" else ("Pr", "Pl")
    assert truth.crackles_side == patient.affected_side
    assert len(truth.crackles) > 20
    spans = np.stack([truth.crackles, truth.crackles + 0.006], axis=1)
    spans = spans[spans[:, 1] < 20.9]
    assert level(patient.lung_sound(1, 20, sick), 1, spans) > 2 * level(
        patient.lung_sound(1, 20, well), 1, spans
    )


def test_a_wheeze_is_a_tone_in_expiration():
    patient = Patient(1, "wheeze")
    spans = patient.truth(1, 20).wheezes
    assert len(spans) >= 4
    start, end = spans[1]
    part = patient.lung_sound(start, end - start, "Al")
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
    hz = np.fft.rfftfreq(len(part), 1 / 4000)
    tone = (np.abs(hz - 262) < 30) | (np.abs(hz - 388) < 40)
    assert power[tone].sum() > 0.5 * power[hz > 100].sum()


@pytest.mark.parametrize("spo2_pct", [75.0, 85.0, 93.0, 98.0])
def test_an_oximeter_reads_the_given_saturation_back(spo2_pct):
    patient = Patient(1, "normal", spo2_pct=spo2_pct)
    read = pleth.spo2(*patient.pleth(2, 20), 125.0)
    assert read == pytest.approx(patient.truth(2, 20).spo2_pct, abs=0.7)
    assert read == pytest.approx(spo2_pct, abs=1.2)


def test_another_calibration_is_read_back_with_itself():
    curved = (104.0, -11.0, -9.0)
    patient = Patient(1, "hypoxia", calibration=curved)
    assert pleth.spo2(*patient.pleth(2, 20), 125.0, curved) == pytest.approx(patient.spo2(12), abs=1.0)
    with pytest.raises(ValueError, match="does not depend on R"):
        ratio_of(np.array(90.0), (110.0, 0.0, 0.0))
    with pytest.raises(ValueError, match="never reaches"):
        ratio_of(np.array(90.0), (50.0, 1.0, -1.0))


def test_the_pulse_follows_the_heart_and_the_breath():
    patient = Patient(2, "normal")
    truth, wave = patient.truth(2, 40), patient.pulse_wave(2, 40, 125.0)
    found = 2 + pleth.detect_pulses(wave, 125.0) / 125
    assert f1(inner(found, 2, 42), inner(truth.pulses, 2, 42)) > 0.98
    assert ((truth.pulses - truth.beats > 0.3) & (truth.pulses - truth.beats < 0.6)).all()
    assert pleth.respiration_rate(wave, 125.0) == pytest.approx(truth.respiration_per_min, abs=2.5)
    assert patient.pulse_rate(30) == pytest.approx(truth.heart_rate_per_min, rel=0.06)
    assert Patient(2, "normal").pulse_rate(0.0) > 0


def test_cold_fingers_pulse_little():
    patient = Patient(1, "low-perfusion")
    index = pleth.perfusion_index(patient.pleth(2, 20)[1], 125.0)
    assert index == pytest.approx(patient.truth(2, 20).perfusion_pct, rel=0.3)
    assert index < 0.3


def test_pressure_temperature_and_age_are_plausible_and_stay_the_same():
    for condition, row in CONDITIONS.items():
        patient = Patient(6, condition)
        pressure = patient.blood_pressure(10)
        assert row.systolic[0] - 6 <= pressure.systolic <= row.systolic[1] + 6
        assert pressure.diastolic < pressure.mean < pressure.systolic
        assert row.temperature_cel[0] - 0.1 <= patient.temperature_cel(10) <= row.temperature_cel[1] + 0.1
        assert row.age_years[0] <= patient.age_years <= row.age_years[1]
        assert Patient(6, condition).blood_pressure(10) == pressure


@pytest.mark.parametrize(("condition", "drawing"), [("otitis-media", "bulging"), ("ear-wax", "wax")])
def test_one_ear_is_ill_and_the_other_well(condition, drawing):
    patient = Patient(1, condition)
    other = "left" if patient.affected_side == "right" else "right"
    side = patient.affected_side
    assert patient.ear(side) == drawing
    assert patient.truth(0, 1).ears[other] == "normal"
    ill, well = (Patient(1, name).otoscope(side).render(3) for name in (condition, "normal"))
    assert ill.shape == well.shape
    assert not np.array_equal(ill, well)


@pytest.mark.parametrize("condition", ["normal", "child", "anterior-infarction", "left-bundle-block"])
def test_a_clean_patient_is_recorded_without_complaint(condition):
    patient = Patient(1, condition)
    assert quality.ecg_quality(patient.ecg(2, 10), RATE_HZ).reasons == ()
    assert quality.sound_quality(patient.heart_sound(2, 10), 4000).reasons == ()
    assert quality.pleth_quality(patient.pulse_wave(2, 20), 75.0).reasons == ()


def test_ten_seconds_of_twelve_leads_are_made_in_no_time():
    taken = []
    for seed in range(3):
        patient = Patient(seed, "tachycardia")
        start = time.process_time()
        patient.ecg(100, 10)
        taken.append(time.process_time() - start)
    assert min(taken) < 0.1


@pytest.mark.parametrize(
    "ask",
    [
        lambda: Patient(1, "gout"),
        lambda: Patient(1, "normal", spo2_pct=20.0),
        lambda: Patient(1).ecg(-1, 5),
        lambda: Patient(1).ecg(0, 0),
        lambda: Patient(1).ecg(0, 1, rate_hz=10),
        lambda: Patient(1).heart_sound(0, 1, "Z"),
        lambda: Patient(1).lung_sound(0, 1, "M"),
        lambda: Patient(1).truth(0, 0),
        lambda: Patient(1).ear("middle"),
    ],
)
def test_what_a_patient_does_not_have_is_refused_with_the_remedy(ask):
    with pytest.raises(PatientError, match=r"choose one of|give|start at|choose left") as refused:
        ask()
    assert refused.value.what
    assert refused.value.value is not None
