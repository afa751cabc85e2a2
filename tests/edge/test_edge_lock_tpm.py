"""A key that the machine's TPM keeps: given for one start of the service, or refused."""

import shlex
import subprocess
from pathlib import Path

import pytest

from chevet.edge.key_ways import places
from chevet.edge.settings import EdgeSettings


@pytest.mark.parametrize("refuses", [False, True])
def test_a_tpm_gives_the_key_for_this_start_and_one_that_refuses_leaves_the_box_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refuses: bool
) -> None:
    """What the drop-in for the service runs before the agent, with a word in the place of systemd-creds."""
    unit = (Path(__file__).parents[2] / "edge/systemd/tpm.conf").read_text()
    begins = "ExecStartPre=-+/bin/sh -c "  # its failure never keeps the agent from starting
    (line,) = [line for line in unit.splitlines() if line.startswith(begins)]
    assert "\nLoadCredentialEncrypted" not in unit
    assert "\nEnvironment=CREDENTIALS_DIRECTORY=/run/chevet-key\n" in unit
    (tmp_path / "systemd-creds").write_text(
        f"#!/bin/sh\nfor last; do :; done\necho half > $last\nexit {int(refuses)}\n"
    )
    (tmp_path / "systemd-creds").chmod(0o700)
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    words = shlex.split(line.removeprefix(begins))[0].replace("/run/chevet-key", str(tmp_path / "run"))
    assert subprocess.run(["/bin/sh", "-c", words], check=False).returncode == int(refuses)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "run"))
    box = EdgeSettings(data_dir=tmp_path, programme=tmp_path)
    (key,) = [path for path in places(box) if path.suffix == ".key"]
    assert key.exists() is not refuses
    assert refuses or key.stat().st_mode & 0o777 == 0o600
