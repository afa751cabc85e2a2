"""People and their duty in the archive: who may be asked, who is on call, how they are reached."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from chevet.relay.archive.schema import cases, users
from chevet.relay.archive.schema_duty import contacts, on_call
from chevet.relay.duty.rules import Person

LONGEST_MS = 31 * 24 * 3600 * 1000
"""A time on call lasts a month at most: longer is a mistake in a date."""


@dataclass(frozen=True, slots=True)
class OnCall:
    """One time on call, Unix ms."""

    number: int
    user: str
    name: str
    specialty: str
    from_ms: int
    until_ms: int


def people(connection: Connection, now_ms: int) -> list[Person]:
    """Return every specialist whose account is open and whose password is their own, by id."""
    load = _load(connection)
    ready = select(on_call.c.user_id).where(on_call.c.from_ms <= now_ms, on_call.c.until_ms > now_ms)
    there = set(connection.execute(ready).scalars())
    query = select(users).where(users.c.role == "specialist", users.c.disabled_ms.is_(None))
    query = query.where(users.c.first_until_ms.is_(None))  # nobody has come with that one yet
    return [
        Person(
            row.id,
            row.name,
            row.specialty,
            tuple(row.languages.split(",")),
            row.id in there,
            load.get(row.id, 0),
        )
        for row in connection.execute(query.order_by(users.c.id))
    ]


def coordinators(connection: Connection) -> list[str]:
    """Return the ids of the coordinators whose accounts are open."""
    query = select(users.c.id).where(users.c.role == "coordinator", users.c.disabled_ms.is_(None))
    return list(connection.execute(query.order_by(users.c.id)).scalars())


def _load(connection: Connection) -> dict[str, int]:
    """Count what waits for each person: claimed by them, or they were asked and nobody claimed it."""
    whose = func.coalesce(cases.c.claimed_by, cases.c.allocated_to)
    query = (
        select(whose.label("who"), func.count().label("many"))
        .where(cases.c.answered_ms.is_(None), whose.is_not(None))
        .group_by(whose)
    )
    return {row.who: row.many for row in connection.execute(query)}


def calendar(connection: Connection, from_ms: int) -> list[OnCall]:
    """Return the times on call that end after `from_ms`, the earliest first."""
    query = (
        select(on_call, users.c.name, users.c.specialty)
        .join(users, users.c.id == on_call.c.user_id)
        .where(on_call.c.until_ms > from_ms)
        .order_by(on_call.c.from_ms, on_call.c.number)
    )
    return [
        OnCall(row.number, row.user_id, row.name, row.specialty, row.from_ms, row.until_ms)
        for row in connection.execute(query)
    ]


def put_on_call(connection: Connection, user: str, from_ms: int, until_ms: int) -> int:
    """Write a time on call down; return its number."""
    row = {"user_id": user, "from_ms": from_ms, "until_ms": until_ms}
    made = connection.execute(insert(on_call).values(**row)).inserted_primary_key
    assert made is not None, "an inserted row has a number"
    return int(made[0])


def take_off_call(connection: Connection, number: int) -> bool:
    """Remove a time on call; False where there was none."""
    return bool(connection.execute(delete(on_call).where(on_call.c.number == number)).rowcount)


def address_of(connection: Connection, user: str) -> str:
    """Return a user's e-mail address, "" where none is known."""
    return connection.execute(select(contacts.c.email).where(contacts.c.user_id == user)).scalar() or ""


def addresses(connection: Connection, of: Sequence[str]) -> dict[str, str]:
    """Return e-mail addresses by user id, of those who have one."""
    query = select(contacts).where(contacts.c.user_id.in_(list(of)))
    return {row.user_id: row.email for row in connection.execute(query)}


def set_address(connection: Connection, user: str, email: str) -> None:
    """Keep a user's e-mail address, or forget it where it is ""."""
    mine = contacts.c.user_id == user
    if not email:
        connection.execute(delete(contacts).where(mine))
    elif not connection.execute(update(contacts).where(mine).values(email=email)).rowcount:
        connection.execute(insert(contacts).values(user_id=user, email=email))


def usable_address(text: str) -> bool:
    """Tell whether a text can be an e-mail address; whether anybody reads there, only a mail can tell."""
    name, at, host = text.rpartition("@")
    plain = text.isascii() and text.isprintable() and not set(text) & set(' \t,;<>()"\\')
    return plain and bool(name and at) and "." in host.strip(".") and len(text) <= 254
