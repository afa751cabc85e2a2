"""The whole agent as a process: virtual instruments behind real terminals, real HTTP and WebSocket."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from edge_fakes import PIN, write_programme

from chevet.edge import cli
from chevet.edge.agent import Agent
from chevet.edge.settings import load_settings

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
            process.wait(15)


def _wait(good: Any, running: Running, within_s: float = 40.0) -> None:
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
    until = time.monotonic() + 30
    while not listing.exists() and time.monotonic() < until:
        assert process.poll() is None
        time.sleep(0.05)
    try:
        yield listing
    finally:
        process.terminate()
        process.wait(15)


async def watch(running: Running, cookie: str, origin: str | None = None) -> dict[str, Any]:
    """Watch the ECG for a moment; return what came by type."""
    seen: dict[str, Any] = {"frames": 0, "samples": 0, "types": set()}
    url = running.url.replace("http", "ws") + "/api/live"
    headers = {"Cookie": cookie} if cookie else {}
    async with websockets.connect(url, additional_headers=headers, origin=origin) as socket_:  # type: ignore[arg-type]
        await socket_.send(json.dumps({"watch": ["ecg", "nobody"]}))
        async with asyncio.timeout(20):
            while seen["samples"] < 500 or not {"status", "device", "quality"} <= seen["types"]:
                message = await socket_.recv()
                if isinstance(message, bytes):
                    length = int.from_bytes(message[2:4], "little")
                    header = json.loads(message[4 : 4 + length])
                    seen["frames"] += 1
                    seen["samples"] += header["count"]
                    seen["late_ms"] = time.time() * 1000 - header["at_ms"]
                else:
                    seen["types"].add(json.loads(message)["type"])
        await socket_.send("nonsense")
        async with asyncio.timeout(10):
            while True:
                try:
                    await socket_.recv()
                except websockets.ConnectionClosed:
                    return seen


def test_instruments_on_real_terminals_reach_the_screen_and_the_journal_and_survive_kill_9(
    short_folder: Path,
) -> None:
    folder, port = short_folder, free_port()
    (folder / "sim").mkdir()
    with instruments(folder) as listing:
        config = prepare(folder, port, f'devices_file = "{listing}"\n')
        with (
            agent(folder, config, port) as running,
            httpx.Client(base_url=running.url, headers=HEADER) as kiosk,
        ):
            kiosk.post("/api/session", json={"worker": "amina", "pin": PIN}).raise_for_status()
            _wait(
                lambda: {d["state"] for d in kiosk.get("/api/devices").json()["devices"]} == {"ready"},
                running,
            )
            cookie = f"chevet_edge_session={kiosk.cookies['chevet_edge_session']}"
            seen = asyncio.run(watch(running, cookie))
            assert seen["frames"] > 2
            assert seen["late_ms"] < 2000
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
            httpx.Client(base_url=running.url, headers=HEADER) as kiosk,
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


async def test_the_agent_runs_in_one_loop_and_stops_when_told(tmp_path: Path) -> None:
    port = free_port()
    config = prepare(tmp_path, port)
    running = Agent(load_settings(config))
    running.bedside.cases.progress.clear()
    listening = socket.create_server(("127.0.0.1", port))
    task = asyncio.create_task(running.run(listening))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as kiosk:
        for _ in range(200):
            with_status = await kiosk.get("/api/status")
            if with_status.status_code == 200:
                break
        assert with_status.json()["workers"] == [{"id": "amina", "name": "Amina"}]
        page = await kiosk.get("/")
        assert "<html" in page.text
    running.stop()
    async with asyncio.timeout(15):
        await task
    running.close()
