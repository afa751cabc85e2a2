"""Who is asked to answer a case: allocation, handing over, putting off. Every act is in the audit."""

from collections.abc import Callable

from sqlalchemy import Connection, func, select, update

from chevet.relay.accounts.users import User
from chevet.relay.archive.audit import Audit
from chevet.relay.archive.cases import Case, Cases, require_claim
from chevet.relay.archive.changes import tell
from chevet.relay.archive.database import Database
from chevet.relay.archive.duty import people
from chevet.relay.archive.schema import cases, users
from chevet.relay.archive.terms import MINUTE_MS
from chevet.relay.duty.rules import Need, Person, chosen
from chevet.relay.errors import RefusedError

REASONS = (
    "waiting_for_site",
    "waiting_for_retake",
    "waiting_for_colleague",
    "waiting_for_result",
    "later_today",
)
LONGEST_SNOOZE = 72 * 60
"""Minutes."""
RULES = "rules"
"""Who allocated where no person did."""


class Allocation:
    """Allocates, hands over and puts off cases in one archive."""

    def __init__(self, database: Database, audit: Audit, view: Cases, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._audit = audit
        self._cases = view
        self._now_ms = now_ms

    def people(self) -> list[Person]:
        """Return every specialist who may be asked, with load and duty."""
        with self._database.read() as connection:
            return people(connection, self._now_ms())

    def allocate(self, case_id: str, to: str | None, who: User) -> Case:
        """Ask one specialist to answer, or nobody any more; whoever has claimed it keeps it.

        Raises:
            RefusedError: 404 `not_found`, 409 `claimed`, `answered`, 422 `no_specialist`.
        """
        with self._database.write() as connection:
            case = self._open(connection, case_id)
            if case.claimed_by is not None:
                raise RefusedError(409, "claimed", "A specialist has this case already: they hand it over.")
            _require_specialist(connection, to)
            self._ask(connection, case_id, to, who.id, "case.allocate")
            return self._cases.get(connection, case_id)

    def hand_over(self, case_id: str, to: str, who: User) -> Case:
        """Give a case one has claimed to a colleague, who is told.

        Raises:
            RefusedError: 404 `not_found`, 409 `not_claimed`, `answered`, 422 `no_specialist`.
        """
        with self._database.write() as connection:
            require_claim(self._open(connection, case_id), who)
            _require_specialist(connection, to)
            if to == who.id:
                raise RefusedError(422, "no_specialist", "You have it already: choose a colleague.", "to")
            given = update(cases).where(cases.c.id == case_id)
            connection.execute(given.values(claimed_by=None, claimed_ms=None))
            self._ask(connection, case_id, to, who.id, "case.hand_over")
            return self._cases.get(connection, case_id)

    def snooze(self, case_id: str, minutes: int, why: str, who: User) -> Case:
        """Put a case off; 0 minutes take it up again. It stays due when it was due.

        Raises:
            RefusedError: 404 `not_found`, 409 `emergency`, `claimed` by another, `answered`.
        """
        now = self._now_ms()
        with self._database.write() as connection:
            case = self._open(connection, case_id)
            if case.claimed_by is not None and case.claimed_by[0] != who.id:
                raise RefusedError(409, "claimed", "Somebody else has claimed this case: choose another one.")
            if minutes and case.rank == 0:
                raise RefusedError(409, "emergency", "An emergency is not put off: answer, or hand it over.")
            values = {
                "snoozed_until_ms": now + minutes * MINUTE_MS if minutes else None,
                "snoozed_why": why if minutes else "",
            }
            connection.execute(update(cases).where(cases.c.id == case_id).values(**values))
            self._audit.add(connection, now, who.id, "case.snooze", case_id, f"{minutes} min {why}".strip())
            tell(connection, case_id, now)
            return self._cases.get(connection, case_id)

    def by_rules(self, connection: Connection, case_id: str, need: Need) -> str | None:
        """Let the rules choose, in the caller's write transaction; return whom they asked."""
        found = chosen(need, people(connection, self._now_ms()))
        if found is None:
            return None
        self._ask(connection, case_id, found.id, RULES, "case.allocate")
        return found.id

    def _open(self, connection: Connection, case_id: str) -> Case:
        case = self._cases.get(connection, case_id)
        if case.answered_ms is not None:
            raise RefusedError(409, "answered", "This case is answered: open it to amend the answer.")
        return case

    def _ask(self, connection: Connection, case_id: str, to: str | None, who: str, what: str) -> None:
        now = self._now_ms()
        values = {
            "allocated_to": to,
            "allocated_by": who if to else "",
            "allocated_ms": now if to else None,
        }
        taken = func.coalesce(cases.c.first_taken_ms, now) if to else cases.c.first_taken_ms
        asking = update(cases).where(cases.c.id == case_id)
        connection.execute(asking.values(**values, first_taken_ms=taken))
        self._audit.add(connection, now, who, what, case_id, to or "")
        tell(connection, case_id, now)


def _require_specialist(connection: Connection, to: str | None) -> None:
    if to is None:
        return
    query = select(users.c.role).where(users.c.id == to, users.c.disabled_ms.is_(None))
    query = query.where(users.c.first_until_ms.is_(None))
    if connection.execute(query).scalar() != "specialist":
        raise RefusedError(422, "no_specialist", "There is no such specialist: choose one of the list.", "to")
