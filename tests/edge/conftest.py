"""Lets the tests of this room import their fakes by name, and sets a box up for them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from edge_fakes import Box, make_box
from update_bench import Bench, laid_out


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """A whole box on fake instruments, nothing running yet."""
    made = make_box(tmp_path)
    yield made
    made.close()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A box laid out for updates, and a stick to bring them."""
    return laid_out(tmp_path)
