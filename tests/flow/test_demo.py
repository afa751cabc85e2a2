"""The demo as a newcomer meets it: what it says, and that nothing is left when it ends."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from chevet.sim import demo
from chevet.sim.cli import main

COMMAND = Path(sys.executable).parent / "chevet-sim"


def _demo(*options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [COMMAND, "demo", *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _said_until(process: "subprocess.Popen[str]", words: str) -> str:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(f"ended without saying {words!r}: {said}")


def _left_over(folder: str) -> list[str]:
    """Return the command lines of living processes that speak of this folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if folder in words:
            found.append(words)
    return found


@pytest.mark.flow
@pytest.mark.timeout(400)
def test_ctrl_c_stops_all_and_a_second_demo_is_told_of_the_first() -> None:
    kiosk, desk = str(demo.free_port()), str(demo.free_port())
    folder = f"/tmp/chevet-demo-test-{kiosk}"
    first = _demo("--port-kiosk", kiosk, "--port-desk", desk, "--dir", folder)
    try:
        said = _said_until(first, "Ctrl-C stops everything")
        for word in ("broker", "instruments", "relay", "agent", demo.PIN, demo.PASSWORD, kiosk, desk):
            assert word in said
        second = _demo("--port-kiosk", kiosk, "--port-desk", desk)
        assert second.communicate(timeout=120)[0].count("A Chevet is already running") == 1
        assert second.returncode == 1
        assert _left_over(folder)
        first.send_signal(signal.SIGINT)
        assert "All processes stopped" in first.communicate(timeout=180)[0]
        assert first.returncode == 0
        end = time.monotonic() + 60
        while _left_over(folder) and time.monotonic() < end:
            time.sleep(0.2)
        assert _left_over(folder) == []
    finally:
        first.kill()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_taken_port_gives_one_sentence_with_the_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["demo", "--port-kiosk", str(port), "--port-desk", str(demo.free_port())]) == 1
    said = capsys.readouterr().err
    assert f"Port {port} is taken by another program" in said
    assert f"make demo PORT_KIOSK={port + 100}" in said
    assert len(said.strip().splitlines()) == 1


def test_a_full_disk_gives_one_sentence_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=7_000_000))
    ports = ["--port-kiosk", str(demo.free_port()), "--port-desk", str(demo.free_port())]
    assert main(["demo", *ports, "--dir", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "Only 7 MB are free" in said
    assert "make demo DIR=" in said
    assert len(said.strip().splitlines()) == 1
