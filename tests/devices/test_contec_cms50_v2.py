import pytest
from driver_bench import feed, notices, pleth, readings, values

from chevet.devices.contec_packets import command
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Notice

NO_FINGER = bytes.fromhex("01e184c0908080ffff")
GOOD = bytes.fromhex("01e085d59abde3ffff")
"""Captured from USB by others (reference): no finger; pulse rate 61, SpO2 99."""
BUILT_72 = bytes.fromhex("01e086c088c8e1ffff")
BUILT_140 = bytes.fromhex("01e8c6c0888ce1ffff")
MODEL = bytes.fromhex("028080b5b0c4a8c1a9") + bytes.fromhex("0281ffaba0a0a0a0a0")
"""Captured: "50D(A)" and "+"."""
ASK_MODEL, ASK_VENDOR, START_LIVE, KEEP_ALIVE = (command(code) for code in (0xA8, 0xA9, 0xA1, 0xAF))


def packet(kind, data):
    bits = sum((byte >> 7) << place for place, byte in enumerate(data))
    return bytes((kind, 0x80 | bits, *(byte | 0x80 for byte in data)))


def live(count, start=0, perfusion=0xFFFF):
    low = perfusion.to_bytes(2, "little")
    return [packet(1, bytes((6, (start + n) % 128, 0x14, 72, 97)) + low) for n in range(count)]


@pytest.fixture
def driver():
    made = DRIVERS["contec-cms50-v2"]()
    made.start()
    return made


def started(driver, at=1.0):
    return [driver.tick(at), driver.tick(at)]


def test_the_worked_commands():
    assert command(0xA1).hex() == "7d81a1808080808080"
    assert KEEP_ALIVE.hex() == "7d81af808080808080"


@pytest.mark.parametrize(
    ("frame", "rate", "spo2"), [(GOOD, 61, 99), (BUILT_72, 72, 97), (BUILT_140, 140, 97)]
)
def test_captured_and_built_frames(driver, frame, rate, spo2):
    got = readings(feed(driver, frame * 3))
    assert (got["pulse_rate"].value, got["spo2"].value) == (rate, spo2)
    assert "perfusion_index" not in got


def test_the_captured_frame_without_a_finger(driver):
    events = feed(driver, NO_FINGER * 3)
    got = readings(events)
    assert (got["pulse_rate"].value, got["spo2"].value, got["spo2"].status) == (
        None,
        None,
        ("sensor_malfunction",),
    )
    assert Notice("sensor_off", 1.0) in notices(events)


def test_the_captured_model_is_told_in_two_parts(driver):
    (told,) = notices(feed(driver, MODEL), "identified")
    assert told.detail == "model=50D(A)+;serial=;firmware="
    vendor = packet(3, b"\xffCONTEC")
    assert notices(feed(driver, vendor), "identified")[0].detail == "model=CONTEC 50D(A)+;serial=;firmware="


def test_it_asks_who_is_there_starts_and_keeps_the_stream_alive():
    driver = DRIVERS["contec-cms50-v2"]()
    assert driver.start() == ASK_MODEL
    assert started(driver) == [ASK_VENDOR, START_LIVE]
    sent = []
    for tick in range(1, 64):
        at = 1.0 + tick / 4
        feed(driver, live(15, tick * 15), at)
        sent.append((at, driver.tick(at)))
    assert [at for at, words in sent if words == KEEP_ALIVE] == [6.0, 11.0, 16.0]
    assert all(words in (b"", KEEP_ALIVE) for _, words in sent)
    assert driver.stop() == command(0xA2)


def test_without_live_data_the_start_is_asked_for_again(driver):
    started(driver)
    sent = [driver.tick(1.0 + tick / 4) for tick in range(1, 20)]
    assert sent.count(START_LIVE) == 3
    assert sent[5] == START_LIVE


def test_a_refused_start_is_told_once_and_taken_back(driver):
    refusal = packet(0x0B, b"\xa1\x05")
    assert notices(feed(driver, refusal * 2)) == [
        Notice("refused", 1.0, detail="command=a1;reason=unsupported")
    ]
    after = notices(feed(driver, live(1)), "refused")
    assert after == [Notice("refused", 1.0, on=False, detail="command=a1;reason=unsupported")]


def test_perfusion_index_is_in_hundredths(driver):
    assert readings(feed(driver, live(3, perfusion=350)))["perfusion_index"].value == 3.5


def test_a_lost_byte_costs_one_sample(driver):
    stream = live(121)
    stream[50] = stream[50][:4] + stream[50][5:]
    stream[80] = stream[80][1:]
    events = feed(driver, stream)
    assert pleth(events) == {n: n for n in range(121) if n not in (50, 80)}
    assert (driver.counters.lost_samples, driver.counters.bad_frames) == (2, 2)


def test_a_packet_without_padding_ends_with_the_next_or_after_quiet(driver):
    assert driver.ask_stored() == command(0xA2)
    assert [driver.tick(1.0), driver.tick(1.25)] == [command(0xA4), command(0xA6)]
    short = packet(0x0F, bytes((97, 72)))
    assert values(feed(driver, short + short, 1.3), "spo2") == [97]
    assert driver.tick(1.5) == b""
    assert driver.tick(1.6) == b""
    assert values(feed(driver, packet(0x0C, b""), 1.7), "spo2") == [97]


def test_stored_data_end_where_their_length_says(driver):
    driver.ask_stored()
    driver.tick(1.0), driver.tick(1.25)
    length = packet(0x08, bytes((0, 0, 8, 0, 0, 0)))
    data = packet(0x0F, bytes((97, 72, 96, 71, 0, 0))) + packet(0x0F, bytes((95, 140, 1, 2, 3, 4)))
    events = feed(driver, length + b"\x0c\x80" + data + b"\x0c\x80", 1.3)
    assert values(events, "spo2") == [97, 96, None, 95]
    assert values(events, "pulse_rate") == [72, 71, None, 140]
    assert readings(events)["spo2"].status == ("from_storage", "second=3")
    assert driver.tick(3.0) == b""
    assert [driver.tick(3.4), driver.tick(3.6)] == [command(0xA7), START_LIVE]


def test_stored_data_with_perfusion_index(driver):
    driver.ask_stored()
    events = feed(driver, packet(0x09, bytes((97, 72, 0x5E, 1))) + b"\x0c\x80")
    assert readings(events)["perfusion_index"].value == 3.5


def test_stored_data_nobody_asked_for_are_left(driver):
    assert feed(driver, packet(0x0F, bytes((97, 72, 97, 72, 97, 72))) * 2) == []


def test_a_refused_download_goes_back_to_live_data(driver):
    driver.ask_stored()
    driver.tick(1.0), driver.tick(1.25)
    feed(driver, packet(0x0B, b"\xa6\x05") + b"\x0c\x80", 1.3)
    assert [driver.tick(3.4), driver.tick(3.6)] == [command(0xA7), START_LIVE]
