"""A call from an open case to its kiosk: by a specialist, in the audit; only its words pass through here."""

import asyncio
import json
import logging
import time
from typing import Any, Final

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from chevet.exchange.call_ends import OVER
from chevet.relay.accounts.users import User
from chevet.relay.api.guard import Here
from chevet.relay.api.live import caller
from chevet.relay.errors import RefusedError, SettingsError
from chevet.relay.live.desk_call import DeskCall
from chevet.relay.live.room import WINDOWS, LiveRoom
from chevet.relay.live.turn import turn_servers
from chevet.relay.relay import Relay

log = logging.getLogger(__name__)

router = APIRouter(prefix="/api/cases/{case_id}")

PUMP_S: Final = 0.1
CHECK_EVERY_S: Final = 5.0
NOT_FOUND, NO_LINE = 4404, 4503
MESSAGE_AT_MOST: Final = 24 * 1024
ROLES: Final = ("specialist",)
REASONS: Final = ("ended", "media", "no_microphone")
WHY_NOT: Final = {WINDOWS: WINDOWS, "busy": "busy_relay"}
"""What the desk shows of a call that never began; `busy` alone is said of a kiosk."""


@router.websocket("/call")
async def call(socket: WebSocket, case_id: str, relay: Here) -> None:
    """Tell the desk its TURN servers, then ring, carry what is said, and end with the line to the desk."""
    await socket.accept()
    room = getattr(socket.app.state, "live", None)
    user = await asyncio.to_thread(caller, relay, socket, ROLES)
    if isinstance(user, int) or not isinstance(room, LiveRoom) or relay.settings.calls == "off":
        await socket.close(user if isinstance(user, int) else NO_LINE)
        return
    try:
        ice = await asyncio.to_thread(_servers, relay)
        site = await asyncio.to_thread(_site, relay, case_id)
        made = room.call(site, case_id, user, ice)
    except SettingsError as error:
        log.error("calls: %s", error)
        await socket.close(NO_LINE)
        return
    except RefusedError as refused:
        if refused.code in WHY_NOT:
            said = {"state": OVER, "reason": WHY_NOT[refused.code], "sdp": "", "held": False, "rate": None}
            await socket.send_json({"type": "call"} | said)
        await socket.close(NOT_FOUND if refused.status == 404 else NO_LINE)
        return
    try:
        async with asyncio.TaskGroup() as group:
            showing = group.create_task(_show(socket, relay, made, user, case_id, ice))
            await _hear(socket, relay, made, user, case_id)
            showing.cancel()
    except* (WebSocketDisconnect, RuntimeError):
        pass  # the desk went while it was being told
    finally:
        made.hang_up("ended", time.monotonic())
        room.end_call(made)
        await asyncio.to_thread(_end, relay, user, case_id, made)


def _servers(relay: Relay) -> list[dict[str, Any]]:
    secret = relay.settings.secret("call_turn_secret_file") or ""
    return turn_servers(relay.settings.call_turn, secret, relay.now_ms() // 1000)


def _site(relay: Relay, case_id: str) -> str:
    with relay.database.read() as connection:
        return relay.cases.get(connection, case_id).site


def _accepted(relay: Relay, user: User, case_id: str, made: DeskCall) -> None:
    """Put into the audit who took it, once."""
    if made.worker and not made.noted:
        made.noted = True
        relay.cases.note(user, "call.accepted", case_id, f"by {made.worker}")


def _end(relay: Relay, user: User, case_id: str, made: DeskCall) -> None:
    """Put into the audit how long was talked and how it ended; nothing said is kept anywhere."""
    if made.rang:
        _accepted(relay, user, case_id, made)  # a desk may be gone before its next look
        standing = made.caller.standing
        relay.cases.note(user, "call.ended", case_id, f"{made.talked_s} s {standing.reason or 'ended'}")


async def _show(
    socket: WebSocket, relay: Relay, made: DeskCall, user: User, case_id: str, ice: list[dict[str, Any]]
) -> None:
    await socket.send_json({"type": "ready", "ice": ice})
    checked_at = time.monotonic()
    while True:
        await asyncio.sleep(PUMP_S)
        if made.worker and not made.noted:
            await asyncio.to_thread(_accepted, relay, user, case_id, made)
        if made.rang and made.changed:
            made.changed = False
            await socket.send_json(made.shape())
            if made.caller.standing.state == OVER:
                return
        now = time.monotonic()
        if now - checked_at >= CHECK_EVERY_S:
            checked_at = now
            who = await asyncio.to_thread(caller, relay, socket, ROLES)
            if isinstance(who, int):
                await socket.close(who)
                return


async def _hear(socket: WebSocket, relay: Relay, made: DeskCall, user: User, case_id: str) -> None:
    """Take what the desk says until it goes."""
    try:
        while True:
            words = _words(await socket.receive_text())
            if words.get("type") == "ring" and isinstance(words.get("sdp"), str) and not made.rang:
                await asyncio.to_thread(relay.cases.note, user, "call.rung", case_id, made.site)
                made.ring(words["sdp"], time.monotonic())
            elif words.get("type") == "hangup" and words.get("reason") in REASONS:
                made.hang_up(words["reason"], time.monotonic())
    except (WebSocketDisconnect, KeyError, RuntimeError):
        return


def _words(text: str) -> dict[str, Any]:
    """Return what a desk says; {} for what is none of it."""
    try:
        found: Any = json.loads(text) if len(text) <= MESSAGE_AT_MOST else None
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
