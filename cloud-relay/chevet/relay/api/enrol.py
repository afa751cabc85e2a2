"""Boxes come in by a one-time code, and renew by their own signature; no session, the messages prove all."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from chevet.exchange.enrolment import LARGEST
from chevet.relay.api.guard import Here
from chevet.relay.errors import RefusedError

router = APIRouter(prefix="/api")


async def _body(request: Request) -> bytes:
    return await request.body()


@router.post("/enrol")
def enrol(data: Annotated[bytes, Depends(_body)], relay: Here) -> Response:
    """Answer a box's signed ask with the relay's signed grant."""
    if len(data) > LARGEST:
        raise RefusedError(413, "too_large", "A box asks in 32 KiB.")
    relay.door.pass_or_wait()
    try:
        grant = relay.enrolment().answer(data)
    except RefusedError:
        relay.door.refused()
        raise
    return Response(grant, media_type="application/json")
