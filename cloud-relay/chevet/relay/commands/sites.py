"""`chevet-relay site`: which health centres may send."""

import argparse
import io
import sys
from datetime import UTC, datetime
from pathlib import Path

import segno

from chevet.relay.archive.stock import read_stock
from chevet.relay.commands.opened import opened
from chevet.relay.errors import SettingsError
from chevet.relay.invitation import invited
from chevet.relay.keys import read_site
from chevet.relay.relay import Relay
from chevet.relay.settings import Settings

LOOPBACK = ("127.", "localhost", "::1")


def add(options: argparse.Namespace) -> int:
    """Invite a site by a one-time code, or let it in by the public file of `chevet-edge init`."""
    path = Path(options.name)
    if path.suffix == ".json":
        file = read_site(path)
        with opened(options.config) as relay:
            site = relay.sites.add(file)
        print(f"Site {site.code} ({site.name}) may send now.")
        return 0
    if not options.name.strip():
        raise SettingsError("name", "A site needs a name, such as: chevet-relay site add Anfgou.")
    with opened(options.config) as relay:
        _invite(relay, options)
    return 0


def _invite(relay: Relay, options: argparse.Namespace) -> None:
    name = options.name.strip()[:200]
    made = invited(relay, name, site=options.code or "", phone=options.phone, hours=options.hours)
    print(f"Site {made.site} ({name}). On its box, within {options.hours} hours, once:\n")
    print(f"  {made.command}\n")
    if not options.no_qr:
        print(qr(made.qr, sys.stdout.encoding))
    for warning in _warnings(relay.settings, made.url):
        print(f"Note: {warning}")


def qr(text: str, encoding: str | None) -> str:
    """Return a QR code for a terminal, or "" where the terminal has no block characters."""
    drawing = io.StringIO()
    segno.make(text, error="m").terminal(drawing, compact=True)
    try:
        drawing.getvalue().encode(encoding or "ascii")
    except UnicodeEncodeError:
        return ""
    return drawing.getvalue()


def _warnings(settings: Settings, url: str) -> list[str]:
    found = []
    if url.split("://", 1)[-1].startswith(LOOPBACK):
        found.append("boxes elsewhere cannot reach this address: set public_url in relay.toml.")
    host = settings.public_broker_host or settings.broker_host
    if host.startswith(LOOPBACK):
        found.append("boxes elsewhere cannot reach this broker: set public_broker_host in relay.toml.")
    if not settings.broker_tls:
        found.append("the broker is reached without TLS: set broker_tls = true before boxes are elsewhere.")
    return found


def show(options: argparse.Namespace) -> int:
    """List the sites, with the day their certificates end."""
    with opened(options.config) as relay:
        expiry = relay.certificates.expiry()
        for site in relay.sites.list():
            state = "revoked" if site.revoked else "active"
            until = f"  certificate until {_day(expiry[site.code])}" if site.code in expiry else ""
            print(f"{site.code:<8} {state:<8} {site.name}  {site.phone}".rstrip() + until)
    return 0


def stock(options: argparse.Namespace) -> int:
    """Put a list of medicines in place of a site's."""
    medicines = read_stock(options.file.read_text("utf-8"))
    with opened(options.config) as relay:
        relay.sites.set_stock(options.code, medicines)
    print(f"Site {options.code} has {len(medicines)} medicines; specialists choose among them.")
    return 0


def revoke(options: argparse.Namespace) -> int:
    """Refuse a site from now on, here and at the broker."""
    with opened(options.config) as relay:
        relay.sites.revoke(options.code)
        path = relay.write_revoked()
    print(f"Site {options.code} is refused from now on; what it sent stays.")
    print(f"{path} names its certificates; `chevet-relay broker` reads it by itself and ends its connection.")
    return 0


def _day(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d")
