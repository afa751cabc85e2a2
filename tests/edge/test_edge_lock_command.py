"""`chevet-edge lock` and a box that waits: what opens it, what does not, and what it says of its disk."""

import asyncio
import io
from pathlib import Path
from typing import Any

import httpx
import pytest
from edge_fakes import PIN, until
from test_edge_agent import free_port, prepare

from chevet.edge import agent, cli, lock_file, terminal_lock, waiting
from chevet.edge.box_word import agent_runs
from chevet.edge.lock_file import read_lock
from chevet.edge.settings import LockSettings, load_settings
from chevet.edge.waiting import TRIES, Brake, Waiting, waiting_app

PHRASE, FRESH = "correct horse battery", "one more day of rain"
HEADER = {"X-Chevet": "1"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("MEMORY_KIB", 64), ("PASSES", 1), ("LANES", 1)):
        monkeypatch.setattr(lock_file, name, value)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    (tmp_path / "phrase").write_text(PHRASE + "\n")
    (tmp_path / "fresh").write_text(FRESH + "\n")
    path = prepare(tmp_path, free_port())
    path.write_text(path.read_text().replace('label = "HTEST"\n', ""))
    return path


def lock(*words: str) -> int:
    return cli.main(["lock", *words])


def code_of(told: str) -> str:
    return next(
        line.strip() for line in told.splitlines() if line.count("-") == 5 and len(line.strip()) == 29
    )


def opens(config: Path, said: str) -> bool:
    found = read_lock(load_settings(config).data_dir)
    assert found is not None
    return found.open(said) is not None


def test_a_box_in_the_clear_says_so_and_init_covers_it(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lock("status") == 1
    assert "not encrypted" in capsys.readouterr().out
    assert lock("change-passphrase") == 1
    assert "lock init" in capsys.readouterr().err
    assert lock("init", "--passphrase-file", "phrase") == 0
    code = code_of(capsys.readouterr().out)
    assert opens(config, code)
    assert opens(config, PHRASE)
    assert lock("status") == 0
    told = capsys.readouterr().out
    assert "encrypted (AES-256-GCM); opened by a passphrase, a recovery code" in told
    assert lock("init", "--passphrase-file", "phrase") == 1
    assert "already" in capsys.readouterr().err


def test_a_passphrase_is_changed_with_the_old_one_or_the_code(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock("init", "--passphrase-file", "phrase")
    (tmp_path / "code").write_text(code_of(capsys.readouterr().out))
    change = ("change-passphrase", "--new-passphrase-file", "fresh", "--passphrase-file")
    assert lock(*change, "fresh") == 1
    assert "does not open" in capsys.readouterr().err
    assert opens(config, PHRASE)
    assert lock(*change, "phrase") == 0
    assert (opens(config, PHRASE), opens(config, FRESH)) == (False, True)
    assert lock("change-passphrase", "--new-passphrase-file", "phrase", "--passphrase-file", "code") == 0
    assert opens(config, PHRASE)
    capsys.readouterr()
    assert lock("recovery", "--passphrase-file", "phrase") == 0
    assert not opens(config, (tmp_path / "code").read_text())
    assert opens(config, code_of(capsys.readouterr().out))


def test_a_passphrase_typed_twice_must_be_alike(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter([PHRASE, FRESH, PHRASE, PHRASE])
    monkeypatch.setattr("sys.stdin", type("Terminal", (io.StringIO,), {"isatty": lambda _: True})())
    monkeypatch.setattr(terminal_lock.getpass, "getpass", lambda _: next(typed))
    assert lock("init") == 1
    assert read_lock(load_settings(config).data_dir) is None
    assert lock("init") == 0
    assert opens(config, PHRASE)


def test_a_key_file_opens_the_box_and_one_beside_it_is_called_what_it_is(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lock("init", "--key-file", "box.key") == 0
    assert "lies on the same disk" in capsys.readouterr().out
    assert (tmp_path / "box.key").stat().st_mode & 0o777 == 0o600
    config.write_text(config.read_text() + '[lock]\nkey_file = "box.key"\n')
    assert lock("status") == 1
    assert "a stolen disk is readable" in capsys.readouterr().out
    (tmp_path / "pin").write_text(PIN)
    assert cli.main(["worker", "add", "--id", "a", "--name", "A", "--pin-file", "pin"]) == 0
    assert lock("add-key", "--name", "tpm") == 0
    text = capsys.readouterr().out.splitlines()[-1]
    assert opens(config, text)
    assert lock("add-key", "--out", "box.key") == 1
    assert "exists already" in capsys.readouterr().err
    assert lock("remove", "1") == 0
    assert not opens(config, (tmp_path / "box.key").read_text())
    (tmp_path / "box.key").unlink()
    assert cli.main(["worker", "add", "--id", "a", "--name", "A", "--pin-file", "pin"]) == 1
    assert "under a lock" in capsys.readouterr().err


def test_a_credential_of_systemd_opens_the_box(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock("init", "--passphrase-file", "phrase")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "chevet-edge.passphrase").write_text(PHRASE)
    (tmp_path / "pin").write_text(PIN)
    worker = ["worker", "add", "--id", "a", "--name", "A", "--pin-file", "pin"]
    assert cli.main(worker) == 0
    capsys.readouterr()
    cli.main(["doctor"])
    assert "ok  keys and site: site anfgou\n" in capsys.readouterr().out
    (tmp_path / "credentials" / "chevet-edge.passphrase").write_text(FRESH)
    cli.main(["doctor"])
    assert "does not open this box" in capsys.readouterr().out
    assert cli.main(worker) == 1


def test_the_doctor_says_how_the_disk_is_protected_and_looks_at_a_locked_box_too(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(["doctor"]) == 1
    told = capsys.readouterr().out
    assert "!!  disk's protection: not encrypted" in told
    assert "chevet-edge lock init" in told
    lock("init", "--passphrase-file", "phrase")
    monkeypatch.setattr(terminal_lock, "TPM", Path("/"))
    capsys.readouterr()
    lock("status")
    assert "This machine has a TPM" in capsys.readouterr().out
    cli.main(["doctor"])
    told = capsys.readouterr().out
    assert "ok  keys and site: site anfgou; its private keys are under the lock" in told
    assert "ok  disk's protection: encrypted" in told
    data = load_settings(config).data_dir
    (data / "journals").mkdir(exist_ok=True)
    (data / "journals" / "x.journal").write_bytes(b"CHVJRN\x00\x01")
    cli.main(["doctor"])
    assert "1 files still lie in the clear" in capsys.readouterr().out
    for name in ("lock.json", "lock.copy.json"):
        (data / name).write_text("{")
    assert cli.main(["doctor"]) == 1
    assert "restore one of them from a backup" in capsys.readouterr().out


def test_guessing_is_slowed_down_more_and_more() -> None:
    now = [0.0]
    brake = Brake(lambda: now[0])
    pauses = []
    for _ in range(TRIES + 6):
        brake.wrong()
        pauses.append(brake.left_s())
        now[0] += brake.left_s()
    assert pauses == [0.0] * (TRIES - 1) + [60.0, 120.0, 240.0, 480.0, 960.0, 960.0, 960.0]
    assert brake.left_s() == 0.0


async def test_a_waiting_box_takes_the_passphrase_and_tells_nothing_else(config: Path) -> None:
    lock("init", "--passphrase-file", "phrase")
    settings = load_settings(config)
    found = read_lock(settings.data_dir)
    assert found is not None
    now = [0.0]
    box = Waiting(settings, found, lambda: now[0])
    transport = httpx.ASGITransport(waiting_app(box))
    async with httpx.AsyncClient(transport=transport, base_url="http://box", headers=HEADER) as kiosk:
        assert (await kiosk.get("/")).status_code == 200
        shape = (await kiosk.get("/api/lock")).json()
        assert (shape["site"], shape["passphrase"], shape["key_file"], shape["wait_s"]) == (
            "Anfgou",
            True,
            False,
            0,
        )
        for path in ("/api/status", "/api/session", "/api/patients/search", "/api/cases"):
            answer = await kiosk.get(path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (423, "locked")
        for body, status in (({"passphrase": ""}, 422), ({"passphrase": "x", "more": 1}, 422), ([], 422)):
            assert (await kiosk.post("/api/lock", json=body)).status_code == status
        for _ in range(TRIES):
            answer = await kiosk.post("/api/lock", json={"passphrase": FRESH})
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "wrong_passphrase")
        answer = await kiosk.post("/api/lock", json={"passphrase": PHRASE})
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many_attempts")
        assert (await kiosk.get("/api/lock")).json()["wait_s"] == 60
        assert box.key is None
        now[0] = 61.0
        assert (await kiosk.post("/api/lock", json={"passphrase": PHRASE})).status_code == 204
    assert box.key is not None
    assert box.done.is_set()
    foreign = httpx.ASGITransport(waiting_app(box))
    async with httpx.AsyncClient(transport=foreign, base_url="http://box") as page:
        assert (await page.post("/api/lock", json={"passphrase": PHRASE})).status_code == 403


async def test_a_stick_put_in_later_opens_the_box_and_one_of_another_box_is_named(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(waiting, "LOOK_EVERY_S", 0.01)
    lock("init", "--key-file", "box.key")
    stick = tmp_path / "stick"
    settings = load_settings(config).model_copy(update={"lock": LockSettings(key_file=stick)})
    found = read_lock(settings.data_dir)
    assert found is not None
    box = Waiting(settings, found, lambda: 0.0)
    watching = asyncio.create_task(box.watch())
    stick.write_text(lock_file.new_key_text())
    await until(lambda: "does not open this box" in caplog.text)
    assert box.key is None
    stick.write_text((tmp_path / "box.key").read_text())
    await until(box.done.is_set)
    await watching
    assert box.key is not None
    assert caplog.text.count("does not open this box") == 1


async def served(config: Path, told: list[str]) -> asyncio.Task[Any]:
    return asyncio.create_task(agent.serve(load_settings(config), told.append))


async def test_an_agent_waits_for_its_passphrase_and_then_works_at_the_same_address(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock("init", "--passphrase-file", "phrase")
    told: list[str] = []
    running = await served(config, told)
    try:
        await until(lambda: told, 60)
        async with httpx.AsyncClient(base_url=told[0], headers=HEADER, timeout=60) as kiosk:
            assert (await kiosk.get("/api/status")).status_code == 423
        assert await asyncio.to_thread(lock, "open", "--passphrase-file", "fresh") == 1
        assert "does not open the box" in capsys.readouterr().err
        assert await asyncio.to_thread(lock, "open", "--passphrase-file", "phrase") == 0

        async def works() -> bool:
            async with httpx.AsyncClient(base_url=told[0], headers=HEADER, timeout=60) as kiosk:
                return (await kiosk.get("/api/status")).status_code == 200

        async with asyncio.timeout(60):
            while not await works():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert len(told) == 1
        assert await asyncio.to_thread(lock, "open", "--passphrase-file", "phrase") == 1
        assert "works already" in capsys.readouterr().err
        assert lock("init", "--passphrase-file", "phrase") == 1
        assert "stop it first" in capsys.readouterr().err
    finally:
        running.cancel()
        await asyncio.wait([running])
    assert lock("open") == 1
    assert not agent_runs(load_settings(config).data_dir)
