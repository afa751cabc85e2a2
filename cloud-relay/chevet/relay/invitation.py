"""Inviting the box of a health centre: the one-time code, and what is typed at the box."""

import os
from dataclasses import dataclass

from chevet.exchange.enrolment import make_code
from chevet.relay.accounts.users import OPERATOR
from chevet.relay.relay import Relay


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation: the site's code, where its box reaches us, the command there, the text of the QR."""

    site: str
    url: str
    command: str
    qr: str


def invited(
    relay: Relay, name: str, *, site: str = "", phone: str = "", hours: int, by: str = OPERATOR
) -> Invited:
    """Make a one-time code that lets a box in; it is stored nowhere.

    Args:
        relay: who invites.
        name: of the site.
        site: its code, where it is known or chosen.
        phone: of the site.
        hours: how long the code holds.
        by: user id or "operator", for the audit.

    Raises:
        SettingsError: no code can be made for this name or site.
    """
    relay.authority()  # made now: the first box should not wait for it, nor learn that it cannot be made
    code = make_code(relay.keys.relay.public_key(), os.urandom)
    found = relay.invites.add(code, name, site=site, phone=phone, hours=hours, by=by)
    url = relay.settings.public_address
    return Invited(found, url, f"chevet-edge enrol {url} {code}", f"{url}#{code}")
