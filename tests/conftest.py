"""Stages shared by the flow and browser tests: the demo's real processes on free ports."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chevet.sim import demo
from chevet.sim.stage import Stage


@dataclass(frozen=True, slots=True)
class RunningDemo:
    """Broker, instruments, relay and agent as real processes."""

    stage: Stage
    folder: Path
    ports: demo.Ports

    @property
    def control(self) -> Path:
        """The simulator's control socket."""
        return self.folder / "sim" / "control.sock"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _running(engine: str) -> Iterator[RunningDemo]:
    # A Unix socket's path is limited to 107 bytes, so pytest's long folders are not used for the stage.
    folder = Path(tempfile.mkdtemp(prefix="chevet-"))
    ports = demo.Ports(kiosk=free_port(), desk=free_port(), broker=free_port())
    with Stage(folder / "logs", print) as stage:
        demo.set_up(stage, folder, ports, engine)
        yield RunningDemo(stage, folder, ports)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def kit() -> Iterator[RunningDemo]:
    """One running kit for all tests that do no harm to it."""
    yield from _running("iotcore")


@pytest.fixture
def own_kit() -> Iterator[RunningDemo]:
    """A running kit for one test that kills its processes."""
    yield from _running("iotcore")
