"""Discussions as the archive reads them: who was invited, what was said in which versions, who may look."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select

from chevet.relay.archive.schema import Found, cases, erasures, objects, users
from chevet.relay.archive.schema_discussions import (
    discussion_drafts,
    discussion_words,
    discussions,
    members,
)
from chevet.relay.archive.vault import Vault
from chevet.relay.discussions.rules import State, state_of

AGENDA, COMMENT, CONCLUSION = "agenda", "comment", "conclusion"
Person = tuple[str, str]
"""Id and name."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What of a case its discussions stand on; `sealed` where the relay cannot open it."""

    id: str
    site: str
    claimed_by: str | None
    sealed: bool


@dataclass(frozen=True, slots=True)
class Member:
    """One person invited: when, whether they came to read, took part, or were uninvited. Unix ms or None."""

    user: str
    name: str
    role: str
    specialty: str
    invited_ms: int
    came_ms: int | None
    seen_ms: int | None
    part_ms: int | None
    left_ms: int | None


@dataclass(frozen=True, slots=True)
class Version:
    """One version of something said; `text` None where its author took it back."""

    number: int
    at_ms: int
    text: str | None


@dataclass(frozen=True, slots=True)
class Said:
    """One thing said, its first version first."""

    id: str
    kind: str
    author: Person
    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True)
class Discussion:
    """One discussion without its words: appointment, state, people."""

    id: str
    case_id: str
    opened_by: Person
    opened_ms: int
    starts_ms: int
    until_ms: int
    closed_ms: int | None
    closed_by: str
    state: State
    members: tuple[Member, ...]

    def member(self, user: str) -> Member | None:
        """Return the standing invitation of a user."""
        found = (one for one in self.members if one.user == user and one.left_ms is None)
        return next(found, None)


def ground(connection: Connection, case_id: str, *, simulated: bool) -> Ground | None:
    """Return the ground of a case that is neither hidden nor, in a clinical relay, simulated."""
    query = (
        select(cases.c.id, cases.c.site, cases.c.claimed_by, objects.c.kind)
        .join(objects, (objects.c.tid == cases.c.tid) & (objects.c.oid == 0))
        .where(cases.c.id == case_id, objects.c.name.is_not(None))
        .where(cases.c.id.not_in(select(erasures.c.case_id)))
    )
    query = query if simulated else query.where(cases.c.simulated.is_(False))
    row = connection.execute(query).first()
    return Ground(row.id, row.site, row.claimed_by, row.kind is None) if row else None


def is_invited(connection: Connection, case_id: str, user: str, now_ms: int) -> bool:
    """Say whether an invitation lets this user read this case now."""
    query = (
        select(members.c.number)
        .join(discussions, discussions.c.id == members.c.discussion)
        .where(discussions.c.case_id == case_id, members.c.user_id == user, members.c.left_ms.is_(None))
        .where(discussions.c.closed_ms.is_(None), discussions.c.until_ms > now_ms)
    )
    return connection.execute(query).first() is not None


def of_case(connection: Connection, case_id: str, now_ms: int) -> list[Discussion]:
    """Return the discussions of a case, the newest first."""
    return _found(connection, discussions.c.case_id == case_id, now_ms)


def one_of(connection: Connection, case_id: str, ident: str, now_ms: int) -> Discussion | None:
    """Return one discussion of a case."""
    mine = (discussions.c.case_id == case_id) & (discussions.c.id == ident)
    return next(iter(_found(connection, mine, now_ms)), None)


def of_person(
    connection: Connection, user: str, now_ms: int, *, simulated: bool, most: int
) -> list[Discussion]:
    """Return what a person opened or is invited to, of cases that are not hidden, the newest first."""
    invited = select(members.c.discussion).where(members.c.user_id == user, members.c.left_ms.is_(None))
    there = select(cases.c.id).where(cases.c.id.not_in(select(erasures.c.case_id)))
    there = there if simulated else there.where(cases.c.simulated.is_(False))
    mine = (discussions.c.opened_by == user) | discussions.c.id.in_(invited)
    return _found(connection, mine & discussions.c.case_id.in_(there), now_ms, most)


def _found(
    connection: Connection, which: ColumnElement[bool], now_ms: int, most: int | None = None
) -> list[Discussion]:
    query = (
        select(discussions, users.c.name)
        .join(users, users.c.id == discussions.c.opened_by)
        .where(which)
        .order_by(discussions.c.opened_ms.desc(), discussions.c.id.desc())
        .limit(most)
    )
    rows = connection.execute(query).all()
    people = _members(connection, [row.id for row in rows])
    return [_discussion(row, people.get(row.id, []), now_ms) for row in rows]


def _discussion(row: Found, people: Sequence[Member], now_ms: int) -> Discussion:
    return Discussion(
        id=row.id,
        case_id=row.case_id,
        opened_by=(row.opened_by, row.name),
        opened_ms=row.opened_ms,
        starts_ms=row.starts_ms,
        until_ms=row.until_ms,
        closed_ms=row.closed_ms,
        closed_by=row.closed_by,
        state=state_of(row.starts_ms, row.until_ms, row.closed_ms, now_ms),
        members=tuple(people),
    )


def _members(connection: Connection, of: Sequence[str]) -> dict[str, list[Member]]:
    query = (
        select(members, users.c.name, users.c.role, users.c.specialty)
        .join(users, users.c.id == members.c.user_id)
        .where(members.c.discussion.in_(list(of)))
        .order_by(members.c.number)
    )
    found: dict[str, list[Member]] = {}
    for row in connection.execute(query):
        times = (row.invited_ms, row.came_ms, row.seen_ms, row.part_ms, row.left_ms)
        found.setdefault(row.discussion, []).append(
            Member(row.user_id, row.name, row.role, row.specialty, *times)
        )
    return found


def said_in(connection: Connection, vault: Vault, ident: str) -> list[Said]:
    """Return everything said in a discussion, in the order of first versions.

    Raises:
        ArchiveError: the key that opens it is gone.
    """
    query = (
        select(discussion_words, users.c.name)
        .join(users, users.c.id == discussion_words.c.author)
        .where(discussion_words.c.discussion == ident)
        .order_by(discussion_words.c.number)
    )
    found: dict[str, list[Found]] = {}
    for row in connection.execute(query):
        found.setdefault(row.said, []).append(row)
    return [
        Said(
            said,
            rows[0].kind,
            (rows[0].author, rows[0].name),
            tuple(_version(vault, ident, row) for row in rows),
        )
        for said, rows in found.items()
    ]


def _version(vault: Vault, ident: str, row: Found) -> Version:
    place = place_of(ident, row.said, row.version)
    return Version(
        row.version, row.at_ms, None if row.words is None else vault.opened_words(row.words, place)
    )


def place_of(ident: str, said: str, version: int) -> str:
    """Return what the words of one version are sealed for."""
    return f"discussion {ident} {said} {version}"


def draft_place(ident: str, author: str) -> str:
    """Return what a draft is sealed for."""
    return f"draft {ident} {author}"


def draft_of(connection: Connection, vault: Vault, ident: str, author: str) -> str:
    """Return what somebody is writing, "" where nothing was kept.

    Raises:
        ArchiveError: the key that opens it is gone.
    """
    query = select(discussion_drafts.c.words).where(
        discussion_drafts.c.discussion == ident, discussion_drafts.c.author == author
    )
    words = connection.execute(query).scalar()
    return vault.opened_words(words, draft_place(ident, author)) if words is not None else ""


def news(connection: Connection, of: Sequence[Discussion], user: str) -> dict[str, int]:
    """Count, by discussion, what others said since the user last read it."""
    seen = {one.id: member.seen_ms or 0 for one in of if (member := one.member(user)) is not None}
    query = (
        select(discussion_words.c.discussion, discussion_words.c.at_ms)
        .where(discussion_words.c.discussion.in_(list(seen)), discussion_words.c.author != user)
        .where(discussion_words.c.kind != AGENDA)
    )
    found = dict.fromkeys(seen, 0)
    for row in connection.execute(query):
        found[row.discussion] += row.at_ms > seen[row.discussion]
    return found


def next_version(connection: Connection, said: str) -> int:
    """Return the number that the next version of something said has."""
    last = select(func.max(discussion_words.c.version)).where(discussion_words.c.said == said)
    return (connection.execute(last).scalar() or 0) + 1
