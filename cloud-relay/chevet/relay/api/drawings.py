"""Arrows and circles on pictures."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from chevet.relay.api.guard import Here, Specialist
from chevet.relay.api.parts import find
from chevet.relay.archive.drawings import CLIP_FROM, MOST, Drawing, Shape, drawings_of, keep_drawing
from chevet.relay.errors import RefusedError

router = APIRouter(prefix="/api/cases/{case_id}/recordings/{recording_id}")
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class ShapeBody(BaseModel):
    """One arrow or circle, in shares of the picture's width and height."""

    model_config = ConfigDict(extra="forbid", strict=True)
    kind: Literal["arrow", "circle"]
    x0: Share
    y0: Share
    x1: Share
    y1: Share


class DrawingBody(BaseModel):
    """All that the caller has drawn on one picture."""

    model_config = ConfigDict(extra="forbid", strict=True)
    shapes: Annotated[list[ShapeBody], Field(max_length=MOST)]


@router.put("/drawings/{number}")
def draw(
    case_id: str,
    recording_id: str,
    number: Annotated[int, Path(ge=0, le=2 * CLIP_FROM - 1)],
    body: DrawingBody,
    relay: Here,
    user: Specialist,
) -> dict[str, Any]:
    """Keep what the caller drew on still `number`, or from 1000 on on a picture of the clip."""
    found = find(relay, user, case_id, recording_id)
    if number < CLIP_FROM and number >= len(found.recording.pictures):
        raise RefusedError(404, "not_found", "This recording has no such picture: open the case again.")
    if number >= CLIP_FROM and found.recording.clip is None:
        raise RefusedError(404, "not_found", "This recording has no clip: open the case again.")
    shapes = tuple(Shape(**one.model_dump()) for one in body.shapes)
    with relay.database.write() as connection:
        keep_drawing(connection, case_id, (recording_id, number), user, shapes, relay.now_ms())
    relay.cases.note(user, "drawing.keep", case_id, f"{recording_id} {number}: {len(shapes)} shapes")
    with relay.database.read() as connection:
        return {"drawings": [drawing(one) for one in drawings_of(connection, case_id)]}


def drawing(one: Drawing) -> dict[str, Any]:
    """Return a Drawing."""
    return {
        "recording": one.recording,
        "picture": one.picture,
        "author": {"id": one.author[0], "name": one.author[1]},
        "shapes": [{"kind": s.kind, "x0": s.x0, "y0": s.y0, "x1": s.x1, "y1": s.y1} for s in one.shapes],
        "at_ms": one.at_ms,
    }
