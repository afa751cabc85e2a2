"""Stages shared by the flow and browser tests."""

from collections.abc import Iterator

import pytest
from running_kit import RunningDemo, running


@pytest.fixture(scope="module")
def kit() -> Iterator[RunningDemo]:
    """One running kit for a module; no longer, as it takes half a core from the tests that follow."""
    yield from running("iotcore")


@pytest.fixture(scope="module")
def own_kit() -> Iterator[RunningDemo]:
    """A running kit for one module whose tests kill its processes, and start them again."""
    yield from running("iotcore")
