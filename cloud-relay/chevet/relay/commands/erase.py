"""`chevet-relay erase`: withdrawal of consent, retention, receipts of destruction."""

import argparse
from datetime import UTC, datetime

from sqlalchemy import select

from chevet.relay.accounts.users import OPERATOR
from chevet.relay.archive.schema import Found, erasures
from chevet.relay.commands.opened import opened
from chevet.relay.erasure import receipt_of, restore, sweep, withdraw
from chevet.relay.errors import SettingsError


def run_withdraw(options: argparse.Namespace) -> int:
    """Withdraw consent for a case."""
    with opened(options.config) as relay:
        due = withdraw(relay, options.case, tuple(options.purpose or ("care",)), OPERATOR)
    if due is None:
        print(f"{options.case} no longer leaves for that purpose; it stays for care.")
    else:
        print(f"{options.case} is hidden now and will be destroyed on {_day(due)}.")
    return 0


def run_list(options: argparse.Namespace) -> int:
    """List what is hidden or destroyed."""
    with opened(options.config) as relay, relay.database.read() as connection:
        for row in connection.execute(select(erasures).order_by(erasures.c.asked_ms)):
            print(f"{row.case_id}  {row.reason:<10} {state(row)}")
    return 0


def run_due(options: argparse.Namespace) -> int:
    """Destroy what is due."""
    with opened(options.config) as relay:
        gone = sweep(relay)
    print(f"{len(gone)} cases destroyed.")
    return 0


def run_restore(options: argparse.Namespace) -> int:
    """Take a withdrawal back."""
    with opened(options.config) as relay:
        restore(relay, options.case)
    print(f"{options.case} is shown again, with the consent it came with.")
    return 0


def run_receipt(options: argparse.Namespace) -> int:
    """Print the signed receipt of a destruction."""
    with opened(options.config) as relay:
        receipt = receipt_of(relay, options.case)
    if receipt is None:
        raise SettingsError("case", f"Case {options.case} was not destroyed: see `chevet-relay erase list`.")
    print(receipt.decode())
    return 0


def state(row: Found) -> str:
    """Return how far an erasure is, and its day: "due", "begun" or "destroyed"."""
    if row.destroyed_ms:
        return f"destroyed {_day(row.destroyed_ms)}"
    return f"begun {_day(row.begun_ms)}" if row.begun_ms else f"due {_day(row.due_ms)}"


def _day(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).strftime("%Y-%m-%d")
