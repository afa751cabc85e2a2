"""The instruments' benchmark: how fast drivers decode, and all instruments at once over real links.

.venv/bin/python benchmarks/devices.py                          decoding, then a minute of all instruments
.venv/bin/python benchmarks/devices.py --only speed             decoding alone
.venv/bin/python benchmarks/devices.py --peers /tmp/peers/bin/python --json devices.json
                                                                beside public parsers (see devices_peers.py)

Goal of decoding: each driver at least 500 times real time on one core. The exit code is 1 where one is below,
or where a sample was lost.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import devices_live
import devices_peers
import devices_speed

from chevet.sim.serve import ALL

PEER_SECONDS = 10.0


def main() -> int:
    """Measure and print; return the exit code."""
    options = _options()
    report: dict[str, Any] = {}
    if options.only in (None, "speed"):
        report["speed"] = _speed(options.driver or devices_speed.names(), options.runs)
    if options.only in (None, "live"):
        report["live"] = _live(options.seconds, tuple(options.device or ALL))
    if options.peers or options.only == "peers":
        report["peers"] = _peers(options.peers)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2))
    slow = [row["name"] for row in report.get("speed", ()) if row["times_real_time"] < devices_speed.GOAL]
    lost = sum(row["lost"] for row in report.get("live", {}).get("devices", ()))
    if slow:
        print(f"\nBelow {devices_speed.GOAL} times real time: {', '.join(slow)}")
    return 1 if slow or lost else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=("speed", "live", "peers"), help="one part alone")
    parser.add_argument("--driver", action="append", help="decode only this one (may be given again)")
    parser.add_argument("--device", action="append", help="serve only this one (may be given again)")
    parser.add_argument("--runs", type=int, default=9, help="of each decoding, the best counts (default 9)")
    parser.add_argument("--seconds", type=float, default=60.0, help="of all instruments at once (default 60)")
    parser.add_argument("--peers", type=Path, help="a Python that has brainflow and bleakheart")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    return parser.parse_args()


def _speed(names: list[str], runs: int) -> list[dict[str, Any]]:
    print(f"{'driver':<24}{'frames':>8}{'bytes/s':>10}{'frames/s':>12}{'x real time':>14}")
    rows = []
    for name in names:
        row = devices_speed.measure(name, 30.0, runs).row()
        rows.append(row)
        pace = f"{row['bytes'] / row['device_s']:>10.0f}{row['frames_per_s']:>12.0f}"
        print(f"{name:<24}{row['frames']:>8}{pace}{row['times_real_time']:>14.0f}", flush=True)
    print(f"CPU seconds of one core, best of {runs} runs of 30 s of device time each.")
    return rows


def _live(seconds: float, devices: tuple[str, ...]) -> dict[str, Any]:
    print(f"\nAll {len(devices)} instruments at once for {seconds:.0f} s ...", file=sys.stderr, flush=True)
    found = devices_live.measure(seconds, devices)
    print(
        f"\n{'device':<20}{'link':<8}{'events':>8}{'samples':>9}{'lost':>6}{'p50 ms':>9}{'p99 ms':>9}  state"
    )
    for row in found["devices"]:
        late = row["latency_ms"]
        times = f"{late['p50']:>9.2f}{late['p99']:>9.2f}" if late else f"{'':>18}"
        counts = f"{row['events']:>8}{row['samples']:>9}{row['lost']:>6}"
        print(f"{row['id']:<20}{row['link']:<8}{counts}{times}  {row['state']}")
    late = found["latency_ms"]
    lost = sum(row["lost"] for row in found["devices"])
    print(
        f"The agent's loops: {100 * found['cpu_share']:.1f} % of a core, {found['memory_mb']:.0f} MB; "
        f"wire to block {late['p50']:.2f} ms (median), {late['p99']:.1f} ms (99 %); {lost} samples lost"
    )
    if lost and found["load"] > found["cores"]:
        print(
            f"The machine was overloaded ({found['load']:.1f} on {found['cores']} cores): those that are "
            "late lose samples like a device without a buffer. Measure again on a quiet one."
        )
    return found


def _peers(python: Path | None) -> dict[str, Any]:
    if python is None or not python.exists():
        print("\nPeers are skipped: devices_peers.py says how to install them for --peers.")
        return {}
    return {"polar-h10": _polar(python), "cyton": _cyton(python)}


def _polar(python: Path) -> dict[str, Any]:
    ours, frames = devices_speed.notifications("polar-h10", 0x00)
    with tempfile.NamedTemporaryFile("w", suffix=".hex") as file:
        file.write("\n".join(frame.hex() for frame in frames))
        file.flush()
        theirs = devices_peers.ask(python, "bleakheart", file.name)
    told = f"{theirs['frames_per_s']:.0f}" if theirs else "not installed"
    print(f"\npolar-h10, ECG notifications a second: ours {ours:.0f}, bleakheart {told}")
    return {"ours": ours, "bleakheart": theirs}


def _cyton(python: Path) -> dict[str, Any]:
    ours = devices_live.measure(PEER_SECONDS, ("cyton",))
    with devices_live.serving("cyton") as port:
        theirs = devices_peers.ask(python, "brainflow", port, str(PEER_SECONDS))
    row = ours["devices"][0]
    said = f"{100 * theirs['cpu_share']:.2f} %, {theirs['samples']} samples" if theirs else "not installed"
    print(
        f"cyton from a pseudo-terminal for {PEER_SECONDS:.0f} s: ours {100 * ours['cpu_share']:.2f} % of a "
        f"core, {row['samples']} samples in twelve leads; BrainFlow {said}"
    )
    return {"ours": ours, "brainflow": theirs}


if __name__ == "__main__":
    sys.exit(main())
