"""What stands before every request: body limit, origin check, security headers.

Plain ASGI, so that streaming bodies are counted as they come and nothing is buffered twice.
"""

from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chevet.relay.api.refusals import answer, unexpected

MAX_BODY = 64 * 1024
MAX_SPEECH = 2 * 1024 * 1024
"""A minute of 16 kHz and 16 bits, before it is coded."""
MAX_SPOKEN = 256 * 1024
"""Words with a voice note beside them."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; "
    "worker-src 'self'; manifest-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
STATEMENT = (
    "Research and training software. Not a medical device; not CE marked, not registered under Moroccan law "
    "84-12; not for diagnosis or patient monitoring. Whoever deploys it for care becomes responsible for "
    "conformity, authorisations and clinical safety."
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
DESK = ("/", "/index.html")
HEARS = "camera=(self), microphone=(self), geolocation=()"
"""Of the desk's own page: a specialist may speak an answer and call. No other page may listen or look."""


class Wall:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        armoured = _Armoured(scope, send)
        refusal = _refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, armoured)
            return
        try:
            await self._app(scope, _counted(receive, _most(scope)), armoured)
        except Exception as error:  # noqa: BLE001 - the server would log its text, which may quote a patient
            reply = unexpected(error)
            if not armoured.begun:
                await reply(scope, receive, armoured)


class _Armoured:
    """Sends on, adding our headers to the answer's start."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._send = send
        self.begun = False
        self._api = str(scope["path"]).startswith("/api")
        self._hears = scope["path"] in DESK

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            if self._hears:
                headers["permissions-policy"] = HEARS
            if self._api:
                headers["cache-control"] = "no-store"
                headers["x-chevet-statement"] = STATEMENT
            else:
                headers.setdefault("cache-control", "no-cache")
        await self._send(message)


def _refusal(scope: MutableMapping[str, Any]) -> ASGIApp | None:
    headers = Headers(scope=scope)
    if scope["method"] not in SAFE_METHODS and headers.get("x-chevet") != "1":
        return answer(403, "wrong_origin", "Calls that change something need the header X-Chevet: 1.")
    length = headers.get("content-length", "0")
    most = _most(scope)
    if not length.isdigit() or int(length) > most:
        return answer(413, "too_large", f"The body is larger than {most // 1024} KiB: send less.")
    return None


def _most(scope: MutableMapping[str, Any]) -> int:
    """Return how many bytes a request may bring."""
    path = str(scope["path"])
    if not path.startswith("/api/cases/"):
        return MAX_BODY
    last = path.rpartition("/")[2]
    return {"voice": MAX_SPEECH, "opinions": MAX_SPOKEN, "messages": MAX_SPOKEN}.get(last, MAX_BODY)


def _counted(receive: Receive, most: int) -> Receive:
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > most:
            raise HTTPException(413)  # of all exceptions the framework hands on this one alone
        return message

    return counted
