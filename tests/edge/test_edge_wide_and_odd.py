"""Boards of 24 bits, few leads, odd rates, several streams: recorded exactly, judged without inventing."""

import io
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from driver_bench import talk
from ecg_bench import BEGAN, make
from edge_fakes import ECG, LEADS, PLETH, SOUND, Box, ecg_block
from numpy.typing import NDArray
from scipy.signal import resample_poly
from test_edge_capture import ended, working
from test_edge_live import Glass, followed, parse, pumped

from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Channel, Event, Notice, SampleBlock
from chevet.edge.journal import JournalWriter, Opening, read_journal
from chevet.edge.judge import NOT_JUDGED, NOTHING, judge, live_quality, live_rate, measurements
from chevet.edge.live import STEP_OF
from chevet.edge.recorded import to_recording
from chevet.edge.terminal_attend import Taken
from chevet.edge.visits import DONE
from chevet.edge.windows import Window, laid
from chevet.edge.wire import sound_file
from chevet.sim.bodies import EcgBody
from chevet.study.bundle import pack, unpack
from chevet.study.recording import Recording, Waveform
from chevet.study.study import Consent, EdgeClock, Patient, Study

MOTION = (Channel("x", "g", 50.0, 0.001), Channel("y", "g", 50.0, 0.001))


def opening(step: str = "ecg", seconds: float = 4.0) -> Opening:
    return Opening("c1", "v1", step, "", "", "dev", "a-driver", "serial:dev", seconds, 1, BEGAN, True)


def journalled(folder: Path, events: Sequence[Event], seconds: float = 4.0) -> Recording:
    """Write events through a journal; return the recording made of what it reads back."""
    writer = JournalWriter.create(folder / "c1.journal", opening(seconds=seconds))
    for event in events:
        writer.append(event)
    writer.close("done")
    journal = read_journal(folder / "c1.journal")
    return to_recording(journal, judge(journal), poor=False)


def study_of(recording: Recording) -> Study:
    return Study(
        id="01a20001-f197-7196-9dbe-000000000001",
        site="tinm01",
        worker="amina",
        patient=Patient("p1", "Somebody", None, ""),
        consent=Consent(("care",), 1, ""),
        reason="",
        question="",
        specialty="cardiology",
        urgency="routine",
        closed=EdgeClock(1, "boot", 1.0, "synchronised"),
        recordings=(recording,),
    )


def motion(first: int, count: int, at: float = 0.0) -> SampleBlock:
    return SampleBlock(MOTION, np.zeros((2, count), np.int16), first, at)


# From the twin to the bundle


@pytest.mark.parametrize(("name", "leads"), [("ads1298", 12), ("cyton", 12), ("ads1292r raw", 1)])
async def test_a_24_bit_board_is_captured_packed_and_unpacked_exactly(
    box: Box, name: str, leads: int
) -> None:
    driver, twin = make(name)
    events = talk(driver, twin, 9.0, began=BEGAN)
    blocks = [event for event in events if isinstance(event, SampleBlock)]
    async with working(box) as visit:
        row = await box.bedside.captures.start(visit, "ecg", seconds=4)
        box.devices["ecg"].play(*events)
        done = await ended(box, row)
        assert (done.state, done.problem) == (DONE, "")
        recording = box.bedside.captures.recording(done)
    sent = np.concatenate([block.values for block in blocks], axis=1)
    rate_hz = round(blocks[0].channels[0].rate_hz)
    assert recording.waveforms[0].values.dtype == np.int32
    assert np.array_equal(recording.waveforms[0].values, sent[:, : 4 * rate_hz])
    assert recording.quality.usable
    back = unpack(pack(study_of(recording))).recordings[0].waveforms[0]
    assert back.values.shape == (leads, 4 * rate_hz)
    assert np.array_equal(back.values, recording.waveforms[0].values)


def test_a_journal_of_wide_samples_keeps_its_gaps(tmp_path: Path) -> None:
    channels = (Channel("I", "mV", 250.0, 2e-5),)
    values = np.arange(7_000_000, 7_000_500, dtype=np.int32)[np.newaxis]
    events = [
        SampleBlock(channels, values[:, :200], 0, BEGAN),
        SampleBlock(channels, values[:, 300:], 300, BEGAN),
    ]
    wave = journalled(tmp_path, events).waveforms[0]
    assert [(gap.first, gap.count) for gap in wave.gaps] == [(200, 100)]
    assert np.array_equal(wave.values[:, 300:], values[:, 300:])
    assert not wave.values[:, 200:300].any()


def test_wide_samples_that_fit_16_bits_are_stored_as_such(tmp_path: Path) -> None:
    block = SampleBlock(ECG, np.full((12, 2000), -32768, np.int32), 0, BEGAN)
    assert journalled(tmp_path, [block]).waveforms[0].values.dtype == np.int16


def test_wide_sound_is_replayed_with_every_bit() -> None:
    values = np.array([[8_388_607, -8_388_608, 0, 70_000]], np.int32)
    with sf.SoundFile(io.BytesIO(sound_file(Waveform(SOUND, values)))) as file:
        assert (file.samplerate, file.subtype) == (4000, "PCM_24")
        assert np.array_equal(file.read(dtype="int32") >> 8, values[0])


# Several streams of one device


@pytest.mark.parametrize("other_first", [True, False])
def test_the_examination_s_own_stream_comes_first_and_is_judged(tmp_path: Path, other_first: bool) -> None:
    ecg = [ecg_block(at, 500, BEGAN) for at in range(0, 2000, 500)]
    busy = (Channel("light", "1", 4000.0, 1.0),)
    other = [SampleBlock(busy, np.zeros((1, 64_000), np.int16), 9, BEGAN)]
    recording = journalled(tmp_path, other + ecg if other_first else ecg + other)
    assert [len(wave.channels) for wave in recording.waveforms] == [12, 1]
    assert recording.quality.usable
    assert any(one.kind == "heart_rate" and one.value for one in recording.measurements)


async def test_a_capture_of_two_streams_lasts_as_long_as_its_own(box: Box) -> None:
    async with working(box) as visit:
        row = await box.bedside.captures.start(visit, "ecg", seconds=2)
        play = box.devices["ecg"].play
        play(motion(70_000, 50), ecg_block(0, 500), motion(70_050, 50), ecg_block(500, 500))
        done = await ended(box, row)
        assert (done.state, done.problem) == (DONE, ""), "the other stream counts from elsewhere"
        recording = box.bedside.captures.recording(done)
    assert recording.waveforms[0].values.shape == (12, 1000)
    assert recording.waveforms[1].values.shape == (2, 100)


def test_a_recording_from_the_terminal_counts_each_stream_by_itself() -> None:
    taken = Taken(2.0)
    taken.offer("dev", motion(70_000, 50))
    taken.offer("dev", ecg_block(0, 500))
    assert taken.span_s == 1.0
    taken.offer("dev", ecg_block(500, 500))
    assert taken.span_s == 2.0
    assert taken.ended.is_set()


@pytest.mark.parametrize(
    ("step", "channels"),
    [("ecg", ECG), ("heart_sound", SOUND), ("oximetry", PLETH)],
    ids=["ecg", "sound", "pleth"],
)
def test_streams_that_alternate_keep_their_windows_and_the_step_s_own_is_judged(
    step: str, channels: tuple[Channel, ...]
) -> None:
    window, rate = Window(step), round(channels[0].rate_hz)
    loud = tuple(Channel(f"other {n}", "1", 8000.0, 1.0) for n in range(2))
    for second in range(6):
        at = float(second)
        mine = SampleBlock(channels, np.ones((len(channels), rate), np.int16), second * rate, at)
        other = SampleBlock(loud, np.zeros((2, 8000), np.int16), 5_000_000 + second * 8000, at)
        told = [window.offer(block) for block in ((other, mine) if second % 2 else (mine, other))]
        assert sorted(told) == [False, True]
    found = laid(window.blocks(), 5.0)
    assert found is not None
    assert found[1] == channels
    assert found[0].shape[1] == 5 * rate
    assert not np.isnan(found[0]).any()


def test_a_stream_that_changes_its_rate_or_its_leads_begins_anew() -> None:
    window = Window("ecg")
    window.offer(ecg_block(0, 500, 1.0))
    slow = tuple(Channel(name, "mV", 250.0, 0.001) for name in LEADS)
    window.offer(SampleBlock(slow, np.ones((12, 250), np.int16), 700, 2.0))
    assert [block.channels for block in window.blocks()] == [slow]
    window.offer(SampleBlock(slow[:8], np.ones((8, 250), np.int16), 0, 3.0))
    assert [block.channels for block in window.blocks()] == [slow[:8]]


def test_a_stream_that_fell_silent_makes_room_for_the_next() -> None:
    window = Window("ecg")
    window.offer(ecg_block(0, 500, 1.0))
    assert window.offer(motion(0, 50, 2.0)) is False
    light = SampleBlock((Channel("light", "1", 25.0, 1.0),), np.zeros((1, 25), np.int16), 0, 60.0)
    assert window.offer(light) is True
    window.clear()
    assert window.blocks() == ()


async def test_live_frames_of_two_streams_are_joined_each_by_itself_and_say_which_is_the_main_one(
    box: Box,
) -> None:
    live, glass = followed(box), Glass()
    client = live.join()
    client.watched = frozenset({"ecg"})
    for number in range(4):
        live.offer("ecg", ecg_block(number * 10, 10))
        live.offer("ecg", motion(900 + number, 1))
    await pumped(client, glass, lambda: len(glass.frames) >= 2)
    told = [parse(frame)[1] for frame in glass.frames]
    assert [(one["main"], one["first"], one["count"]) for one in told] == [(True, 0, 40), (False, 900, 4)]


def test_the_device_s_clock_is_used_for_its_own_rate_only(box: Box) -> None:
    live, instrument = followed(box), box.bedside.instruments["ecg"]
    now, wall = time.monotonic(), box.bedside.clock.now_ms()
    for number in range(20):
        instrument._take(ecg_block(number * 50, 50, now + number * 0.1))
    assert abs(live.at_ms("ecg", motion(123_456, 1, now)) - wall) < 200


def test_every_kind_of_instrument_has_its_step_or_none() -> None:
    assert {make().instrument for make in DRIVERS.values()} <= STEP_OF.keys()
    assert STEP_OF["ecg"] == "ecg"
    vitals = ("blood_pressure", "thermometer", "glucose", "scale", "heart_rate", "battery")
    assert [STEP_OF[kind] for kind in vitals] == [""] * 6


# Few leads and odd rates


def leads_at(rate_hz: float, names: Sequence[str], seconds: float, offset_mv: float) -> NDArray[np.float64]:
    """Return a real ECG in mV at another rate on electrodes with a voltage of their own."""
    ratio = Fraction(rate_hz / 500).limit_denominator(1000)
    millivolts = EcgBody(1).take(0, round(seconds * 500)) * 0.001
    values = resample_poly(millivolts, ratio.numerator, ratio.denominator, axis=1)
    rows = [values[LEADS.index(name) if name in LEADS else 1] for name in names]
    return np.stack(rows) + offset_mv


BOARDS = {
    "polar": (130.0, ("ECG",)),
    "er1": (125.0, ("ECG",)),
    "ad8232": (192.0, ("ECG",)),
    "two leads": (250.0, ("I", "II")),
    "eight leads": (500.0, ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")),
    "ganglion": (200.0, ("CH1", "CH2", "CH3", "CH4")),
    "cyton": (250.0, LEADS),
}


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("offset_mv", [0.0, 300.0])
def test_any_board_is_judged_and_measured_by_the_leads_it_has(board: str, offset_mv: float) -> None:
    rate_hz, names = BOARDS[board]
    channels = tuple(Channel(name, "mV", rate_hz, 1e-5) for name in names)
    values = leads_at(rate_hz, names, 10.0, offset_mv)
    assert live_quality("ecg", values, channels).usable
    rate = live_rate("ecg", values, channels)
    assert rate is not None
    assert rate == pytest.approx(66.5, abs=1)
    drafts = {one.kind: one.value for one in measurements("ecg", values, channels)}
    assert (drafts.get("qrs_axis") is not None) == ("I" in names)
    assert {kind for kind in drafts if kind.startswith("st_")} <= {f"st_{name}" for name in LEADS}
    assert all(f"st_{name}" in drafts for name in names if name in LEADS)


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("seconds", [0.01, 1.5, 5.0])
def test_a_short_or_torn_window_of_any_board_is_no_fault(board: str, seconds: float) -> None:
    rate_hz, names = BOARDS[board]
    channels = tuple(Channel(name, "mV", rate_hz, 1e-5) for name in names)
    values = leads_at(rate_hz, names, seconds, 300.0)
    values[:, values.shape[1] // 3 : values.shape[1] // 2] = np.nan
    assert 0 <= live_quality("ecg", values, channels).score <= 1
    assert live_rate("ecg", np.full_like(values, np.nan), channels) is None
    if seconds < 5:
        assert live_rate("ecg", values, channels) is None


def test_a_rate_that_the_engine_does_not_know_is_not_called_silence() -> None:
    slow = (Channel("ECG", "mV", 25.0, 0.001),)
    assert live_quality("ecg", np.ones((1, 250)), slow) == NOT_JUDGED
    assert live_quality("ecg", np.full((1, 250), np.nan), slow) == NOTHING
    assert measurements("ecg", np.ones((1, 250)), slow) == ()


# A device that lies about its rate


def calm() -> list[Event]:
    return [ecg_block(at, 500, BEGAN) for at in range(0, 2000, 500)]


def lie(*, on: bool = True) -> Notice:
    return Notice("rate_wrong", BEGAN, on=on, detail="nominal=500;measured=520.10")


def test_a_recording_whose_device_lied_about_its_rate_is_poor_and_says_the_true_rate(tmp_path: Path) -> None:
    recording = journalled(tmp_path, [*calm(), lie()])
    assert not recording.quality.usable
    assert "rate_wrong:520.10" in recording.quality.reasons
    assert recording.device["measured_hz"] == "520.10"


def test_a_rate_that_came_right_again_is_no_reason(tmp_path: Path) -> None:
    recording = journalled(tmp_path, [*calm(), lie(), lie(on=False)])
    assert not [reason for reason in recording.quality.reasons if reason.startswith("rate_wrong")]
    assert "measured_hz" not in recording.device
