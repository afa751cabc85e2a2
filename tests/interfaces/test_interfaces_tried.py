"""Every address of both interfaces answers without a fault; `benchmarks/interfaces.py` tries longer."""

from pathlib import Path

import pytest
from interfaces.tried import AGENT, tried_agent, tried_relay


@pytest.mark.parametrize("who", ["specialist", "coordinator", AGENT])
def test_no_address_answers_with_a_fault(tmp_path: Path, who: str) -> None:
    found = tried_agent(tmp_path / "box", 1) if who == AGENT else tried_relay(tmp_path / "relay", who, 1)
    assert found.faults == []
    assert found.addresses > 20
    assert len(found.answers) >= found.addresses
