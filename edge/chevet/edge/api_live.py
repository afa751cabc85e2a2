"""The kiosk's WebSocket: live waves, readings, quality, news."""

import asyncio
import contextlib
import json
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from chevet.edge.bedside import Bedside
from chevet.edge.live import LiveClient
from chevet.edge.sessions import COOKIE

MESSAGE_AT_MOST = 4096
WATCHED_AT_MOST = 16
POLICY_VIOLATION = 1008  # RFC 6455 section 7.4.1


def live_routes(bedside: Bedside) -> APIRouter:
    """Return the route."""
    routes = APIRouter()

    @routes.websocket("/api/live")
    async def live(socket: WebSocket) -> None:
        if bedside.sessions.find(socket.cookies.get(COOKIE)) is None:
            await socket.close(POLICY_VIOLATION)
            return
        await socket.accept()
        client = bedside.live.join()
        try:
            await _greet(bedside, client)
            await _serve(bedside, socket, client)
        finally:
            bedside.live.leave(client)

    return routes


async def _greet(bedside: Bedside, client: LiveClient) -> None:
    """Tell a new screen how things stand, so that it needs no other call."""
    client.tell({"type": "status", "status": await asyncio.to_thread(bedside.status)})
    if bedside.calls.called.live:
        client.tell({"type": "call", "call": bedside.calls.shape()})
    for instrument in bedside.instruments.values():
        client.tell({"type": "device", "device": bedside.device(instrument)})
    for thing in bedside.discovery.offers:
        client.tell({"type": "found", "found": bedside.discovery.shape(thing)})


async def _serve(bedside: Bedside, socket: WebSocket, client: LiveClient) -> None:
    pump = asyncio.create_task(client.pump(socket, bedside.live.at_ms), name="live screen")
    listen = asyncio.create_task(_listen(bedside, socket, client), name="live listener")
    try:
        await asyncio.wait({pump, listen}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (pump, listen):
            task.cancel()
        # Whatever ended them (the screen went away, usually) ends this screen only.
        await asyncio.gather(pump, listen, return_exceptions=True)
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await socket.close()


async def _listen(bedside: Bedside, socket: WebSocket, client: LiveClient) -> None:
    while True:
        try:
            text = await socket.receive_text()
        except (WebSocketDisconnect, KeyError, RuntimeError):
            return
        watched = _watched(text)
        if watched is None:
            return
        client.watched = frozenset(watched) & bedside.instruments.keys()


def _watched(text: str) -> list[str] | None:
    """Return the watch list of a message, None for anything else: such a client is disconnected."""
    if len(text) > MESSAGE_AT_MOST:
        return None
    try:
        words: Any = json.loads(text)
    except ValueError:
        return None
    if not isinstance(words, dict) or words.keys() != {"watch"}:
        return None
    watched = words["watch"]
    if not isinstance(watched, list) or len(watched) > WATCHED_AT_MOST:
        return None
    return watched if all(isinstance(device, str) for device in watched) else None
