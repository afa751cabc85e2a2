"""Beep bits, marks of beats, lights and intervals follow the pulse; boards measure the patient's light."""

import struct
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.bridge.packet import Packet
from chevet.devices.driver import DRIVERS
from chevet.sim import nonin
from chevet.sim.device_clock import DeviceClock
from chevet.sim.electrodes import Electrodes
from chevet.sim.in_the_clip import HeartPulse, LoopPulse, WiredFinger
from chevet.sim.one_heart import OneHeart
from chevet.sim.twins import ecg_openview, o2ring
from chevet.sim.twins.ble_oximeters import NONIN_INTERVALS, BerryMed, NoninBle, Pc60Fw
from chevet.sim.twins.contec import ContecNew, ContecOld
from chevet.sim.twins.ecg_body import RecordedChest
from chevet.sim.twins.finger import RecordedFinger, SteadyFinger
from chevet.sim.twins.nonin import NoninDf7, NoninDf8
from chevet.sim.twins.pulses import PulseMarks, even, peaks_s, repeated
from chevet.sim.wired import HeartLeads, HeartVitals, Place, WiredChest

SECONDS = 20.0


class Clock:
    def __init__(self, at=100.0):
        self.at = at

    def __call__(self):
        return self.at


def in_the_room(condition="premature-beats", speed=1.0):
    """A patient's finger in a clip whose device began at host second 110 and runs at `speed`."""
    host = Clock(110.0)
    heart = OneHeart(4, condition, 100.0, host)
    clock = DeviceClock(host)
    clock.run_at(speed)
    place = Place(clock)
    place.starts = lambda: 110.0
    return heart, place, WiredFinger(HeartPulse(heart, place), 4)


def rises(bits, rate_hz):
    """Return the seconds at which a bit goes on."""
    on = np.asarray(bits, bool)
    return np.flatnonzero(on[1:] & ~on[:-1]).astype(float) / rate_hz + 1 / rate_hz


def near(found, wanted, within_s):
    assert len(wanted) >= 15
    assert len(found) == pytest.approx(len(wanted), abs=1)
    assert all(min(abs(one - peak) for peak in wanted) <= within_s for one in found)


@pytest.mark.parametrize("speed", [1.0, 0.9])
def test_the_pulses_of_a_finger_are_the_patients_by_the_devices_clock(speed):
    heart, _, finger = in_the_room(speed=speed)
    true = [at for line in heart.truth(105.0, 140.0) for at in line["pulses"]]
    true = [(at - 110.0) * speed for at in true if 0 <= (at - 110.0) * speed < SECONDS]
    assert finger.pulses_s(0.0, SECONDS) == pytest.approx(true, abs=1e-3)
    finger.off = True
    assert finger.pulses_s(0.0, SECONDS) == []


def test_a_recording_pulses_where_its_wave_peaks():
    loop = RecordedFinger().loop
    place = Place(DeviceClock(Clock()))
    found = LoopPulse(loop, place).pulses_s(0.0, 60.0)
    assert found == RecordedFinger().pulses_s(0.0, 60.0)
    per_min = 60 / np.median(np.diff(found))
    assert per_min == pytest.approx(loop.number("pulse", 5.0), abs=4)
    wave = np.array(RecordedFinger().wave(0, 6000, 100.0, 1000))
    assert all(
        wave[max(0, at - 5) : at + 6].max() > wave.mean() for at in (int(100 * one) for one in found[:-1])
    )


@settings(max_examples=50, deadline=None)
@given(st.floats(-30, 30), st.floats(0, 10), st.floats(0, 10))
def test_spans_side_by_side_tell_every_pulse_once(start, first, second):
    peaks = peaks_s(np.sin(np.arange(1000) / 100 * 2 * np.pi * 1.2) ** 9, 100.0)
    for ask in (lambda a, b: even(77, a, b), lambda a, b: repeated(peaks, 10.0, a, b)):
        middle, end = start + first, start + first + second
        assert ask(start, middle) + ask(middle, end) == ask(start, end)


def test_a_mark_lasts_as_long_as_it_says_whoever_asks_in_which_order():
    marks = PulseMarks(SteadyFinger(pulse_rate=60), 0.1)
    assert [marks.at(at) for at in (0.49, 0.5, 0.59, 0.61, 7.55, 0.55)] == [
        False,
        True,
        True,
        False,
        True,
        True,
    ]
    assert not PulseMarks(object(), 0.1).at(0.5)


def test_beep_bits_rise_with_the_patients_pulse():
    _, _, finger = in_the_room()
    wanted = finger.pulses_s(0.0, SECONDS)
    assert len(wanted) > 10
    old, new, berry = (make(finger, 100.0) for make in (ContecOld, ContecNew, BerryMed))
    near(rises([old._frame(n)[0] & 0x40 for n in range(1200)], 60.0), wanted, 1 / 60)
    near(rises([new._frame(n)[2] & 0x40 for n in range(1200)], 60.0), wanted, 1 / 60)
    near(rises([berry.frame(n)[0] & 0x40 for n in range(2000)], 100.0), wanted, 1 / 100)


def test_marks_in_the_wave_stand_on_the_patients_pulse():
    _, _, finger = in_the_room()
    wanted = finger.pulses_s(0.0, SECONDS)
    twin = Pc60Fw(finger, 100.0)
    wave = b"".join(twin._twelfth(index)[5:10] for index in range(240))
    near(np.flatnonzero(np.frombuffer(wave, np.uint8) & 0x80) / 60.0, wanted, 1 / 60)
    ring = o2ring.O2Ring(finger, 100.0)
    ring.beat_marks = True
    assert ring._wave(100.0)[10:] == bytes(2), "asked twice within a sample"
    waves = [ring._wave(100.0 + second)[12:] for second in range(1, 21)]
    marks = np.frombuffer(b"".join(waves), np.uint8) == o2ring.BEAT_MARK
    near(np.flatnonzero(marks) / 125.0, wanted, 1 / 125)


@pytest.mark.parametrize(
    ("perfusion", "light", "marginal", "low"),
    [(3.5, 0x02, 0, 0), (0.3, 0x06, 0x08, 0), (0.12, 0x04, 0, 0x10)],
)
def test_nonins_light_is_coloured_by_perfusion_and_only_at_a_pulse(perfusion, light, marginal, low):
    finger = SteadyFinger(pulse_rate=60, perfusion_pct=perfusion)
    seven = [NoninDf7(finger, 0.0)._frame(index)[0] & 0x06 for index in range(750)]
    assert set(seven) == {0, light}
    assert seven.count(light) == 10 * 12, "twelve frames of each pulse"
    near(rises(seven * 2, 75.0), [*even(60, 0, 20)], 1 / 75)
    assert NoninDf8(finger, 0.0)._frame(finger.shown(0.0))[0] & 0x18 == marginal | low
    frames = nonin.packet(0, [0] * 25, nonin.Numbers(72, 97, light), pulse=[n < 3 for n in range(25)])
    assert [frame[1] & 0x06 for frame in frames] == [light] * 3 + [0] * 22
    assert frames[0][1] & nonin.SYNC


def test_a_df2_module_and_its_driver_tell_low_perfusion_from_the_patients_pulses():
    _, _, finger = in_the_room("normal")
    finger.cold = 0.04
    module = nonin.NoninDf2(finger, 110.0)
    driver = DRIVERS["nonin-df2"]()
    sent = b"".join(frame for n in range(1, 101) for frame in module.advance(110.0 + SECONDS * n / 100))
    lit = np.frombuffer(sent, np.uint8).reshape(-1, 5)[:, 1] & nonin.YELLOW
    assert set(lit) == {0, nonin.RED}
    assert 0.05 < np.mean(lit > 0) < 0.3
    events = driver.feed(Packet(sent, 130.0, ""))
    assert any(getattr(event, "code", "") == "low_perfusion" and event.on for event in events)


def test_a_df7_module_counts_its_packets():
    twin = NoninDf7(SteadyFinger(), 0.0)
    timers = [
        (twin._frame(25 * packet + 5)[3], twin._frame(25 * packet + 6)[3]) for packet in (0, 1, 129, 16384)
    ]
    assert timers == [(0, 0), (0, 1), (1, 1), (0, 0)]


def test_nonins_intervals_are_those_between_the_patients_pulses():
    _, _, finger = in_the_room()
    twin = NoninBle(finger, 110.0)
    peaks = finger.pulses_s(-4.0, SECONDS)
    told = []
    for index in range(61):
        for uuid, value in twin.advance(110.0 + (index + 0.5) / 3):
            if uuid == NONIN_INTERVALS:
                assert (value[0], value[3]) == (len(value), 0)
                told += [int.from_bytes(value[at + 2 : at + 4], "big") / 10 for at in range(4, len(value), 4)]
    wanted = [1000 * (late - early) for early, late in pairwise(peaks) if late >= -1]
    assert told == pytest.approx(wanted[: len(told)], abs=0.06)
    assert len(told) > 18
    assert max(told) > 1.3 * np.median(told), "an early beat and its pause"


def test_berrymed_sends_whole_notifications_of_four_frames():
    twin = BerryMed(SteadyFinger(), 0.0)
    sizes = [len(value) for step in range(1, 51) for _, value in twin.advance(0.02 * step)]
    assert set(sizes) == {20}
    assert len(sizes) == 25


def board(make, condition="hypoxia"):
    host = Clock(110.0)
    heart = OneHeart(4, condition, 100.0, host)
    place = Place(DeviceClock(host))
    place.starts = lambda: 110.0
    return make(WiredChest(HeartLeads(heart, place), Electrodes(1), HeartVitals(heart, place)), 110.0)


def test_a_healthypi_measures_the_light_and_the_breath_of_the_patient():
    v4 = board(ecg_openview.healthypi_v4)
    frames = [v4._encode(v4, index)[0] for index in range(2500)]
    rows = np.array([struct.unpack_from("<hhiih", frame, 5) for frame in frames], float)
    infrared, red, chest = rows[:, 2], rows[:, 3], rows[:, 1]
    assert infrared.mean() == pytest.approx(ecg_openview.INFRARED, rel=0.03)
    ratio = (np.std(red) / red.mean()) / (np.std(infrared) / infrared.mean())
    normal = board(ecg_openview.healthypi_v4, "normal")
    lights = np.array([normal.light(index) for index in range(2500)], float)
    healthy = np.divide(*np.flip(lights.std(axis=0) / lights.mean(axis=0)))
    assert ratio > healthy + 0.2, "less oxygen: more of the red light is taken"
    assert chest.min() >= 35
    assert 300 < np.ptp(chest) <= 400


def test_an_open_probe_sees_room_light_and_a_lead_that_is_off_sends_zeros():
    v3 = ecg_openview.healthypi_v3(RecordedChest(), 0.0)
    lit = struct.unpack_from("<hhii", v3._encode(v3, 40)[0], 5)
    v3.probe_off = True
    v3.chest.off.add("II")
    dark = struct.unpack_from("<hhii", v3._encode(v3, 40)[0], 5)
    assert lit[2] >> 10 > 10 * (dark[2] >> 10) > 0
    assert lit[3] > 10 * dark[3] > 0
    assert lit[0] != 0
    assert lit[1] > 0
    assert dark[:2] == (0, 0)


def test_healthypi_5_repeats_every_second_bioimpedance_and_says_so():
    v5 = board(ecg_openview.healthypi_v5)
    read = [struct.unpack_from("<iiBii", v5._encode(v5, index)[0], 5) for index in range(6)]
    assert [one[2] for one in read] == [0, 255] * 3
    assert all(new[1] == again[1] for new, again in zip(read[::2], read[1::2], strict=True))
    assert all(one[3] > one[4] for one in read), "red stands before infrared"
