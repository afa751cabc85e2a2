"""`chevet-edge carry`: the courier's stick, at the terminal. Works beside a running agent."""

import argparse
import time
from pathlib import Path

from chevet.edge.box_word import agent_runs
from chevet.edge.carry import Exported, export
from chevet.edge.errors import SettingsError
from chevet.edge.settings import EdgeSettings, load_settings
from chevet.edge.spool import Spool
from chevet.edge.terminal_devices import call_agent
from chevet.edge.trust import known_site


def run_carry(options: argparse.Namespace) -> int:
    """Fill a stick, or take what one brought."""
    settings = load_settings(options.config)
    if options.to:
        return _fill(settings, options.to)
    return _take(settings, options.source.resolve())


def _fill(settings: EdgeSettings, root: Path) -> int:
    code, path = known_site(settings.data_dir), settings.data_dir / "spool.db"
    done = Exported()
    if code and path.exists():
        spool = Spool(path, _now_ms)
        try:
            for line in export(spool, code, root, done):
                print(line, flush=True)
        finally:
            spool.close()
    if not (done.written or done.there or done.left):
        print("Nothing waits: all that was sent is at the relay.")
        return 0
    print(
        f"On the stick: {done.written + done.there} ({done.written} written now, {done.bytes / 1e6:.1f} MB);"
        f" left on this box for now: {done.left}."
    )
    print(
        "At the relay: chevet-relay carry import FOLDER. Then bring it back: chevet-edge carry --from FOLDER"
    )
    return 1 if done.left else 0


def _take(settings: EdgeSettings, root: Path) -> int:
    if not agent_runs(settings.data_dir):
        raise SettingsError(
            "No agent is running to take it in; start it with `chevet-edge run`, then run this again."
        )
    brought = call_agent(settings, "POST", "/api/carry", {"folder": str(root)})
    print(
        f"Taken: {brought['messages']} messages of the relay. At the relay now, and off the stick:"
        f" {brought['settled']}."
    )
    if brought["answers"]:
        print("Receipts for the relay are on the stick: bring it along with the next one.")
    return 0


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
