"""A specialist watches real processes: frames come, a cut shows as a gap, and all ends with the watching."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import walk
from running_kit import RunningDemo
from websockets.asyncio.client import ClientConnection, connect

from chevet.sim.screens import Screen, Wave, read_wave

pytestmark = [pytest.mark.flow, pytest.mark.timeout(400)]


@asynccontextmanager
async def _socket(screen: Screen, path: str) -> AsyncIterator[ClientConnection]:
    cookies = "; ".join(f"{one.name}={one.value}" for one in screen.http.cookies.jar)
    url = screen.url.replace("http", "ws", 1) + path
    async with connect(url, additional_headers={"Cookie": cookies}, proxy=None) as socket:
        yield socket


async def _until(
    socket: ClientConnection, good: Callable[[dict[str, Any], list[Wave]], bool], within_s: float = 120.0
) -> tuple[dict[str, Any], list[Wave]]:
    """Read until what was told and shown is good."""
    told: dict[str, Any] = {}
    waves: list[Wave] = []
    async with asyncio.timeout(within_s):
        while not (told and good(told, waves)):
            message = await socket.recv()
            if isinstance(message, bytes):
                waves.append(read_wave(message))
            elif json.loads(message)["type"] == "live":
                told = json.loads(message)
    return told, waves


async def test_watching_shows_what_the_worker_holds_and_gaps_where_the_link_was_cut(
    own_kit: RunningDemo,
) -> None:
    async with walk.kiosk(own_kit.ports) as screen, walk.desk(own_kit.ports) as desk:
        visit = await walk.visit(screen)
        capture = await walk.finished(screen, await walk.start(screen, visit, "kit-ecg", 2))
        await walk.accept(screen, capture)
        case = await walk.send(screen, visit)
        await walk.settled(screen, case)
        await desk.get("case", f"/api/cases/{case}")
        async with (
            _socket(desk, f"/api/cases/{case}/live") as watching,
            _socket(screen, "/api/live") as kiosk,
        ):
            told, waves = await _until(watching, lambda told, _: told["state"] == "no_visit")
            assert not waves
            await walk.visit(screen)
            await _until(watching, lambda told, _: told["state"] == "idle")
            ecg = await walk.device(screen, "kit-ecg")
            await kiosk.send(json.dumps({"watch": [ecg["id"]]}))
            told, waves = await _until(
                watching, lambda told, waves: told["state"] == "live" and len(waves) > 10
            )
            assert told["label"] == "HTEST"
            assert told["patient"] == "other"  # a new visit of somebody else: the desk must say so
            assert told["latency_ms"] is not None
            assert {wave.header["device"] for wave in waves} == {"ecg"}
            assert waves[-1].header["layer"] == "live"
            assert len(waves[-1].header["channels"]) == 12
            assert (await screen.get("status", "/api/status"))["uplink"]["watched"]
            own_kit.stage.kill("broker")
            own_kit.restart("broker")
            before = waves[-1].header["first"] + waves[-1].header["count"]
            _, waves = await _until(watching, lambda _, waves: any(w.header["first"] > before for w in waves))
            stethoscope = await walk.device(screen, "kit-stethoscope")
            await kiosk.send(json.dumps({"watch": [stethoscope["id"]]}))
            _, waves = await _until(
                watching, lambda _, waves: sum(w.header["device"] == "stethoscope" for w in waves) > 10
            )
            assert waves[-1].header["rate_hz"] == 8000

        async def watched() -> Any:
            return (await screen.get("status", "/api/status"))["uplink"]["watched"]

        await walk.until(watched, lambda on: not on)
