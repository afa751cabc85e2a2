"""Stages shared by the flow and browser tests."""

from collections.abc import Iterator

import pytest
from running_kit import RunningDemo, running


@pytest.fixture(scope="session")
def kit() -> Iterator[RunningDemo]:
    """One running kit for all tests that do no harm to it."""
    yield from running("iotcore")


@pytest.fixture(scope="module")
def own_kit() -> Iterator[RunningDemo]:
    """A running kit for one module whose tests kill its processes, and start them again."""
    yield from running("iotcore")
