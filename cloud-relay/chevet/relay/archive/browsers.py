"""Browsers that take alerts, in the archive: each belongs to the account that last asked for them there."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from chevet.relay.archive.schema import Found, users
from chevet.relay.archive.schema_duty import browsers
from chevet.relay.duty.web_push import Subscription

MOST = 10
"""Browsers of one account."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One browser that takes alerts; `taken_ms` is when its service last took one."""

    number: int
    to: Subscription
    browser: str
    created_ms: int
    taken_ms: int | None

    @property
    def mark(self) -> str:
        """Return what a page knows its own browser by, without learning of the others."""
        return hashlib.sha256(self.to.endpoint.encode()).hexdigest()[:16]


def listeners(connection: Connection, user: str) -> list[Listener]:
    """Return the browsers of an account, the oldest first."""
    query = select(browsers).where(browsers.c.user_id == user).order_by(browsers.c.number)
    return [_listener(row) for row in connection.execute(query)]


def subscribed(connection: Connection, of: Iterable[str]) -> frozenset[str]:
    """Return which of these accounts, if still open, have a browser that takes alerts."""
    query = (
        select(browsers.c.user_id)
        .join(users, users.c.id == browsers.c.user_id)
        .where(browsers.c.user_id.in_(list(of)), users.c.disabled_ms.is_(None))
    )
    return frozenset(connection.execute(query.distinct()).scalars())


def listen(connection: Connection, user: str, to: Subscription, browser: str, now_ms: int) -> int | None:
    """Keep a browser of an account; return its number, None where the account has too many.

    One browser tells one account: whoever asked last.
    """
    mine = select(func.count()).where(browsers.c.user_id == user, browsers.c.endpoint != to.endpoint)
    if connection.execute(mine).scalar_one() >= MOST:
        return None
    connection.execute(delete(browsers).where(browsers.c.endpoint == to.endpoint))
    made = connection.execute(
        insert(browsers).values(
            user_id=user,
            endpoint=to.endpoint,
            point=to.point,
            auth=to.auth,
            browser=browser,
            created_ms=now_ms,
        )
    ).inserted_primary_key
    assert made is not None, "an inserted row has a number"
    return int(made[0])


def forget_listener(connection: Connection, number: int, user: str) -> bool:
    """Remove a browser of an account; False where it has none of that number."""
    gone = delete(browsers).where(browsers.c.number == number, browsers.c.user_id == user)
    return bool(connection.execute(gone).rowcount)


def taken(connection: Connection, number: int, now_ms: int) -> None:
    """Note that a browser's service took an alert."""
    connection.execute(update(browsers).where(browsers.c.number == number).values(taken_ms=now_ms))


def _listener(row: Found) -> Listener:
    to = Subscription(row.endpoint, bytes(row.point), bytes(row.auth))
    return Listener(row.number, to, row.browser, row.created_ms, row.taken_ms)
