"""An archive that is moved is the same archive elsewhere, or the old one untouched with a word why."""

from dataclasses import replace

import pytest
from sqlalchemy import select, text

from chevet.relay import cli
from chevet.relay.archive.database import Database
from chevet.relay.archive.schema import metadata, sites
from chevet.relay.errors import ArchiveError, SettingsError
from chevet.relay.keys import make_programme
from chevet.relay.moving import _copy_table, move
from chevet.relay.relay import open_relay
from chevet.relay.stores import open_objects
from chevet.study.bundle import pack

from .conftest import CHEAP, PASSWORD, deliver, ecg, messages
from .test_accounts_erasure import DRAFT
from .test_relay_commands import folder  # noqa: F401 - a fixture


def silent(_sentence):
    """Nobody watches."""


def rows_of(relay):
    """Every row of every table, in no order."""
    with relay.database.read() as view:
        return {
            table.name: sorted(repr(tuple(row)) for row in view.execute(select(table)))
            for table in metadata.sorted_tables
        }


@pytest.fixture
def filled(world, sent, make_study):
    """A case answered, one half on its way, people, an address: something in many tables."""
    study, doctor = sent(recordings=()), world.user()
    half = messages(world.site.seal(pack(make_study(recordings=(ecg(1),)))))
    deliver(world.receiver(), half[: len(half) // 2])
    world.relay.cases.claim(study.id, doctor)
    key = world.relay.sign_in.signing_key(doctor, PASSWORD)
    world.relay.answers.give_opinion(study.id, doctor, DRAFT, key)
    world.study, world.doctor, world.half = study, doctor, half
    return world


def elsewhere(world, **changes):
    return world.settings.model_copy(update={"archive": world.folder / "elsewhere", **changes})


def test_a_moved_archive_has_every_row_and_object_and_goes_on(filled):
    before, to = rows_of(filled.relay), elsewhere(filled)
    done = move(filled.settings, to, silent, now_ms=filled.clock)
    assert sum(done.rows.values()) == sum(len(rows) for rows in before.values()) > 20
    assert (done.missing, done.audit_broken_at) == ((), 0)
    relay = open_relay(to, now_ms=filled.clock, cost=CHEAP)
    filled.opened.append(relay)
    assert rows_of(relay) == before
    assert {one.name for one in relay.objects.every()} == {one.name for one in filled.relay.objects.every()}
    assert done.objects == len(list(relay.objects.every()))
    opened = relay.cases.open(filled.study.id, filled.doctor)
    assert opened.study.patient == filled.study.patient
    assert deliver(filled.receiver(relay), filled.half), "what was on its way goes on there"
    relay.answers.give_opinion(
        filled.study.id, filled.doctor, replace(DRAFT), relay.sign_in.signing_key(filled.doctor, PASSWORD)
    )
    with relay.database.read() as view:
        assert relay.audit.verify(view) is None


def test_nothing_is_moved_onto_something_or_to_where_it_is_or_from_a_relay_that_runs(filled, tmp_path):
    to = elsewhere(filled)
    make_programme(tmp_path / "other", "Another")
    with pytest.raises(SettingsError, match="another programme"):
        move(filled.settings, elsewhere(filled, keys=tmp_path / "other" / "keys"), silent)
    with pytest.raises(SettingsError, match="nothing to move"):
        move(filled.settings, filled.settings, silent, now_ms=filled.clock)
    lease = filled.relay.lease("relay-1")
    lease.take(0)
    with pytest.raises(SettingsError, match=r"still works .*relay-1"):
        move(filled.settings, to, silent, now_ms=filled.clock)
    lease.give_back(0)
    move(filled.settings, to, silent, now_ms=filled.clock)
    with pytest.raises(SettingsError, match="empty folder"):
        move(filled.settings, to, silent, now_ms=filled.clock)
    with pytest.raises(SettingsError, match="no archive at"):
        move(elsewhere(filled, archive=tmp_path / "x"), elsewhere(filled, archive=tmp_path / "y"), silent)


def test_a_move_that_was_cut_off_goes_on_and_checks_what_is_there_and_what_was_lost(filled):
    to = elsewhere(filled)
    target = open_objects(to)
    names = [one.name for one in filled.relay.objects.every()]
    first, lost = names[0], names[-1]
    target.put(filled.relay.objects.get(first))
    path = target.folder / first[:2] / first
    good = path.read_bytes()
    path.write_bytes(good[:-1])
    with pytest.raises(ArchiveError, match="damaged"):
        move(filled.settings, to, silent, now_ms=filled.clock)
    path.write_bytes(good)
    filled.relay.objects.destroy(lost)
    target.destroy(lost)
    with pytest.raises(ArchiveError, match=f"such as {lost}.*--leave-missing"):
        move(filled.settings, to, silent, now_ms=filled.clock)
    assert not (to.archive / "relay.sqlite3").exists(), "objects first, or nothing"
    done = move(filled.settings, to, silent, leave_missing=True, now_ms=filled.clock)
    assert (done.missing, done.objects) == ((lost,), len(names) - 1)


def test_a_move_that_was_cut_off_among_the_tables_is_given_again(filled, monkeypatch):
    before, to = rows_of(filled.relay), elsewhere(filled)

    def cut(*_arguments):
        raise SystemExit("power")

    with monkeypatch.context() as power:
        power.setattr("chevet.relay.moving._copy_table", cut)
        with pytest.raises(SystemExit):
            move(filled.settings, to, silent, now_ms=filled.clock)
    assert (to.archive / "relay.sqlite3").exists(), "the file alone, without a table"
    done = move(filled.settings, to, silent, now_ms=filled.clock)
    assert sum(done.rows.values()) == sum(len(rows) for rows in before.values())


def test_a_database_that_keeps_something_else_is_found_out(filled, tmp_path):
    target = Database(tmp_path / "other.sqlite3")
    target.migrate()
    with target.write() as connection:
        connection.execute(
            text("CREATE TRIGGER t AFTER INSERT ON site BEGIN UPDATE site SET name = 'x'; END")
        )
    with (
        pytest.raises(ArchiveError, match="site came out different"),
        filled.relay.database.read() as view,
        target.write() as connection,
    ):
        _copy_table(view, connection, sites, "there")
    with target.read() as connection:
        assert connection.execute(select(sites)).first() is None, "nothing of it stays"
    target.close()


def test_the_command_moves_and_says_what_to_do_next(folder, capsys):  # noqa: F811
    config, other = folder / "relay.toml", folder / "other.toml"
    other.write_text(config.read_text() + '\narchive = "elsewhere"\n')
    assert cli.main(["audit", "verify", "--config", str(config)]) == 0
    assert cli.main(["move", "--to", str(other), "--config", str(config)]) == 0
    said = capsys.readouterr().out
    assert "read back and equal" in said
    assert "other.toml now" in said
    assert cli.main(["audit", "verify", "--config", str(other)]) == 0
    assert cli.main(["move", "--to", str(other), "--config", str(config)]) == 1
