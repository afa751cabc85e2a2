"""One simulated patient seen, heard and felt by all instruments at moments that belong together."""

import asyncio
import contextlib
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.bridge.link import open_link
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Reading, SampleBlock
from chevet.sim.bedside import Bedside
from chevet.sim.device_clock import DeviceClock
from chevet.sim.errors import FaultError
from chevet.sim.heart.rhythm import Pace, Rhythm
from chevet.sim.instruments import kit_ecg, kit_oximeter, kit_stethoscope, nonin_oximeter
from chevet.sim.one_heart import ConditionError, OneHeart, named
from chevet.sim.patient import Patient
from chevet.sim.serve import Plan, served
from chevet.sim.wired import HeartLeads, HeartVitals, Place


class Clock:
    def __init__(self, at=100.0):
        self.at = at

    def __call__(self):
        return self.at


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="chevet-") as short:
        yield Path(short)


def test_the_same_seed_is_the_same_patient_whenever_it_is_asked():
    one, other = OneHeart(5, "normal", 100.0), OneHeart(5, "normal", 9000.0)
    np.testing.assert_array_equal(one.take("ecg", 700, 500, 500.0), other.take("ecg", 700, 500, 500.0))
    assert one.beats(100.0, 110.0)[0][0] - 100.0 == pytest.approx(other.beats(9000.0, 9010.0)[0][0] - 9000.0)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=8), st.integers(-300, 2000))
def test_samples_are_the_same_however_they_are_cut(counts, first):
    heart = OneHeart(5, "normal", 0.0)
    heart.become("tachycardia", 2.5)
    whole = heart.take("pulse_wave", first, sum(counts), 75.0)
    pieces, at = [], first
    for count in counts:
        pieces.append(heart.take("pulse_wave", at, count, 75.0))
        at += count
    np.testing.assert_allclose(np.concatenate(pieces), whole)


def test_a_change_of_condition_begins_when_it_is_made_and_leaves_the_past_alone():
    heart = OneHeart(5, "normal", 100.0)
    before = heart.take("ecg", 0, 2500, 500.0)
    heart.become("left_bundle_block", 105.0)
    np.testing.assert_array_equal(heart.take("ecg", 0, 2499, 500.0), before[:, :2499])
    after = heart.take("ecg", 2500 + 125, 500, 500.0)
    np.testing.assert_array_equal(after, Patient(5, "left-bundle-block").ecg(5.25, 1.0))
    told = heart.truth(103.0, 107.0)
    assert [one["condition"] for one in told] == ["normal", "left-bundle-block"]
    assert told[0]["to"] == told[1]["from"] == 105.0
    assert heart.at(104.0).condition == "normal"


def test_no_instrument_sees_a_step_where_the_condition_changes():
    heart = OneHeart(5, "normal", 0.0)
    heart.become("hypoxia", 3.3)
    wave = heart.take("pleth", 0, 1000, 125.0)
    assert np.abs(np.diff(wave)).max() < 0.01


def test_an_unknown_condition_is_refused_with_the_known_ones():
    assert named(" Atrial_Fibrillation ") == "atrial-fibrillation"
    with pytest.raises(ConditionError, match="there are normal, child"):
        OneHeart(1, "plague", 0.0)


def test_truth_is_in_the_hosts_time_and_each_beat_is_told_once():
    heart = OneHeart(2, "normal", 1000.0)
    seconds = [heart.truth(1000.0 + k, 1001.0 + k)[0] for k in range(20)]
    beats = [at for one in seconds for at in one["beats"]]
    assert beats == heart.truth(1000.0, 1020.0)[0]["beats"]
    assert all(1000.0 <= at < 1020.0 for at in beats)
    sounds = [span[0] for one in seconds for span in one["s1"]]
    assert all(0.0 < s1 - at < 0.12 for at, s1 in zip(beats, sounds, strict=True))


def test_a_heart_that_beats_for_weeks_forgets_its_past_and_beats_on():
    rhythm = Rhythm(Pace("premature", 72, premature=0.16), Patient(1)._person.rhythm.breath, 1)
    same = Rhythm(rhythm.pace, rhythm.breath, 1)
    rhythm.beats(0, 500)
    rhythm.forget(400)
    assert len(rhythm._beats) < 200
    assert str(rhythm.beats(450, 600)) == str(same.beats(450, 600))  # NaN is not itself
    assert rhythm.p_waves(450, 600) == same.p_waves(450, 600)


@pytest.mark.parametrize("kind", ["normal", "complete-av-block", "atrial-fibrillation"])
def test_the_patient_goes_on_for_hours(kind):
    heart = OneHeart(1, kind, 0.0)
    for hour in range(3):
        heart.take("pulse_wave", hour * 3600 * 25, 50, 25.0)
    assert heart.take("pulse_wave", 3 * 3600 * 25, 50, 25.0).std() > 0.01
    assert len(heart.patient._person.rhythm._beats) < 12_000


def test_a_device_takes_every_sample_once_even_when_its_clock_begins_to_lie():
    host = Clock()
    heart, clock = OneHeart(3, "normal", 90.0, host), DeviceClock(host)
    place = Place(clock)
    began = clock()
    place.starts = lambda: began
    leads = HeartLeads(heart, place)
    _, first = leads.leads(0, 100, 500.0)
    assert first == 5000
    host.at += 10.0
    clock.run_at(1.01)
    host.at += 10.0
    assert clock() == pytest.approx(120.1)
    index = round((clock() - began) * 500)
    made, grid = leads.leads(index, 50, 500.0)
    assert grid == pytest.approx((host.at - 90.0) * 505.0, abs=1)
    assert made.shape == (12, 50)
    assert leads.leads(index + 50, 10, 500.0)[1] == grid + 50


def test_a_slow_converter_picks_every_so_many_samples():
    heart, place = OneHeart(3, "normal", 100.0), Place(DeviceClock(Clock()))
    place.starts = lambda: 100.0
    made, _ = HeartLeads(heart, place).leads(5, 4, 10.0)
    np.testing.assert_array_equal(made, heart.take("ecg", 50, 31, 100.0)[:, ::10])


def test_numbers_of_boards_follow_the_patient():
    host = Clock(130.0)
    heart = OneHeart(3, "hypoxia", 100.0, host)
    place = Place(DeviceClock(host))
    place.starts = lambda: 100.0
    vitals = HeartVitals(heart, place)
    assert vitals.spo2() == round(heart.spo2(130.0)) < 90
    assert vitals.heart_rate() == round(heart.pulse_rate(130.0))
    assert vitals.breaths() == pytest.approx(heart.truth(115.0, 145.0)[0]["respiration_rate"], abs=1)
    heart.become("normal", 130.0)
    assert vitals.spo2() < 90  # looked up twice a second at most
    host.at = 131.0
    assert vitals.spo2() > 95
    assert vitals.temperature_cel() < 37.5
    assert sum(vitals.intervals_s(0.0, 20.0)) == pytest.approx(20.0, abs=1.5)


async def heard(instrument, seconds):
    """Return (host time of sample 0, samples [c, n], readings) of what a device sends."""
    link, driver, events = open_link(instrument.url), DRIVERS[instrument.driver](), []
    await link.open()
    await link.send(driver.start())
    enough = 0
    async with asyncio.timeout(60):
        while enough < seconds:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.25):
                    new = driver.feed(await link.receive())
                events += new
                blocks = [one for one in events if isinstance(one, SampleBlock)]
                enough = sum(one.values.shape[1] for one in blocks) / RATES[instrument.id]
            if said := driver.tick(time.monotonic()):
                await link.send(said)
    await link.aclose()
    blocks = [one for one in events if isinstance(one, SampleBlock)]
    ends = [one.at - (one.first + one.values.shape[1]) / RATES[instrument.id] for one in blocks]
    values = np.concatenate([one.values for one in blocks], axis=1)
    began = min(ends) + blocks[0].first / RATES[instrument.id]
    return began, values, [one for one in events if isinstance(one, Reading)]


RATES = {"ecg": 500.0, "stethoscope": 4000.0, "oximeter": 75.0, "kit-oximeter": 100.0}


async def test_one_beat_is_seen_heard_and_felt_when_the_truth_says(folder):
    plan = Plan(folder, 4, ("ecg", "stethoscope", "oximeter", "kit-oximeter"), patient="bradycardia")
    async with served(plan) as room:
        ecg, sound, pleth, light = await asyncio.gather(*(heard(one, 4.0) for one in room.instruments))
        heart = room.bedside.heart
        true = heart.truth(heart.began, heart.clock())[0]
    beats, pulses = np.array(true["beats"]), np.array(true["pulses"])
    began, values, _ = ecg
    r_s = began + _peaks(values[1], 0.5) / 500
    assert len(r_s) >= 2
    assert all(np.abs(beats - at).min() < 0.06 for at in r_s)
    began, values, _ = sound
    loud = began + np.flatnonzero(np.abs(values[0]) > 0.6 * np.abs(values[0]).max()) / 4000
    s1 = np.array(true["s1"])[:, 0]
    assert all(np.abs(s1 + 0.03 - at).min() < 0.1 for at in loud)
    began, values, numbers = pleth
    peaks = began + _peaks(values[0], 0.8) / 75
    assert all(np.abs(pulses - at).min() < 0.25 for at in peaks)
    assert {one.value for one in numbers if one.kind == "spo2"} <= set(range(95, 101))
    _, values, _ = light
    assert values[1].mean() > values[0].mean() > 10_000


def _peaks(wave, share):
    """Return the highest sample of each run above a share of the wave's height."""
    high = wave > wave.min() + share * np.ptp(wave)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], high.astype(int), [0]]))).reshape(-1, 2)
    whole = [(start, stop) for start, stop in edges if start > 0 and stop < len(wave)]
    return np.array([start + int(np.argmax(wave[start:stop])) for start, stop in whole])


async def test_the_truth_is_written_down_and_told_on_request(folder):
    async with served(Plan(folder, 4, ("oximeter",), patient="normal")) as room:
        await asyncio.sleep(1.3)
        await room.set_fault("patient", "condition", value="tachycardia")
        await room.set_fault("patient", "seed", value="9")
        assert room.bedside.heart.patient.seed == 9
        assert room.truth(1.0)[-1]["condition"] == "tachycardia"
        with pytest.raises(FaultError, match="there are normal"):
            await room.set_fault("patient", "condition", value="plague")
        with pytest.raises(FaultError, match="whole number"):
            await room.set_fault("patient", "seed", value="-1")
        with pytest.raises(FaultError, match="condition, seed"):
            await room.set_fault("patient", "mood")
    lines = [json.loads(line) for line in (folder / "truth.jsonl").read_text().splitlines()]
    assert [one["to"] for one in lines[:-1]] == [one["from"] for one in lines[1:]]
    assert lines[-1]["condition"] == "tachycardia"
    assert sum(len(one["beats"]) for one in lines) >= 1


async def test_recordings_have_no_patient_to_change(folder):
    async with served(Plan(folder, 4, ("oximeter",))) as room:
        with pytest.raises(FaultError, match="--patient"):
            await room.set_fault("patient", "condition", value="normal")
        assert room.truth() == []
        assert room.state()["patient"] is None


def test_every_kit_instrument_can_be_made_of_a_patient(tmp_path):
    bedside = Bedside(tmp_path, 1, 0.0, OneHeart(1, "normal", 0.0))
    for make in (kit_ecg, kit_stethoscope, nonin_oximeter, kit_oximeter):
        assert make(bedside).faults
