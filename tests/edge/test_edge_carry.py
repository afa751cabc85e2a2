"""The courier's stick at the box: filled beside the agent, taken in by it, for the box's own user alone."""

import argparse
import asyncio
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from edge_fakes import Box, until
from test_edge_api import error, kiosk
from test_edge_uplink import uplinked

from chevet.edge import terminal_carry
from chevet.edge.bedside import UplinkState
from chevet.edge.box_word import SCHEME
from chevet.edge.carry import Exported, export, told
from chevet.edge.errors import Refusal, SettingsError
from chevet.edge.spool import Spool
from chevet.edge.stick_work import SticksAtWork
from chevet.edge.update_settings import SticksSettings
from chevet.exchange.carrier import BACK, DOWN, UP, Item, Stick, up_name
from chevet.exchange.manifest import digest
from chevet.exchange.messages import sign_complete, write
from chevet.exchange.sealing import Recipient, Sealed, seal
from chevet.study.bundle import Bundle, Part
from chevet.study.ids import uuid7
from chevet.study.study import EdgeClock

WORD = {"authorization": SCHEME + "a word of this run", "x-chevet": "1"}


def waiting(box: Box, number: int = 1, bulk: int = 0) -> Sealed:
    """A study that waits in the box's spool, with so many bytes of bulk."""
    site = box.bedside.site
    ident = uuid7(1_790_000_000_000 + number, bytes(9) + bytes([number]))
    parts = (Part(0, 0, "summary", "", "", bytes(5000)),)
    if bulk:
        parts += (Part(1, 3, "waveform", "", "", bytes(bulk)),)
    sealed = seal(
        Bundle(ident, "study", ident, parts),
        origin=site.code,
        seq=number,
        priority=1,
        created=EdgeClock(1, "boot", 1.0),
        recipients=[Recipient("site", site.opener.public_key())],
        signer=site.signer,
        random=lambda count: bytes([number]) * count,
    )
    box.bedside.spool.put(sealed)
    return sealed


def answered(box: Box, sealed: Sealed, stick: Path) -> None:
    """The relay's receipt for a study on the stick."""
    receipt = write(sign_complete(sealed.tid, sealed.id, digest(sealed.manifest), box.relay.signer))
    code = box.bedside.site.code
    with Stick(stick) as open_stick:
        open_stick.write(Item(f"{code}.{DOWN}", DOWN, code, b""), [receipt, b"\xff noise"])


async def test_the_agent_settles_by_what_a_stick_brought(box: Box, tmp_path: Path) -> None:
    sealed, code = waiting(box), box.bedside.site.code
    box.bedside.sessions.box_word = "a word of this run"
    stick = tmp_path / "stick"
    stick.mkdir()
    lines = list(export(box.bedside.spool, code, stick, Exported()))
    assert len(lines) == 1
    answered(box, sealed, stick)
    async with uplinked(box), kiosk(box, signed_in=False) as client:
        await until(lambda: box.bedside.uplink.carried is not None)
        body = {"folder": str(stick)}
        assert (await client.post("/api/carry", json=body)).status_code == 401
        answer = await client.post("/api/carry", json=body, headers=WORD)
        assert answer.json() == {"messages": 2, "settled": 1, "answers": 0}
        assert box.bedside.spool.pending() == []
        name = Item(up_name(code, sealed.tid), UP, code, sealed.tid)
        with Stick(stick) as open_stick:
            assert open_stick.size(name) == 0, "delivered studies go off the stick"
            assert open_stick.size(Item(f"{code}.{BACK}", BACK, code, b"")) == 0
        refused = await client.post("/api/carry", json={"folder": str(tmp_path / "no")}, headers=WORD)
        assert refused.json()["error"]["code"] == "no_stick"
        relative = await client.post("/api/carry", json={"folder": "stick"}, headers=WORD)
        assert relative.status_code == 422


async def test_a_worker_fills_a_stick_and_takes_in_what_it_brings_back(box: Box, tmp_path: Path) -> None:
    sealed, stick = waiting(box), tmp_path / "KIT"
    words = {"sticks": SticksSettings(places=(), folders=(stick,))}
    bedside = replace(box.bedside, settings=box.bedside.settings.model_copy(update=words))
    async with uplinked(box), kiosk(replace(box, bedside=bedside)) as client:
        await until(lambda: bedside.uplink.carried is not None)

        async def told() -> dict[str, Any]:
            return dict((await client.get("/api/sticks")).json())

        async def ended(way: str) -> dict[str, Any]:
            answer = await client.post("/api/sticks", json={"name": "KIT", "way": way})
            assert answer.status_code == 202
            for _ in range(3000):
                seen = await told()
                if seen["work"]["state"] != "running":
                    break
                await asyncio.sleep(0.01)
            return seen

        assert await told() == {"sticks": [], "waiting": 1, "work": None}
        gone = await client.post("/api/sticks", json={"name": "KIT", "way": "to"})
        assert error(gone)[:2] == (404, "not_found")
        stick.mkdir()
        assert [one["brings"] for one in (await told())["sticks"]] == [False]
        filled = await ended("to")
        work = filled["work"]
        assert (work["state"], work["written"], work["percent"], work["left"]) == ("done", 1, 100, 0)
        assert filled["waiting"] == 1, "nothing is free before the relay's receipt"
        empty = (await ended("from"))["work"]
        assert (empty["state"], empty["code"]) == ("failed", "no_stick")
        answered(box, sealed, stick)
        assert (await told())["sticks"][0]["brings"]
        back = await ended("from")
        assert (back["work"]["state"], back["work"]["settled"], back["waiting"]) == ("done", 1, 0)


async def test_one_stick_at_a_time(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "KIT").mkdir()
    words = {"sticks": SticksSettings(places=(), folders=(tmp_path / "KIT",))}
    bedside = replace(box.bedside, settings=box.bedside.settings.model_copy(update=words))
    sticks = SticksAtWork(bedside)
    with pytest.raises(Refusal) as early:
        await sticks.begin("KIT", "from")
    assert early.value.code == "not_yet"
    going = threading.Event()
    monkeypatch.setattr(SticksAtWork, "_fill", lambda *_: going.wait(30))
    touched = await asyncio.gather(*(sticks.begin("KIT", "to") for _ in range(2)), return_exceptions=True)
    assert sorted(getattr(one, "code", "") for one in touched) == ["", "stick_busy"]
    with pytest.raises(Refusal) as busy:
        await sticks.begin("KIT", "to")
    assert busy.value.code == "stick_busy"
    going.set()
    await until(lambda: sticks.work is not None and sticks.work.state == "done")


async def test_an_agent_that_is_still_starting_says_so(box: Box, tmp_path: Path) -> None:
    box.bedside.sessions.box_word = "a word of this run"
    assert box.bedside.uplink == UplinkState()
    async with kiosk(box, signed_in=False) as client:
        answer = await client.post("/api/carry", json={"folder": str(tmp_path)}, headers=WORD)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_yet")


def asked(**words: Path | None) -> argparse.Namespace:
    return argparse.Namespace(config=None, **({"to": None, "source": None} | words))


def test_the_terminal_fills_a_stick_and_tells_what_comes_next(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(terminal_carry, "load_settings", lambda _: box.bedside.settings)
    assert terminal_carry.run_carry(asked(to=tmp_path)) == 0
    assert "Nothing waits" in capsys.readouterr().out
    for number in (1, 2):
        waiting(box, number)
    assert terminal_carry.run_carry(asked(to=tmp_path)) == 0
    said = capsys.readouterr().out
    assert "2 of 2  100 %" in said
    assert "On the stick: 2 (2 written now" in said
    assert "chevet-relay carry import" in said
    assert terminal_carry.run_carry(asked(to=tmp_path)) == 0
    assert "2 (0 written now" in capsys.readouterr().out
    monkeypatch.setattr(Stick, "free", lambda _: 0)
    waiting(box, 3)
    assert terminal_carry.run_carry(asked(to=tmp_path)) == 1
    assert "left on this box for now: 1" in capsys.readouterr().out


def test_the_terminal_needs_the_agent_to_take_a_stick_in(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(terminal_carry, "load_settings", lambda _: box.bedside.settings)
    with pytest.raises(SettingsError, match="start it with"):
        terminal_carry.run_carry(asked(source=tmp_path))
    monkeypatch.setattr(terminal_carry, "agent_runs", lambda _: True)
    said: dict[str, object] = {"messages": 3, "settled": 2, "answers": 1}
    monkeypatch.setattr(terminal_carry, "call_agent", lambda *_: said)
    assert terminal_carry.run_carry(asked(source=tmp_path)) == 0
    assert "off the stick: 2." in capsys.readouterr().out


def test_a_bundle_whose_bytes_are_lost_stays_and_is_told(box: Box, tmp_path: Path) -> None:
    waiting(box)
    spool = box.bedside.spool
    done = Exported()

    class Lost(Spool):
        """A spool whose pages are gone."""

        def __init__(self) -> None:
            self.pending = spool.pending  # type: ignore[method-assign]

        def read(self, tid: bytes, oid: int, start: int, size: int) -> bytes:
            return b""

    lines = list(export(Lost(), box.bedside.site.code, tmp_path, done))
    assert "cannot be read from this box's disk" in lines[0]
    assert done.left == 1
    assert told("never heard of") == "it was refused (never heard of)"
