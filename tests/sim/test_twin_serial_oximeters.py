"""Virtual serial oximeters and the drivers that read them, joined byte for byte without a wire."""

import random

import pytest
from driver_bench import as_data, feed, notices, pleth, readings, talk, values

from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Notice
from chevet.sim.twins.contec import ContecNew, ContecOld, packet
from chevet.sim.twins.finger import RecordedFinger, Shown, SteadyFinger
from chevet.sim.twins.masimo import MasimoRadical7
from chevet.sim.twins.nonin import NoninAscii, NoninDf7, NoninDf8
from chevet.sim.twins.nonin_spot_check import NoninSpotCheck, record
from chevet.sim.wire_faults import WireFaults

STORED = (*((97 - n % 5, 60 + n) for n in range(100)), (0, 0))

TWINS = {
    "nonin-df7": NoninDf7,
    "nonin-df8": NoninDf8,
    "nonin-ascii": NoninAscii,
    "nonin-df13": NoninSpotCheck,
    "masimo-ascii": MasimoRadical7,
    "contec-cms50-v1": ContecOld,
    "contec-cms50-v2": ContecNew,
}
STREAMS = {"nonin-df7": (75, 65536), "contec-cms50-v1": (60, 128), "contec-cms50-v2": (60, 128)}


def both(name, finger=None):
    return DRIVERS[name](), TWINS[name](finger or SteadyFinger(), 100.0)


# The twins against the worked frames of the reference


def test_worked_frames():
    assert NoninDf7(SteadyFinger(), 0.0)._frame(0).hex() == "8100000081"
    spot_check = record(Shown(97, 72), (2025, 3, 14, 9, 30, 5))
    assert spot_check.hex() == "0002000d000e1419030e091e05000200004800611503"
    assert packet(1, bytes((6, 64, 0, 72, 97, 255, 255))).hex() == "01e086c080c8e1ffff"
    assert packet(2, b"\x0050D(A)").hex() == "028080b5b0c4a8c1a9"
    assert packet(2, b"\xff+     ").hex() == "0281ffaba0a0a0a0a0"
    assert ContecNew(SteadyFinger(off=True), 0.0)._frame(0).hex() == "01e184c0908080ffff"


def test_worked_lines():
    line = NoninAscii(SteadyFinger(), 0.0)._line(0.0)
    assert line == b"SPO2=097 HR=072\r\n"
    line = MasimoRadical7(SteadyFinger(perfusion_pct=5.4), 0.0)._line(0)
    assert line == (
        b"03/14/25 09:30:05 SN=0000070986 SPO2=097% BPM=072 PI=05.40% SPCO=--.-% SPMET=--.-% DESAT=-- "
        b"PIDELTA=+-- PVI=--- ALARM=0000 EXC=000000\r\n"
    )


# Twin and driver


@pytest.mark.parametrize("name", TWINS)
def test_numbers_arrive_as_shown(name):
    driver, twin = both(name, SteadyFinger(spo2=93, pulse_rate=141))
    got = readings(talk(driver, twin, 9.0))
    assert (got["spo2"].value, got["pulse_rate"].value) == (93, 141)
    assert driver.counters.lost_samples == 0
    assert driver.counters.bad_frames == (3 if name == "nonin-ascii" else 0), "the header of three lines"


@pytest.mark.parametrize("name", [name for name in TWINS if name != "nonin-df13"])
def test_without_a_finger_there_are_no_numbers(name):
    driver, twin = both(name, SteadyFinger(off=True))
    events = talk(driver, twin, 5.0)
    assert set(values(events, "spo2")) == set(values(events, "pulse_rate")) == {None}
    if name in ("nonin-df7", "nonin-df8", "contec-cms50-v1", "contec-cms50-v2"):
        assert "sensor_off" in {notice.code for notice in notices(events)}


@pytest.mark.parametrize("name", STREAMS)
def test_every_sample_arrives_in_its_place(name):
    driver, twin = both(name)
    rate, modulus = STREAMS[name]
    found = pleth(talk(driver, twin, 5.0))
    assert len(found) > 4 * rate
    shift = {(value - place) % modulus for place, value in found.items()}
    assert len(shift) == 1


@pytest.mark.parametrize("name", STREAMS)
def test_a_real_pleth_keeps_its_shape(name):
    finger = RecordedFinger(3)
    driver, twin = both(name, finger)
    found = pleth(talk(driver, twin, 5.0))
    rate, modulus = STREAMS[name]
    sent = finger.wave(0, 500, float(rate), modulus - 1)
    got = [found[place] for place in sorted(found)]
    start = next(at for at in range(120) if sent[at : at + len(got)] == got)
    assert 0 <= start < 120


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("fault", ["lost_bytes", "checksum", "garbage"])
def test_faults_on_the_wire_never_make_a_wrong_number(name, fault):
    driver, twin = both(name)
    chance = 0.05 if name in STREAMS else 0.3
    faults = WireFaults(random.Random(f"{name}{fault}"), **{fault: chance})
    events = talk(driver, twin, 40.0, wire=faults.apply)
    assert faults.disturbed > 0
    allowed = {97, None}
    if fault == "checksum" and name in ("nonin-df8", "nonin-ascii", "masimo-ascii"):
        return  # the changed byte is part of S2 or the line's end there: no checksum exists
    if fault == "garbage" and name == "nonin-df8":
        return  # without a checksum noise may look like two frames running: see the test of wrong speed
    assert set(values(events, "spo2")) <= allowed
    assert set(values(events, "pulse_rate")) <= {72, None}
    assert 97 in values(events, "spo2")


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("fault", ["lost_bytes", "garbage"])
def test_faults_on_the_wire_are_counted_and_move_no_sample_far(name, fault):
    driver, twin = both(name)
    faults = WireFaults(random.Random(5), **{fault: 0.02})
    events = talk(driver, twin, 20.0, wire=faults.apply)
    rate, modulus = STREAMS[name]
    found = pleth(events)
    first = min(found)
    half = modulus // 2
    origin = found[first] - first
    shifts = {(value - place - origin + half) % modulus - half for place, value in found.items()}
    allowed = 0 if name == "nonin-df7" else round(0.2 * rate)
    # A damaged frame that still looks whole gives one wrong sample where there is no checksum.
    wrong = [shift for shift in shifts if abs(shift) > allowed]
    assert len(wrong) <= (0 if name == "nonin-df7" else 40)
    assert driver.counters.bad_frames > 0
    told = sum(int(notice.detail) for notice in notices(events, "lost_samples"))
    assert driver.counters.lost_samples == told


@pytest.mark.parametrize("name", TWINS)
def test_the_wrong_speed_gives_no_plausible_stream(name):
    driver, twin = both(name)
    faults = WireFaults(random.Random(name))
    events = talk(driver, twin, 20.0, wire=lambda frames: faults.at_wrong_baud(b"".join(frames)))
    believed = [value for value in values(events, "spo2") if value is not None]
    assert len(believed) <= 2
    assert len(pleth(events)) < 20 * 20


def test_silence_and_a_replug_leave_a_gap_and_go_on():
    driver, twin = both("contec-cms50-v1")
    before = pleth(talk(driver, twin, 3.0))
    after = pleth(talk(driver, twin, 3.0, began=110.0))
    assert min(after) - max(before) == pytest.approx(7 * 60, abs=5)
    assert driver.counters.lost_samples == 0


# What each needs to hear


def test_the_new_contec_is_silent_until_asked_and_ends_without_keep_alive():
    driver, twin = both("contec-cms50-v2")
    assert twin.advance(105.0) == []
    events = talk(driver, twin, 12.0)
    assert twin.kept_alive == 2
    assert notices(events, "identified")[-1].detail == "model=CONTEC 50D(A)+;serial=;firmware="
    assert feed(driver, b"".join(twin.advance(112.05)), 112.05)
    said = [twin.advance(112.05 + n / 20) for n in range(1, 700)]
    assert said[100]
    assert packet(0x0D, b"\x00") in [one for frames in said for one in frames]
    assert said[-1] == []


def test_a_contec_that_was_asleep_is_started_again():
    driver, twin = both("contec-cms50-v2")
    talk(driver, twin, 5.0)
    twin.receive(b"\x7d\x81\xa2" + b"\x80" * 6, 105.0)
    events = talk(driver, twin, 5.0, began=105.0, started=True)
    assert len(pleth(events)) > 150
    assert driver.counters.lost_samples > 30, "the pause is a gap"


def test_a_contec_that_refuses_says_why():
    driver, twin = both("contec-cms50-v2")
    twin.refuse = 3
    events = talk(driver, twin, 5.0)
    assert notices(events, "refused") == [
        Notice("refused", notices(events, "refused")[0].at, detail="command=a1;reason=recording")
    ]


@pytest.mark.parametrize("padding", [True, False])
def test_the_new_contecs_stored_data(padding):
    driver, twin = DRIVERS["contec-cms50-v2"](), ContecNew(SteadyFinger(), 100.0, STORED)
    twin.padding = padding
    talk(driver, twin, 3.0)
    twin.receive(driver.ask_stored(), 103.0)
    events = talk(driver, twin, 8.0, began=103.0, started=True)
    stored = [event for event in events if "from_storage" in getattr(event, "status", ())]
    assert [event.value for event in stored if event.kind == "spo2"] == [spo2 or None for spo2, _ in STORED]
    rates = [event.value for event in stored if event.kind == "pulse_rate"]
    assert rates == [rate or None for _, rate in STORED]
    assert len(pleth(events)) > 60, "live data came back"


def test_the_old_contecs_stored_data():
    driver, twin = DRIVERS["contec-cms50-v1"](), ContecOld(SteadyFinger(), 100.0, STORED)
    talk(driver, twin, 3.0)
    events = feed(driver, twin.receive(driver.ask_stored(), 103.0), 103.0)
    assert values(events, "spo2") == [spo2 or None for spo2, _ in STORED]
    assert values(events, "pulse_rate") == [rate or None for _, rate in STORED]
    assert len(pleth(talk(driver, twin, 2.0, began=103.0, started=True))) > 60


@pytest.mark.parametrize("model", ["9560", "3150"])
def test_spot_checks_are_told_once_and_acknowledged(model):
    driver, twin = DRIVERS["nonin-df13"](), NoninSpotCheck(SteadyFinger(), 100.0, model)
    events = talk(driver, twin, 21.0)
    assert values(events, "spo2") == [97] * twin.acknowledged
    assert twin.acknowledged >= 4
    assert twin.given_up == 0
    assert notices(events, "identified")[0].detail == "model=Nonin DF13;serial=501234567;firmware="


def test_a_spot_check_whose_record_is_damaged_comes_again():
    driver, twin = DRIVERS["nonin-df13"](), NoninSpotCheck(SteadyFinger(), 100.0)
    broken = [True, True]

    def wire(frames):
        data = b"".join(frames)
        if data.startswith(b"\x00\x02") and broken:
            broken.pop()
            data = data[:-2] + b"\x00\x03"
        return data

    events = talk(driver, twin, 7.0, wire=wire)
    assert values(events, "spo2") == [97]
    assert (twin.acknowledged, driver.counters.bad_frames) == (1, 2)


def test_a_spot_check_device_that_nobody_acknowledges_gives_up():
    twin = NoninSpotCheck(SteadyFinger(), 0.0)
    twin.receive(b"\x02\x70\x02\x02\x0d\x03", 0.0)
    sent = [frame for step in range(200) for frame in twin.advance(step / 10)]
    assert twin.given_up >= 1
    assert len(set(sent)) < len(sent)


def test_a_format_that_a_9560_does_not_know_is_refused():
    twin = NoninSpotCheck(SteadyFinger(), 0.0)
    assert twin.receive(b"\x02\x70\x04\x02\x0d\x01\x84\x03", 0.0) == [b"\x15"]
    assert twin.receive(b"\x02\x99", 0.0) == []


def test_a_handheld_prints_a_header_at_power_on_and_after_each_restart():
    twin = NoninAscii(SteadyFinger(), 0.0)
    assert twin.advance(0.1)[0].startswith(b"NONIN")
    assert twin.advance(1.1) == [b"SPO2=097 HR=072\r\n"]
    twin.restart(5.0)
    assert twin.advance(5.1)[0].startswith(b"NONIN")
    assert twin.receive(b"x", 5.2) == []


def test_a_twin_that_nobody_stepped_for_long_goes_on_from_now():
    for name, (rate, _) in STREAMS.items():
        _, twin = both(name)
        twin.receive(b"\x7d\x81\xa1" + b"\x80" * 6, 100.0)
        assert len(twin.advance(120.0)) <= rate


def test_the_same_conversation_gives_the_same_events():
    results = []
    for _ in range(2):
        driver, twin = both("nonin-df7", RecordedFinger(5, moving=True))
        results.append(as_data(talk(driver, twin, 3.0)))
    assert results[0] == results[1]
    assert readings(results[0][1])["spo2"].status == ("artifact",)


def test_a_9560_tells_and_takes_the_time_and_stamps_its_records_with_it():
    twin = NoninSpotCheck(SteadyFinger(), 50.0)
    assert twin.receive(b"\x02\x72\x00\x03", 55.0) == [b"\x02\xf2\x06" + bytes((25, 3, 14, 9, 30, 5, 3))]
    assert twin.receive(b"\x02\x72\x06" + bytes((26, 13, 1, 0, 0, 0, 3)), 56.0) == [b"\x15"], "no month 13"
    assert twin.receive(b"\x02\x72\x06" + bytes((26, 1, 2, 3, 4, 5, 3)), 60.0) == [b"\x06"]
    twin.restart(100.0)
    assert twin.receive(b"\x02\x70\x02\x02\x0d\x03", 100.0) == [b"\x06"]
    (sent,) = twin.advance(106.0)
    assert sent[6:13] == bytes((20, 26, 1, 2, 3, 4, 51))
