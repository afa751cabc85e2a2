"""A courier's stick, read by the running agent for the box's own user (`chevet-edge carry --from`)."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request

from chevet.edge.bedside import Bedside
from chevet.edge.bodies import CarriedFolder
from chevet.edge.box_word import is_word
from chevet.edge.carry import bring
from chevet.edge.errors import Refusal


def carry_routes(bedside: Bedside) -> APIRouter:
    """Return the route."""
    routes = APIRouter(prefix="/api")

    @routes.post("/carry")
    async def carry(body: CarriedFolder, request: Request) -> dict[str, Any]:
        if not is_word(request.headers.get("authorization"), bedside.sessions.box_word):
            raise Refusal("not_signed_in", "Only the box's own user may name a stick's folder.", status=401)
        take = bedside.uplink.carried
        if take is None:
            raise Refusal("not_yet", "The agent is still starting; try again in a moment.", status=409)
        brought = await bring(bedside.spool, bedside.site.code, Path(body.folder), take)
        return {"messages": brought.messages, "settled": brought.settled, "answers": brought.answers}

    return routes
