"""The kiosk and the desk as a screen sees them: HTTP calls, the live WebSocket, wave frames (docs/api.md)."""

import asyncio
import contextlib
import json
import struct
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from chevet.sim.errors import StepError

ANSWER_WITHIN_S = 30.0
WAVE_VERSION = 1
WAVE_SAMPLES = 1


@dataclass(frozen=True, slots=True)
class Wave:
    """One decoded wave frame: its JSON header and the payload behind it."""

    kind: int
    header: dict[str, Any]
    payload: bytes


def read_wave(frame: bytes) -> Wave:
    """Take a wave frame apart.

    Raises:
        ValueError: it is not one.
    """
    if len(frame) < 4 or frame[0] != WAVE_VERSION:
        raise ValueError("this is no wave frame of version 1")
    kind, length = struct.unpack_from("<BH", frame, 1)
    if len(frame) < 4 + length:
        raise ValueError("the wave frame is cut off")
    header = json.loads(frame[4 : 4 + length])
    payload = frame[4 + length :]
    size = header.get("bytes", 2) * header["count"] * len(header["channels"]) if kind == WAVE_SAMPLES else 0
    if kind == WAVE_SAMPLES and len(payload) != size:
        raise ValueError("the wave frame has another number of samples than its header says")
    return Wave(kind, header, payload)


class Screen:
    """One room's HTTP interface, with the cookie of whoever signed in."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url.rstrip("/")
        self.http = httpx.AsyncClient(
            base_url=self.url, headers={"X-Chevet": "1"}, timeout=ANSWER_WITHIN_S, trust_env=False
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def call(self, step: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Make one call and return its JSON answer (None for an empty one).

        Raises:
            StepError: the room did not answer or refused.
        """
        answer = await self._request(step, method, path, json=body)
        return answer.json() if answer.content else None

    async def get(self, step: str, path: str) -> Any:
        """Make one GET call."""
        return await self.call(step, "GET", path)

    async def post(self, step: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Make one POST call."""
        return await self.call(step, "POST", path, {} if body is None else body)

    async def fetch(self, step: str, path: str, layer: str = "") -> bytes:
        """Return the bytes of a picture, sound or waveform."""
        answer = await self._request(step, "GET", path, params={"layer": layer} if layer else None)
        return answer.content

    async def _request(self, step: str, method: str, path: str, **what: Any) -> httpx.Response:
        try:
            answer = await self.http.request(method, path, **what)
        except httpx.HTTPError as error:
            raise StepError(step, f"the {self.name} at {self.url} does not answer ({error})") from error
        if answer.is_error:
            raise _refused(step, self.name, answer)
        return answer


def _refused(step: str, name: str, answer: httpx.Response) -> StepError:
    try:
        error = answer.json()["error"]
        return StepError(step, f"the {name} refused: {error['message']}", str(error["code"]))
    except (ValueError, KeyError, TypeError):
        return StepError(step, f"the {name} answered {answer.status_code} without saying why")


@dataclass(slots=True)
class Live:
    """What came over the kiosk's WebSocket: wave frames, samples and readings by device."""

    screen: Screen
    frames: Counter[str] = field(default_factory=Counter[str])
    samples: Counter[str] = field(default_factory=Counter[str])
    readings: dict[str, dict[str, float | None]] = field(default_factory=dict[str, dict[str, float | None]])
    bad: int = 0

    async def run(self, devices: list[str], started: asyncio.Event) -> None:
        """Watch `devices` until cancelled.

        Raises:
            StepError: the WebSocket cannot be opened or broke off.
        """
        cookies = "; ".join(f"{name}={value}" for name, value in self.screen.http.cookies.items())
        url = self.screen.url.replace("http", "ws", 1) + "/api/live"
        try:
            async with connect(
                url, additional_headers={"Cookie": cookies}, proxy=None, max_size=2**24
            ) as socket:
                await socket.send(json.dumps({"watch": devices}))
                started.set()
                async for message in socket:
                    self.take(message)
        except (OSError, WebSocketException) as error:
            raise StepError("live", f"the live connection to the kiosk broke off ({error})") from error

    def take(self, message: str | bytes) -> None:
        """Count one message."""
        with contextlib.suppress(KeyError, TypeError, ValueError):
            if isinstance(message, str):
                self._text(json.loads(message))
                return
            wave = read_wave(message)
            device = str(wave.header["device"])
            self.frames[device] += 1
            self.samples[device] += wave.header.get("count", 0)
            return
        self.bad += 1

    def _text(self, said: dict[str, Any]) -> None:
        if said["type"] == "reading":
            known = self.readings.setdefault(said["device"], {})
            known.update({reading["kind"]: reading["value"] for reading in said["readings"]})
