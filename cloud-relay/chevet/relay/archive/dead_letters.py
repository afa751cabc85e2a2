"""What was refused, kept with its reason: nothing is dropped silently, and garbage cannot fill the disk."""

import hashlib
import os
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from chevet.relay.archive.schema import dead_letters
from chevet.study.ids import RANDOM_BYTES, uuid7

MAX_LETTERS = 1000
"""Letters kept; the oldest goes when another comes."""
MAX_PAYLOAD = 64 * 1024
"""Bytes kept of one letter."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One refused thing. `id` is the bundle's where it is known; `times` counts repeats of the same bytes."""

    id: str
    site: str
    reason: str
    at_ms: int
    times: int


def bury(
    connection: Connection, now_ms: int, site: str, payload: bytes, reason: str, bundle_id: str = ""
) -> None:
    """Keep one refused payload; the same bytes, site and reason again are counted, not repeated."""
    sha256 = hashlib.sha256(payload).hexdigest()
    same = (
        dead_letters.c.site == site,
        dead_letters.c.reason == reason,
        dead_letters.c.sha256 == sha256,
    )
    again = connection.execute(
        update(dead_letters).where(*same).values(times=dead_letters.c.times + 1, at_ms=now_ms)
    )
    if again.rowcount:
        return
    _make_room(connection)
    connection.execute(
        insert(dead_letters).values(
            id=uuid7(now_ms, os.urandom(RANDOM_BYTES)),
            site=site,
            bundle_id=bundle_id,
            reason=reason,
            payload=payload[:MAX_PAYLOAD],
            sha256=sha256,
            at_ms=now_ms,
            times=1,
        )
    )


def letters(connection: Connection) -> list[DeadLetter]:
    """Return what was refused, newest first."""
    rows = connection.execute(select(dead_letters).order_by(dead_letters.c.at_ms.desc()))
    return [DeadLetter(row.bundle_id or row.id, row.site, row.reason, row.at_ms, row.times) for row in rows]


def _make_room(connection: Connection) -> None:
    if connection.execute(select(func.count()).select_from(dead_letters)).scalar_one() < MAX_LETTERS:
        return
    oldest = select(dead_letters.c.id).order_by(dead_letters.c.at_ms).limit(1).scalar_subquery()
    connection.execute(delete(dead_letters).where(dead_letters.c.id == oldest))
