import pytest
from driver_bench import feed, notices, readings, talk
from ecg_bench import make, placed

from chevet.devices.driver import DRIVERS

V4_WORKED = bytes.fromhex("0afa14000288ff230040e20100479403004c0e106148507800000b")
"""Reference: ECG -120, respiration 35, 123456, 234567, 36.60 degrees, 16, 97 %, 72."""
V5_WORKED = bytes.fromhex("0afa16000250fbffff5e0100000040e20100479403004c0e614810000b")
"""Reference: ECG -1200, bioimpedance 350, new, 123456, 234567, 36.60 degrees, 97 %, 72, 16."""


def started(name):
    driver = DRIVERS[name]()
    assert driver.start() == driver.stop() == driver.tick(0.0) == b""
    return driver


def v3_frame(ecg=-120, spo2=97, heart_rate=72, status=0, temperature=3660):
    payload = ecg.to_bytes(2, "little", signed=True) + (35).to_bytes(2, "little") + bytes(8)
    payload += temperature.to_bytes(2, "little") + bytes((16, spo2, heart_rate, 80, 70, status))
    return b"\x0a\xfa\x14\x00\x02" + payload + b"\x00\x0b"


@pytest.mark.parametrize(
    ("name", "frame", "ecg"),
    [
        ("healthypi-v4", V4_WORKED, -120),
        ("healthypi-v5", V5_WORKED, -1200),
        ("healthypi-v3", v3_frame(), -120),
    ],
)
def test_the_worked_frame_gives_its_ecg_and_numbers(name, frame, ecg):
    events = feed(started(name), frame * 5)
    assert placed(events) == dict.fromkeys(range(5), (ecg,))
    got = {kind: (one.value, one.unit) for kind, one in readings(events).items()}
    assert got == {
        "temperature": (36.6, "Cel"),
        "respiration_rate": (16.0, "/min"),
        "spo2": (97.0, "%"),
        "heart_rate": (72.0, "/min"),
    }


@pytest.mark.parametrize(
    ("name", "model"), [("healthypi-v3", "HealthyPi v3"), ("healthypi-v4", "HealthyPi v4")]
)
def test_the_board_is_named_once_a_connection(name, model):
    driver, frame = started(name), V4_WORKED
    events = feed(driver, frame * 3) + feed(driver, frame)
    assert [one.detail for one in notices(events, "identified")] == [f"model={model};serial=;firmware="]
    driver.start()
    assert len(notices(feed(driver, frame), "identified")) == 1


def test_numbers_come_once_a_second_and_only_when_two_frames_agree():
    driver = started("healthypi-v3")
    lone = v3_frame(heart_rate=200)
    events = feed(driver, lone + v3_frame() * 249)
    assert [one.value for one in events if getattr(one, "kind", "") == "heart_rate"] == [72.0, 72.0]


def test_what_is_not_a_number_is_none():
    got = readings(feed(started("healthypi-v3"), v3_frame(spo2=0x19, heart_rate=0) * 2))
    assert got["spo2"].value is None
    assert got["heart_rate"].value is None
    assert (got["heart_rate"].status, got["spo2"].status) == ((), ())


def test_a_number_no_body_has_is_called_implausible():
    got = readings(feed(started("healthypi-v3"), v3_frame(temperature=7000) * 2))
    assert (got["temperature"].value, got["temperature"].status) == (None, ("implausible",))


def test_status_bits_of_version_3_tell_lead_and_probe():
    driver = started("healthypi-v3")
    events = feed(driver, v3_frame(status=3) * 10)
    assert [(one.on, one.detail) for one in notices(events, "lead_off")] == [(True, "ECG")]
    assert readings(events)["spo2"].status == ("sensor_disconnected",)
    assert readings(events)["spo2"].value is None
    assert [one.on for one in notices(feed(driver, v3_frame()), "lead_off")] == [False]


def test_the_lead_status_of_version_4_is_told():
    driver, off = started("healthypi-v4"), V4_WORKED[:-3] + b"\x01\x00\x0b"
    events = feed(driver, V4_WORKED * 3 + off * 4 + V4_WORKED)
    assert [one.on for one in notices(events, "lead_off")] == [True, False]


def test_the_frames_of_another_board_are_not_taken_for_ones_own():
    driver = started("healthypi-v4")
    assert feed(driver, V5_WORKED * 4) == []
    assert driver.counters.frames == 0


def test_ov3_gives_eight_samples_a_frame_and_no_temperature():
    driver, twin = make("healthypi-v5 ov3")
    events = talk(driver, twin, 3.0)
    found = placed(events)
    assert [found[place][0] for place in range(300)] == twin.samples(0, 300)
    got = {kind: one.value for kind, one in readings(events).items()}
    assert got == {"heart_rate": 76.0, "respiration_rate": 16.0, "spo2": 97.0}


def test_a_damaged_frame_of_light_costs_no_ecg():
    driver, twin = make("healthypi-v5 ov3")

    def wire(frames):
        return b"".join(one[:-1] + b"\x55" if one[4:5] == b"\x04" else one for one in frames)

    found = placed(talk(driver, twin, 3.0, wire=wire))
    assert list(found) == list(range(len(found)))
    assert driver.counters.lost_samples == 0
    assert driver.counters.bad_frames > 20


def test_a_damaged_frame_of_ecg_is_found_behind_the_light_that_follows_it():
    driver, twin = make("healthypi-v5 ov3")
    sent = []

    def wire(frames):
        sent.extend(one for one in frames if one[4] == 3)
        return b"".join(b"\x55" * 57 if one[4] == 3 and len(sent) == 20 else one for one in frames)

    found = placed(talk(driver, twin, 4.0, wire=wire))
    assert driver.counters.lost_samples == 8
    values = twin.samples(0, 400)
    assert all(values[place] == value for place, (value,) in found.items() if place < 400)
