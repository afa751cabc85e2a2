"""An archive that is moved is the same archive elsewhere, or the old one untouched with a word why."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select, text

from chevet.relay import cli
from chevet.relay.archive.database import Database
from chevet.relay.archive.schema import metadata, sites
from chevet.relay.errors import ArchiveError, SettingsError
from chevet.relay.moving import _copy_table, move
from chevet.relay.relay import open_relay
from chevet.relay.stores import open_objects
from chevet.study.bundle import pack

from .conftest import CHEAP, PASSWORD, deliver, ecg, messages
from .s3_here import WHY_NOT, S3Server, is_here
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
def filled(world, sent):
    """A case answered, one half on its way, people, an address: something in many tables."""
    small = (ecg(1),)
    study, doctor = sent(recordings=small), world.user()
    half = messages(world.site.seal(pack(sent(recordings=small))))
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
    assert sum(done.rows.values()) == sum(len(rows) for rows in before.values()) > 30
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


def test_a_move_that_was_cut_off_goes_on_and_checks_what_is_there(filled):
    to = elsewhere(filled)
    target = open_objects(to)
    names = [one.name for one in filled.relay.objects.every()]
    for name in names[: len(names) // 2]:
        target.put(filled.relay.objects.get(name))
    path = target.folder / names[0][:2] / names[0]
    good = path.read_bytes()
    path.write_bytes(good[:-1])
    with pytest.raises(ArchiveError, match="damaged"):
        move(filled.settings, to, silent, now_ms=filled.clock)
    assert not (to.archive / "relay.sqlite3").exists()
    path.write_bytes(good)
    assert move(filled.settings, to, silent, now_ms=filled.clock).objects == len(names)


def test_lost_objects_stop_a_move_unless_they_are_left_behind_by_name(filled):
    lost = next(iter(filled.relay.objects.every())).name
    filled.relay.objects.destroy(lost)
    to = elsewhere(filled)
    with pytest.raises(ArchiveError, match=f"such as {lost}.*--leave-missing"):
        move(filled.settings, to, silent, now_ms=filled.clock)
    done = move(filled.settings, to, silent, leave_missing=True, now_ms=filled.clock)
    assert done.missing == (lost,)


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


def test_keys_of_another_programme_are_refused(filled, folder):  # noqa: F811
    with pytest.raises(SettingsError, match="another programme"):
        move(filled.settings, elsewhere(filled, keys=folder / "keys"), silent, now_ms=filled.clock)


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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    if not is_here():
        pytest.skip(WHY_NOT)
    with S3Server(tmp_path_factory.mktemp("s3")) as found:
        yield found


def test_objects_move_into_a_bucket_while_the_database_stays(filled, server, tmp_path):
    bucket = server.bucket()
    to = filled.settings.model_copy(update=server.settings(bucket, tmp_path / "s3.secret"))
    done = move(filled.settings, to, silent, now_ms=filled.clock)
    assert done.rows == {}
    relay = filled.again(**{name: getattr(to, name) for name in type(to).model_fields})
    assert {one.name for one in relay.objects.every()} == {one.name for one in filled.relay.objects.every()}
    assert done.objects == len(list(relay.objects.every())) > 3
    assert relay.cases.open(filled.study.id, filled.doctor).study.patient == filled.study.patient
