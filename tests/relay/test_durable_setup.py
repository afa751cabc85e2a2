"""What `init` has written survives a power cut, and a key that was damaged is not handed out."""

import os
from pathlib import Path

import pytest

from chevet.relay.commands.programme import CONFIG_NAME
from chevet.relay.errors import SettingsError
from chevet.relay.keys import RECOVERY_PUBLIC, make_programme, read_programme, write_public


@pytest.fixture
def programme(tmp_path: Path) -> Path:
    make_programme(tmp_path, "Programme Test")
    return tmp_path


def test_every_file_of_a_new_programme_and_its_folder_are_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[Path] = set()
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.add(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    make_programme(tmp_path, "Programme Test")
    write_public(tmp_path / CONFIG_NAME, "# settings\n")
    made = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert made <= synced
    assert {tmp_path, tmp_path / "keys"} <= synced


@pytest.mark.parametrize("left", ["", "AAAA\n", None])
def test_a_damaged_recovery_key_is_taken_from_the_programme_file(programme: Path, left: str | None) -> None:
    good = read_programme(programme / "keys").recovery
    path = programme / "keys" / RECOVERY_PUBLIC
    path.unlink()
    if left is not None:
        path.write_text(left)
    assert read_programme(programme / "keys").recovery == good


@pytest.mark.parametrize("words", ["", "{}", '{"recipients": {"recovery": ""}}'])
def test_where_both_are_damaged_the_relay_does_not_start_and_names_the_remedy(
    programme: Path, words: str
) -> None:
    (programme / "keys" / RECOVERY_PUBLIC).write_text("")
    (programme / "programme.json").write_text(words)
    with pytest.raises(SettingsError, match="missing or damaged: write recipients"):
        read_programme(programme / "keys")
