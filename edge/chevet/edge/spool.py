"""Sealed bundles on the box's disk until the relay's COMPLETE settles them: the exchange's Outbox.

A bundle is durable when `put` returns, and its bytes never change: what is sent again is what was sent.
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from chevet.edge.database import Database, Migration
from chevet.exchange.manifest import digest
from chevet.exchange.sealing import Sealed

PAGE = 64 * 1024
"""Objects lie in pages of this size, so that a chunk is read without loading megabytes."""
LISTED_AT_ONCE = 100
"""Manifests are kept for good: those of years are not held in memory at once."""
PENDING, SETTLED, REFUSED = "pending", "settled", "refused"
DAY_MS = 24 * 3600 * 1000

MIGRATIONS: tuple[Migration, ...] = (
    (
        "0001 bundles and pages",
        """
        CREATE TABLE bundles (
            tid BLOB PRIMARY KEY, id TEXT NOT NULL UNIQUE, put_ms INTEGER NOT NULL, state TEXT NOT NULL,
            manifest BLOB NOT NULL, bytes INTEGER NOT NULL, receipt BLOB, settled_ms INTEGER,
            reason TEXT NOT NULL DEFAULT '', dropped INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE TABLE pages (
            tid BLOB NOT NULL REFERENCES bundles (tid), oid INTEGER NOT NULL, page INTEGER NOT NULL,
            data BLOB NOT NULL, PRIMARY KEY (tid, oid, page)
        ) STRICT;
        CREATE TABLE numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
        INSERT INTO numbers VALUES ('seq', 0)
        """,
    ),
)


@dataclass(frozen=True, slots=True)
class Spooled:
    """One bundle in the spool; `reason` says why it was refused, "" otherwise."""

    id: str
    tid: bytes
    state: str
    put_ms: int
    bytes: int
    reason: str


class Spool:
    """The outgoing bundles of this box."""

    def __init__(self, path: Path, now_ms: Callable[[], int], retention_days: float = 7.0) -> None:
        """Open or create the spool, checked.

        Raises:
            StoreDamaged: it fails its integrity check.
        """
        self._database = Database(path, MIGRATIONS)
        self._now_ms = now_ms
        self._retention_ms = round(retention_days * DAY_MS)
        self.swept = self._sweep()

    def next_seq(self) -> int:
        """Return a number that this box never gave before, also after a power cut."""
        with self._database.write() as cursor:
            cursor.execute("UPDATE numbers SET value = value + 1 WHERE name = 'seq'")
            return int(cursor.execute("SELECT value FROM numbers WHERE name = 'seq'").fetchone()["value"])

    def put(self, sealed: Sealed) -> bool:
        """Store a bundle; it is on the disk when this returns. False when this id is here already.

        Raises:
            DiskFull: there is no room; nothing of it is kept.
        """
        size = len(sealed.manifest) + sum(len(item.data) for item in sealed.objects)
        with self._database.write() as cursor:
            cursor.execute(
                "INSERT OR IGNORE INTO bundles (tid, id, put_ms, state, manifest, bytes)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (sealed.tid, sealed.id, self._now_ms(), PENDING, sealed.manifest, size),
            )
            if not cursor.rowcount:
                return False
            for item in sealed.objects:
                pages = range(0, len(item.data), PAGE)
                cursor.executemany(
                    "INSERT INTO pages VALUES (?, ?, ?, ?)",
                    [(sealed.tid, item.oid, at // PAGE, item.data[at : at + PAGE]) for at in pages],
                )
        return True

    def pending(self) -> list[bytes]:
        """Return the manifests neither settled nor refused, oldest first."""
        rows = self._database.rows("SELECT manifest FROM bundles WHERE state = ? ORDER BY rowid", (PENDING,))
        return [row["manifest"] for row in rows]

    def pending_ids(self) -> list[str]:
        """Return the ids of bundles neither settled nor refused, oldest first."""
        rows = self._database.rows("SELECT id FROM bundles WHERE state = ? ORDER BY rowid", (PENDING,))
        return [row["id"] for row in rows]

    def read(self, tid: bytes, oid: int, start: int, size: int) -> bytes:
        """Return `size` ciphertext bytes of an object from `start` on."""
        first, last = start // PAGE, (start + size - 1) // PAGE
        rows = self._database.rows(
            "SELECT data FROM pages WHERE tid = ? AND oid = ? AND page BETWEEN ? AND ? ORDER BY page",
            (tid, oid, first, last),
        )
        data = b"".join(row["data"] for row in rows)
        return data[start - first * PAGE : start - first * PAGE + size]

    def settle(self, tid: bytes, receipt: bytes) -> None:
        """Keep the relay's verified COMPLETE; the payload is dropped when its retention is over."""
        with self._database.write() as cursor:
            cursor.execute(
                "UPDATE bundles SET state = ?, receipt = ?, settled_ms = ? WHERE tid = ? AND state != ?",
                (SETTLED, receipt, self._now_ms(), tid, SETTLED),
            )

    def refuse(self, tid: bytes, reason: str) -> None:
        """Keep the bundle as a dead letter with its reason, for a person."""
        with self._database.write() as cursor:
            cursor.execute(
                "UPDATE bundles SET state = ?, reason = ? WHERE tid = ? AND state = ?",
                (REFUSED, reason, tid, PENDING),
            )

    def find(self, bundle_id: str) -> Spooled | None:
        """Return what is known of one bundle."""
        row = self._database.row("SELECT * FROM bundles WHERE id = ?", (bundle_id,))
        return None if row is None else _spooled(row)

    def ended(self) -> list[Spooled]:
        """Return the bundles settled or refused whose payload is still here, oldest first."""
        rows = self._database.rows(
            "SELECT * FROM bundles WHERE state != ? AND dropped = 0 ORDER BY rowid", (PENDING,)
        )
        return [_spooled(row) for row in rows]

    def waiting(self) -> list[Spooled]:
        """Return the bundles that are not at the relay: pending, oldest first, then refused ones."""
        rows = self._database.rows("SELECT * FROM bundles WHERE state != ? ORDER BY state, rowid", (SETTLED,))
        return [_spooled(row) for row in rows]

    def everything(self) -> Iterator[tuple[str, str, str]]:
        """Yield id, digest of the manifest (which names every byte) and state of all that this box knows."""
        last = 0
        while rows := self._database.rows(
            "SELECT rowid, id, manifest, state FROM bundles WHERE rowid > ? ORDER BY rowid LIMIT ?",
            (last, LISTED_AT_ONCE),
        ):
            for row in rows:
                yield row["id"], digest(row["manifest"]).hex(), row["state"]
            last = rows[-1]["rowid"]

    def again(self, bundle_id: str) -> bool:
        """Let a refused bundle be tried again, once a person removed the reason; False for no such one."""
        with self._database.write() as cursor:
            cursor.execute(
                "UPDATE bundles SET state = ?, reason = '' WHERE id = ? AND state = ?",
                (PENDING, bundle_id, REFUSED),
            )
            return bool(cursor.rowcount)

    def count(self, state: str = PENDING) -> int:
        """Return how many bundles are in a state."""
        row = self._database.row("SELECT COUNT(*) AS n FROM bundles WHERE state = ?", (state,))
        return int(row["n"]) if row else 0

    def drop_delivered(self) -> int:
        """Drop the payload of bundles settled longer ago than the retention; return how many.

        The receipt and the manifest stay: they prove the delivery.
        """
        return self._drop("settled_ms <= ?", self._now_ms() - self._retention_ms, limit=-1)

    def drop_oldest(self, most: int = 10) -> int:
        """Drop the payload of the oldest settled bundles before their time, for the disk fills up."""
        return self._drop("settled_ms IS NOT NULL OR ?", 1, limit=most)

    def forget(self, before_ms: int) -> int:
        """Forget dropped bundles settled before a time, receipts and all; return how many."""
        with self._database.write() as cursor:
            cursor.execute(
                "DELETE FROM bundles WHERE state = ? AND dropped = 1 AND settled_ms < ?"
                " AND rowid < (SELECT MAX(rowid) FROM bundles)",  # so that numbers are never given twice
                (SETTLED, before_ms),
            )
            return cursor.rowcount

    def _drop(self, which: str, value: int, limit: int) -> int:
        with self._database.write() as cursor:
            rows = cursor.execute(
                f"SELECT tid FROM bundles WHERE state = ? AND dropped = 0 AND ({which})"  # noqa: S608
                " ORDER BY rowid LIMIT ?",
                (SETTLED, value, limit),
            ).fetchall()
            for row in rows:
                cursor.execute("DELETE FROM pages WHERE tid = ?", (row["tid"],))
                cursor.execute("UPDATE bundles SET dropped = 1 WHERE tid = ?", (row["tid"],))
        if rows:
            self._database.give_back()
        return len(rows)

    def _sweep(self) -> int:
        """Delete pages that no bundle owns any more; return how many."""
        with self._database.write() as cursor:
            cursor.execute("DELETE FROM pages WHERE tid NOT IN (SELECT tid FROM bundles WHERE dropped = 0)")
            return cursor.rowcount

    def close(self) -> None:
        """Close; further calls fail."""
        self._database.close()


def _spooled(row: sqlite3.Row) -> Spooled:
    return Spooled(row["id"], row["tid"], row["state"], row["put_ms"], row["bytes"], row["reason"])
