"""Lessons that were begun on this box: one at a time, kept per worker, apart from everything of patients."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from chevet.edge.database import Database
from chevet.edge.errors import Refusal

OPEN, PASSED, FAILED, STOPPED = "open", "passed", "failed", "stopped"
MARKS_AT_MOST = 200
"""Marks of one lesson; the longest sets fewer than ten."""
LISTED_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class Attempt:
    """One go at a lesson.

    Attributes:
        state: open, passed, failed, or stopped before its end.
        points: 0 to 100 at its end, None before it and when stopped.
        marks: times (ms) of what was done outside a visit.
        parts, values: of the score, at its end.
    """

    id: str
    worker: str
    lesson: str
    state: str
    started_ms: int
    ended_ms: int | None = None
    points: int | None = None
    marks: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    parts: dict[str, int] = field(default_factory=dict[str, int])
    values: tuple[float, ...] = ()


class Attempts:
    """The lessons of this box; at most one is open at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, attempt: Attempt) -> None:
        """Begin a lesson.

        Raises:
            Refusal: training_open while another one is.
        """
        try:
            with self._database.write() as cursor:
                cursor.execute(
                    "INSERT INTO training_attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _row_of(attempt)
                )
        except sqlite3.IntegrityError:
            raise Refusal("training_open", "A lesson is still open; finish or stop it first.") from None

    def current(self) -> Attempt | None:
        """Return the open lesson, if any."""
        row = self._database.row("SELECT * FROM training_attempts WHERE state = ?", (OPEN,))
        return _attempt(row) if row else None

    def change(self, attempt_id: str, change: Callable[[Attempt], Attempt]) -> Attempt:
        """Change an open lesson durably.

        Raises:
            Refusal: conflict when it is no longer open.
        """
        with self._database.write() as cursor:
            row = cursor.execute("SELECT * FROM training_attempts WHERE id = ?", (attempt_id,)).fetchone()
            if row is None or row["state"] != OPEN:
                raise Refusal("conflict", "This lesson is already over; begin it again.")
            changed = change(_attempt(row))
            cursor.execute("DELETE FROM training_attempts WHERE id = ?", (attempt_id,))
            cursor.execute("INSERT INTO training_attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _row_of(changed))
        return changed

    def of_worker(self, worker: str) -> list[Attempt]:
        """Return a worker's latest finished lessons, newest first."""
        rows = self._database.rows(
            "SELECT * FROM training_attempts WHERE worker = ? AND state IN (?, ?)"
            " ORDER BY ended_ms DESC, id DESC LIMIT ?",
            (worker, PASSED, FAILED, LISTED_AT_MOST),
        )
        return [_attempt(row) for row in rows]

    def best(self, worker: str) -> dict[str, Attempt]:
        """Return a worker's best passed go at each lesson; of two alike, the earlier."""
        rows = self._database.rows(
            "SELECT * FROM training_attempts WHERE worker = ? AND state = ? ORDER BY points, ended_ms DESC",
            (worker, PASSED),
        )
        return {row["lesson"]: _attempt(row) for row in rows}


def marked(attempt: Attempt, mark: str, at_ms: int) -> Attempt:
    """Return the lesson with one more mark.

    Raises:
        Refusal: too_large when somebody sets marks without end.
    """
    if sum(len(times) for times in attempt.marks.values()) >= MARKS_AT_MOST:
        raise Refusal("too_large", "There are too many marks in this lesson; finish it.", status=413)
    return replace(attempt, marks=attempt.marks | {mark: [*attempt.marks.get(mark, []), at_ms]})


def _row_of(attempt: Attempt) -> tuple[Any, ...]:
    words = json.dumps(
        {"marks": attempt.marks, "parts": attempt.parts, "values": attempt.values}, ensure_ascii=False
    )
    return (
        attempt.id, attempt.worker, attempt.lesson, attempt.state, attempt.started_ms, attempt.ended_ms,
        attempt.points, words,
    )  # fmt: skip


def _attempt(row: sqlite3.Row) -> Attempt:
    words = json.loads(row["words"])
    return Attempt(
        row["id"],
        row["worker"],
        row["lesson"],
        row["state"],
        row["started_ms"],
        row["ended_ms"],
        row["points"],
        words["marks"],
        words["parts"],
        tuple(words["values"]),
    )
