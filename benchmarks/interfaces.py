"""Every address of the two interfaces, tried with what nobody thought of: no answer may be a fault of ours.

Schemathesis reads the OpenAPI of relay and agent, and makes requests from it: within what it allows, at its
edges, and outside of it. The relay is tried as each of its roles, the agent as a worker, with cases there.

  .venv/bin/python benchmarks/interfaces.py               200 examples for every address and role
  .venv/bin/python benchmarks/interfaces.py --examples 5  the short form
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.pop(0)  # files here bear the names of folders there
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from interfaces.tried import AGENT, ROLES, Tried, tried_agent, tried_relay


def main() -> int:
    """Try both interfaces; 1 where one answered with a fault."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--only", choices=(*ROLES, AGENT))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    told: list[Tried] = []
    with tempfile.TemporaryDirectory() as place:
        for who in (*ROLES, AGENT):
            if options.only not in (None, who):
                continue
            begun = time.monotonic()
            folder = Path(place) / who
            one = (
                tried_agent(folder, options.examples)
                if who == AGENT
                else tried_relay(folder, who, options.examples)
            )
            told.append(one)
            answers = ", ".join(f"{code} x {many}" for code, many in sorted(Counter(one.answers).items()))
            took = f"{len(one.answers)} requests in {time.monotonic() - begun:.0f} s"
            print(f"{who:<12} {one.addresses} addresses, {took}: {answers}", flush=True)
            for fault in one.faults:
                print(f"  FAULT {fault}")
    if options.json:
        options.json.write_text(json.dumps([one.summary() for one in told], indent=2))
    return 1 if any(one.faults for one in told) else 0


if __name__ == "__main__":
    sys.exit(main())
