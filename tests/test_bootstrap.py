"""Setting up: every trouble of a bare machine gets one sentence with its remedy."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The set-up script, working in an empty folder."""
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    monkeypatch.setattr(sys, "argv", ["bootstrap.py"])
    return module


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        (
            "src/x.c:1:10: fatal error: Python.h: No such file or directory",
            "sudo apt install python3-dev gcc",
        ),
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("Temporary failure in name resolution", "No network"),
        ("ERROR: No matching distribution found for numpy", "64-bit"),
    ],
)
def test_what_pip_says_becomes_a_remedy(bootstrap: ModuleType, said: str, remedy: str) -> None:
    assert remedy in bootstrap._remedy(f"Collecting numpy\n{said}\n")


def test_an_unknown_trouble_shows_its_last_lines(bootstrap: ModuleType) -> None:
    said = "\n".join(f"line {number}" for number in range(40))
    shown = bootstrap._remedy(said)
    assert "line 39" in shown
    assert "line 3\n" not in shown


def test_a_full_disk_is_told_before_anything_is_made(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=200_000_000))
    assert bootstrap.main() == 1
    said = capsys.readouterr().err
    assert "The disk has 0.2 GB free" in said
    assert not bootstrap.VENV.exists()


def test_a_missing_venv_module_names_its_package(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = subprocess.CompletedProcess([], 1, "The virtual environment was not created: ensurepip", "")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    assert bootstrap.main() == 1
    assert "sudo apt install python3-venv" in capsys.readouterr().err


def test_an_old_python_is_refused(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    assert bootstrap.main() == 1
    assert "Python 3.11, 3.12 or 3.13 is needed, this is 3.9" in capsys.readouterr().err


def test_nothing_is_done_when_nothing_changed(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[str] = []

    def made() -> None:
        (bootstrap.VENV / "bin").mkdir(parents=True)
        (bootstrap.VENV / "bin" / "pip").touch()
        calls.append("venv")

    monkeypatch.setattr(bootstrap, "_make_venv", made)
    monkeypatch.setattr(bootstrap, "_pip", lambda title, *_: calls.append(title))
    assert bootstrap.main() == 0
    done = list(calls)
    assert len(done) == 2
    assert bootstrap.main() == 0
    assert calls == done
