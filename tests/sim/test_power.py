"""A power cut takes what was not on the disk, and nothing else; where none can be made, it says why."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chevet.sim import power
from chevet.sim.power import CutDisk, DiskBroken, PowerUnavailable

pytestmark = pytest.mark.timeout(120)
WRITER = """
import os, sys
folder = sys.argv[1]
careless = open(folder + "/careless", "wb", buffering=0)
careful = open(folder + "/careful", "wb", buffering=0)
while True:
    careless.write(b"x" * 1000)
    careful.write(b"y" * 1000)
    os.fsync(careful.fileno())
    os.write(1, b"1")
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[CutDisk]:
    try:
        made = CutDisk(tmp_path, 16).__enter__()
    except PowerUnavailable as error:
        pytest.skip(str(error))
    yield made
    made.close()


def test_what_was_synced_survives_a_cut_and_what_was_not_is_gone(disk: CutDisk) -> None:
    words = [sys.executable, "-c", WRITER, str(disk.path)]
    writer = subprocess.Popen(disk.inside(*words), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with writer:
        assert writer.stdout is not None
        promised = len(writer.stdout.read(50))
        disk.cut([writer])  # the sync under way at this moment may come back as done: see `CutDisk.cut`
    assert "recovering journal" in disk.restore()
    careful, careless = ((disk.seen / name).stat().st_size for name in ("careful", "careless"))
    assert careful >= 1000 * promised
    assert (disk.seen / "careful").read_bytes() == b"y" * careful
    assert careless < careful
    assert disk.cuts == 1


def test_after_a_cut_nothing_can_be_promised_until_the_power_is_back(disk: CutDisk) -> None:
    disk.cut()
    with pytest.raises(OSError, match="Input/output"):
        (disk.seen / "late").write_bytes(b"x")
    disk.restore()
    (disk.seen / "late").write_bytes(b"x")
    assert (disk.seen / "late").read_bytes() == b"x"


def test_a_full_disk_is_full_to_the_last_byte_and_can_be_emptied(disk: CutDisk, tmp_path: Path) -> None:
    assert disk.fill() > 4 << 20
    with pytest.raises(OSError, match="No space left"):
        (disk.seen / "more").write_bytes(bytes(1 << 16))
    disk.empty()
    (disk.seen / "more").write_bytes(bytes(1 << 16))
    disk.copy_out("more", tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_size == 1 << 16
    disk.empty()


def test_nobody_outside_sees_the_disk_and_nothing_of_it_stays(disk: CutDisk) -> None:
    (disk.seen / "file").write_bytes(b"x")
    assert not (disk.path / "file").exists()
    assert disk.run("ls", str(disk.path / "file")).strip() == str(disk.path / "file")
    image = disk.path.parent / "disk.img"
    disk.close()
    assert not image.exists()
    assert (
        str(image)
        not in subprocess.run(["losetup", "-a"], capture_output=True, text=True, check=False).stdout
    )
    with pytest.raises(RuntimeError, match="with"):
        assert disk.seen


def test_a_disk_that_is_still_in_use_is_not_brought_back(
    disk: CutDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(power, "_BUSY_S", 0.1)
    with (disk.seen / "open").open("wb"):
        disk.cut()
        with pytest.raises(DiskBroken, match="in use"):
            disk.restore()
    assert disk.restore() is not None


def test_who_is_not_root_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(PowerUnavailable, match="run as root"), CutDisk(tmp_path):
        raise AssertionError


def test_a_machine_without_the_tools_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(power, "_SEARCH", str(tmp_path))
    with pytest.raises(PowerUnavailable, match=r"mkfs\.ext4.*apt install"), CutDisk(tmp_path):
        raise AssertionError
