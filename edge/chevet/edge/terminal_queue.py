"""`chevet-edge queue`: what is not at the relay yet, what was refused and why, and trying again.

Works beside a running agent. Nothing of a patient is shown: cases are named by their ids.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from chevet.edge.arrivals import DeadLetter, dead_letters
from chevet.edge.box_word import agent_runs
from chevet.edge.errors import Refusal, SettingsError
from chevet.edge.settings import EdgeSettings, load_settings
from chevet.edge.spool import REFUSED, Spool, Spooled
from chevet.edge.store import open_uncovered
from chevet.edge.terminal_devices import call_agent

REMEDIES = {
    "unknown_origin": "the relay does not know this box, or shut it out: let it in there, then --again",
    "bad_signature": "the relay knows this box by another key: let it in anew there, then --again",
    "bad_hash": "the bytes changed on this box or on the way: check its disk, then --again",
    "unreadable": "the bytes cannot be read from this box's disk any more: check the disk",
    "too_large": "the study is larger than the relay takes",
    "contradiction": "the relay has another study under this id",
}
OTHER = "ask the programme, which keeps it as a dead letter with this reason"


def look(data_dir: Path) -> tuple[list[Spooled], list[DeadLetter]]:
    """Return what is not at the relay, and the dead letters, of the box in a folder.

    Raises:
        StoreDamaged: a database fails its check.
        DiskFull: no room to open one.
    """
    waiting: list[Spooled] = []
    letters: list[DeadLetter] = []
    if (data_dir / "spool.db").exists():
        spool = Spool(data_dir / "spool.db", _now_ms)
        waiting = spool.waiting()
        spool.close()
    if (data_dir / "edge.db").exists():
        database = open_uncovered(data_dir / "edge.db")
        letters = dead_letters(database)
        database.close()
    return waiting, letters


def told(waiting: Sequence[Spooled], letters: Sequence[DeadLetter], now_ms: int) -> Iterator[str]:
    """Return the lines to print."""
    for item in waiting:
        state = "refused" if item.state == REFUSED else "waiting"
        yield f"{item.id}  {state:<8} {_age(now_ms - item.put_ms):>9} {item.bytes / 1024:>9.1f} KiB"
        if item.reason:
            yield f"    {item.reason}: {REMEDIES.get(item.reason, OTHER)}"
    if not waiting:
        yield "Nothing waits: all that was sent is at the relay."
    for letter in letters:
        yield f"dead letter from {letter.origin}: {letter.reason}, {_age(now_ms - letter.at_ms)} ago"


def again(data_dir: Path, case_id: str) -> bool:
    """Let a refused case travel once more; False when no such case was refused."""
    if not (data_dir / "spool.db").exists():
        return False
    spool = Spool(data_dir / "spool.db", _now_ms)
    try:
        if not spool.again(case_id):
            return False
    finally:
        spool.close()
    database = open_uncovered(data_dir / "edge.db")
    try:
        with database.write() as cursor:
            cursor.execute("UPDATE cases SET refused = '' WHERE id = ?", (case_id,))
    finally:
        database.close()
    return True


def listed(data_dir: Path) -> Iterator[str]:
    """Yield a line of JSON, as `chevet-sim match` takes it, for each bundle that this box still knows."""
    if not (data_dir / "spool.db").exists():
        return
    spool = Spool(data_dir / "spool.db", _now_ms)
    try:
        for ident, sha256, state in spool.everything():
            yield json.dumps({"id": ident, "sha256": sha256, "state": state})
    finally:
        spool.close()


def run_queue(options: argparse.Namespace) -> int:
    """Do what `chevet-edge queue` was asked."""
    settings = load_settings(options.config)
    if options.list:
        for line in listed(settings.data_dir):
            print(line)
        return 0
    if options.again:
        if not again(settings.data_dir, options.again):
            raise SettingsError(
                f"No refused case has the id {options.again}; `chevet-edge queue` lists them."
            )
        print("It will travel again.")
        return 0
    for line in (*told(*look(settings.data_dir), _now_ms()), uplink_line(settings)):
        print(line)
    return 0


def uplink_line(settings: EdgeSettings) -> str:
    """Return how the running agent reaches the relay now."""
    if not agent_runs(settings.data_dir):
        return "uplink: no agent is running; start it with `chevet-edge run`"
    try:
        uplink = call_agent(settings, "GET", "/api/status")["uplink"]
    except Refusal as refusal:
        return f"uplink: not known ({refusal})"
    over = f" over {uplink['route']}" if uplink["route"] else ""
    return f"uplink: online{over}" if uplink["state"] == "online" else "uplink: offline, trying again"


def _age(ms: int) -> str:
    minutes = max(0, ms) // 60_000
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 2 * 24 * 60 else f"{minutes // (24 * 60)} days"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
