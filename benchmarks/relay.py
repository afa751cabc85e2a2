"""The relay under load: simulated sites send sealed studies over a real broker to one, two or four workers.

Every site is a real sender of the exchange; every study is packed, sealed and signed as a box does it, and
counts as delivered only when the relay's signed receipt has settled it. What is told: seconds from a study's
last piece being published to its receipt, memory of all workers, and what was lost, which must be nothing.
Then the inbox is listed with 50,000 waiting cases in the archive.

  .venv/bin/python benchmarks/relay.py            160 sites, ten minutes of 50 chunks a second for each set-up
  .venv/bin/python benchmarks/relay.py --quick    12 sites, 20 seconds each, on one and two workers
  .venv/bin/python benchmarks/relay.py --workers 2 --databases postgresql --json figures.json
  .venv/bin/python benchmarks/relay.py --only inbox    the inbox alone
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from relay_common import fakes, postgres, world
from relay_inbox import inbox_figures

from chevet.exchange.connection import BrokerAddress
from chevet.exchange.events import Settled
from chevet.exchange.line import Acknowledged, Connected, Line, Message
from chevet.exchange.manifest import read_manifest
from chevet.exchange.messages import Chunk, read
from chevet.exchange.sealing import Recipient, Sealed
from chevet.exchange.sender import Sender
from chevet.exchange.topics import PREFIX, parse, up
from chevet.relay.keys import make_programme, read_programme
from chevet.relay.relay import open_relay
from chevet.relay.settings import read_settings
from chevet.study.bundle import pack
from chevet.study.ids import uuid7
from chevet.study.study import Consent, EdgeClock, Patient, Study

MemoryOutbox = fakes.MemoryOutbox
Site, ecg = world.Site, world.ecg
PATIENCE_S = 120.0
"""How long after the last study everything may take to arrive before it counts as lost."""


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


@dataclass
class Road:
    """All sites behind one line: when each study's last piece went, and when its receipt came."""

    sites: dict[str, Any]
    relay_key: Ed25519PublicKey
    senders: dict[str, Sender] = field(default_factory=dict)
    outboxes: dict[str, Any] = field(default_factory=dict)
    last_piece: dict[str, float] = field(default_factory=dict)
    receipts: dict[str, float] = field(default_factory=dict)
    tokens: dict[int, tuple[str, int]] = field(default_factory=dict)
    of_tid: dict[bytes, str] = field(default_factory=dict)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def start(*words: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-c",
        "import sys; from chevet.relay.cli import main; sys.exit(main())",
        *words,
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


@contextmanager
def broker() -> Iterator[int]:
    port = free_port()
    engine = "mosquitto" if shutil.which("mosquitto", path="/usr/sbin:/usr/bin") else "iotcore"
    process = start("broker", "--port", str(port), "--engine", engine)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("READY")
    try:
        yield port
    finally:
        process.terminate()
        process.wait(30)


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
            _wait_for(read_settings(folder / f"relay-{number}.toml").port)
        yield [process.pid for process in found]
    finally:
        for process in found:
            process.terminate()
        for process in found:
            process.wait(60)


def _wait_for(port: int) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise TimeoutError(f"no worker answers on port {port}")


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


async def send(
    road: Road, port: int, studies: list[tuple[str, Sealed]], seconds: float, pids: list[int]
) -> list[float]:
    """Let the studies come evenly over the time and go as senders let them; return memory each second."""
    topics = [(f"{PREFIX}/+/d/{lane}", 1) for lane in ("r", "q")]
    line = Line(BrokerAddress("127.0.0.1", port, "sites"), subscriptions=topics)
    running = asyncio.create_task(line.run())
    listening = asyncio.create_task(_listen(road, line))
    memory: list[float] = []
    begun = time.monotonic()
    try:
        step, given, sampled = seconds / len(studies), 0, 0.0
        while len(road.receipts) < len(studies):
            now = time.monotonic()
            while given < len(studies) and now >= begun + given * step:
                _give(road, *studies[given])
                given += 1
            _publish(road, line, now)
            if now - sampled >= 1:
                sampled = now
                memory.append(sum(map(_resident_mib, pids)))
            if now > begun + seconds + PATIENCE_S:
                break
            await asyncio.sleep(0.005)
    finally:
        for task in (listening, running):
            task.cancel()
        await asyncio.gather(listening, running, return_exceptions=True)
    return memory


def _give(road: Road, code: str, sealed: Sealed) -> None:
    road.outboxes[code].put(sealed)
    road.of_tid[sealed.tid] = sealed.id
    road.senders[code].add(sealed.manifest)


def _publish(road: Road, line: Line, now: float) -> None:
    for code, sender in road.senders.items():
        for item in sender.outgoing(now):
            token = line.publish(up(code, item.lane), item.payload, item.qos)
            if token and item.token:
                road.tokens[token] = (code, item.token)
            sent = read(item.payload)
            if isinstance(sent, Chunk):
                road.last_piece[road.of_tid[sent.tid]] = now


async def _listen(road: Road, line: Line) -> None:
    async for event in line.events():
        now = time.monotonic()
        match event:
            case Connected():
                for sender in road.senders.values():
                    sender.connected(now)
            case Acknowledged(token):
                if token in road.tokens:
                    code, own = road.tokens.pop(token)
                    road.senders[code].acknowledged(own, now)
            case Message():
                code, _, _ = parse(event.topic)
                for told in road.senders[code].receive(event.payload, now):
                    if isinstance(told, Settled):
                        road.receipts[told.id] = now


def _resident_mib(pid: int) -> float:
    with contextlib.suppress(OSError):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
    return 0.0


def _cpu_s(pid: int) -> float:
    with contextlib.suppress(OSError):
        parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def measure(run: Run, address: str) -> Figures:
    """Do one run."""
    with tempfile.TemporaryDirectory() as place, broker() as port:
        folder = Path(place)
        make_programme(folder, "Bench")
        keys = read_programme(folder / "keys")
        codes = [f"s{number:03}" for number in range(run.sites)]
        sites = {code: Site(code, [Recipient("programme", keys.programme.public_key())]) for code in codes}
        config = folder / "relay.toml"
        config.write_text(f'database = "{address}"\n')
        relay = open_relay(read_settings(config))
        for site in sites.values():
            relay.sites.add(site.file())
        relay.close()
        studies = sealed_studies(sites, run.rate * run.seconds)
        road = Road(sites, keys.relay.public_key())
        for code in codes:
            road.outboxes[code] = MemoryOutbox()
            road.senders[code] = Sender(road.outboxes[code], peer_key=road.relay_key)
        with workers(folder, run, port, address) as pids:
            before, begun = sum(map(_cpu_s, pids)), time.monotonic()
            memory = asyncio.run(send(road, port, studies, run.seconds, pids))
            took, used = time.monotonic() - begun, sum(map(_cpu_s, pids)) - before
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
    parser.add_argument("--only", choices=("ingest", "inbox"))
    parser.add_argument("--quick", action="store_true", help="12 sites, 20 s, one and two workers")
    parser.add_argument("--json", type=Path)
    found = parser.parse_args()
    if found.quick:
        found.sites, found.seconds, found.workers = 12, 20.0, [1, 2]
    return found


def main() -> int:
    """Run and print; 1 where something was lost."""
    options = options_of()
    told: dict[str, list[object]] = {"ingest": [], "inbox": []}
    lost = 0
    with contextlib.ExitStack() as stack:
        address = ""
        if "postgresql" in options.databases and postgres.programs():
            address = stack.enter_context(postgres.cluster())
        for kind in options.databases:
            if kind == "postgresql" and not address:
                print("postgresql is not installed here: skipped")
                continue
            if options.only != "inbox":
                for many in options.workers:
                    run = Run(kind, many, options.sites, options.seconds, options.rate)
                    one = measure(
                        run, postgres.new_database(address, f"run{many}") if kind == "postgresql" else ""
                    )
                    lost += one.lost
                    told["ingest"].append(asdict(one))
                    print(line_of(one), flush=True)
            if options.only != "ingest":
                where = postgres.new_database(address, "inbox") if kind == "postgresql" else ""
                figures = inbox_figures(kind, where, options.cases)
                told["inbox"].append(asdict(figures))
                print(figures.line(), flush=True)
    if options.json:
        options.json.write_text(json.dumps(told, indent=2))
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
