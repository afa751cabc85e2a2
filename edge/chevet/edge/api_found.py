"""What was found on the buses, and what the site decides about it; calibrations; forgetting."""

import asyncio
import datetime
from typing import Any

from fastapi import APIRouter, Request

from chevet.edge.bedside import Bedside
from chevet.edge.bodies import Decision, Empty, LastCalibration
from chevet.edge.box_word import is_word
from chevet.edge.errors import Refusal, not_found
from chevet.edge.instruments import READY
from chevet.edge.sessions import COOKIE
from chevet.edge.shapes import quality_shape


def require_site(bedside: Bedside, request: Request) -> None:
    """Let in a worker's session, or the box's own user by its word.

    Raises:
        Refusal: not_signed_in.
    """
    if not is_word(request.headers.get("authorization"), bedside.sessions.box_word):
        bedside.sessions.require(request.cookies.get(COOKIE))


def found_routes(bedside: Bedside) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/api")
    _device_routes(routes, bedside)
    discovery = bedside.discovery

    def listing() -> dict[str, Any]:
        return {
            "found": [discovery.shape(thing) for thing in discovery.things],
            "searching": discovery.watch.searching,
            "problems": dict(discovery.watch.problems),
        }

    @routes.get("/found")
    async def found(request: Request) -> dict[str, Any]:
        require_site(bedside, request)
        return listing()

    @routes.post("/found")
    async def look(_body: Empty, request: Request) -> dict[str, Any]:
        require_site(bedside, request)
        await discovery.look()
        return listing()

    @routes.post("/found/{found_id}")
    async def decide(found_id: str, body: Decision, request: Request) -> dict[str, Any]:
        require_site(bedside, request)
        thing = await discovery.decide(found_id, use=body.use, driver=body.driver)
        instrument = bedside.instruments.get(thing.device)
        device = bedside.device(instrument) if instrument else None
        return {"found": discovery.shape(thing), "device": device}

    @routes.post("/found/{found_id}/ask")
    async def ask(found_id: str, _body: Empty, request: Request) -> dict[str, Any]:
        require_site(bedside, request)
        return discovery.shape(await discovery.ask(found_id))

    return routes


def _device_routes(routes: APIRouter, bedside: Bedside) -> None:
    @routes.get("/devices")
    async def devices(request: Request, judged: bool = False) -> dict[str, Any]:
        require_site(bedside, request)
        shapes = [bedside.device(instrument) for instrument in bedside.instruments.values()]
        for shape in shapes if judged else ():
            if shape["state"] == READY:
                mark, _ = await bedside.live.judged(shape["id"])
                shape["quality"] = quality_shape(mark)
        return {"devices": shapes}

    @routes.post("/devices/{device_id}")
    async def note_calibration(device_id: str, body: LastCalibration, request: Request) -> dict[str, Any]:
        require_site(bedside, request)
        instrument = bedside.instruments.get(device_id)
        if instrument is None:
            raise not_found("instrument")
        day = body.day()
        # A day of grace: the box may stand east of where its clock was set.
        if day is not None and day > datetime.date.today() + datetime.timedelta(days=1):
            raise Refusal(
                "implausible", "A calibration cannot be in the future.", status=422, field="calibrated_on"
            )
        serial, text = instrument.identity["serial"], day.isoformat() if day else None
        await asyncio.to_thread(bedside.calibrations.note, device_id, serial, text)
        shape = bedside.device(instrument)
        bedside.live.tell({"type": "device", "device": shape})
        return shape

    @routes.delete("/devices/{device_id}", status_code=204)
    async def forget(device_id: str, request: Request) -> None:
        require_site(bedside, request)
        await bedside.discovery.forget(device_id)
        await asyncio.to_thread(bedside.calibrations.forget, device_id)
