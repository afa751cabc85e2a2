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


@pytest.mark.parametrize("scheme", ["serial", "socket", "ble", "mjpeg", "v4l2", "picamera", "wificam", "alsa", "tape"])
def test_every_kind_of_link_has_a_row(scheme):
    assert any(line.startswith(f"| `{scheme}:") for line in PAGE.splitlines())


@pytest.mark.parametrize("reason", sorted(REMEDIES))
def test_every_reason_of_a_lost_link_is_explained(reason):
    assert f"`{reason}`" in PAGE.split("one of these words")[1]
