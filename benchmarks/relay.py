"""The relay under load: simulated sites send sealed studies over a real broker to one, two or four workers.

Every site is a real sender of the exchange; every study is packed, sealed and signed as a box does it, and
counts as delivered only when the relay's signed receipt has settled it. What is told: seconds from a study's
last piece being published to its receipt, memory of all workers, and what was lost, which must be nothing.
Then the inbox is listed with 50,000 waiting cases in the archive, and the same studies are brought to the
relay and to Orthanc, side by side.

  .venv/bin/python benchmarks/relay.py            160 sites, ten minutes of 50 chunks a second for each set-up
  .venv/bin/python benchmarks/relay.py --quick    12 sites, 20 seconds each, on one and two workers
  .venv/bin/python benchmarks/relay.py --workers 2 --databases postgresql --json figures.json
  .venv/bin/python benchmarks/relay.py --only inbox    the inbox alone
  .venv/bin/python benchmarks/relay.py --only orthanc  beside Orthanc, of Debian's orthanc-dicomweb
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from relay_common import postgres, world
from relay_inbox import inbox_figures
from relay_orthanc import beside_orthanc
from relay_road import Road, broker, cpu_s, free_port, send, start, wait_for

from chevet.exchange.manifest import read_manifest
from chevet.exchange.sealing import Recipient, Sealed
from chevet.relay.keys import make_programme, read_programme
from chevet.relay.relay import open_relay
from chevet.relay.settings import read_settings
from chevet.study.bundle import pack
from chevet.study.ids import uuid7
from chevet.study.study import Consent, EdgeClock, Patient, Study

Site, ecg = world.Site, world.ecg
RECEIPT_P99_S = 2.0
"""Asked of 160 sites with 50 chunks a second together, on two cores."""


@dataclass(frozen=True)
class Run:
    """What is tried."""

    database: str
    workers: int
    sites: int
    seconds: float
    rate: float


@dataclass
class Figures:
    """What was measured; seconds and MiB."""

    run: Run
    studies: int = 0
    chunks: int = 0
    lost: int = 0
    receipt_p50_s: float = 0.0
    receipt_p99_s: float = 0.0
    chunks_per_s: float = 0.0
    cpu_share: float = 0.0
    memory_first_mib: float = 0.0
    memory_last_mib: float = 0.0
    memory_most_mib: float = 0.0
    audit_whole: bool = False


@contextmanager
def workers(folder: Path, run: Run, broker_port: int, database: str) -> Iterator[list[int]]:
    """Start the relay's workers on one archive; give their process ids."""
    found = []
    for number in range(run.workers):
        config = folder / f"relay-{number}.toml"
        lines = [f"port = {free_port()}", f"broker_port = {broker_port}", f'worker = "w{number}"']
        lines += ['log_level = "warning"', f'share = "{"relays" if run.workers > 1 else ""}"']
        config.write_text("\n".join([*lines, f'database = "{database}"']) + "\n")
        found.append(start("run", "--config", str(config)))
    try:
        for number in range(run.workers):
            wait_for(read_settings(folder / f"relay-{number}.toml").port)
        yield [process.pid for process in found]
    finally:
        for process in found:
            process.terminate()
        for process in found:
            process.wait(60)


def sealed_studies(sites: dict[str, Any], chunks: float) -> list[tuple[str, Sealed]]:
    """Return studies, sealed by their sites in turn, that hold so many chunks together."""
    codes, found, held = list(sites), [], 0
    recordings = (ecg(4),)
    while held < chunks:
        number = len(found)
        code = codes[number % len(codes)]
        now = time.time_ns() // 1_000_000
        study = Study(
            id=uuid7(now, os.urandom(10)), site=code, worker="amina",
            patient=Patient(uuid7(now, os.urandom(10)), f"Patient {number}", 1970, "F", ""),
            consent=Consent(("care",), now, ""), reason="chest_pain", question="?", specialty="cardiology",
            urgency=("routine", "urgent")[number % 7 == 0], closed=EdgeClock(now, "boot", 1.0),
            recordings=recordings,
        )  # fmt: skip
        sealed = sites[code].seal(pack(study))
        found.append((code, sealed))
        held += read_manifest(sealed.manifest).chunks
    return found


@dataclass(frozen=True)
class Programme:
    """What every set-up is given: the programme's folder, its sites, and what they send."""

    folder: Path
    sites: dict[str, Any]
    studies: list[tuple[str, Sealed]]


def programme(folder: Path, many: int, chunks: float) -> Programme:
    """Make a programme and seal what its sites send, once for all set-ups."""
    make_programme(folder, "Bench")
    recipient = Recipient("programme", read_programme(folder / "keys").programme.public_key())
    sites = {code: Site(code, [recipient]) for code in (f"s{number:03}" for number in range(many))}
    return Programme(folder, sites, sealed_studies(sites, chunks))


def measure(run: Run, address: str, given: Programme) -> Figures:
    """Do one run."""
    with tempfile.TemporaryDirectory() as place, broker() as port:
        folder = Path(place)
        shutil.copytree(given.folder, folder, dirs_exist_ok=True)
        config = folder / "relay.toml"
        config.write_text(f'database = "{address}"\n')
        relay = open_relay(read_settings(config))
        for site in given.sites.values():
            relay.sites.add(site.file())
        relay.close()
        studies = given.studies
        road = Road(given.sites, read_programme(folder / "keys").relay.public_key())
        with workers(folder, run, port, address) as pids:
            before, begun = sum(map(cpu_s, pids)), time.monotonic()
            step = run.seconds / len(studies)
            memory = asyncio.run(send(road, port, studies, [n * step for n in range(len(studies))], pids))
            took, used = time.monotonic() - begun, sum(map(cpu_s, pids)) - before
        return _figures(run, road, studies, memory, (took, used), folder)


def _figures(
    run: Run,
    road: Road,
    studies: list[tuple[str, Sealed]],
    memory: list[float],
    times: tuple[float, float],
    folder: Path,
) -> Figures:
    spans = sorted(at - road.last_piece.get(ident, at) for ident, at in road.receipts.items())
    found = Figures(run, studies=len(studies))
    found.chunks = sum(read_manifest(sealed.manifest).chunks for _, sealed in studies)
    found.lost = len(studies) - len(road.receipts)
    if spans:
        found.receipt_p50_s, found.receipt_p99_s = (
            statistics.median(spans),
            spans[int(0.99 * (len(spans) - 1))],
        )
    found.chunks_per_s, found.cpu_share = found.chunks / times[0], times[1] / times[0]
    quarter = max(1, len(memory) // 4)
    found.memory_first_mib = statistics.median(memory[quarter : 2 * quarter] or memory)
    found.memory_last_mib, found.memory_most_mib = statistics.median(memory[-quarter:]), max(memory)
    relay = open_relay(read_settings(folder / "relay.toml"))
    with relay.database.read() as connection:
        found.audit_whole = relay.audit.verify(connection) is None
    stored = relay.cases.waiting()
    relay.close()
    found.lost = max(found.lost, len(studies) - stored)
    return found


def line_of(one: Figures) -> str:
    run = one.run
    return (
        f"{run.database:<11}{run.workers} workers  {run.sites:>3} sites {run.seconds:>4.0f} s  "
        f"{one.studies:>5} studies {one.chunks_per_s:>5.1f} chunks/s  "
        f"receipt p50 {one.receipt_p50_s:>6.3f} s p99 {one.receipt_p99_s:>6.3f} s  "
        f"CPU {one.cpu_share:>4.0%}  "
        f"memory {one.memory_first_mib:>4.0f} -> {one.memory_last_mib:>4.0f} MiB "
        f"(most {one.memory_most_mib:.0f})  lost {one.lost}{'' if one.audit_whole else '  AUDIT BROKEN'}"
    )


def options_of() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sites", type=int, default=160)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=float, default=50, help="chunks a second, of all sites together")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument(
        "--databases", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"]
    )
    parser.add_argument("--cases", type=int, default=50_000, help="waiting cases for the inbox")
    parser.add_argument("--only", choices=("ingest", "inbox", "orthanc"))
    parser.add_argument("--quick", action="store_true", help="12 sites, 20 s, one and two workers")
    parser.add_argument("--json", type=Path)
    found = parser.parse_args()
    if found.quick:
        found.sites, found.seconds, found.workers = 12, 20.0, [1, 2]
    return found


def main() -> int:
    """Run and print; 1 where something was lost, or came later than is asked."""
    options = options_of()
    told: dict[str, list[object]] = {"ingest": [], "inbox": [], "orthanc": []}
    missed = False
    with contextlib.ExitStack() as stack:
        given = None
        if options.only in (None, "ingest"):
            place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            given = programme(place, options.sites, options.rate * options.seconds)
        address = ""
        if "postgresql" in options.databases and postgres.programs():
            address = stack.enter_context(postgres.cluster(durable=True))
        for kind in options.databases:
            if kind == "postgresql" and not address:
                print("postgresql is not installed here: skipped")
                continue
            for many in options.workers if given else ():
                run = Run(kind, many, options.sites, options.seconds, options.rate)
                where = postgres.new_database(address, f"run{many}") if kind == "postgresql" else ""
                one = measure(run, where, given)
                missed |= bool(one.lost) or not one.audit_whole or one.receipt_p99_s > RECEIPT_P99_S
                told["ingest"].append(asdict(one))
                print(line_of(one), flush=True)
            if options.only in (None, "inbox"):
                where = postgres.new_database(address, "inbox") if kind == "postgresql" else ""
                figures = inbox_figures(kind, where, options.cases)
                told["inbox"].append(asdict(figures))
                print(figures.line(), flush=True)
    if options.only in (None, "orthanc"):
        for figures in beside_orthanc(20 if options.quick else 100):
            told["orthanc"].append(asdict(figures))
            print(figures.line(), flush=True)
    if options.json:
        options.json.write_text(json.dumps(told, indent=2))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
