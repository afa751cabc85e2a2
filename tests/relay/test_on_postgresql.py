"""The archive on PostgreSQL: the very tests that hold it on SQLite, and its migrations with data."""

import os
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Boolean, Float, Integer, LargeBinary, MetaData, insert, select, text

from chevet.relay.archive import database as databases
from chevet.relay.archive import duty
from chevet.relay.archive.database import Database
from chevet.relay.archive.schema import metadata
from chevet.relay.backup import backup, restore
from chevet.relay.errors import ArchiveError, RefusedError, SettingsError
from chevet.relay.moving import move
from chevet.relay.relay import open_relay
from chevet.relay.settings import Settings

from . import (
    test_accounts_and_audit,
    test_accounts_erasure,
    test_accounts_glass,
    test_answer_drafts,
    test_desk_cases,
    test_desk_drawings_and_stock,
    test_discussions,
    test_duty,
    test_impact_report,
    test_ingest,
    test_kept_cases,
    test_two_workers,
)
from .conftest import CHEAP, NOON, Clock, Recipient, Site, World
from .postgres_here import WHY_NOT, cluster, new_database, programs

SAME = (
    test_accounts_and_audit,
    test_accounts_erasure,
    test_desk_cases,
    test_duty,
    test_ingest,
)
if os.environ.get("CHEVET_STORES"):  # `make stores`: they would take too long in every run
    SAME += (
        test_accounts_glass,
        test_answer_drafts,
        test_desk_drawings_and_stock,
        test_discussions,
        test_impact_report,
        test_kept_cases,
        test_two_workers,
    )
OF_SQLITE = {
    "test_what_is_said_is_sealed_in_its_place_and_destroyed_with_the_case",
    "test_the_stock_command_reads_a_file",
}
"""What looks into the file itself, or writes a configuration that names one."""

for module in SAME:
    for name, one in vars(module).items():
        if name.startswith("test_") and callable(one) and name not in OF_SQLITE:
            globals()[f"{name}_on_postgresql"] = one
        elif type(one).__name__ == "FixtureFunctionDefinition":
            globals().setdefault(name, one)


@pytest.fixture(scope="session")
def postgresql():
    """The address of a cluster with one database that has every table."""
    if programs() is None:
        pytest.skip(WHY_NOT)
    with cluster() as address:
        first = Database(new_database(address, "template_chevet"))
        first.migrate()
        first.close()
        yield address


@pytest.fixture
def address(postgresql, request):
    """A database of its own for each test."""
    name = f"t{abs(hash(request.node.nodeid))}"
    return new_database(postgresql, name, "template_chevet")


@pytest.fixture
def world(programme: Path, tmp_path: Path, address: str):
    """The world of all tests of the relay, on PostgreSQL."""
    clock = Clock()
    settings = Settings(keys=programme / "keys", archive=tmp_path / "archive", database=address)
    relay = open_relay(settings, now_ms=clock, cost=CHEAP)
    site = Site("abc", [Recipient("programme", relay.keys.programme.public_key())])
    relay.sites.add(site.file())
    found = World(tmp_path, settings, clock, relay, site)
    yield found
    for one in (relay, *found.opened):
        one.close()


def test_migrations_make_exactly_the_schema(address):
    found = Database(address)
    found.migrate()
    with found.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    found.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_cases_of_before_come_through_every_migration(kind, tmp_path, request):
    if kind == "sqlite":
        found = Database(tmp_path / "old.sqlite3")
    else:
        found = Database(new_database(request.getfixturevalue("postgresql"), "old"))
    config = Config()
    config.set_main_option("script_location", str(databases.MIGRATIONS))
    with found.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        for statement in OLD:
            connection.execute(text(statement))
    found.migrate()
    with found.read() as connection:
        rows = connection.execute(text("SELECT id, rank, due_ms, first_taken_ms FROM study_case ORDER BY id"))
        assert [tuple(row) for row in rows] == [("a", 0, 1_800_007, 9), ("b", 2, 86_400_007, None)]
    found.close()


OLD = (
    "INSERT INTO site VALUES ('abc', 'Centre', '', '', '', 1, NULL)",
    "INSERT INTO bundle VALUES ('t', 'a', 'up', 'abc', 'study', 'a', '', '', NULL, 1, NULL, '', 0)",
    "INSERT INTO app_user VALUES ('dr', 'Dr', 'specialist', 'general', 'fr', '', '', '', 1, NULL)",
    "INSERT INTO study_case VALUES ('a', 'abc', 't', false, 'emergency', 'general', 7, 'dr', 9, NULL, NULL)",
    "INSERT INTO study_case VALUES ('b', 'abc', 't', false, 'routine', 'general', 7, NULL, NULL, NULL, NULL)",
)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_rows_written_by_each_version_of_the_schema_are_there_at_the_end(kind, tmp_path, request):
    where = tmp_path / "every.sqlite3"
    if kind == "postgresql":
        where = new_database(request.getfixturevalue("postgresql"), "every")
    found, config, kept = Database(where), Config(), []
    config.set_main_option("script_location", str(databases.MIGRATIONS))
    versions = [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()][::-1]
    for number, version in enumerate(versions, 1):
        with found.write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, version)
            tables = MetaData()
            tables.reflect(connection)
            for table in tables.sorted_tables:
                if table.name not in NOT_OURS:
                    row = row_of(table, number)
                    connection.execute(insert(table), [row])
                    if table.name != "session" or version >= "0004":  # those of before end there
                        kept.append((table.name, row))
    with found.read() as connection:
        now = MetaData()
        now.reflect(connection)
        for name, row in kept:
            table = now.tables[name]
            key = [column == row[column.name] for column in table.primary_key if column.name in row]
            there = connection.execute(select(table).where(*key)).mappings().one()
            assert {column: there[column] for column in row if column in there} == row, name
        assert MigrationContext.configure(connection).get_current_revision() == versions[-1]
    found.close()
    assert len(versions) >= 16
    assert len({name for name, _ in kept}) >= 25


NOT_OURS = ("alembic_version", "audit_head")
"""Kept by the migrations themselves: one row each."""


def row_of(table, number):
    """A row whose every column tells which version wrote it; what it refers to, that version wrote too."""
    return {column.name: value_of(column, number) for column in table.columns}


def value_of(column, number):
    if column.foreign_keys:
        (key,) = column.foreign_keys
        return value_of(key.column, number)
    if column.name == "urgency":
        return "urgent"
    if isinstance(column.type, Boolean):
        return False
    if isinstance(column.type, Integer):
        return 1000 + number
    if isinstance(column.type, Float):
        return float(number)
    if isinstance(column.type, LargeBinary):
        return b"%04d" % number
    text = f"{number}{column.name}"
    return text[: getattr(column.type, "length", None) or len(text)]


def test_writers_wait_for_each_other_and_the_audit_stays_one_chain(world):
    def write(relay, many):
        for number in range(many):
            with relay.database.write() as connection:
                relay.audit.add(connection, number, "x", "test")

    threads = [threading.Thread(target=write, args=(relay, 20)) for relay in (world.relay, world.again())]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with world.relay.database.read() as connection:
        assert world.relay.audit.verify(connection) is None
        assert connection.execute(text("SELECT count(*) FROM audit WHERE what = 'test'")).scalar() == 40


def test_a_reader_sees_one_moment_and_cannot_write(world):
    with world.relay.database.read() as view:
        before = view.execute(text("SELECT seq FROM audit_head")).scalar()
        world.user()
        assert view.execute(text("SELECT seq FROM audit_head")).scalar() == before
    with pytest.raises(Exception, match="read-only"), world.relay.database.read() as view:
        view.execute(text("DELETE FROM audit"))


def test_what_postgresql_cannot_keep_is_a_refusal_not_a_fault(world):
    with pytest.raises(RefusedError) as refused, world.relay.database.write() as connection:
        world.relay.audit.add(connection, 1, "a\0b", "test")
    assert refused.value.status == 422


def known_rows(relay):
    """The cases that PostgreSQL's planner knows of, -1 where it never looked: then an inbox takes long."""
    with relay.database.read() as connection:
        return connection.execute(
            text("SELECT reltuples FROM pg_class WHERE oid = 'study_case'::regclass")
        ).scalar()


def test_a_backup_of_postgresql_restores_into_an_empty_database(world, sent, tmp_path, postgresql):
    study, doctor = sent(), world.user()
    sheet = backup(world.relay, tmp_path / "backup", lambda _: None)
    empty = new_database(postgresql, "restored")
    settings = world.settings.model_copy(update={"database": empty, "archive": tmp_path / "again"})
    found = restore(settings, tmp_path / "backup", lambda _: None)
    assert (found.objects, found.missing, found.audit_broken_at) == (sheet.objects, (), 0)
    relay = world.again(database=empty, archive=tmp_path / "again")
    assert relay.cases.open(study.id, doctor).study.patient == study.patient
    assert known_rows(relay) == 1
    with pytest.raises(SettingsError, match="empty"):
        restore(settings, tmp_path / "backup", lambda _: None)
    with pytest.raises(SettingsError, match="PostgreSQL"):
        restore(settings.model_copy(update={"database": ""}), tmp_path / "backup", lambda _: None)


def test_an_archive_moves_from_sqlite_to_postgresql_and_goes_on_counting(world, sent, tmp_path, postgresql):
    study, doctor = sent(), world.user()
    with world.relay.database.write() as connection:
        numbers = [duty.put_on_call(connection, doctor.id, NOON, NOON + one) for one in range(1, 4)]
    back = world.settings.model_copy(update={"database": "", "archive": tmp_path / "sqlite"})
    there = move(world.settings, back, lambda _: None, now_ms=world.clock)
    empty = new_database(postgresql, "moved")
    again = world.settings.model_copy(update={"database": empty, "archive": tmp_path / "sqlite"})
    done = move(back, again, lambda _: None, now_ms=world.clock)
    assert done.rows == there.rows
    assert done.rows["on_call"] == 3
    assert (done.objects, done.audit_broken_at) == (0, 0), "the objects' folder stays"
    relay = world.again(database=empty, archive=tmp_path / "sqlite")
    assert relay.cases.open(study.id, doctor).study.patient == study.patient
    assert known_rows(relay) == 1
    with relay.database.write() as connection:
        assert duty.put_on_call(connection, doctor.id, NOON, NOON + 9) == max(numbers) + 1
        relay.audit.add(connection, NOON, "x", "test")
    with relay.database.read() as connection:
        assert relay.audit.verify(connection) is None
    with pytest.raises(SettingsError, match="empty folder or database"):
        move(back, again, lambda _: None, now_ms=world.clock)


def test_what_postgresql_cannot_keep_leaves_it_empty_and_the_old_archive_as_it_was(
    world, tmp_path, postgresql
):
    old = world.settings.model_copy(update={"database": "", "archive": tmp_path / "sqlite"})
    relay = world.again(database="", archive=tmp_path / "sqlite")
    with relay.database.write() as connection:
        connection.execute(text("INSERT INTO site VALUES ('abc', char(0), '', x'01', x'02', 1, NULL)"))
    new = world.settings.model_copy(update={"database": new_database(postgresql, "half")})
    with pytest.raises(ArchiveError, match="Table site holds a value"):
        move(old, new, lambda _: None, now_ms=world.clock)
    with relay.database.write() as connection:
        connection.execute(text("UPDATE site SET name = 'Centre'"))
    assert move(old, new, lambda _: None, now_ms=world.clock).rows["site"] == 1


def test_an_address_that_cannot_be_used_is_one_sentence(tmp_path):
    nowhere = Database(f"postgresql+psycopg://chevet@/x?host={tmp_path}")
    with pytest.raises(ArchiveError, match="cannot be used"):
        nowhere.migrate()
    nowhere.close()
    with pytest.raises(SettingsError, match="no address"):
        Database("postgresql+psycopg")
    with pytest.raises(ValueError, match="database_password_file"):
        Settings(database="postgresql+psycopg://chevet:hidden@host/name")
    with pytest.raises(ValueError, match=r"postgresql\+psycopg"):
        Settings(database="mysql://x")
