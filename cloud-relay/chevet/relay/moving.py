"""Moving an archive: to another database, to another store of objects, or both, while no relay works on it.

Objects go first, each checked against its name at both ends; what is there already from a move that was cut
off is only checked. Then the whole database goes in one transaction of the new one: its tables are made, the
rows copied and read back, counted and hashed, and only then is anything of it there. The old archive stays as
it was.
"""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy import Connection, Table, delete, func, insert, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from chevet.relay.archive.audit import Audit
from chevet.relay.archive.database import Database
from chevet.relay.archive.engines import gather
from chevet.relay.archive.erased import held
from chevet.relay.archive.lease import Lease
from chevet.relay.archive.objects import Objects
from chevet.relay.archive.schema import metadata
from chevet.relay.errors import ArchiveError, SettingsError
from chevet.relay.keys import read_programme
from chevet.relay.relay import DATABASE_FILE, open_database, unix_ms
from chevet.relay.settings import Settings
from chevet.relay.stores import open_objects

ROWS: Final = 500
"""Rows held in memory at a time; the largest are chunks of 4 KiB."""
LANES: Final = 8
"""Objects under way at a time: a store on the network answers each of them after a while."""
WHOLE: Final = 1 << 256
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Moved:
    """What came of a move.

    Attributes:
        rows: by table, how many were copied; empty where the database stays.
        objects: how many are in the new store, whole; 0 where the store stays.
        missing: names of objects that were missing or damaged already.
        audit_broken_at: the first audit record that does not hold, 0 where all do.
    """

    rows: dict[str, int]
    objects: int
    missing: tuple[str, ...]
    audit_broken_at: int


def move(
    settings: Settings,
    to: Settings,
    told: Progress,
    *,
    leave_missing: bool = False,
    now_ms: Callable[[], int] = unix_ms,
) -> Moved:
    """Move the archive that `settings` name to where `to` names it.

    Raises:
        SettingsError: there is nothing to move, the new database is not empty, a relay still runs, or the
            keys are of another programme.
        ArchiveError: the old archive is damaged, or the new one did not keep what it was given.
        StoreAwayError: a store does not answer; the same command goes on where this one stopped.
    """
    keys = read_programme(settings.keys)
    if read_programme(to.keys).audit != keys.audit:
        raise SettingsError("keys", f"{to.keys} are the keys of another programme: name the same keys.")
    stores = open_objects(settings), open_objects(to)
    database, store = _place(settings) != _place(to), stores[0].place != stores[1].place
    if not database and not store:
        raise SettingsError(
            "database", "Both configurations name the same archive: there is nothing to move."
        )
    if database:
        _refuse_full(to)
    with closing(open_database(settings)) as source, _held(source, now_ms()) as view:
        names = list(view.execute(held()).scalars()) if store else []
        missing = _move_objects(names, *stores, told, leave_missing=leave_missing) if store else ()
        rows = _move_database(view, to, told) if database else {}
        broken = Audit(keys.audit).verify(view)
    return Moved(rows, len(names) - len(missing), missing, broken.seq if broken else 0)


def _place(settings: Settings) -> str:
    return settings.database or str((settings.archive / DATABASE_FILE).resolve())


def _refuse_full(to: Settings) -> None:
    """Refuse a database that holds something, before the objects go; a move that was cut off left nothing."""
    if not to.database and not (to.archive / DATABASE_FILE).exists():
        return
    with closing(open_database(to)) as target, target.read() as view:
        _refuse_tables(target, view)


def _refuse_tables(target: Database, view: Connection) -> None:
    if target.engine.dialect.get_table_names(view):
        raise SettingsError(
            "database", f"{target.name} holds tables already: move into an empty folder or database."
        )


@contextmanager
def _held(source: Database, now_ms: int) -> Iterator[Connection]:
    """Give the old archive, at this version and with every other writer kept out until the end."""
    if source.path is not None and not source.path.exists():
        raise SettingsError("archive", f"There is no archive at {source.path}: nothing to move.")
    source.migrate()
    with source.write() as view:
        holder = Lease.holder(view, now_ms)
        if holder:
            raise SettingsError(
                "worker", f"A relay still works on this archive ({holder}): stop every one, then move."
            )
        yield view


def _move_objects(
    names: list[str], source: Objects, target: Objects, told: Progress, *, leave_missing: bool
) -> tuple[str, ...]:
    """Copy every object; return the names of those that the old store lacks."""
    target.ready()
    missing = []
    pool = ThreadPoolExecutor(LANES, "move")
    try:
        for number, (name, good) in enumerate(
            zip(names, pool.map(partial(_copied, source, target), names), strict=True)
        ):
            if number % 1000 == 0:
                told(f"object {number} of {len(names)}")
            if not good:
                missing.append(name)
    finally:
        pool.shutdown(cancel_futures=True)
    if missing and not leave_missing:
        raise ArchiveError(
            f"{len(missing)} objects are missing or damaged at {source.place}, such as {missing[0]}: restore "
            "them from the backup, or move without them by --leave-missing."
        )
    return tuple(missing)


def _copied(source: Objects, target: Objects, name: str) -> bool:
    """Have one object in the new store; False where the old one lacks it."""
    if target.has(name):
        target.get(name)  # of a move before this one: it must be whole
        return True
    try:
        data = source.get(name)
    except ArchiveError:
        return False
    target.put(data)
    return True


def _move_database(view: Connection, to: Settings, told: Progress) -> dict[str, int]:
    """Copy every row in one transaction of the new database, and read them back before it ends."""
    with closing(open_database(to)) as target, target.write() as connection:
        _refuse_tables(target, connection)
        target.upgrade(connection)
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))  # rows that an empty archive begins with
        rows = {}
        for table in metadata.sorted_tables:
            told(f"table {table.name}")
            rows[table.name] = _copy_table(view, connection, table, target.name)
        if target.path is None:
            _go_on_counting(connection)
        gather(connection)
    return rows


def _copy_table(view: Connection, connection: Connection, table: Table, place: str) -> int:
    """Copy one table; return its rows, found equal in number and content at the other end.

    Raises:
        ArchiveError: they are not, or it cannot keep one.
    """
    sent = _Sum()
    try:
        copied = view.execute(select(table), execution_options={"yield_per": ROWS}).mappings()
        for part in copied.partitions():
            connection.execute(insert(table), [dict(one) for one in part])
            for one in part:
                sent.add(tuple(one.values()))
    except OperationalError:
        raise
    except (DBAPIError, TypeError, ValueError):  # the last two where a driver finds out by itself
        raise ArchiveError(
            f"Table {table.name} holds a value that {place} cannot keep, such as a text with a zero byte: "
            "the old archive stays as it is."
        ) from None
    kept = _Sum()
    for row in connection.execute(select(table), execution_options={"yield_per": ROWS}):
        kept.add(tuple(row))
    if (sent.rows, sent.value) != (kept.rows, kept.value):
        raise ArchiveError(
            f"Table {table.name} came out different at {place} ({sent.rows} rows sent, {kept.rows} there): "
            "the old archive stays as it is."
        )
    return sent.rows


class _Sum:
    """The hash of rows in whatever order they come: two databases sort texts differently."""

    def __init__(self) -> None:
        self.rows, self.value = 0, 0

    def add(self, row: tuple[object, ...]) -> None:
        self.rows += 1
        self.value = (self.value + int.from_bytes(hashlib.sha256(repr(row).encode()).digest(), "big")) % WHOLE


def _go_on_counting(connection: Connection) -> None:
    """Let PostgreSQL's counters go on after the highest number that came in."""
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None:
            continue
        highest = connection.execute(select(func.max(column))).scalar()
        connection.execute(
            text("SELECT setval(pg_get_serial_sequence(:table, :column), :highest, :used)"),
            {
                "table": f'"{table.name}"',
                "column": column.name,
                "highest": highest or 1,
                "used": bool(highest),
            },
        )
