"""The teaching library: taking a case into it, approving, opening, taking down. Every act is in the audit.

A lesson is there while its case is and its patient consents to teaching: both are asked at each look.
"""

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import Connection, Select, insert, select, update

from chevet.relay.accounts.users import User
from chevet.relay.archive.audit import Audit
from chevet.relay.archive.cases import Case, Cases
from chevet.relay.archive.changes import tell
from chevet.relay.archive.database import Database
from chevet.relay.archive.delivery import stored_parts
from chevet.relay.archive.looks import Looks
from chevet.relay.archive.schema import Found, users
from chevet.relay.archive.schema_teaching import lessons
from chevet.relay.archive.vault import Vault
from chevet.relay.errors import RefusedError
from chevet.relay.teaching.identity import identifying
from chevet.relay.teaching.lesson import LOOKED_AT, Item, Lesson, items_of, read, written
from chevet.relay.teaching.masked import Masked, masked

TEACHING: Final = "teaching"
LISTED: Final = 500
"""Lessons in the list, the newest."""
READ: Final = "read"
Person = tuple[str, str]
State = Literal["waiting", "listed"]
added = users.alias("added")
approved = users.alias("approved")


@dataclass(frozen=True, slots=True)
class Kept:
    """A lesson that may be shown now; `approved_by` None while it waits for a second person."""

    id: str
    lesson: Lesson
    case: Case
    added_by: Person
    added_ms: int
    approved_by: Person | None
    approved_ms: int | None

    @property
    def state(self) -> State:
        """Return "listed" once another person approved it."""
        return "listed" if self.approved_by else "waiting"


class Lessons:
    """The lessons in one archive."""

    def __init__(
        self, database: Database, audit: Audit, vault: Vault, cases: Cases, now_ms: Callable[[], int]
    ) -> None:
        self._database = database
        self._audit = audit
        self._vault = vault
        self._cases = cases
        self._now_ms = now_ms
        self._looks = Looks(now_ms)

    def of_case(self, case_id: str, user: User) -> tuple[Case, list[Kept]]:
        """Return a case to take into the library, and its lessons that are there already.

        Raises:
            RefusedError: 404 `not_found`.
        """
        with self._database.write() as connection:
            case = self._cases.get(connection, case_id)
            self._audit.add(connection, self._now_ms(), user.id, "teaching.look", case_id)
            return case, list(self._kept(connection, _there().where(lessons.c.case_id == case_id)))

    def add(self, case_id: str, lesson: Lesson, looked: frozenset[Item], user: User) -> str:
        """Take a case into the library, where it waits for another person; return its id.

        Args:
            case_id: the case.
            lesson: reviewed words, and what is shown.
            looked: sounds, stills and clips that the user looked at for faces and voices.
            user: who takes it.

        Raises:
            RefusedError: 404 `not_found`; 403 `no_consent`; 409 `not_whole`, `in_library`; 422 `invalid`,
                `not_looked`, `identifying`.
        """
        now, ident = self._now_ms(), str(uuid.UUID(bytes=os.urandom(16), version=4))
        with self._database.write() as connection:
            case = self._cases.get(connection, case_id)
            _require_consent(case)
            if case.complete_ms is None:
                raise RefusedError(409, "not_whole", "Not all of it has arrived: wait until it has.")
            if list(self._kept(connection, _there().where(lessons.c.case_id == case_id))):
                raise RefusedError(
                    409, "in_library", "This case is in the library: take that one down first."
                )
            _require_looked(case, lesson, looked)
            _require_nameless(case, lesson)
            connection.execute(
                insert(lessons).values(
                    id=ident,
                    case_id=case_id,
                    added_by=user.id,
                    added_ms=now,
                    taken_down_by="",
                    words=self._vault.closed_words(written(lesson), _place(ident)),
                )
            )
            self._audit.add(connection, now, user.id, "teaching.add", case_id, ident)
            tell(connection, case_id, now)
        return ident

    def approve(self, ident: str, user: User) -> None:
        """List a lesson that another person added.

        Raises:
            RefusedError: 404 `not_found`, 409 `own_lesson`.
        """
        with self._database.write() as connection:
            kept = self._one(connection, ident)
            if kept.added_by[0] == user.id:
                raise RefusedError(409, "own_lesson", "Another person approves it: ask a colleague.")
            if kept.approved_by is None:
                now = self._now_ms()
                mine = update(lessons).where(lessons.c.id == ident)
                connection.execute(mine.values(approved_by=user.id, approved_ms=now))
                self._audit.add(connection, now, user.id, "teaching.approve", kept.case.id, ident)
                tell(connection, kept.case.id, now)

    def take_down(self, ident: str, user: User) -> None:
        """Take a lesson out of the library.

        Raises:
            RefusedError: 404 `not_found`.
        """
        now = self._now_ms()
        with self._database.write() as connection:
            kept = self._one(connection, ident)
            done = update(lessons).where(lessons.c.id == ident)
            connection.execute(done.values(taken_down_by=user.id, taken_down_ms=now))
            self._audit.add(connection, now, user.id, "teaching.take_down", kept.case.id, ident)
            tell(connection, kept.case.id, now)

    def all(self, user: User) -> list[Kept]:
        """Return the library, the newest first; specialists also see what waits for a second person."""
        if not self._looks.going_on(user.id, ""):
            with self._database.write() as connection:
                self._audit.add(connection, self._now_ms(), user.id, "teaching.list")
            self._looks.told(user.id, "")
        newest = _there().order_by(lessons.c.added_ms.desc(), lessons.c.id).limit(LISTED)
        with self._database.read() as view:  # many cases are opened: nobody who writes waits for that
            return [one for one in self._kept(view, newest) if may_see(one, user)]

    def open(self, ident: str, user: User, what: str) -> tuple[Kept, Masked]:
        """Return a lesson with the masked case that it shows.

        Args:
            ident: the lesson's id.
            user: who reads.
            what: for the audit: READ, once for a look that goes on; "answer", "part", "export", each time.

        Raises:
            RefusedError: 404 `not_found`, also where consent was withdrawn.
        """
        again = what == READ and self._looks.going_on(user.id, ident)
        with self._database.read() if again else self._database.write() as connection:
            kept = self._one(connection, ident)
            if not may_see(kept, user):
                raise _nothing()
            if not again:
                self._audit.add(connection, self._now_ms(), user.id, f"teaching.{what}", kept.case.id, ident)
            stored = stored_parts(connection, kept.case.tid)
        if what == READ and not again:
            self._looks.told(user.id, ident)
        return kept, masked(kept.case, stored, kept.lesson, ident)

    def _one(self, connection: Connection, ident: str) -> Kept:
        found = next(self._kept(connection, _there().where(lessons.c.id == ident)), None)
        if found is None:
            raise _nothing()
        return found

    def _kept(self, connection: Connection, query: Select[tuple[object, ...]]) -> Iterator[Kept]:
        for row in connection.execute(query).all():
            try:
                case = self._cases.get(connection, row.case_id)
            except RefusedError:
                continue  # hidden, destroyed, or simulated in a clinic
            if TEACHING in case.study.consent.purposes:
                yield self._read(row, case)

    def _read(self, row: Found, case: Case) -> Kept:
        return Kept(
            id=row.id,
            lesson=read(self._vault.opened_words(row.words, _place(row.id))),
            case=case,
            added_by=(row.added_by, row.adder),
            added_ms=row.added_ms,
            approved_by=(row.approved_by, row.approver) if row.approved_by else None,
            approved_ms=row.approved_ms,
        )


def may_see(kept: Kept, user: User) -> bool:
    """Say whether somebody may open a lesson: all who learn once it is listed, specialists before."""
    return kept.state == "listed" or user.role == "specialist"


def destroy_lessons(connection: Connection, case_id: str) -> None:
    """Destroy the words of a case's lessons; that there were some, and whose, stays."""
    connection.execute(update(lessons).where(lessons.c.case_id == case_id).values(words=None))


def _there() -> Select[tuple[object, ...]]:
    return (
        select(lessons, added.c.name.label("adder"), approved.c.name.label("approver"))
        .join(added, added.c.id == lessons.c.added_by)
        .outerjoin(approved, approved.c.id == lessons.c.approved_by)
        .where(lessons.c.taken_down_ms.is_(None), lessons.c.words.is_not(None))
    )


def _nothing() -> RefusedError:
    return RefusedError(404, "not_found", "There is no such lesson any more: go back to the library.")


def _place(ident: str) -> str:
    return f"lesson {ident}"


def _require_consent(case: Case) -> None:
    if TEACHING not in case.study.consent.purposes:
        raise RefusedError(
            403, "no_consent", "The patient did not consent to teaching: ask the site to ask.", "purpose"
        )


def _require_looked(case: Case, lesson: Lesson, looked: frozenset[Item]) -> None:
    if not set(lesson.items) <= set(items_of(case.study.recordings)):
        raise RefusedError(422, "invalid", "The case holds no such thing: open it again.", "items")
    if any(item.kind in LOOKED_AT and item not in looked for item in lesson.items):
        raise RefusedError(
            422, "not_looked", "Look at each picture and listen to each sound before it is taken.", "items"
        )


def _require_nameless(case: Case, lesson: Lesson) -> None:
    study = case.study
    names = (study.patient.name, study.patient.local_number, study.worker, case.site_name)
    for field, text in lesson.texts().items():
        found = identifying(text, names)
        if found:
            what = {"name": "a name", "number": "a long number", "date": "a date"}[found]
            raise RefusedError(
                422, f"identifying_{found}", f"This text holds {what} that may say who it is.", field
            )
