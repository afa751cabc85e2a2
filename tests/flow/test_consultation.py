"""One whole consultation by the command a newcomer runs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.flow, pytest.mark.timeout(400)]


def test_demo_once_conducts_a_consultation_and_reports_it(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    command = Path(sys.executable).parent / "chevet-sim"
    done = subprocess.run(
        [command, "demo", "--once", "--json", file], capture_output=True, text=True, timeout=360, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(file.read_text())
    steps = [(row["step"], row["site"], row["side"]) for row in report["recordings"]]
    assert {step for step, _, _ in steps} == {"oximetry", "ecg", "heart_sound", "otoscopy"}
    assert {site for step, site, _ in steps if step == "heart_sound"} == {"A", "M"}
    assert {side for step, _, side in steps if step == "otoscopy"} == {"left", "right"}
    ecg = next(row for row in report["recordings"] if row["step"] == "ecg")
    assert ecg["samples"] >= 5000
    assert ecg["raw_bytes"] == ecg["samples"] * 12 * 2
    assert all(row["lost_samples"] == 0 and row["quality"]["usable"] for row in report["recordings"])
    assert report["study"]["hashes_equal"] is True
    assert report["opinion"]["verified"] is True
    assert "kit-ecg" in done.stdout
