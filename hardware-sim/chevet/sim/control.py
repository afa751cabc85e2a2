"""Faults turned on and off while everything runs: JSON lines over a Unix socket.

A request is `{"target": "ecg", "fault": "lead_off", "on": true, "value": "V3"}`; `on` and `value` may be left
out. The answer is `{"ok": true}` or `{"ok": false, "error": "..."}`. `{"list": true}` answers what there is:
`{"ok": true, "targets": {"ecg": ["checksum", ...]}, "state": {...}}`. `{"truth": 10}` answers what really
happened to the patient in the last 10 s. The target "patient" takes "condition" and "seed".
"""

import asyncio
import contextlib
import json
import logging
from pathlib import Path
from typing import Any

from chevet.sim.errors import FaultError, ServeError, SimError
from chevet.sim.radio import check_socket_path
from chevet.sim.room import TRUTH_S, Room

log = logging.getLogger(__name__)

SOCKET = "control.sock"
LONGEST_LINE = 4096
LONGEST_ANSWER = 8_000_000
ANSWER_WITHIN_S = 15.0
ALLOWED: dict[str, tuple[type, ...]] = {
    "target": (str,),
    "fault": (str,),
    "on": (bool,),
    "value": (str,),
    "list": (bool,),
    "truth": (int, float),
}


class ControlSocket:
    """Listens for fault requests."""

    def __init__(self, path: Path, room: Room) -> None:
        self.path = path
        self._room = room
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            ServeError: the path is too long.
        """
        check_socket_path(self.path)
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._client, str(self.path), limit=LONGEST_LINE)

    async def aclose(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.close()
        self.path.unlink(missing_ok=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self.answer(line)).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError):
            log.debug("a control client sent an endless line or went away")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def answer(self, line: bytes) -> dict[str, Any]:
        """Do what one request line asks and return the answer; nothing in it can end the simulator."""
        try:
            return {"ok": True} | await obey(self._room, checked(line))
        except (ValueError, SimError) as error:
            return {"ok": False, "error": str(error)}


async def obey(room: Room, request: dict[str, Any]) -> dict[str, Any]:
    """Do what a checked request asks and return what belongs into the answer beside "ok".

    Raises:
        SimError: it cannot be done.
    """
    if request.get("list"):
        known = {one.id: sorted(one.faults) for one in room.instruments}
        return {"targets": known, "state": room.state()}
    if "truth" in request:
        return {"truth": room.truth(float(request["truth"] or TRUTH_S))}
    target, fault = request.get("target", ""), request.get("fault", "")
    await room.set_fault(target, fault, on=request.get("on", True), value=request.get("value", ""))
    return {}


def checked(line: bytes) -> dict[str, Any]:
    """Return the request in a line.

    Raises:
        ValueError: it is none.
    """
    try:
        request = json.loads(line)
    except ValueError:
        raise ValueError("a request is one JSON object on one line") from None
    if not isinstance(request, dict):
        raise ValueError("a request is one JSON object on one line")
    for name, value in request.items():
        allowed = ALLOWED.get(name, ())
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            raise ValueError(f"{name!r} is not a field of a request, or not of this type")
    return request


async def ask(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Send one request and return the answer.

    Raises:
        ServeError: nobody listens at `path`.
    """
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            reader, writer = await asyncio.open_unix_connection(str(path), limit=LONGEST_ANSWER)
            try:
                writer.write(json.dumps(request).encode() + b"\n")
                await writer.drain()
                answer = json.loads(await reader.readline() or b"{}")
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, ValueError) as error:
        raise ServeError(
            str(path),
            f"no virtual instruments answer at {path}: is `chevet-sim serve` running with this --dir?",
        ) from error
    return dict(answer)


async def set_fault(path: Path, target: str, fault: str, *, on: bool = True, value: str = "") -> None:
    """Turn one fault on or off at the simulator listening at `path`.

    Raises:
        ServeError: nobody listens.
        FaultError: the simulator refused.
    """
    answer = await ask(path, {"target": target, "fault": fault, "on": on, "value": value})
    if not answer.get("ok"):
        raise FaultError(target, fault, str(answer.get("error", "the simulator did not answer")))
