"""A serial port at the end of a network cable, beside the pseudo-terminal of the same instrument."""

import contextlib
import socket

from chevet.sim.errors import ServeError
from chevet.sim.pty_port import PtyPort
from chevet.sim.serial_runner import ANY_BAUD

READ_AT_MOST = 4096
BACKLOG = 4


class TcpPort:
    """Listens on the loopback; one client at a time, as a serial server has it.

    Args:
        number: of the port, 0 for any free one.
    """

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.dropped_bytes = 0
        self._listening: socket.socket | None = None
        self._client: socket.socket | None = None

    @property
    def plugged(self) -> bool:
        """Whether anybody could connect."""
        return self._listening is not None

    def plug(self) -> None:
        """Listen; the number stays the same after an unplug.

        Raises:
            ServeError: the number is taken.
        """
        if self._listening is not None:
            return
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", self.number))
        except OSError as error:
            listening.close()
            raise ServeError(f"port {self.number}", f"TCP port {self.number} is taken") from error
        listening.listen(BACKLOG)
        listening.setblocking(False)
        self.number = int(listening.getsockname()[1])
        self._listening = listening

    def unplug(self) -> None:
        """Stop to listen and hang up."""
        self._hang_up()
        if self._listening is not None:
            self._listening.close()
            self._listening = None

    def attached(self) -> bool:
        """Whether a client is connected; takes the next one where the last has gone."""
        if self._client is None and self._listening is not None:
            with contextlib.suppress(BlockingIOError, OSError):
                self._client, _ = self._listening.accept()
                self._client.setblocking(False)
                self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._client is not None

    def baud(self) -> int:
        """Return ANY_BAUD: a network knows no speed."""
        return ANY_BAUD

    def read(self) -> bytes:
        """Return what the client has written, possibly nothing; never waits."""
        if self._client is None:
            return b""
        try:
            heard = self._client.recv(READ_AT_MOST)
        except BlockingIOError:
            return b""
        except OSError:
            heard = b""
        if not heard:
            self._hang_up()
        return heard

    def write(self, data: bytes) -> None:
        """Send to the client; what does not fit is dropped."""
        if self._client is None or not data:
            return
        sent = 0
        try:
            sent = self._client.send(data)
        except BlockingIOError:
            pass
        except OSError:
            self._hang_up()
        self.dropped_bytes += len(data) - sent

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


class BothPorts:
    """A pseudo-terminal and a TCP port of one instrument: what it says goes to both, either may speak."""

    def __init__(self, terminal: PtyPort, network: TcpPort) -> None:
        self.terminal, self.network = terminal, network

    @property
    def plugged(self) -> bool:
        """Whether the instrument is plugged in."""
        return self.terminal.plugged

    def plug(self) -> None:
        """Plug both in."""
        self.network.plug()
        self.terminal.plug()

    def unplug(self) -> None:
        """Pull both out."""
        self.terminal.unplug()
        self.network.unplug()

    def attached(self) -> bool:
        """Whether a client has either."""
        network = self.network.attached()
        return self.terminal.attached() or network

    def baud(self) -> int:
        """Return the terminal's speed where somebody has it open, else ANY_BAUD."""
        return self.terminal.baud() if self.terminal.attached() else ANY_BAUD

    def read(self) -> bytes:
        """Return what either client has written."""
        return self.terminal.read() + self.network.read()

    def write(self, data: bytes) -> None:
        """Send to both."""
        if self.terminal.attached():
            self.terminal.write(data)
        self.network.write(data)
