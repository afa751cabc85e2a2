"""The tester's page: instruments, faults, patient and ground truth in a browser, on the loopback alone.

A small HTTP server by hand: five static files and four addresses under `/api`. Requests obey the same checks
as those of the control socket. Only requests to the loopback's own names are answered, and only pages of this
server may send commands, so that no other web page reaches in.
"""

import asyncio
import contextlib
import json
import logging
from dataclasses import dataclass
from importlib import resources
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

from chevet.sim.control import checked, obey
from chevet.sim.errors import ServeError, SimError
from chevet.sim.room import Room

log = logging.getLogger(__name__)

FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/strips.js": ("strips.js", "text/javascript; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
}
LONGEST_BODY = 8192
REQUEST_WITHIN_S = 10.0
STRIP_HZ = {"ecg": 125.0, "pulse_wave": 62.5, "heart_sound": 1000.0}
STRIP_S = 6.0
SOUND_POINTS_HZ = 125
POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


class RefusedError(SimError):
    """A request that is not served.

    Attributes:
        status: of HTTP.
    """

    def __init__(self, status: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class TestersPage:
    """Serves the page of one room."""

    __test__ = False  # its name begins as those of tests do

    def __init__(self, room: Room) -> None:
        self._room = room
        self._server: asyncio.Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self._port}/"

    async def start(self, port: int = 0) -> None:
        """Listen on the loopback.

        Raises:
            ServeError: the port is taken.
        """
        try:
            self._server = await asyncio.start_server(self._client, "127.0.0.1", port)
        except OSError as error:
            raise ServeError(
                f"port {port}", f"port {port} for the tester's page is taken; choose another: --web"
            ) from error
        self._port = int(self._server.sockets[0].getsockname()[1])

    async def aclose(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_WITHIN_S):
                status, kind, body = await self._answer(reader)
                writer.write(_head(status, kind, len(body)) + body)
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            log.debug("a browser went away or never asked properly")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[str, str, bytes]:
        try:
            asked = await _asked(reader)
            self._admit(asked)
            if asked.path in FILES:
                name, kind = FILES[asked.path]
                return "200 OK", kind, (resources.files("chevet.sim") / "testers" / name).read_bytes()
            return "200 OK", "application/json", json.dumps(await self._told(asked)).encode()
        except RefusedError as refused:
            return refused.status, "application/json", _refusal(refused)
        except (SimError, ValueError) as error:
            return "400 Bad Request", "application/json", _refusal(error)

    def _admit(self, asked: Asked) -> None:
        """Refuse what does not come from this very page.

        Raises:
            RefusedError: another host's name was used, or another page sends a command.
        """
        host = asked.headers.get("host", "")
        if host.rpartition(":")[0] not in ("127.0.0.1", "localhost"):
            raise RefusedError("403 Forbidden", "ask for 127.0.0.1 or localhost")
        origin = asked.headers.get("origin", f"http://{host}")
        if asked.method == "POST" and origin != f"http://{host}":
            raise RefusedError("403 Forbidden", "only the tester's own page may send commands")

    async def _told(self, asked: Asked) -> dict[str, Any]:
        match asked.method, asked.path:
            case "GET", "/api/state":
                return {"ok": True, "state": self._room.state()}
            case "GET", "/api/truth":
                return {"ok": True, "truth": self._room.truth(_seconds(asked.query))}
            case "GET", "/api/strips":
                return {"ok": True, "strips": strips(self._room)}
            case "POST", "/api/control":
                return {"ok": True} | await obey(self._room, checked(asked.body))
            case _, ("/api/state" | "/api/truth" | "/api/strips" | "/api/control"):
                raise RefusedError("405 Method Not Allowed", "not by this method")
        raise RefusedError("404 Not Found", "no such page")


def strips(room: Room) -> dict[str, Any]:
    """Return the last seconds: lead II in mV, pulse, outline of the sound; nothing for recordings."""
    heart = room.bedside.heart
    if heart is None:
        return {}
    stop = heart.clock()
    made: dict[str, Any] = {"to": stop, "seconds": STRIP_S}
    for kind, rate_hz in STRIP_HZ.items():
        count = round(STRIP_S * rate_hz)
        samples = heart.take(kind, heart.index(stop, rate_hz) - count, count, rate_hz, "M")
        if kind == "ecg":
            samples = samples[1]
        if kind == "heart_sound":
            samples = np.abs(samples).reshape(-1, round(rate_hz / SOUND_POINTS_HZ)).max(axis=1)
        made[kind] = np.round(samples, 4).tolist()
    return made


def _seconds(query: dict[str, list[str]]) -> float:
    try:
        return float(query.get("seconds", ["10"])[0])
    except ValueError:
        raise RefusedError("400 Bad Request", "seconds is a number") from None


async def _asked(reader: asyncio.StreamReader) -> Asked:
    """Read one request.

    Raises:
        RefusedError: it is none, or too long.
    """
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    words = head[0].split(" ")
    if len(words) != 3 or words[0] not in ("GET", "POST"):
        raise RefusedError("405 Method Not Allowed", "only GET and POST are known")
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > LONGEST_BODY:
        raise RefusedError("413 Content Too Large", f"a command has at most {LONGEST_BODY} bytes")
    body = await reader.readexactly(int(length))
    url = urlsplit(words[1])
    return Asked(words[0], url.path, parse_qs(url.query), headers, body)


def _refusal(error: Exception) -> bytes:
    return json.dumps({"ok": False, "error": str(error)}).encode()


def _head(status: str, kind: str, length: int) -> bytes:
    lines = (
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        f"Content-Length: {length}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        f"Content-Security-Policy: {POLICY}",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
