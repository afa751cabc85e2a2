"""Alerts in the archive: written down once for each person and step, sent by the process that comes first.

A row is taken for some minutes before it is sent, so that two processes do not both send it; a process that
dies in between leaves it to the next. So a person may, rarely, be told twice, and never not at all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, or_, select, update

from chevet.relay.archive.schema import Found, cases, erasures
from chevet.relay.archive.schema_duty import alerts
from chevet.relay.duty.ladder import APART, ASKED, EMAIL, LATE, PUSH, Step, Waiting, Way

WAITING, SENT, FAILED, NEEDLESS = "waiting", "sent", "failed", "needless"
NOBODY = "nobody"
TAKEN_MS = 120_000
TRIES = 8
FIRST_AGAIN_MS = 30_000
LONGEST_AGAIN_MS = 30 * 60_000
LOOKED_AT = 1000
"""Cases looked at in one round, the most urgent and then the oldest first."""
AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert that was taken to be sent; `to` is a user's id, an address, or for the webhook all ids."""

    number: int
    case_id: str
    rung: str
    channel: str
    to: str
    tries: int
    rank: int
    received_ms: int
    simulated: bool
    needless: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """An alert that reached nobody, for the coordinators to see."""

    case_id: str
    rung: str
    to: str
    problem: str
    at_ms: int


def unanswered(connection: Connection, *, simulated: bool) -> list[Waiting]:
    """Return the cases of which a step may still be to tell."""
    late = select(alerts.c.number).where(alerts.c.case_id == cases.c.id, alerts.c.rung == LATE)
    asked = select(alerts.c.number).where(
        alerts.c.case_id == cases.c.id, alerts.c.rung == ASKED, alerts.c.round == cases.c.allocated_ms
    )
    query = (
        select(cases)
        .where(cases.c.answered_ms.is_(None), cases.c.id.not_in(select(erasures.c.case_id)))
        .where(or_(~late.exists(), cases.c.allocated_ms.is_not(None) & ~asked.exists()))
        .order_by(cases.c.rank, cases.c.received_ms)
        .limit(LOOKED_AT)
    )
    query = query if simulated else query.where(cases.c.simulated.is_(False))
    return [_waiting(row) for row in connection.execute(query)]


def _waiting(row: Found) -> Waiting:
    return Waiting(
        id=row.id,
        rank=row.rank,
        specialty=row.specialty,
        received_ms=row.received_ms,
        due_ms=row.due_ms,
        seen=row.opened_ms is not None or row.claimed_by is not None,
        allocated_to=row.allocated_to or "",
        allocated_ms=row.allocated_ms or 0,
    )


def told_steps(connection: Connection, of: Iterable[str]) -> set[tuple[str, str, int]]:
    """Return the steps of these cases that were written down, as (case, rung, round)."""
    query = select(alerts.c.case_id, alerts.c.rung, alerts.c.round).where(alerts.c.case_id.in_(list(of)))
    return {(row.case_id, row.rung, row.round) for row in connection.execute(query.distinct())}


def write_down(connection: Connection, step: Step, ways: Sequence[Way], now_ms: int) -> None:
    """Write a step down: one row for each way, or one that says that nobody can be told."""
    there = (alerts.c.case_id == step.case_id, alerts.c.rung == step.rung, alerts.c.round == step.round)
    if connection.execute(select(alerts.c.number).where(*there)).first():
        return  # another process was faster
    for way in dict.fromkeys(ways or [Way(NOBODY, "")]):
        reachable = way.channel != NOBODY
        connection.execute(
            insert(alerts).values(
                case_id=step.case_id,
                rung=step.rung,
                round=step.round,
                channel=way.channel,
                to=way.to,
                made_ms=now_ms,
                next_ms=now_ms + way.after_ms,
                state=WAITING if reachable else FAILED,
                problem="" if reachable else "nobody",
                tries=0,
            )
        )


def take(connection: Connection, now_ms: int) -> list[Alert]:
    """Take what is to be sent now, for some minutes."""
    query = (
        select(alerts, cases)
        .join(cases, cases.c.id == alerts.c.case_id)
        .where(alerts.c.state == WAITING, alerts.c.next_ms <= now_ms)
        .order_by(cases.c.rank, alerts.c.number)
        .limit(AT_ONCE)
    )
    found = [_alert(row) for row in connection.execute(query)]
    mine = alerts.c.number.in_([one.number for one in found])
    if found:
        values = {"next_ms": now_ms + TAKEN_MS, "tries": alerts.c.tries + 1}
        connection.execute(update(alerts).where(mine).values(**values))
    return found


def due(connection: Connection, now_ms: int) -> bool:
    """Tell whether anything is to be sent now."""
    query = select(alerts.c.number).where(alerts.c.state == WAITING, alerts.c.next_ms <= now_ms)
    return connection.execute(query.limit(1)).first() is not None


def settle(connection: Connection, number: int, state: str, now_ms: int) -> None:
    """Note that an alert left, or is not needed any more."""
    done = update(alerts).where(alerts.c.number == number)
    connection.execute(done.values(state=state, sent_ms=now_ms if state == SENT else None, problem=""))


def not_sent(connection: Connection, one: Alert, problem: str, now_ms: int) -> None:
    """Note why an alert did not leave; it is tried again, later each time, and in the end given up."""
    again = min(FIRST_AGAIN_MS << one.tries, LONGEST_AGAIN_MS)
    given_up = NEEDLESS if _mails_after(connection, one) else FAILED
    state = WAITING if one.tries + 1 < TRIES else given_up
    mine = update(alerts).where(alerts.c.number == one.number)
    connection.execute(mine.values(state=state, problem=problem[:64], next_ms=now_ms + again))


def no_browser(connection: Connection, one: Alert, now_ms: int) -> None:
    """Note that no browser takes a push any more, and send the mail that was to follow it now.

    Where there is none to follow, the coordinator sees that this person was not reached.
    """
    mails = _mails_after(connection, one)
    hurried = update(alerts).where(alerts.c.number.in_(mails), alerts.c.state == WAITING)
    connection.execute(hurried.where(alerts.c.next_ms > now_ms).values(next_ms=now_ms))
    mine = update(alerts).where(alerts.c.number == one.number)
    connection.execute(mine.values(state=NEEDLESS if mails else FAILED, problem="no_browser"))


def _mails_after(connection: Connection, one: Alert) -> list[int]:
    """Return the numbers of the mails that tell the same person the same as a push; of a mail, none."""
    if one.channel != PUSH:
        return []
    row = connection.execute(select(alerts).where(alerts.c.number == one.number)).one()
    same = select(alerts.c.number).where(
        alerts.c.case_id == row.case_id,
        alerts.c.rung == row.rung,
        alerts.c.round == row.round,
        alerts.c.to == row.to,
        alerts.c.channel == EMAIL,
    )
    return list(connection.execute(same).scalars())


def failed(connection: Connection, most: int = 50) -> list[Failed]:
    """Return alerts of unanswered cases that reached nobody, the newest first."""
    query = (
        select(alerts)
        .join(cases, cases.c.id == alerts.c.case_id)
        .where(alerts.c.state == FAILED, cases.c.answered_ms.is_(None))
        .order_by(alerts.c.number.desc())
        .limit(most)
    )
    return [
        Failed(row.case_id, row.rung, row.to, row.problem, row.made_ms) for row in connection.execute(query)
    ]


def by_state(connection: Connection) -> dict[str, int]:
    """Count alerts by state."""
    query = select(alerts.c.state, func.count().label("many")).group_by(alerts.c.state)
    return {row.state: row.many for row in connection.execute(query)}


def _alert(row: Found) -> Alert:
    return Alert(
        number=row.number,
        case_id=row.case_id,
        rung=row.rung,
        channel=row.channel,
        to=row.to,
        tries=row.tries,
        rank=row.rank,
        received_ms=row.received_ms,
        simulated=row.simulated,
        needless=row.rung not in APART
        and (row.answered_ms is not None or (row.rung in "012" and _seen(row))),
    )


def _seen(row: Found) -> bool:
    return row.opened_ms is not None or row.claimed_by is not None
