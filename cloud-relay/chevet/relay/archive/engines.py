"""The two databases an archive may stand on, made to keep the same promises.

One writer at a time, readers held up by nobody, a commit that is on the disk: SQLite gives that by itself.
On PostgreSQL a write transaction takes one advisory lock, because numbers and the audit chain are read and
then written on; and text columns have no length there either, so that both take the same things in.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, String, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, OperationalError
from sqlalchemy.ext.compiler import compiles

from chevet.relay.errors import ArchiveError, DiskFullError, RefusedError, SettingsError

BUSY_S = 30.0
"""How long one worker waits for another's write transaction before it gives up."""
WRITES = "chevet_writes"
DAMAGED = ("malformed", "not a database")
POSTGRESQL = "postgresql+psycopg"
LOCK = 0x63686576
"""The advisory lock of a write transaction, "chev": one for the whole archive."""
PG_DISK_FULL = "53100"
POOL = 16
PG_CLIENTS = Path("/usr/lib/postgresql")
"""Where Debian keeps the server's own programs, one folder a version."""


def sqlite_engine(path: Path) -> Engine:
    """Return the engine of a file, its folder made where missing.

    Raises:
        ArchiveError: the folder cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise from_os(str(path), error) from None
    # hide_parameters: an error text would otherwise quote the values it could not store
    engine = create_engine(
        f"sqlite:///{path}", connect_args={"timeout": BUSY_S}, hide_parameters=True, pool_size=POOL
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def postgresql_engine(url: str, password: str | None) -> Engine:
    """Return the engine of a PostgreSQL database.

    Raises:
        SettingsError: the address is no address, or psycopg is not installed.
    """
    try:
        where = make_url(url)
    except ArgumentError:
        raise SettingsError("database", f"`database` is no address: {POSTGRESQL}://user@host/name.") from None
    try:
        engine = create_engine(
            where.set(password=password) if password else where,
            hide_parameters=True,
            pool_size=POOL,
            pool_pre_ping=True,  # it may be restarted under us
            connect_args={"options": f"-c lock_timeout={int(BUSY_S * 1000)}", "connect_timeout": 10},
        )
    except ImportError:
        raise SettingsError("database", "PostgreSQL needs psycopg: pip install 'psycopg[binary]'.") from None
    event.listen(engine, "begin", _lock)
    return engine


def shown(url: str) -> str:
    """Return a database's address as an error may name it: without a password."""
    return make_url(url).render_as_string(hide_password=True)


@compiles(String, "postgresql")
def _text(*_arguments: Any, **_options: Any) -> str:
    return "TEXT"


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not open transactions by itself
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # a read that turns into a write fails at once under contention; a write says so from the start and waits
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _lock(connection: Connection) -> None:
    if connection.get_execution_options().get(WRITES):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")


def gather(connection: Connection) -> None:
    """Have PostgreSQL look at what came in now, not at its next round; SQLite needs nothing.

    Its plans are guesses before. Without it the inbox of 50,000 cases took 0.5 s instead of 0.1 s.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ANALYZE")


@contextmanager
def mapped(name: str, folder: str) -> Iterator[None]:
    """Tell what goes wrong inside in our own words; `folder` is what is full when a disk is."""
    try:
        yield
    except OSError as error:
        raise from_os(name, error) from None
    except DataError:
        raise RefusedError(422, "invalid", "A field holds what cannot be kept: leave it out.") from None
    except DatabaseError as error:
        text = str(error.orig).strip()
        if "full" in text or getattr(error.orig, "sqlstate", "") == PG_DISK_FULL:
            raise DiskFullError(folder) from None
        if isinstance(error, OperationalError) or any(word in text for word in DAMAGED):
            raise ArchiveError(
                f"The archive at {name} cannot be used ({text}): check the disk, or restore."
            ) from None
        raise


def from_os(name: str, error: OSError) -> ArchiveError | DiskFullError:
    """Return our word for what the operating system refused."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError(str(Path(name).parent))
    return ArchiveError(f"Cannot use {name} ({error.strerror}): check its folder's owner and the disk.")
