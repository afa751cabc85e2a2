"""Training: lessons on simulated instruments and invented patients, kept apart from care.

While a lesson is open the whole box is in training, whoever stands before it: only invented patients are
offered, only simulated instruments record, every visit is HTEST, and a visit that is sent goes nowhere, since
it is never sealed. Outside a lesson invented patients and instruments kept for training do not exist.
"""

from dataclasses import dataclass, replace
from typing import Any

from chevet.edge.box import BoxClock
from chevet.edge.errors import Refusal, not_found
from chevet.edge.identity import new_id
from chevet.edge.patients import Patients
from chevet.edge.training_checks import Score, Seen, score
from chevet.edge.training_lessons import (
    BY_CODE,
    LESSONS,
    PATIENTS,
    RETAKE,
    START,
    TRAINING_PREFIX,
    Lesson,
)
from chevet.edge.training_store import FAILED, OPEN, PASSED, STOPPED, Attempt, Attempts, marked
from chevet.edge.visit import VisitRules
from chevet.edge.visits import ACCEPTED, CLOSED, DRAFT, Continued, Visit, Visits, VisitWords
from chevet.study.study import Consent, Patient

OVER_AFTER_MS = 90 * 60_000
"""A lesson left open this long ends at the next sign-in; the longest is meant for 20 minutes."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Every lesson was passed: when the last of them was, and the mean of the best points."""

    at_ms: int
    points: int


@dataclass(frozen=True, slots=True)
class Training:
    """Lessons on this box; all of it runs in a thread."""

    attempts: Attempts
    visits: Visits
    patients: Patients
    rules: VisitRules
    clock: BoxClock

    # --- lessons ---------------------------------------------------------------------------------

    def begin(self, worker: str, code: str) -> Attempt:
        """Begin a lesson.

        Raises:
            Refusal: not_found; visit_open while a visit is a draft; training_open.
        """
        if code not in BY_CODE:
            raise not_found("lesson")
        draft = self.visits.current()
        if draft is not None:
            raise Refusal(
                "visit_open", "A visit is still open; finish or abandon it before training.", field=draft.id
            )
        attempt = Attempt(new_id(), worker, code, OPEN, self.clock.now_ms())
        self.attempts.add(attempt)
        for patient in PATIENTS:
            self._know(patient)
        return attempt

    def mark(self, worker: str, mark: str) -> Attempt:
        """Note something done outside a visit.

        Raises:
            Refusal: not_training, too_large.
        """
        attempt = self.require(worker)
        return self.attempts.change(attempt.id, lambda one: marked(one, mark, self.clock.now_ms()))

    def finish(self, worker: str) -> Attempt:
        """Score the open lesson and end it; what was recorded is deleted.

        Raises:
            Refusal: not_training; capture_running.
        """
        attempt = self.require(worker)
        result = self.score(attempt)
        self._clear(attempt)
        ended = replace(
            attempt,
            state=PASSED if result.passed else FAILED,
            ended_ms=self.clock.now_ms(),
            points=result.points,
            parts=result.parts,
            values=result.values,
        )
        return self.attempts.change(attempt.id, lambda one: replace(ended, marks=one.marks))

    def stop(self) -> None:
        """End the open lesson without a score, whoever began it: a real patient comes first."""
        attempt = self.attempts.current()
        if attempt is not None:
            self._clear(attempt)
            ended_ms = self.clock.now_ms()
            self.attempts.change(attempt.id, lambda one: replace(one, state=STOPPED, ended_ms=ended_ms))

    def signed_in(self, worker: str) -> bool:
        """Take note of a sign-in: it is part of some lessons, and ends one of somebody else or forgotten.

        Returns:
            Whether it ended one, whose instruments may be out of order.
        """
        attempt = self.attempts.current()
        if attempt is None:
            return False
        now_ms = self.clock.now_ms()
        if attempt.worker != worker or now_ms - attempt.started_ms > OVER_AFTER_MS:
            self.stop()
            return True
        self.attempts.change(attempt.id, lambda one: marked(one, "signed_in", now_ms))
        return False

    def require(self, worker: str) -> Attempt:
        """Return the worker's open lesson.

        Raises:
            Refusal: not_training.
        """
        attempt = self.attempts.current()
        if attempt is None or attempt.worker != worker:
            raise Refusal("not_training", "No lesson is open; begin one first.")
        return attempt

    def score(self, attempt: Attempt) -> Score:
        """Return what an open lesson came to so far."""
        return score(self.seen(attempt))

    def seen(self, attempt: Attempt) -> Seen:
        """Return what the box saw of an open lesson."""
        visits = self.visits.of_training(attempt.id)
        visit = visits[-1] if visits else None
        captures = self.visits.captures(visit.id) if visit else []
        kept_ms = {
            row.id: int(row.summary["started_ms"])
            for row in captures
            if row.verdict == ACCEPTED and row.summary is not None
        }
        lesson = BY_CODE[attempt.lesson]
        now_ms = self.clock.now_ms()
        return Seen(lesson, attempt.started_ms, now_ms, attempt.marks, visit, captures, kept_ms)

    def certificate(self, worker: str) -> Certificate | None:
        """Return the worker's certificate when every lesson of today's course was passed."""
        best = self.attempts.best(worker)
        passed = [best[lesson.code] for lesson in LESSONS if lesson.code in best]
        if len(passed) < len(LESSONS):
            return None
        points = round(sum(attempt.points or 0 for attempt in passed) / len(passed))
        return Certificate(max(attempt.ended_ms or 0 for attempt in passed), points)

    # --- visits of a lesson ----------------------------------------------------------------------

    def words_for(self, worker: str, patient: str) -> VisitWords | None:
        """Return what a visit opened now begins with; None outside training.

        Raises:
            Refusal: conflict when patient and mode do not belong together.
        """
        attempt = self.attempts.current()
        learning = attempt is not None and attempt.worker == worker
        if patient.startswith(TRAINING_PREFIX) != learning:
            raise Refusal(
                "conflict",
                "A real patient cannot be examined in training, nor an invented one outside it.",
                field="patient",
            )
        return VisitWords(training=attempt.id) if attempt and learning else None

    def lay_ready(self, worker: str) -> Visit:
        """Open the visit that a lesson works with, its first steps done.

        Raises:
            Refusal: not_training; conflict for a lesson that begins at the first screen; visit_open.
        """
        attempt = self.require(worker)
        lesson = BY_CODE[attempt.lesson]
        if lesson.begins == START:
            raise Refusal("conflict", "This lesson begins with a new visit; open it as always.")
        return self.rules.open(lesson.patient.id, worker, self._ready_words(attempt, lesson))

    def _ready_words(self, attempt: Attempt, lesson: Lesson) -> VisitWords:
        again = Continued(RETAKE, RETAKE, "heart_sound", "M") if lesson.begins == RETAKE else None
        return VisitWords(
            reason="breathlessness",
            red_flags=(),
            consent=Consent(("care",), self.clock.now_ms(), ""),
            continues=again,
            training=attempt.id,
            **_asked_before(lesson),
        )

    def send(self, visit_id: str) -> None:
        """Close a visit of training: complete like any other, and gone nowhere.

        Raises:
            Refusal: not_found, conflict, incomplete.
        """
        closing = self.rules.close(visit_id, training=True)
        self.visits.move(visit_id, CLOSED, closing.words)

    def new_patient_id(self) -> str:
        """Return an id for a person registered now."""
        return f"{TRAINING_PREFIX}{new_id()}" if self.attempts.current() else new_id()

    def search(self, text: str) -> list[Patient]:
        """Return patients by name or number: the invented ones in training, the real ones outside it."""
        return self.patients.search(text, training=self.attempts.current() is not None)

    def _know(self, patient: Patient) -> None:
        try:
            self.patients.get(patient.id)
        except Refusal:
            self.patients.add(patient)

    def _clear(self, attempt: Attempt) -> None:
        """Give up what is open of a lesson and delete all its recordings.

        Raises:
            Refusal: capture_running.
        """
        for visit in self.visits.of_training(attempt.id):
            if visit.state == DRAFT:
                self.rules.abandon(visit.id, "training")
            else:
                for row in self.visits.captures(visit.id):
                    self.rules.captures.delete(row.id)


def _asked_before(lesson: Lesson) -> dict[str, Any]:
    """Return the words that an answered case brings along; other lessons write their own."""
    if lesson.begins != RETAKE:
        return {}
    return {"question": "training", "specialty": "cardiology", "urgency": "urgent"}
