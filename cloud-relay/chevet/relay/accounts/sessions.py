"""Sessions: 256 random bits in the browser's cookie, of which the archive keeps only the hash.

A session ends when it was idle for too long, when its longest time is over, when its owner or the operator
ends it, and with its account. One that still lacks the second factor opens nothing but the way to give it.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from chevet.relay.accounts.rules import MINUTE_MS, Rules
from chevet.relay.archive.schema import Found, sessions, users

OPEN = "open"
TOKEN_BYTES = 32
ID_BYTES = 8
HALF_MS = 10 * MINUTE_MS
"""How long a password alone waits for its second factor."""
TOUCH_MS = MINUTE_MS
"""Use is written down at most this often: a read need not cost a write."""


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session as its owner sees it; times in Unix ms."""

    id: str
    browser: str
    created_ms: int
    seen_ms: int
    ends_ms: int
    current: bool


def begin(
    connection: Connection,
    rules: Rules,
    user_id: str,
    stage: str,
    browser: str,
    now_ms: int,
    factor_ms: int | None = None,
) -> str:
    """Open a session and return its token, which is stored nowhere.

    Args:
        connection: a write transaction.
        rules: how long it lasts.
        user_id: whose it is.
        stage: "open", or what is still missing.
        browser: a coarse name.
        now_ms: Unix ms.
        factor_ms: when the relay's own second factor was given, None where it was not.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    connection.execute(delete(sessions).where(_over(rules, now_ms)))
    connection.execute(
        insert(sessions).values(
            token_hash=_hash(token),
            id=secrets.token_hex(ID_BYTES),
            user_id=user_id,
            stage=stage,
            browser=browser[:40],
            created_ms=now_ms,
            seen_ms=now_ms,
            factor_ms=factor_ms,
            expires_ms=now_ms + (rules.longest_ms if stage == OPEN else HALF_MS),
        )
    )
    return token


def complete(
    connection: Connection, rules: Rules, token: str, now_ms: int, factor_ms: int | None = None
) -> str:
    """Open a half-open session fully, as `begin`; return the new token that takes the place of `token`."""
    fresh = secrets.token_urlsafe(TOKEN_BYTES)
    connection.execute(
        update(sessions)
        .where(sessions.c.token_hash == _hash(token))
        .values(
            token_hash=_hash(fresh),
            stage=OPEN,
            seen_ms=now_ms,
            factor_ms=factor_ms,
            expires_ms=now_ms + rules.longest_ms,
        )
    )
    return fresh


def go_on(connection: Connection, token: str, stage: str, now_ms: int) -> str:
    """Say what a half-open session lacks next; return the new token that takes the place of `token`."""
    fresh = secrets.token_urlsafe(TOKEN_BYTES)
    words = {"token_hash": _hash(fresh), "stage": stage, "seen_ms": now_ms, "expires_ms": now_ms + HALF_MS}
    connection.execute(update(sessions).where(sessions.c.token_hash == _hash(token)).values(**words))
    return fresh


def holder(connection: Connection, rules: Rules, token: str | None, now_ms: int) -> Found | None:
    """Return the account and the session (its columns begin with `session_`) that `token` opens, if any."""
    if not token:
        return None
    row = connection.execute(_with_account().where(sessions.c.token_hash == _hash(token))).first()
    if row is None or row.disabled_ms is not None:
        return None
    alive = row.session_expires_ms > now_ms and row.session_seen_ms > now_ms - rules.idle_ms
    return row if alive else None


def touch(connection: Connection, session_id: str, now_ms: int) -> None:
    """Write down that a session was used."""
    connection.execute(update(sessions).where(sessions.c.id == session_id).values(seen_ms=now_ms))


def factor_given(connection: Connection, session_id: str, now_ms: int) -> None:
    """Write down that the second factor was given again."""
    connection.execute(update(sessions).where(sessions.c.id == session_id).values(factor_ms=now_ms))


def of_user(
    connection: Connection, rules: Rules, user_id: str, token: str | None, now_ms: int
) -> list[SessionLine]:
    """Return an account's open sessions, the last used first."""
    query = (
        select(sessions)
        .where(sessions.c.user_id == user_id, sessions.c.stage == OPEN, ~_over(rules, now_ms))
        .order_by(sessions.c.seen_ms.desc(), sessions.c.id)
    )
    mine = _hash(token) if token else ""
    return [
        SessionLine(
            row.id,
            row.browser,
            row.created_ms,
            row.seen_ms,
            min(row.expires_ms, row.seen_ms + rules.idle_ms),
            row.token_hash == mine,
        )
        for row in connection.execute(query)
    ]


def end(connection: Connection, user_id: str, session_id: str | None = None, keep: str | None = None) -> int:
    """End one session of an account, or all of them but the one whose token is `keep`; return how many."""
    gone = delete(sessions).where(sessions.c.user_id == user_id)
    if session_id is not None:
        gone = gone.where(sessions.c.id == session_id)
    if keep:
        gone = gone.where(sessions.c.token_hash != _hash(keep))
    return connection.execute(gone).rowcount


def _over(rules: Rules, now_ms: int) -> Any:
    return (sessions.c.expires_ms <= now_ms) | (sessions.c.seen_ms <= now_ms - rules.idle_ms)


def _with_account() -> Select[Any]:
    told = ("id", "stage", "created_ms", "seen_ms", "factor_ms", "expires_ms")
    columns = [sessions.c[name].label(f"session_{name}") for name in told]
    return select(users, *columns).join(sessions, sessions.c.user_id == users.c.id)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
