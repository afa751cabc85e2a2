"""Two uplinks, one dies in the middle: what is noticed when, and how many bytes go twice.

The links are the plain proxies of `chevet-sim link` (no root): a VSAT of 512 kbit/s and 700 ms, preferred,
and a modem of 256 kbit/s and 300 ms. The VSAT is cut for a while; then it is to be taken again.

  .venv/bin/python benchmarks/uplinks.py                 five seeds, three minutes
  .venv/bin/python benchmarks/uplinks.py --seeds 1
"""

import argparse
import asyncio
import contextlib
import logging
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from delivery_common import RELAY_KEY, SITE, Task
from delivery_far import MOSQUITTO, Seen, relay
from delivery_near import sealed

from chevet.edge.spool import Spool
from chevet.exchange.connection import BrokerAddress
from chevet.exchange.events import Settled
from chevet.exchange.line import Acknowledged, Connected, Disconnected, Line, Message
from chevet.exchange.manifest import CHUNK
from chevet.exchange.routes import Route
from chevet.exchange.sender import Sender
from chevet.exchange.topics import down, up
from chevet.sim.link.clockwork import Clockwork
from chevet.sim.link.profiles import KBIT, Profile
from chevet.sim.link.proxy import Proxy

VSAT = Profile(512 * KBIT, 512 * KBIT, 0.7)
MODEM = Profile(256 * KBIT, 256 * KBIT, 0.3)
STUDY = [(0, 1_100), (1, 3_900), (3, 250_000)]
STUDIES = 24
CUT_AT_S, CUT_S, LIMIT_S = 10.0, 45.0, 400.0
NOTICED_S = 13.0
"""What `chevet.exchange.line` promises: WATCHDOG_S, 11.5 s, and looking and giving up."""


@dataclass
class Run:
    """What one run saw, by the machine's monotonic clock."""

    used: list[tuple[float, str]] = field(default_factory=list)
    lost: list[float] = field(default_factory=list)
    settled: int = 0
    windows: list[int] = field(default_factory=list)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def broker(folder: Path) -> Iterator[int]:
    """Run mosquitto, or the embedded broker where it is not installed."""
    port = free_port()
    words = [sys.executable, "-m", "chevet.relay.cli", "broker", "--port", str(port)]
    if MOSQUITTO:
        text = f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n"
        (folder / "mosquitto.conf").write_text(text + "set_tcp_nodelay true\n")
        words = [MOSQUITTO, "-c", str(folder / "mosquitto.conf")]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


async def box(line: Line, sender: Sender, run: Run) -> None:
    """Drive the Sender over the line until everything is settled."""
    events, tokens = line.events(), dict[int, int]()
    coming = asyncio.ensure_future(anext(events))
    while run.settled < STUDIES:
        now = time.monotonic()
        for message in sender.outgoing(now):
            token = line.publish(up(SITE, message.lane), message.payload, message.qos)
            if token:
                tokens[token] = message.token
        await asyncio.wait({coming}, timeout=max(0.0, min(sender.next_wake(now) - now, 0.5)))
        if not coming.done():
            continue
        event, now = coming.result(), time.monotonic()
        coming = asyncio.ensure_future(anext(events))
        match event:
            case Connected(route):
                run.used.append((now, route))
                sender.connected(now)
            case Disconnected():
                run.lost.append(now)
                run.windows.append(sender.window.size)
                tokens.clear()
                sender.disconnected(now)
            case Acknowledged(token):
                if token in tokens:
                    sender.acknowledged(tokens.pop(token), now)
            case Message():
                run.settled += sum(isinstance(n, Settled) for n in sender.receive(event.payload, now))
    coming.cancel()


async def one(seed: int, folder: Path) -> dict[str, float]:
    run, seen = Run(), Seen()
    spool = Spool(folder / "spool.db", lambda: time.time_ns() // 1_000_000)
    for number in range(STUDIES):
        spool.put(sealed(STUDY, 1, number + 1))
    sender = Sender(spool, peer_key=RELAY_KEY.public_key())
    with broker(folder) as port:
        await asyncio.sleep(1.0)
        clocks = {"vsat": Clockwork(VSAT), "modem": Clockwork(MODEM)}
        tasks, routes = [], []
        for name, profile in (("vsat", VSAT), ("modem", MODEM)):
            near = free_port()
            tasks.append(Proxy(("127.0.0.1", port), profile, clocks[name], seed).run("127.0.0.1", near))
            routes.append(Route(name, BrokerAddress("127.0.0.1", near, client_id="edge")))
        task = Task("chevet", [], 0.0, 0, 0.0, 0.0, port, "", tls=False)
        line = Line(routes, subscriptions=[(down(SITE, "r"), 1)])
        running = [asyncio.create_task(work) for work in (*tasks, relay(task, "127.0.0.1", seen), line.run())]
        try:
            return await _watched(
                asyncio.create_task(box(line, sender, run)), run, seen, clocks["vsat"], sender
            )
        finally:
            for work in running:
                work.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            spool.close()


async def _watched(
    driving: asyncio.Task[None], run: Run, seen: Seen, vsat: Clockwork, sender: Sender
) -> dict[str, float]:
    while not run.used or run.used[-1][1] != "vsat":  # noqa: ASYNC110 - seen from outside
        await asyncio.sleep(0.05)
    await asyncio.sleep(CUT_AT_S)
    if run.used[-1][1] != "vsat":
        sys.exit(
            "This machine is too busy: the VSAT was left before it was cut. Try again, or fewer --seeds."
        )
    begins = time.monotonic()
    vsat.toggle()
    await asyncio.sleep(CUT_S)
    vsat.toggle()
    ends = time.monotonic()
    async with asyncio.timeout(LIMIT_S):
        await driving
    noticed = next(at for at in run.lost if at >= begins)
    back = next((at for at, route in run.used if at > ends and route == "vsat"), None)
    over = next(at for at, route in run.used if at > begins and route == "modem")
    fresh = next(at for at in seen.fresh if at > over)
    return {
        "noticed_s": noticed - begins,
        "changed_s": over - noticed,
        "first_chunk_s": fresh - begins,
        "back_s": -1.0 if back is None else back - ends,
        "repeated_bytes": float(sender.traffic.chunks_repeated * CHUNK),
        "twice_at_relay": float(seen.duplicates),
        "windows_bytes": float(sum(run.windows)),
        "changes": float(len(run.used) - 1),
        "settled": float(run.settled),
    }


async def all_seeds(seeds: int) -> list[dict[str, float]]:
    async def apart(seed: int) -> dict[str, float]:
        with tempfile.TemporaryDirectory() as folder:
            return await one(seed, Path(folder))

    return list(await asyncio.gather(*(apart(seed) for seed in range(1, seeds + 1))))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5, help="runs, side by side (default 5)")
    options = parser.parse_args()
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # a proxy learns late that its client has left
    print(f"load before: {os.getloadavg()[0]:.1f}", file=sys.stderr)
    runs = asyncio.run(all_seeds(options.seeds))
    print(f"Two uplinks, {options.seeds} runs; median (lowest to highest); load {os.getloadavg()[0]:.1f}")
    for key in runs[0]:
        values = [run[key] for run in runs]
        print(f"  {key:<16}{statistics.median(values):>12.2f}  ({min(values):.2f} to {max(values):.2f})")
    good = all(run["repeated_bytes"] <= run["windows_bytes"] + CHUNK * run["changes"] for run in runs)
    whole = all(run["settled"] == STUDIES and not run["twice_at_relay"] for run in runs)
    soon = all(run["noticed_s"] <= NOTICED_S for run in runs)
    print(f"  {'reached' if good else 'MISSED '}  repeated at most a window and a chunk each time")
    print(f"  {'reached' if whole else 'MISSED '}  everything settled, nothing stored twice")
    print(f"  {'reached' if soon else 'MISSED '}  silence noticed within {NOTICED_S:.0f} s")
    return 0 if good and whole and soon else 1


if __name__ == "__main__":
    sys.exit(main())
