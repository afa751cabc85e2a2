"""The rules of a visit: consent before capture, decide on each recording, say what is missing, then send."""

import asyncio
import logging
import threading
from dataclasses import dataclass, field, replace
from typing import Any

from chevet.edge.box import BoxClock
from chevet.edge.capture import Captures
from chevet.edge.cases import Case
from chevet.edge.closing import Closing
from chevet.edge.errors import Refusal
from chevet.edge.identity import new_id
from chevet.edge.judge import steady_values
from chevet.edge.patients import Patients
from chevet.edge.visits import (
    ABANDONED,
    ACCEPTED,
    CLOSED,
    DISCARDED,
    DRAFT,
    RECORDING,
    UNDECIDED,
    CaptureRow,
    Skip,
    Visit,
    Visits,
    VisitWords,
)
from chevet.study.recording import QualityMark
from chevet.study.study import Consent, Patient, Vital

log = logging.getLogger(__name__)

PLAUSIBLE: dict[str, tuple[str, float, float]] = {
    "temperature": ("Cel", 25.0, 45.0),
    "systolic": ("mm[Hg]", 40.0, 300.0),
    "diastolic": ("mm[Hg]", 20.0, 200.0),
    "mean_pressure": ("mm[Hg]", 30.0, 250.0),
    "heart_rate": ("/min", 20.0, 300.0),
    "pulse_rate": ("/min", 20.0, 300.0),
    "respiration_rate": ("/min", 4.0, 120.0),
    "spo2": ("%", 30.0, 100.0),
    "glucose": ("mg/dL", 10.0, 1000.0),
    "weight": ("kg", 0.3, 400.0),
    "height": ("cm", 20.0, 260.0),
}
"""Unit and limits outside which a typed number is a slip of the finger, from newborn to adult; not reference
ranges: they only stop 370 from being written for 37.0."""

ANSWERS_AT_MOST = 96
"""Answers of one visit; a guided history and the NIHSS sheet together have fewer than 40."""

TYPED = QualityMark(1.0, usable=True)


@dataclass(frozen=True, slots=True)
class VisitRules:
    """What a worker may do with visits."""

    visits: Visits
    patients: Patients
    captures: Captures
    closing: Closing
    clock: BoxClock
    _deciding: threading.Lock = field(default_factory=threading.Lock)  # two taps must not decide twice
    _finishing: threading.Lock = field(default_factory=threading.Lock)  # nor seal one visit twice

    def open(self, patient_id: str, worker: str, words: VisitWords | None = None) -> Visit:
        """Start a visit; `words` are what it begins with, when it continues a case.

        Raises:
            Refusal: not_found, or visit_open when another one is a draft.
        """
        self.patients.get(patient_id)
        visit = Visit(new_id(), patient_id, worker, DRAFT, self.clock.now_ms(), words or VisitWords())
        self.visits.add(visit)
        self.patients.touch(patient_id)
        return visit

    def patient(self, visit: Visit) -> Patient:
        """Return whose visit this is."""
        return self.patients.get(visit.patient)

    def write(self, visit_id: str, changes: dict[str, Any]) -> Visit:
        """Change words of a draft; answers join those there, an empty one is taken back.

        Raises:
            Refusal: not_found, conflict, too_large when there are more answers than any sheet asks.
        """
        answers = changes.pop("history", {})

        def change(words: VisitWords) -> VisitWords:
            history = {key: answer for key, answer in (words.history | answers).items() if answer}
            if len(history) > ANSWERS_AT_MOST:
                raise Refusal("too_large", "There are too many answers in this visit.", status=413)
            return replace(words, **changes, history=history)

        return self.visits.change(visit_id, change)

    def consent(self, visit_id: str, purposes: tuple[str, ...], witness: str, override: str = "") -> Visit:
        """Record what the patient allows; without "care" nothing may be captured or sent.

        `override` names the emergency in which nobody could be asked in time; it travels with the study.

        Raises:
            Refusal: no_consent when care itself is not allowed.
        """
        if "care" not in purposes:
            raise Refusal(
                "no_consent", "Without consent to care there is no visit.", status=422, field="purposes"
            )
        given = Consent(purposes, self.clock.now_ms(), witness)
        return self.visits.change(visit_id, lambda words: replace(words, consent=given, override=override))

    def vital(self, visit_id: str, kind: str, value: float, unit: str) -> Visit:
        """Take a number typed by hand.

        Raises:
            Refusal: invalid for an unknown kind or unit, implausible outside the limits.
        """
        check_vital(kind, value, unit)
        vital = Vital(kind, value, unit, "manual", self.clock.now_ms(), TYPED)
        return self.visits.change(visit_id, lambda words: with_vitals(words, [vital]))

    def take(self, visit_id: str, vitals: list[Vital]) -> Visit:
        """Take numbers that an instrument measured; the caller has checked them."""
        return self.visits.change(visit_id, lambda words: with_vitals(words, vitals))

    def skip(self, visit_id: str, skip: Skip) -> Visit:
        """Record that an examination is left out, and why; a later word replaces an earlier one."""
        key = (skip.step, skip.site, skip.side)

        def change(words: VisitWords) -> VisitWords:
            others = tuple(known for known in words.skips if (known.step, known.site, known.side) != key)
            return replace(words, skips=(*others, skip))

        return self.visits.change(visit_id, change)

    async def capture(
        self, visit_id: str, step: str, *, site: str, side: str, seconds: float, device: str
    ) -> CaptureRow:
        """Begin a recording of this visit.

        Raises:
            Refusal: not_found, conflict, no_consent, device_absent, capture_running, disk_full.
        """
        visit = await asyncio.to_thread(self._draft, visit_id)
        if visit.words.consent is None:
            raise Refusal("no_consent", "Ask for consent before the first recording.", field="consent")
        training = bool(visit.words.training)
        return await self.captures.start(
            visit_id, step, site=site, side=side, seconds=seconds, device=device, training=training
        )

    def accept(self, capture_id: str, *, poor: bool, best: int | None) -> Visit:
        """Take a recording into the study; a poor one only when the worker says so.

        Raises:
            Refusal: not_found, conflict while it runs or when decided, poor_quality, invalid.
        """
        with self._deciding:
            row = self._undecided(capture_id)
            _check_acceptable(row, poor=poor, best=best)
            decided = replace(row, verdict=ACCEPTED, poor=poor, best=best)
            self.visits.put_capture(decided)
        vitals = self._vitals_of(decided)
        tried = decided.place if poor else ""
        return self.visits.change(row.visit, lambda words: with_vitals(counted(words, tried), vitals))

    def discard(self, capture_id: str) -> Visit:
        """Throw a recording away, journal and all; it counts as a try.

        Raises:
            Refusal: not_found, conflict while it runs or when decided.
        """
        with self._deciding:
            row = self._undecided(capture_id)
            self.visits.put_capture(replace(row, verdict=DISCARDED, summary=None, judged=None))
        self.captures.delete(capture_id)
        return self.visits.change(row.visit, lambda words: counted(words, row.place))

    def send(self, visit_id: str) -> Case:
        """Close the visit and put its sealed study into the spool; durable when this returns.

        Raises:
            Refusal: not_found, conflict, incomplete with the missing thing as field, disk_full.
        """
        return self._finish(self.close(visit_id))

    def close(self, visit_id: str, *, training: bool = False) -> Visit:
        """Take a complete visit out of everybody's hands; one of training goes no further than that.

        Raises:
            Refusal: not_found; conflict, also for the wrong kind of visit; incomplete.
        """
        with self._deciding:
            visit = self._draft(visit_id)
            if bool(visit.words.training) != training:
                raise Refusal("conflict", "A visit of training is never sent; finish the lesson.")
            missing = self._missing(visit)
            if missing:
                raise Refusal("incomplete", f"Before sending, complete this: {missing}.", field=missing)
            self._end_earlier()
            return self.visits.begin_closing(visit_id, self.clock.reading())

    def abandon(self, visit_id: str, reason: str) -> None:
        """Give a draft up; its recordings are deleted.

        Raises:
            Refusal: not_found, conflict, capture_running.
        """
        with self._deciding:
            visit = self._draft(visit_id)
            running = self.captures.running()
            if running is not None and running.visit == visit_id:
                raise Refusal("capture_running", "A recording is running; stop it first.")
            self.visits.move(visit_id, ABANDONED, replace(visit.words, abandoned=reason))
        for row in self.visits.captures(visit_id):
            self.captures.delete(row.id)

    def resume_closing(self) -> None:
        """Finish what a power cut interrupted between closing and spooling."""
        for visit in self.visits.closing():
            try:
                self._end(visit)
            except Exception as error:  # noqa: BLE001 - a box that does not start helps nobody
                log.error("visit %s: could not be closed (%s)", visit.id, type(error).__name__)

    def _end_earlier(self) -> None:
        """Finish a visit that a full disk left half closed: only one can be under way.

        Raises:
            DiskFull: there is still no room.
        """
        for visit in self.visits.closing():
            self._end(visit)

    def _end(self, visit: Visit) -> None:
        if visit.words.training:
            self.visits.move(visit.id, CLOSED, visit.words)
        else:
            self._finish(visit)

    def _finish(self, visit: Visit) -> Case:
        """Seal and spool; what is not in the spool becomes a draft again, to be sent later.

        While another draft is open it stays in closing, and is sent before that one.
        """
        with self._finishing:
            if self.visits.get(visit.id).state == CLOSED:
                return self.closing.cases.get(visit.id)  # another thread was faster
            try:
                return self.closing.finish(visit)
            except BaseException:
                if self.closing.spool.find(visit.id) is None and self.visits.current() is None:
                    self.visits.move(visit.id, DRAFT, replace(visit.words, closed=None))
                raise

    def waiting_capture(self, visit_id: str) -> CaptureRow | None:
        """Return the visit's capture that runs or waits for a decision."""
        running = self.captures.running()
        if running and running.visit == visit_id:
            return running
        undecided = [row for row in self.visits.captures(visit_id) if row.verdict == UNDECIDED]
        return undecided[-1] if undecided else None

    def _draft(self, visit_id: str) -> Visit:
        visit = self.visits.get(visit_id)
        if visit.state != DRAFT:
            raise Refusal("conflict", "This visit is already closed; start a new one.")
        return visit

    def _missing(self, visit: Visit) -> str:
        words = visit.words
        if words.consent is None:
            return "consent"
        if not words.question.strip():
            return "question"
        if not words.specialty:
            return "specialty"
        return "capture" if self.waiting_capture(visit.id) else ""

    def _undecided(self, capture_id: str) -> CaptureRow:
        row = self.captures.get(capture_id)
        if row.state == RECORDING:
            raise Refusal("capture_running", "The recording is still running; stop it first.")
        if row.verdict != UNDECIDED:
            raise Refusal("conflict", "This recording was already decided on.")
        self._draft(row.visit)
        return row

    def _vitals_of(self, row: CaptureRow) -> list[Vital]:
        """Return the numbers an oximeter gave, each with the recording's quality."""
        if row.step != "oximetry" or row.judged is None:
            return []
        recording = self.captures.recording(row)
        return [
            Vital(kind, value, unit, recording.driver, recording.started_ms, row.judged.quality, row.id)
            for kind, (value, unit) in steady_values(recording.readings).items()
            if kind in PLAUSIBLE
        ]


def _check_acceptable(row: CaptureRow, *, poor: bool, best: int | None) -> None:
    if row.summary is None or row.judged is None:
        raise Refusal("no_recording", "Nothing was recorded; discard this and try again.")
    if not poor and (row.problem or not row.judged.quality.usable):
        raise Refusal("poor_quality", "The recording is poor; take it again, or send it marked poor.")
    if best is not None and not 0 <= best < len(row.judged.stills):
        raise Refusal("invalid", "There is no such picture.", status=422, field="best")


def check_vital(kind: str, value: float, unit: str) -> None:
    """Let through what a person can have.

    Raises:
        Refusal: invalid for an unknown kind or unit, implausible outside the limits.
    """
    known = PLAUSIBLE.get(kind)
    if known is None:
        kinds = ", ".join(sorted(PLAUSIBLE))
        raise Refusal("invalid", f"The kind is not known; known are: {kinds}.", status=422, field="kind")
    expected, low, high = known
    if unit != expected:
        raise Refusal("invalid", f"The unit of this must be {expected}.", status=422, field="unit")
    if not low <= value <= high:
        raise Refusal(
            "implausible", f"This must lie between {low:g} and {high:g}; check it.", status=422, field="value"
        )


def with_vitals(words: VisitWords, vitals: list[Vital]) -> VisitWords:
    """Add vitals; a newer one of the same kind and source replaces the older."""
    new = {(vital.kind, vital.source) for vital in vitals}
    kept = tuple(vital for vital in words.vitals if (vital.kind, vital.source) not in new)
    return replace(words, vitals=(*kept, *vitals))


def counted(words: VisitWords, place: str) -> VisitWords:
    """Count one more try at a place; "" counts nothing."""
    if not place:
        return words
    return replace(words, tries=words.tries | {place: words.tries.get(place, 0) + 1})
