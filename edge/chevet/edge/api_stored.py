"""What instruments had stored: shown apart, with the device's own time, never as measured now."""

import asyncio
import datetime
from typing import Any

from fastapi import APIRouter, Depends, Request

from chevet.edge.bedside import Bedside
from chevet.edge.device_memory import StoredReading
from chevet.edge.sessions import COOKIE
from chevet.edge.workers import Worker


def stored_routes(bedside: Bedside) -> APIRouter:
    """Return the routes; all of them need a session."""

    def signed_in(request: Request) -> Worker:
        return bedside.sessions.require(request.cookies.get(COOKIE))

    routes = APIRouter(prefix="/api/stored", dependencies=[Depends(signed_in)])

    @routes.get("")
    async def stored() -> dict[str, Any]:
        return {"readings": [_shape(one) for one in await asyncio.to_thread(bedside.memory.recent)]}

    return routes


def _shape(one: StoredReading) -> dict[str, Any]:
    return {
        "device": one.device,
        "kind": one.kind,
        "value": one.value,
        "unit": one.unit,
        "status": list(one.status),
        "taken": one.taken,
        "taken_ms": taken_ms(one),
        "fetched_ms": one.fetched_ms,
    }


def taken_ms(one: StoredReading) -> int | None:
    """Return when a reading was taken by the box's clock, None where the device's clock cannot be placed."""
    if not one.taken or one.clock_offset_s is None:
        return None
    try:
        local = datetime.datetime.fromisoformat(one.taken) - datetime.timedelta(seconds=one.clock_offset_s)
        return round(local.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None
