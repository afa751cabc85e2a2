"""Running a relay: health, metrics, logs, backup beside a working relay, restore of what was backed up."""

import json
import logging
import socket
import sqlite3
import urllib.request
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from chevet.relay import cli
from chevet.relay.archive.objects import ObjectFolder
from chevet.relay.backup import backup, read_sheet, restore
from chevet.relay.erasure import sweep, withdraw
from chevet.relay.errors import ArchiveError, SettingsError
from chevet.relay.health import health_of
from chevet.relay.logs import JsonLines, start_log
from chevet.relay.metrics import serving_metrics
from chevet.relay.relay import open_relay
from chevet.study.bundle import pack

from .conftest import CHEAP, deliver, messages
from .test_relay_commands import folder  # noqa: F401 - a fixture


@contextmanager
def socket_at():
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        yield probe.getsockname()[1]


def free_port():
    with socket_at() as port:
        return port


def silent(_sentence):
    """Nobody watches."""


async def test_health_needs_no_session_and_says_what_is_wrong(world, client, monkeypatch):
    async with client() as desk:
        answer = await desk.get("/health")
        good = {"ok": True, "archive": "ok", "disk": "ok", "objects": "ok", "broker": "offline"}
        assert (answer.status_code, answer.json()) == (200, good)
        monkeypatch.setattr("chevet.relay.health.LEAST_FREE", 1 << 60)
        answer = await desk.get("/health")
        assert (answer.status_code, answer.json()["disk"]) == (503, "full")
    world.relay.database.close()
    (world.settings.archive / "relay.sqlite3").write_bytes(b"this is no database" * 1000)
    assert health_of(world.relay).archive == "unreadable"


def test_metrics_count_by_site_and_name_nobody(world, sent):
    sent(urgency="emergency")
    sent(urgency="routine")
    deliver(world.receiver(), [b"garbage"])
    world.clock.ms += 31 * 60_000
    relay = world.again(metrics_port=free_port())
    with serving_metrics(relay) as port:
        said = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60).read().decode()
    lines = set(said.splitlines())
    assert 'chevet_relay_bundles_total{kind="study",site="abc",way="up"} 2.0' in lines
    assert 'chevet_relay_cases_waiting{urgency="emergency"} 1.0' in lines
    assert 'chevet_relay_cases_late{urgency="routine"} 0.0' in lines
    assert 'chevet_relay_cases_late{urgency="emergency"} 1.0' in lines
    assert 'chevet_relay_refused_total{site="abc"} 1.0' in lines
    assert "chevet_relay_archive_up 1.0" in lines
    assert "chevet_relay_store_up 1.0" in lines
    assert "chevet_relay_store_seconds_count" in said
    assert not any(word in said for word in ("Seeded", "Centre", "cardiology", "chest_pain"))


def test_a_metrics_port_that_is_taken_is_one_sentence(world):
    with (
        socket_at() as port,
        pytest.raises(SettingsError, match="metrics"),
        serving_metrics(world.again(metrics_port=port)),
    ):
        pytest.fail("it is taken")


def test_a_log_line_is_one_object_without_an_errors_text(capsys):
    start_log("info", "json")
    try:
        logging.getLogger("chevet.relay.somewhere").info("%s: a study is here", "abc")
        try:
            raise ValueError("Seededname")
        except ValueError:
            logging.getLogger("other").exception("a fault")
        first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    finally:
        logging.basicConfig(handlers=[logging.NullHandler()], force=True)
    assert (first["level"], first["room"], first["text"]) == ("info", "somewhere", "abc: a study is here")
    assert second["error"] == "ValueError"
    assert "Seededname" not in str(second)
    assert isinstance(JsonLines(), logging.Formatter)


def restored(world, where, source):
    settings = world.settings.model_copy(update={"archive": where})
    return settings, restore(settings, source, silent)


def test_a_backup_restores_cases_answers_and_the_audit(world, sent, tmp_path):
    study, doctor = sent(), world.user()
    half = messages(world.site.seal(pack(sent())))
    deliver(world.receiver(), half[: len(half) // 2])  # one that is still on its way
    world.relay.cases.claim(study.id, doctor)
    to, where = tmp_path / "backup", tmp_path / "again"
    sheet = backup(world.relay, to, silent)
    assert sheet == read_sheet(to)
    assert sheet.objects == len(list((to / "objects").glob("??/*"))) > 3
    settings, found = restored(world, where, to)
    assert (found.missing, found.audit_broken_at) == ((), 0)
    assert found.objects == sheet.objects
    relay = open_relay(settings, now_ms=world.clock, cost=CHEAP)
    try:
        again = relay.cases.open(study.id, doctor)
        assert again.study.patient == study.patient
        assert again.claimed_by == (doctor.id, doctor.name)
        answers = deliver(world.receiver(relay), half)
        assert answers, "what was on its way goes on where it was"
        assert len(relay.cases.inbox(doctor)) == 2
    finally:
        relay.close()


def test_a_later_backup_copies_what_is_new_and_forgets_what_was_destroyed(world, sent, tmp_path):
    gone, kept, to = sent(), sent(), tmp_path / "backup"
    first = backup(world.relay, to, silent)
    before = {path: path.stat().st_mtime_ns for path in (to / "objects").glob("??/*")}
    sent()
    withdraw(world.relay, gone.id, ("care",), "operator")
    world.clock.ms += 31 * 24 * 3600 * 1000
    sweep(world.relay)
    second = backup(world.relay, to, silent)
    assert second.objects < first.objects * 2
    still = {path: path.stat().st_mtime_ns for path in (to / "objects").glob("??/*") if path in before}
    assert 0 < len(still) < len(before)
    assert still.items() <= before.items(), "what was there is not written again"
    settings, found = restored(world, tmp_path / "again", to)
    assert found.missing == ()
    with open_relay(settings, now_ms=world.clock, cost=CHEAP).database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM study_case")).scalar() == 3
    assert kept.id != gone.id


def test_a_damaged_backup_is_told_apart_by_object_and_by_database(world, sent, tmp_path):
    sent()
    to = tmp_path / "backup"
    backup(world.relay, to, silent)
    victim = next((to / "objects").glob("??/*"))
    victim.write_bytes(b"\0" + victim.read_bytes()[1:])
    _, found = restored(world, tmp_path / "again", to)
    assert found.missing == (victim.name,)
    with sqlite3.connect(to / "relay.sqlite3") as copy:
        copy.execute("UPDATE audit SET who = 'somebody'")
    with pytest.raises(ArchiveError, match="not what was backed up"):
        restored(world, tmp_path / "third", to)


def test_nothing_is_overwritten_that_is_not_a_backup_or_not_empty(world, sent, tmp_path):
    sent()
    to = tmp_path / "backup"
    to.mkdir()
    (to / "holiday.jpg").write_bytes(b"")
    with pytest.raises(SettingsError, match=r"holiday\.jpg"):
        backup(world.relay, to, silent)
    (to / "holiday.jpg").unlink()
    with pytest.raises(SettingsError, match="no whole backup"):
        restore(world.settings, to, silent)
    backup(world.relay, to, silent)
    with pytest.raises(SettingsError, match="empty folder"):
        restore(world.settings, to, silent)
    (to / "backup.json").write_text((to / "backup.json").read_text().replace('"v": 1', '"v": 9'))
    with pytest.raises(SettingsError, match="newer version"):
        restored(world, tmp_path / "again", to)


def test_the_commands_back_up_and_restore(folder, tmp_path_factory, capsys):  # noqa: F811
    config, to = str(folder / "relay.toml"), str(tmp_path_factory.mktemp("backup"))
    assert cli.main(["backup", to, "--config", config]) == 0
    assert "keys are not in it" in capsys.readouterr().out
    assert cli.main(["restore", to, "--config", config]) == 1
    (folder / "archive").rename(folder / "lost")
    assert cli.main(["restore", to, "--config", config]) == 0
    assert cli.main(["audit", "verify", "--config", config]) == 0


def test_an_object_that_is_lost_stops_a_backup_rather_than_leave_it_out(world, sent, tmp_path):
    sent()
    store = ObjectFolder(world.settings.archive / "objects")
    next(store.folder.glob("??/*")).unlink()
    with pytest.raises(ArchiveError, match="missing"):
        backup(world.relay, tmp_path / "backup", silent)
    assert not (tmp_path / "backup" / "backup.json").exists()
