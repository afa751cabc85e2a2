"""The doctor's look at the road to the broker: the certificate, the address, the handshake."""

import errno
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from chevet.edge.at_rest import DataKey
from chevet.edge.box import BoxClock
from chevet.edge.clock_floor import ClockFloor
from chevet.edge.enrolled import Road, certificate, days_left, read_enrolled, road, tls_of
from chevet.edge.errors import SettingsError
from chevet.edge.settings import EdgeSettings
from chevet.edge.ways import outlet_of, road_over
from chevet.exchange.dial import ANYWHERE, Outlet, dial

REACH_S: Final = 3.0
DAYS_LEFT: Final = 60
"""It renews itself from 121 days on; a box with less has not reached its relay for two months."""
_PING: Final = (
    b"\xc0\x00"  # out of turn, so the broker hangs up; in TLS 1.3 a client hears of a refusal only then
)
Told: TypeAlias = tuple[str, str, str]
"""What was looked at, what was found, and the remedy, "" where all is well."""


def look_at_road(
    settings: EdgeSettings, key: DataKey | None = None, *, locked: bool = False
) -> Iterator[Told]:
    """Look at the certificate, where there is one, and at the broker.

    Args:
        settings: of the box.
        key: of its disk, None where it is not covered, or not at hand.
        locked: the private keys are covered and the key is not at hand: TLS is not tried.
    """
    clock = BoxClock(floor=ClockFloor(settings.data_dir, time.monotonic))
    try:
        if read_enrolled(settings.data_dir) is not None:
            yield _certificate(settings, clock)
        settings.broker.password()
        roads = [("", road(settings), ANYWHERE)]
        if settings.uplinks:
            roads = [(one.name, road_over(settings, one), outlet_of(one)) for one in settings.uplinks]
    except SettingsError as error:
        yield "broker", "cannot be used", error.sentence
        return
    for name, to, outlet in roads:
        what = f"broker over {name}" if name else "broker"
        yield _broker(what, to, outlet, None if locked else tls_of(settings.data_dir, clock, key))


def _broker(what: str, to: Road, outlet: Outlet, tls: Callable[[], ssl.SSLContext] | None) -> Told:
    place = f"{to.host}:{to.port}"
    try:
        with dial(to.host, to.port, outlet, REACH_S) as reached:
            if to.tls and tls is not None:
                _shake_hands(tls(), to.host, reached)
    except ssl.SSLError as error:
        told = f"{place} is reached, but TLS fails ({error.reason or error})"
        return what, told, "look at the clock; else the site may be revoked: ask the operator for a code."
    except OSError as error:
        told = f"{place} is not reached ({error.strerror or 'no answer'})"
        return what, told, _remedy(error, outlet)
    return what, f"{place} is reached" + (" by mutual TLS 1.3" if to.tls and tls is not None else ""), ""


def _remedy(error: OSError, outlet: Outlet) -> str:
    if error.errno == errno.ENODEV:
        return f"there is no interface {outlet.interface}: plug the modem in, or correct the uplink."
    if error.errno == errno.EADDRNOTAVAIL and outlet.source:
        return f"this machine has no address {outlet.source} now: bring it up, or correct the uplink."
    if error.errno == errno.EPERM:
        return f"this user may not choose {outlet.interface}: use Linux 5.7 or later, or `source` instead."
    return "check the network and [broker]; until then studies wait safely on this box."


def _certificate(settings: EdgeSettings, clock: BoxClock) -> Told:
    days = days_left(certificate(settings.data_dir), clock.now_ms())
    if days >= DAYS_LEFT:
        return "certificate", f"{days} days left; it renews itself", ""
    remedy = "bring the box online, it renews itself; where it cannot, enrol with a new code."
    return "certificate", f"{max(days, 0)} days left", remedy


def _shake_hands(context: ssl.SSLContext, host: str, reached: socket.socket) -> None:
    with context.wrap_socket(reached, server_hostname=host) as shaken:
        shaken.sendall(_PING)
        shaken.recv(1)
