"""What open desks must hear of, whichever process did it: a short list that every process reads along."""

from sqlalchemy import Connection, delete, func, insert, select

from chevet.relay.archive.schema import changes

KEPT = 1000
"""Changes kept: a desk that is further behind reads everything again anyway."""


def tell(connection: Connection, case_id: str, now_ms: int) -> None:
    """Note, in the caller's write transaction, that a case changed."""
    number = connection.execute(insert(changes).values(case_id=case_id, at_ms=now_ms)).inserted_primary_key
    if number is not None and number[0] % KEPT == 0:
        connection.execute(delete(changes).where(changes.c.number <= number[0] - KEPT))


def last_change(connection: Connection) -> int:
    """Return the number of the newest change, 0 before the first."""
    return connection.execute(select(func.max(changes.c.number))).scalar() or 0


def changed_since(connection: Connection, number: int) -> list[tuple[int, str]]:
    """Return (number, case id) of what changed after `number`."""
    query = (
        select(changes.c.number, changes.c.case_id)
        .where(changes.c.number > number)
        .order_by(changes.c.number)
    )
    return [(row.number, row.case_id) for row in connection.execute(query)]
