"""Public parsers of the same devices, beside ours, in a Python of their own.

python3 -m venv /tmp/peers && /tmp/peers/bin/pip install brainflow bleakheart
.venv/bin/python benchmarks/devices.py --peers /tmp/peers/bin/python

BrainFlow (C++) reads a virtual Cyton from a pseudo-terminal, as ours does; bleakheart takes notifications of
a virtual Polar H10 that ours takes.
"""

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

NOTIFICATIONS = 20_000
RUNS = 5


def ask(python: Path, peer: str, *words: str) -> dict[str, Any] | None:
    """Run one peer in its own Python; None where it is not installed there."""
    command = [str(python), str(Path(__file__).resolve()), peer, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if "ModuleNotFoundError" in done.stderr:
        return None
    if done.returncode:
        sys.exit(f"{peer} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def brainflow(port: str, seconds: str) -> dict[str, Any]:
    """Read a Cyton by BrainFlow: its share of a core, and the samples it got."""
    from brainflow.board_shim import BoardIds, BoardShim, BrainFlowInputParams

    BoardShim.disable_board_logger()
    wanted = BrainFlowInputParams()
    wanted.serial_port = port
    board = BoardShim(BoardIds.CYTON_BOARD, wanted)
    board.prepare_session()
    board.start_stream()
    time.sleep(1.0)
    board.get_board_data()
    began, cpu = time.monotonic(), time.process_time()
    time.sleep(float(seconds))
    took, cpu = time.monotonic() - began, time.process_time() - cpu
    samples = board.get_board_data().shape[1]
    board.stop_stream()
    board.release_session()
    return {"cpu_share": cpu / took, "samples": int(samples), "seconds": took}


def bleakheart(file: str) -> dict[str, Any]:
    """Decode Polar's ECG notifications by bleakheart: notifications a CPU second, the best run."""
    import asyncio

    from bleakheart import PolarMeasurementData

    frames = [bytearray.fromhex(line) for line in Path(file).read_text().split()]
    samples = 0

    def take(_told: object) -> None:
        nonlocal samples
        samples += 1

    async def run() -> float:
        reader = PolarMeasurementData(None, callback=take)
        take_one = reader._pmd_data_handler  # noqa: SLF001 (it has no public way in but a radio)
        began = time.process_time()
        for number in range(NOTIFICATIONS):
            await take_one(None, frames[number % len(frames)])
        return time.process_time() - began

    best = min(asyncio.run(run()) for _ in range(RUNS))
    if samples != RUNS * NOTIFICATIONS:
        sys.exit("bleakheart did not take all notifications")
    return {"frames_per_s": NOTIFICATIONS / best}


PEERS = {"brainflow": brainflow, "bleakheart": bleakheart}

if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(PEERS[sys.argv[1]](*sys.argv[2:])))
