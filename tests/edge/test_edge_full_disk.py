"""A disk that is full to the last byte: the box goes on, nothing is stuck, and room can be made again."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from edge_fakes import Box
from test_edge_visit import agree, complete, open_visit, refused

from chevet.edge.database import Database
from chevet.edge.disk import Disk
from chevet.edge.errors import DiskFull, Refusal
from chevet.edge.housekeeping import Housekeeping
from chevet.edge.spool import Spool
from chevet.edge.visits import CLOSED, CLOSING, DRAFT, Visits
from chevet.study.study import Patient


def full(*_: object, **__: object) -> bool:
    raise DiskFull


class FullConnection:
    """A connection that finds no room for whatever begins with a word."""

    def __init__(self, connection: sqlite3.Connection, word: str, name: str) -> None:
        self._connection, self._word, self._name = connection, word, name

    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        if sql.startswith(self._word):
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorname = self._name
            raise error
        return self._connection.execute(sql, *values)

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)


@contextmanager
def failing(database: Database, word: str, name: str = "SQLITE_FULL") -> Iterator[None]:
    honest = database._connection
    database._connection = FullConnection(honest, word, name)  # type: ignore[assignment]
    try:
        yield
    finally:
        database._connection = honest


@pytest.mark.parametrize(
    ("word", "name", "call"),
    [
        ("PRAGMA wal_checkpoint", "SQLITE_FULL", lambda database: database.give_back()),
        ("SELECT", "SQLITE_IOERR_SHMSIZE", lambda database: database.rows("SELECT 1")),
        ("SELECT", "SQLITE_FULL", lambda database: database.row("SELECT 1")),
    ],
)
def test_no_room_is_told_as_such_wherever_it_is_met(
    tmp_path: Path, word: str, name: str, call: Callable[[Database], object]
) -> None:
    database = Database(tmp_path / "a.db", ())
    with failing(database, word, name), pytest.raises(DiskFull):
        call(database)
    with failing(database, word, "SQLITE_BUSY"), pytest.raises(sqlite3.OperationalError):
        call(database)
    call(database)
    database.close()


def test_housekeeping_gives_the_reserve_up_where_even_deleting_finds_no_room(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = box.bedside.settings.data_dir
    reserve = folder / "reserve"
    reserve.write_bytes(b"x")
    monkeypatch.setattr(Disk, "free", lambda _: 0)
    monkeypatch.setattr(Spool, "drop_delivered", full)
    with pytest.raises(DiskFull):
        Housekeeping(box.bedside, box.database).tidy()
    assert not reserve.exists()


def test_a_visit_left_half_closed_is_sent_before_the_next_one(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = left_closing(box, monkeypatch)
    second = next_visit(box)
    assert box.bedside.rules.send(second).id == second
    assert [box.bedside.visits.get(one).state for one in (first, second)] == [CLOSED, CLOSED]
    assert box.bedside.spool.pending_ids() == [first, second]


def test_while_there_is_no_room_the_next_one_is_refused_and_nothing_is_lost(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = left_closing(box, monkeypatch)
    second = next_visit(box)
    with monkeypatch.context() as patch:
        patch.setattr(Spool, "put", full)
        assert refused(lambda: box.bedside.rules.send(second)).code == "disk_full"
    assert [box.bedside.visits.get(one).state for one in (first, second)] == [CLOSING, DRAFT]
    box.bedside.rules.send(second)
    assert box.bedside.spool.pending_ids() == [first, second]


def test_a_visit_that_another_thread_has_sent_is_not_sealed_again(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = left_closing(box, monkeypatch)
    stale = box.bedside.visits.closing()[0]
    box.bedside.rules.resume_closing()
    pending = box.bedside.spool.pending()
    assert box.bedside.rules._finish(stale).id == first
    assert box.bedside.spool.pending() == pending


def left_closing(box: Box, monkeypatch: pytest.MonkeyPatch) -> str:
    """Leave one visit as a disk does that fills up between its closing and its bundle."""
    visit = open_visit(box)
    complete(box, visit)
    move = Visits.move
    with monkeypatch.context() as patch:
        patch.setattr(Spool, "put", full)
        patch.setattr(Visits, "move", full)
        with pytest.raises(Refusal):
            box.bedside.rules.send(visit)
    assert Visits.move is move
    assert box.bedside.visits.get(visit).state == CLOSING
    return visit


def next_visit(box: Box) -> str:
    box.bedside.patients.add(Patient("p2", "Another", 1990, "M", ""))
    visit = box.bedside.rules.open("p2", "amina").id
    agree(box, visit)
    box.bedside.rules.write(visit, {"question": "And this?", "specialty": "cardiology"})
    return visit
