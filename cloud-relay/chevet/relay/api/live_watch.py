"""Watching a site while its worker examines: from an open case, by a specialist, in the audit."""

import asyncio
import json
import time
from typing import Final

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from chevet.relay.accounts.users import User
from chevet.relay.api.guard import Here
from chevet.relay.api.live import caller
from chevet.relay.errors import RefusedError
from chevet.relay.live.room import LiveRoom
from chevet.relay.live.viewer import Viewer
from chevet.relay.relay import Relay

router = APIRouter(prefix="/api/cases/{case_id}")

PUMP_S: Final = 0.03
STATE_EVERY_S: Final = 1.0
CHECK_EVERY_S: Final = 5.0
NOT_FOUND, NO_LINE = 4404, 4503
MESSAGE_AT_MOST: Final = 200
ROLES: Final = ("specialist",)


@router.websocket("/live")
async def watch(socket: WebSocket, case_id: str, relay: Here) -> None:
    """Send wave frames and, each second, how they come; a ping is sent back for the desk's own latency."""
    await socket.accept()
    room = getattr(socket.app.state, "live", None)
    user = await asyncio.to_thread(caller, relay, socket, ROLES)
    if isinstance(user, int) or not isinstance(room, LiveRoom):
        await socket.close(user if isinstance(user, int) else NO_LINE)
        return
    try:
        site = await asyncio.to_thread(_begin, relay, user, case_id)
        viewer = room.join(site, case_id)
    except RefusedError as refused:
        await socket.close(NOT_FOUND if refused.status == 404 else NO_LINE)
        return
    began = time.monotonic()
    try:
        async with asyncio.TaskGroup() as group:
            showing = group.create_task(_show(socket, relay, viewer))
            await _pings(socket)
            showing.cancel()
    except* (WebSocketDisconnect, RuntimeError):
        pass  # it went while it was being shown
    finally:
        room.leave(viewer)
        seconds = f"{round(time.monotonic() - began)} s"
        await asyncio.to_thread(relay.cases.note, user, "live.ended", case_id, seconds)


def _begin(relay: Relay, user: User, case_id: str) -> str:
    """Return the site of a case that this user may read, once the audit holds that they watch."""
    with relay.database.read() as connection:
        site = relay.cases.get(connection, case_id).site
    relay.cases.note(user, "live.watched", case_id, site)
    return site


async def _show(socket: WebSocket, relay: Relay, viewer: Viewer) -> None:
    told_at = checked_at = time.monotonic()
    await socket.send_json(viewer.state(told_at))
    while True:
        await asyncio.sleep(PUMP_S)
        while viewer.frames:
            await socket.send_bytes(viewer.frames.popleft())
        now = time.monotonic()
        if now - told_at >= STATE_EVERY_S:
            told_at = now
            await socket.send_json(viewer.state(now))
        if now - checked_at >= CHECK_EVERY_S:
            checked_at = now
            user = await asyncio.to_thread(caller, relay, socket, ROLES)
            if isinstance(user, int):
                await socket.close(user)
                return


async def _pings(socket: WebSocket) -> None:
    """Answer pings until the desk goes."""
    try:
        while True:
            text = await socket.receive_text()
            words = json.loads(text) if len(text) <= MESSAGE_AT_MOST else None
            if isinstance(words, dict) and isinstance(words.get("ping"), int | float):
                await socket.send_json({"type": "pong", "ping": words["ping"]})
    except (WebSocketDisconnect, KeyError, RuntimeError, ValueError):
        return
