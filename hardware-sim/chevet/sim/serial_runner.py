"""Runs a virtual serial instrument: device, faults and port, paced by an absolute schedule."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from chevet.sim.pty_port import PtyPort
from chevet.sim.wire_faults import WireFaults

TICK_S = 0.02
"""Fine enough that commands are answered within the 100 ms of PROTOCOL.md and live waves stay smooth."""


class SerialDevice(Protocol):
    """What every virtual serial instrument offers; all times are monotonic seconds."""

    baud: int

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Take bytes from the client, possibly none; return frames to send."""
        ...

    def advance(self, now: float) -> list[bytes]:
        """Return the frames due at `now`."""
        ...

    def restart(self, now: float) -> None:
        """Power on again."""
        ...


class SerialRunner:
    """One virtual instrument on one virtual port."""

    def __init__(
        self,
        device: SerialDevice,
        port: PtyPort,
        faults: WireFaults,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.device = device
        self.port = port
        self.faults = faults
        self._clock = clock

    def plug(self) -> None:
        """Plug the instrument in: the port appears and the device powers on."""
        if not self.port.plugged:
            self.device.restart(self._clock())
            self.port.plug()

    def unplug(self) -> None:
        """Pull the cable."""
        self.port.unplug()

    def step(self) -> None:
        """Do what is due now. An instrument without a listener runs on, unheard."""
        now = self._clock()
        if not self.port.plugged:
            return
        matches = self.port.baud() == self.device.baud
        heard = self.port.read()
        frames = self.device.receive(heard if matches else b"", now) + self.device.advance(now)
        if not frames or not self.port.attached():
            return
        data = self.faults.apply(frames)
        self.port.write(data if matches else self.faults.at_wrong_baud(data))

    async def run(self) -> None:
        """Step by an absolute schedule until cancelled; then pull the cable."""
        self.plug()
        due = self._clock()
        try:
            while True:
                self.step()
                due = max(due + TICK_S, self._clock())
                await asyncio.sleep(due - self._clock())
        finally:
            self.unplug()
