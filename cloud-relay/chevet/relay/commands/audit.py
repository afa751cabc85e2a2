"""`chevet-relay audit`: is the record of who did what whole, and what does it say."""

import argparse
from datetime import UTC, datetime

from chevet.relay.archive.audit import Broken, Record, records
from chevet.relay.commands.opened import opened

REMEDY = {
    "changed": "was changed after it was written",
    "missing": "is missing",
    "cut off": "and all after it were cut off",
}


def verify(options: argparse.Namespace) -> int:
    """Walk the audit chain; 1 and the record where it is broken."""
    with opened(options.config) as relay, relay.database.read() as connection:
        broken = relay.audit.verify(connection)
        near = records(connection, from_seq=broken.seq - 1 if broken else None, most=2)
    if broken is None:
        print(f"The audit chain is whole: {near[-1].seq if near else 0} records.")
        return 0
    for line in _told(broken, near):
        print(line)
    return 1


def show(options: argparse.Namespace) -> int:
    """List records, the newest last."""
    with opened(options.config) as relay, relay.database.read() as connection:
        found = records(connection, subject=options.case, who=options.user, most=max(1, options.last))
    for one in found:
        print(_line(one))
    return 0


def _told(broken: Broken, near: list[Record]) -> list[str]:
    lines = [f"The audit chain breaks at record {broken.seq} ({broken.why}): it {REMEDY[broken.why]}."]
    lines += [f"  now reads: {_line(one)}" for one in near if one.seq == broken.seq]
    lines += [f"  before it: {_line(one)}" for one in near if one.seq < broken.seq]
    return [*lines, "Compare both with a backup of the archive; records before this one hold."]


def _line(one: Record) -> str:
    at = datetime.fromtimestamp(one.at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{one.seq:>8}  {at}Z  {one.who:<20} {one.what:<24} {one.subject} {one.detail}".rstrip()
