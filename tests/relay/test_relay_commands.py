"""The command line and its configuration: what it makes, what it says, what it refuses."""

import io
import json
import os
import socket
import stat
import sys
import tomllib

import pytest
from sqlalchemy import text

from chevet.relay import cli
from chevet.relay.archive.database import Database
from chevet.relay.archive.schema import metadata
from chevet.relay.commands import broker, doctor, programme
from chevet.relay.errors import ArchiveError, DiskFullError, SettingsError
from chevet.relay.keys import read_programme, read_site
from chevet.relay.settings import Settings, read_settings

from .conftest import PASSWORD, Site


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A programme made by the command, its configuration at relay.toml."""
    for name in list(os.environ):
        if name.startswith("CHEVET_RELAY_"):
            monkeypatch.delenv(name)
    assert cli.main(["init", str(tmp_path), "--name", "Programme Atlas"]) == 0
    return tmp_path


def test_init_makes_private_keys_and_a_public_file(folder, capsys):
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder / "keys").glob("*.key")}
    assert modes == dict.fromkeys(("relay.key", "programme.key", "recovery.key", "audit.key"), 0o600)
    assert read_programme(folder / "keys").name == "Programme Atlas"
    assert "PRIVATE" not in (folder / "programme.json").read_text()


def test_init_never_replaces_keys(folder, capsys):
    before = (folder / "keys" / "relay.key").read_bytes()
    assert cli.main(["init", str(folder)]) == 1
    assert "never replaced" in capsys.readouterr().err
    assert (folder / "keys" / "relay.key").read_bytes() == before


def test_init_where_nothing_can_be_made_is_one_sentence(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert cli.main(["init", str(tmp_path / "file" / "deeper")]) == 1
    assert capsys.readouterr().err.startswith("chevet-relay: Cannot write in")


def test_the_first_configuration_names_every_setting_at_its_default(folder):
    lines = (folder / "relay.toml").read_text().splitlines()
    uncommented = "\n".join(line[2:] for line in lines if line.startswith("# ") and " = " in line)
    assert tomllib.loads(uncommented).keys() == Settings.model_fields.keys()
    assert read_settings(folder / "relay.toml") == read_settings(folder / "relay.toml")
    assert programme.first_config() == (folder / "relay.toml").read_text()


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("prot = 1", "Unknown key 'prot'"),
        ("port = 70000", "'port'"),
        ('label = "DEMO"', "'label'"),
        ('worker = "a b"', "letters, digits"),
        ("port = ", "not valid TOML"),
    ],
)
def test_a_wrong_configuration_is_one_clear_sentence(folder, toml, sentence, capsys):
    (folder / "relay.toml").write_text(toml)
    assert cli.main(["site", "list", "--config", str(folder / "relay.toml")]) == 1
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1


def test_a_missing_configuration_names_the_remedy(tmp_path, capsys):
    assert cli.main(["doctor", "--config", str(tmp_path / "none.toml")]) == 1
    assert "chevet-relay init" in capsys.readouterr().out


def test_the_environment_overrides_the_file_and_unknown_variables_are_refused(folder, monkeypatch):
    monkeypatch.setenv("CHEVET_RELAY_PORT", "9000")
    assert read_settings(folder / "relay.toml").port == 9000
    monkeypatch.setenv("CHEVET_RELAY_PROT", "9000")
    with pytest.raises(SettingsError, match="CHEVET_RELAY_PROT"):
        read_settings(folder / "relay.toml")


def test_the_brokers_password_comes_from_a_file(folder):
    config = folder / "relay.toml"
    config.write_text('broker_user = "relay"\nbroker_password_file = "secret.txt"\n')
    with pytest.raises(SettingsError, match=r"secret\.txt"):
        read_settings(config).broker_password()
    (folder / "secret.txt").write_text("hidden\n")
    assert read_settings(config).broker_password() == "hidden"
    assert Settings().broker_password() is None


def test_keys_that_others_can_read_are_refused(folder):
    (folder / "keys" / "relay.key").chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_programme(folder / "keys")


@pytest.mark.parametrize("name", ["relay.key", "programme.key", "audit.key"])
def test_a_missing_or_damaged_key_names_the_remedy(folder, name):
    path = folder / "keys" / name
    path.write_text("garbage")
    with pytest.raises(SettingsError, match=r"backup|where it was made"):
        read_programme(folder / "keys")
    path.unlink()
    with pytest.raises(SettingsError, match="is missing"):
        read_programme(folder / "keys")


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"v": 2}', '{"v": 1, "site": "ABC", "name": "x"}', "\x00"]
)
def test_what_is_no_site_file_is_refused(tmp_path, content):
    (tmp_path / "site.json").write_text(content)
    with pytest.raises(SettingsError, match=r"site\.json"):
        read_site(tmp_path / "site.json")


def test_a_site_file_with_a_bad_key_or_an_unknown_field_is_refused(tmp_path):
    good = Site("abc", []).file().model_dump()
    path = tmp_path / "site.json"
    for change in ({"verify_key": "AAAA"}, {"seal_key": "?"}, {"admin": True}):
        path.write_text(json.dumps(good | change))
        with pytest.raises(SettingsError):
            read_site(path)
    with pytest.raises(SettingsError, match="Cannot read"):
        read_site(tmp_path / "none.json")


def test_sites_and_users_from_the_command_line(folder, capsys, tmp_path):
    where = ["--config", str(folder / "relay.toml")]
    (tmp_path / "site.json").write_text(Site("abc", []).file().model_dump_json())
    (tmp_path / "password").write_text(PASSWORD + "\n")
    person = [
        "--id",
        "dr",
        "--name",
        "Dr D",
        "--role",
        "specialist",
        "--specialty",
        "ent",
        "--language",
        "ar",
    ]
    secret = ["--password-file", str(tmp_path / "password")]
    assert cli.main(["site", "add", str(tmp_path / "site.json"), *where]) == 0
    assert cli.main(["user", "add", *person, *secret, *where]) == 0
    capsys.readouterr()
    assert cli.main(["site", "list", *where]) == cli.main(["user", "list", *where]) == 0
    listed = capsys.readouterr().out
    assert "abc      active   Centre abc  141" in listed
    assert "dr                   active    specialist   ent" in listed
    assert cli.main(["site", "revoke", "abc", *where]) == cli.main(["user", "disable", "dr", *where]) == 0
    assert cli.main(["site", "list", *where]) == cli.main(["user", "list", *where]) == 0
    assert capsys.readouterr().out.count("revoked") == 1
    assert cli.main(["site", "revoke", "zzz", *where]) == 1
    assert cli.main(["user", "add", *person, "--password-file", str(tmp_path / "none"), *where]) == 1
    assert "Cannot read a password" in capsys.readouterr().err


def test_a_password_can_be_typed_twice_or_piped(folder, monkeypatch, capsys):
    where = ["--config", str(folder / "relay.toml")]
    auditor = ["user", "add", "--name", "A", "--role", "auditor", *where, "--id"]
    monkeypatch.setattr(sys, "stdin", io.StringIO(PASSWORD + "\n"))
    assert cli.main([*auditor, "piped"]) == 0
    typed = iter([PASSWORD, "another passphrase", PASSWORD, PASSWORD])
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    assert cli.main([*auditor, "typed"]) == 1
    assert "differ" in capsys.readouterr().err
    assert cli.main([*auditor, "typed"]) == 0


def test_audit_verify_names_the_broken_record(folder, capsys, tmp_path):
    where = ["--config", str(folder / "relay.toml")]
    (tmp_path / "site.json").write_text(Site("abc", []).file().model_dump_json())
    cli.main(["site", "add", str(tmp_path / "site.json"), *where])
    assert cli.main(["audit", "verify", *where]) == 0
    database = Database(folder / "archive" / "relay.sqlite3")
    with database.write() as connection:
        connection.execute(text("UPDATE audit SET who = 'nobody' WHERE seq = 1"))
    database.close()
    assert cli.main(["audit", "verify", *where]) == 1
    assert "record 1 (changed)" in capsys.readouterr().out
    assert cli.main(["doctor", *where]) == 1
    assert "audit record 1 is changed" in capsys.readouterr().out


def port_of(listener):
    return listener.getsockname()[1]


def test_doctor_passes_where_all_is_well_and_names_what_is_not(folder, capsys, tmp_path, monkeypatch):
    with (
        socket.create_server(("127.0.0.1", 0)) as broker_end,
        socket.create_server(("127.0.0.1", 0)) as taken,
    ):
        config = folder / "relay.toml"
        config.write_text(f'label = "HTEST"\nbroker_port = {port_of(broker_end)}\nport = {port_of(taken)}\n')
        where = ["--config", str(config)]
        assert cli.main(["doctor", *where]) == 1
        assert "no site may send" in capsys.readouterr().out
        (tmp_path / "site.json").write_text(Site("abc", []).file().model_dump_json())
        cli.main(["site", "add", str(tmp_path / "site.json"), *where])
        assert cli.main(["doctor", *where]) == 1
        assert "nobody can sign in" in capsys.readouterr().out
        (tmp_path / "password").write_text(PASSWORD)
        secret = ["--password-file", str(tmp_path / "password")]
        cli.main(["user", "add", "--id", "a", "--name", "A", "--role", "auditor", *secret, *where])
        assert cli.main(["doctor", *where]) == 0
        assert "All is well" in capsys.readouterr().out
    monkeypatch.setattr(doctor, "LEAST_FREE", 1 << 60)
    monkeypatch.setattr(doctor, "DESK", tmp_path / "none")
    config.write_text(config.read_text().replace('label = "HTEST"', 'label = ""'))
    assert cli.main(["doctor", *where]) == 1
    told = capsys.readouterr().out
    for problem in ("MiB free", "recovery.key still lies here", "nothing answers", "is missing: install"):
        assert problem in told


def test_every_command_has_help_that_teaches(capsys):
    commands = (
        [],
        ["init"],
        ["run"],
        ["broker"],
        ["site", "add"],
        ["site", "list"],
        ["site", "revoke"],
        ["user", "add"],
        ["user", "list"],
        ["user", "disable"],
        ["audit", "verify"],
        ["doctor"],
    )
    for command in commands:
        with pytest.raises(SystemExit) as ended:
            cli.main([*command, "--help"])
        assert ended.value.code == 0
        assert len(capsys.readouterr().out) > 100


def test_ctrl_c_ends_quietly(monkeypatch, tmp_path):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(programme, "run", interrupted)
    assert cli.main(["init", str(tmp_path)]) == 130


def test_a_missing_engine_names_the_remedy(monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    monkeypatch.setattr(broker.shutil, "which", lambda *_, **__: None)
    monkeypatch.setattr(broker.signal, "signal", lambda *_: None)
    assert cli.main(["broker", "--port", str(port), "--engine", "mosquitto"]) == 1
    assert "apt install mosquitto" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "iotcore", None)
    assert cli.main(["broker", "--port", str(port)]) == 1
    assert "pip install" in capsys.readouterr().err


def test_migrations_make_exactly_the_schema(tmp_path):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    database = Database(tmp_path / "relay.sqlite3")
    database.migrate()
    database.migrate()
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
    database.close()


def test_a_newer_archive_is_not_touched(tmp_path):
    database = Database(tmp_path / "relay.sqlite3")
    database.migrate()
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ArchiveError, match="newer chevet-relay"):
        database.migrate()
    database.close()


def test_a_damaged_database_or_folder_is_one_sentence(tmp_path):
    (tmp_path / "relay.sqlite3").write_bytes(b"this is no database" * 1000)
    with pytest.raises(ArchiveError, match="cannot be used"):
        Database(tmp_path / "relay.sqlite3").migrate()
    (tmp_path / "file").write_text("")
    with pytest.raises(ArchiveError, match="Cannot use"):
        Database(tmp_path / "file" / "relay.sqlite3")


def test_a_full_database_is_told_apart_from_a_damaged_one(tmp_path):
    database = Database(tmp_path / "relay.sqlite3")
    database.migrate()

    def fill():
        with database.write() as connection:
            pages = connection.execute(text("PRAGMA page_count")).scalar()
            connection.execute(text(f"PRAGMA max_page_count = {pages}"))
            connection.execute(text("CREATE TABLE filler AS SELECT zeroblob(1000000)"))

    with pytest.raises(DiskFullError):
        fill()
    database.close()
