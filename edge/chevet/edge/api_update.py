"""New versions of the box's software: what is there, how far one is, and a worker's wish."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, StringConstraints

from chevet.edge.api_found import require_site
from chevet.edge.bedside import Bedside
from chevet.edge.box import read_power
from chevet.edge.sessions import COOKIE
from chevet.edge.update_offer import Offer
from chevet.edge.update_release import VERSION

ENOUGH_PCT = 50
"""An update may take half an hour on a small board."""


class Wanted(BaseModel):
    """Which version."""

    model_config = ConfigDict(extra="forbid", strict=True)
    version: Annotated[str, StringConstraints(pattern=VERSION)]


def update_routes(bedside: Bedside) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/api")
    offer = Offer(bedside.settings, bedside.version)

    def shape() -> dict[str, Any]:
        return offer.shape(quiet=bedside.visits.current() is None and not bedside.calls.called.live)

    @routes.get("/update")
    async def update(request: Request) -> dict[str, Any]:
        require_site(bedside, request)
        return await asyncio.to_thread(shape)

    @routes.post("/update", status_code=202)
    async def want(body: Wanted, request: Request) -> dict[str, Any]:
        bedside.sessions.require(request.cookies.get(COOKIE))
        power = read_power()
        low = power.source == "battery" and (power.percent or 0) < ENOUGH_PCT
        visit_open = bedside.visits.current() is not None
        await asyncio.to_thread(offer.want, body.version, visit_open=visit_open, power_low=low)
        return await asyncio.to_thread(shape)

    return routes
