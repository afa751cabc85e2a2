"""What waits and what was refused is shown with its reason, and a person can let it travel again."""

import json
from pathlib import Path

import pytest
from edge_fakes import Box, until, write_programme
from test_edge_uplink import deliver, relay_of, sealed_down, sent, state, uplinked

from chevet.edge import cli, doctor
from chevet.edge.settings import load_settings
from chevet.edge.spool import PENDING, REFUSED
from chevet.edge.terminal_queue import again, listed, look, told
from chevet.exchange.manifest import digest
from chevet.exchange.messages import sign_complete, sign_nack, write
from chevet.study.bundle import Bundle, Part


def lines(box: Box) -> str:
    return "\n".join(told(*look(box.bedside.settings.data_dir), box.bedside.clock.now_ms()))


def spooled(box: Box, case: str) -> tuple[bytes, bytes]:
    found = box.bedside.spool.find(case)
    assert found is not None
    [manifest] = box.bedside.spool.pending()
    return found.tid, manifest


async def test_a_refused_case_is_listed_with_its_remedy_and_travels_again(box: Box) -> None:
    case = sent(box)
    tid, manifest = spooled(box, case)
    assert f"{case}  waiting" in lines(box)
    folder = box.bedside.settings.data_dir
    assert not again(folder, case), "it was not refused"
    async with uplinked(box) as (line, uplink, _):
        line.connect()
        line.down("r", write(sign_nack(tid, digest(manifest), "unknown_origin", box.relay.signer)))
        await until(lambda: box.bedside.cases.get(case).refused == "unknown_origin")
        assert f"{case}  refused" in lines(box)
        assert "let it in there, then --again" in lines(box)
        kept = {"id": case, "sha256": digest(manifest).hex(), "state": "refused"}
        assert [json.loads(line) for line in listed(folder)] == [kept]
        assert box.bedside.status()["queue"]["refused"] == 1
        assert again(folder, case)
        assert box.bedside.cases.get(case).refused == ""
        line.relay = relay_of(box)
        uplink._presence_at = 0.0  # what comes within a minute
        line.cut()
        line.connect()
        await until(lambda: state(box, case) == "at_relay")
    assert lines(box) == "Nothing waits: all that was sent is at the relay."


async def test_what_came_and_could_not_be_used_is_listed(box: Box) -> None:
    async with uplinked(box) as (line, _, _arrived):
        line.connect()
        line.down("q", b"noise")
        ident = "00000000-0000-7000-8000-000000000001"
        deliver(
            line, sealed_down(box, Bundle(ident, "message", ident, (Part(0, 0, "message", "", "", b"x"),)))
        )
        await until(lambda: len(look(box.bedside.settings.data_dir)[1]) == 2)
    shown = lines(box)
    assert "dead letter from relay: malformed, 0 min ago" in shown
    assert shown.count("dead letter from relay") == 2


@pytest.mark.parametrize("end", ["settled", "refused"])
async def test_a_power_cut_between_spool_and_case_is_caught_up_with(box: Box, end: str) -> None:
    case = sent(box)
    tid, manifest = spooled(box, case)
    if end == "settled":
        receipt = write(sign_complete(tid, case, digest(manifest), box.relay.signer))
        box.bedside.spool.settle(tid, receipt)
    else:
        box.bedside.spool.refuse(tid, "bad_hash")
    assert state(box, case) == "on_box", "the power went before the case was written"
    async with uplinked(box):
        if end == "settled":
            await until(lambda: state(box, case) == "at_relay")
            await until(lambda: not list((box.bedside.settings.data_dir / "journals").iterdir()))
        else:
            await until(lambda: box.bedside.cases.get(case).refused == "bad_hash")


async def test_a_case_whose_bytes_are_gone_says_so_and_others_travel(box: Box) -> None:
    case = sent(box)
    whole = box.bedside.spool.read
    box.bedside.spool.read = lambda *_: b""  # type: ignore[method-assign]
    async with uplinked(box) as (line, _, _arrived):
        line.relay = relay_of(box)
        line.connect()
        await until(lambda: box.bedside.cases.get(case).refused == "unreadable")
        found = box.bedside.spool.find(case)
        assert found is not None
        assert found.state == REFUSED
    box.bedside.spool.read = whole  # type: ignore[method-assign]
    assert again(box.bedside.settings.data_dir, case)
    assert box.bedside.spool.count(PENDING) == 1


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_programme(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["init", "--site", "anfgou", "--name", "A", "--programme", "programme.json"]) == 0
    return tmp_path / "edge.toml"


def test_the_command_lists_and_tries_again(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert cli.main(["queue", "--config", str(config)]) == 0
    assert capsys.readouterr().out == (
        "Nothing waits: all that was sent is at the relay.\n"
        "uplink: no agent is running; start it with `chevet-edge run`\n"
    )
    assert cli.main(["queue", "--list", "--config", str(config)]) == 0
    assert capsys.readouterr().out == ""
    with pytest.raises(SystemExit):
        cli.main(["queue", "--list", "--again", "no-such-case", "--config", str(config)])
    assert "not allowed with" in capsys.readouterr().err
    assert cli.main(["queue", "--again", "no-such-case", "--config", str(config)]) == 1
    assert "`chevet-edge queue` lists them" in capsys.readouterr().err
    findings = {finding.what: finding for finding in doctor.examine(load_settings(config))}
    assert findings["queue"].told == "0 waiting, 0 refused, 0 dead letters"
