"""All instruments at once, over real links, read by the agent's own instrument loops.

`chevet-sim serve` offers them in three processes: pseudo-terminals, Bluetooth on a virtual radio by
bleak, MJPEG over HTTP. Another process, the one measured, does what the agent does: one Instrument each.
Latency is from the moment that the host has the bytes to the moment that a listener has the block; what the
adapter and the wire add before it is the device's own.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chevet.bridge.link import open_link
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Event, SampleBlock
from chevet.edge.instruments import Instrument
from chevet.edge.settings import DeviceSettings
from chevet.sim.bumble_backend import bluetooth
from chevet.sim.serve import ALL
from chevet.sim.twins.offered import BLUETOOTH

AIR = {"oximeter-ble", *BLUETOOTH}
READY_WITHIN_S = 40.0
"""Bluetooth links are made one after the other."""
SETTLE_S = 3.0
CLOSE_S = 5.0


@dataclass(slots=True)
class Listening:
    """Takes every event and notes how late it is."""

    late_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    events: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    samples: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def offer(self, device: str, event: Event) -> None:
        """Take one event."""
        self.events[device] += 1
        if isinstance(event, SampleBlock):
            self.late_s[device].append(time.monotonic() - event.at)
            self.samples[device] += event.values.shape[1]

    def lost(self, device: str, problem: str) -> None:
        """Devices that go away show in their state."""


def measure(seconds: float, devices: tuple[str, ...] = ALL) -> dict[str, Any]:
    """Serve `devices`, read them for so long, and return what was seen."""
    on_air = tuple(name for name in devices if name in AIR)
    wired = [name for name in devices if name not in AIR]
    groups = [tuple(wired[::2]), tuple(wired[1::2]), on_air]
    with tempfile.TemporaryDirectory(prefix="chevet-") as name, contextlib.ExitStack() as stopping:
        listings = []
        for number, group in enumerate(one for one in groups if one):
            folder = Path(name) / str(number)
            stopping.enter_context(_serving(folder, group))
            listings.append(str(folder / "devices.json"))
        words = [sys.executable, __file__, "--seconds", str(seconds), *listings]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=seconds + 120)
    if done.returncode:
        sys.exit(f"Reading the instruments failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextlib.contextmanager
def serving(device: str) -> Iterator[str]:
    """Serve one serial device; give its port."""
    with tempfile.TemporaryDirectory(prefix="chevet-") as name, _serving(Path(name) / "one", (device,)):
        yield str(Path(name) / "one" / device)


@contextlib.contextmanager
def _serving(folder: Path, devices: tuple[str, ...]) -> Iterator[None]:
    """Keep a simulator running; several share the work, as one that is late loses samples."""
    folder.mkdir()
    command = [
        str(Path(sys.executable).parent / "chevet-sim"),
        "serve",
        "--dir",
        str(folder),
        "--devices",
        *devices,
    ]
    simulator = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while not (folder / "devices.json").exists():
            if simulator.poll() is not None or time.monotonic() > end:
                sys.exit("The simulated instruments did not come up: run chevet-sim serve to see why.")
            time.sleep(0.05)
        yield
    finally:
        simulator.send_signal(signal.SIGTERM)
        try:
            simulator.wait(20)
        except subprocess.TimeoutExpired:
            simulator.kill()


async def read(rows: list[dict[str, str]], seconds: float) -> dict[str, Any]:
    """Read all devices of a listing; return the measured minute."""
    specs = {row["bluetooth_spec"] for row in rows if "bluetooth_spec" in row}
    radio = bluetooth(specs.pop()) if specs else None
    instruments = [
        Instrument(
            DeviceSettings(id=row["id"], driver=row["driver"], link=row["link"], simulated=True),
            DRIVERS,
            lambda url: open_link(url, bluetooth=radio),
            time.monotonic,
            lambda _: None,
        )
        for row in rows
    ]
    running = [asyncio.create_task(one.run()) for one in instruments]
    try:
        return await _minute(instruments, seconds)
    finally:
        for task in running:
            task.cancel()
        await asyncio.wait(
            running, timeout=CLOSE_S
        )  # what is left then is cancelled once more as the loop ends


async def _minute(instruments: list[Instrument], seconds: float) -> dict[str, Any]:
    for _ in range(round(READY_WITHIN_S / 0.2)):
        await asyncio.sleep(0.2)
        if all(one.state in {"ready", "waiting"} for one in instruments):
            break
    await asyncio.sleep(SETTLE_S)
    ears = Listening()
    before = {one.id: (one.lost_samples, one.bad_frames) for one in instruments}
    for one in instruments:
        one.listeners.append(ears)
    began, cpu = time.monotonic(), time.process_time()
    await asyncio.sleep(seconds)
    took, cpu = time.monotonic() - began, time.process_time() - cpu
    return {
        "seconds": took,
        "cpu_share": cpu / took,
        "memory_mb": _memory_mb(),
        "load": os.getloadavg()[0],
        "cores": os.cpu_count(),
        "devices": [_row(one, ears, *before[one.id]) for one in instruments],
        "latency_ms": _quantiles([late for row in ears.late_s.values() for late in row]),
    }


def _row(one: Instrument, ears: Listening, lost: int, bad: int) -> dict[str, Any]:
    return {
        "id": one.id,
        "driver": one.settings.driver,
        "link": one.settings.link.partition(":")[0],
        "state": one.state,
        "events": ears.events[one.id],
        "samples": ears.samples[one.id],
        "lost": one.lost_samples - lost,
        "bad_frames": one.bad_frames - bad,
        "latency_ms": _quantiles(ears.late_s[one.id]),
    }


def _quantiles(late_s: list[float]) -> dict[str, float] | None:
    if not late_s:
        return None
    ordered = sorted(late_s)
    return {
        name: 1000 * ordered[min(len(ordered) - 1, int(part * len(ordered)))]
        for name, part in (("p50", 0.5), ("p99", 0.99), ("most", 1.0))
    }


def _memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Measure as a child of `measure`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("listing", type=Path, nargs="+", help="devices.json of each simulator")
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    rows = [row for listing in options.listing for row in json.loads(listing.read_text())]
    print(json.dumps(asyncio.run(read(rows, options.seconds))))


if __name__ == "__main__":
    main()
