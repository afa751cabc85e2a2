import struct
from dataclasses import replace

import pytest
from driver_bench import cut, feed, notices, readings, values
from ecg_bench import BEGAN, as_data, channels, placed, talk_on_air
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.devices import ganglion
from chevet.devices.crc8 import crc8
from chevet.devices.er1 import POLL, Er1
from chevet.devices.ganglion import SOFTWARE, Ganglion
from chevet.devices.gatt import uuid
from chevet.devices.movesense import NOTIFY, SUBSCRIBE, Movesense
from chevet.sim.twins.ecg_body import RecordedChest
from chevet.sim.twins.ecg_er1 import Er1Recorder
from chevet.sim.twins.ecg_ganglion import GanglionBoard, packed
from chevet.sim.twins.ecg_movesense import MovesenseSensor


def message(first, at_ms=None):
    at = first * 8 if at_ms is None else at_ms
    return struct.pack("<BBI16i", 2, 0x63, at, *range(first, first + 16))


def test_the_subscription_is_the_references():
    driver = Movesense()
    assert driver.start() == b"\x01\x63/Meas/ECG/125" == SUBSCRIBE
    assert driver.stop() == b"\x02\x63"
    assert [driver.tick(step / 4) for step in range(12)].count(SUBSCRIBE) == 1
    feed(driver, bytes.fromhex("0163c800"), 3.0, NOTIFY)
    assert driver.tick(5.0) == b""


def test_sixteen_samples_a_message_in_steps_of_0381_microvolts():
    events = feed(Movesense(), message(0), 1.0, NOTIFY)
    assert placed(events) == {place: (place,) for place in range(16)}
    assert channels(events)[0].gain == pytest.approx(0.000381, abs=1e-6)


def test_a_message_in_two_parts_is_one():
    driver, whole = Movesense(), message(0)
    assert feed(driver, whole[:20], 1.0, NOTIFY) == []
    events = feed(driver, b"\x03\x63" + whole[20:], 1.0, NOTIFY)
    assert len(placed(events)) == 16
    assert feed(driver, b"\x03\x63" + whole[20:], 1.0, NOTIFY) == []
    assert driver.counters.bad_frames == 1


def test_the_sensors_milliseconds_tell_what_is_missing():
    driver, events = Movesense(), []
    for first in (0, 16, 64, 80):
        events += feed(driver, message(first, at_ms=(first * 8 + 2**32 - 100) % 2**32), 1.0, NOTIFY)
    assert [one.detail for one in notices(events, "lost_samples")] == ["32"]
    assert all(value == (place,) for place, value in placed(events).items())


def test_a_sensor_without_this_rate_is_refused_once():
    twin = MovesenseSensor(RecordedChest(), BEGAN)
    twin.rates = (128, 256, 512)
    events = talk_on_air(Movesense(), twin, 12.0)
    assert [one.detail for one in notices(events, "refused")] == ["status=404"]


def test_a_refusal_is_over_when_samples_come():
    driver = Movesense()
    driver.start()
    events = feed(driver, bytes.fromhex("01639401"), 1.0, NOTIFY) + feed(driver, message(0), 2.0, NOTIFY)
    assert [(one.on, one.detail) for one in notices(events, "refused")] == [
        (True, "status=404"),
        (False, "status=404"),
    ]


@pytest.mark.parametrize(
    "value",
    [b"", b"\x02\x63", message(0)[:1] + b"\x05" + message(0)[2:], message(0) + b"\0", b"\x09\x63" * 4],
)
def test_messages_of_another_form_count_as_bad(value):
    driver = Movesense()
    assert feed(driver, value, 1.0, NOTIFY) == []
    assert driver.counters.bad_frames == 1


def test_a_sensor_that_restarts_goes_on_after_a_gap():
    driver = Movesense()
    feed(driver, message(0), 1.0, NOTIFY)
    feed(driver, message(0, at_ms=5), 3.0, NOTIFY)
    events = feed(driver, message(16, at_ms=133), 3.128, NOTIFY)
    assert min(placed(events)) >= 16 + 250
    assert driver.counters.lost_samples == 0


@pytest.mark.parametrize("longest", [244, 20])
def test_the_virtual_sensor_is_read_sample_for_sample(longest):
    driver, twin = Movesense(), MovesenseSensor(RecordedChest(), BEGAN)
    twin.longest = 40 if longest == 20 else longest
    before = placed(talk_on_air(driver, twin, 4.0))
    twin.lost = 5
    events = talk_on_air(driver, twin, 4.0, began=BEGAN + 4.0, started=True)
    found = before | placed(events)
    sent = twin.samples(0, max(found) + 1)
    assert all(sent[place] == value for place, (value,) in found.items())
    assert driver.counters.lost_samples == 80
    assert len(found) == max(found) + 1 - 80


def reply(samples=(), rate=72, battery=60, run=1, command=3):
    data = struct.pack("<HBBIB", rate, 0, battery, 7, run) + bytes(11)
    data += struct.pack(f"<H{len(samples)}h", len(samples), *samples)
    frame = bytes((0xA5, command, command ^ 0xFF, 1, 0)) + struct.pack("<H", len(data)) + data
    return frame + bytes((crc8(frame),))


def test_the_worked_question_is_asked_once_a_second():
    driver = Er1()
    assert driver.start().hex() == "a503fc000001007d23" == POLL.hex()
    assert [driver.tick(step / 4) for step in range(41)].count(POLL) == 10
    assert driver.stop() == b""


def test_an_answer_is_samples_numbers_and_battery():
    events = feed(Er1(), reply(range(-60, 65)))
    assert placed(events) == {place: (place - 60,) for place in range(125)}
    assert channels(events)[0].gain == pytest.approx(0.002467, abs=1e-6)
    assert {kind: one.value for kind, one in readings(events).items()} == {
        "heart_rate": 72.0,
        "battery": 60.0,
    }
    assert notices(events, "identified")[0].detail == "model=Wellue ER1;serial=;firmware="


def test_electrodes_that_are_not_held_are_told_and_have_no_heart_rate():
    driver = Er1()
    events = feed(driver, reply(run=7)) + feed(driver, reply(run=1))
    assert [one.on for one in notices(events, "lead_off")] == [True, False]
    assert values(events, "heart_rate") == [None, 72.0]


def test_answers_to_other_questions_and_lying_counts_give_nothing():
    driver = Er1()
    assert feed(driver, reply(command=0xE1)) == []
    lying = bytearray(reply((1, 2, 3)))
    lying[27] = 99
    lying[-1] = crc8(lying[:-1])
    assert feed(driver, bytes(lying)) == []
    assert driver.counters.bad_frames == 1


@settings(max_examples=30)
@given(st.lists(st.integers(0, 10**6), max_size=20))
def test_answers_may_be_cut_anywhere(places):
    data = reply(range(125)) + b"\xa5\x03\x00" + reply(range(9)) + reply()[:-1] + b"\x00" + reply((5,) * 30)

    def told(pieces):
        driver = Er1()
        return as_data([one for piece in pieces for one in feed(driver, piece, 4.0)]), driver.counters

    assert told(cut(data, places)) == told([data])


def test_the_virtual_recorder_is_read_sample_for_sample():
    driver, twin = Er1(), Er1Recorder(RecordedChest(), BEGAN)
    found = placed(talk_on_air(driver, twin, 12.0))
    assert list(found) == list(range(len(found)))
    assert len(found) >= 1125
    assert [value for (value,) in found.values()] == twin.samples(0, len(found))
    assert driver.counters.lost_samples == 0


def test_a_recorder_that_was_deaf_for_longer_than_it_keeps_leaves_a_gap():
    driver, twin = Er1(), Er1Recorder(RecordedChest(), BEGAN)
    talk_on_air(driver, twin, 5.0)
    twin.deaf = True
    talk_on_air(driver, twin, 5.0, began=BEGAN + 5.0, started=True)
    twin.deaf = False
    talk_on_air(driver, twin, 5.0, began=BEGAN + 10.0, started=True)
    assert driver.counters.lost_samples == pytest.approx(4 * 125, abs=40)  # 6 s, of which it kept 2


def test_the_scale_and_letters_of_the_ganglion():
    driver = Ganglion()
    assert (driver.start(), driver.stop()) == (b"b", b"s")
    assert [driver.tick(step / 4) for step in range(12)].count(b"b") == 1
    # Reference: raw * 1.2e6 / (8388607 * 1.5 * 51) microvolts.
    assert pytest.approx(1.2e6 / (8388607 * 1.5 * 51)) == ganglion.STEP_MV * 1000


@pytest.mark.parametrize(("number", "width"), [(7, 18), (107, 19)])
def test_firmware_3_sends_the_upper_bits(number, width):
    driver = Ganglion()
    sent = [-(2**17), -1, 0, 2**17 - 1, 5, -5, 1000, -1000]
    events = [
        one
        for place in range(4)
        for one in feed(driver, packed(number + place, sent, width), 1.0, ganglion.NOTIFY)
    ]
    shift = 24 - width
    assert placed(events)[0] == tuple(value << shift for value in sent[:4])
    assert placed(events)[1] == tuple(value << shift for value in sent[4:])


def test_firmware_2_subtracts_its_differences_from_the_set_before():
    driver = Ganglion()
    feed(driver, b"2.0.1", 0.5, SOFTWARE)
    whole = bytes(1) + b"".join(value.to_bytes(3, "big", signed=True) for value in (100, -100, 0, 8_000_000))
    events = feed(driver, whole.ljust(20, b"\0"), 1.0, ganglion.NOTIFY)
    # Differences as the firmware stores them: the sign in the lowest bit.
    steps = [value & ~1 | (value < 0) for value in (10, -10, 0, 200_000, -200_000, 2, -2, 0)]
    events += feed(driver, packed(1, steps, 18), 1.0, ganglion.NOTIFY)
    for number in range(2, 5):
        events += feed(driver, packed(number, [0] * 8, 18), 1.0, ganglion.NOTIFY)
    found = placed(events)
    assert found[0] == (100, -100, 0, 8_000_000)
    assert found[1] == (90, -90, 0, 7_800_000)
    assert found[2] == (200_090, -92, 2, 7_800_000)


@pytest.mark.parametrize(("firmware", "fine"), [(3, False), (3, True), (2, False), (2, True)])
def test_the_virtual_ganglion_is_read_within_its_packing(firmware, fine):
    # At half its height: the steepest QRS is too much for differences of 18 bits.
    chest = RecordedChest()
    chest.loop = replace(chest.loop, values=chest.loop.values // 2)
    driver, twin = Ganglion(), GanglionBoard(chest, BEGAN, firmware)
    twin.fine = fine
    feed(driver, f"{firmware}.0.1".encode(), BEGAN, SOFTWARE)
    driver.start()
    feed(driver, f"{firmware}.0.1".encode(), BEGAN, SOFTWARE)
    found = {}
    twin.connected(BEGAN)
    twin.written("2d30c083-f39f-4ce6-923f-3484ea480596", b"b", BEGAN)
    for step in range(1, 80):
        for source, value in twin.advance(BEGAN + step / 20):
            found |= placed(feed(driver, value, BEGAN + step / 20, source))
    sent = twin.samples(0, len(found))
    worst = 2 ** (24 - (19 if fine else 18)) if firmware == 3 else 202
    assert len(found) > 700
    assert list(found) == list(range(len(found)))
    assert all(
        abs(got - want) <= worst
        for place in found
        for got, want in zip(found[place], sent[place], strict=True)
    )


@pytest.mark.parametrize("firmware", [2, 3])
def test_lost_notifications_are_gaps_and_never_wrong_samples(firmware):
    driver, twin = Ganglion(), GanglionBoard(RecordedChest(), BEGAN, firmware)
    driver.start()
    revision = f"v{firmware}.0.1".encode()
    feed(driver, revision, BEGAN, SOFTWARE)
    twin.connected(BEGAN)
    twin.written("2d30c083-f39f-4ce6-923f-3484ea480596", b"b", BEGAN)
    found, events = {}, []
    for step in range(1, 100):
        twin.lost = 3 if step == 30 else twin.lost
        for source, value in twin.advance(BEGAN + step / 20):
            events += feed(driver, value, BEGAN + step / 20, source)
    found = placed(events)
    sent = twin.samples(0, max(found) + 1)
    assert all(abs(found[place][0] - sent[place][0]) <= 202 for place in found)
    lost = driver.counters.lost_samples
    assert lost == (6 if firmware == 3 else lost)
    assert 6 <= lost <= 201


@pytest.mark.parametrize(("number", "word"), [(201, "channel=1"), (204, "channel=4"), (205, "reference")])
def test_impedance_is_a_reading(number, word):
    (got,) = feed(Ganglion(), bytes((number,)) + b"12Z\r\n", 1.0, ganglion.NOTIFY)
    assert (got.kind, got.value, got.unit, got.status) == ("impedance", 12.0, "Ohm", (word,))


@pytest.mark.parametrize(
    "data", [b"\xc912", b"\xc9Z", b"\xc9-1Z", b"\xff" * 20, b"", b"\x05" * 19, b"\xc8" * 20]
)
def test_what_is_no_packet_counts_as_bad(data):
    driver = Ganglion()
    assert feed(driver, data, 1.0, ganglion.NOTIFY) == []
    assert driver.counters.bad_frames == 1


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([NOTIFY, ganglion.NOTIFY, SOFTWARE, "", uuid(0x2A24)]), st.binary(max_size=80)
        )
    )
)
def test_nothing_that_arrives_ever_raises(packets):
    for make in (Movesense, Ganglion, Er1):
        driver = make()
        driver.start()
        for source, value in packets:
            feed(driver, value, 1.0, source)
            driver.tick(1.0)
        counters = driver.counters
        assert counters.frames + counters.bad_frames <= sum(1 + len(value) for _, value in packets)
