"""Who is still to be told that they are invited to a discussion, or that it begins soon."""

from typing import Final

from sqlalchemy import ColumnElement, Connection, select

from chevet.relay.archive.schema import cases, erasures
from chevet.relay.archive.schema_discussions import discussions, members
from chevet.relay.archive.schema_duty import alerts
from chevet.relay.duty.ladder import INVITED, SOON, Step

SOON_MS: Final = 3_600_000
"""Before the appointment."""


def to_tell(connection: Connection, now_ms: int, *, simulated: bool) -> list[Step]:
    """Return the steps of discussions that are due and were not written down yet."""
    near = (discussions.c.starts_ms > now_ms) & (discussions.c.starts_ms <= now_ms + SOON_MS)
    planned = discussions.c.opened_ms < discussions.c.starts_ms - SOON_MS  # else the invitation says it
    return [
        *_steps(connection, INVITED, members.c.invited_ms, discussions.c.until_ms > now_ms, simulated),
        *_steps(connection, SOON, discussions.c.starts_ms, near & planned, simulated),
    ]


def _steps(
    connection: Connection, rung: str, turn: ColumnElement[int], when: ColumnElement[bool], simulated: bool
) -> list[Step]:
    told = select(alerts.c.number).where(
        alerts.c.case_id == discussions.c.case_id, alerts.c.rung == rung, alerts.c.round == turn
    )
    query = (
        select(discussions.c.case_id, members.c.user_id, turn.label("turn"))
        .join(members, members.c.discussion == discussions.c.id)
        .join(cases, cases.c.id == discussions.c.case_id)
        .where(when, discussions.c.closed_ms.is_(None), members.c.left_ms.is_(None), ~told.exists())
        .where(cases.c.id.not_in(select(erasures.c.case_id)))
        .order_by(members.c.number)
    )
    if rung == INVITED:  # who opened it knows
        query = query.where(members.c.user_id != members.c.invited_by)
    query = query if simulated else query.where(cases.c.simulated.is_(False))
    found: dict[tuple[str, int], list[str]] = {}
    for row in connection.execute(query):
        found.setdefault((row.case_id, row.turn), []).append(row.user_id)
    return [Step(case_id, rung, turn_ms, tuple(users)) for (case_id, turn_ms), users in found.items()]
