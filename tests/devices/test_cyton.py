import pytest
from driver_bench import feed, notices, talk
from ecg_bench import channels, make, placed

from chevet.devices.cyton import Cyton
from chevet.sim.twins.ecg_cyton import BANNER, DEFAULTS, FAILURE

HUNDRED_MICROVOLT = bytes.fromhex("00117a")
"""Reference: 100 uV at gain 24."""


def frame(counter, samples=(0,) * 8, stop=0xC0):
    data = b"".join(value.to_bytes(3, "big", signed=True) for value in samples)
    return bytes((0xA0, counter % 256)) + data + bytes(6) + bytes((stop,))


@pytest.fixture
def running():
    driver = Cyton()
    driver.start()
    driver.tick(0.0)
    assert driver.tick(1.0) == b"v"
    feed(driver, BANNER.encode(), 1.1)
    assert driver.tick(1.25) == b"d"
    feed(driver, DEFAULTS.encode(), 1.3)
    assert driver.tick(1.5) == b"b"
    return driver


def test_the_worked_number_is_100_microvolts(running):
    data = b"\xa0\x00" + HUNDRED_MICROVOLT * 8 + bytes(6) + b"\xc0"
    events = feed(running, data + b"".join(frame(n) for n in range(1, 10)), 1.6)
    lead = channels(events)[0]
    assert placed(events)[0][0] * lead.gain == pytest.approx(0.1, abs=3e-5)
    assert [channel.name for channel in channels(events)][:3] == ["I", "II", "III"]


def test_the_board_is_stopped_reset_and_started_step_by_step():
    driver = Cyton()
    assert driver.start() == b"s"
    assert [driver.tick(at) for at in (0.0, 0.25, 0.5)] == [b"", b"", b"v"]
    events = feed(driver, BANNER.encode(), 0.6)
    assert notices(events, "identified")[0].detail == (
        "model=OpenBCI Cyton;serial=;firmware=v3.1.2;derived=III,aVR,aVL,aVF"
    )
    assert driver.tick(0.75) == b"d"
    assert driver.stop() == b"s"


def test_a_banner_that_never_comes_is_asked_for_again():
    driver = Cyton()
    driver.start()
    said = [driver.tick(step / 4) for step in range(120)]
    assert said.count(b"v") >= 8
    assert said.count(b"s") >= 1, "after some tries all begins again"
    assert b"b" not in said


def test_the_banner_may_come_in_pieces(running):
    driver = Cyton()
    driver.start()
    driver.tick(0.0)
    driver.tick(1.0)
    for byte in BANNER.encode():
        feed(driver, bytes((byte,)), 1.1)
    assert driver.tick(1.2) == b"d"


@pytest.mark.parametrize("stop", range(0xC0, 0xC7))
def test_every_stop_byte_is_known(running, stop):
    assert len(placed(feed(running, [frame(n, stop=stop) for n in range(10)], 1.6))) == 10


def test_a_jump_of_the_counter_is_a_gap_of_that_length(running):
    frames = [frame(n, (n, *range(7))) for n in range(250, 290)]
    del frames[10:17]
    events = []
    for number, one in enumerate(frames):
        at = 1.6 + (number + 7 * (number >= 10)) / 250
        events += feed(running, one, at)
    assert set(range(37)) - set(placed(events)) == set(range(10, 17))
    assert [one.detail for one in notices(events, "lost_samples")] == ["7"]


def test_more_than_a_round_of_the_counter_is_told_by_the_clock(running):
    events = []
    for number in range(1200):
        if not 200 <= number < 800:  # 600 frames: two rounds and 88
            events += feed(running, frame(number), 1.6 + number / 250)
    assert running.counters.lost_samples == 600
    assert set(range(1200)) - set(placed(events)) == set(range(200, 800))


def test_a_lead_at_the_end_of_its_range_is_off_and_takes_the_derived_ones_with_it(running):
    low = frame(5, (0, -0x800000, *range(6)))
    events = feed(running, [*(frame(n) for n in range(5)), low, frame(6)], 1.6)
    told = [(one.detail, one.on) for one in notices(events, "lead_off")]
    assert told[:5] == [(lead, True) for lead in ("II", "III", "aVR", "aVL", "aVF")]
    assert told[5:] == [(lead, False) for lead in ("II", "III", "aVR", "aVL", "aVF")]


def test_a_board_that_is_off_is_refused_once_and_asked_again():
    driver, twin = make("cyton")
    twin.off = True
    driver.start()
    events, said = [], []
    for step in range(40):
        command = driver.tick(step / 4)
        said.append(command)
        events += feed(driver, twin.receive(command, step / 4), step / 4)
    assert [one.detail for one in notices(events, "refused")] == ["board_off"]
    assert said.count(b"s") >= 3
    twin.off = False
    events = []
    for step in range(40, 80):
        events += feed(driver, twin.receive(driver.tick(step / 4), step / 4), step / 4)
        events += feed(driver, twin.advance(step / 4), step / 4)
    assert [one.on for one in notices(events, "refused")] == [False]
    assert FAILURE.startswith("Failure")


def test_a_board_that_was_switched_off_and_on_is_started_again():
    driver, twin = make("cyton")
    talk(driver, twin, 4.0)
    twin.restart(104.0)
    found = placed(talk(driver, twin, 10.0, began=104.0, started=True))
    assert len(found) > 250
    assert max(found) > 1500, "the index has gone on by the clock"
