"""Backup beside a working relay, and restore into an empty archive.

A backup is a folder: the database as it was at one moment, every object that moment knows, and a sheet that
says what there is. The database is taken first: an object is never changed, so whatever the database names is
there, unless the case was destroyed since. Objects are copied under their names, which are their hashes.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Select, select

from chevet.relay.archive.database import Database
from chevet.relay.archive.engines import PG_CLIENTS, gather
from chevet.relay.archive.erased import held
from chevet.relay.archive.objects import ObjectFolder, Objects
from chevet.relay.archive.schema import objects
from chevet.relay.errors import ArchiveError, SettingsError
from chevet.relay.relay import DATABASE_FILE, Relay, open_database, open_relay
from chevet.relay.settings import Settings
from chevet.relay.stores import OBJECTS_FOLDER, open_objects

SHEET: Final = "backup.json"
DUMP: Final = "relay.dump"
VERSION: Final = 1
NAMED: Final = select(objects.c.name).where(objects.c.name.is_not(None)).distinct().order_by(objects.c.name)
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a backup holds; `gone` objects were destroyed between the database's moment and theirs."""

    v: int
    database: str
    sha256: str
    taken_ms: int
    objects: int
    bytes: int
    gone: int


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of a restore; `missing` names objects that are not in the backup, or damaged there."""

    objects: int
    missing: tuple[str, ...]
    audit_broken_at: int


def backup(relay: Relay, to: Path, told: Progress) -> Sheet:
    """Bring the backup in the folder `to` up to date; an earlier one there stays whole until this one is.

    Raises:
        SettingsError: the folder holds something else, or cannot be written.
        ArchiveError: the archive cannot be read.
    """
    _ours(to)
    try:
        to.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = DATABASE_FILE if relay.database.path else DUMP
        draft = to / f".{name}.new"
        told("taking the database")
        _snapshot(relay, draft)
        names = _names_in(relay, draft)
        store = ObjectFolder(to / OBJECTS_FOLDER)
        gone = sum(not _copied(relay, store, one) for one in _counted(names, told))
        _synced(draft)
        draft.replace(to / name)
        _prune(to / OBJECTS_FOLDER, names)
        sheet = _sheet(to, name, relay.now_ms(), gone)
        _write(to / SHEET, json.dumps(asdict(sheet), indent=2).encode())
    except OSError as error:
        raise SettingsError(
            str(to), f"Cannot write in {to} ({error.strerror}): check folder and room."
        ) from None
    return sheet


def restore(settings: Settings, source: Path, told: Progress) -> Restored:
    """Put a backup into the archive that `settings` name, which must be empty.

    Raises:
        SettingsError: there is no backup, or the archive is not empty, or is of the other kind.
        ArchiveError: the backup is damaged.
    """
    sheet = read_sheet(source)
    dumped = source / sheet.database
    if _sha256(dumped) != sheet.sha256:
        raise ArchiveError(f"{dumped} is not what was backed up: take an earlier backup.")
    _empty(settings)
    open_objects(settings).ready()  # a wrong bucket is found out before the database is there
    told("putting the database back")
    if sheet.database == DUMP:
        _put_back_postgresql(settings, dumped)
    else:
        _put_back_sqlite(settings, dumped)
    relay = open_relay(settings)
    try:
        with relay.database.write() as connection:
            gather(connection)
        names = _names_of(relay.database, held())
        store = ObjectFolder(source / OBJECTS_FOLDER)
        missing = tuple(one for one in _counted(names, told) if not _put_back(store, relay.objects, one))
        with relay.database.read() as connection:
            broken = relay.audit.verify(connection)
    finally:
        relay.close()
    return Restored(len(names) - len(missing), missing, broken.seq if broken else 0)


def read_sheet(source: Path) -> Sheet:
    """Return the sheet of a backup.

    Raises:
        SettingsError: there is none that this version can read.
    """
    try:
        sheet = Sheet(**json.loads((source / SHEET).read_bytes()))
    except (OSError, ValueError, TypeError):
        raise SettingsError(
            str(source), f"There is no whole backup in {source}: see `{SHEET}` there."
        ) from None
    if sheet.v != VERSION or sheet.database not in (DATABASE_FILE, DUMP):
        raise SettingsError(str(source), f"The backup in {source} is of a newer version: use that version.")
    return sheet


def _ours(to: Path) -> None:
    known = {SHEET, DATABASE_FILE, DUMP, OBJECTS_FOLDER}
    strange = [one.name for one in to.iterdir() if one.name not in known] if to.is_dir() else []
    if any(not name.startswith(".relay.") for name in strange):
        raise SettingsError(
            str(to), f"{to} holds other things ({strange[0]}): give the backup its own folder."
        )


def _snapshot(relay: Relay, draft: Path) -> None:
    draft.unlink(missing_ok=True)
    if relay.database.path is None:
        _pg(relay.settings, "pg_dump", "--format=custom", "--no-owner", f"--file={draft}")
        draft.chmod(0o600)
        return
    os.close(os.open(draft, os.O_CREAT | os.O_WRONLY, 0o600))
    source, target = sqlite3.connect(relay.database.path), sqlite3.connect(draft)
    try:
        source.backup(target)  # in one go: a writer meanwhile is kept waiting for it, not mixed in
        target.execute("PRAGMA journal_mode=DELETE")  # one file, no companions
        if target.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise ArchiveError(
                f"The database at {relay.database.path} is damaged: restore an earlier backup."
            )
    except sqlite3.Error as error:
        raise ArchiveError(f"The database at {relay.database.path} cannot be copied ({error}).") from None
    finally:
        source.close()
        target.close()


def _names_in(relay: Relay, draft: Path) -> list[str]:
    """Return the objects of the moment: of the copy itself where it can be read, else of now."""
    if relay.database.path is None:
        return _names_of(relay.database, NAMED)  # later than the dump, so it may name more, never less
    copy = sqlite3.connect(draft)
    try:
        rows = copy.execute("SELECT DISTINCT name FROM object WHERE name IS NOT NULL ORDER BY name")
        return [name for (name,) in rows]
    finally:
        copy.close()


def _names_of(database: Database, query: Select[str]) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(query).scalars())


def _counted(names: list[str], told: Progress) -> Iterator[str]:
    for number, name in enumerate(names):
        if number % 1000 == 0:
            told(f"object {number} of {len(names)}")
        yield name


def _copied(relay: Relay, store: Objects, name: str) -> bool:
    """Copy one object where it is not there yet; False where it was destroyed, or is about to be."""
    if store.has(name):
        return True
    try:
        data = relay.objects.get(name)
    except ArchiveError:
        if name in _names_of(relay.database, held()):
            raise
        return False
    store.put(data)
    return True


def _put_back(source: Objects, into: Objects, name: str) -> bool:
    try:
        into.put(source.get(name))
    except ArchiveError:
        return False
    return True


def _prune(folder: Path, names: list[str]) -> None:
    """Take away what the archive no longer has: a destruction reaches the backup too."""
    kept = set(names)
    for path in folder.glob("??/*"):
        if path.name not in kept:
            path.unlink()


def _sheet(to: Path, name: str, now_ms: int, gone: int) -> Sheet:
    sizes = [path.stat().st_size for path in (to / OBJECTS_FOLDER).glob("??/*")]
    return Sheet(VERSION, name, _sha256(to / name), now_ms, len(sizes), sum(sizes), gone)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArchiveError(f"Cannot read {path} ({error.strerror}): take an earlier backup.") from None


def _empty(settings: Settings) -> None:
    database = None if settings.database else settings.archive / DATABASE_FILE
    if database is not None and database.exists():
        raise SettingsError("archive", f"{settings.archive} holds an archive: restore into an empty folder.")
    if settings.database:
        found = open_database(settings)
        try:
            with found.read() as connection:
                if found.engine.dialect.get_table_names(connection):
                    raise SettingsError("database", "That database holds tables: restore into an empty one.")
        finally:
            found.close()


def _put_back_sqlite(settings: Settings, dumped: Path) -> None:
    if settings.database:
        raise SettingsError("database", "This backup is of SQLite: unset `database` to restore it.")
    try:
        settings.archive.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = settings.archive / f".{DATABASE_FILE}.new"
        shutil.copyfile(dumped, draft)
        draft.chmod(0o600)
        _synced(draft)
        draft.replace(settings.archive / DATABASE_FILE)
    except OSError as error:
        raise SettingsError("archive", f"Cannot write in {settings.archive} ({error.strerror}).") from None


def _put_back_postgresql(settings: Settings, dumped: Path) -> None:
    if not settings.database:
        raise SettingsError("database", "This backup is of PostgreSQL: set `database` to an empty one.")
    _pg(settings, "pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", str(dumped))


def _pg(settings: Settings, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs on the archive's database; a password goes by the environment."""
    newest = sorted(PG_CLIENTS.glob("*/bin"), key=lambda one: int(one.parent.name), reverse=True)
    known = (folder / program for folder in newest)
    found = next((one for one in known if one.exists()), shutil.which(program))
    if found is None:
        raise SettingsError("database", f"{program} is not here: apt-get install postgresql-client.")
    password = settings.secret("database_password_file")
    more = {"PGPASSWORD": password} if password else {}
    where = settings.database.replace("+psycopg", "", 1)
    done = subprocess.run(
        [str(found), f"--dbname={where}", *arguments],
        env=os.environ | more,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word why"])[-1]
        raise ArchiveError(f"{program} failed: {last}")


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(f".relay.{path.name}.new")
    draft.write_bytes(data)
    _synced(draft)
    draft.replace(path)


def _synced(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
