"""Real recordings as devices: integers as they are, seams that show, channels under the right names."""

import asyncio
import contextlib
import tempfile
import time
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.bridge.link import open_link
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Reading, SampleBlock
from chevet.sim import cli, players
from chevet.sim.serve import Plan, served
from chevet.sim.wfdb_file import RecordingError, read_header, unpacked


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="chevet-") as short:
        yield Path(short)


def packed_212(values):
    out = bytearray()
    pairs = [*values, 0] if len(values) % 2 else list(values)
    for one, other in zip(pairs[::2], pairs[1::2], strict=True):
        out += bytes((one & 255, (one >> 8 & 15) | (other >> 8 & 15) << 4, other & 255))
    return bytes(out[: -1 if len(values) % 2 else None])


def packed(values, kind):
    match kind:
        case "212":
            return packed_212(values)
        case "80":
            return bytes(value + 128 for value in values)
    width = int(kind) // 8
    return b"".join(value.to_bytes(width, "little", signed=True) for value in values)


BITS = {"80": 8, "212": 12, "16": 16, "24": 24, "32": 32}


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(BITS)), st.data())
def test_every_format_gives_back_what_was_packed(kind, data):
    top = 1 << BITS[kind] - 1
    values = data.draw(st.lists(st.integers(-top, top - 1), min_size=1, max_size=60))
    assert unpacked(packed(values, kind), kind).tolist() == values


def record(folder, rows, kind="16", names=("I", "II"), gain="200(5)/mV", rate="250"):
    rows = np.asarray(rows)
    (folder / "r.dat").write_bytes(packed(rows.T.ravel().tolist(), kind))
    lines = [f"r {len(rows)} {rate} {rows.shape[1]}", "# a comment"]
    lines += [f"r.dat {kind} {gain} 12 0 0 0 0 {name}" for name in names]
    (folder / "r.hea").write_text("\n".join(lines) + "\n")
    return folder / "r.hea"


def test_a_record_keeps_integers_rate_names_and_gain(folder):
    path = record(folder, [[5, 105, 205], [6, 7, 8]], "212", ("MLII", "V1"), rate="360/1")
    got = players.read(str(path))
    assert got.values.tolist() == [[0, 100, 200], [1, 2, 3]]
    assert (got.rate_hz, got.names, got.steps) == (360.0, ("II", "V1"), (1 / 200, 1 / 200))
    assert players.read(str(folder / "r")).names == ("II", "V1")
    assert players.read(f"{path}?V2=V1").names == ("II", "V2")
    assert players.read(f"{path}?V1=II").names == ("V1", "V1'")


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("", "no WFDB header"),
        ("r/3 2 250 10", "several segments"),
        ("r 0 250 10", "announces 0"),
        ("r 2 250 10\nr.dat 16 200 12 0 0 0 0 I", "announces 2 signals and describes 1"),
        ("r 1 250 3\nr.dat 310 200 12 0 0 0 0 I", "formats 16"),
        ("r 1 250 3\nr.dat 16x2 200 12 0 0 0 0 I", "samples a frame"),
        ("r 1 250 3\n../r.dat 16 200 12 0 0 0 0 I", "not in the header's folder"),
        ("r 1 250 30\nr.dat 16 200 12 0 0 0 0 I", "announces 30 samples and holds 3"),
        ("r 1 250 3\nnone.dat 16 200 12 0 0 0 0 I", "cannot be read"),
        ("r 1 250 1\nr.dat 16 200 12 0 0 0 0 I", "no samples"),
    ],
)
def test_a_record_that_cannot_be_played_is_refused(folder, header, says):
    (folder / "r.dat").write_bytes(bytes(6))
    (folder / "r.hea").write_text(header)
    with pytest.raises(RecordingError, match=says):
        players.read(str(folder / "r.hea"))


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=120))
def test_no_header_breaks_the_reader(text):
    try:
        rate_hz, _, signals = read_header(text, "x")
    except RecordingError:
        return
    assert signals
    assert rate_hz >= 0


def test_what_a_header_leaves_out_has_its_usual_value():
    rate_hz, length, (one,) = read_header("r 1\nr.dat 16", "x")
    assert (rate_hz, length, one.gain, one.zero, one.unit, one.name) == (250.0, 0, 200.0, 0, "mV", "")


def sound(folder, values, width=2, channels=1, rate=4000):
    path = folder / "s.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(b"".join(v.to_bytes(width, "little", signed=width > 1) for v in values))
    return path


@pytest.mark.parametrize(("width", "written", "read"), [(1, [0, 255], [-128, 127]), (3, [-5, 8], [-5, 8])])
def test_sounds_of_any_width_are_whole_numbers(folder, width, written, read):
    got = players.read(str(sound(folder, written, width)))
    assert got.values.tolist() == [read]
    assert got.names == ("sound",)
    assert got.steps == (1 / (1 << 8 * width - 1),)
    assert players.read(str(sound(folder, [1, 2, 3, 4], 2, 2))).names == ("sound 1", "sound 2")


def test_files_that_are_none_are_refused(folder):
    for name in ("a.wav", "a.npz", "a.txt"):
        (folder / name).write_bytes(b"nonsense")
        with pytest.raises(RecordingError, match="is no"):
            players.read(str(folder / name))
    with pytest.raises(RecordingError, match="no such file"):
        players.read(str(folder / "b.wav"))
    np.savez(folder / "c.npz", values=np.zeros((1, 5)), rate_hz=75, names=["pleth"])
    with pytest.raises(RecordingError, match="whole numbers"):
        players.read(str(folder / "c.npz"))
    np.savez(folder / "d.npz", values=np.zeros((1, 5), int))
    with pytest.raises(RecordingError, match="lacks names, rate_hz"):
        players.read(str(folder / "d.npz"))
    with pytest.raises(RecordingError, match="no samples"):
        players.read(str(sound(folder, [])))


def test_the_seam_is_a_flat_second_and_then_the_beginning(folder):
    got = players.read(str(record(folder, [[15, 25, 35, 45]], names=("II",), rate="4")))
    assert got.length == 8
    assert got.between(0, 0, 10, 4.0).tolist() == [10, 20, 30, 40, 0, 0, 0, 0, 10, 20]
    assert got.between(0, 0, 4, 8.0).tolist() == [10, 15, 20, 25]


def test_a_channel_is_found_by_name_or_because_it_is_alone(folder):
    two = players.read(str(record(folder, [[1, 2], [3, 4]], names=("A", "B"))))
    with pytest.raises(RecordingError, match=r"map one: FILE\?pleth=NAME"):
        two.row("pleth")
    assert two.only(1).row("pleth") == 0
    assert two.only(1).values.tolist() == [[-2, -1]]


async def heard(instrument, enough):
    link, driver, events = open_link(instrument.url), DRIVERS[instrument.driver](), []
    await link.open()
    if said := driver.start():
        await link.send(said)
    async with asyncio.timeout(60):
        while not enough(events):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.25):
                    events += driver.feed(await link.receive())
            if said := driver.tick(time.monotonic()):
                await link.send(said)
    await link.aclose()
    return events


def blocks(events):
    return [one for one in events if isinstance(one, SampleBlock)]


def samples(events):
    return sum(one.values.shape[1] for one in blocks(events))


async def test_the_kits_ecg_plays_a_record_to_the_last_bit_with_its_own_gain(folder):
    rows = np.random.default_rng(1).integers(-900, 900, (3, 600))
    got = players.read(str(record(folder, rows, names=("I", "II", "V5"), gain="306(0)/mV")))
    async with served(Plan(folder / "sim", 1, ("ecg",), plays={"ecg": got})) as room:
        events = await heard(room.instruments[0], lambda seen: samples(seen) >= 500)
    assert [channel.name for channel in blocks(events)[0].channels] == ["I", "II", "V5"]
    assert blocks(events)[0].channels[0].gain == pytest.approx(1 / 306, rel=1e-8)
    assert blocks(events)[0].channels[0].rate_hz == 250
    for one in blocks(events):
        stop = min(600, one.first + one.values.shape[1])
        np.testing.assert_array_equal(one.values[:, : stop - one.first], rows[:, one.first : stop])


async def test_the_stethoscope_plays_a_file_to_the_last_bit_and_a_module_its_pleth(folder):
    noise = np.random.default_rng(2).integers(-32768, 32767, 4000)
    heart = players.read(str(sound(folder, noise.tolist(), rate=2000)))
    pulse = (np.sin(np.arange(750) / 12) * 1000).astype(int)
    np.savez(folder / "f.npz", values=pulse, rate_hz=75.0, names=["PPG"], spo2=[91, 92], pulse=[66, 67])
    plays = {"stethoscope": heart, "oximeter": players.read(str(folder / "f.npz"))}
    async with served(Plan(folder / "sim", 1, ("stethoscope", "oximeter"), plays=plays)) as room:
        events = await heard(room.instruments[0], lambda seen: samples(seen) >= 1000)
        numbers = await heard(room.instruments[1], lambda seen: any(isinstance(one, Reading) for one in seen))
    assert blocks(events)[0].channels[0].rate_hz == 2000
    for one in blocks(events):
        np.testing.assert_array_equal(one.values[0], noise[one.first : one.first + one.values.shape[1]])
    assert {one.value for one in numbers if isinstance(one, Reading) and one.kind == "spo2"} <= {91.0, 92.0}


async def test_red_and_infrared_light_are_played_by_the_kits_oximeter(folder):
    light = np.stack([np.full(500, 800), np.full(500, 1000)])
    np.savez(folder / "l.npz", values=light, rate_hz=100.0, names=["red", "infrared"])
    plays = {"kit-oximeter": players.read(str(folder / "l.npz"))}
    async with served(Plan(folder / "sim", 1, ("kit-oximeter",), plays=plays)) as room:
        events = await heard(room.instruments[0], lambda seen: samples(seen) >= 100)
    red, infrared = blocks(events)[0].values
    assert red.mean() / infrared.mean() == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--play", "ecg"], "write ID=FILE"),
        (["--play", "oximeter=x.npz"], "is not served"),
        (["--devices", "otoscope", "--play", "otoscope=x.npz"], "plays nothing"),
        (["--play", "ecg=none.hea"], "no such file"),
        (["--devices", "ecg", "ecg"], "named twice"),
        (["--patient", "plague"], "there are normal"),
    ],
)
def test_the_command_refuses_what_cannot_be_played(folder, words, says, capsys):
    devices = [] if "--devices" in words else ["--devices", "ecg"]
    assert cli.main(["serve", "--dir", str(folder / "sim"), *devices, *words]) == 1
    assert says in capsys.readouterr().err


async def test_a_file_without_fitting_channels_is_refused(folder):
    two = players.read(str(record(folder, [[1, 2], [3, 4]], names=("A", "B"))))
    for device in ("ecg", "oximeter", "stethoscope"):
        with pytest.raises(RecordingError, match="has no"):
            async with served(Plan(folder / "sim", 1, (device,), plays={device: two})):
                pass
    fast = players.read(str(sound(folder, [1, 2, 3], rate=48000)))
    with pytest.raises(RecordingError, match="resample"):
        async with served(Plan(folder / "sim", 1, ("stethoscope",), plays={"stethoscope": fast})):
            pass
