"""The whole agent in one process: found, offered on the screen, accepted there, lost, back, forgotten."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from discovery_bench import Bench, Counting, nonin
from edge_fakes import PIN, until
from test_edge_agent import free_port, prepare

from chevet.edge import cli, rate_watch
from chevet.edge.agent import Agent
from chevet.edge.box_word import new_word
from chevet.edge.only_one import only_one
from chevet.edge.sessions import COOKIE
from chevet.edge.settings import EdgeSettings, load_settings
from chevet.edge.terminal_devices import told_devices
from chevet.sim.kit import KitDevice, ecg_identity

FAST = "[discovery]\nlook_s = 0.1\nscan_s = 0.2\nscan_every_s = 1.0\n"


class LyingKit(KitDevice):
    """Says 500 Hz and sends 520."""

    def __init__(self) -> None:
        super().__init__(ecg_identity("LIAR"), Counting(12), 26, time.monotonic())
        self._rate_hz = 520.0


@dataclass(eq=False)
class Served:
    """A running agent, a signed-in worker's client, and what the live socket told."""

    settings: EdgeSettings
    config: Path
    agent: Agent
    client: httpx.AsyncClient
    told: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    async def device(self, device: str) -> dict[str, Any] | None:
        devices = (await self.client.get("/api/devices")).json()["devices"]
        return next((one for one in devices if one["id"] == device), None)

    async def until_device(self, device: str, **wanted: Any) -> dict[str, Any]:
        """Wait until a device is as wanted."""
        async with asyncio.timeout(60):
            while True:
                one = await self.device(device)
                if one is not None and all(one[key] == value for key, value in wanted.items()):
                    return one
                await asyncio.sleep(0.05)

    async def listen(self, cookie: str, url: str) -> None:
        async with websockets.connect(url, additional_headers={"Cookie": cookie}) as live:
            async for message in live:
                if isinstance(message, str):
                    self.told.append(json.loads(message))

    def messages(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.told if one["type"] == kind]


@asynccontextmanager
async def served(folder: Path, bench: Bench, config: Path | None = None) -> AsyncIterator[Served]:
    port = free_port()
    if config is None:
        config = prepare(folder, port, FAST)
    settings = load_settings(config)
    settings = settings.model_copy(update={"kiosk": settings.kiosk.model_copy(update={"port": port})})
    agent = Agent(settings, bench.buses)
    agent.bedside.sessions.box_word = new_word(settings.data_dir)
    base = f"http://127.0.0.1:{port}"
    with only_one(settings.data_dir), socket.create_server(("127.0.0.1", port)) as listening:
        running = asyncio.create_task(agent.run(listening))
        try:
            async with at_work(agent, settings, config, base) as one:
                yield one
        finally:
            agent.stop()
            async with asyncio.timeout(60):
                await running
            agent.close()


@asynccontextmanager
async def at_work(agent: Agent, settings: EdgeSettings, config: Path, base: str) -> AsyncIterator[Served]:
    """A worker signed in on a screen."""
    async with httpx.AsyncClient(base_url=base, headers={"X-Chevet": "1"}, timeout=60) as client:
        answer = await client.post("/api/session", json={"worker": "amina", "pin": PIN})
        assert answer.status_code == 200
        one = Served(settings, config, agent, client)
        cookie = f"{COOKIE}={client.cookies[COOKIE]}"
        hearing = asyncio.create_task(one.listen(cookie, base.replace("http", "ws") + "/api/live"))
        try:
            yield one
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    yield made
    await made.clear()


async def test_found_use_it_from_the_cable_to_the_next_start(tmp_path: Path, bench: Bench) -> None:
    async with served(tmp_path, bench) as box:
        bench.plug("ttyUSB0", nonin)
        await until(lambda: box.messages("found"))
        offer = box.messages("found")[0]["found"]
        assert (offer["state"], offer["instrument"], offer["place"]) == ("offered", "oximeter", "ttyUSB0")
        listing = (await box.client.get("/api/found")).json()
        assert [one["id"] for one in listing["found"]] == [offer["id"]]

        answer = (await box.client.post(f"/api/found/{offer['id']}", json={"use": True})).json()
        assert answer["found"]["state"] == "used"
        assert answer["device"]["id"] == "oximeter-1"
        ready = await box.until_device("oximeter-1", state="ready")
        assert (ready["origin"], ready["simulated"]) == ("found", True)
        await until(lambda: any(one["device"]["id"] == "oximeter-1" for one in box.messages("device")))

        await bench.pull("ttyUSB0")
        await box.until_device("oximeter-1", state="absent")
        bench.plug("ttyUSB7", nonin)
        await box.until_device("oximeter-1", state="ready")
        config = box.config
    async with served(tmp_path, bench, config) as box:
        await box.until_device("oximeter-1", state="ready")
        assert (await box.client.delete("/api/devices/oximeter-1")).status_code == 204
        assert await box.device("oximeter-1") is None
        await until(lambda: box.messages("forgotten") == [{"type": "forgotten", "device": "oximeter-1"}])
        await until(lambda: any(one["found"]["state"] == "offered" for one in box.messages("found")))


async def test_a_lying_ecg_is_caught_and_said_on_the_screen_and_at_the_terminal(
    tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_watch, "SETTLING_S", 0.5)
    monkeypatch.setattr(rate_watch, "SPAN_S", 2.5)
    async with served(tmp_path, bench) as box:
        bench.plug("ttyACM0", LyingKit, usb=(0x0483, 0x5740))
        await until(lambda: box.messages("found"))
        found = box.messages("found")[0]["found"]
        assert (found["driver"], found["serial"]) == ("kit-ecg", "LIAR")
        await box.client.post(f"/api/found/{found['id']}", json={"use": True})
        async with asyncio.timeout(60):  # what is measured grows exact, on a busy machine later
            device = await box.until_device("ecg-1", rate_wrong=True)
            while abs(device["measured_hz"] - 520) > 10:
                device = await box.until_device("ecg-1", rate_wrong=True)
        assert device["rates"]["I"] == 500.0
        assert device["measured_hz"] == pytest.approx(520, rel=0.02)
        lines = "\n".join(await asyncio.to_thread(list, told_devices(box.settings)))
        assert "rate wrong: 5" in lines


async def test_a_calibration_is_noted_shown_and_refused_in_the_future(tmp_path: Path, bench: Bench) -> None:
    async with served(tmp_path, bench) as box:
        bench.plug("ttyUSB0", nonin)
        await until(lambda: box.messages("found"))
        await box.client.post(f"/api/found/{box.messages('found')[0]['found']['id']}", json={"use": True})

        async def note(body: object, device: str = "oximeter-1") -> httpx.Response:
            return await box.client.post(f"/api/devices/{device}", json=body)

        noted = (await note({"calibrated_on": "2026-05-04"})).json()
        assert noted["calibrated_on"] == "2026-05-04"
        assert (await box.device("oximeter-1"))["calibrated_on"] == "2026-05-04"
        assert box.agent.bedside.instruments["oximeter-1"].words()["calibrated_on"] == "2026-05-04"
        refused = await note({"calibrated_on": "2099-01-01"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "implausible")
        for wrong in ({"calibrated_on": "2026-02-31"}, {"calibrated_on": "yesterday"}, {}):
            assert (await note(wrong)).status_code == 422
        assert (await note({"calibrated_on": None}, "nobody")).status_code == 404
        assert (await note({"calibrated_on": None})).json()["calibrated_on"] is None


async def test_the_calls_answer_to_who_may_ask_and_name_what_is_wrong(tmp_path: Path, bench: Bench) -> None:
    async with served(tmp_path, bench) as box:
        bench.plug("ttyUSB0", nonin)
        await until(lambda: box.messages("found"))
        found_id = box.messages("found")[0]["found"]["id"]
        async with httpx.AsyncClient(
            base_url=box.client.base_url, headers={"X-Chevet": "1"}, timeout=60
        ) as stranger:
            for method, path in (
                ("GET", "found"),
                ("POST", "found"),
                ("POST", f"found/{found_id}"),
                ("POST", f"found/{found_id}/ask"),
                ("DELETE", "devices/x"),
            ):
                body = {"use": True} if path == f"found/{found_id}" else {}
                answer = await stranger.request(method, f"/api/{path}", json=body)
                assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_signed_in"), path
            word = {"Authorization": f"Box {box.agent.bedside.sessions.box_word}"}
            assert (await stranger.get("/api/found", headers=word)).status_code == 200
            assert (await stranger.get("/api/cases", headers=word)).status_code == 401
        for path, body, code in (
            ("found/nobody", {"use": True}, "not_found"),
            (f"found/{found_id}", {"use": True, "driver": "kit-ecg"}, "choose_driver"),
            (f"found/{found_id}", {"use": "perhaps"}, "invalid"),
            ("found/nobody/ask", {}, "not_found"),
        ):
            answer = await box.client.post(f"/api/{path}", json=body)
            assert answer.json()["error"]["code"] == code, path
        gone = await box.client.delete("/api/devices/nobody")
        assert (gone.status_code, gone.json()["error"]["code"]) == (404, "not_found")
        looked = (await box.client.post("/api/found", json={})).json()
        assert [one["id"] for one in looked["found"]] == [found_id]
        refused = (await box.client.post(f"/api/found/{found_id}", json={"use": False})).json()
        assert (refused["found"]["state"], refused["device"]) == ("refused", None)


async def test_the_terminal_finds_and_uses_with_the_agents_help(
    tmp_path: Path, bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served(tmp_path, bench) as box:
        bench.plug("ttyUSB0", nonin)
        await until(lambda: box.messages("found"))
        config = tmp_path / "now.toml"
        port = box.settings.kiosk.port
        config.write_text(box.config.read_text().replace("[kiosk]\nport = ", f"[kiosk]\nport = {port} # "))

        async def command(*words: str) -> str:
            assert await asyncio.to_thread(cli.main, ["devices", *words, "--config", str(config)]) == 0
            return capsys.readouterr().out

        told = await command("--find")
        assert "offered" in told
        assert "nonin-df2" in told
        assert "frames" in told
        found_id = box.messages("found")[0]["found"]["id"]
        assert "oximeter-1" in await command("--use", found_id)
        await box.until_device("oximeter-1", state="ready")
        assert "ready" in await command()
        assert "2026-05-04" in await command("--calibrated", "oximeter-1", "2026-05-04")
        assert "calibrated 2026-05-04" in await command()
        assert "forgotten" in await command("--forget", "oximeter-1")
