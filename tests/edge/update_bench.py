"""A bench for updates: a box laid out for them, a stick with signed releases, hands that need no machine."""

import argparse
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from chevet.edge import terminal_update
from chevet.edge.settings import EdgeSettings, load_settings
from chevet.edge.update_release import Here, Unfit, read_release, read_update_key
from chevet.edge.update_versions import Versions
from chevet.edge.updating import Updating

HERE = Here("3.11", "aarch64")


class PowerCut(BaseException):
    """The moment at which everything stops."""


@dataclass
class FakeHands:
    """A box whose new version may or may not start; time runs as it waits."""

    versions: Versions
    starts: bool = True
    busy: int = 0
    installs: bool = True
    at: float = 0.0
    restarts: list[str] = field(default_factory=list)

    def install(self, folder: Path, wheels: Sequence[Path], version: str) -> None:
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "python").write_bytes(b"".join(path.read_bytes() for path in wheels)[:9])
        if not self.installs:
            raise Unfit("not_installed", version)

    def restart(self) -> None:
        self.restarts.append(self.versions.current())

    def answering(self) -> str:
        running = self.versions.current()
        return running if running == "0.1.0" or self.starts else ""

    def quiet(self) -> bool:
        self.busy -= 1
        return self.busy < 0

    def sleep(self, seconds: float) -> None:
        self.at += seconds

    def monotonic(self) -> float:
        return self.at

    def now_ms(self) -> int:
        return 1_800_000_000_000 + round(self.at * 1000)


@dataclass
class Bench:
    """A box laid out for updates, and a stick."""

    folder: Path
    key: Path
    stick: Path
    versions: Versions

    def release(self, version: str = "0.2.0", machine: str = "aarch64", name: str = "") -> Path:
        """Put a signed release on the stick."""
        folder = self.stick / (name or f"chevet-update-{version}")
        folder.mkdir()
        with zipfile.ZipFile(folder / f"chevet-{version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr("chevet/x.py", "x = 1\n" * 1000)
        (folder / "numpy-2.0.0-cp311-any.whl").write_bytes(b"numpy" * 500)
        asked = argparse.Namespace(folder=folder, key=self.key, machine=machine, python="3.11")
        assert terminal_update.sign(asked) == 0
        return folder

    def settings(self) -> EdgeSettings:
        config = self.folder / "edge.toml"
        config.write_text(
            'data_dir = "data"\nprogramme = "p.json"\n'
            '[sticks]\nplaces = []\nfolders = ["stick"]\n'
            '[update]\nroot = "opt"\nkey_file = "update.key.pub.json"\n'
        )
        return load_settings(config)

    def updating(self, **words: object) -> tuple[Updating, FakeHands]:
        hands = FakeHands(self.versions, **words)  # type: ignore[arg-type]
        return Updating(self.versions, hands, 30.0), hands

    def fit(self, folder: Path) -> object:
        return read_release(folder, read_update_key(self.key.with_name("update.key.pub.json")), HERE)


def laid_out(folder: Path) -> Bench:
    key = folder / "update.key"
    assert terminal_update.key(argparse.Namespace(out=key, by="Programme Atlas")) == 0
    (folder / "stick").mkdir()
    (folder / "data").mkdir()
    versions = Versions(folder / "opt")
    versions.folder("0.1.0").mkdir(parents=True)
    versions.seal("0.1.0")
    versions.switch("0.1.0")
    return Bench(folder, key, folder / "stick", versions)


@pytest.fixture(autouse=True)
def a_disk_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for the machine's disks takes seconds where others write, and no power is cut here."""
    monkeypatch.setattr("os.sync", lambda: None)
    monkeypatch.setattr("os.fsync", lambda _: None)


def unfit(call: Callable[[], object]) -> str:
    with pytest.raises(Unfit) as caught:
        call()
    return caught.value.reason
