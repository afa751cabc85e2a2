"""Live: a slow screen loses the oldest and never holds up anything else."""

import asyncio
import json
import struct
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from edge_fakes import Box, FakeDevice, ecg_block, spo2, until
from numpy.typing import NDArray

from chevet.devices.samples import Channel, Notice, Picture, Reading, SampleBlock
from chevet.edge import live as live_module
from chevet.edge.judge import numbers_mark
from chevet.edge.live import WAVES_AT_MOST, WORDS_AT_MOST, Live, LiveClient, joined
from chevet.edge.windows import RATE_LENGTH_S, Window, laid
from chevet.edge.wire import frame, samples_frame
from chevet.study.recording import QualityMark


def parse(message: bytes) -> tuple[int, dict[str, Any], bytes]:
    version, kind, length = struct.unpack_from("<BBH", message)
    assert version == 1
    assert length % 4 == 0
    return kind, json.loads(message[4 : 4 + length]), message[4 + length :]


class Glass:
    """A screen that takes what it is sent, when it is let."""

    def __init__(self) -> None:
        self.words: list[dict[str, Any]] = []
        self.frames: list[bytes] = []
        self.open = asyncio.Event()
        self.open.set()

    async def send_json(self, data: Any) -> None:
        await self.open.wait()
        self.words.append(data)

    async def send_bytes(self, data: bytes) -> None:
        await self.open.wait()
        self.frames.append(data)


async def pumped(client: LiveClient, glass: Glass, shown: Callable[[], object]) -> None:
    """Let a screen take what is queued until `shown()`."""
    task = asyncio.create_task(client.pump(glass, lambda *_: 123))
    await until(shown)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_a_wave_frame_is_laid_out_as_written() -> None:
    channels = (Channel("I", "mV", 500.0, 0.001), Channel("II", "mV", 500.0, 0.001))
    values = np.array([[1, 2, -3], [4, 5, 6]], np.int16)
    kind, header, payload = parse(samples_frame(channels, values, 12000, at_ms=5, device="ecg"))
    assert kind == 1
    assert header["first"] == 12000
    assert header["count"] == 3
    assert header["channels"][1] == {"name": "II", "gain": 0.001, "offset": 0.0}
    assert np.frombuffer(payload, "<i2").reshape(2, 3).tolist() == values.tolist()


def test_headers_of_any_length_are_padded_to_four() -> None:
    for length in range(9):
        kind, header, payload = parse(frame(2, {"x": "é" * length}, b"image"))
        assert (kind, header["x"], payload) == (2, "é" * length, b"image")


def test_blocks_that_follow_each_other_are_joined_and_a_gap_stays_a_jump() -> None:
    other = SampleBlock((Channel("x", "1", 4000.0, 1.0),), np.zeros((1, 5), np.int16), 0, 0.0)
    blocks = [("e", ecg_block(0, 10)), ("s", other), ("e", ecg_block(10, 10)), ("e", ecg_block(30, 10))]
    found = joined((device, block, True) for device, block in blocks)
    assert [(device, block.first, block.values.shape[1]) for device, block, _ in found] == [
        ("e", 0, 20),
        ("s", 0, 5),
        ("e", 30, 10),
    ]
    assert np.array_equal(found[0][1].values, ecg_block(0, 20).values)


async def test_a_screen_gets_words_waves_and_the_newest_picture() -> None:
    client, glass = LiveClient(), Glass()
    client.tell({"type": "status"})
    client.show("ecg", ecg_block(0, 10))
    client.show("oto", Picture(b"old", "image/jpeg", 0.0))
    client.show("oto", Picture(b"new", "image/jpeg", 0.0))
    await pumped(client, glass, lambda: len(glass.frames) >= 2)
    assert glass.words == [{"type": "status"}]
    assert [parse(message)[0] for message in glass.frames] == [1, 2]
    assert parse(glass.frames[1])[2] == b"new"


async def test_a_slow_screen_loses_the_oldest_and_sees_a_jump() -> None:
    client, glass = LiveClient(), Glass()
    glass.open.clear()
    total = WAVES_AT_MOST + 100
    for number in range(total):
        client.show("ecg", ecg_block(number * 5, 5))
        client.tell({"number": number})
    for number in range(WORDS_AT_MOST):
        client.tell({"number": total + number})
    assert client.dropped == 100 + total
    glass.open.set()
    await pumped(client, glass, lambda: glass.frames)
    header = parse(glass.frames[0])[1]
    assert header["first"] == 100 * 5
    assert header["count"] == WAVES_AT_MOST * 5
    assert glass.words[-1] == {"number": total + WORDS_AT_MOST - 1}


@pytest.mark.parametrize(
    ("values", "width", "shown"),
    [
        (np.array([[7, -7]], np.int32), 2, [7, -7]),
        (np.array([[8_388_607, -8_388_608]], np.int32), 4, [8_388_607, -8_388_608]),
        (np.array([[1 << 40, -(1 << 40)]], np.int64), 4, [2**31 - 1, -(2**31)]),
    ],
    ids=["narrow", "24 bits", "beyond 32 bits, saturated for the screen only"],
)
async def test_a_frame_is_as_wide_as_its_samples_need(
    values: NDArray[np.signedinteger[Any]], width: int, shown: list[int]
) -> None:
    client, glass = LiveClient(), Glass()
    client.show("ecg", SampleBlock((Channel("I", "mV", 500.0, 1.0),), values, 0, 0.0))
    await pumped(client, glass, lambda: glass.frames)
    _, header, payload = parse(glass.frames[0])
    assert header["bytes"] == width
    assert np.frombuffer(payload, f"<i{width}").tolist() == shown


def followed(box: Box) -> Live:
    live = box.bedside.live
    live.follow(box.bedside.instruments)
    return live


async def test_only_what_is_watched_is_sent(box: Box) -> None:
    live = followed(box)
    watching, other, glass = live.join(), live.join(), Glass()
    watching.watched = frozenset({"ecg"})
    live.offer("ecg", ecg_block(0, 10))
    live.offer("oximeter", spo2(97.0, 0.0))
    live.offer("ecg", Notice("lead_off", 0.0, True, "V3"))
    live.offer("ecg", spo2(None, 0.0))
    live.tell({"type": "status"})
    await pumped(watching, glass, lambda: glass.frames)
    assert [message["type"] for message in glass.words] == ["notice", "reading", "status"]
    assert glass.words[0]["detail"] == "V3"
    assert glass.words[1]["readings"][0]["value"] is None
    assert len(glass.frames) == 1
    empty = Glass()
    await pumped(other, empty, lambda: empty.words)
    assert [message["type"] for message in empty.words] == ["status"]
    live.leave(other)
    live.leave(other)


async def judged(
    box: Box, device: str, monkeypatch: pytest.MonkeyPatch, done: Callable[[], object] = lambda: False
) -> list[dict[str, Any]]:
    """Return the verdicts of a while: at least one, unless it is `done()` before."""
    monkeypatch.setattr(live_module, "JUDGE_EVERY_S", 0.02)
    live = box.bedside.live
    client, glass = live.join(), Glass()
    client.watched = frozenset({device})
    task = asyncio.create_task(live.run())

    def found() -> list[dict[str, Any]]:
        return [message for message in glass.words if message["type"] == "quality"]

    await pumped(client, glass, lambda: found() or done())
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return found()


async def test_a_watched_ecg_is_judged_with_its_rate(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    live = followed(box)
    for at in range(0, 6000, 500):
        live.offer("ecg", ecg_block(at, 500, time.monotonic()))
    [first, *_] = await judged(box, "ecg", monkeypatch)
    assert first["quality"]["usable"] is True
    assert 40 < first["heart_rate"] < 120


async def test_no_signal_is_said_and_a_lost_device_is_forgotten(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = followed(box)
    live.offer("ecg", ecg_block(0, 3000))
    live.lost("ecg", "unplugged")
    [first, *_] = await judged(box, "ecg", monkeypatch)
    assert first["quality"] == {"score": 0.0, "usable": False, "reasons": ["no_signal"]}
    assert first["heart_rate"] is None


async def test_a_device_of_numbers_only_is_judged_by_its_newest_numbers(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = followed(box)
    live.offer("oximeter", spo2(97.0, time.monotonic() - 60, ("artifact",)))
    live.offer("oximeter", spo2(97.0, time.monotonic()))
    [first, *_] = await judged(box, "oximeter", monkeypatch)
    assert first["quality"] == {"score": 1.0, "usable": True, "reasons": []}


def test_only_words_of_doubt_speak_against_a_number_and_in_the_engine_s_words() -> None:
    fine = spo2(97.0, 0.0, ("ongoing", "fully_qualified"))
    assert numbers_mark([fine]).reasons == ()
    doubtful = [fine, spo2(97.0, 1.0, ("questionable_pulse",)), spo2(None, 2.0, ("sensor_not_on_user",))]
    mark = numbers_mark([*doubtful, Reading("battery", 5.0, "%", 3.0, ("battery_low",))])
    assert mark == QualityMark(0.333, usable=False, reasons=("artifact", "sensor_off"))
    assert numbers_mark([spo2(97.0, 0.0, ("a_word_of_tomorrow",))]).usable is False
    assert numbers_mark([]).reasons == ("no_signal",)


async def test_a_picture_is_judged_and_a_broken_one_too(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    live = followed(box)
    live.offer("otoscope", Picture(b"no image", "image/jpeg", 0.0))
    [first, *_] = await judged(box, "otoscope", monkeypatch)
    assert first["quality"]["usable"] is False


async def test_a_fault_in_live_quality_does_not_end_it(
    box: Box, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise IndexError

    def failed_twice() -> bool:
        return len([one for one in caplog.records if "live quality failed" in one.message]) >= 2

    monkeypatch.setattr(live_module, "_judged", broken)
    followed(box)
    assert await judged(box, "ecg", monkeypatch, failed_twice) == []
    assert failed_twice()


def test_waves_carry_the_time_of_the_device_s_own_clock(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    live = followed(box)
    instrument = box.bedside.instruments["ecg"]
    now, wall = time.monotonic(), box.bedside.clock.now_ms()
    monkeypatch.setattr(live, "_monotonic", lambda: now)
    monkeypatch.setattr(live, "_now_ms", lambda: wall)
    for number in range(20):
        instrument._take(ecg_block(number * 50, 50, now + number * 0.1))
    late = ecg_block(1000, 50, now + 2.5)
    assert abs(live.at_ms("ecg", late) - wall - 2000) < 60, "the device's clock knows better than the arrival"
    assert abs(live.at_ms("gone", late) - wall - 2500) < 60


# Windows


def test_a_window_keeps_the_last_seconds_and_shows_gaps_as_nothing() -> None:
    window = Window()
    window.offer(ecg_block(0, 500))
    window.offer(ecg_block(600, 900))
    found = laid(window.blocks(), 2.0)
    assert found is not None
    values, channels = found
    assert values.shape == (12, 1000)
    assert channels[0].name == "I"
    assert np.isnan(values[:, :100]).all()
    assert np.allclose(values[:, 100:], ecg_block(600, 900).values * 0.001)
    for at in range(1500, 30_000, 500):
        window.offer(ecg_block(at, 500))
    held = sum(block.values.shape[1] for block in window.blocks())
    assert held <= RATE_LENGTH_S * 500 + 1000


def test_a_window_begins_anew_when_the_device_does() -> None:
    window = Window()
    window.offer(ecg_block(5000, 500))
    window.offer(ecg_block(0, 500))
    assert [block.first for block in window.blocks()] == [0]
    assert laid((), 1.0) is None


def test_the_fake_device_is_what_the_tests_say() -> None:
    assert FakeDevice("a", "ecg").driver().start() == b"start"
