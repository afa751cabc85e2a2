"""Builds of the firmware: for this machine and for the chip in QEMU."""

import ctypes
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from firmware_core import FIRMWARE

from chevet.devices import kit

Build = Callable[..., Path]
EMULATED_QUIET_S = 8.0
"""An emulated chip may stand still in the middle of a frame while this machine serves others."""


@pytest.fixture
def patient_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the host wait longer for the rest of a frame than PROTOCOL.md has it: a real chip never pauses."""
    monkeypatch.setattr(kit, "QUIET_S", EMULATED_QUIET_S)


@pytest.fixture(scope="session")
def build(tmp_path_factory) -> Build:
    """Run `make` for some targets into one folder of this test run; a failure shows the compiler's words."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "firmware"
    folder.mkdir(exist_ok=True)

    def make(*words: str) -> Path:
        command = ["make", "-j2", "-C", str(FIRMWARE), f"BUILD={folder}", f"PYTHON={sys.executable}", *words]
        with (folder / "lock").open("w") as lock:  # several workers, one build
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return folder

    return make


@pytest.fixture(scope="session")
def gcc(build) -> Build:
    if not (shutil.which("gcc") and shutil.which("make")):
        pytest.skip("gcc or make is missing, so the firmware's core is not built: sudo apt install gcc make")
    return build


@pytest.fixture(scope="session")
def core(gcc) -> ctypes.CDLL:
    """The firmware's core as a library."""
    library = ctypes.CDLL(str(gcc("shared") / "host" / "libkit.so"))
    library.shim_read.restype = ctypes.c_size_t
    library.shim_decode.restype = ctypes.c_size_t
    library.shim_expire.restype = ctypes.c_size_t
    return library


@pytest.fixture(scope="session")
def elves(build) -> dict[str, Path]:
    """The firmware for the chip, one file for each front end."""
    for program, package in (
        ("make", "make"),
        ("arm-none-eabi-gcc", "gcc-arm-none-eabi"),
        ("qemu-system-arm", "qemu-system-arm"),
    ):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing, so the firmware is not run: sudo apt install {package}")
    folder = build("target", "SERIAL=T0042") / "stm32f405"
    return {name: folder / f"{name}.elf" for name in ("ecg", "stethoscope")}
