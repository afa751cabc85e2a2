"""The demo's real processes on free ports, for the flow and browser tests."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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

    def restart(self, name: str) -> None:
        """Start one killed process again and wait until it serves."""
        demo.restart(self.stage, name, self.folder, self.ports)


def running(engine: str) -> Iterator[RunningDemo]:
    # A Unix socket's path is limited to 107 bytes, so pytest's long folders are not used for the stage.
    folder = Path(tempfile.mkdtemp(prefix="chevet-"))
    ports = demo.Ports(kiosk=demo.free_port(), desk=demo.free_port(), broker=demo.free_port())
    with Stage(folder / "logs", print) as stage:
        demo.set_up(stage, folder, ports, engine)
        yield RunningDemo(stage, folder, ports)
    shutil.rmtree(folder, ignore_errors=True)
