"""Encoders of the two oximeters against worked frames, read back by the kit's own drivers."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.bridge.packet import Packet
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Reading, SampleBlock
from chevet.sim import nonin, plx
from chevet.sim.bodies import FingerBody


def test_worked_frames_of_format_2():
    first, second, third, *_ = nonin.packet(0, [0x00] * 25, nonin.Numbers(72, 97))
    assert first.hex() == "0181000082"
    # The reference's worked frames: SYNC frame at pleth 0x80 after status 0x81, then HR-LSB 72, SpO2 97.
    assert nonin.frame(nonin.SYNC, 0x80, 0x00).hex() == "0181800002"
    assert nonin.frame(0, 0x90, second[3]).hex() == "0180904859"
    assert nonin.frame(0, 0x95, third[3]).hex() == "0180956177"


def test_missing_numbers_are_511_and_127():
    frames = nonin.packet(0, [0] * 25, nonin.Numbers(None, None))
    assert (frames[0][3] << 7 | frames[1][3]) == nonin.HR_MISSING
    assert frames[2][3] == nonin.SPO2_MISSING


def test_a_module_sends_75_frames_a_second_three_of_them_with_sync():
    device = nonin.NoninDf2(FingerBody(1), 0.0)
    frames = [frame for tick in range(1, 101) for frame in device.advance(tick / 50)]
    assert len(frames) == 150
    assert sum(frame[1] & nonin.SYNC for frame in frames) == 6
    assert all(sum(frame[:4]) & 0xFF == frame[4] for frame in frames)


def test_a_module_that_was_not_heard_for_long_goes_on_from_now():
    device = nonin.NoninDf2(FingerBody(1), 0.0)
    device.advance(0.5)
    assert len(device.advance(100.0)) <= nonin.CATCH_UP_FRAMES
    assert device.receive(b"anything", 100.0) == []


def test_the_kits_driver_reads_pleth_and_numbers():
    finger = FingerBody(1)
    device, reader = nonin.NoninDf2(finger, 0.0), DRIVERS["nonin-df2"]()
    events = []
    for tick in range(1, 251):
        events += reader.feed(Packet(b"".join(device.advance(tick / 50)), tick / 50))
    read = [int(value) for one in events if isinstance(one, SampleBlock) for value in one.values[0]]
    sent = list(finger.pleth(0, 375))
    assert len(read) >= 300
    assert "".join(map(chr, read)) in "".join(map(chr, sent))
    values = {one.kind: one.value for one in events if isinstance(one, Reading)}
    assert values["spo2"] == finger.numbers(350).spo2
    assert values["pulse_rate"] == finger.numbers(350).pulse_rate


@pytest.mark.parametrize(
    ("number", "expected"),
    [("97", "6100"), ("97.5", "cff3"), ("0.0053", "35c0"), (None, "ff07")],
)
def test_worked_sfloats(number, expected):
    assert plx.sfloat(None if number is None else Decimal(number)).hex() == expected


@pytest.mark.parametrize("number", ["99999", "1e9", "NaN"])
def test_numbers_that_do_not_fit_an_sfloat_are_refused(number):
    with pytest.raises(ValueError, match="does not fit"):
        plx.sfloat(Decimal(number))


@given(st.integers(-2045, 2045), st.integers(-8, 7))
@settings(max_examples=50)
def test_an_sfloat_keeps_mantissa_and_exponent(mantissa, exponent):
    raw = int.from_bytes(plx.sfloat(Decimal(mantissa).scaleb(exponent)), "little")
    got_mantissa = (raw & 0xFFF) - 0x1000 * (raw >> 11 & 1)
    got_exponent = (raw >> 12) - 0x10 * (raw >> 15)
    assert (got_mantissa, got_exponent) == (mantissa, exponent)


def test_worked_continuous_measurements():
    shown = plx.PlxNumbers(Decimal(97), Decimal(72))
    assert plx.continuous(shown, with_status=False).hex() == "0061004800"
    assert plx.continuous(plx.PlxNumbers(None, None), with_status=False).hex() == "00ff07ff07"
    off = plx.PlxNumbers(None, None, plx.STATUS_UNAVAILABLE, plx.SENSOR_NOT_ON_USER)
    assert plx.continuous(off).hex() == "0cff07ff070020000800"


def test_a_spot_check_says_that_its_clock_is_not_set():
    shown = plx.PlxNumbers(Decimal(98), Decimal(65), plx.STATUS_FULLY_QUALIFIED)
    assert plx.spot_check(shown).hex() == "12620041000001"


def test_the_kits_driver_reads_a_continuous_measurement():
    reader = DRIVERS["plx"]()
    data = plx.continuous(plx.PlxNumbers(Decimal(96), Decimal(76), plx.STATUS_ONGOING))
    events = reader.feed(Packet(data, 1.0, "00002a5f-0000-1000-8000-00805f9b34fb"))
    assert {one.kind: one.value for one in events if isinstance(one, Reading)} == {
        "spo2": 96.0,
        "pulse_rate": 76.0,
    }
