"""Where the desk is opened: passkeys and identity providers hold for one address, that of `desk_url`."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from chevet.relay.errors import RefusedError

LOCAL = "localhost"
"""Browsers take this name without https; an address of digits never names a passkey's home."""


@dataclass(frozen=True, slots=True)
class Place:
    """One address of the desk.

    Attributes:
        origin: scheme, host and port as a browser says them.
        host: the name alone, which is what passkeys are bound to.
        passkeys: whether browsers give passkeys to pages there: https, or this very machine by name.
    """

    origin: str
    host: str
    passkeys: bool

    def check(self, origin: str | None, what: str) -> None:
        """Refuse a page that stands elsewhere.

        Args:
            origin: header of the request, None where a caller sends none.
            what: named in the sentence, such as "Passkeys".

        Raises:
            RefusedError: 409 `other_address`.
        """
        if origin is not None and origin != self.origin:
            raise self.elsewhere(what)

    def elsewhere(self, what: str) -> RefusedError:
        """Return the refusal of a page that stands elsewhere."""
        return RefusedError(
            409,
            "other_address",
            f"{what} work only at {self.origin}: open the desk there, or set desk_url to where it is opened.",
        )


def place_of(desk_url: str, port: int) -> Place:
    """Return the place that the setting `desk_url` names; "" is this machine alone."""
    parts = urlsplit(desk_url or f"http://{LOCAL}:{port}")
    host = (parts.hostname or "").lower()
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    shown = f"[{host}]" if ":" in host else host
    origin = f"{parts.scheme}://{shown}" + (f":{parts.port}" if parts.port not in (None, usual) else "")
    local = host == LOCAL or host.endswith(f".{LOCAL}")
    return Place(origin, host, (parts.scheme == "https" or local) and not _digits(host))


def _digits(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
