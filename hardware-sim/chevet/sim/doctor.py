"""Checks what the simulator needs and names the remedy for what is missing."""

import importlib
import os
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

KIOSK_PORT, DESK_PORT = 8421, 8422
SIM_EXTRA = "install the simulator's packages: pip install 'chevet[sim]'"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: `remedy` is empty where all is well; without `needed` it is only a hint."""

    what: str
    state: str
    remedy: str = ""
    needed: bool = True

    @property
    def good(self) -> bool:
        """Whether nothing has to be done."""
        return not self.remedy


def look() -> list[Finding]:
    """Return everything looked at, in order."""
    checks: tuple[Callable[[], Finding], ...] = (
        _python,
        lambda: _module("bumble", "virtual Bluetooth radio"),
        lambda: _module("bleak", "Bluetooth library"),
        lambda: _module("cv2", "OpenCV, draws and reads the otoscope's pictures"),
        lambda: _module("iotcore", "embedded MQTT broker of the demo"),
        lambda: _module("httpx", "HTTP client of the demo"),
        _pseudo_terminal,
        _unix_sockets,
        lambda: _port(KIOSK_PORT, "kiosk"),
        lambda: _port(DESK_PORT, "desk"),
        _mosquitto,
    )
    return [check() for check in checks]


def report(findings: list[Finding]) -> str:
    """Return the findings as lines for a terminal."""
    lines = []
    for finding in findings:
        mark = "ok  " if finding.good else ("FAIL" if finding.needed else "note")
        lines.append(f"{mark}  {finding.what}: {finding.state}")
        if finding.remedy:
            lines.append(f"      {finding.remedy}")
    return "\n".join(lines)


def _python() -> Finding:
    state = ".".join(map(str, sys.version_info[:3]))
    remedy = "" if sys.version_info >= (3, 11) else "install Python 3.11 or newer"
    return Finding("Python", state, remedy)


def _module(name: str, what: str) -> Finding:
    try:
        importlib.import_module(name)
    except ImportError as error:
        return Finding(what, f"{name} cannot be imported ({error})", SIM_EXTRA)
    return Finding(what, f"{name} is installed")


def _pseudo_terminal() -> Finding:
    try:
        master, slave = os.openpty()
    except OSError as error:
        return Finding(
            "pseudo-terminals",
            str(error.strerror),
            "mount devpts at /dev/pts; in a container run it with a /dev/pts",
        )
    os.close(master)
    os.close(slave)
    return Finding("pseudo-terminals", "can be made")


def _unix_sockets() -> Finding:
    good = hasattr(socket, "AF_UNIX")
    return Finding("Unix sockets", "there" if good else "missing", "" if good else "run on Linux")


def _port(port: int, whose: str) -> Finding:
    with socket.socket() as probe:
        taken = probe.connect_ex(("127.0.0.1", port)) == 0
    remedy = f"stop what uses it, or give the demo another: --port-{whose}" if taken else ""
    return Finding(f"port {port} for the {whose}", "taken" if taken else "free", remedy, needed=False)


def _mosquitto() -> Finding:
    path = shutil.which("mosquitto") or next(
        (str(place) for place in (Path("/usr/sbin/mosquitto"),) if place.exists()), None
    )
    return Finding("mosquitto (only for --broker mosquitto)", path or "not installed; the demo uses iotcore")
