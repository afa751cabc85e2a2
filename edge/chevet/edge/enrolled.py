"""What enrolment left on the box: where its relay and broker are, and its certificate.

`enrolled.json` holds addresses only; `keys/tls.pem` the key and certificate shown to the broker;
`keys/ca.crt` the authority whose broker is believed.
"""

import contextlib
import hashlib
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from cryptography import x509
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chevet.edge.at_rest import DataKey
from chevet.edge.box import BoxClock
from chevet.edge.errors import SettingsError
from chevet.edge.settings import EdgeSettings
from chevet.edge.trust import replace_private
from chevet.exchange.connection import BrokerAddress
from chevet.exchange.enrolment import Broker
from chevet.exchange.tls import client_context

ENROLLED_FILE, TLS_FILE, CA_FILE = "enrolled.json", "keys/tls.pem", "keys/ca.crt"
PLAIN_PORT: Final = 1883
LOOPBACK: Final = ("127.", "localhost", "::1")


class Enrolled(BaseModel):
    """Addresses that the relay gave.

    Attributes:
        url: where the relay is asked for the next certificate.
    """

    model_config = ConfigDict(extra="forbid", strict=True)
    v: Literal[1] = 1
    url: Annotated[str, Field(max_length=500)]
    broker: Broker


@dataclass(frozen=True, slots=True)
class Road:
    """How this box reaches its broker."""

    host: str
    port: int
    tls: bool


def read_enrolled(data_dir: Path) -> Enrolled | None:
    """Return what enrolment left, None for a box whose trust files were carried by hand.

    Raises:
        SettingsError: the file is damaged.
    """
    path = data_dir / ENROLLED_FILE
    try:
        return Enrolled.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        raise SettingsError(
            f"{path} cannot be used; run `chevet-edge enrol` again, the keys stay as they are."
        ) from None


def write_enrolled(data_dir: Path, enrolled: Enrolled) -> None:
    """Keep it durably."""
    text = json.dumps(enrolled.model_dump(), indent=2) + "\n"
    replace_private(data_dir / ENROLLED_FILE, text.encode())


def road(settings: EdgeSettings) -> Road:
    """Return where the broker is: as the settings say, else as enrolment said, else on this machine.

    Raises:
        SettingsError: what enrolment left is damaged, or the road would be an open one through a network.
    """
    wish, known = settings.broker, read_enrolled(settings.data_dir)
    broker = known.broker if known else Broker(host="127.0.0.1", port=PLAIN_PORT, tls=False)
    found = Road(
        wish.host or broker.host, wish.port or broker.port, broker.tls if wish.tls is None else wish.tls
    )
    if not (found.tls or wish.open_network or found.host.startswith(LOOPBACK)):
        raise SettingsError(
            f"The broker {found.host} is on another machine and would be reached without TLS; enrol this box"
            " with `chevet-edge enrol`, or set broker.open_network = true where a VPN protects the road."
        )
    return found


def broker_address(
    settings: EdgeSettings, site: str, clock: BoxClock, key: DataKey | None = None
) -> BrokerAddress:
    """Return the broker as the line takes it; certificates are read anew for every connection.

    Raises:
        SettingsError: as `road`, or TLS is wanted and the box has no certificate.
    """
    to = road(settings)
    if to.tls:
        certificate(settings.data_dir)
    return BrokerAddress(
        to.host,
        to.port,
        client_id=_name(settings.data_dir, site) if to.tls else f"edge-{site}",
        username=settings.broker.username,
        password=settings.broker.password(),
        tls=tls_of(settings.data_dir, clock, key) if to.tls else None,
    )


def _name(data_dir: Path, site: str) -> str:
    """Return a name for the broker that nobody can guess: with a known one others could end our connection.

    The gate and mosquitto use the certificate's name whatever is said; RabbitMQ before 4 uses what is said.
    """
    secret = (data_dir / TLS_FILE).read_bytes()
    return f"edge-{site}-{hashlib.sha256(b'chevet name at broker 1' + secret).hexdigest()[:10]}"


def tls_of(data_dir: Path, clock: BoxClock, key: DataKey | None = None) -> Callable[[], ssl.SSLContext]:
    """Return what makes the TLS context of each connection from the files as they are then."""
    password = key.password if key else None
    return lambda: client_context(data_dir / CA_FILE, data_dir / TLS_FILE, clock.fits, password)


def certificate(data_dir: Path) -> x509.Certificate:
    """Return the box's own certificate.

    Raises:
        SettingsError: there is none, or it cannot be read.
    """
    path = data_dir / TLS_FILE
    with contextlib.suppress(OSError, ValueError):
        return x509.load_pem_x509_certificate(path.read_bytes())
    raise SettingsError(f"{path} holds no certificate; run `chevet-edge enrol` with a code of the relay.")


def days_left(shown: x509.Certificate, now_ms: int) -> int:
    """Return whole days until a certificate ends; negative when it has."""
    left = shown.not_valid_after_utc - datetime.fromtimestamp(now_ms / 1000, UTC)
    return left.days
