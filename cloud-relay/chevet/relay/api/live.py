"""The desk's live channel: tells open desks that something changed, never what."""

import asyncio
from collections.abc import Container
from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from chevet.relay.accounts.users import User
from chevet.relay.api.guard import Here, token_of
from chevet.relay.archive.changes import changed_since, last_change
from chevet.relay.relay import Relay

router = APIRouter(prefix="/api")

POLL_S = 0.25
"""How often the list of changes is read: any process may have made one. One read costs about 50 us."""
CHECK_SESSION_POLLS = 20
NOT_SIGNED_IN, NOT_ALLOWED = 4401, 4403
"""WebSocket close codes, after the HTTP statuses."""
ROLES = ("specialist", "coordinator", "expert")


@router.websocket("/live")
async def live(socket: WebSocket, relay: Here) -> None:
    """Send `inbox` and `case` whenever a case changed, until the desk or the session goes."""
    refused = await asyncio.to_thread(_shut_out, relay, socket)
    await socket.accept()
    if refused:
        await socket.close(refused)
        return
    try:
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(_tell(socket, relay))
            await _until_gone(socket)
            telling.cancel()
    except* WebSocketDisconnect:
        pass  # it went while it was being told


async def _tell(socket: WebSocket, relay: Relay) -> None:
    seen = await asyncio.to_thread(_newest, relay)
    polls = 0
    while True:
        await asyncio.sleep(POLL_S)
        polls += 1
        if polls % CHECK_SESSION_POLLS == 0:
            shut_out = await asyncio.to_thread(_shut_out, relay, socket)
            if shut_out:
                await socket.close(shut_out)
                return
        found = await asyncio.to_thread(_since, relay, seen)
        for case_id in dict.fromkeys(case_id for _, case_id in found):
            await socket.send_json({"type": "case", "id": case_id})
        if found:
            seen = found[-1][0]
            await socket.send_json({"type": "inbox"})


async def _until_gone(socket: WebSocket) -> None:
    """Read and drop what the desk says, which is nothing, until it goes."""
    try:
        while True:
            await socket.receive_text()
    except (WebSocketDisconnect, KeyError, RuntimeError):
        return


def _newest(relay: Relay) -> int:
    with relay.database.read() as connection:
        return last_change(connection)


def _since(relay: Relay, seen: int) -> list[tuple[int, str]]:
    with relay.database.read() as connection:
        return changed_since(connection, seen)


def _shut_out(relay: Relay, socket: WebSocket) -> int:
    """Return the close code for who may not listen, 0 for who may."""
    user = caller(relay, socket, ROLES, active=False)  # an open line is no use of the desk
    return user if isinstance(user, int) else 0


def caller(relay: Relay, socket: WebSocket, roles: Container[str], *, active: bool = True) -> User | int:
    """Return who opens a line, or the close code for who may not."""
    if not _same_origin(socket):
        return NOT_ALLOWED
    user = relay.sign_in.user(token_of(socket), active=active)
    if user is None:
        return NOT_SIGNED_IN
    return user if user.role in roles else NOT_ALLOWED


def _same_origin(socket: WebSocket) -> bool:
    """Return whether the page that opens a line is ours: browsers do not ask before they open one."""
    origin = socket.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == socket.headers.get("host")
