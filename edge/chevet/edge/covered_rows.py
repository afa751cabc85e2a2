"""Which rows of the box's database are covered, and covering those of a box that was in the clear until now.

Ids, states and times stay readable, to find rows by; whatever is said about a person is covered. All of it
is brought forward in one transaction: a power cut leaves the whole store in the clear, or the whole covered.
"""

import sqlite3
from typing import Final

from chevet.edge.at_rest import DataKey
from chevet.edge.database import Database
from chevet.edge.errors import Covered

COLUMNS: Final = (
    ("workers", "name"),
    ("workers", "pin"),
    ("badges", "hash"),
    ("photos", "jpeg"),
    ("patients", "words"),
    ("visits", "words"),
    ("captures", "recording"),
    ("cases", "words"),
    ("imports", "words"),
    ("opinions", "packed"),
    ("messages", "packed"),
    ("voices", "ogg"),
)
"""Each table's rows are named by its column `id`."""


def place(table: str, column: str, row_id: str) -> str:
    """Return the place of a value, as it is authenticated with it."""
    return f"{table}.{column}:{row_id}"


def agree(database: Database, key: DataKey | None) -> None:
    """See that a store and a key belong together; cover what lies in the clear where there is a key.

    Raises:
        Covered: the store is covered, and not with this key; nothing was changed.
        DiskFull: no room; nothing was changed.
    """
    row = database.row("SELECT lock, scrubbed FROM covered")
    known = str(row["lock"]) if row else ""
    if known and key is None:
        raise Covered(f"{database.path} is covered with a key, and there is no lock.json beside it")
    if known and key is not None and known != key.lock:
        raise Covered(f"{database.path} is covered with another key than that of lock.json")
    if key is None:
        return
    if not known:
        _cover(database, key)
    if not row or not row["scrubbed"]:
        # What was in the clear must leave the file too; after a power cut it is done at the next start.
        database.scrub()
        with database.write() as cursor:
            cursor.execute("UPDATE covered SET scrubbed = 1")


def _cover(database: Database, key: DataKey) -> None:
    with database.write() as cursor:
        for table, column in COLUMNS:
            _cover_column(cursor, key, table, column)
        cursor.execute("INSERT INTO covered VALUES (?, 0)", (key.lock,))


def _cover_column(cursor: sqlite3.Cursor, key: DataKey, table: str, column: str) -> None:
    rows = cursor.execute(
        f"SELECT rowid, id, {column} AS value FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608 - our own words
    ).fetchall()
    for row in rows:
        where, value = place(table, column, row["id"]), row["value"]
        covered = key.cover_text(value, where) if isinstance(value, str) else key.cover(value, where)
        cursor.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (covered, row["rowid"]))  # noqa: S608
