"""Stages shared by the flow and browser tests."""

from collections.abc import Iterator

import pytest
from running_kit import RunningDemo, running


@pytest.fixture(scope="session")
def kit() -> Iterator[RunningDemo]:
    """One running kit for all tests that do no harm to it."""
    yield from running("iotcore")


@pytest.fixture
def own_kit() -> Iterator[RunningDemo]:
    """A running kit for one test that kills its processes."""
    yield from running("iotcore")
