"""`chevet-edge import` writes what a cart's file holds, and not whom it names."""

import datetime
from pathlib import Path

import numpy as np
import pytest

from chevet.edge.cli import main
from chevet.sim.bodies import EcgBody
from chevet.sim.twins.cart import LEADS, file_of
from chevet.sim.twins.cart_scp import Owner, Record, write_scp

WHEN = datetime.datetime(2026, 3, 14, 10, 32, 5, tzinfo=datetime.UTC)
HER = Owner("Alaoui", "Zineb", "N17", datetime.date(1974, 3, 2), 2)


def run(*words: str) -> int:
    try:
        return main(list(words))
    except SystemExit as left:
        return int(left.code or 0)


@pytest.mark.parametrize("format_", ["scp", "dicom"])
def test_the_samples_are_written_exactly_and_nobody_is_named(
    tmp_path: Path, format_: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "Alaoui.ecg"
    source.write_bytes(file_of(format_, 1, WHEN, HER))
    out = tmp_path / "ecg.hea"
    assert run("import", str(source), "--out", str(out)) == 0
    assert "Wrote" in capsys.readouterr().out
    header = out.read_text("ascii")
    assert header.splitlines()[0] == "ecg 12 500 5000 10:32:05.000 14/03/2026"
    assert "simulated (HTEST)" in header
    assert "Alaoui" not in header
    stored = np.frombuffer((tmp_path / "ecg.dat").read_bytes(), "<i2").reshape(-1, 12).T
    assert (stored == EcgBody(1).take(0, 5000)).all()
    assert out.stat().st_mode & 0o077 == 0


def test_leads_recorded_one_after_the_other_are_streams_of_their_own(tmp_path: Path) -> None:
    values = EcgBody(1).take(0, 1000)[:2]
    source = tmp_path / "a.scp"
    source.write_bytes(write_scp(Record(("I", "V1"), values, firsts=(1, 1001))))
    assert run("import", str(source), "--out", str(tmp_path / "two.hea")) == 0
    assert "gap: 1000 samples from sample 0" in (tmp_path / "two_stream2.hea").read_text("ascii")


def test_what_cannot_be_read_or_written_is_said_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "a.scp"
    whole = write_scp(Record(LEADS, EcgBody(1).take(0, 100)))
    source.write_bytes(whole[:-9])
    out = str(tmp_path / "x.hea")
    assert run("import", str(source), "--out", out) == 1
    assert "copy it from the cart again" in capsys.readouterr().err
    assert run("import", str(tmp_path / "none"), "--out", out) == 1
    assert "cannot be read" in capsys.readouterr().err
    source.write_bytes(whole)
    assert run("import", str(source), "--out", out) == 0
    assert run("import", str(source), "--out", out) == 1
    assert "--force" in capsys.readouterr().err
    assert run("import", str(source), "--out", out, "--force") == 0
