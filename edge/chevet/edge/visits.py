"""Visits and captures as the store keeps them."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import TypeAdapter

from chevet.edge.covered_rows import place
from chevet.edge.database import Database
from chevet.edge.errors import Refusal, not_found
from chevet.edge.recorded import Judged
from chevet.edge.training_lessons import TRAINING_PREFIX
from chevet.study.study import Consent, EdgeClock, Vital

DRAFT, CLOSING, CLOSED, ABANDONED = "draft", "closing", "closed", "abandoned"
RECORDING, DONE, FAILED = "recording", "done", "failed"
UNDECIDED, ACCEPTED, DISCARDED = "", "accepted", "discarded"
LOOKED_BACK_AT_MOST = 60
"""Visits of one patient shown as a trend: daily weights of two months."""


@dataclass(frozen=True, slots=True)
class Skip:
    """An examination left out, with the worker's reason."""

    step: str
    site: str
    side: str
    reason: str


@dataclass(frozen=True, slots=True)
class Continued:
    """The case a visit goes on with; `message` and what follows: the recording asked for again, if any."""

    case: str
    message: str = ""
    step: str = ""
    site: str = ""
    side: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class VisitWords:
    """What is said and typed during a visit; kept as one JSON text, since it is always read whole.

    Attributes:
        screen: the kiosk's own place mark.
        vitals: typed by hand or read from an accepted recording.
        tries: discarded or poor captures by "step:site:side".
        closed: when the visit was closed.
        abandoned: the reason it was given up.
        path: the time-critical path it follows ("stroke", "chest_pain", "newborn") or "".
        history: coded answers of the guided history and of sheets, such as "stroke.onset" or "nihss.1a".
        continues: the earlier case, if any.
        override: why care began before consent could be asked, "" when it was asked.
        training: the lesson it belongs to, "" for a visit of a real patient; such a visit is never sealed.
    """

    reason: str = ""
    question: str = ""
    specialty: str = ""
    urgency: str = "routine"
    language: str = "fr"
    red_flags: tuple[str, ...] | None = None
    screen: Any = None
    consent: Consent | None = None
    vitals: tuple[Vital, ...] = ()
    skips: tuple[Skip, ...] = ()
    tries: dict[str, int] = field(default_factory=dict[str, int])
    closed: EdgeClock | None = None
    abandoned: str = ""
    path: str = ""
    history: dict[str, str] = field(default_factory=dict[str, str])
    continues: Continued | None = None
    override: str = ""
    training: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit: a draft, closed into a study, or abandoned."""

    id: str
    patient: str
    worker: str
    state: str
    created_ms: int
    words: VisitWords


@dataclass(frozen=True, slots=True)
class CaptureRow:
    """One capture as stored.

    Attributes:
        state: recording, done or failed.
        problem: coded, "" without one.
        verdict: "" while undecided, accepted or discarded.
        judged: what was worked out at its end.
        summary: the recording as the API shows it, without samples; None while it runs.
    """

    id: str
    visit: str
    step: str
    site: str
    side: str
    device: str
    seconds: float
    state: str = RECORDING
    problem: str = ""
    elapsed_s: float = 0.0
    verdict: str = UNDECIDED
    poor: bool = False
    best: int | None = None
    judged: Judged | None = None
    summary: dict[str, Any] | None = None

    @property
    def place(self) -> str:
        """Return step, site and side as `tries` counts them."""
        return f"{self.step}:{self.site}:{self.side}"


_WORDS = TypeAdapter(VisitWords)
_JUDGED = TypeAdapter(Judged)


class Visits:
    """The visits of this box and their captures; at most one visit is open at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, visit: Visit) -> None:
        """Open a visit.

        Raises:
            Refusal: visit_open, with the open one's id as field.
        """
        try:
            with self._database.write() as cursor:
                cursor.execute("INSERT INTO visits VALUES (?, ?, ?, ?, ?, ?)", self._row(visit))
        except sqlite3.IntegrityError:
            current = self.current()
            raise Refusal(
                "visit_open",
                "Another visit is still open; resume it or abandon it first.",
                field=current.id if current else None,
            ) from None

    def get(self, visit_id: str) -> Visit:
        """Return one visit.

        Raises:
            Refusal: not_found.
        """
        row = self._database.row("SELECT * FROM visits WHERE id = ?", (visit_id,))
        if row is None:
            raise not_found("visit")
        return self._visit(row)

    def current(self) -> Visit | None:
        """Return the open draft, if any."""
        row = self._database.row("SELECT * FROM visits WHERE state = ?", (DRAFT,))
        return self._visit(row) if row else None

    def of_patient(self, patient: str) -> list[Visit]:
        """Return a patient's latest visits that were sent or are in hand, oldest first."""
        rows = self._database.rows(
            "SELECT * FROM visits WHERE patient = ? AND state IN (?, ?, ?)"
            " ORDER BY created_ms DESC, id DESC LIMIT ?",
            (patient, DRAFT, CLOSING, CLOSED, LOOKED_BACK_AT_MOST),
        )
        return [self._visit(row) for row in reversed(rows)]

    def of_training(self, attempt: str) -> list[Visit]:
        """Return the visits of one lesson, oldest first."""
        rows = self._database.rows(
            "SELECT * FROM visits WHERE patient LIKE ? ORDER BY created_ms, id", (f"{TRAINING_PREFIX}%",)
        )
        visits = [self._visit(row) for row in rows]
        return [visit for visit in visits if visit.words.training == attempt]

    def closing(self) -> list[Visit]:
        """Return visits whose closing was interrupted."""
        rows = self._database.rows("SELECT * FROM visits WHERE state = ?", (CLOSING,))
        return [self._visit(row) for row in rows]

    def change(self, visit_id: str, change: Callable[[VisitWords], VisitWords]) -> Visit:
        """Change the words of an open visit durably.

        Raises:
            Refusal: not_found, or conflict when it is no longer a draft.
        """
        with self._database.write() as cursor:
            visit = self._draft(cursor, visit_id)
            changed = replace(visit, words=change(visit.words))
            cursor.execute("UPDATE visits SET words = ? WHERE id = ?", (self._row(changed)[-1], visit_id))
        return changed

    def begin_closing(self, visit_id: str, closed: EdgeClock) -> Visit:
        """Take a draft out of everybody's hands, durably, before it is packed.

        Raises:
            Refusal: not_found, or conflict when it is no longer a draft.
        """
        with self._database.write() as cursor:
            visit = self._draft(cursor, visit_id)
            closing = replace(visit, state=CLOSING, words=replace(visit.words, closed=closed))
            cursor.execute(
                "UPDATE visits SET state = ?, words = ? WHERE id = ?",
                (CLOSING, self._row(closing)[-1], visit_id),
            )
        return closing

    def move(self, visit_id: str, state: str, words: VisitWords) -> None:
        """Bring a visit into another state, with its words."""
        with self._database.write() as cursor:
            cursor.execute(
                "UPDATE visits SET state = ?, words = ? WHERE id = ?",
                (state, self._hidden(visit_id, words), visit_id),
            )

    def put_capture(self, capture: CaptureRow) -> None:
        """Store a capture, new or changed."""
        judged = _JUDGED.dump_json(capture.judged).decode() if capture.judged else "null"
        told = json.dumps({"judged": json.loads(judged), "summary": capture.summary}, ensure_ascii=False)
        told = self._database.hide(told, place("captures", "recording", capture.id))
        with self._database.write() as cursor:
            cursor.execute(
                "INSERT OR REPLACE INTO captures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    capture.id, capture.visit, capture.step, capture.site, capture.side, capture.device,
                    capture.seconds, capture.state, capture.problem, capture.elapsed_s, capture.verdict,
                    int(capture.poor), capture.best, told,
                ),
            )  # fmt: skip

    def capture(self, capture_id: str) -> CaptureRow:
        """Return one capture.

        Raises:
            Refusal: not_found.
        """
        row = self._database.row("SELECT * FROM captures WHERE id = ?", (capture_id,))
        if row is None:
            raise not_found("capture")
        return self._capture(row)

    def captures(self, visit_id: str) -> list[CaptureRow]:
        """Return a visit's captures, oldest first (ids sort by time)."""
        rows = self._database.rows("SELECT * FROM captures WHERE visit = ? ORDER BY id", (visit_id,))
        return [self._capture(row) for row in rows]

    def interrupted(self) -> list[CaptureRow]:
        """Return captures that were running when the box lost power."""
        rows = self._database.rows("SELECT * FROM captures WHERE state = ?", (RECORDING,))
        return [self._capture(row) for row in rows]

    def journals_to_keep(self, open_cases: Sequence[str]) -> set[str]:
        """Return ids of captures whose journals are still needed: of open visits and of undelivered cases."""
        rows = self._database.rows(
            "SELECT captures.id, captures.visit, visits.state FROM captures"
            " JOIN visits ON visits.id = captures.visit WHERE verdict != ?",
            (DISCARDED,),
        )
        wanted = set(open_cases)
        return {row["id"] for row in rows if row["state"] in {DRAFT, CLOSING} or row["visit"] in wanted}

    def _draft(self, cursor: sqlite3.Cursor, visit_id: str) -> Visit:
        row = cursor.execute("SELECT * FROM visits WHERE id = ?", (visit_id,)).fetchone()
        if row is None:
            raise not_found("visit")
        visit = self._visit(row)
        if visit.state != DRAFT:
            raise Refusal("conflict", "This visit is already closed; start a new one.")
        return visit

    def _row(self, visit: Visit) -> tuple[Any, ...]:
        words = self._hidden(visit.id, visit.words)
        return visit.id, visit.patient, visit.worker, visit.state, visit.created_ms, words

    def _hidden(self, visit_id: str, words: VisitWords) -> str:
        return self._database.hide(_WORDS.dump_json(words).decode(), place("visits", "words", visit_id))

    def _visit(self, row: sqlite3.Row) -> Visit:
        words = _WORDS.validate_json(self._database.show(row["words"], place("visits", "words", row["id"])))
        return Visit(row["id"], row["patient"], row["worker"], row["state"], row["created_ms"], words)

    def _capture(self, row: sqlite3.Row) -> CaptureRow:
        told: dict[str, Any] = {"judged": None, "summary": None}
        if row["recording"]:
            shown = self._database.show(row["recording"], place("captures", "recording", row["id"]))
            told = json.loads(shown)
        return CaptureRow(
            id=row["id"],
            visit=row["visit"],
            step=row["step"],
            site=row["site"],
            side=row["side"],
            device=row["device"],
            seconds=row["seconds"],
            state=row["state"],
            problem=row["problem"],
            elapsed_s=row["elapsed_s"],
            verdict=row["verdict"],
            poor=bool(row["poor"]),
            best=row["best"],
            judged=_JUDGED.validate_python(told["judged"]) if told["judged"] else None,
            summary=told["summary"],
        )
