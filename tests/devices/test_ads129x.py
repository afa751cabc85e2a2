"""Raw frames of the ADS1298 and ADS1292R, and the ADS1292R breakout."""

import pytest
from driver_bench import feed, notices, readings
from ecg_bench import channels, placed

from chevet.devices.ads1292r import Ads1292r
from chevet.devices.ads1298 import Ads1298


def int24(value):
    return value.to_bytes(3, "big", signed=True)


def eight(first=0, count=1, positive=0, negative=0, gpio=5):
    """Frames built from the data sheet: 1100, LOFF_STATP, LOFF_STATN, GPIO; channel n is 1000 n + index."""
    status = (0xC << 20 | positive << 12 | negative << 4 | gpio).to_bytes(3, "big")
    return [
        status + b"".join(int24(1000 * channel + index) for channel in range(1, 9))
        for index in range(first, first + count)
    ]


def two(first=0, count=1, off=0):
    status = (0xC << 20 | off << 15 | 3 << 13).to_bytes(3, "big")
    return [status + int24(-7) + int24(-100_000 + index) for index in range(first, first + count)]


def test_twelve_leads_come_from_eight_channels():
    events = feed(Ads1298(), [*eight(0, 21), b"\xc0"])
    leads = [channel.name for channel in channels(events)]
    assert leads == ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
    assert placed(events)[4] == (
        1004, 2004, 1000, -1504, 2, 1502, 3004, 4004, 5004, 6004, 7004, 8004,
    )  # fmt: skip
    assert channels(events)[0].gain == pytest.approx(2400 / 6 / 8388607)


def test_which_leads_are_derived_is_said():
    (notice,) = notices(feed(Ads1298(), [*eight(0, 9)]), "identified")
    assert notice.detail == "model=ADS1298;serial=;firmware=;derived=III,aVR,aVL,aVF"


def test_a_lead_off_bit_names_its_lead_when_it_begins_and_ends():
    driver = Ads1298()
    frames = eight(0, 10) + eight(10, 10, positive=0x08) + eight(20, 10, negative=0x80) + eight(30, 10)
    told = notices(feed(driver, [*frames, b"\xc0"]), "lead_off")
    assert [(one.detail, one.on) for one in told] == [
        ("V2", True), ("V2", False), ("V6", True), ("V6", False),
    ]  # fmt: skip


def test_derived_leads_go_with_those_they_come_from():
    told = notices(feed(Ads1298(), [*eight(0, 10), *eight(10, 10, positive=0x01), b"\xc0"]), "lead_off")
    assert [one.detail for one in told] == ["I", "III", "aVR", "aVL", "aVF"]


def test_a_channel_at_the_end_of_its_range_is_off():
    frames = eight(0, 12)
    frames[10] = frames[10][:6] + b"\x7f\xff\xff" + frames[10][9:]
    told = notices(feed(Ads1298(), [*frames, b"\xc0"]), "lead_off")
    assert [(one.detail, one.on) for one in told if one.detail == "II"] == [("II", True), ("II", False)]


def test_an_electrode_offset_that_looks_like_a_status_word_does_not_mislead():
    # A channel about half its range below zero begins with 1100, too: 0xC0....
    def frame(index):
        samples = [int24(-0x3F0000 + 137 * index + channel) for channel in range(8)]
        return (0xC << 20).to_bytes(3, "big") + b"".join(samples)

    data = b"".join(frame(index) for index in range(60))[3 + 3 * 2 :]  # attached in the middle of a frame
    found = placed(feed(Ads1298(), data + b"\xc0"))
    assert [found[place][0] for place in range(3)] == [-0x3F0000 + 137 * index for index in (1, 2, 3)]


def test_a_frame_is_only_believed_when_the_next_begins():
    driver = Ads1298()
    assert placed(feed(driver, eight(0, 20))) == {}
    assert len(placed(feed(driver, b"\xc0"))) == 20


def test_the_raw_ads1292r_gives_its_second_channel():
    driver = Ads1292r()
    driver.start()
    events = feed(driver, [*two(0, 21), b"\xc0"])
    assert placed(events) == {place: (-100_000 + place,) for place in range(20)}
    assert channels(events)[0].rate_hz == 500.0
    assert driver.counters.frames == 21


@pytest.mark.parametrize(("bits", "off"), [(0x04, True), (0x08, True), (0x10, True), (0x01, False)])
def test_the_raw_ads1292r_says_when_its_ecg_electrodes_are_off(bits, off):
    driver = Ads1292r()
    events = feed(driver, [*two(0, 10), *two(10, 10, off=bits), *two(20, 2)])
    assert [one.on for one in notices(events, "lead_off")] == ([True, False] if off else [])


def test_the_breakout_is_read_behind_its_greeting():
    # Built from the example sketch: ECG -120, respiration 35, respiration rate 16, heart rate 72.
    frame = bytes.fromhex("0afa09000288ff23001000480000000b")
    driver = Ads1292r()
    events = feed(driver, b"Initiliziation is done\r\n" + frame * 10)
    assert placed(events) == dict.fromkeys(range(10), (-120,))
    assert channels(events)[0].rate_hz == 125.0
    assert {kind: one.value for kind, one in readings(events).items()} == {
        "respiration_rate": 16.0,
        "heart_rate": 72.0,
    }


def test_either_way_may_be_spoken_after_a_new_start():
    driver = Ads1292r()
    feed(driver, two(0, 30))
    assert driver.start() == driver.stop() == driver.tick(1.0) == b""
    frame = bytes.fromhex("0afa09000288ff23001000480000000b")
    events = feed(driver, frame * 10, at=2.0)
    assert [one.detail for one in notices(events, "identified")] == [
        "model=ADS1292R breakout;serial=;firmware="
    ]
