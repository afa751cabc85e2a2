"""Who is speaking on a serial line, told by what is heard: the virtual twins, and noise that is nobody."""

import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chevet.devices.driver import DRIVERS
from chevet.devices.recognise import ADAPTERS, narrowed
from chevet.devices.recognise_asking import KIT_QUESTION, QUESTIONS, questions_for
from chevet.devices.signatures import (
    KIT,
    LISTENING,
    SIGNATURES,
    LineSetting,
    looks_meant,
    recognise_stream,
    settings_for,
)
from chevet.sim.kit import KitDevice, ecg_identity, stethoscope_identity
from chevet.sim.nonin import NoninDf2, Numbers
from chevet.sim.twins.contec import ContecNew, ContecOld
from chevet.sim.twins.ecg_ad8232 import Ad8232Sketch
from chevet.sim.twins.ecg_afe import ads1292r_board, ads1298_board
from chevet.sim.twins.ecg_bitalino import BitalinoBoard
from chevet.sim.twins.ecg_body import RecordedChest
from chevet.sim.twins.ecg_chords import ChordsUno
from chevet.sim.twins.ecg_cyton import CytonBoard
from chevet.sim.twins.ecg_openview import (
    ads1292r_breakout,
    healthypi_v3,
    healthypi_v4,
    healthypi_v5,
    healthypi_v5_ov3,
)
from chevet.sim.twins.finger import RecordedFinger
from chevet.sim.twins.masimo import MasimoRadical7
from chevet.sim.twins.nonin import NoninAscii, NoninDf7, NoninDf8
from chevet.sim.twins.nonin_spot_check import NoninSpotCheck

N9600, N57600, N115200 = LineSetting(9600), LineSetting(57600), LineSetting(115200)
N921600, N230400, O19200 = LineSetting(921600), LineSetting(230400), LineSetting(19200, "O")


class Df2Finger:
    """What the kit's own Nonin module sees."""

    def __init__(self) -> None:
        self._finger = RecordedFinger()

    def pleth(self, first, count):
        return self._finger.wave(first, count, 75, 255)

    def numbers(self, first):
        return Numbers(72, 97)


class Chest12:
    def take(self, first, count):
        return np.tile(np.arange(first, first + count, dtype=np.int16), (12, 1))

    def off(self):
        return 0


def heard(twin, seconds: float, said: tuple[bytes, ...] = ()) -> bytes:
    """Return what a twin sends within some seconds of being switched on, after being told `said`."""
    data, now = b"", 100.0
    for words in said:
        data += b"".join(twin.receive(words, now))
    for step in range(int(seconds / 0.02)):
        now = 100.0 + 0.02 * (step + 1)
        data += b"".join(twin.receive(b"", now)) + b"".join(twin.advance(now))
    return data


STREAMS: dict[str, tuple[Callable[[], object], LineSetting, tuple[str, ...], float]] = {
    "nonin-df2": (lambda: NoninDf2(Df2Finger(), 100.0), N9600, ("nonin-df2",), 3),
    "nonin-df7": (lambda: NoninDf7(RecordedFinger(), 100.0), N9600, ("nonin-df7",), 3),
    "nonin-df8": (lambda: NoninDf8(RecordedFinger(), 100.0), N9600, ("nonin-df8",), 12),
    "nonin-ascii": (lambda: NoninAscii(RecordedFinger(), 100.0), N9600, ("nonin-ascii",), 6),
    "masimo-ascii": (lambda: MasimoRadical7(RecordedFinger(), 100.0), N9600, ("masimo-ascii",), 4),
    "ad8232": (lambda: Ad8232Sketch(RecordedChest(), 100.0), N9600, ("ad8232",), 3),
    "contec-cms50-v1": (lambda: ContecOld(RecordedFinger(), 100.0), O19200, ("contec-cms50-v1",), 4),
    "healthypi-v3": (
        lambda: healthypi_v3(RecordedChest(), 100.0),
        N115200,
        ("healthypi-v4", "healthypi-v3"),
        2,
    ),
    "healthypi-v4": (
        lambda: healthypi_v4(RecordedChest(), 100.0),
        N115200,
        ("healthypi-v4", "healthypi-v3"),
        2,
    ),
    "healthypi-v5": (lambda: healthypi_v5(RecordedChest(), 100.0), N115200, ("healthypi-v5",), 2),
    "healthypi-v5 in OV3": (lambda: healthypi_v5_ov3(RecordedChest(), 100.0), N115200, ("healthypi-v5",), 2),
    "ads1292r": (lambda: ads1292r_breakout(RecordedChest(), 100.0), N57600, ("ads1292r",), 2),
    "ads1292r raw": (lambda: ads1292r_board(RecordedChest(), 100.0), N115200, ("ads1292r",), 1),
    "ads1298": (lambda: ads1298_board(RecordedChest(), 100.0), N921600, ("ads1298",), 1),
}


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_each_streaming_instrument_is_recognised_by_its_frames(name):
    make, setting, drivers, seconds = STREAMS[name]
    found = recognise_stream(heard(make(), seconds), setting)
    assert found is not None
    assert found.drivers == drivers
    assert found.reason.startswith("frames:")
    assert found.certainty == ("ambiguous" if len(drivers) > 1 else "likely" if found.doubt else "certain")
    assert found.options == setting.options


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_an_instrument_heard_from_the_middle_of_a_frame_and_with_damage_is_still_recognised(name):
    make, setting, drivers, seconds = STREAMS[name]
    data = bytearray(heard(make(), 2 * seconds))[3:]
    del data[len(data) // 4]
    found = recognise_stream(bytes(data), setting)
    assert found is not None
    assert found.drivers == drivers


@pytest.mark.parametrize("name", sorted(STREAMS))
@pytest.mark.parametrize("setting", LISTENING)
def test_nobody_is_taken_for_somebody_else_at_any_speed(name, setting):
    make, _, drivers, seconds = STREAMS[name]
    found = recognise_stream(heard(make(), seconds), setting)
    # Contec's and BerryMed's frames are alike but for the speed; on a real line the wrong one gives garbage.
    alike = ("berrymed",) if name == "contec-cms50-v1" else ()
    assert found is None or found.drivers in {drivers, alike}


def test_a_finger_that_is_out_is_no_reason_not_to_know_the_oximeter():
    finger = RecordedFinger(off=True)
    for twin, setting, seconds in (
        (NoninDf7(finger, 100.0), N9600, 3),
        (NoninDf8(finger, 100.0), N9600, 12),
        (ContecOld(finger, 100.0), O19200, 4),
    ):
        found = recognise_stream(heard(twin, seconds), setting)
        assert found is not None
        assert found.certainty == "certain"


def test_a_contec_that_another_program_started_is_recognised():
    data = heard(ContecNew(RecordedFinger(), 100.0), 3, (bytes.fromhex("7d81a1808080808080"),))
    assert recognise_stream(data, N115200).drivers == ("contec-cms50-v2",)


def test_an_idle_kit_device_is_known_as_one_of_the_kit_and_its_answer_says_which():
    for identity, driver in (
        (ecg_identity("E7"), "kit-ecg"),
        (stethoscope_identity("S9"), "kit-stethoscope"),
    ):
        device = KitDevice(identity, Chest12(), 25, 100.0)
        idle = recognise_stream(heard(device, 3.1), N921600)
        assert (idle.drivers, idle.certainty) == (KIT, "ambiguous")
        answer = KIT_QUESTION.understand(heard(device, 0.1, (KIT_QUESTION.words,)))
        assert (answer.driver, answer.serial) == (driver, identity.serial)
        assert answer.reason.startswith("answer:CHEVET-SIM")


SILENT = {
    "contec-cms50-v2": lambda: ContecNew(RecordedFinger(), 100.0),
    "nonin-df13": lambda: NoninSpotCheck(RecordedFinger(), 100.0),
    "bitalino": lambda: BitalinoBoard(RecordedChest(), 100.0),
    "cyton": lambda: CytonBoard(RecordedChest(), 100.0),
    "chords": lambda: ChordsUno(RecordedChest(), 90.0),
}


@pytest.mark.parametrize("driver", sorted(SILENT))
def test_a_silent_instrument_says_who_it_is_when_asked_and_does_not_begin_to_stream(driver):
    twin = SILENT[driver]()
    assert heard(twin, 2) == b"" or recognise_stream(heard(twin, 2), N115200) is None
    question = next(one for one in QUESTIONS if driver in one.drivers)
    answer = question.understand(heard(twin, question.patience_s, (question.words,)))
    assert answer is not None
    assert answer.driver == driver
    assert answer.certainty == "certain"
    assert recognise_stream(heard(twin, 1), question.setting) is None, "it was asked, not started"


def test_a_dongle_whose_board_is_off_is_likely_a_cyton():
    cyton = next(one for one in QUESTIONS if "cyton" in one.drivers)
    answer = cyton.understand(b"Failure: Communications timeout - Device failed to poll Host$$$")
    assert (answer.driver, answer.certainty) == ("cyton", "likely")
    assert "switched off" in answer.doubt


@given(st.binary(max_size=3000))
@settings(max_examples=50)
def test_noise_is_nobody(data):
    # Hypothesis reads the product's literals and builds true answers of them; noise does not.
    assume(not any(word in data for word in (b"BITalino", b"UNO-", b"OpenBCI", b"Failure", b"SPO2=")))
    for setting in LISTENING:
        assert recognise_stream(data, setting) is None
    for question in QUESTIONS:
        assert question.understand(data) is None


@given(st.integers(), st.sampled_from(LISTENING), st.integers(2, 6))
@settings(max_examples=50)
def test_long_noise_of_any_kind_is_nobody(seed, setting, kind):
    noise = random.Random(seed)
    if kind == 2:
        data = noise.randbytes(8000)
    elif kind == 3:  # what a wrong speed makes: few bits set
        data = bytes(noise.randrange(256) & noise.randrange(256) for _ in range(4000))
    elif kind == 4:  # bytes with bit 7, mostly
        data = bytes(noise.randrange(256) | noise.choice((0, 0x80)) for _ in range(4000))
    elif kind == 5:  # text of another program
        data = bytes(noise.randrange(32, 127) for _ in range(4000))
    else:  # a line stuck at one byte
        data = bytes([noise.randrange(256)]) * 4000
    assert recognise_stream(data, setting) is None
    assert all(question.understand(data) is None for question in QUESTIONS)


def test_look_alikes_are_settled_by_their_adapter_with_a_doubt_or_stay_ambiguous():
    both = recognise_stream(heard(healthypi_v4(RecordedChest(), 100.0), 2), N115200)
    cp210x = ADAPTERS[0x10C4, 0xEA60]
    settled = narrowed(both, cp210x.drivers)
    assert (settled.driver, settled.certainty) == ("healthypi-v4", "likely")
    assert "healthypi-v3" in settled.doubt
    assert narrowed(both, ADAPTERS[0x0403, 0x6001].drivers) is both
    assert both.chosen("healthypi-v3").driver == "healthypi-v3"


def test_the_speeds_that_an_adapter_hints_at_are_tried_first_and_none_is_left_out():
    assert settings_for(("contec-cms50-v1",))[0] == O19200
    assert settings_for(("kit-ecg",))[0] == N921600
    for hints in ((), ("chords",), ("nonin-df2",)):
        assert set(settings_for(hints)) == set(LISTENING)
    assert {setting for signature in SIGNATURES for setting in signature.settings} <= set(LISTENING)
    assert questions_for(("cyton",))[0].drivers == ("cyton",)


def test_every_name_in_the_tables_is_a_driver():
    names = {name for signature in SIGNATURES for name in signature.drivers}
    names |= {name for one in QUESTIONS for name in one.drivers}
    names |= {name for one in ADAPTERS.values() for name in one.drivers}
    assert names <= DRIVERS.keys()


def test_plain_text_is_told_from_garbage():
    assert looks_meant(b"Booting firmware 1.2\r\n")
    assert not looks_meant(b"short")
    assert not looks_meant(bytes(range(128, 160)))


def test_a_spot_check_oximeter_that_repeats_its_record_is_recognised_and_a_damaged_one_is_not():
    record = bytes.fromhex("0002000d000e1419030e091e05000200004800611503")
    found = recognise_stream(record * 2, N9600)
    assert (found.driver, found.certainty) == ("nonin-df13", "certain")
    assert recognise_stream(record, N9600) is None, "one record alone is heard again"
    for place in range(len(record)):
        damaged = bytearray(record)
        damaged[place] ^= 0x40
        assert recognise_stream(bytes(damaged) * 2, N9600) is None


def test_streams_that_another_program_left_running_are_recognised_by_their_counters():
    cyton = b"".join(bytes((0xA0, number)) + bytes(30) + b"\xc0" for number in range(60))
    assert recognise_stream(cyton, N115200).driver == "cyton"
    assert recognise_stream(cyton.replace(b"\xa0\x10", b"\xa0\x11") * 1, N115200).driver == "cyton"
    stuck = (bytes((0xA0, 7)) + bytes(30) + b"\xc0") * 60
    assert recognise_stream(stuck, N115200) is None, "its counter stands still"
    chords = b"".join(bytes((0xC7, 0x7C, number)) + bytes((2, 0)) * 6 + b"\x01" for number in range(60))
    assert recognise_stream(chords, N230400).driver == "chords"
