"""Rows of discussions as they are written, each in its caller's transaction; and why a writing is refused."""

import os

from sqlalchemy import Connection, delete, insert, select, update

from chevet.relay.accounts.users import User
from chevet.relay.archive import discussion_rows as rows
from chevet.relay.archive.discussion_rows import Discussion, Ground
from chevet.relay.archive.schema import users
from chevet.relay.archive.schema_discussions import (
    discussion_drafts,
    discussion_words,
    discussions,
    members,
)
from chevet.relay.archive.vault import Vault
from chevet.relay.discussions.rules import (
    LAPSES_AFTER_MS,
    LIVE,
    MOST_MEMBERS,
    Act,
    Standing,
    appointment,
    may_be_invited,
)
from chevet.relay.errors import RefusedError
from chevet.study.ids import RANDOM_BYTES, uuid7


def new_id(now_ms: int) -> str:
    """Return an id for something new."""
    return uuid7(now_ms, os.urandom(RANDOM_BYTES))


def begin(connection: Connection, ident: str, case_id: str, user: User, starts_ms: int, now_ms: int) -> None:
    """Write a new discussion down.

    Raises:
        RefusedError: 422 `invalid` appointment.
    """
    require_appointment(starts_ms, now_ms)
    connection.execute(
        insert(discussions).values(
            id=ident,
            case_id=case_id,
            opened_by=user.id,
            opened_ms=now_ms,
            starts_ms=starts_ms,
            until_ms=starts_ms + LAPSES_AFTER_MS,
            closed_by="",
        )
    )


def move(connection: Connection, ident: str, starts_ms: int, now_ms: int) -> None:
    """Move the appointment, and with it when invitations end.

    Raises:
        RefusedError: 422 `invalid` appointment.
    """
    require_appointment(starts_ms, now_ms)
    moved = {"starts_ms": starts_ms, "until_ms": starts_ms + LAPSES_AFTER_MS}
    connection.execute(update(discussions).where(discussions.c.id == ident).values(**moved))


def add_member(connection: Connection, ident: str, whom: str, by: User, now_ms: int) -> bool:
    """Invite somebody, again where the invitation was taken back; tell whether it is new.

    Raises:
        RefusedError: 422 `no_expert`, `too_many`.
    """
    query = select(users.c.role).where(users.c.id == whom, users.c.disabled_ms.is_(None))
    if not may_be_invited(by.role, connection.execute(query).scalar() or ""):
        raise RefusedError(422, "no_expert", "Nobody of that name can be invited: use the list.", "user")
    known = select(members.c.user_id, members.c.left_ms).where(members.c.discussion == ident)
    there = {row.user_id: row.left_ms is None for row in connection.execute(known)}
    if there.get(whom):
        return False
    if sum(there.values()) >= MOST_MEMBERS:
        raise RefusedError(422, "too_many", f"At most {MOST_MEMBERS} can be invited.", "user")
    asked = {"invited_by": by.id, "invited_ms": now_ms, "left_ms": None}
    if whom in there:
        mine = (members.c.discussion == ident) & (members.c.user_id == whom)
        connection.execute(update(members).where(mine).values(**asked))
    else:
        connection.execute(insert(members).values(discussion=ident, user_id=whom, **asked))
    return True


def mark(connection: Connection, ident: str, user: str, **times: int | None) -> None:
    """Note when somebody invited came, read, took part or left."""
    mine = (members.c.discussion == ident) & (members.c.user_id == user)
    connection.execute(update(members).where(mine).values(**times))


def write_words(
    connection: Connection,
    vault: Vault,
    ident: str,
    said: tuple[str, str],
    author: str,
    text: str | None,
    now_ms: int,
) -> None:
    """Write the next version of something said: `said` is its id and kind, no text takes it back."""
    version = rows.next_version(connection, said[0])
    place = rows.place_of(ident, said[0], version)
    connection.execute(
        insert(discussion_words).values(
            discussion=ident,
            said=said[0],
            version=version,
            kind=said[1],
            author=author,
            at_ms=now_ms,
            words=None if text is None else vault.closed_words(text, place),
        )
    )


def keep_draft(connection: Connection, vault: Vault, ident: str, author: str, text: str, now_ms: int) -> None:
    """Put what somebody is writing in the place of what they had; "" forgets it."""
    mine = (discussion_drafts.c.discussion == ident, discussion_drafts.c.author == author)
    connection.execute(delete(discussion_drafts).where(*mine))
    if text:
        words = vault.closed_words(text, rows.draft_place(ident, author))
        row = {"discussion": ident, "author": author, "at_ms": now_ms, "words": words}
        connection.execute(insert(discussion_drafts).values(**row))


def finish(connection: Connection, ident: str, user: str, now_ms: int) -> None:
    """Close a discussion; what nobody had sent goes."""
    done = update(discussions).where(discussions.c.id == ident)
    connection.execute(done.values(closed_ms=now_ms, closed_by=user))
    connection.execute(delete(discussion_drafts).where(discussion_drafts.c.discussion == ident))


def destroy_words(connection: Connection, case_id: str) -> None:
    """Destroy everything said about a case; that it was discussed, when and by whom, stays."""
    mine = select(discussions.c.id).where(discussions.c.case_id == case_id)
    connection.execute(delete(discussion_words).where(discussion_words.c.discussion.in_(mine)))
    connection.execute(delete(discussion_drafts).where(discussion_drafts.c.discussion.in_(mine)))


def standing(place: Ground, one: Discussion, user: User) -> Standing:
    """Return how somebody stands to a discussion."""
    return Standing(
        role=user.role,
        holds=place.claimed_by == user.id,
        opened=one.opened_by[0] == user.id,
        invited=one.member(user.id) is not None,
        state=one.state,
    )


def refusal(act: Act, who: Standing) -> RefusedError:
    """Return why somebody may not."""
    leads = who.opened or who.holds
    if act == "write" and not who.invited:
        return RefusedError(403, "not_invited", "Only who was invited writes: ask whoever opened it.")
    if act != "write" and not leads:
        return RefusedError(403, "not_yours", "Only who holds the case or opened the discussion may do this.")
    return RefusedError(409, "discussion_over", "This discussion is over: open another one.")


def require_words(place: Ground) -> None:
    """Take words only where the case itself may be opened here.

    Raises:
        RefusedError: 409 `sealed_case`.
    """
    if place.sealed:
        raise RefusedError(
            409, "sealed_case", "This case is sealed: what is said of it must not come to the relay."
        )


def require_appointment(starts_ms: int, now_ms: int) -> None:
    """Take an appointment that can be meant.

    Raises:
        RefusedError: 422 `invalid`.
    """
    if not appointment(starts_ms, now_ms):
        raise RefusedError(422, "invalid", "The appointment is today or within a year.", "starts_ms")


def is_live(one: Discussion) -> bool:
    """Say whether invitations to it hold."""
    return one.state in LIVE
