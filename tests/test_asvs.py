"""The security checklist names tests that exist, for every chapter of the standard."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = 17


def test_every_line_is_a_test_that_exists_or_a_reason() -> None:
    lines = [
        line for line in (ROOT / "docs/asvs.md").read_text("utf-8").splitlines() if line.startswith("| V")
    ]
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^\s*(?:async )?def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
    }
    named = {name for line in lines for name in re.findall(r"`(test_\w+)`", line)}
    assert sorted(named - there) == []
    assert len(named) > 40
    assert {int(re.findall(r"V(\d+)", line)[0]) for line in lines} == set(range(1, CHAPTERS + 1))
    assert all(len(line.split("|")[2].strip()) > 8 for line in lines)
