"""`chevet-relay site`: which health centres may send."""

import argparse

from chevet.relay.commands.opened import opened
from chevet.relay.keys import read_site


def add(options: argparse.Namespace) -> int:
    """Let a site in by its public file."""
    file = read_site(options.file)
    with opened(options.config) as relay:
        site = relay.sites.add(file)
    print(f"Site {site.code} ({site.name}) may send now.")
    return 0


def show(options: argparse.Namespace) -> int:
    """List the sites."""
    with opened(options.config) as relay:
        for site in relay.sites.list():
            state = "revoked" if site.revoked else "active"
            print(f"{site.code:<8} {state:<8} {site.name}  {site.phone}".rstrip())
    return 0


def revoke(options: argparse.Namespace) -> int:
    """Refuse a site from now on."""
    with opened(options.config) as relay:
        relay.sites.revoke(options.code)
    print(f"Site {options.code} is refused from now on; what it sent stays.")
    return 0
