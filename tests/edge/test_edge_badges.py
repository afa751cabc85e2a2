"""A badge signs its worker in, whatever keyboard its reader plays; unknown ones are braked like PINs."""

import argparse
import io
from pathlib import Path

import pytest
from edge_fakes import Box
from hypothesis import given, settings
from hypothesis import strategies as st
from test_edge_api import error, kiosk

from chevet.edge import cli_badge
from chevet.edge.errors import Refusal, SettingsError
from chevet.edge.patient_card import read_card
from chevet.edge.store import open_store
from chevet.edge.workers import BADGE_MARK, TRIES, Worker, Workers, badge_read, new_badge

CARD = "0012345678"


@pytest.fixture
def workers(tmp_path: Path) -> Workers:
    workers = Workers(open_store(tmp_path / "edge.db"), lambda: 0.0)
    workers.add(Worker("amina", "Amina"), "2468")
    return workers


def options(**words: object) -> argparse.Namespace:
    return argparse.Namespace(**({"id": "amina", "out": None, "scan": False, "take": False} | words))


@given(st.binary(min_size=16, max_size=20))
@settings(max_examples=50)
def test_a_badge_is_no_patients_card_and_says_nothing(random: bytes) -> None:
    text = new_badge(random)
    assert text.startswith(BADGE_MARK)
    assert badge_read(f" {text.lower()}\n") == text
    assert read_card(text) is None


def test_a_badge_needs_chance() -> None:
    with pytest.raises(ValueError, match="random"):
        new_badge(b"short")


def test_only_the_newest_badge_of_a_worker_opens_the_kiosk(workers: Workers) -> None:
    workers.give_badge("amina", CARD)
    assert workers.check_badge(f"{CARD}\r\n").id == "amina"
    workers.give_badge("amina", "99887766")
    with pytest.raises(Refusal, match="not known"):
        workers.check_badge(CARD)
    assert workers.check_badge("99-88-77-66").id == "amina"
    assert workers.take_badge("amina")
    assert not workers.take_badge("amina")
    with pytest.raises(Refusal, match="not known"):
        workers.check_badge("99887766")


def test_a_badge_is_refused_where_it_would_guard_nothing(workers: Workers) -> None:
    with pytest.raises(SettingsError, match="at least 8"):
        workers.give_badge("amina", "12-34-567")
    with pytest.raises(SettingsError, match="no worker"):
        workers.give_badge("nobody", CARD)


def test_guessing_badges_is_braked_and_pins_stay_open(workers: Workers) -> None:
    for _ in range(TRIES):
        with pytest.raises(Refusal, match="not known"):
            workers.check_badge("11111111")
    with pytest.raises(Refusal, match="wait a minute"):
        workers.check_badge("11111111")
    assert workers.check("amina", "2468").name == "Amina"


async def test_a_badge_opens_a_session_at_the_kiosk(box: Box) -> None:
    async with kiosk(box, signed_in=False) as client:
        box.bedside.workers.give_badge("amina", CARD)
        wrong = await client.post("/api/session/badge", json={"text": "87654321"})
        assert error(wrong) == (401, "wrong_badge", "text")
        right = await client.post("/api/session/badge", json={"text": CARD})
        assert right.json() == {"worker": {"id": "amina", "name": "Amina"}}
        assert (await client.get("/api/session")).json()["worker"]["id"] == "amina"


def test_the_terminal_makes_reads_and_takes_badges(
    workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = tmp_path / "badge.svg"
    assert "print it" in cli_badge.decide(workers, options(out=drawn))
    assert drawn.read_text("utf-8").startswith("<?xml")
    assert drawn.stat().st_mode & 0o077 == 0
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{CARD}\n"))
    assert "may sign in" in cli_badge.decide(workers, options(scan=True))
    assert workers.check_badge(CARD).id == "amina"
    assert "opens nothing now" in cli_badge.decide(workers, options(take=True))
    assert "has no badge" in cli_badge.decide(workers, options(take=True))
    with pytest.raises(SettingsError, match=r"\.svg or \.png"):
        cli_badge.decide(workers, options(out=tmp_path / "badge.txt"))
    with pytest.raises(SettingsError, match="cannot be written"):
        cli_badge.decide(workers, options(out=tmp_path / "none" / "badge.svg"))
