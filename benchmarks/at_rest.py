"""What the lock on a box's disk costs: journals, people and the start, covered beside in the clear.

.venv/bin/python benchmarks/at_rest.py
.venv/bin/python benchmarks/at_rest.py --seconds 600 --people 20000 --json at_rest.json

Journals: 12 leads at 500 Hz and a stethoscope at 4 kHz, blocks of 20 ms, synced twice a second as the agent
does. Told is CPU time of the process (user and system, so that a loaded machine tells nearly the same), the
ratio of covered to clear as median and range over the rounds, and what share of a core that is in real time.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from chevet.devices.samples import Channel, SampleBlock
from chevet.edge.at_rest import DataKey
from chevet.edge.journal import JournalWriter, Opening, read_journal
from chevet.edge.lock_file import new_lock, with_slot
from chevet.edge.patients import Patients
from chevet.edge.store import open_store
from chevet.study.study import Patient

BLOCK_S, SYNC_S = 0.02, 0.5
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
ECG = tuple(Channel(name, "mV", 500.0, 0.001) for name in LEADS)
SOUND = (Channel("sound", "1", 4000.0, 1 / 32768),)
WAYS: tuple[tuple[str, DataKey | None], ...] = (
    ("clear", None),
    ("covered", DataKey(bytes(range(32)), "0" * 32)),
)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seconds", type=float, default=120.0, help="of signal in each journal (default 120)"
    )
    parser.add_argument("--rounds", type=int, default=7, help="of each way (default 7)")
    parser.add_argument("--people", type=int, default=10_000, help="known to the box (default 10000)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    found = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "journal": journals(options.seconds, options.rounds),
        "people": people(options.people),
        "passphrase_s": passphrase(),
    }
    told(found, options.seconds, options.people)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))
    return 0


def journals(seconds: float, rounds: int) -> dict[str, Any]:
    """Return CPU seconds of writing and reading, each way, and the ratios of rounds beside each other."""
    blocks = signal(seconds)
    took: dict[str, list[float]] = {f"{verb} {way}": [] for verb in ("write", "read") for way, _ in WAYS}
    sizes: dict[str, int] = {}
    for _ in range(rounds):
        for way, key in WAYS:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "one.journal"
                took[f"write {way}"].append(cpu(partial(write, path, blocks, key)))
                took[f"read {way}"].append(cpu(partial(read_journal, path, key)))
                sizes[way] = path.stat().st_size
    ratios = {
        verb: [a / b for a, b in zip(took[f"{verb} covered"], took[f"{verb} clear"], strict=True)]
        for verb in ("write", "read")
    }
    return {"cpu_s": took, "ratio": ratios, "bytes": sizes}


def signal(seconds: float) -> list[SampleBlock]:
    """Return noise in blocks as two instruments send them: the cipher cares for bytes alone."""
    random = np.random.default_rng(1)
    blocks = []
    for number in range(round(seconds / BLOCK_S)):
        for channels, count in ((ECG, 10), (SOUND, 80)):
            values = random.integers(-2000, 2000, (len(channels), count)).astype(np.int16)
            blocks.append(SampleBlock(channels, values, number * count, number * BLOCK_S))
    return blocks


def write(path: Path, blocks: list[SampleBlock], key: DataKey | None) -> None:
    """Write a journal as the agent does."""
    opening = Opening("c", "v", "ecg", "", "", "ecg", "kit-ecg", "serial", 10.0, 1, 0.0, True)
    writer = JournalWriter.create(path, opening, key)
    every = 2 * round(SYNC_S / BLOCK_S)
    for number, block in enumerate(blocks, 1):
        writer.append(block)
        if number % every == 0:
            writer.sync()
    writer.close("done")


def people(count: int) -> dict[str, dict[str, float]]:
    """Return seconds of the first search after a start, which uncovers everybody, and of the next."""
    found = {}
    for way, key in WAYS:
        with tempfile.TemporaryDirectory() as folder:
            store = open_store(Path(folder) / "edge.db", key)
            rows = [
                (
                    f"p{n}",
                    n,
                    store.hide(json.dumps([f"Person {n}", 1970, "F", f"A-{n}"]), f"patients.words:p{n}"),
                )
                for n in range(count)
            ]
            with store.write() as cursor:
                cursor.executemany("INSERT INTO patients (id, used_ms, words) VALUES (?, ?, ?)", rows)
            patients = Patients(store, lambda: 0)
            patients.add(Patient("last", "Zahra Oubella", None, "", "B-1"))
            found[way] = {name: cpu(partial(patients.search, "oubella")) for name in ("first_s", "next_s")}
            store.close()
    return found


def passphrase() -> float:
    """Return seconds to open a lock by its passphrase, as people wait for it."""
    lock = with_slot(None, new_lock(), "passphrase", "correct horse battery")
    began = time.perf_counter()
    lock.open("correct horse battery")
    return time.perf_counter() - began


def cpu(work: Callable[[], object]) -> float:
    """Return CPU seconds that a piece of work takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def told(found: dict[str, Any], seconds: float, count: int) -> None:
    """Print it."""
    print(found["machine"])
    for verb in ("write", "read"):
        ratios = found["journal"]["ratio"][verb]
        clear, covered = (statistics.median(found["journal"]["cpu_s"][f"{verb} {way}"]) for way, _ in WAYS)
        print(
            f"journal, {verb:<5} {clear / seconds:8.2%} of a core in the clear,"
            f" {covered / seconds:8.2%} covered:"
            f" ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )
    sizes = found["journal"]["bytes"]
    ratio = sizes["covered"] / sizes["clear"]
    print(f"journal, bytes {sizes['clear']} and {sizes['covered']}: ratio {ratio:.3f}")
    for way, _ in WAYS:
        took = found["people"][way]
        print(
            f"search among {count} people, {way}: first {took['first_s'] * 1000:.0f} ms,"
            f" next {took['next_s'] * 1000:.1f} ms"
        )
    print(f"passphrase: {found['passphrase_s']:.2f} s")


if __name__ == "__main__":
    raise SystemExit(main())
