"""`chevet-relay move`."""

import argparse
import sys

from chevet.relay.moving import move
from chevet.relay.settings import read_settings

SHOWN = 10


def run(options: argparse.Namespace) -> int:
    """Move an archive; 1 where something of it was lost before."""
    done = move(
        read_settings(options.config), read_settings(options.to), _told, leave_missing=options.leave_missing
    )
    if done.rows:
        print(f"{sum(done.rows.values())} rows of {len(done.rows)} tables are there, read back and equal.")
    if done.objects:
        print(f"{done.objects} objects are there, each what its name says.")
    for name in done.missing[:SHOWN]:
        print(f"was missing or damaged already: {name}")
    if done.audit_broken_at:
        print(f"The audit chain breaks at record {done.audit_broken_at}: see `chevet-relay audit verify`.")
    print(
        f"Start every relay with {options.to} now. The old archive is as it was: remove it when you are sure."
    )
    return 1 if done.missing or done.audit_broken_at else 0


def _told(sentence: str) -> None:
    print(f"  {sentence}", file=sys.stderr)
