"""What people do in discussions: open, invite, plan, write, take back, close. Every act is in the audit."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from chevet.relay.accounts.users import User
from chevet.relay.archive import discussion_rows as rows
from chevet.relay.archive import discussion_writes as writes
from chevet.relay.archive.audit import Audit
from chevet.relay.archive.changes import tell
from chevet.relay.archive.database import Database
from chevet.relay.archive.discussion_rows import AGENDA, COMMENT, CONCLUSION, Discussion, Ground, Said
from chevet.relay.archive.vault import Vault
from chevet.relay.discussions.rules import Act, Standing, may
from chevet.relay.errors import RefusedError

SHOWN = 100
"""Discussions in one person's list, the newest."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A discussion with its words, and how the reader stands to it."""

    it: Discussion
    said: tuple[Said, ...]
    draft: str
    standing: Standing
    sealed: bool


@dataclass(frozen=True, slots=True)
class Appointment:
    """A discussion in somebody's agenda; `new` counts what others said since they last looked."""

    it: Discussion
    place: Ground
    new: int


@dataclass(frozen=True, slots=True)
class _Act:
    """What an act stands on: its transaction, time, case and discussion."""

    connection: Connection
    now: int
    place: Ground
    one: Discussion


class Discussions:
    """The discussions in one archive."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        vault: Vault,
        now_ms: Callable[[], int],
        *,
        shows_simulated: bool,
    ) -> None:
        self._database = database
        self._audit = audit
        self._vault = vault
        self._now_ms = now_ms
        self._simulated = shows_simulated

    def agenda(self, user: User) -> list[Appointment]:
        """Return the discussions that a person opened or is invited to, the newest first."""
        now = self._now_ms()
        with self._database.write() as connection:
            self._audit.add(connection, now, user.id, "agenda.read")
        with self._database.read() as view:
            found = rows.of_person(view, user.id, now, simulated=self._simulated, most=SHOWN)
            new = rows.news(view, found, user.id)
            places = ((one, rows.ground(view, one.case_id, simulated=self._simulated)) for one in found)
            return [Appointment(one, place, new.get(one.id, 0)) for one, place in places if place is not None]

    def read(self, case_id: str, user: User) -> list[Heard]:
        """Return the discussions of a case with their words, for who may read the case: the route asks.

        Whoever was invited has come from now on.

        Raises:
            RefusedError: 404 `not_found`.
        """
        now = self._now_ms()
        with self._database.write() as connection:
            place = self._ground(connection, case_id)
            for one in rows.of_case(connection, case_id, now):
                who = one.member(user.id)
                if who is not None and writes.is_live(one):
                    writes.mark(connection, one.id, user.id, seen_ms=now, came_ms=who.came_ms or now)
            self._audit.add(connection, now, user.id, "discussion.read", case_id)
            found = rows.of_case(connection, case_id, now)
            return [self._heard(connection, place, one, user) for one in found]

    def open(self, case_id: str, user: User, starts_ms: int, questions: str, invite: Sequence[str]) -> str:
        """Open a discussion of a case one holds, or coordinates; return its id.

        Raises:
            RefusedError: 404 `not_found`; 409 `not_claimed`, `discussion_open`, `sealed_case`; 422 `invalid`,
                `no_expert`, `too_many`.
        """
        now = self._now_ms()
        ident = writes.new_id(now)
        with self._database.write() as connection:
            place = self._ground(connection, case_id)
            self._may_open(connection, place, user, now)
            writes.begin(connection, ident, case_id, user, starts_ms, now)
            self._audit.add(connection, now, user.id, "discussion.open", case_id, ident)
            if questions:
                writes.require_words(place)
                said = (writes.new_id(now), AGENDA)
                writes.write_words(connection, self._vault, ident, said, user.id, questions, now)
            if user.role == "specialist":
                writes.add_member(connection, ident, user.id, user, now)
            for whom in dict.fromkeys(one for one in invite if one != user.id):
                self._invite(connection, case_id, ident, user, whom, now)
            tell(connection, case_id, now)
        return ident

    def plan(self, case_id: str, ident: str, user: User, starts_ms: int, questions: str) -> None:
        """Move the appointment, or ask other questions; the earlier ones stay as versions.

        Raises:
            RefusedError: 404 `not_found`, 403 `not_yours`, 409 `discussion_over`, `sealed_case`,
                422 `invalid`.
        """
        with self._act(case_id, ident, user, "lead", "plan") as act:
            if starts_ms != act.one.starts_ms:
                writes.move(act.connection, ident, starts_ms, act.now)
            agenda = next((each for each in self._said(act) if each.kind == AGENDA), None)
            if questions != (agenda.versions[-1].text if agenda else ""):
                self._write(act, (agenda.id if agenda else writes.new_id(act.now), AGENDA), user, questions)

    def invite(self, case_id: str, ident: str, user: User, whom: str) -> None:
        """Invite somebody, who is told and may read this case until the discussion ends.

        Raises:
            RefusedError: 404 `not_found`, 403 `not_yours`, 409 `discussion_over`, 422 `no_expert`,
                `too_many`.
        """
        with self._act(case_id, ident, user, "lead", "") as act:
            self._invite(act.connection, case_id, ident, user, whom, act.now)

    def uninvite(self, case_id: str, ident: str, user: User, whom: str) -> None:
        """Take an invitation back; what they said stays.

        Raises:
            RefusedError: 404 `not_found`, 403 `not_yours`, 409 `discussion_over`.
        """
        with self._act(case_id, ident, user, "lead", "uninvite", whom) as act:
            if act.one.member(whom) is None:
                raise RefusedError(404, "not_found", "Nobody of that name is invited: reload the case.")
            writes.mark(act.connection, ident, whom, left_ms=act.now)

    def draft(self, case_id: str, ident: str, user: User, text: str) -> None:
        """Keep what somebody is writing, for them alone; "" forgets it.

        Raises:
            RefusedError: 404 `not_found`, 403 `not_invited`, 409 `discussion_over`, `sealed_case`.
        """
        with self._act(case_id, ident, user, "write", "draft", news=False) as act:
            writes.require_words(act.place)
            writes.keep_draft(act.connection, self._vault, ident, user.id, text, act.now)

    def say(self, case_id: str, ident: str, user: User, text: str) -> str:
        """Say something to everybody invited, in the place of what was a draft; return its id.

        Raises:
            RefusedError: 404 `not_found`, 403 `not_invited`, 409 `discussion_over`, `sealed_case`.
        """
        said = writes.new_id(self._now_ms())
        with self._act(case_id, ident, user, "write", "say", said) as act:
            self._write(act, (said, COMMENT), user, text)
            writes.keep_draft(act.connection, self._vault, ident, user.id, "", act.now)
            self._took_part(act, [user.id])
        return said

    def amend(self, case_id: str, ident: str, said: str, user: User, text: str | None) -> None:
        """Say it otherwise, or take it back where there is no text; the earlier versions stay readable.

        Raises:
            RefusedError: 404 `not_found`, 403 `not_yours`, `not_invited`, 409 `discussion_over`.
        """
        what = "withdraw" if text is None else "amend"
        with self._act(case_id, ident, user, "write", what, said) as act:
            found = next((one for one in self._said(act) if (one.id, one.kind) == (said, COMMENT)), None)
            if found is None:
                raise RefusedError(404, "not_found", "There is no such comment: reload the case.")
            if found.author[0] != user.id:
                raise RefusedError(
                    403, "not_yours", "Only who wrote a comment changes it: answer it instead."
                )
            if text != found.versions[-1].text:
                self._write(act, (said, COMMENT), user, text)

    def close(self, case_id: str, ident: str, user: User, conclusion: str, present: Sequence[str]) -> None:
        """End a discussion with what was concluded and who was there; invitations end with it.

        Raises:
            RefusedError: 404 `not_found`, 403 `not_yours`, 409 `discussion_over`, `sealed_case`,
                422 `no_expert` where somebody present was not invited.
        """
        with self._act(case_id, ident, user, "close", "close") as act:
            if any(act.one.member(each) is None for each in present):
                raise RefusedError(
                    422, "no_expert", "Only who was invited took part: invite them.", "present"
                )
            self._took_part(act, present)
            if conclusion:
                self._write(act, (writes.new_id(act.now), CONCLUSION), user, conclusion)
            writes.finish(act.connection, ident, user.id, act.now)

    @contextmanager
    def _act(
        self,
        case_id: str,
        ident: str,
        user: User,
        may_do: Act,
        what: str,
        detail: str = "",
        *,
        news: bool = True,
    ) -> Iterator[_Act]:
        """Give the transaction of an act that its doer may do; note it, and tell the desks that are open."""
        now = self._now_ms()
        with self._database.write() as connection:
            place = self._ground(connection, case_id)
            one = rows.one_of(connection, case_id, ident, now)
            if one is None:
                raise RefusedError(404, "not_found", "There is no such discussion: reload the case.")
            who = writes.standing(place, one, user)
            if not may(may_do, who):
                raise writes.refusal(may_do, who)
            yield _Act(connection, now, place, one)
            if what:
                told = f"{ident} {detail}".strip()
                self._audit.add(connection, now, user.id, f"discussion.{what}", case_id, told)
            if news:
                tell(connection, case_id, now)

    def _ground(self, connection: Connection, case_id: str) -> Ground:
        found = rows.ground(connection, case_id, simulated=self._simulated)
        if found is None:
            raise RefusedError(404, "not_found", "There is no such case: go back to the inbox.")
        return found

    @staticmethod
    def _may_open(connection: Connection, place: Ground, user: User, now: int) -> None:
        if user.role == "specialist" and place.claimed_by != user.id:
            raise RefusedError(409, "not_claimed", "Claim the case first: only who claimed it may do this.")
        if any(writes.is_live(one) for one in rows.of_case(connection, place.id, now)):
            raise RefusedError(
                409, "discussion_open", "This case is being discussed already: invite to that discussion."
            )

    def _invite(
        self, connection: Connection, case_id: str, ident: str, by: User, whom: str, now: int
    ) -> None:
        if writes.add_member(connection, ident, whom, by, now):
            self._audit.add(connection, now, by.id, "discussion.invite", case_id, f"{ident} {whom}")

    def _write(self, act: _Act, said: tuple[str, str], user: User, text: str | None) -> None:
        writes.require_words(act.place)
        writes.write_words(act.connection, self._vault, act.one.id, said, user.id, text, act.now)

    def _said(self, act: _Act) -> list[Said]:
        return rows.said_in(act.connection, self._vault, act.one.id)

    @staticmethod
    def _took_part(act: _Act, who: Sequence[str]) -> None:
        for member in act.one.members:
            if member.user in who and member.part_ms is None:
                writes.mark(act.connection, act.one.id, member.user, part_ms=act.now)

    def _heard(self, connection: Connection, place: Ground, one: Discussion, user: User) -> Heard:
        said = tuple(rows.said_in(connection, self._vault, one.id))
        draft = rows.draft_of(connection, self._vault, one.id, user.id)
        return Heard(one, said, draft, writes.standing(place, one, user), place.sealed)
