"""Faults turned on and off while everything runs: JSON lines over a Unix socket.

A request is `{"target": "ecg", "fault": "lead_off", "on": true, "value": "V3"}`; `on` and `value` may be left
out. The answer is `{"ok": true}` or `{"ok": false, "error": "..."}`. `{"list": true}` answers what there is:
`{"ok": true, "targets": {"ecg": ["checksum", ...]}}`.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chevet.sim.errors import FaultError, ServeError
from chevet.sim.instruments import Instrument
from chevet.sim.radio import check_socket_path

log = logging.getLogger(__name__)

SOCKET = "control.sock"
LONGEST_LINE = 4096
ANSWER_WITHIN_S = 15.0
ALLOWED = {"target": str, "fault": str, "on": bool, "value": str, "list": bool}


class ControlSocket:
    """Listens for fault requests."""

    def __init__(self, path: Path, instruments: Sequence[Instrument]) -> None:
        self.path = path
        self._instruments = {instrument.id: instrument for instrument in instruments}
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
            request = _checked(line)
            if request.get("list"):
                known = {id_: sorted(one.faults) for id_, one in self._instruments.items()}
                return {"ok": True, "targets": known}
            await self._set(request)
        except (ValueError, FaultError, ServeError) as error:
            return {"ok": False, "error": str(error)}
        return {"ok": True}

    async def _set(self, request: dict[str, Any]) -> None:
        target, fault = request.get("target", ""), request.get("fault", "")
        instrument = self._instruments.get(target)
        if instrument is None:
            known = ", ".join(self._instruments)
            raise FaultError(target, fault, f"no instrument {target!r}; there are {known}")
        await instrument.set_fault(fault, request.get("on", True), request.get("value", ""))


def _checked(line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
    except ValueError:
        raise ValueError("a request is one JSON object on one line") from None
    if not isinstance(request, dict):
        raise ValueError("a request is one JSON object on one line")
    for name, value in request.items():
        if not isinstance(value, ALLOWED.get(name, ())):
            raise ValueError(f"{name!r} is not a field of a request, or not of this type")
    return request


async def ask(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Send one request and return the answer.

    Raises:
        ServeError: nobody listens at `path`.
    """
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            reader, writer = await asyncio.open_unix_connection(str(path))
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
