"""A serial port that is not there: a pseudo-terminal behind a stable symlink."""

import contextlib
import os
import select
import termios
import tty
from pathlib import Path

READ_AT_MOST = 4096


class PtyPort:
    """One end of a virtual serial cable; the other is a path that any serial library opens.

    The slave is put into raw mode before anybody can write (a fresh one echoes), and the simulator keeps no
    copy of it open, so that the master tells whether a client is attached.
    """

    def __init__(self, link: Path) -> None:
        self.link = link
        self.dropped_bytes = 0
        self._master: int | None = None

    @property
    def plugged(self) -> bool:
        """Whether the port exists at all."""
        return self._master is not None

    def plug(self) -> None:
        """Make the port appear; after an unplug it gets a new device number behind the same symlink."""
        if self._master is not None:
            return
        master, slave = os.openpty()
        tty.setraw(slave)
        name = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(master, False)
        self._master = master
        self._point_link_at(name)

    def unplug(self) -> None:
        """Make the port vanish; a client's next read or write fails as with a pulled cable."""
        self.link.unlink(missing_ok=True)
        if self._master is not None:
            os.close(self._master)
            self._master = None

    def attached(self) -> bool:
        """Whether a client has the port open."""
        if self._master is None:
            return False
        return not self._poll() & select.POLLHUP

    def baud(self) -> int:
        """Return the client's speed in bit/s, or 0 for one that this system cannot name."""
        if self._master is None:
            return 0
        return _SPEEDS.get(termios.tcgetattr(self._master)[5], 0)

    def read(self) -> bytes:
        """Return what the client has written, possibly nothing; never waits."""
        if self._master is None or not self._poll() & select.POLLIN:
            return b""
        with contextlib.suppress(BlockingIOError, OSError):
            return os.read(self._master, READ_AT_MOST)
        return b""

    def write(self, data: bytes) -> None:
        """Send to the client; what does not fit is dropped, as a UART without flow control does."""
        if self._master is None or not data:
            return
        sent = 0
        with contextlib.suppress(BlockingIOError, OSError):
            sent = os.write(self._master, data)
        self.dropped_bytes += len(data) - sent

    def _poll(self) -> int:
        poll = select.poll()
        poll.register(self._master if self._master is not None else -1, select.POLLIN)
        return next((bits for _, bits in poll.poll(0)), 0)

    def _point_link_at(self, name: str) -> None:
        new = self.link.with_name(self.link.name + ".new")
        new.unlink(missing_ok=True)
        new.symlink_to(name)
        new.replace(self.link)


_SPEEDS = {
    getattr(termios, constant): int(constant[1:])
    for constant in dir(termios)
    if constant.startswith("B") and constant[1:].isdigit()
}
