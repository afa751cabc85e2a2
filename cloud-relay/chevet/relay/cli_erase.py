"""The words of `chevet-relay erase`."""

import argparse
from collections.abc import Callable
from typing import Any

from chevet.study.study import CONSENT_PURPOSES


def add_erase(
    kinds: Any,
    later: Callable[[str, str], Callable[[argparse.Namespace], int]],
    add_config: Callable[[argparse.ArgumentParser], None],
) -> None:
    """Add `erase` and its actions to the commands."""
    actions = kinds.add_parser(
        "erase",
        help="withdraw consent; destroy what is due; receipts of destruction",
        description="A case whose patient withdrew consent for care is hidden at once and destroyed after "
        "erasure_days; answered cases go after retention_days where the programme set that. The audit stays. "
        "Copies in backups go when the backups do.",
    ).add_subparsers(metavar="ACTION", required=True)
    words = {
        "withdraw": "withdraw a patient's consent, for care or another purpose",
        "list": "list what is hidden or destroyed",
        "due": "destroy now what is due",
        "restore": "take back what was a mistake, before anything was destroyed",
        "receipt": "print the signed receipt of a destruction",
    }
    for name, sentence in words.items():
        action = actions.add_parser(name, help=sentence)
        if name not in ("list", "due"):
            action.add_argument("case", metavar="CASE", help="id of the case")
        if name == "withdraw":
            action.add_argument(
                "--purpose", action="append", choices=CONSENT_PURPOSES, help="may be repeated (default: care)"
            )
        add_config(action)
        action.set_defaults(command=later("erase", f"run_{name}"))
