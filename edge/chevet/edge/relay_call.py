"""One call to the relay by HTTP, for enrolment and renewal. The messages prove themselves."""

import http.client
import json
import urllib.error
import urllib.request
from typing import Final
from urllib.parse import urlsplit

from chevet.edge.errors import SettingsError
from chevet.exchange.enrolment import LARGEST

PATH: Final = "/api/enrol"
TIMEOUT_S: Final = 30.0
"""A grant of 4 KiB takes 2 s at 32 kbit/s; a handshake over a satellite some more."""
_TOLD: Final = 300  # characters of the relay's own words that are repeated


class NotReached(SettingsError):  # noqa: N818 - named for what happened
    """The relay did not answer; trying again later may help."""


class TurnedAway(SettingsError):  # noqa: N818 - named for what happened
    """The relay answered that it will not."""


def address(url: str) -> str:
    """Return the address of the enrolment of a relay.

    Raises:
        SettingsError: it is no http or https address.
    """
    try:
        parts = urlsplit(url.strip())
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise SettingsError(
            f"'{url}' is no address of a relay; write it as the operator gave it, like https://relay.example."
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}{PATH}"


def ask_relay(url: str, message: bytes, *, timeout_s: float = TIMEOUT_S) -> bytes:
    """Return what the relay at `url` answers to a message; blocks.

    Raises:
        NotReached: nobody answers there, or no relay does.
        TurnedAway: the relay refused, in its own words.
    """
    headers = {"X-Chevet": "1", "Content-Type": "application/json"}
    request = urllib.request.Request(address(url), data=message, headers=headers)  # noqa: S310 - scheme checked
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310 - scheme checked
            return bytes(answer.read(LARGEST * 2))
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(url, error) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise NotReached(
            f"The relay at {url} was not reached ({_plain(str(reason))}); check the address and the network,"
            " then run the same command again."
        ) from None


def _refusal(url: str, error: urllib.error.HTTPError) -> SettingsError:
    try:
        told = str(json.loads(error.read(LARGEST))["error"]["message"])
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return NotReached(f"What answers at {url} is no Chevet relay (HTTP {error.code}); check the address.")
    return TurnedAway(f"The relay refused: {_plain(told)}")


def _plain(text: str) -> str:
    """Return words of the other end without anything that could steer a terminal."""
    return "".join(letter for letter in text if letter.isprintable())[:_TOLD]
