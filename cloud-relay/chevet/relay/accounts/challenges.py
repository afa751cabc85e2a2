"""What was asked of a browser: random, for one session or sign-in try and one purpose, and taken once."""

import hashlib
import secrets

from sqlalchemy import Connection, delete, insert

from chevet.relay.accounts.rules import MINUTE_MS
from chevet.relay.archive.schema_sign_in import challenges

CHALLENGE_BYTES = 32
LIFE_MS = 5 * MINUTE_MS
"""Web Authentication, level 3, section 15.1: 5 minutes where the person is verified."""


def of_session(session_id: str, purpose: str) -> str:
    """Return the holder of what is asked of an open or half-open session."""
    return _hash(f"session {purpose} {session_id}")


def of_try(token: str, purpose: str) -> str:
    """Return the holder of what is asked of a browser that has no session; `token` is its cookie's."""
    return _hash(f"try {purpose} {token}")


def ask(connection: Connection, holder: str, now_ms: int, life_ms: int = LIFE_MS) -> bytes:
    """Make a challenge; an older one of the same holder is void.

    Args:
        connection: a write transaction.
        holder: of `of_session` or `of_try`.
        now_ms: Unix ms.
        life_ms: how long it may be answered.
    """
    connection.execute(
        delete(challenges).where((challenges.c.holder == holder) | (challenges.c.expires_ms <= now_ms))
    )
    value = secrets.token_bytes(CHALLENGE_BYTES)
    row = {"holder": holder, "value": value, "expires_ms": now_ms + life_ms}
    connection.execute(insert(challenges).values(**row))
    return value


def take(connection: Connection, holder: str, now_ms: int) -> bytes | None:
    """Return what was asked of a holder and forget it; None where nothing was, or too long ago."""
    gone = delete(challenges).where(challenges.c.holder == holder)
    row = connection.execute(gone.returning(challenges.c.value, challenges.c.expires_ms)).first()
    return row.value if row is not None and row.expires_ms > now_ms else None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
