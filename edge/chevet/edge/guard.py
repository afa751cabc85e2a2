"""What stands before every call: size, origin, headers, and one form for every error."""

import json
import logging
import traceback
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chevet.edge.disk import Disk
from chevet.edge.errors import DiskFull, Refusal

log = logging.getLogger(__name__)

BODY_AT_MOST = 64 * 1024
SPEECH_AT_MOST = 2 * 1024 * 1024
"""A minute of 16 kHz and 16 bits, before it is coded."""
SPOKEN_AT_MOST = 256 * 1024
"""A voice note, coded."""
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
HEADERS = {
    # docs/api.md, "Files"
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:;"
    " connect-src 'self'; object-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PAGE = "/"
HEARS = "camera=(self), microphone=(self), geolocation=()"
"""Of the kiosk's own page: a worker may speak a note, and talk in a call."""
_CODES = {404: "not_found", 405: "not_allowed", 413: "too_large"}


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket" and not same_origin(Headers(scope=scope)):
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._live(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - one screen's fault must not fill the log with what it saw
            log.error("%s at %s", type(error).__name__, _place(error))

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def dressed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _dress(MutableHeaders(scope=message), scope["path"])
            await send(message)

        headers = Headers(scope=scope)
        try:
            if scope["method"] not in SAFE_METHODS and headers.get("x-chevet") != "1":
                message = "This call must come from the kiosk's own pages (header X-Chevet: 1)."
                await error_answer(403, "wrong_origin", message)(scope, receive, dressed)
            elif _declared(headers) > _most(scope["path"]):
                await _too_large(scope["path"])(scope, receive, dressed)
            else:
                await self._within_limit(scope, receive, dressed)
        except Exception as error:  # noqa: BLE001 - the last place that can answer
            # The text of an unexpected error may hold patient data: only its kind and place are logged.
            log.error("%s at %s", type(error).__name__, _place(error))
            if not started:
                message = "The box met an unexpected fault; try again, and tell support the time."
                await error_answer(500, "internal", message)(scope, receive, dressed)

    async def _within_limit(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the whole small body first: the application never sees a part of one."""
        body = b""
        more = scope["method"] not in SAFE_METHODS
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > _most(scope["path"]):
                await _too_large(scope["path"])(scope, receive, send)
                return
        await self._app(scope, _replayed(body, receive), send)


def error_answer(status: int, code: str, message: str, field: str | None = None) -> JSONResponse:
    """Return the one form of every error."""
    return JSONResponse({"error": {"code": code, "message": message, "field": field}}, status)


def same_origin(headers: Headers) -> bool:
    """Tell whether a browser's page of ours (or no browser at all) opens this connection."""
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def add_error_forms(app: FastAPI, disk: Disk) -> None:
    """Give every error of the framework and of ours the one form."""

    @app.exception_handler(Refusal)
    async def refused(_request: Request, error: Refusal) -> JSONResponse:
        if isinstance(error, DiskFull):
            # So that the next try, a decision or a discard, finds room.
            disk.relieve()
        return error_answer(error.status, error.code, error.message, error.field)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        first: dict[str, Any] = dict(error.errors()[0])
        parts = [str(part) for part in first["loc"][1:]]
        if first["type"] == "json_invalid":
            return error_answer(422, "invalid", "The body is not whole JSON; send it again.")
        field = ".".join(parts) or None
        if first["type"] == "extra_forbidden":
            return error_answer(422, "invalid", "This field is not known; leave it out.", field)
        return error_answer(422, "invalid", f"This field does not fit: {first['msg']}.", field)

    @app.exception_handler(HTTPException)
    async def failed(_request: Request, error: HTTPException) -> JSONResponse:
        code = _CODES.get(error.status_code, "invalid" if error.status_code < 500 else "internal")
        return error_answer(error.status_code, code, "There is nothing here for this call.")


def _dress(headers: MutableHeaders, path: str) -> None:
    for name, value in HEADERS.items():
        headers[name] = value
    if path == PAGE:
        headers["Permissions-Policy"] = HEARS
    # Patient data must not stay in a browser's cache; files are asked for again but cheaply (ETag).
    headers["Cache-Control"] = "no-store" if path.startswith("/api/") else "no-cache"


def _declared(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isdigit() else 0


def _replayed(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replaying() -> Message:
        return waiting.pop() if waiting else await receive()

    return replaying


def _most(path: str) -> int:
    """Return how many bytes a call may bring."""
    if not path.startswith("/api/cases/"):
        return BODY_AT_MOST
    last = path.rpartition("/")[2]
    return {"voice": SPEECH_AT_MOST, "notes": SPOKEN_AT_MOST}.get(last, BODY_AT_MOST)


def _too_large(path: str) -> JSONResponse:
    return error_answer(413, "too_large", f"The body is larger than {_most(path) // 1024} KiB; send less.")


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return json.dumps([f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames])
