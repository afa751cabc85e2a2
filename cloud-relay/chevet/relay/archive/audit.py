"""Who did what, when: an append-only chain in which every record vouches for the one before.

The links are HMAC-SHA256 under the relay's audit key, so a changed, removed or inserted record is found
even if whoever did it could compute hashes. Records name people and things by id; they never hold patient
data.
"""

import hmac
import json
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from chevet.relay.archive.schema import audit, audit_head

FIRST = "0" * 64
"""What the first record has for "previous"."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The first record that does not fit its chain.

    Attributes:
        seq: its number, from 1 on.
        why: "changed", "missing" or "cut off".
    """

    seq: int
    why: str


@dataclass(frozen=True, slots=True)
class Record:
    """One record as people read it; `at_ms` is Unix ms."""

    seq: int
    at_ms: int
    who: str
    what: str
    subject: str
    detail: str


class Audit:
    """Appends to and verifies the chain in one database."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def add(
        self, connection: Connection, at_ms: int, who: str, what: str, subject: str = "", detail: str = ""
    ) -> None:
        """Append one record in the caller's write transaction.

        Args:
            connection: a write transaction: the record lives or dies with what it tells of.
            at_ms: Unix ms.
            who: user id, "site:code", "operator" or "relay".
            what: coded word such as "case.open".
            subject: id of what was touched.
            detail: coded detail, never patient data.
        """
        head = connection.execute(select(audit_head)).one()
        seq = head.seq + 1
        mac = self._mac(seq, at_ms, who, what, subject, detail, head.mac)
        connection.execute(
            insert(audit).values(
                seq=seq,
                at_ms=at_ms,
                who=who,
                what=what,
                subject=subject,
                detail=detail,
                previous=head.mac,
                mac=mac,
            )
        )
        connection.execute(update(audit_head).values(seq=seq, mac=mac))

    def verify(self, connection: Connection) -> Broken | None:
        """Walk the whole chain and return the first record that does not fit, or None."""
        previous, expected = FIRST, 1
        for row in connection.execute(select(audit).order_by(audit.c.seq)):
            if row.seq != expected:
                return Broken(expected, "missing")
            mac = self._mac(row.seq, row.at_ms, row.who, row.what, row.subject, row.detail, previous)
            if row.previous != previous or not hmac.compare_digest(mac, row.mac):
                return Broken(row.seq, "changed")
            previous, expected = row.mac, expected + 1
        head = connection.execute(select(audit_head)).one()
        return None if (head.seq, head.mac) == (expected - 1, previous) else Broken(expected, "cut off")

    def _mac(self, *fields: str | int) -> str:
        text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        return hmac.new(self._key, text.encode(), "sha256").hexdigest()


def records(
    connection: Connection,
    *,
    subject: str = "",
    who: str = "",
    from_seq: int | None = None,
    most: int = 100,
) -> list[Record]:
    """Return records in their order: the first from a number on, else the newest that fit."""
    query = select(audit).limit(most)
    query = query.where(audit.c.subject == subject) if subject else query
    query = query.where(audit.c.who == who) if who else query
    if from_seq is not None:
        query = query.where(audit.c.seq >= from_seq).order_by(audit.c.seq)
    else:
        query = query.order_by(audit.c.seq.desc())
    rows = connection.execute(query).all()
    found = [Record(row.seq, row.at_ms, row.who, row.what, row.subject, row.detail) for row in rows]
    return found if from_seq is not None else found[::-1]
