"""The ways to the broker where a box has several uplinks, such as VSAT by Ethernet and a 4G modem."""

from dataclasses import replace

from chevet.edge.enrolled import Road, road
from chevet.edge.settings import EdgeSettings, UplinkSettings
from chevet.exchange.connection import BrokerAddress
from chevet.exchange.dial import Outlet
from chevet.exchange.routes import Route


def ways(settings: EdgeSettings, address: BrokerAddress) -> BrokerAddress | tuple[Route, ...]:
    """Return the broker's address where the box has one way to it, else the routes, preferred first.

    Raises:
        SettingsError: one of them would be an open road through a network.
    """
    if not settings.uplinks:
        return address
    return tuple(_route(settings, uplink, address) for uplink in settings.uplinks)


def road_over(settings: EdgeSettings, uplink: UplinkSettings) -> Road:
    """Return where the broker is for one uplink.

    Raises:
        SettingsError: as `road`.
    """
    own = {key: value for key, value in (("host", uplink.host), ("port", uplink.port)) if value}
    return road(settings.model_copy(update={"broker": settings.broker.model_copy(update=own)}))


def outlet_of(uplink: UplinkSettings) -> Outlet:
    """Return by which interface or from which address an uplink leaves."""
    return Outlet(uplink.interface, str(uplink.source))


def _route(settings: EdgeSettings, uplink: UplinkSettings, address: BrokerAddress) -> Route:
    to = road_over(settings, uplink)
    own = replace(address, host=to.host, port=to.port, outlet=outlet_of(uplink))
    return Route(uplink.name, own, uplink.bulk)
