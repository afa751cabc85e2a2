"""`chevet-relay audit verify`."""

import argparse

from chevet.relay.commands.opened import opened


def verify(options: argparse.Namespace) -> int:
    """Walk the audit chain; 1 and the record's number where it is broken."""
    with opened(options.config) as relay, relay.database.read() as connection:
        broken = relay.audit.verify(connection)
    if broken is None:
        print("The audit chain is whole.")
        return 0
    print(f"The audit chain breaks at record {broken.seq} ({broken.why}): compare it with a backup.")
    return 1
