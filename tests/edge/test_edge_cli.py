"""The command: it teaches, and what goes wrong is one sentence with the remedy."""

import io
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from edge_fakes import PIN, write_programme

from chevet.edge import cli, doctor
from chevet.edge.agent import _listening
from chevet.edge.box import BoxClock, read_power
from chevet.edge.errors import SettingsError
from chevet.edge.only_one import only_one
from chevet.edge.settings import load_settings
from chevet.edge.store import open_store
from chevet.edge.trust import make_site, read_programme, read_site
from chevet.edge.workers import Workers


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_programme(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> int:
    return cli.main(words)


def initialised(folder: Path) -> Path:
    assert (
        run("init", "--site", "anfgou", "--name", "Anfgou", "--phone", "141", "--programme", "programme.json")
        == 0
    )
    return folder / "edge.toml"


def test_help_teaches_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        run("--help")
    assert left.value.code == 0
    told = capsys.readouterr().out
    for word in ("init", "worker", "run", "devices", "doctor", "first steps", "Not a medical device"):
        assert word in told
    for command in (("init",), ("worker", "add"), ("run",), ("devices",), ("doctor",)):
        with pytest.raises(SystemExit):
            run(*command, "--help")
        assert len(capsys.readouterr().out) > 200


def test_init_makes_keys_that_only_the_owner_reads_and_a_configuration(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = initialised(folder)
    told = capsys.readouterr().out
    assert "chevet-relay site add" in told
    settings = load_settings(config)
    site = read_site(settings.data_dir)
    assert (site.code, site.name, site.phone) == ("anfgou", "Anfgou", "141")
    for file in (settings.data_dir / "keys").iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
    words = json.loads((settings.data_dir / "site.json").read_text())
    assert words.keys() == {"v", "site", "name", "phone", "verify_key", "seal_key"}
    assert read_programme(settings.programme).name == "test"


def test_keys_are_never_replaced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    initialised(folder)
    before = (folder / "data" / "keys" / "sign.key").read_bytes()
    assert run("init", "--site", "b", "--name", "B", "--programme", "programme.json") == 1
    assert "never replaced" in capsys.readouterr().err
    assert (folder / "data" / "keys" / "sign.key").read_bytes() == before


@pytest.mark.parametrize("site", ["TOOLONGX", "Anfgou", "", "a b"])
def test_a_site_code_that_will_not_do_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], site: str
) -> None:
    assert run("init", "--site", site, "--name", "A", "--programme", "programme.json") == 1
    assert "'site' is wrong" in capsys.readouterr().err
    assert not (folder / "data" / "keys").exists()


def test_a_wrong_programme_file_names_the_remedy(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for text, said in (("{}", "is wrong"), ("nonsense", "is wrong"), (None, "cannot be read")):
        path = folder / "wrong.json"
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
        assert run("init", "--site", "a", "--name", "A", "--programme", str(path)) == 1
        told = capsys.readouterr().err
        assert said in told
        assert "chevet-relay init" in told
    words = json.loads((folder / "programme.json").read_text()) | {"relay_key": "AAAA"}
    (folder / "wrong.json").write_text(json.dumps(words))
    assert run("init", "--site", "a", "--name", "A", "--programme", "wrong.json") == 1
    assert "bring the file again" in capsys.readouterr().err


def test_a_worker_s_pin_comes_from_a_file_or_from_standard_input(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    initialised(folder)
    (folder / "pin").write_text(PIN + "\n")
    assert run("worker", "add", "--id", "amina", "--name", "Amina", "--pin-file", "pin") == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO("1111\n"))
    assert run("worker", "add", "--id", "brahim", "--name", "Brahim") == 0
    store = open_store(folder / "data" / "edge.db")
    workers = Workers(store, lambda: 0.0)
    assert [worker.id for worker in workers.all()] == ["amina", "brahim"]
    assert workers.check("amina", PIN).name == "Amina"
    store.close()
    monkeypatch.setattr(sys, "stdin", io.StringIO("12\n"))
    assert run("worker", "add", "--id", "c", "--name", "C") == 1
    assert "4 to 12 digits" in capsys.readouterr().err


def test_a_pin_is_asked_for_at_a_terminal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    initialised(folder)

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda _: PIN)
    assert run("worker", "add", "--id", "amina", "--name", "Amina") == 0


def test_missing_things_are_one_sentence_each(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("run") == 1
    assert "chevet-edge init" in capsys.readouterr().err
    (folder / "edge.toml").write_text('data_dir = "nowhere"\nprogramme = "programme.json"\n')
    for command in (("run",), ("worker", "add", "--id", "a", "--name", "A")):
        assert run(*command) == 1
        assert "does not exist; run `chevet-edge init` first." in capsys.readouterr().err


def test_a_taken_port_and_a_second_agent_are_told_apart(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = initialised(folder)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config.write_text(config.read_text().replace("8421", str(port)))
        assert run("run") == 1
        assert f"127.0.0.1:{port}" in capsys.readouterr().err
    settings = load_settings(config)
    with only_one(settings.data_dir), _listening(settings) as listening:
        assert listening.getsockname()[1] == port
        assert run("run") == 1
        assert "Another agent already works" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(28, "No space left on device"), "The disk is full"),
        (OSError(13, "Permission denied"), "check the folder's owner"),
        (ExceptionGroup("tasks", [KeyError("Fatima")]), "A part of the agent failed (KeyError)"),
        (KeyboardInterrupt(), ""),
    ],
)
def test_what_the_system_says_becomes_a_sentence(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    sentence: str,
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(cli, "load_settings", fails)
    assert run("run") in {1, 130}
    told = capsys.readouterr().err
    assert sentence in told
    assert "Fatima" not in told


def test_a_damaged_database_is_a_sentence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = initialised(folder)
    config.write_text(config.read_text().replace("8421", str(_free_port())))
    (folder / "data" / "edge.db").write_bytes(b"junk" * 1000)
    assert run("run") == 1
    assert "edge.db is damaged" in capsys.readouterr().err


def test_a_box_of_another_site_does_not_start(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = initialised(folder)
    text = config.read_text().replace("8421", str(_free_port()))
    config.write_text(text.replace('site = "anfgou"', 'site = "other"'))
    assert run("run") == 1
    assert "belongs to 'anfgou'" in capsys.readouterr().err


def test_keys_that_others_can_read_or_that_do_not_fit_are_refused(folder: Path) -> None:
    initialised(folder)
    data = folder / "data"
    (data / "keys" / "sign.key").chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_site(data)
    (data / "keys" / "sign.key").chmod(0o600)
    make_site(folder / "other", "b", "B")
    (folder / "other" / "keys" / "sign.key").replace(data / "keys" / "sign.key")
    with pytest.raises(SettingsError, match="does not belong to the keys"):
        read_site(data)
    (data / "keys" / "seal.key").write_text("junk")
    with pytest.raises(SettingsError, match="cannot be used"):
        read_site(data)
    (data / "keys" / "seal.key").unlink()
    with pytest.raises(SettingsError, match="chevet-edge init"):
        read_site(data)


# Devices and doctor


def test_devices_are_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = initialised(folder)
    assert run("devices") == 0
    assert "No instruments" in capsys.readouterr().out
    config.write_text(
        config.read_text()
        + '\n[[devices]]\nid = "ecg"\ndriver = "kit-ecg"\nlink = "serial:/x"\nsimulated = true\n'
    )
    assert run("devices") == 0
    assert "kit-ecg" in capsys.readouterr().out


def test_the_doctor_names_a_remedy_for_each_fault(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = initialised(folder)
    (folder / "port").write_text("")
    rows = [
        ("there", "kit-ecg", f"serial:{folder}/port?baud=1"),
        ("gone", "kit-ecg", "serial:/dev/nothing"),
        ("odd", "kit-piano", "serial:/dev/nothing"),
        ("radio", "plx", "ble:C0:FF:EE:00:00:01"),
        ("eye", "camera", "mjpeg:http://127.0.0.1:1/stream"),
    ]
    blocks = "".join(f'\n[[devices]]\nid = "{a}"\ndriver = "{b}"\nlink = "{c}"\n' for a, b, c in rows)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = config.read_text().replace("8421", str(taken.getsockname()[1])) + blocks
        config.write_text(text.replace("1883", str(_free_port())))
        monkeypatch.setattr(doctor, "HCI", folder / "no-bluetooth")
        assert run("doctor") == 1
    told = capsys.readouterr().out
    assert "ok  keys and site: site anfgou" in told
    assert "ok  device there" in told
    assert "ok  device eye" in told
    for remedy in (
        "plug the instrument in",
        "use one of:",
        "rfkill unblock",
        "set another kiosk.port",
        "check the network",
    ):
        assert remedy in told
    assert "to look at" in told


def test_the_doctor_is_content_with_a_box_in_order(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = initialised(folder)
    (folder / "passphrase").write_text("correct horse battery staple\n")
    assert run("lock", "init", "--passphrase-file", "passphrase") == 0
    monkeypatch.setattr(BoxClock, "quality", lambda _: "synchronised")
    (folder / "hci" / "hci0").mkdir(parents=True)
    monkeypatch.setattr(doctor, "HCI", folder / "hci")
    with socket.create_server(("127.0.0.1", 0)) as broker:
        text = config.read_text().replace("1883", str(broker.getsockname()[1]))
        text = text.replace("8421", str(_free_port()))
        config.write_text(
            text + '\n[[devices]]\nid = "radio"\ndriver = "plx"\nlink = "ble:C0:FF:EE:00:00:01"\n'
        )
        assert run("doctor") == 0
    assert "All is well." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        (lambda text: text + "disk_full_mb = 100000000\n", "free space"),
        (lambda text: text + "disk_low_mb = 100000000\n", "bring the box online"),
        (lambda text: text.replace("data_dir", "data_dir = 'none' #"), "correct data_dir"),
        (lambda text: text + "devices_file = 'none.json'\n", "chevet-sim serve"),
    ],
)
def test_the_doctor_looks_at_disk_and_files(
    folder: Path, capsys: pytest.CaptureFixture[str], change: Callable[[str], str], remedy: str
) -> None:
    config = initialised(folder)
    top, _, sections = config.read_text().partition("\n[kiosk]")
    config.write_text(change(top + "\n") + "[kiosk]" + sections.replace("1883", str(_free_port())))
    assert run("doctor") == 1
    assert remedy in capsys.readouterr().out


def test_a_port_without_permission_names_the_group(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "port").write_text("")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "usermod -aG dialout" in doctor._file("device x", folder / "port", "dialout").remedy


# The box itself


def test_power_is_read_as_the_kernel_lists_it(tmp_path: Path) -> None:
    def supply(name: str, **words: str) -> None:
        (tmp_path / name).mkdir(exist_ok=True)
        for key, value in words.items():
            (tmp_path / name / key).write_text(value)

    assert read_power(tmp_path / "none").source == "unknown"
    assert read_power(tmp_path).source == "unknown"
    supply("BAT0", type="Battery", status="Discharging", capacity="57")
    assert read_power(tmp_path) == type(read_power(tmp_path))("battery", 57)
    supply("BAT0", status="Full", capacity="??")
    assert read_power(tmp_path) == type(read_power(tmp_path))("mains", None)
    supply("AC", type="Mains", online="1")
    assert read_power(tmp_path).source == "mains"


def test_the_clock_says_which_boot_and_how_good_it_is(tmp_path: Path) -> None:
    clock = BoxClock(tmp_path / "none")
    assert clock.boot_id == ""
    reading = BoxClock().reading()
    assert len(reading.boot_id) == 36
    assert reading.quality in {"synchronised", "free-running", "unknown"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
