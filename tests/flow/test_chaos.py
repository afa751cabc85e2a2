"""A short form of benchmarks/chaos.py: kills, cut links, cut power and full disks lose and double nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from chevet.sim.power import CutDisk, PowerUnavailable

pytestmark = [pytest.mark.flow, pytest.mark.timeout(400)]
BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "chaos.py"
KILLS, CUTS, POWER, FULL = 10, 3, 3, 1


def _power_cuts(folder: Path) -> bool:
    try:
        with CutDisk(folder):
            return True
    except PowerUnavailable:
        return False


def test_what_was_acknowledged_arrives_once_and_whole_through_kills_cuts_and_full_disks(
    tmp_path: Path,
) -> None:
    counts = {"kills": KILLS, "cuts": CUTS, "power": POWER, "disk-full": FULL}
    if not _power_cuts(tmp_path / "probe"):  # tests/sim/test_power.py is then skipped with the reason
        counts |= {"power": 0, "disk-full": 0}
    words = [word for name, count in counts.items() for word in (f"--{name}", str(count))]
    file = tmp_path / "chaos.json"
    done = subprocess.run(
        [sys.executable, BENCHMARK, *words, "--calm", "0.5", "--json", file],
        capture_output=True,
        text=True,
        check=False,
        timeout=380,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(file.read_text())
    assert not any(found["differences"].values())
    assert len(found["faults"]) == sum(counts.values())
    assert found["studies"]["acknowledged"] > 0
    assert found["studies"]["delivered"] >= found["studies"]["acknowledged"]
    assert set(found["ended_by_themselves"].values()) == {0}
    assert found["integrity"] == "ok"
