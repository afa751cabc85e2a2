"""`chevet-edge record` and `tape`: virtual instruments behind terminals, read back byte for byte."""

import asyncio
import contextlib
import csv
import io
import random
import struct
import threading
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from edge_fakes import until
from numpy.typing import NDArray
from PIL import Image
from test_edge_agent import free_port, prepare

from chevet.bridge.link import open_link
from chevet.bridge.tape import MAGIC, TapeRecord, encode_record, read_tape
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Event, SampleBlock
from chevet.edge import cli
from chevet.edge.instruments import Instrument
from chevet.edge.only_one import only_one
from chevet.edge.settings import DeviceSettings, load_settings
from chevet.sim.kit import KitDevice, ecg_identity, stethoscope_identity
from chevet.sim.nonin import NoninDf2, Numbers
from chevet.sim.pty_port import PtyPort
from chevet.sim.serial_runner import SerialDevice, SerialRunner
from chevet.sim.wire_faults import WireFaults

Int16 = NDArray[np.int16]


class Counting:
    """A body whose samples tell their own index."""

    def __init__(self, channels: int = 1) -> None:
        self.channels = channels

    def take(self, first: int, count: int) -> Int16:
        rows = np.arange(first, first + count) % 30_000
        return np.stack([rows - 100 * row for row in range(self.channels)]).astype(np.int16)

    def off(self) -> int:
        return 0

    def pleth(self, first: int, count: int) -> list[int]:
        return [index % 256 for index in range(first, first + count)]

    def numbers(self, first: int) -> Numbers:
        return Numbers(72, 97)


MAKES: dict[str, Callable[[], SerialDevice]] = {
    "kit-ecg": lambda: KitDevice(ecg_identity("E1"), Counting(12), 25, time.monotonic()),
    "kit-stethoscope": lambda: KitDevice(stethoscope_identity("S1"), Counting(), 100, time.monotonic()),
    "nonin-df2": lambda: NoninDf2(Counting(), time.monotonic()),
}


@contextmanager
def plugged(folder: Path, driver: str) -> Iterator[Callable[[], object]]:
    """A virtual instrument on a terminal, running in a thread of its own; that thread alone touches it."""
    runner = SerialRunner(MAKES[driver](), PtyPort(folder / "port"), WireFaults(random.Random(7)))
    loop = asyncio.new_event_loop()
    task = loop.create_task(runner.run())

    def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    while not runner.port.plugged:
        time.sleep(0.01)
    try:
        yield lambda: loop.call_soon_threadsafe(runner.unplug)
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()


def device(folder: Path, driver: str, link: str = "") -> None:
    """Configure one device "it"."""
    config = prepare(folder, free_port()) if not (folder / "edge.toml").exists() else folder / "edge.toml"
    text = config.read_text().partition("[[devices]]")[0]
    baud = {"nonin-df2": 9600}.get(driver, 921600)
    link = link or f"serial:{folder}/port?baud={baud}"
    config.write_text(f'{text}[[devices]]\nid = "it"\ndriver = "{driver}"\nlink = "{link}"\n')


def run(folder: Path, verb: str, *words: str) -> int:
    return cli.main([verb, "--config", str(folder / "edge.toml"), "--device", "it", *words])


def read_dat(folder: Path, name: str) -> tuple[list[str], NDArray[np.int64]]:
    """Read a record as header(5) and signal(5) say, with code of this test's own."""
    lines = (folder / f"{name}.hea").read_text("ascii").splitlines()
    _, signals, _, samples, *_ = lines[0].split()
    bits = int(lines[1].split()[1])
    data = (folder / f"{name}.dat").read_bytes()
    width = bits // 8
    assert len(data) == int(signals) * int(samples) * width
    flat = [int.from_bytes(data[at : at + width], "little", signed=True) for at in range(0, len(data), width)]
    return lines, np.array(flat, np.int64).reshape(-1, int(signals)).T


def tape_of(path: Path, *records: TapeRecord) -> None:
    path.write_bytes(MAGIC + b"".join(encode_record(record) for record in records))


def ecg_tape(folder: Path) -> Path:
    """Record a second of the virtual ECG's link."""
    device(folder, "kit-ecg")
    with plugged(folder, "kit-ecg"):
        assert run(folder, "tape", "--seconds", "1", "--out", str(folder / "ecg.tape")) == 0
    return folder / "ecg.tape"


@pytest.fixture(scope="module")
def taped(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A second of the virtual ECG's link, recorded once for all tests that only replay it."""
    return ecg_tape(tmp_path_factory.mktemp("taped")).read_bytes()


@pytest.fixture
def tape(taped: bytes, tmp_path: Path) -> Path:
    (tmp_path / "ecg.tape").write_bytes(taped)
    device(tmp_path, "kit-ecg")
    return tmp_path / "ecg.tape"


# Signals


def test_an_ecg_is_on_disk_as_the_device_sent_it_sample_for_sample(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    device(tmp_path, "kit-ecg")
    with plugged(tmp_path, "kit-ecg"):
        assert run(tmp_path, "record", "--seconds", "0.8", "--out", str(tmp_path / "ecg.hea")) == 0
    wanted = Counting(12).take(0, 400)
    assert (tmp_path / "ecg.dat").read_bytes() == wanted.T.astype("<i2").tobytes()
    assert (tmp_path / "ecg.dat").stat().st_mode & 0o777 == 0o600
    lines, values = read_dat(tmp_path, "ecg")
    assert (values == wanted).all()
    assert lines[0].startswith("ecg 12 500 400 ")
    checksum = struct.unpack("<h", struct.pack("<H", int(wanted[1].sum()) % 65536))[0]
    assert lines[2] == f"ecg.dat 16 1000(0)/mV 16 0 -100 {checksum} 0 II"
    assert any("model CHEVET-SIM-E12, serial E1" in line for line in lines[13:])
    assert "# simulated (HTEST)" in lines
    assert "NaN" not in "".join(lines)
    told = capsys.readouterr()
    assert "400 samples, 0 lost" in told.out
    assert "waiting for the instrument" in told.err


def test_a_stethoscope_is_a_wav_file_with_its_comments(tmp_path: Path) -> None:
    device(tmp_path, "kit-stethoscope")
    with plugged(tmp_path, "kit-stethoscope"):
        assert run(tmp_path, "record", "--seconds", "0.5", "--out", str(tmp_path / "heart.wav")) == 0
    data = (tmp_path / "heart.wav").read_bytes()
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 4000)
        assert file.readframes(10_000) == Counting().take(0, 2000).astype("<i2").tobytes()
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    assert b"ICMT" in data
    assert b"driver kit-stethoscope" in data


def test_an_oximeter_s_numbers_lie_beside_its_pleth(tmp_path: Path) -> None:
    device(tmp_path, "nonin-df2")
    with plugged(tmp_path, "nonin-df2"):
        assert run(tmp_path, "record", "--seconds", "1", "--out", str(tmp_path / "spo2")) == 0
    lines, values = read_dat(tmp_path, "spo2")
    assert lines[0].startswith("spo2 1 75 75 ")
    assert (np.diff(values[0]) % 256 == 1).all()
    rows = list(csv.DictReader((tmp_path / "spo2_readings.csv").read_text().splitlines()))
    assert {(row["kind"], row["value"], row["unit"]) for row in rows} == {
        ("spo2", "97", "%"),
        ("pulse_rate", "72", "/min"),
    }
    assert all(-0.5 < float(row["seconds"]) < 3 for row in rows)


def test_a_cable_pulled_out_keeps_what_was_recorded_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    device(tmp_path, "kit-ecg")
    with plugged(tmp_path, "kit-ecg") as pull:
        threading.Timer(1.0, pull).start()
        assert run(tmp_path, "record", "--seconds", "30", "--out", str(tmp_path / "ecg.hea")) == 1
    _, values = read_dat(tmp_path, "ecg")
    assert (values == Counting(12).take(0, values.shape[1])).all()
    assert 100 <= values.shape[1] < 600
    assert "unplugged or switched off" in capsys.readouterr().err


# Tapes


def test_a_tape_replays_the_device_in_record_with_the_same_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tape = ecg_tape(tmp_path)
    told = capsys.readouterr().out
    assert f'link = "tape:{tape}"' in told
    assert tape.stat().st_mode & 0o777 == 0o600
    with tape.open("rb") as file:
        records = list(read_tape(file))
    assert any(record.sent for record in records), "what was said to the device is on it too"
    device(tmp_path, "kit-ecg", f"tape:{tape}?speed=0")
    assert run(tmp_path, "record", "--seconds", "0.6", "--out", str(tmp_path / "again.hea")) == 0
    assert (tmp_path / "again.dat").read_bytes() == Counting(12).take(0, 300).T.astype("<i2").tobytes()
    assert run(tmp_path, "record", "--seconds", "9", "--out", str(tmp_path / "short.hea")) == 1
    told = capsys.readouterr().err
    assert "stopped sending" in told
    assert read_dat(tmp_path, "short")[1].shape[1] >= 500


async def test_a_tape_plays_as_the_device_in_the_agent_again_and_again(tape: Path) -> None:
    settings = DeviceSettings(id="it", driver="kit-ecg", link=f"tape:{tape}?speed=4")
    one = Instrument(settings, DRIVERS, open_link, time.monotonic, lambda _: None)
    blocks: list[SampleBlock] = []
    ends: list[str] = []

    class Listening:
        def offer(self, device: str, event: Event) -> None:
            if isinstance(event, SampleBlock) and len(ends) < 2:  # it goes on, for ever
                blocks.append(event)

        def lost(self, device: str, problem: str) -> None:
            ends.append(problem)

    one.listeners.append(Listening())
    task = asyncio.create_task(one.run())
    try:
        await until(lambda: len(ends) >= 2)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert ends[:2] == ["ended", "ended"]
    assert one.identity["model"] == "CHEVET-SIM-E12"
    firsts = [block.first for block in blocks]
    assert firsts == sorted(set(firsts)), "the index goes on, after a gap"
    assert sum(block.values[0, 0] == 0 for block in blocks) == 2


def test_lost_frames_on_a_tape_are_gaps_in_the_comments_and_zeros_in_the_samples(
    tmp_path: Path, tape: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tape.open("rb") as file:
        records = list(read_tape(file))
    large = [place for place, one in enumerate(records) if not one.sent and len(one.data) > 400]
    broken = records[large[5]]
    middle = len(broken.data) // 2
    data = broken.data[:middle] + bytes([broken.data[middle] ^ 0x5A]) + broken.data[middle + 1 :]
    records[large[5]] = TapeRecord(broken.at_s, False, data)
    tape_of(tmp_path / "bad.tape", *records)
    device(tmp_path, "kit-ecg", f"tape:{tmp_path}/bad.tape?speed=0")
    assert run(tmp_path, "record", "--seconds", "0.8", "--out", str(tmp_path / "gap.hea")) == 0
    lines, values = read_dat(tmp_path, "gap")
    told = next(line for line in lines if line.startswith("# gap: "))
    count, first = int(told.split()[2]), int(told.split()[6])
    assert count % 25 == 0
    wanted = Counting(12).take(0, 400)
    wanted[:, first : first + count] = 0
    assert (values == wanted).all()
    out = capsys.readouterr().out
    assert f"400 samples, {count} lost" in out
    assert f"Gap: {count} samples" in out
    assert "bad frames" in out


# Pictures


def picture(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 24), (shade, 0, 0)).save(out, "JPEG")
    return out.getvalue()


def test_a_camera_s_pictures_are_its_own_bytes_in_a_folder(tmp_path: Path) -> None:
    pictures = [picture(shade) for shade in (10, 60, 110, 160)]
    tape_of(tmp_path / "eye.tape", *(TapeRecord(0.1 * n, False, one) for n, one in enumerate(pictures)))
    device(tmp_path, "camera", f"tape:{tmp_path}/eye.tape")
    folder = tmp_path / "ear"
    assert run(tmp_path, "record", "--seconds", "5", "--out", str(folder)) == 1, "the tape is shorter"
    files = sorted(folder.iterdir())
    assert [file.read_bytes() for file in files] == pictures
    assert files[2].name.startswith("picture-0003-0.2")
    (folder / "notes.txt").write_text("mine")
    assert run(tmp_path, "record", "--out", str(folder)) == 1
    tape_of(tmp_path / "eye.tape", TapeRecord(0.0, False, pictures[3]))
    assert run(tmp_path, "record", "--out", str(folder), "--force") == 1
    assert [file.name for file in sorted(folder.iterdir())] == ["notes.txt", "picture-0001-0.000s.jpg"]


# Refusals


def test_nothing_is_overwritten_without_force_and_force_leaves_nothing_stale(
    tmp_path: Path, tape: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tape.read_bytes()
    device(tmp_path, "kit-ecg", f"tape:{tape}?speed=0")
    for stale in ("run.hea", "run_readings.csv", "run_2.hea"):
        (tmp_path / stale).write_text("old")
    words = ("--seconds", "0.1", "--out", str(tmp_path / "run.hea"))
    assert run(tmp_path, "record", *words) == 1
    assert "--force" in capsys.readouterr().err
    assert (tmp_path / "run.hea").read_text() == "old"
    assert run(tmp_path, "record", *words, "--force") == 0
    assert read_dat(tmp_path, "run")[1].shape == (12, 50)
    assert not (tmp_path / "run_readings.csv").exists()
    assert (tmp_path / "run_2.hea").read_text() == "old", "another recording's"
    assert run(tmp_path, "tape", "--out", str(tape)) == 1
    assert "--force" in capsys.readouterr().err
    assert tape.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("record", "--out", "none/ecg.hea"), "does not exist; make it first"),
        (("tape", "--out", "none/ecg.tape"), "does not exist; make it first"),
        (("record", "--out", "ecg.wav"), "Only a stethoscope records WAV"),
        (("record", "--out", "ecg.mp3"), "must end in .hea"),
        (("record", "--out", "my ecg.hea"), "letters, digits and underscores"),
        (("record", "--out", "ecg.hea", "--seconds", "0"), "--seconds must be above 0"),
        (("record", "--out", "ecg.hea", "--seconds", "nan"), "--seconds must be above 0"),
        (("tape", "--out", "ecg.tape", "--seconds", "9999"), "--seconds must be above 0"),
        (("record", "--out", "ecg.hea"), "Nothing was recorded from 'it': nothing answers there"),
        (("tape", "--out", "ecg.tape"), "Nothing was recorded from 'it': nothing answers there"),
        (("record", "--out", "ecg.hea", "--device", "x"), "No instrument 'x' is configured; there are: it."),
    ],
)
def test_what_cannot_be_recorded_is_one_sentence_and_leaves_no_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    sentence: str,
) -> None:
    device(tmp_path, "kit-ecg")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert run(tmp_path, *words) == 1
    assert sentence in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


def test_a_camera_needs_a_folder_s_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    device(tmp_path, "camera", "v4l2:/dev/nothing")
    assert run(tmp_path, "record", "--out", str(tmp_path / "ear.jpg")) == 1
    assert "name it without an ending" in capsys.readouterr().err
    (tmp_path / "ear").write_text("a file")
    assert run(tmp_path, "record", "--out", str(tmp_path / "ear")) == 1
    assert "pictures need a folder" in capsys.readouterr().err


def test_the_running_agent_holds_the_instruments_but_no_tape(
    tmp_path: Path, tape: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with only_one(load_settings(tmp_path / "edge.toml").data_dir):
        assert run(tmp_path, "record", "--out", str(tmp_path / "ecg.hea")) == 1
        assert "The agent is running and holds 'it'" in capsys.readouterr().err
        device(tmp_path, "kit-ecg", f"tape:{tape}?speed=0")
        assert run(tmp_path, "record", "--seconds", "0.1", "--out", str(tmp_path / "ecg.hea")) == 0
