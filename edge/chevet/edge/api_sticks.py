"""USB sticks at the kiosk: which are in, filling one for the courier, taking in what one brought."""

from typing import Any

from fastapi import APIRouter, Depends, Request

from chevet.edge.bedside import Bedside
from chevet.edge.bodies import StickWork
from chevet.edge.sessions import COOKIE
from chevet.edge.stick_work import SticksAtWork
from chevet.edge.workers import Worker


def stick_routes(bedside: Bedside) -> APIRouter:
    """Return the routes; all of them need a session."""

    def signed_in(request: Request) -> Worker:
        return bedside.sessions.require(request.cookies.get(COOKIE))

    routes = APIRouter(prefix="/api", dependencies=[Depends(signed_in)])
    sticks = SticksAtWork(bedside)

    @routes.get("/sticks")
    async def listed() -> dict[str, Any]:
        return await sticks.shape()

    @routes.post("/sticks", status_code=202)
    async def begin(body: StickWork) -> dict[str, Any]:
        await sticks.begin(body.name, body.way)
        return await sticks.shape()

    return routes
