"""The whole agent as a process: virtual instruments behind real terminals, real HTTP and WebSocket."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from edge_fakes import PIN, FakeDevice, ecg_block, make_instrument, until, write_programme

from chevet.edge import cli
from chevet.edge.agent import Agent
from chevet.edge.sessions import COOKIE
from chevet.edge.settings import load_settings
from chevet.edge.visits import CaptureRow
from chevet.edge.workers import Worker

HEADER = {"X-Chevet": "1"}
BIN = Path(sys.executable).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Running:
    folder: Path
    url: str
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        return (self.folder / "agent.log").read_text()


def prepare(folder: Path, port: int, more: str = "") -> Path:
    write_programme(folder)
    (folder / "pin").write_text(PIN)
    config = folder / "edge.toml"
    config.write_text(
        f'data_dir = "box"\nprogramme = "programme.json"\nlabel = "HTEST"\nreserve_mb = 1\n{more}'
        f"[kiosk]\nport = {port}\n[broker]\nport = {free_port()}\n"
        '[[workers]]\nid = "amina"\nname = "Amina"\npin_file = "pin"\n'
    )
    words = ["init", "--site", "anfgou", "--name", "Anfgou", "--programme", str(folder / "programme.json")]
    assert cli.main([*words, "--config", str(config)]) == 0
    return config


@contextmanager
def agent(folder: Path, config: Path, port: int) -> Iterator[Running]:
    with (folder / "agent.log").open("ab") as log:
        process = subprocess.Popen(
            [BIN / "chevet-edge", "run", "--config", config], stdout=log, stderr=subprocess.STDOUT
        )
    running = Running(folder, f"http://127.0.0.1:{port}", process)
    try:
        _wait(lambda: httpx.get(f"{running.url}/api/status").status_code == 200, running)
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


def _wait(good: Any, running: Running, within_s: float = 60.0) -> None:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            if good():
                return
        except httpx.HTTPError:
            pass
        assert running.process.poll() is None, running.log
        time.sleep(0.05)
    raise AssertionError(running.log)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose sockets' paths stay under 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="ce-") as folder:
        yield Path(folder)


@contextmanager
def instruments(folder: Path) -> Iterator[Path]:
    process = subprocess.Popen(
        [BIN / "chevet-sim", "serve", "--dir", folder / "sim", "--devices", "ecg", "oximeter"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    listing = folder / "sim" / "devices.json"
    until = time.monotonic() + 60
    while not listing.exists() and time.monotonic() < until:
        assert process.poll() is None
        time.sleep(0.05)
    try:
        yield listing
    finally:
        process.terminate()
        process.wait(60)


async def watch(running: Running, cookie: str, origin: str | None = None) -> dict[str, Any]:
    """Watch the ECG for a moment; return what came by type."""
    seen: dict[str, Any] = {"frames": 0, "samples": 0, "types": set()}
    url = running.url.replace("http", "ws") + "/api/live"
    headers = {"Cookie": cookie} if cookie else {}
    async with websockets.connect(url, additional_headers=headers, origin=origin) as socket_:  # type: ignore[arg-type]
        await socket_.send(json.dumps({"watch": ["ecg", "nobody"]}))
        async with asyncio.timeout(60):
            while seen["samples"] < 500 or not {"status", "device", "quality"} <= seen["types"]:
                message = await socket_.recv()
                if isinstance(message, bytes):
                    length = int.from_bytes(message[2:4], "little")
                    header = json.loads(message[4 : 4 + length])
                    seen["frames"] += 1
                    seen["samples"] += header["count"]
                    # The promptest of them: on a busy machine any one may come late.
                    late_ms = time.time() * 1000 - header["at_ms"]
                    seen["late_ms"] = min(late_ms, seen.get("late_ms", late_ms))
                else:
                    seen["types"].add(json.loads(message)["type"])
        await socket_.send("nonsense")
        async with asyncio.timeout(60):
            while True:
                try:
                    await socket_.recv()
                except websockets.ConnectionClosed:
                    return seen


@pytest.mark.flow
def test_instruments_on_real_terminals_reach_the_screen_and_the_journal_and_survive_kill_9(
    short_folder: Path,
) -> None:
    folder, port = short_folder, free_port()
    (folder / "sim").mkdir()
    with instruments(folder) as listing:
        config = prepare(folder, port, f'devices_file = "{listing}"\n')
        with (
            agent(folder, config, port) as running,
            httpx.Client(base_url=running.url, headers=HEADER, timeout=60) as kiosk,
        ):
            kiosk.post("/api/session", json={"worker": "amina", "pin": PIN}).raise_for_status()
            _wait(
                lambda: {d["state"] for d in kiosk.get("/api/devices").json()["devices"]} == {"ready"},
                running,
            )
            cookie = f"chevet_edge_session={kiosk.cookies['chevet_edge_session']}"
            seen = asyncio.run(watch(running, cookie))
            assert seen["frames"] > 2
            assert -1000 < seen["late_ms"] < 2000
            for wrong in ({"cookie": ""}, {"cookie": cookie, "origin": "http://evil.example"}):
                with pytest.raises(websockets.InvalidStatus):
                    asyncio.run(watch(running, **wrong))
            assert "Traceback" not in running.log
            patient = kiosk.post("/api/patients", json={"name": "Somebody"}).json()["id"]
            visit = kiosk.post("/api/visits", json={"patient": patient}).json()["id"]
            kiosk.put(f"/api/visits/{visit}/consent", json={"purposes": ["care"]}).raise_for_status()
            body = {"step": "ecg", "seconds": 60}
            capture = kiosk.post(f"/api/visits/{visit}/captures", json=body).json()["id"]
            _wait(lambda: kiosk.get(f"/api/captures/{capture}").json()["elapsed_s"] > 2.5, running)
            elapsed = kiosk.get(f"/api/captures/{capture}").json()["elapsed_s"]
            running.process.send_signal(signal.SIGKILL)
            running.process.wait()
        with (
            agent(folder, config, port) as running,
            httpx.Client(base_url=running.url, headers=HEADER, timeout=60) as kiosk,
        ):
            kiosk.post("/api/session", json={"worker": "amina", "pin": PIN}).raise_for_status()
            kept = kiosk.get(f"/api/visits/{visit}").json()["capture"]
            assert (kept["id"], kept["state"], kept["problem"]) == (capture, "failed", "interrupted")
            assert kept["elapsed_s"] >= elapsed - 1.0, "at most the last second is lost"
            assert kept["recording"]["simulated"] is True
            began = time.monotonic()
            running.process.send_signal(signal.SIGTERM)
            assert running.process.wait(15) == 0
            assert time.monotonic() - began < 10
        assert "Traceback" not in running.log


@dataclass
class InLoop:
    """An agent in this process, on fake instruments."""

    agent: Agent
    port: int
    devices: dict[str, FakeDevice]
    kiosk: httpx.AsyncClient

    @property
    def live(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/live"

    @property
    def cookie(self) -> dict[str, str]:
        return {"Cookie": f"{COOKIE}={self.agent.bedside.sessions.open(Worker('amina', 'Amina'))}"}


@asynccontextmanager
async def in_loop(folder: Path, config: Path, port: int) -> AsyncIterator[InLoop]:
    agent = Agent(load_settings(config))
    devices = {"ecg": FakeDevice("ecg", "ecg")}
    for device in devices.values():
        agent.bedside.instruments[device.id] = make_instrument(device, agent._device_changed)
    listening = socket.create_server(("127.0.0.1", port))
    task = asyncio.create_task(agent.run(listening))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=HEADER, timeout=60) as kiosk:
        try:
            assert (await kiosk.get("/api/status")).status_code == 200
            yield InLoop(agent, port, devices, kiosk)
        finally:
            agent.stop()
            async with asyncio.timeout(60):
                await task
            agent.close()


async def closed(live: websockets.ClientConnection) -> int:
    """Return the code with which the box ends a connection, reading away what it says before."""
    try:
        async with asyncio.timeout(60):
            while True:
                await live.recv()
    except websockets.ConnectionClosed as end:
        return end.rcvd.code if end.rcvd else 0


async def test_a_screen_is_greeted_and_gets_what_it_watches(tmp_path: Path) -> None:
    port = free_port()
    async with in_loop(tmp_path, prepare(tmp_path, port), port) as running:
        page = await running.kiosk.get("/")
        assert "<html" in page.text
        async with websockets.connect(running.live, additional_headers=running.cookie) as live:
            greeting = [json.loads(await live.recv()) for _ in range(2)]
            assert [message["type"] for message in greeting] == ["status", "device"]
            await live.send(json.dumps({"watch": ["ecg", "nobody"]}))
            await until(lambda: "ecg" in running.agent.bedside.live.watched())
            running.devices["ecg"].play(ecg_block(0, 25), ecg_block(25, 25))
            while not isinstance(message := await live.recv(), bytes):
                assert json.loads(message)["type"] in {"device", "status"}
            assert message[:2] == bytes([1, 1])
            running.agent._arrived.put_nowait("no such case")
            running.agent._capture_changed(CaptureRow("c", "v", "ecg", "", "", "ecg", 10.0))
            while json.loads(text := await live.recv())["type"] != "capture":
                pass
            assert json.loads(text)["capture"]["id"] == "c"


@pytest.mark.parametrize(
    "message",
    ["nonsense", "[]", "{}", '{"watch": "ecg"}', '{"watch": [1]}', '{"watch": [], "x": 1}', "x" * 5000],
)
async def test_a_screen_that_says_nonsense_is_put_out_and_nobody_else(tmp_path: Path, message: str) -> None:
    port = free_port()
    async with in_loop(tmp_path, prepare(tmp_path, port), port) as running:
        async with websockets.connect(running.live, additional_headers=running.cookie) as live:
            await live.send(message)
            assert await closed(live) == 1000
        assert (await running.kiosk.get("/api/status")).status_code == 200
        await until(lambda: not running.agent.bedside.live._clients)
        assert running.agent.bedside.live.watched() == set()


async def test_no_screen_without_a_session_or_from_another_origin(tmp_path: Path) -> None:
    port = free_port()
    async with in_loop(tmp_path, prepare(tmp_path, port), port) as running:
        strangers: list[dict[str, Any]] = [
            {},
            {"additional_headers": {"Cookie": f"{COOKIE}=guess"}},
            {"additional_headers": running.cookie, "origin": "http://evil.example"},
        ]
        for stranger in strangers:
            with pytest.raises(websockets.InvalidStatus):
                await websockets.connect(running.live, **stranger)
        own = f"http://127.0.0.1:{port}"
        async with websockets.connect(running.live, additional_headers=running.cookie, origin=own) as live:  # type: ignore[arg-type]
            assert await live.recv()


async def test_a_start_recovers_sweeps_and_keeps_the_reserve(tmp_path: Path) -> None:
    port = free_port()
    config = prepare(tmp_path, port)
    (tmp_path / "box" / "journals").mkdir()
    (tmp_path / "box" / "journals" / "orphan.journal").write_bytes(b"x")
    async with in_loop(tmp_path, config, port):
        assert not list((tmp_path / "box" / "journals").iterdir())
        assert (tmp_path / "box" / "reserve").stat().st_size == 1024 * 1024


async def test_housekeeping_waits_where_it_cannot_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> bool:
        raise OSError

    port = free_port()
    config = prepare(tmp_path, port)
    settings = load_settings(config)
    monkeypatch.setattr("chevet.edge.agent.HOUSEKEEPING_S", 0.05)
    assert settings.reserve_mb == 1
    async with in_loop(tmp_path, config, port) as running:
        monkeypatch.setattr(type(running.agent.bedside.disk), "keep_reserve", broken)
        await until(lambda: "housekeeping must wait" in caplog.text)
