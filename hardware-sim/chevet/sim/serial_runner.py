"""Runs a virtual serial instrument: device, faults and port, paced by a schedule and its line's speed."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from chevet.sim.wire_faults import WireFaults

TICK_S = 0.02
"""Fine enough that commands are answered within the 100 ms of PROTOCOL.md and live waves stay smooth."""
BITS_A_BYTE = 10
ANY_BAUD = -1
"""Of a port that has no speed."""
LONGEST_BACKLOG_S = 4.0
"""A device that has more to say than its line carries keeps so much; the rest is overrun."""


class Port(Protocol):
    """A virtual port."""

    @property
    def plugged(self) -> bool:
        """Whether it exists at all."""
        ...

    def plug(self) -> None:
        """Make it appear."""
        ...

    def unplug(self) -> None:
        """Make it vanish."""
        ...

    def attached(self) -> bool:
        """Whether a client has it open."""
        ...

    def baud(self) -> int:
        """Return the client's speed, 0 for one that cannot be named, ANY_BAUD where there is none."""
        ...

    def read(self) -> bytes:
        """Return what the client has written; never waits."""
        ...

    def write(self, data: bytes) -> None:
        """Send to the client."""
        ...


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
    """One virtual instrument on one virtual port.

    Bytes leave no faster than the line carries them: 10 bits each, 11 with parity.

    Args:
        device: the instrument.
        port: where its client is.
        faults: of the wire.
        clock: the device's own.
        bits: of one byte on the line.
        restarts_when_opened: as Arduinos do.
        host: the clock by which bytes travel.
    """

    def __init__(
        self,
        device: SerialDevice,
        port: Port,
        faults: WireFaults,
        clock: Callable[[], float] = time.monotonic,
        *,
        bits: int = BITS_A_BYTE,
        restarts_when_opened: bool = False,
        host: Callable[[], float] = time.monotonic,
    ) -> None:
        self.device = device
        self.port = port
        self.faults = faults
        self.bits = bits
        self._restarts_when_opened = restarts_when_opened
        self.overrun_bytes = 0
        self._clock = clock
        self._host = host
        self._there = False
        self._waiting = bytearray()
        self._held_since: float | None = None
        self._free_at = self._stepped_at = host()

    def plug(self) -> None:
        """Plug the instrument in: the port appears and the device powers on."""
        if not self.port.plugged:
            self.restart()
            self.port.plug()

    def unplug(self) -> None:
        """Pull the cable."""
        self.port.unplug()

    def restart(self) -> None:
        """Power the device off and on while the cable stays."""
        self.device.restart(self._clock())
        self._waiting.clear()

    def step(self) -> None:
        """Do what is due now. An instrument without a listener runs on, unheard."""
        now = self._clock()
        stepped_at, self._stepped_at = self._stepped_at, self._host()
        if not self.port.plugged:
            return
        there = self.port.attached()
        if there and not self._there:
            self.faults.attached()
            if self._restarts_when_opened:
                self.device.restart(now)
        self._there = there
        matches = self.port.baud() in (self.device.baud, ANY_BAUD) and not self.faults.wrong_baud
        heard = self.port.read()
        frames = self.device.receive(heard if matches and not self.faults.deaf else b"", now)
        frames += self.device.advance(now)
        if not there:
            self._waiting.clear()
            return
        if not self._waiting:  # what became due since the last step could leave since then
            self._free_at = max(self._free_at, stepped_at)
        data = self.faults.apply(frames)
        self._waiting += data if matches else self.faults.at_wrong_baud(data)
        if not self._stalled(self._stepped_at):
            self._send(self._stepped_at)

    def _send(self, now: float) -> None:
        """Send what the line has carried by `now`."""
        byte_s = self.bits / self.device.baud
        sent = bytes(self._waiting[: max(0, int((now - self._free_at) / byte_s))])
        del self._waiting[: len(sent)]
        self._free_at += len(sent) * byte_s
        longest = int(LONGEST_BACKLOG_S / byte_s)
        self.overrun_bytes += max(0, len(self._waiting) - longest)
        del self._waiting[longest:]
        self.port.write(sent)

    def _stalled(self, now: float) -> bool:
        if self.faults.stall_s <= 0:
            self._held_since = None
            return False
        if self._held_since is None:
            self._held_since = now
        if now - self._held_since < self.faults.stall_s:
            return True
        self._held_since = None
        self._free_at = now - (len(self._waiting) + 1) * self.bits / self.device.baud
        return False

    async def run(self) -> None:
        """Step by an absolute schedule until cancelled; then pull the cable."""
        self.plug()
        due = self._host()
        try:
            while True:
                self.step()
                due = max(due + TICK_S, self._host())
                await asyncio.sleep(due - self._host())
        finally:
            self.unplug()
