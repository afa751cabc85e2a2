"""Serial ports and sockets, through pyserial."""

import asyncio
import errno
import logging

import serial

from chevet.bridge.base import Clock, QueuedLink, open_in_thread
from chevet.bridge.errors import LinkLost, LinkUnavailable
from chevet.bridge.url import LinkUrl, split_url

log = logging.getLogger(__name__)

READ_BYTES = 4096
WRITE_TIMEOUT_S = 2.0
"""A line that takes nothing for so long is dead: at 9600 baud it is 1 920 bytes."""
REASONS = {
    errno.ENOENT: "not_found",
    errno.ENODEV: "not_found",
    errno.ENXIO: "not_found",
    errno.EIO: "not_found",
    errno.ECONNREFUSED: "not_found",
    errno.EHOSTUNREACH: "not_found",
    errno.ENETUNREACH: "not_found",
    errno.ETIMEDOUT: "not_found",
    errno.ENOTTY: "wrong_device",
    errno.EBUSY: "busy",
    errno.EAGAIN: "busy",  # the exclusive lock of another program
    errno.EACCES: "no_permission",
    errno.EPERM: "no_permission",
}


class SerialLink(QueuedLink):
    """`serial:/dev/ttyUSB0?baud=9600&parity=N` (always exclusive) or `socket:host:port`."""

    def __init__(self, url: str, clock: Clock) -> None:
        super().__init__(url, clock)
        is_port = url.startswith("serial:")
        self._parts = split_url(url, options=frozenset({"baud", "parity"}) if is_port else frozenset())
        self._settings = _port_settings(self._parts) if is_port else None
        if not is_port and not self._parts.target.rpartition(":")[2].isdecimal():
            raise LinkUnavailable(url, "bad_url")
        self._port: serial.Serial | None = None
        self._sending = asyncio.Lock()

    async def _connect(self) -> None:
        self._port = await open_in_thread(self._open_port, lambda port: port.close())
        asyncio.get_running_loop().add_reader(self._port.fileno(), self._read)

    def _open_port(self) -> serial.Serial:
        try:
            return self._open_device() if self._settings else self._open_socket()
        except ValueError:
            raise LinkUnavailable(self.url, "bad_url") from None
        except OSError as error:  # SerialException is an OSError
            log.info("cannot open %s: %s", self.url, error)
            raise LinkUnavailable(self.url, _reason(error)) from error

    def _open_device(self) -> serial.Serial:
        assert self._settings is not None
        baud, parity = self._settings
        return serial.serial_for_url(
            self._parts.target,
            baudrate=baud,
            parity=parity,
            timeout=0,
            write_timeout=WRITE_TIMEOUT_S,
            exclusive=True,
        )

    def _open_socket(self) -> serial.Serial:
        # `exclusive` must not be passed: a socket has no lock.
        return serial.serial_for_url(
            f"socket://{self._parts.target}", timeout=0, write_timeout=WRITE_TIMEOUT_S
        )

    def _read(self) -> None:
        """Called by the event loop when bytes wait, or when the device went away."""
        port = self._port
        if port is None:
            return
        try:
            data = port.read(READ_BYTES)
        except (OSError, TypeError) as error:  # TypeError: pyserial on a descriptor closed meanwhile
            log.info("lost %s: %s", self.url, error)
            self._stop_reading()
            self._lose("unplugged" if self._settings else "ended")
            return
        if data:
            self._put(data)

    async def send(self, data: bytes) -> None:
        """Send `data` whole.

        Raises:
            LinkUnavailable: the link cannot be opened.
            LinkLost: the device went away or takes nothing.
        """
        await self.open()
        async with self._sending:
            port = self._port
            if port is None:
                raise LinkLost(self.url, "closed")
            try:
                await asyncio.to_thread(port.write, data)
            except serial.SerialTimeoutException as error:
                self._lose("stalled")
                raise LinkLost(self.url, "stalled") from error
            except OSError as error:
                self._stop_reading()
                self._lose("unplugged")
                raise LinkLost(self.url, "unplugged") from error

    def _stop_reading(self) -> None:
        # A vanished device is always "ready to read": without this the loop would spin.
        if self._port is not None and self._port.is_open:
            asyncio.get_running_loop().remove_reader(self._port.fileno())

    async def _disconnect(self) -> None:
        async with self._sending:
            self._stop_reading()
            port, self._port = self._port, None
            if port is not None:
                # In a thread: the kernel may wait here for bytes that a dead line never takes.
                await asyncio.to_thread(port.close)


def _port_settings(parts: LinkUrl) -> tuple[int, str]:
    """Return baud rate and parity letter."""
    parity = parts.options.get("parity", "N")
    baud = int(parts.number("baud", 9600))
    if parity not in "NEO" or len(parity) != 1 or not baud or "://" in parts.target:
        raise LinkUnavailable(parts.text, "bad_url")
    return baud, parity


def _reason(error: BaseException | None) -> str:
    """Return the coded reason of a failed open; pyserial hides the cause of a socket's in its context."""
    while error is not None:
        if isinstance(error, TimeoutError):
            return "not_found"
        number = error.args[0] if error.args else None  # termios.error has no `errno`
        if number in REASONS:
            return REASONS[number]
        error = error.__context__
    return "failed"
