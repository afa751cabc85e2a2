"""Everything that can go wrong: listed with what it does, strict about values, seeded, seen on the wire."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.sim.chest_piece import ChestPiece, chest_piece_faults, loop_sound
from chevet.sim.device_clock import DeviceClock
from chevet.sim.electrodes import LEADS, Electrodes, electrode_faults
from chevet.sim.errors import FaultError
from chevet.sim.faults import choice, number, several
from chevet.sim.finger_light import LightFront
from chevet.sim.in_the_clip import HeartPulse, WiredFinger, finger_faults
from chevet.sim.one_heart import OneHeart
from chevet.sim.otoscope_video import HEIGHT, WIDTH, Lens, through
from chevet.sim.patient import Patient
from chevet.sim.patient_faults import swapped
from chevet.sim.playback import load
from chevet.sim.serve import ALL, Plan, served
from chevet.sim.wired import Place


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="chevet-") as short:
        yield Path(short)


class Clock:
    def __init__(self, at=100.0):
        self.at = at

    def __call__(self):
        return self.at


# --- every fault of every instrument -------------------------------------------------------------------


async def test_every_fault_of_every_instrument_is_told_and_can_be_thrown(folder):
    plan = Plan(folder, 1, tuple(name for name in ALL if name not in SERVED_ELSEWHERE), patient="normal")
    async with served(plan) as room:
        state = json.loads(json.dumps(room.state()))
        for instrument, told in zip(room.instruments, state["targets"], strict=True):
            for name, fault in instrument.faults.items():
                assert told["faults"][name]["tells"][0].islower()
                assert told["faults"][name]["kind"] in ("hands", "wire", "body")
                if name in ("replug", "slow_reconnect", "ear"):  # take time; tried elsewhere
                    continue
                await instrument.set_fault(name, True, "")
                assert (name in instrument.active) != fault.once
                if not fault.once:
                    await instrument.set_fault(name, False, "")
            assert instrument.active == {}


SERVED_ELSEWHERE = {"sound-card", "camera-wifi", "contec-ecg90a", "ecg-cart"}
"""Instruments with tests of their own."""


@pytest.mark.parametrize(
    ("target", "fault", "value", "says"),
    [
        ("ecg", "swapped", "LA/LA", "pairs of"),
        ("ecg", "lead_off", "V9", "one of I, II"),
        ("ecg", "mains_hum", "0.3@55", "one of 50, 60"),
        ("ecg", "mains_hum", "9", "0 to 5"),
        ("ecg", "silence", "x", "takes no value"),
        ("ecg", "clock_drift", "x", "could not convert"),
        ("ecg", "renamed", "../x", "a name of letters"),
        ("ecg", "overflow", "0", "1 to 1e"),
        ("otoscope", "ear", "middle", "one of"),
        ("thermometer", "measure", "warm", "a number"),
    ],
)
async def test_wrong_values_are_refused_with_what_would_be_right(folder, target, fault, value, says):
    async with served(Plan(folder, 1, ("ecg", "otoscope", "thermometer"))) as room:
        with pytest.raises(FaultError, match=says):
            await room.set_fault(target, fault, value=value)
        assert all(not one.active for one in room.instruments)


def test_values_are_read_strictly():
    assert number("", 0, 1, 0.5) == 0.5
    assert several("", ("a", "b")) == ["a", "b"]
    assert several("b, a", ("a", "b")) == ["b", "a"]
    with pytest.raises(ValueError, match="a number, 0 to 1"):
        number("nan", 0, 1, 0.5)
    with pytest.raises(ValueError, match="one of a"):
        choice("c", ("a",))


# --- electrodes ----------------------------------------------------------------------------------------


def electrodes(**set_):
    hands = Electrodes(7, **set_)
    return hands, electrode_faults(hands)


def test_exchanged_electrodes_change_the_leads_as_electrodes_do():
    leads = Patient(3).ecg(0, 4)
    hands, faults = electrodes()
    faults["swapped"].throw(True, "LA/RA")
    np.testing.assert_allclose(hands.disturbed(leads, 0, 500.0), swapped(leads, "LA", "RA"), atol=1e-9)
    faults["swapped"].throw(True, "V1/V2,LA/LL")
    both = swapped(swapped(leads, "V1", "V2"), "LA", "LL")
    np.testing.assert_allclose(hands.disturbed(leads, 0, 500.0), both, atol=1e-9)
    faults["swapped"].throw(False, "")
    assert hands.disturbed(leads, 0, 500.0) is leads


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["loose", "electrode_off", "mains_hum", "tremor", "wander", "motion"]),
    st.lists(st.integers(1, 400), min_size=1, max_size=6),
)
def test_disturbances_are_the_same_however_they_are_cut(fault, counts):
    every = Patient(3).ecg(0, 6)
    leads = every[:, : sum(counts)]
    hands, faults = electrodes()
    faults[fault].throw(True, "")
    assert not np.allclose(hands.disturbed(every, 1000, 500.0), every)
    whole = hands.disturbed(leads, 1000, 500.0)
    pieces, at = [], 0
    for count in counts:
        pieces.append(hands.disturbed(leads[:, at : at + count], 1000 + at, 500.0))
        at += count
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole)


def test_a_loose_chest_electrode_troubles_its_own_lead_and_a_leg_all_of_them():
    leads = np.zeros((12, 5000))
    hands, faults = electrodes()
    faults["loose"].throw(True, "V3")
    moved = np.abs(hands.disturbed(leads, 0, 500.0)).max(axis=1)
    assert moved[LEADS.index("V3")] > 0.3
    assert np.delete(moved, LEADS.index("V3")).max() < 1e-9
    faults["loose"].throw(False, "V3")
    faults["loose"].throw(True, "RL")
    assert (np.abs(hands.disturbed(leads, 0, 500.0)).max(axis=1) > 0.01).all()


def test_without_a_limb_electrode_no_lead_is_left_and_without_a_chest_electrode_one_is_lost():
    hands, faults = electrodes()
    faults["electrode_off"].throw(True, "V2")
    assert hands.leads_off() == {"V2"}
    seen = hands.disturbed(np.zeros((12, 500)), 0, 500.0)
    assert np.abs(seen[LEADS.index("V2")]).min() > 3
    faults["electrode_off"].throw(True, "LA")
    assert hands.leads_off() == set(LEADS)
    faults["electrode_off"].throw(False, "")
    single = Electrodes(1)
    electrode_faults(single, ("ECG",))["lead_off"].throw(True, "")
    assert single.leads_off() == {*LEADS, "ECG"}


def test_a_stuck_lead_keeps_its_value():
    leads = Patient(3).ecg(0, 2)
    hands, faults = electrodes()
    faults["stuck"].throw(True, "II")
    first = hands.disturbed(leads, 0, 500.0)[1]
    assert np.ptp(first) == 0.0
    assert hands.disturbed(leads[:, 100:], 100, 500.0)[1, 0] == first[0]


def test_hum_of_sixty_hertz_is_sixty_hertz():
    hands, faults = electrodes()
    faults["mains_hum"].throw(True, "0.3@60")
    seen = hands.disturbed(np.zeros((12, 500)), 0, 500.0)
    assert np.abs(np.fft.rfft(seen[7])).argmax() == 60


# --- stethoscope ---------------------------------------------------------------------------------------


def head():
    loop = load("heart-circor-85343-mv")
    piece = ChestPiece(loop_sound(lambda _site: loop), 5)
    return piece, chest_piece_faults(piece, ("M", "A"))


@pytest.mark.parametrize("fault", ["friction", "speech", "room_noise", "knocks"])
def test_what_is_heard_beside_the_heart_is_the_same_however_it_is_cut(fault):
    piece, faults = head()
    clean = piece.take(0, 9000)
    faults[fault].throw(True, "")
    whole = piece.take(0, 9000)
    cut = np.concatenate([piece.take(at, 500) for at in range(0, 9000, 500)], axis=1)
    np.testing.assert_array_equal(whole, cut)
    assert np.std(whole - clean.astype(int)) > 50
    faults[fault].throw(False, "")
    np.testing.assert_array_equal(piece.take(0, 9000), clean)


def test_a_head_that_hardly_touches_loses_its_low_tones():
    piece, faults = head()
    clean = piece.take(0, 16000)[0].astype(float)
    faults["light_contact"].throw(True, "")
    thin = piece.take(0, 16000)[0].astype(float)

    def low(x):
        power = np.abs(np.fft.rfft(x)) ** 2
        return power[:200].sum() / power.sum()  # below 50 Hz

    assert thin.std() < clean.std()
    assert low(thin) < low(clean)


def test_too_much_gain_cuts_sounds_off_and_a_stuck_converter_is_flat():
    piece, faults = head()
    faults["overdriven"].throw(True, "50")
    assert (np.abs(piece.take(0, 16000)) >= 32767).mean() > 0.001
    faults["stuck"].throw(True, "")
    assert np.ptp(piece.take(0, 100)) == 0


# --- finger --------------------------------------------------------------------------------------------


def clip(condition="normal", clock=None):
    clock = clock or Clock()
    heart = OneHeart(3, condition, 100.0, clock)
    place = Place(DeviceClock(clock))
    place.starts = lambda: 100.0
    finger = WiredFinger(HeartPulse(heart, place), 3)
    return finger, finger_faults(finger), heart, clock


def test_a_finger_that_comes_back_is_searched_for_before_numbers_are_shown():
    finger, faults, heart, clock = clip()
    assert finger.shown(10.0).spo2 == round(heart.spo2(110.0))
    faults["sensor_off"].throw(True, "")
    assert finger.shown(11.0).spo2 is None
    assert finger.wave(0, 5, 75.0, 255) == [0] * 5
    faults["sensor_off"].throw(False, "")
    assert finger.shown(12.0).spo2 is None
    clock.at += 5.0
    assert finger.shown(13.0).spo2 is not None


def test_cold_fingers_show_little_perfusion_then_nothing():
    finger, faults, _, _ = clip()
    warm = finger.shown(10.0).perfusion_pct
    faults["cold_finger"].throw(True, "0.2")
    assert finger.shown(10.0).perfusion_pct == pytest.approx(0.2 * warm)
    assert finger.shown(10.0).spo2 is not None
    faults["cold_finger"].throw(True, "0.01")
    assert finger.shown(10.0).spo2 is None
    assert finger.numbers(750).status


def test_movement_misleads_the_numbers_downwards_and_the_wave():
    finger, faults, heart, _ = clip()
    still = finger.wave(0, 300, 75.0, 255)
    faults["motion"].throw(True, "")
    shown = [finger.shown(float(second)).spo2 for second in range(5, 40)]
    assert max(shown) <= round(heart.spo2(110.0)) + 1
    assert min(shown) < round(heart.spo2(110.0)) - 1
    assert finger.wave(0, 300, 75.0, 255) != still


def test_light_without_a_finger_is_room_light_and_cold_light_hardly_swings():
    finger, faults, _, _ = clip()
    front = LightFront(finger, finger.source, 100.0)
    warm = front.take(500, 400)
    faults["cold_finger"].throw(True, "0.1")
    assert np.ptp(front.take(500, 400)[1]) < 0.5 * np.ptp(warm[1])
    faults["motion"].throw(True, "")
    faults["room_light"].throw(True, "1")
    assert np.ptp(front.take(500, 400)[1]) > np.ptp(warm[1])
    faults["sensor_off"].throw(True, "")
    assert front.off() == 3
    assert front.take(500, 400).max() > 30_000
    faults["stuck"].throw(True, "")
    assert np.ptp(front.take(500, 400)) == 0
    assert finger.wave(0, 3, 75.0, 255) == [0, 0, 0]


# --- lens ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lens", "brighter"),
    [
        (Lens(fog=0.7), None),
        (Lens(smear=0.6), None),
        (Lens(glare=0.7), True),
        (Lens(dark=0.8), False),
        (Lens(shake=0.6), None),
    ],
)
def test_every_lens_changes_the_picture_as_it_should(lens, brighter):
    image = np.random.default_rng(1).integers(60, 160, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    seen = through(image, lens, 3)
    assert seen.shape == image.shape
    np.testing.assert_array_equal(seen, through(image, lens, 3))
    if brighter is None:
        assert np.std(np.diff(seen.astype(float), axis=1)) < np.std(np.diff(image.astype(float), axis=1))
    else:
        assert (seen.mean() > image.mean()) == brighter
