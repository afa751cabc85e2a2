"""Make the project's own Python environment in .venv, saying what goes on and, if it fails, what to do.

Runs on a bare Python 3.11 with nothing installed; `make demo` and `make test` call it. It does nothing when
the environment already matches pyproject.toml.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
NEEDED_BYTES = 1_500_000_000  # measured: 1.1 GB for demo and tests together, plus pip's temporary files
REMEDIES = (
    ("Python.h", "A package must be compiled and needs Python's headers: sudo apt install python3-dev gcc"),
    (
        "command 'gcc' failed",
        "A package must be compiled and needs a compiler: sudo apt install gcc python3-dev",
    ),
    ("No space left on device", "The disk is full: free about 1.5 GB (df -h shows where), then try again."),
    ("Temporary failure in name resolution", "No network: connect this machine once for the installation."),
    ("NewConnectionError", "The package index cannot be reached: check the network or pip's proxy settings."),
    ("ConnectTimeoutError", "The package index cannot be reached: check the network or pip's proxy."),
    ("No matching distribution found", "A package has no build for this machine; a 64-bit system is needed."),
    ("Permission denied", f"Cannot write in {ROOT.name}/: run this as the folder's owner, without sudo."),
)


class SetupFailedError(Exception):
    """The environment could not be made; the text says the remedy."""


def main() -> int:
    """Bring .venv up to date; answer the process's exit code."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tests", action="store_true", help="also install what the tests and checks need")
    chosen = options.parse_args()
    try:
        prepare(tests=chosen.tests)
    except SetupFailedError as failure:
        print(f"\nCould not set up Chevet. {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again to go on.", file=sys.stderr)
        return 130
    return 0


def prepare(*, tests: bool) -> None:
    """Create .venv where it is missing and install the project when pyproject.toml changed."""
    _check_machine()
    stamp = VENV / ("chevet-tests.stamp" if tests else "chevet-demo.stamp")
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + sys.version.encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    _check_disk()
    if not (VENV / "bin" / "pip").exists():
        _make_venv()
    # Installing the project itself editable keeps `git pull` all that an update needs.
    _pip("Installing Chevet and what it stands on (once, 1 to 5 minutes)", "install", "--editable", ".[demo]")
    if tests:
        _pip("Installing the test tools", "install", "pip>=25.1")
        _pip("Installing the test tools", "install", "--group", "dev")
        _pip("Installing the test tools", "install", "--no-deps", "--group", "stores")
    stamp.write_text(wanted)


def _check_machine() -> None:
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        found = ".".join(map(str, sys.version_info[:2]))
        raise SetupFailedError(
            f"Python 3.11, 3.12 or 3.13 is needed, this is {found}: make PYTHON=python3.11 demo"
        )
    if sys.maxsize < 2**32:
        raise SetupFailedError("A 64-bit system is needed (on a Raspberry Pi: the 64-bit Raspberry Pi OS).")


def _check_disk() -> None:
    free = shutil.disk_usage(ROOT).free
    if free < NEEDED_BYTES:
        raise SetupFailedError(
            f"The disk has {free / 1e9:.1f} GB free and about {NEEDED_BYTES / 1e9:.1f} GB are needed: "
            "free some and run this again."
        )


def _make_venv() -> None:
    print("Making the project's Python environment in .venv ...", flush=True)
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    said = done.stdout + done.stderr
    if "ensurepip" in said:
        raise SetupFailedError("Python's venv module is not installed: sudo apt install python3-venv")
    raise SetupFailedError(_remedy(said))


def _pip(title: str, *arguments: str) -> None:
    """Run pip in .venv, showing which package it is at."""
    command = [str(VENV / "bin" / "pip"), "--disable-pip-version-check", "--no-input", *arguments]
    env = {**os.environ, "PIP_PROGRESS_BAR": "off", "PYTHONUNBUFFERED": "1"}
    started = time.monotonic()
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said = "".join(_shown(title, process.stdout or iter(())))
    if process.wait() != 0:
        raise SetupFailedError(_remedy(said))
    _line(f"{title}: done in {time.monotonic() - started:.0f} s", last=True)


def _shown(title: str, output: Iterator[str]) -> Iterator[str]:
    """Pass pip's lines on while showing a count of the packages seen."""
    seen = 0
    for text in output:
        words = text.split()
        if words[:1] == ["Collecting"]:
            seen += 1
            _line(f"{title}: {seen} packages, {words[1][:40]}")
        elif words[:1] == ["Installing"]:
            _line(f"{title}: unpacking {seen} packages")
        yield text


def _line(text: str, *, last: bool = False) -> None:
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="\n" if last else "", flush=True)
    elif last:
        print(text, flush=True)


def _remedy(said: str) -> str:
    for sign, sentence in REMEDIES:
        if sign in said:
            return sentence
    tail = "\n".join(said.strip().splitlines()[-12:])
    return f"The installation ended with an error:\n{tail}"


if __name__ == "__main__":
    sys.exit(main())
