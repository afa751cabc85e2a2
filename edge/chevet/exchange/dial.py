"""Opening the TCP connection of a route: through a given network interface or from a given address."""

import socket
from dataclasses import dataclass
from typing import Final

TRIAL_S: Final = 4.0
_known: dict[tuple[str, int], list[tuple[int, tuple[object, ...]]]] = {}
"""Where names were found last: on a dead route the name server often cannot be asked either."""


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where a connection leaves this machine; both "" leave it to the system.

    Attributes:
        interface: such as "eth0" or "wwan0": only routes of this interface are used (SO_BINDTODEVICE,
            socket(7)); Linux allows it to every user since 5.7.
        source: an own address, for machines whose routing goes by source.
    """

    interface: str = ""
    source: str = ""


ANYWHERE: Final = Outlet()


def dial(host: str, port: int, outlet: Outlet, seconds: float) -> socket.socket:
    """Return a connected TCP socket that leaves by the outlet.

    Raises:
        OSError: not reached within the time, no such interface or address, or no right to it.
    """
    failed: OSError = TimeoutError("no address was found")
    for family, address in _addresses(host, port):
        reached = socket.socket(family, socket.SOCK_STREAM)
        try:
            reached.settimeout(seconds)
            _leave_by(reached, outlet)
            reached.connect(address)
        except OSError as error:
            reached.close()
            failed = error
        else:
            return reached
    raise failed


def reaches(host: str, port: int, outlet: Outlet) -> bool:
    """Try a route out: tell whether somebody listens at its other end. Costs some 300 bytes."""
    try:
        dial(host, port, outlet, TRIAL_S).close()
    except OSError:
        return False
    return True


def _leave_by(sock: socket.socket, outlet: Outlet) -> None:
    if outlet.interface:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, outlet.interface.encode() + b"\0")
    if outlet.source:
        sock.bind((outlet.source, 0))


def _addresses(host: str, port: int) -> list[tuple[int, tuple[object, ...]]]:
    try:
        found: list[tuple[int, tuple[object, ...]]] = [
            (family, address)
            for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        ]
    except socket.gaierror:
        if (host, port) not in _known:
            raise
        return _known[host, port]
    _known[host, port] = found
    return found
