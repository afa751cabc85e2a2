"""`chevet-sim cart` drops a file that a reader understands."""

import datetime

import pytest

from chevet.devices.ecg_files import read_ecg_file
from chevet.sim.cli import main
from chevet.sim.twins.cart import drop


@pytest.mark.parametrize("format_", ["scp", "dicom", "ecg90a"])
def test_a_file_is_dropped_with_the_name_it_was_told(tmp_path, format_, capsys):
    owner = ["--name", "Alaoui Zineb", "--born", "1974-01-02", "--sex", "F"]
    code = main(["cart", "--dir", str(tmp_path), "--format", format_, *owner])
    assert code == 0
    (path,) = tmp_path.iterdir()
    assert str(path) in capsys.readouterr().out
    read = read_ecg_file(path.read_bytes())
    assert (len(read.channels), read.seconds, read.simulated) == (12, 10.0, True)
    assert (read.patient.birth_year, read.patient.sex) == (1974, "F")
    assert "Zineb" in read.patient.name
    assert "Zineb" not in path.name
    assert abs(read.started.replace(tzinfo=None) - datetime.datetime.now()) < datetime.timedelta(minutes=5)


def test_a_folder_that_is_not_there_is_named_with_the_remedy(tmp_path, capsys):
    assert main(["cart", "--dir", str(tmp_path / "nowhere")]) == 1
    assert "[cart]" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_said_in_one_sentence(tmp_path, capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("chevet.sim.twins.cart.drop", full)
    assert main(["cart", "--dir", str(tmp_path)]) == 1
    assert "No space left" in capsys.readouterr().err


def test_a_slow_file_grows_and_a_renamed_one_appears_whole(tmp_path):
    seen = []

    def sleep(_seconds):
        seen.append({path.name: path.stat().st_size for path in tmp_path.iterdir()})

    drop(tmp_path, "a", bytes(800), slowly_s=8.0, sleep=sleep)
    assert [one["a"] for one in seen] == [100, 200, 300, 400, 500, 600, 700, 800]
    seen.clear()
    drop(tmp_path, "b", bytes(800), slowly_s=8.0, renamed=True, sleep=sleep)
    assert all("b" not in one for one in seen)
    assert (tmp_path / "b").stat().st_size == 800
