"""Virtual instruments as fixtures of pytest: `pytest --chevet-sim`.

Loaded by pytest wherever this distribution is installed, so it imports nothing but pytest; the simulator
itself is imported when the first test asks for an instrument.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from chevet.sim.lent import LentDevice, LentRooms
    from chevet.sim.power import CutDisk

OFF = "virtual instruments are off: run pytest with --chevet-sim"
USUAL_SEED = 1
MARKER = (
    "chevet_sim(device, patient=None, seed=None): which virtual instrument `chevet_sim_device` lends to this "
    "test, and to which simulated patient it is fixed"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("chevet-sim", "virtual medical instruments")
    group.addoption(
        "--chevet-sim",
        action="store_true",
        help="run tests that ask for virtual instruments or for a disk whose power can be cut (fixtures "
        "chevet_sim, chevet_sim_device and chevet_cut_disk); without it they are skipped",
    )
    group.addoption(
        "--chevet-sim-seed",
        type=int,
        default=USUAL_SEED,
        metavar="N",
        help=f"the same seed gives the same patients and disturbances (default {USUAL_SEED})",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture(scope="session")
def chevet_sim(request: pytest.FixtureRequest) -> Iterator["LentRooms"]:
    """Lend rooms of virtual instruments: `chevet_sim("ecg", "nonin-df7", patient="hypoxia")`.

    The room stays until the tests end, or until its `with` block does. Fixtures of any scope can stand on it.
    """
    if not request.config.getoption("--chevet-sim"):
        pytest.skip(OFF)
    try:
        from chevet.sim.lent import LentRooms
    except ModuleNotFoundError as error:
        pytest.fail(f"{error}: install the simulator with pip install 'chevet[sim]'", pytrace=False)
    with LentRooms(request.config.getoption("--chevet-sim-seed")) as rooms:
        yield rooms


@pytest.fixture
def chevet_sim_device(request: pytest.FixtureRequest, chevet_sim: "LentRooms") -> Iterator["LentDevice"]:
    """Lend one virtual instrument to one test, named by `@pytest.mark.chevet_sim("nonin-df7")`."""
    marker = request.node.get_closest_marker("chevet_sim")
    if marker is None or len(marker.args) != 1:
        pytest.fail('name the instrument: @pytest.mark.chevet_sim("nonin-df7")', pytrace=False)
    with chevet_sim(*marker.args, **marker.kwargs) as room:
        yield room[marker.args[0]]


@pytest.fixture
def chevet_cut_disk(request: pytest.FixtureRequest, tmp_path: "Path") -> Iterator["CutDisk"]:
    """Lend a disk of 64 MB whose power can be cut; skips, with the reason, where this machine has none."""
    if not request.config.getoption("--chevet-sim"):
        pytest.skip(OFF)
    from contextlib import ExitStack

    from chevet.sim.power import CutDisk, PowerUnavailable

    with ExitStack() as stack:
        try:
            disk = stack.enter_context(CutDisk(tmp_path / "cut-disk"))
        except PowerUnavailable as error:
            pytest.skip(str(error))
        yield disk
