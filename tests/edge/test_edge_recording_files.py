"""The files of a recording, read back by code that knows only the formats; and how progress is shown."""

import io
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import wave
from pathlib import Path

import numpy as np
import pytest
from edge_fakes import FakeDevice, ecg_block, identified, make_instrument, spo2
from hypothesis import given, settings
from hypothesis import strategies as st
from test_edge_agent import free_port, prepare

from chevet.devices.samples import Channel, Notice, Picture, Reading, SampleBlock
from chevet.edge import terminal_record
from chevet.edge.errors import Refusal
from chevet.edge.instruments import Instrument
from chevet.edge.recording_files import GAPS_TOLD, Stream, Target, target_for
from chevet.edge.settings import EdgeSettings, load_settings
from chevet.edge.terminal_attend import Attended, Taken, reason
from chevet.edge.terminal_record import Progress, record
from chevet.edge.wav_sound import wav_sound
from chevet.edge.wfdb_record import sample_format, wfdb_record
from chevet.study.recording import Gap

MILLIVOLT = Channel("I", "mV", 250.0, 4500 / 24 / (2**23 - 1))
SOUND = Channel("sound", "1", 4000.0, 1 / 32768)
WORKED_MS = 1_763_765_389_250  # 2025-11-21 22:49:49.250 UTC


def samples_of(data: bytes, bits: int, channels: int) -> np.ndarray:
    width = bits // 8
    flat = [int.from_bytes(data[at : at + width], "little", signed=True) for at in range(0, len(data), width)]
    return np.array(flat, np.int64).reshape(-1, channels).T


# WFDB


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(*[st.integers(-(2**31) + 1, 2**31 - 1)] * 2)
        | st.tuples(*[st.integers(-40_000, 40_000)] * 2)
        | st.tuples(*[st.integers(-300, 300)] * 2),
        min_size=1,
        max_size=20,
    )
)
def test_any_samples_come_back_from_the_narrowest_format(rows: list[tuple[int, int]]) -> None:
    values = np.array(rows, np.int32).T
    header, data = wfdb_record("r", (MILLIVOLT, SOUND), values, WORKED_MS, ())
    lines = header.decode("ascii").splitlines()
    bits = int(lines[1].split()[1])
    assert (samples_of(data, bits, 2) == values).all()
    most = int(np.abs(values.astype(np.int64)).max())
    assert bits == (16 if most < 2**15 else 24 if most < 2**23 else 32)
    for line, row in zip(lines[1:3], values, strict=True):
        checksum = struct.unpack("<h", struct.pack("<H", int(row.sum(dtype=np.int64)) % 65536))[0]
        assert line.split()[5:8] == [str(row[0]), str(checksum), "0"]


def test_a_number_that_readers_take_for_no_sample_needs_a_wider_format() -> None:
    assert sample_format(np.array([[-32767, 32767]], np.int16)) == 16
    assert sample_format(np.array([[-32768]], np.int16)) == 24
    assert sample_format(np.array([[-(2**23)]], np.int32)) == 32
    with pytest.raises(ValueError, match="32 bits"):
        sample_format(np.array([[-(2**31)]], np.int64))


def test_a_header_says_times_units_gains_and_comments_as_header_5_wants_them() -> None:
    channels = (Channel("V 1\n", "mm Hg", 62.5, 0.5, 10.0), Channel("x", "1", 62.5, 0.3, 0.1))
    header, _ = wfdb_record("r", channels, np.array([[4], [5]]), WORKED_MS, ("naïve\nline",))
    lines = header.decode("ascii").splitlines()
    assert lines[0] == "r 2 62.5 1 22:49:49.250 21/11/2025"
    assert lines[1] == "r.dat 16 2(-20)/mm_Hg 16 0 4 4 0 V 1?"
    assert lines[2].startswith("r.dat 16 3.3333333333333335(0)/NU 16 0 5 5 0 x")
    assert lines[3:] == [
        "# times are UTC",
        "# na?ve?line",
        "# x: physical value = sample * 0.3 + 0.1, exactly",
    ]


# WAV


@pytest.mark.parametrize(("low", "bits"), [(-32768, 16), (-32769, 24), (-(2**23), 24), (-(2**23) - 1, 32)])
def test_a_sound_keeps_its_width(low: int, bits: int) -> None:
    values = np.array([[low, 0, 7]], np.int32)
    data = wav_sound(values, 4000.0, ("odd",))
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getsampwidth() * 8, file.getnframes()) == (bits, 3)
        assert (samples_of(file.readframes(3), bits, 1) == values).all()
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    assert data.endswith(b"INFOICMT\x04\0\0\0odd\0")


def test_a_faint_sound_of_24_bits_is_not_made_loud_and_beyond_32_bits_is_refused(tmp_path: Path) -> None:
    faint = Stream((Channel("sound", "1", 4000.0, 2.0**-23),), np.full((1, 4), 100, np.int16), ())
    Target("wav", tmp_path / "a.wav").put_streams([faint], WORKED_MS, ())
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert file.getsampwidth() == 3
    with pytest.raises(ValueError, match="32 bits"):
        wav_sound(np.array([[1 << 31]]), 4000.0, ())


def test_a_rate_that_wav_cannot_tell_is_refused(tmp_path: Path) -> None:
    stream = Stream((Channel("sound", "1", 62.5, 1.0),), np.zeros((1, 4), np.int16), ())
    with pytest.raises(Refusal, match="whole number"):
        Target("wav", tmp_path / "a.wav").put_streams([stream], WORKED_MS, ())


# Files


def test_streams_of_other_rates_get_records_of_their_own(tmp_path: Path) -> None:
    target = target_for(tmp_path / "mix.dat", "ecg")
    slow = Stream((Channel("pleth", "1", 25.0, 1.0),), np.zeros((1, 25), np.int16), ())
    fast = Stream((MILLIVOLT,), np.ones((1, 250), np.int32), (Gap(3, 2),))
    written = target.put_streams([fast, slow], WORKED_MS, ())
    assert [path.name for path in written] == ["mix.dat", "mix.hea", "mix_stream2.dat", "mix_stream2.hea"]
    text = (tmp_path / "mix.hea").read_text()
    assert "# gap: 2 samples from sample 3 (0.012 s) on never arrived; zeros stand there" in text
    with pytest.raises(Refusal, match="--force"):
        target.refuse_existing(force=False)
    target.clear()
    assert list(tmp_path.iterdir()) == []


def test_endless_gaps_are_counted_rather_than_listed() -> None:
    gaps = tuple(Gap(2 * n, 1) for n in range(GAPS_TOLD + 7))
    stream = Stream((MILLIVOLT,), np.zeros((1, 1000), np.int32), gaps)
    told = list(stream.told_gaps())
    assert len(told) == GAPS_TOLD + 1
    assert told[-1] == "gap: 7 more gaps"


def test_a_reading_without_a_value_is_an_empty_cell(tmp_path: Path) -> None:
    target = target_for(tmp_path / "t", "thermometer")
    readings = (spo2(None, 11.5, ("artifact", "searching")), Reading("temperature", 37.1, "Cel", 12.0))
    assert target.put_readings(readings, 10.0).read_text().splitlines() == [
        "seconds,kind,value,unit,status",
        "1.500,spo2,,%,artifact searching",
        "2.000,temperature,37.1,Cel,",
    ]


# What is taken, and how it is told


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_a_terminal_gets_a_bar_and_a_file_gets_lines() -> None:
    bar, lines = Terminal(), io.StringIO()
    moving, plain = Progress(bar), Progress(lines)
    taken = Taken(10.0)
    for seconds in (0.0, 2.0, 4.9, 5.0, 10.0):
        if seconds:
            taken.offer("ecg", ecg_block(round(500 * seconds) - 25, 25, at=seconds))
            taken.span_s = seconds
        moving.tell(taken)
        plain.tell(taken)
    moving.close()
    plain.close()
    assert bar.getvalue().count("\r[") == 5
    assert "[###############...............] 5.0 of 10 s, 75 samples" in bar.getvalue()
    assert bar.getvalue().endswith("10.0 of 10 s, 100 samples\x1b[K\n")
    assert lines.getvalue().splitlines() == [
        "waiting for the instrument",
        "5.0 of 10 s, 75 samples",
        "10.0 of 10 s, 100 samples",
    ]


async def test_samples_count_by_the_device_s_clock_and_readings_by_ours() -> None:
    taken = Taken(0.1)
    taken.offer("ecg", ecg_block(1000, 25, at=5.0))
    assert taken.started_at == pytest.approx(4.95)
    assert not taken.ended.is_set()
    taken.offer("ecg", ecg_block(1025, 25, at=5.05))
    assert taken.ended.is_set()
    taken.offer("ecg", ecg_block(1050, 25, at=5.1))
    assert taken.samples == 50
    numbers = Taken(0.1)
    numbers.offer("oximeter", identified())
    assert not numbers.begun
    numbers.look(1.0)
    numbers.offer("oximeter", spo2(97, 0.0))
    numbers.look(1.0)
    assert (numbers.ended.is_set(), numbers.problem) == (True, "")


async def test_each_bad_end_has_its_word() -> None:
    silent = Taken(1.0)
    silent.look(16.0)
    refusing = Taken(1.0)
    refusing.offer("ecg", Notice("refused", 1.0, detail="version=2.0"))
    slow = Taken(1.0)
    slow.offer("ecg", ecg_block(0, 25, at=0.0))
    slow.look(9.0)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    camera = Taken(1.0, full)
    camera.offer("eye", Picture(b"x", "image/jpeg", 1.0))
    camera.lost("eye", "unplugged")
    ends = [one.problem for one in (silent, refusing, slow, camera)]
    assert ends == ["no_signal", "refused", "late", "disk"]
    assert all(len(reason(end).split()) > 3 for end in ends)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[EdgeSettings, FakeDevice]:
    """A box whose ECG is a fake."""
    config = prepare(tmp_path, free_port())
    row = '[[devices]]\nid = "ecg"\ndriver = "kit-ecg"\nlink = "serial:/dev/nothing"\n'
    config.write_text(config.read_text() + row)
    fake = FakeDevice("ecg", "ecg")

    class Faked(Attended):
        def __post_init__(self) -> None:
            super().__post_init__()
            self.instrument: Instrument = make_instrument(fake, lambda _: None)

    monkeypatch.setattr(terminal_record, "Attended", Faked)
    return load_settings(config), fake


def test_ctrl_c_keeps_what_is_there(
    bench: tuple[EdgeSettings, FakeDevice], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box, fake = bench
    fake.play(identified(), ecg_block(0, 250, time.monotonic()))
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    assert record(box, "ecg", 60.0, tmp_path / "ecg.hea", force=False) == 1
    assert (tmp_path / "ecg.hea").read_text().startswith("ecg 12 500 250 ")
    assert "it was stopped" in capsys.readouterr().err
    assert b"stop" in fake.sent


def test_samples_of_24_bits_keep_every_bit_around_a_gap(
    bench: tuple[EdgeSettings, FakeDevice], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box, fake = bench
    now, values = time.monotonic(), np.arange(-(2**22), 2**22, 2**16, dtype=np.int32).reshape(1, -1)
    lost = Notice("lost_samples", now, detail="10")
    fake.play(SampleBlock((MILLIVOLT,), values, 700, now), lost)
    fake.play(SampleBlock((MILLIVOLT,), values, 838, now + 0.5))
    assert record(box, "ecg", 1.0, tmp_path / "wide", force=False) == 0
    data = (tmp_path / "wide.dat").read_bytes()
    wanted = np.concatenate([values[0], np.zeros(10), values[0]])[:250]
    assert (samples_of(data, 24, 1)[0] == wanted).all()
    text = (tmp_path / "wide.hea").read_text()
    assert "wide.dat 24 " in text
    assert "# gap: 10 samples from sample 128 (0.512 s)" in text
    assert "lost_samples 10" in text
    assert "250 samples, 10 lost" in capsys.readouterr().out


def test_an_instrument_that_refuses_to_work_leaves_no_file(
    bench: tuple[EdgeSettings, FakeDevice], tmp_path: Path
) -> None:
    box, fake = bench
    fake.play(Notice("refused", 1.0, detail="version=2.0"))
    with pytest.raises(Refusal, match="refuses to work"):
        record(box, "ecg", 1.0, tmp_path / "ecg.hea", force=False)
    assert not list(tmp_path.glob("ecg*"))


def test_help_needs_none_of_the_heavy_libraries() -> None:
    words = "import sys; from chevet.edge import cli; cli.parser(); print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    heavy = {"numpy", "scipy", "PIL", "fastapi", "uvicorn", "bleak", "serial", "cv2", "chevet.devices"}
    assert "chevet.edge.cli" in told.stdout
    assert heavy & set(told.stdout.split()) == set()
