"""Processes that belong together: started in order, watched, and all gone at the end."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal a child gets when its parent dies, so that a killed demo leaves nothing."""
STOP_GRACE_S = 8.0


class StageError(Exception):
    """The stage could not be set or fell; the text is for the person at the terminal and names the remedy."""


@dataclass(slots=True)
class Actor:
    """One running process of the stage."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    started_at: float

    def tail(self, lines: int = 8) -> str:
        """Return the last lines this process wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


@dataclass(slots=True)
class Stage:
    """Starts programs of this environment one after the other and stops all of them at the end.

    Attributes:
        folder: where logs go.
        say: shows one line of progress.
    """

    folder: Path
    say: Callable[[str], None]
    actors: list[Actor] = field(default_factory=list[Actor])

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def do(self, *command: str, stdin: str = "") -> str:
        """Run one command to its end and return what it printed.

        Raises:
            StageError: it failed; the text holds its own last sentence.
        """
        done = subprocess.run(
            [program(command[0]), *command[1:]], input=stdin, capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise StageError(f"{command[0]} {command[1]}: {said[-1] if said else 'failed without a word'}")
        return done.stdout

    def start(self, name: str, *command: str) -> Actor:
        """Start a program without waiting for it."""
        log = self.folder / f"{name}.log"
        with log.open("ab") as out:
            process = subprocess.Popen(
                [program(command[0]), *command[1:]],
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches the stage alone, which stops all in order
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one prctl call; the stage has no threads
            )
        actor = Actor(name, process, log, time.monotonic())
        self.actors.append(actor)
        return actor

    def await_ready(self, actor: Actor, ready: Callable[[], bool], within_s: float = 60.0) -> None:
        """Wait until `ready()`.

        Raises:
            StageError: the program ended or was not ready within `within_s` seconds of its start.
        """
        self._wait(actor, ready, actor.started_at + within_s)
        self.say(f"  {actor.name:<12} ready after {time.monotonic() - actor.started_at:.1f} s")

    def _wait(self, actor: Actor, ready: Callable[[], bool], until: float) -> None:
        while not ready():
            if actor.process.poll() is not None:
                raise StageError(f"{actor.name} stopped while starting. It said:\n{actor.tail()}")
            if time.monotonic() > until:
                raise StageError(f"{actor.name} did not become ready. It said:\n{actor.tail()}")
            time.sleep(0.1)

    def kill(self, name: str) -> None:
        """End one process the hard way, as a power cut would."""
        actor = next(actor for actor in self.actors if actor.name == name)
        os.killpg(actor.process.pid, signal.SIGKILL)
        actor.process.wait()
        self.actors.remove(actor)

    def fallen(self) -> Actor | None:
        """Return the first process that ended by itself, if any."""
        return next((actor for actor in self.actors if actor.process.poll() is not None), None)

    def stop(self) -> None:
        """End every process, last started first; kill what does not listen."""
        for actor in reversed(self.actors):
            if actor.process.poll() is None:
                actor.process.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    actor.process.wait(STOP_GRACE_S)
            # What the program itself left behind belongs to its session.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(actor.process.pid, signal.SIGKILL)
            actor.process.wait()
        self.actors.clear()


def program(name: str) -> str:
    """Return the path of one of our commands in the environment that runs this one."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else name


def answers(url: str) -> bool:
    """Tell whether a local HTTP interface gives 200 to a GET."""
    try:
        with urllib.request.urlopen(url, timeout=1.0) as answer:  # noqa: S310 - our own http URL on loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


_LIBC = ctypes.CDLL(None)


def _die_with_parent() -> None:
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
