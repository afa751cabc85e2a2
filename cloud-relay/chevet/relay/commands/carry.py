"""`chevet-relay carry`: what a courier's stick brings in, and takes back."""

import argparse

from chevet.relay.carry import Import
from chevet.relay.commands.opened import opened


def take_in(options: argparse.Namespace) -> int:
    """Import a stick; 1 where something on it was refused."""
    with opened(options.config) as relay:
        work = Import(relay)
        for line in work.run(options.folder):
            print(line, flush=True)
    outcome = work.outcome
    if not (outcome.complete or outcome.refused or outcome.sites):
        print("Nothing of a box is on this stick.")
        return 0
    print(f"{outcome.complete} bundles are here, {outcome.refused} files refused.")
    if outcome.sites:
        print(
            "Receipts and answers are on the stick: bring it back, and there: chevet-edge carry --from FOLDER"
        )
    return 1 if outcome.refused else 0
