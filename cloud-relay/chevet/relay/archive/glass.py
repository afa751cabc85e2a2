"""Breaking the glass: a coordinator reads one case in an emergency, with a reason, for some minutes.

Each time stands in the audit and in a list that an auditor reviews.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from chevet.relay.archive.schema import broken_glass

REASONS = ("life_at_risk", "nobody_reachable", "wrong_patient_suspected", "safety_review")


@dataclass(frozen=True, slots=True)
class Broken:
    """One time the glass was broken; times in Unix ms, `reviewed_by` "" until somebody looked at it."""

    number: int
    case_id: str
    user: str
    reason: str
    from_ms: int
    until_ms: int
    reviewed_by: str


def break_glass(
    connection: Connection, case_id: str, user: str, reason: str, now_ms: int, until_ms: int
) -> None:
    """Write down that somebody reads a case from now on until a time."""
    row = {"case_id": case_id, "user_id": user, "reason": reason, "from_ms": now_ms, "until_ms": until_ms}
    connection.execute(insert(broken_glass).values(**row))


def is_broken(connection: Connection, case_id: str, user: str, now_ms: int) -> bool:
    """Say whether this user may read this case by glass now."""
    mine = (broken_glass.c.case_id == case_id, broken_glass.c.user_id == user)
    query = select(broken_glass.c.number).where(*mine, broken_glass.c.until_ms > now_ms)
    return connection.execute(query).first() is not None


def every_time(connection: Connection) -> list[Broken]:
    """Return every time the glass was broken, the newest first."""
    rows = connection.execute(select(broken_glass).order_by(broken_glass.c.number.desc())).all()
    return [
        Broken(
            row.number,
            row.case_id,
            row.user_id,
            row.reason,
            row.from_ms,
            row.until_ms,
            row.reviewed_by or "",
        )
        for row in rows
    ]


def review(connection: Connection, number: int, who: str, now_ms: int) -> bool:
    """Note that somebody looked at one time; False where there is none or it was looked at before."""
    open_one = (broken_glass.c.number == number, broken_glass.c.reviewed_ms.is_(None))
    done = update(broken_glass).where(*open_one).values(reviewed_ms=now_ms, reviewed_by=who)
    return bool(connection.execute(done).rowcount)
