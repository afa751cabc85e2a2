"""`chevet-relay backup` and `chevet-relay restore`."""

import argparse
import sys

from chevet.relay.backup import backup, restore
from chevet.relay.commands.opened import opened
from chevet.relay.settings import read_settings
from chevet.relay.stores import open_objects

SHOWN = 10


def run_backup(options: argparse.Namespace) -> int:
    """Bring a backup up to date."""
    with opened(options.config) as relay:
        sheet = backup(relay, options.dir, _told)
    print(f"{options.dir} holds the archive as of now: {sheet.objects} objects, {sheet.bytes / 1e6:.1f} MB.")
    print("The keys are not in it: keep a copy of the keys folder apart.")
    return 0


def run_restore(options: argparse.Namespace) -> int:
    """Put a backup into an empty archive; 1 where something of it is missing."""
    settings = read_settings(options.config)
    found = restore(settings, options.dir, _told)
    print(f"{found.objects} objects are back in {open_objects(settings).place}, each what its name says.")
    for name in found.missing[:SHOWN]:
        print(f"missing or damaged in the backup: {name}")
    if found.missing:
        print(f"{len(found.missing)} objects are missing: boxes may still have them (`chevet-edge queue`).")
    if found.audit_broken_at:
        print(f"The audit chain breaks at record {found.audit_broken_at}: see `chevet-relay audit verify`.")
    return 1 if found.missing or found.audit_broken_at else 0


def _told(sentence: str) -> None:
    print(f"  {sentence}", file=sys.stderr)
