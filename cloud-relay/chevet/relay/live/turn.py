"""Short-lived credentials for the programme's own TURN server, as coturn's `use-auth-secret` checks them.

User name: when it ends, in Unix seconds, a colon, and a random word; password: base64 of HMAC-SHA1 of that
user name under the secret which relay and TURN server share (the "TURN REST API" scheme, IETF draft of 2013).
SHA-1 is the scheme's own; the password is good for hours and opens only a way for sealed packets.
"""

import base64
import hmac
import secrets
from collections.abc import Sequence
from hashlib import sha1
from typing import Any, Final

GOOD_FOR_S: Final = 4 * 3600
"""Longer than any call: coturn asks again whenever a browser refreshes its place."""


def turn_servers(urls: Sequence[str], secret: str, now_s: int) -> list[dict[str, Any]]:
    """Return the servers as browsers take them; none where none are set up."""
    if not urls or not secret:
        return []
    name = f"{now_s + GOOD_FOR_S}:{secrets.token_hex(4)}"
    mac = hmac.new(secret.encode(), name.encode(), sha1).digest()
    return [{"urls": list(urls), "username": name, "credential": base64.b64encode(mac).decode()}]
