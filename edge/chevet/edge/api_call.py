"""The call beside a study: a worker takes it, declines it, hangs up."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, StringConstraints

from chevet.edge.bedside import Bedside
from chevet.edge.calls import MOST_SDP
from chevet.edge.sessions import COOKIE
from chevet.edge.workers import Worker

_Call = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


class Accept(BaseModel):
    """The browser's answer to the offer that came with the ring."""

    model_config = ConfigDict(extra="forbid", strict=True)
    call: _Call
    sdp: Annotated[str, StringConstraints(min_length=1, max_length=MOST_SDP)]


class End(BaseModel):
    """Why the worker, or the worker's page, ends it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    call: _Call
    reason: Literal["declined", "private", "ended", "media", "no_microphone"]


def call_routes(bedside: Bedside) -> APIRouter:
    """Return the routes; all of them need a session."""

    def signed_in(request: Request) -> Worker:
        return bedside.sessions.require(request.cookies.get(COOKIE))

    routes = APIRouter(prefix="/api/call", dependencies=[Depends(signed_in)])

    @routes.get("")
    async def call() -> dict[str, Any]:
        return {"call": bedside.calls.shape()}

    @routes.post("/accept", status_code=204)
    async def accept(body: Accept, request: Request) -> None:
        bedside.calls.accept(body.call, body.sdp, signed_in(request), bedside.clock.monotonic())

    @routes.post("/end", status_code=204)
    async def end(body: End) -> None:
        bedside.calls.end(body.call, body.reason)

    return routes
