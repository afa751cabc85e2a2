"""`chevet-edge update` at the terminal, and the hands that install and start versions on a real box."""

import argparse
import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from update_bench import HERE, Bench, a_disk_of_its_own, unfit  # noqa: F401

from chevet.edge import terminal_update
from chevet.edge.errors import SettingsError
from chevet.edge.update_hands import BoxHands
from chevet.edge.update_offer import WISH, wish
from chevet.edge.update_release import Unfit
from chevet.edge.update_versions import BACK, COPYING, DONE, SWITCHING, Progress, Versions

# --- at the terminal --------------------------------------------------------------------------------------


@pytest.fixture
def terminal(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The commands on a bench whose agent is a fake."""
    box = bench.settings()
    monkeypatch.setattr(terminal_update, "load_settings", lambda _: box)
    monkeypatch.setattr(terminal_update, "_updating", lambda *_: bench.updating()[0])
    monkeypatch.setattr("chevet.edge.update_offer.Here", lambda: HERE)
    return bench


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_check_apply_and_rollback_say_what_they_do(
    terminal: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = argparse.Namespace(config=None, folder=None)
    assert terminal_update.check(asked) == 0
    assert "No newer version" in said(capsys)
    with pytest.raises(SettingsError, match="no update to bring"):
        terminal_update.apply(asked)
    terminal.release()
    assert terminal_update.check(asked) == 0
    assert "Version 0.2.0, signed by Programme Atlas" in said(capsys)
    assert terminal_update.apply(asked) == 0
    assert "version 0.2.0 runs" in said(capsys)
    assert terminal_update.rollback(asked) == 0
    assert "version 0.1.0 runs" in said(capsys)
    with pytest.raises(SettingsError, match="no older version"):
        terminal_update.rollback(asked)
    alone = argparse.Namespace(config=None, folder=terminal.folder / "stick" / "chevet-update-0.2.0")
    assert terminal_update.check(alone) == 0
    assert "Kept to go back to: 0.2.0" in said(capsys)


def test_attend_fulfils_a_wish_once_and_goes_on_after_a_power_cut(
    terminal: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = argparse.Namespace(config=None)
    data = terminal.settings().data_dir
    assert terminal_update.attend(asked) == 0, "nothing is due"
    (data / WISH).write_text("0.2.0")
    assert terminal_update.attend(asked) == 1
    assert "was not installed" in said(capsys)
    assert not (data / WISH).exists()
    terminal.release()
    (data / WISH).write_text("0.2.0")
    assert terminal_update.attend(asked) == 0
    assert terminal.versions.current() == "0.2.0"
    terminal.versions.tell(Progress(SWITCHING, "0.2.0", "0.1.0", 0, "", 5))
    assert terminal_update.attend(asked) == 0
    assert "version 0.2.0 runs" in said(capsys)


def test_a_power_cut_leaves_no_wish_for_what_is_at_its_end(
    terminal: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = argparse.Namespace(config=None)
    data = terminal.settings().data_dir
    terminal.release()
    (data / WISH).write_text("0.2.0")
    terminal.versions.tell(Progress(COPYING, "0.2.0", "", 0, "", 5))
    assert terminal_update.attend(asked) == 0, "what was interrupted is brought again"
    (data / WISH).write_text("0.2.0")
    terminal.versions.tell(Progress(SWITCHING, "0.2.0", "0.1.0", 0, "", 5))
    assert terminal_update.attend(asked) == 0
    assert (terminal.versions.progress().state, wish(data)) == (DONE, "")
    (data / WISH).write_text("0.2.0")
    terminal.versions.tell(Progress(SWITCHING, "0.2.0", "0.1.0", 0, "", 5))
    monkeypatch.setattr(terminal_update, "_updating", lambda *_: terminal.updating(starts=False)[0])
    assert terminal_update.attend(asked) == 1
    assert (terminal.versions.progress().state, wish(data)) == (BACK, ""), "it is not offered again"


def test_what_is_installed_is_read_by_the_agent_whatever_mask_who_calls_has(terminal: Bench) -> None:
    terminal.release()
    before = os.umask(0o077)
    try:
        terminal_update.apply(argparse.Namespace(config=None, folder=None))
        kept = os.umask(0o077)
    finally:
        os.umask(before)
    assert terminal.versions.folder("0.2.0").stat().st_mode & 0o055 == 0o055
    assert kept == 0o077


def test_a_wheel_that_no_box_would_take_is_not_signed(terminal: Bench) -> None:
    folder = terminal.release()
    (folder / "empty-1.0-py3-none-any.whl").touch()
    asked = argparse.Namespace(folder=folder, key=terminal.key, machine="", python="")
    with pytest.raises(SettingsError, match="size is wrong"):
        terminal_update.sign(asked)


def test_two_updates_at_a_time_and_a_box_without_a_root_are_refused(terminal: Bench) -> None:
    with (
        terminal_update._alone(terminal.versions),
        pytest.raises(SettingsError, match="already on its way"),
        terminal_update._alone(terminal.versions),
    ):
        pytest.fail("two at a time")
    with (
        pytest.raises(SettingsError, match="cannot be written"),
        terminal_update._alone(Versions(terminal.folder / "no")),
    ):
        pytest.fail("no folder")
    with pytest.raises(SettingsError, match="Version before"), terminal_update._alone(terminal.versions):
        raise Unfit("missing")


# --- the hands on a real box ------------------------------------------------------------------------------


def test_the_installed_version_must_be_the_one_that_was_signed(bench: Bench) -> None:
    ran: list[Sequence[str]] = []

    def run(words: Sequence[str]) -> str:
        ran.append(words)
        return "0.2.0\n"

    hands = BoxHands(bench.settings(), run, python="/usr/bin/python3")
    hands.install(Path("/opt/v"), [Path("/w/chevet-0.2.0.whl")], "0.2.0")
    assert ran[0] == ("/usr/bin/python3", "-I", "-m", "venv", "/opt/v")
    assert {"--no-index", "--no-deps"} <= set(ran[1]), "nothing but what was signed is installed"
    assert unfit(lambda: hands.install(Path("/opt/v"), [], "0.3.0")) == "not_installed"

    def failing(words: Sequence[str]) -> str:
        raise subprocess.CalledProcessError(1, words, stderr="one\ntwo")

    broken = BoxHands(bench.settings(), failing)
    assert unfit(lambda: broken.install(Path("/opt/v"), [], "0.2.0")) == "not_installed"
    broken.restart()
    assert broken.quiet(), "a box whose agent is off has no visit open"
    assert broken.answering() == ""
    assert hands.now_ms() > 1_700_000_000_000
    assert hands.monotonic() > 0


def test_the_key_s_files_are_what_they_say(bench: Bench) -> None:
    public = json.loads(bench.key.with_name("update.key.pub.json").read_text())
    assert (public["v"], public["by"]) == (1, "Programme Atlas")
    assert bench.key.stat().st_mode & 0o077 == 0
    assert isinstance(terminal_update._signer(bench.key), Ed25519PrivateKey)
    with pytest.raises(SettingsError, match="--by"):
        terminal_update.key(argparse.Namespace(out=bench.folder / "other", by="x" * 99))
