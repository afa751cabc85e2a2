import pytest
from driver_bench import feed, notices, talk
from ecg_bench import channels, make, placed

from chevet.devices.bitalino import Bitalino, frame_bytes
from chevet.sim.twins import ecg_bitalino as twins

ONE_INPUT = bytes.fromhex("000851")
"""Reference: sequence 5, A1 512."""
SIX_INPUTS = bytes.fromhex("e0c72bfa2c010856")
"""Reference: 512, 300, 1000, 700, 31, 32, sequence 5."""


def run_up(driver):
    """Bring a driver to where frames are expected."""
    driver.start()
    driver.tick(0.0)
    assert driver.tick(0.5) == b"\x07"
    events = feed(driver, b"BITalino_v5.2\n", 0.6)
    assert driver.tick(0.75) == b"\xc3"
    return events, driver.tick(1.25)


@pytest.mark.parametrize(("inputs", "size"), [(1, 3), (2, 4), (3, 6), (4, 7), (5, 8), (6, 8)])
def test_frame_lengths(inputs, size):
    assert frame_bytes(inputs) == size


@pytest.mark.parametrize("inputs", [(), (0,), (7,), (2, 1), (1, 1)])
def test_inputs_the_board_does_not_have_are_refused(inputs):
    with pytest.raises(ValueError, match="1 to 6"):
        Bitalino(inputs)


def test_it_is_started_at_1000_hz_with_pauses_between_commands():
    events, start = run_up(Bitalino((1, 2, 3, 4, 5, 6)))
    assert start == b"\xfd"
    assert notices(events, "identified")[0].detail == "model=BITalino;serial=;firmware=5.2"
    assert run_up(Bitalino())[1] == bytes((0b10 << 2 | 1,))
    assert Bitalino().stop() == b"\x00"


@pytest.mark.parametrize(
    "values", [(512, 300, 1000, 700, 31, 32), (0, 1023, 1, 512, 63, 0), (7,), (1, 2, 3, 4)]
)
def test_every_input_is_read_from_its_bits(values):
    inputs = tuple(range(1, len(values) + 1))
    driver = Bitalino(inputs, ecg=1)
    run_up(driver)
    data = [twins.frame(number % 16, list(values)) for number in range(80)]
    if len(values) == 6 and values[0] == 512:
        assert data[5] == SIX_INPUTS
    found = placed(feed(driver, data, 2.0))
    assert found == dict.fromkeys(range(80), values)


def test_the_worked_frame_of_one_input_is_512():
    driver = Bitalino((1,), ecg=1)
    run_up(driver)
    data = [twins.frame(number % 16, [512]) for number in range(40)]
    assert data[5] == ONE_INPUT
    events = feed(driver, data, 2.0)
    (lead,) = channels(events)
    assert placed(events)[5] == (512,)
    assert (lead.name, lead.unit, lead.rate_hz) == ("ECG", "mV", 1000.0)
    assert 512 * lead.gain + lead.offset == pytest.approx((512 / 1023 - 0.5) * 3.3 / 1100 * 1000)


def test_other_inputs_have_no_physical_unit():
    driver = Bitalino((1, 2))
    run_up(driver)
    events = feed(driver, [twins.frame(number % 16, [5, 6]) for number in range(40)], 2.0)
    assert [(one.name, one.unit) for one in channels(events)] == [("A1", "1"), ("ECG", "mV")]


def test_frames_lost_with_damaged_bytes_are_counted_exactly():
    driver = Bitalino()
    run_up(driver)
    frames = [twins.frame(number % 16, [number % 1024]) for number in range(400)]
    noisy = [b"\xa5\x5a\xff" if 100 <= number < 131 else one for number, one in enumerate(frames)]
    found = placed(feed(driver, noisy, 2.0))
    assert driver.counters.lost_samples == 31
    assert all(value == (place,) for place, value in found.items())
    assert set(range(400)) - set(found) == {*range(100, 131), *range(371, 400)} - set(found)


def test_frames_lost_in_silence_are_counted_by_the_clock_to_a_round():
    driver = Bitalino()
    run_up(driver)
    frames = [twins.frame(number % 16, [number % 1024]) for number in range(2400)]
    found = {}
    for number in range(0, 2400, 20):
        if not 400 <= number < 1400:
            found |= placed(feed(driver, frames[number : number + 20], 2.0 + number / 1000))
    assert driver.counters.lost_samples == 1000
    assert all(value == (place % 1024,) for place, value in found.items())


def test_one_wrong_frame_in_sixteen_is_not_let_through():
    driver = Bitalino((1,), ecg=1)
    run_up(driver)
    assert feed(driver, bytes(range(256)) * 40, 2.0) == []


def test_a_board_that_hears_nothing_is_told_again():
    driver, twin = make("bitalino")
    twin.receive(b"\x00", 100.0)
    events = talk(driver, twin, 6.0)
    assert len(placed(events)) > 3000
    assert driver.counters.lost_samples == 0
