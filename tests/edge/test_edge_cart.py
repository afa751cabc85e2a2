"""Files that an ECG cart drops: waited for, read once, refused with a reason, kept apart from every log."""

import asyncio
import datetime
import json
import logging
import os
import time
from pathlib import Path

import numpy as np
import pytest
from edge_fakes import make_box, until

from chevet.devices.ecg_file import EcgFile, FilePatient
from chevet.devices.ecg_files import read_ecg_file
from chevet.devices.samples import Channel
from chevet.edge.cart import Cart
from chevet.edge.cart_attach import blocks, started_ms
from chevet.edge.cart_identity import compare
from chevet.edge.cart_store import Imports
from chevet.edge.errors import DiskFull, Refusal
from chevet.edge.settings import CartSettings, load_settings
from chevet.edge.store import open_store
from chevet.sim.twins.cart import contec_values, drop, file_of
from chevet.sim.twins.cart_scp import Owner
from chevet.study.study import Patient

WHEN = datetime.datetime(2026, 3, 14, 10, 32, 5)
NAME = "Zineb.Alaoui.scp"
SCP = file_of("scp", 1, WHEN, Owner("Alaoui", "Zineb"))


class Room:
    """A disk with room, or without."""

    full = False

    def require_room(self) -> None:
        if self.full:
            raise DiskFull


class Watched:
    """A folder, a cart that watches it, and a clock that goes only when told."""

    def __init__(self, tmp_path: Path, **settings) -> None:
        self.folder = tmp_path / "cart"
        self.folder.mkdir()
        self.database = open_store(tmp_path / "edge.db")
        self.room = Room()
        self.now = 0.0
        self.imports = Imports(tmp_path / "imports", self.database, self.room, lambda: 1_773_484_325_000)
        told = CartSettings(folder=self.folder, **settings)
        self.cart = Cart(told, self.imports, lambda: self.now, lambda: None)

    def look(self, after: float = 5.0) -> int:
        self.now += after
        return self.cart.look()


@pytest.fixture
def watched(tmp_path: Path):
    one = Watched(tmp_path)
    yield one
    one.database.close()


def test_a_file_is_taken_in_when_it_has_settled_and_then_put_away(watched: Watched) -> None:
    drop(watched.folder, NAME, SCP)
    assert watched.look() == 0, "it may still be growing"
    assert watched.look(1.0) == 0
    assert watched.look() == 1
    (one,) = watched.imports.waiting()
    assert (one.driver, one.seconds, one.rate_hz, one.taken) == (
        "scp-ecg",
        10.0,
        500.0,
        "2026-03-14T10:32:05",
    )
    assert (len(one.leads), one.started, one.simulated) == (12, WHEN, True)
    assert watched.imports.path(one.id).read_bytes() == SCP
    assert [path.name for path in watched.folder.rglob("*") if path.is_file()] == [NAME]
    assert (watched.folder / "imported" / NAME).exists()
    assert watched.look() == watched.look() == 0


def test_a_file_that_grows_is_not_read_before_it_is_whole(watched: Watched) -> None:
    sizes = []

    def meanwhile(_seconds: float) -> None:
        sizes.append(watched.look(2.0))

    drop(watched.folder, "slow.scp", SCP, slowly_s=16.0, sleep=meanwhile)
    assert sum(sizes) == 0
    assert watched.imports.refused_count() == 0, "half a file was not taken for a broken one"
    assert watched.look() == 1


def test_a_file_that_is_renamed_at_its_end_comes_once(watched: Watched) -> None:
    drop(watched.folder, "a.scp", SCP, renamed=True)
    watched.look()
    assert watched.look() == 1
    drop(watched.folder, "b.scp", SCP)
    watched.look()
    assert watched.look() == 0, "the same file under another name"
    assert len(watched.imports.waiting()) == 1
    assert sorted(path.name for path in (watched.folder / "imported").iterdir()) == ["a.scp", "b.scp"]


def test_names_that_are_taken_get_a_number_in_the_folder_of_what_was_imported(watched: Watched) -> None:
    for minute in (1, 2):
        drop(watched.folder, NAME, file_of("scp", 1, WHEN.replace(minute=minute)))
        watched.look()
        assert watched.look() == 1
    names = {path.name for path in (watched.folder / "imported").iterdir()}
    assert len(names) == 2
    assert NAME in names


@pytest.mark.parametrize("format_", ["scp", "dicom", "ecg90a"])
def test_every_format_of_a_cart_is_taken_in(watched: Watched, format_: str) -> None:
    folder = watched.folder / "2026" / "03"
    folder.mkdir(parents=True)
    drop(
        folder, "ecg", file_of(format_, 1, WHEN, Owner("Alaoui", "Zineb", "17", datetime.date(1974, 1, 2), 2))
    )
    watched.look()
    assert watched.look() == 1
    (one,) = watched.imports.waiting()
    assert one.named.birth_year == 1974
    assert (one.named.sex, one.simulated) == ("F", True)
    assert one.driver in {"scp-ecg", "dicom-ecg", "contec-ecg90a"}


def test_what_is_no_ecg_is_refused_counted_once_and_stays(watched: Watched) -> None:
    (watched.folder / "report of somebody.pdf").write_bytes(b"%PDF-1.7 " + bytes(100))
    drop(watched.folder, "damaged.scp", SCP[:-40])
    for _ in range(4):
        assert watched.look() == 0
    assert watched.imports.refused_count() == 2
    assert watched.imports.waiting() == []
    assert len(list(watched.folder.iterdir())) == 2


def test_links_pipes_and_giants_are_passed_over_and_counted(tmp_path: Path) -> None:
    watched = Watched(tmp_path, largest_mb=1)
    secret = tmp_path / "secret.scp"
    secret.write_bytes(SCP)
    (watched.folder / "link.scp").symlink_to(secret)
    (watched.folder / "folder").symlink_to(tmp_path)
    os.mkfifo(watched.folder / "pipe.scp")
    (watched.folder / "giant.scp").write_bytes(bytes((1 << 20) + 1))
    (watched.folder / ".hidden.scp").write_bytes(SCP)
    (watched.folder / "empty.scp").touch()
    for _ in range(3):
        assert watched.look() == 0
    assert watched.cart.odd == 4
    assert watched.imports.waiting() == []
    watched.database.close()


def test_a_file_that_vanishes_or_cannot_be_read_harms_nothing(watched: Watched, monkeypatch) -> None:
    path = drop(watched.folder, NAME, SCP)
    watched.look()
    path.unlink()
    assert watched.look() == 0
    drop(watched.folder, NAME, SCP)
    watched.look()
    real = os.open

    def gone(name, *more, **others):
        if Path(name).name == NAME:
            raise FileNotFoundError(2, "gone")
        return real(name, *more, **others)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", gone)
        assert watched.look() == 0
    assert watched.look() == 1


def test_without_room_the_file_waits_where_it_is(watched: Watched) -> None:
    drop(watched.folder, NAME, SCP)
    watched.look()
    watched.room.full = True
    assert watched.look() == 0
    assert watched.cart.problem == "disk_full"
    assert (watched.folder / NAME).exists()
    watched.room.full = False
    assert watched.look() == 1
    assert watched.cart.problem == ""


def test_a_folder_that_cannot_be_written_keeps_its_files_and_they_come_once(
    watched: Watched, monkeypatch
) -> None:
    drop(watched.folder, NAME, SCP)
    watched.look()

    def read_only(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "rename", read_only)
    assert watched.look() == 1
    assert (watched.folder / NAME).exists()
    assert watched.look() == 0


def test_files_may_be_kept_where_they_are(tmp_path: Path) -> None:
    watched = Watched(tmp_path, after="keep")
    drop(watched.folder, NAME, SCP)
    watched.look()
    assert watched.look() == 1
    assert watched.look() == 0
    assert [path.name for path in watched.folder.iterdir()] == [NAME]
    watched.database.close()


def test_a_folder_that_is_not_there_is_told_and_looked_for_again(watched: Watched) -> None:
    watched.folder.rmdir()
    assert watched.look() == 0
    assert watched.cart.problem == "folder_missing"
    watched.folder.mkdir()
    watched.look()
    assert watched.cart.problem == ""


def test_more_names_than_any_cart_has_are_not_read_through(watched: Watched, monkeypatch) -> None:
    monkeypatch.setattr("chevet.edge.cart.NAMES_AT_MOST", 3)
    for number in range(5):
        (watched.folder / f"{number}.scp").write_bytes(b"x")
    watched.look()
    assert watched.cart.problem == "too_many_files"


def test_names_of_files_and_people_reach_no_log(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    drop(watched.folder, NAME, SCP)
    drop(watched.folder, "Alaoui damaged.scp", SCP[:-3])
    (watched.folder / "Alaoui link.scp").symlink_to(watched.folder / NAME)
    watched.look()
    watched.look()
    assert "refused" in caplog.text
    assert "Alaoui" not in caplog.text
    assert "Zineb" not in caplog.text
    assert str(watched.folder) not in caplog.text


def test_a_file_that_nobody_wants_is_forgotten_and_not_offered_again(watched: Watched) -> None:
    drop(watched.folder, NAME, SCP)
    watched.look()
    watched.look()
    (one,) = watched.imports.waiting()
    watched.imports.dismiss(one.id)
    assert not watched.imports.path(one.id).exists()
    for refused in (watched.imports.dismiss, watched.imports.read):
        with pytest.raises(Refusal):
            refused(one.id)
    drop(watched.folder, NAME, SCP)
    watched.look()
    assert watched.look() == 0


async def test_without_a_folder_nothing_is_watched(tmp_path: Path) -> None:
    box = make_box(tmp_path)
    await box.bedside.cart.run()
    assert box.bedside.cart.look() == 0
    box.close()


async def test_a_running_cart_tells_of_what_came_and_outlives_a_fault(tmp_path: Path, monkeypatch) -> None:
    watched = Watched(tmp_path, look_s=0.05, settle_s=0.1)
    told = []
    cart = Cart(watched.cart.settings, watched.imports, time.monotonic, lambda: told.append(1))
    looks = []

    def look(_self) -> int:
        looks.append(1)
        if len(looks) == 1:
            raise RuntimeError("a fault")
        return 1 if len(looks) == 3 else 0

    monkeypatch.setattr(Cart, "look", look)
    running = asyncio.create_task(cart.run())
    await until(lambda: len(looks) >= 4)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert told == [1]
    watched.database.close()


def test_a_copy_that_cannot_be_written_leaves_nothing_behind(watched: Watched, monkeypatch) -> None:
    def no_room(_descriptor):
        raise OSError(28, "No space left on device")

    drop(watched.folder, NAME, SCP)
    watched.look()
    with monkeypatch.context() as patch:
        patch.setattr("chevet.edge.cart_store.os.fsync", no_room)
        assert watched.look() == 0
    assert watched.cart.problem == "disk_full"
    assert list((watched.imports.path("x")).parent.iterdir()) == []
    assert watched.look() == 1


def test_a_folder_in_the_folder_that_cannot_be_read_is_passed_over(watched: Watched, monkeypatch) -> None:
    real = os.scandir
    (watched.folder / "locked").mkdir()

    def scandir(path):
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("chevet.edge.cart.os.scandir", scandir)
    drop(watched.folder, NAME, SCP)
    watched.look()
    assert watched.look() == 1


def test_a_file_that_changes_while_it_is_read_is_read_again_later(watched: Watched, monkeypatch) -> None:
    path = drop(watched.folder, NAME, SCP[:-10])
    watched.look()
    real = os.fstat
    times = []

    def fstat(descriptor):
        times.append(1)
        if len(times) == 2:
            with path.open("ab") as more:
                more.write(SCP[-10:])
        return real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr("chevet.edge.cart.os.fstat", fstat)
        assert watched.look() == 0
    watched.look()
    assert watched.look() == 1
    assert watched.imports.refused_count() == 0


def test_the_folder_is_read_from_the_settings(tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_text(
        'data_dir = "box"\nprogramme = "p.json"\n[cart]\nfolder = "cart"\nafter = "keep"\n'
    )
    settings = load_settings(tmp_path / "edge.toml")
    assert settings.cart.folder == tmp_path / "cart"
    assert settings.cart.after == "keep"


# Whose it is

PATIENT = Patient("id", "Fatima Zahra Benyoussef", 1962, "F", "A-17")


@pytest.mark.parametrize(
    ("named", "answer"),
    [
        (FilePatient(), "not_named"),
        (FilePatient("", "12345"), "not_named"),
        (FilePatient("BENYOUSSEF Fatima-Zahra", "12345", 1962, "F"), "same"),
        (FilePatient("benyoussef fatima"), "same"),
        (FilePatient("Fatima B"), "other"),
        (FilePatient("Fatima Z"), "other"),
        (FilePatient("Fatim"), "same"),
        (FilePatient("Fatima Benyou"), "same"),
        (FilePatient("Fátima BENYOUSSEF"), "same"),
        (FilePatient("Fatima Alami"), "other"),
        (FilePatient("Fatima Benyoussef", "", 1964), "other"),
        (FilePatient("Fatima Benyoussef", "", 1963), "same"),
        (FilePatient("Fatima Benyoussef", "", None, "M"), "other"),
        (FilePatient("", "a-17"), "same"),
        (FilePatient("Somebody", "A-17"), "same"),
        (FilePatient("", "A-17", 1999), "other"),
        (FilePatient("", "", 1962), "not_named"),
        (FilePatient("", "", 1970), "other"),
        (FilePatient("...", ""), "not_named"),
    ],
)
def test_who_a_file_names_is_compared_with_who_is_examined(named: FilePatient, answer: str) -> None:
    assert compare(named, PATIENT) == answer


def test_an_arabic_name_is_compared_without_its_vowel_marks() -> None:
    patient = Patient("id", "فاطمة الزهراء", None, "", "")
    assert compare(FilePatient("فَاطِمَة"), patient) == "same"
    assert compare(FilePatient("مريم"), patient) == "other"


# From a file to blocks


def test_leads_measured_at_the_same_samples_go_together_and_gaps_stay_gaps() -> None:
    channels = tuple(Channel(name, "mV", 500.0, 0.001) for name in ("I", "II", "V1", "V2"))
    measured = np.array(
        [[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1], [0, 0, 1, 1, 0, 1], [0, 0, 0, 0, 0, 0]], np.bool_
    )
    values = np.arange(24, dtype=np.int32).reshape(4, 6)
    made = list(blocks(EcgFile("scp-ecg", channels, values, measured, (), None, {}, b"")))
    assert [([c.name for c in one.channels], one.first, one.values.tolist()) for one in made] == [
        (["I", "II"], 0, values[:2].tolist()),
        (["V1"], 2, [[14, 15]]),
        (["V1"], 5, [[17]]),
    ]


def test_a_carts_time_is_taken_where_it_can_be_true() -> None:
    now_ms = 1_773_484_325_000
    utc = datetime.datetime.fromtimestamp(now_ms / 1000, datetime.UTC)
    assert started_ms(utc, now_ms) == now_ms
    assert started_ms(utc.astimezone().replace(tzinfo=None), now_ms) == now_ms
    for wrong in (
        None,
        datetime.datetime(1999, 1, 1),
        utc + datetime.timedelta(days=2),
        datetime.datetime.min,
    ):
        assert started_ms(wrong, now_ms) == now_ms


def test_the_virtual_contec_is_read_as_it_was_written() -> None:
    from chevet.sim.bodies import EcgBody

    wanted = contec_values(EcgBody(1).take(0, 5000))
    read = read_ecg_file(file_of("ecg90a", 1, WHEN))
    rows = {channel.name: row for channel, row in zip(read.channels, read.values, strict=True)}
    assert (rows["II"] == wanted[0]).all()
    assert (rows["V6"] == wanted[7]).all()
    assert read.seconds == 10.0


def test_an_unknown_format_of_the_virtual_cart_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="scp, dicom, ecg90a"):
        file_of("pdf", 1, WHEN)


def test_words_of_an_import_hold_what_the_screens_need_and_no_more(watched: Watched) -> None:
    drop(watched.folder, NAME, SCP)
    watched.look()
    watched.look()
    (row,) = watched.database.rows("SELECT words FROM imports")
    assert set(json.loads(row["words"])) == {
        "driver", "leads", "rate_hz", "seconds", "taken", "named", "simulated"
    }  # fmt: skip
