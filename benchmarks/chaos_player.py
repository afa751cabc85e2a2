"""Programs of benchmarks/chaos.py that are killed and started again."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

HERE = Path(__file__).parent
START_S = 120.0


class StageFell(Exception):  # noqa: N818 - named for what happened
    """A program did not start, or ended by itself; the text holds its last words."""


class Cradle:
    """Forks programs of one kind on one machine; see chaos_cradle.py."""

    def __init__(self, inside: Callable[..., list[str]], what: str) -> None:
        """Start it; the first program waits until all code is loaded."""
        words = inside(sys.executable, str(HERE / "chaos_cradle.py"), what)
        self._what = what
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self._loaded = False

    def run(self, folder: Path, what: str, *argv: str) -> str:
        """Run a command to its end and return what it said.

        Raises:
            StageFell: it failed.
        """
        log = folder / f"{what}-{time.monotonic_ns()}.log"
        pid, until = self.fork(log, *argv, what=what), time.monotonic() + START_S
        while lives(pid) and time.monotonic() < until:
            time.sleep(0.01)
        said = log.read_text()
        log.unlink()
        if not said.endswith("\nexit 0\n"):
            raise StageFell(f"{what} {' '.join(argv[:2])}: {said.strip()}")
        return said

    def fork(self, log: Path, *argv: str, what: str = "") -> int:
        """Start a program and return its process id, which is its session's too."""
        asked = {"what": what or self._what, "argv": argv, "log": str(log)}
        with self._lock:
            if not self._loaded:
                self._loaded = bool(self._answer())
            _of(self._process.stdin).write(json.dumps(asked) + "\n")
            _of(self._process.stdin).flush()
            return self._answer()

    def close(self) -> None:
        """End it; its programs end with it."""
        self._process.kill()
        self._process.communicate()

    def _answer(self) -> int:
        line = _of(self._process.stdout).readline()
        if not line:
            raise StageFell(f"the programs' cradle for {self._what} ended")
        return int(json.loads(line)["pid"])


def lives(pid: int) -> bool:
    """Tell whether a process is there; the dead of a cradle are buried at once."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def _of(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise StageFell("a cradle without pipes")
    return pipe


@dataclass(slots=True)
class Player:
    """One program that is killed and started again.

    Attributes:
        starts: how often it was started.
        fell: how often it ended by itself, which it never should.
    """

    name: str
    cradle: Cradle
    argv: tuple[str, ...]
    ready: Callable[[], bool]
    log: Path
    pid: int = 0
    starts: int = 0
    fell: int = 0

    @property
    def alive(self) -> bool:
        """Tell whether it runs."""
        return bool(self.pid) and lives(self.pid)

    def start(self) -> float:
        """Start it, wait until it serves, and return how long that took in seconds.

        Raises:
            StageFell: it did not.
        """
        began = time.monotonic()
        self.starts += 1
        self.pid = self.cradle.fork(self.log, *self.argv)
        while not self.ready():
            if not self.alive:
                self.fell += 1
                raise StageFell(f"{self.name} ended while starting:\n{self.tail()}")
            if time.monotonic() - began > START_S:
                raise StageFell(f"{self.name} was not ready after {START_S:.0f} s:\n{self.tail()}")
            time.sleep(0.02)
        return time.monotonic() - began

    def kill(self) -> None:
        """End it by kill -9, and its whole session with it.

        Raises:
            StageFell: it had ended by itself.
        """
        if not self.alive:
            self.fell += 1
            raise StageFell(f"{self.name} had ended by itself:\n{self.tail()}")
        self.end(within_s=0.0)

    def end(self, within_s: float = 30.0) -> None:
        """End it as a service manager does: SIGTERM, and SIGKILL to the session after `within_s`."""
        if within_s and self.alive:
            os.kill(self.pid, signal.SIGTERM)
            self._gone(within_s)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.pid:
                os.killpg(self.pid, signal.SIGKILL)
        self._gone(START_S)
        self.pid = 0

    def _gone(self, within_s: float) -> None:
        until = time.monotonic() + within_s
        while self.alive and time.monotonic() < until:
            time.sleep(0.005)

    def tail(self, lines: int = 12) -> str:
        """Return its last words."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
