from pathlib import Path

import pytest

from chevet.bridge.errors import REMEDIES
from chevet.devices.driver import DRIVERS

PAGE = (Path(__file__).parents[2] / "docs" / "instruments.md").read_text()


@pytest.mark.parametrize("name", sorted(DRIVERS))
def test_every_driver_has_a_row_that_says_what_it_was_checked_against(name):
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert len(cells) == 6
    assert all(cells)


@pytest.mark.parametrize("name", sorted(DRIVERS))
def test_every_driver_stands_in_the_table_of_proof_which_leaves_no_cell_open(name):
    proof = PAGE.split("## What was proven against what")[1].split("\n## ")[0]
    (row,) = [line for line in proof.splitlines() if line.startswith(f"| {name} |")]
    _, captured, worked, twin, other = (cell.strip() for cell in row.strip("|").split("|"))
    assert all((captured, worked, twin, other))
    assert {captured, worked, twin, other} != {"-"}, "a driver that nothing was held against"


def test_the_table_of_proof_names_no_driver_that_is_not_there():
    proof = PAGE.split("## What was proven against what")[1].split("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in proof.splitlines() if line.startswith("| ")]
    assert {row for row in rows if not row.startswith("ECG files")} == {"driver", *DRIVERS}


@pytest.mark.parametrize(
    "scheme", ["serial", "socket", "ble", "mjpeg", "v4l2", "picamera", "wificam", "alsa", "tape"]
)
def test_every_kind_of_link_has_a_row(scheme):
    assert any(line.startswith(f"| `{scheme}:") for line in PAGE.splitlines())


@pytest.mark.parametrize("reason", sorted(REMEDIES))
def test_every_reason_of_a_lost_link_is_explained(reason):
    assert f"`{reason}`" in PAGE.split("one of these words")[1]
