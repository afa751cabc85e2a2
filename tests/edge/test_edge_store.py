"""What the box knows: durable, checked at start, honest when there is no room."""

import sqlite3
from pathlib import Path

import pytest

from chevet.edge.database import Database, is_full
from chevet.edge.disk import Disk
from chevet.edge.errors import DiskFull, Refusal, SettingsError, StoreDamaged
from chevet.edge.patients import Patients
from chevet.edge.store import MIGRATIONS, open_store
from chevet.edge.workers import Worker, Workers
from chevet.study.study import Patient


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Database:
    return open_store(tmp_path / "edge.db")


def test_writes_survive_reopening_and_migrations_run_once(tmp_path: Path) -> None:
    store = open_store(tmp_path / "edge.db")
    Workers(store, lambda: 0.0).add(Worker("a", "Amina"), "1234")
    store.close()
    again = open_store(tmp_path / "edge.db")
    assert Workers(again, lambda: 0.0).all() == [Worker("a", "Amina")]
    names = [row["name"] for row in again.rows("SELECT name FROM migrations ORDER BY name")]
    assert names == [name for name, _ in MIGRATIONS]
    again.close()


def test_only_the_owner_may_read_the_database(tmp_path: Path) -> None:
    open_store(tmp_path / "edge.db").close()
    assert (tmp_path / "edge.db").stat().st_mode & 0o077 == 0


def test_commits_are_full_and_the_log_is_write_ahead(store: Database) -> None:
    assert store.rows("PRAGMA synchronous")[0][0] == 2
    assert store.rows("PRAGMA journal_mode")[0][0] == "wal"
    store.close()


def test_a_failed_migration_leaves_nothing_behind(tmp_path: Path) -> None:
    bad = (*MIGRATIONS, ("9999 wrong", "CREATE TABLE half (x); CREATE NONSENSE"))
    with pytest.raises(StoreDamaged):
        Database(tmp_path / "edge.db", bad)
    store = open_store(tmp_path / "edge.db")
    assert store.row("SELECT 1 FROM sqlite_master WHERE name = 'half'") is None
    store.close()


def test_a_damaged_database_is_found_at_start(tmp_path: Path) -> None:
    path = tmp_path / "edge.db"
    path.write_bytes(b"this is no database at all, but it is long enough to be looked at" * 100)
    with pytest.raises(StoreDamaged, match=r"edge\.db is damaged"):
        open_store(path)


def test_a_page_overwritten_by_a_bad_card_is_found_at_start(tmp_path: Path) -> None:
    path = tmp_path / "edge.db"
    store = open_store(path)
    patients = Patients(store, lambda: 1)
    for number in range(300):
        patients.add(Patient(f"p{number}", "N" * 200, None, ""))
    store.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    data = bytearray(path.read_bytes())
    for page in range(20, 30):
        data[page * 4096 : page * 4096 + 64] = b"\xaa" * 64
    path.write_bytes(data)
    with pytest.raises(StoreDamaged):
        open_store(path)


def test_a_transaction_that_fails_keeps_nothing(store: Database) -> None:
    def half() -> None:
        with store.write() as cursor:
            cursor.execute("INSERT INTO workers VALUES ('a', 'A', 'x')")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert store.rows("SELECT * FROM workers") == []
    store.close()


def test_a_full_disk_is_said_as_such_and_earlier_rows_are_intact(store: Database) -> None:
    patients = Patients(store, lambda: 1)
    patients.add(Patient("first", "First", None, ""))
    store.rows(f"PRAGMA max_page_count = {store.rows('PRAGMA page_count')[0][0]}")
    with pytest.raises(DiskFull):
        patients.add(Patient("second", "N" * 300_000, None, ""))
    assert patients.get("first").name == "First"
    assert store.rows("PRAGMA integrity_check")[0][0] == "ok"
    store.close()


def test_only_errors_of_space_count_as_full() -> None:
    assert is_full(OSError(28, "No space left on device"))
    assert not is_full(OSError(13, "Permission denied"))
    assert not is_full(sqlite3.OperationalError("locked"))
    assert not is_full(ValueError())


# Workers


def test_the_right_pin_opens_and_is_stored_only_as_a_hash(store: Database) -> None:
    workers = Workers(store, lambda: 0.0)
    workers.add(Worker("a", "Amina"), "2580")
    assert workers.check("a", "2580") == Worker("a", "Amina")
    stored = store.rows("SELECT pin FROM workers")[0]["pin"]
    assert stored.startswith("$argon2id$")
    assert "2580" not in stored
    store.close()


@pytest.mark.parametrize("pin", ["123", "12a4", "", "1" * 13, "١٢٣٤"])
def test_a_pin_that_is_not_4_to_12_digits_is_refused(store: Database, pin: str) -> None:
    with pytest.raises(SettingsError, match="4 to 12 digits"):
        Workers(store, lambda: 0.0).add(Worker("a", "A"), pin)
    store.close()


def test_five_wrong_pins_pause_for_a_minute_even_for_the_right_one(store: Database) -> None:
    clock = Clock()
    workers = Workers(store, clock)
    workers.add(Worker("a", "Amina"), "2580")
    workers.add(Worker("b", "Brahim"), "1111")
    for _ in range(5):
        with pytest.raises(Refusal, match="not right"):
            workers.check("a", "0000")
    with pytest.raises(Refusal) as error:
        workers.check("a", "2580")
    assert (error.value.code, error.value.status) == ("too_many_attempts", 429)
    assert workers.check("b", "1111").id == "b", "one worker's mistakes do not lock another out"
    clock.now = 60.0
    assert workers.check("a", "2580").id == "a"
    store.close()


def test_guessing_unknown_workers_is_braked_too(store: Database) -> None:
    workers = Workers(store, lambda: 0.0)
    for number in range(5):
        with pytest.raises(Refusal, match="not right"):
            workers.check(f"x{number}", "0000")
    with pytest.raises(Refusal, match="Too many"):
        workers.check("another", "0000")
    store.close()


# Patients


def test_search_finds_by_part_of_name_or_number_without_accents(store: Database) -> None:
    times = iter(range(1, 100))
    patients = Patients(store, lambda: next(times))
    patients.add(Patient("1", "Élodie Amrani", 1980, "F", "A-17"))
    patients.add(Patient("2", "محمّد", 1990, "M", "B_2"))
    assert [p.id for p in patients.search("elod")] == ["1"]
    assert [p.id for p in patients.search("محمد")] == ["2"]
    assert [p.id for p in patients.search("a-1")] == ["1"]
    assert patients.search("%") == []
    assert [p.id for p in patients.search("_")] == ["2"]
    assert [p.id for p in patients.search("")] == ["2", "1"]
    patients.touch("1")
    assert [p.id for p in patients.search("")] == ["1", "2"]
    store.close()


def test_search_gives_at_most_twenty(store: Database) -> None:
    patients = Patients(store, lambda: 1)
    for number in range(25):
        patients.add(Patient(f"p{number:02}", "Same", None, ""))
    assert len(patients.search("same")) == 20
    with pytest.raises(Refusal, match="no such patient"):
        patients.get("nobody")
    store.close()


# Disk


def disk(folder: Path, free: int) -> Disk:
    return Disk(folder, 1000, 100, 50, measure=lambda _: free)


def test_levels_follow_free_space(tmp_path: Path) -> None:
    assert [disk(tmp_path, free).level() for free in (99, 100, 999, 1000)] == ["full", "low", "low", "ok"]
    with pytest.raises(DiskFull) as error:
        disk(tmp_path, 99).require_room()
    assert error.value.status == 507
    disk(tmp_path, 100).require_room()


def test_the_reserve_is_kept_given_up_and_made_again(tmp_path: Path) -> None:
    kept = disk(tmp_path, 10_000)
    assert kept.keep_reserve()
    assert (tmp_path / "reserve").stat().st_size == 50
    kept.give_reserve_up()
    assert not (tmp_path / "reserve").exists()
    kept.give_reserve_up()
    assert not disk(tmp_path, 149).keep_reserve(), "no reserve where it would fill the disk"
    assert kept.keep_reserve()


def test_the_reserve_is_given_up_only_when_nothing_is_left(tmp_path: Path) -> None:
    disk(tmp_path, 10_000_000).keep_reserve()
    disk(tmp_path, 10_000_000).relieve()
    assert (tmp_path / "reserve").exists()
    disk(tmp_path, 0).relieve()
    assert not (tmp_path / "reserve").exists()


def test_a_folder_that_cannot_be_asked_counts_as_full(tmp_path: Path) -> None:
    assert Disk(tmp_path / "gone", 10, 5, 0).level() == "full"
    assert Disk(tmp_path / "gone", 10, 5, 0).keep_reserve(), "no reserve is wanted"


def test_a_reserve_that_does_not_fit_is_taken_away_again(tmp_path: Path) -> None:
    huge = Disk(tmp_path, 0, 0, 1 << 60, measure=lambda _: 1 << 62)
    assert not huge.keep_reserve()
    assert not (tmp_path / "reserve").exists()
