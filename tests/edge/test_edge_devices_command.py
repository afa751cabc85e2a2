"""`chevet-edge devices`: the running agent's view, to the box's own user alone; else the configuration."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from edge_fakes import FakeDevice, ecg_block, identified, make_instrument, until
from test_edge_agent import free_port, prepare

from chevet.edge import agent as agent_module
from chevet.edge import cli
from chevet.edge.agent import Agent, serve
from chevet.edge.at_rest import DataKey
from chevet.edge.box_word import NAME, agent_runs, forget_word, is_word, new_word
from chevet.edge.errors import Refusal
from chevet.edge.settings import EdgeSettings, load_settings
from chevet.edge.terminal_devices import live_lines, told_devices, watched_devices

DEVICE = {
    "id": "ecg",
    "instrument": "ecg",
    "driver": "kit-ecg",
    "link": "serial:ecg",
    "origin": "settings",
    "state": "ready",
    "problem": "",
    "model": "E12",
    "serial": "7",
    "firmware": "1.0",
    "battery_pct": 81.4,
    "rates": {"I": 500.0, "II": 500.0},
    "measured_hz": 499.9,
    "rate_wrong": False,
    "calibrated_on": None,
    "lost_samples": 3,
    "bad_frames": 1,
    "last_packet_ms": 99_500,
    "simulated": True,
    "quality": {"score": 0.4, "usable": False, "reasons": ["mains_hum"]},
}


@dataclass
class Serving:
    settings: EdgeSettings
    config: Path
    url: str
    agent: Agent
    ecg: FakeDevice


@asynccontextmanager
async def serving(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Serving]:
    """The whole agent with a fake ECG, started and ended as the command does."""
    config = prepare(folder, port := free_port())
    settings, ecg, made = load_settings(config), FakeDevice("ecg", "ecg"), list[Agent]()

    def make(settings: EdgeSettings, *, key: DataKey | None) -> Agent:
        one = Agent(settings, key=key)
        one.bedside.instruments["ecg"] = make_instrument(ecg, one._device_changed)
        made.append(one)
        return one

    monkeypatch.setattr(agent_module, "Agent", make)
    ready = asyncio.Event()
    task = asyncio.create_task(serve(settings, lambda _: ready.set()))
    async with asyncio.timeout(60):
        await ready.wait()
    try:
        yield Serving(settings, config, f"http://127.0.0.1:{port}", made[0], ecg)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(60):
            await task


async def test_the_running_agent_tells_its_own_user_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(tmp_path, monkeypatch) as box:
        box.ecg.play(identified(), ecg_block(0, 25))
        await until(lambda: box.agent.bedside.instruments["ecg"].state == "ready")
        for first in range(25, 2500, 25):
            box.ecg.play(ecg_block(first, 25))
        await until(lambda: box.agent.bedside.instruments["ecg"].listeners)
        assert await asyncio.to_thread(cli.main, ["devices", "--config", str(box.config)]) == 0
        told = capsys.readouterr().out
        for word in (
            "ready",
            "Kit ECG serial 7 firmware 1.0",
            "at 500 Hz",
            "0 samples lost",
            "heard",
            "quality",
        ):
            assert word in told
        lists = watched_devices(box.settings, screen=True)
        for _ in range(2):
            assert "ready" in await asyncio.to_thread(next, lists)
        word = (box.settings.data_dir / NAME).read_text()
        assert (box.settings.data_dir / NAME).stat().st_mode & 0o777 == 0o600
        async with httpx.AsyncClient(base_url=box.url, timeout=60) as other:
            for header, path, code in (
                (f"Box {word}", "/api/devices", 200),
                (word, "/api/devices", 401),
                ("Box", "/api/devices", 401),
                (f"Box {word}x", "/api/devices", 401),
                (f"Box {word}", "/api/cases", 401),
                (f"Box {word}", "/api/visits/current", 401),
            ):
                assert (await other.get(path, headers={"Authorization": header})).status_code == code
    assert not (box.settings.data_dir / NAME).exists()


async def test_an_agent_that_gives_no_answer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path, monkeypatch) as box:
        silent = box.settings.model_copy(
            update={"kiosk": box.settings.kiosk.model_copy(update={"port": free_port()})}
        )
        with pytest.raises(Refusal, match="does not answer at"):
            await asyncio.to_thread(list, told_devices(silent))
        new_word(box.settings.data_dir)  # not the word this run made
        with pytest.raises(Refusal, match="does not answer"):
            await asyncio.to_thread(list, told_devices(box.settings))
        forget_word(box.settings.data_dir)
        with pytest.raises(Refusal, match="run this as the agent's user"):
            await asyncio.to_thread(list, told_devices(box.settings))


def test_without_an_agent_the_configuration_is_listed_and_said_to_be_that(tmp_path: Path) -> None:
    config = prepare(tmp_path, free_port())
    settings = load_settings(config)
    assert not agent_runs(settings.data_dir)
    assert "No instruments" in next(told_devices(settings))
    rows = '[[devices]]\nid = "eye"\ndriver = "camera"\nlink = "v4l2:/dev/video0"\nsimulated = true\n'
    config.write_text(config.read_text() + rows)
    lines = list(told_devices(load_settings(config)))
    assert "No agent is running" in lines[0]
    assert lines[1].split() == ["eye", "camera", "v4l2:/dev/video0", "simulated"]


def test_each_device_is_told_in_two_lines() -> None:
    first, second = live_lines(DEVICE, 100_000)
    assert first == "ecg              ready                  ecg, kit-ecg over serial:ecg  simulated"
    assert second == (
        "    E12 serial 7 firmware 1.0; battery 81 %; I, II at 500 Hz; 3 samples lost; 1 bad frames;"
        " heard 0.5 s ago; quality 0.40, poor (mains_hum)"
    )
    lying = {"rate_wrong": True, "measured_hz": 519.76, "calibrated_on": "2026-05-04", "origin": "found"}
    first, second = live_lines(DEVICE | lying, 100_000)
    assert first.endswith("simulated  found")
    assert "calibrated 2026-05-04; battery 81 %" in second
    assert "I, II at 500 Hz; rate wrong: 519.76 Hz by this box's clock" in second
    bare = {"model": "", "serial": "", "firmware": "", "battery_pct": None, "rates": {}, "quality": None}
    gone = {"state": "absent", "problem": "not_found", "last_packet_ms": None}
    first, second = live_lines(DEVICE | bare | gone, 100_000)
    assert "absent (not_found)" in first
    assert second == "    3 samples lost; 1 bad frames; nothing heard yet"


def test_no_word_opens_nothing() -> None:
    assert not is_word(None, "")
    assert not is_word("", "")
    assert not is_word("Box ", "")
    assert is_word("Box abc", "abc")
