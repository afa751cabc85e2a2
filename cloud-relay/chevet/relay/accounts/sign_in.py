"""Signing in: sessions, and the brake on guessing.

A session is 256 random bits in the browser's cookie; the archive keeps only their hash, so a stolen
database opens no session. After five wrong passwords in a row an account refuses for a minute, whether it
exists or not.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, func, insert, select

from chevet.relay.accounts.passwords import MAX_PASSWORD, Passwords
from chevet.relay.accounts.users import User, from_row
from chevet.relay.archive.audit import Audit
from chevet.relay.archive.database import Database
from chevet.relay.archive.schema import Found, failures, sessions, users
from chevet.relay.errors import RefusedError

SESSION_MS = 12 * 3600 * 1000
MAX_FAILURES = 5
PAUSE_MS = 60_000
TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Signed:
    """A fresh session: `token` goes into the cookie and is stored nowhere."""

    user: User
    token: str


class SignIn:
    """Checks passwords and sessions against one archive."""

    def __init__(
        self, database: Database, audit: Audit, passwords: Passwords, now_ms: Callable[[], int]
    ) -> None:
        self._database = database
        self._audit = audit
        self._passwords = passwords
        self._now_ms = now_ms

    def sign_in(self, user_id: str, password: str) -> Signed:
        """Open a session.

        Raises:
            RefusedError: 401 `wrong_password`, 429 `too_many_attempts`.
        """
        row = self._checked(user_id, password)
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._now_ms()
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires_ms <= now))
            connection.execute(
                insert(sessions).values(
                    token_hash=_hash(token), user_id=row.id, created_ms=now, expires_ms=now + SESSION_MS
                )
            )
            self._audit.add(connection, now, row.id, "session.open")
        return Signed(from_row(row), token)

    def user(self, token: str | None) -> User | None:
        """Return who holds the session of `token`, or None when it is over or unknown."""
        if not token:
            return None
        query = (
            select(users)
            .join(sessions, sessions.c.user_id == users.c.id)
            .where(sessions.c.token_hash == _hash(token), sessions.c.expires_ms > self._now_ms())
            .where(users.c.disabled_ms.is_(None))
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return from_row(row) if row else None

    def sign_out(self, token: str, user: User) -> None:
        """End the session of `token`."""
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.token_hash == _hash(token)))
            self._audit.add(connection, self._now_ms(), user.id, "session.close")

    def signing_key(self, user: User, password: str) -> Ed25519PrivateKey:
        """Unlock the user's signing key; wrong passwords count as at sign-in.

        Raises:
            RefusedError: 401 `wrong_password`, 429 `too_many_attempts`.
        """
        row = self._checked(user.id, password)
        key = self._passwords.unlock(row.locked_key, password)
        if key is None:
            raise _wrong()
        return key

    def _checked(self, user_id: str, password: str) -> Found:
        tried = _hash(user_id)
        row = self._count_try(tried, user_id)
        alive = row is not None and row.disabled_ms is None
        right = self._passwords.check(row.password_hash if row and alive else None, password[:MAX_PASSWORD])
        with self._database.write() as connection:
            if right:
                connection.execute(delete(failures).where(failures.c.user_hash == tried))
            else:
                known = row.id if row else ""
                self._audit.add(connection, self._now_ms(), "unknown", "session.wrong_password", known)
        if not right or row is None:
            raise _wrong()
        return row

    def _count_try(self, tried: str, user_id: str) -> Found | None:
        """Count a try as failed before its password is looked at, so that parallel guesses gain nothing."""
        now = self._now_ms()
        recent = select(func.count()).where(failures.c.user_hash == tried, failures.c.at_ms > now - PAUSE_MS)
        with self._database.write() as connection:
            if connection.execute(recent).scalar_one() >= MAX_FAILURES:
                raise RefusedError(
                    429, "too_many_attempts", "Too many wrong passwords: wait one minute, then try again."
                )
            connection.execute(insert(failures).values(user_hash=tried, at_ms=now))
            return connection.execute(select(users).where(users.c.id == user_id)).first()


def _wrong() -> RefusedError:
    return RefusedError(
        401,
        "wrong_password",
        "The user or the password is wrong: try again, or ask the operator.",
        "password",
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
