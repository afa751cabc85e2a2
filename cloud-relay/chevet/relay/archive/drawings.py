"""Arrows and circles that readers draw on pictures: kept with the case, beside the picture and never in it.

They hold numbers only, shares of the picture's width and height: no word, so nothing about a patient.
"""

import json
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, insert, select

from chevet.relay.accounts.users import User
from chevet.relay.archive.changes import tell
from chevet.relay.archive.schema import drawings, users

KINDS = ("arrow", "circle")
MOST = 40
"""Shapes of one reader on one picture."""
CLIP_FROM = 1000
"""Picture numbers from here on are those of the recording's clip."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One mark: from tail to tip of an arrow, from the middle of a circle to its edge; each 0..1."""

    kind: str
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """What one reader drew on one picture."""

    recording: str
    picture: int
    author: tuple[str, str]
    shapes: tuple[Shape, ...]
    at_ms: int


def keep_drawing(
    connection: Connection,
    case_id: str,
    place: tuple[str, int],
    user: User,
    shapes: tuple[Shape, ...],
    now_ms: int,
) -> None:
    """Put `shapes` in place of what this reader had drawn on a picture (recording id, number)."""
    recording, picture = place
    connection.execute(
        delete(drawings).where(
            drawings.c.case_id == case_id,
            drawings.c.recording == recording,
            drawings.c.picture == picture,
            drawings.c.author == user.id,
        )
    )
    if shapes:
        row = {"case_id": case_id, "recording": recording, "picture": picture, "author": user.id}
        text = json.dumps([asdict(shape) for shape in shapes])
        connection.execute(insert(drawings).values(**row, shapes=text, at_ms=now_ms))
    tell(connection, case_id, now_ms)


def drawings_of(connection: Connection, case_id: str) -> list[Drawing]:
    """Return everything drawn on a case's pictures, the oldest first."""
    query = (
        select(drawings, users.c.name)
        .join(users, users.c.id == drawings.c.author)
        .where(drawings.c.case_id == case_id)
        .order_by(drawings.c.at_ms, drawings.c.author)
    )
    return [
        Drawing(
            row.recording,
            row.picture,
            (row.author, row.name),
            tuple(Shape(**one) for one in json.loads(row.shapes)),
            row.at_ms,
        )
        for row in connection.execute(query)
    ]
