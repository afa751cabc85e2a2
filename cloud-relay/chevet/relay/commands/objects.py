"""`chevet-relay objects`."""

import argparse
import json

from chevet.relay.commands.opened import opened
from chevet.relay.orphans import compare, damaged, delivered, sweep_orphans

SHOWN = 10


def check(options: argparse.Namespace) -> int:
    """Compare store and archive; 1 where an object is missing or damaged."""
    with opened(options.config) as relay:
        found = compare(relay)
        lost = damaged(relay) if options.read else list(found.missing)
        place = relay.objects.place
    for name in lost[:SHOWN]:
        print(f"missing or damaged: {name}")
    print(f"{found.named - len(lost)} of {found.named} objects are in {place}.")
    if lost:
        print(
            "Restore the others from the backup: `chevet-relay restore` into an empty archive, or copy them."
        )
    if found.orphans:
        print(
            f"{len(found.orphans)} objects that no case names: `chevet-relay objects sweep` removes old ones."
        )
    return 1 if lost else 0


def listing(options: argparse.Namespace) -> int:
    """Print what arrived whole, with a digest of the bytes that are here now."""
    with opened(options.config) as relay:
        for ident, sha256 in delivered(relay, options.site):
            print(json.dumps({"id": ident, "sha256": sha256}))
    return 0


def sweep(options: argparse.Namespace) -> int:
    """Remove what no case names."""
    with opened(options.config) as relay:
        print(f"{sweep_orphans(relay)} objects removed that no case names.")
    return 0
