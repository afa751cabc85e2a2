"""Discussions of a case among several experts, and each person's agenda of them."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from chevet.relay.accounts.users import User
from chevet.relay.api import shapes
from chevet.relay.api.guard import Discusser, Here, Reader, Specialist
from chevet.relay.archive.discussion_rows import (
    AGENDA,
    COMMENT,
    CONCLUSION,
    Discussion,
    Member,
    Said,
    Version,
)
from chevet.relay.archive.discussions import Appointment, Heard
from chevet.relay.archive.schema import users
from chevet.relay.discussions.rules import MOST_MEMBERS, may, may_be_invited
from chevet.relay.errors import RefusedError
from chevet.relay.relay import Relay

router = APIRouter(prefix="/api")
CASE = "/cases/{case_id}/discussions"
ONE = CASE + "/{discussion_id}"
Json = dict[str, Any]
MAX_TEXT = 8000
Ident = Annotated[str, Field(min_length=1, max_length=64)]
Words = Annotated[str, Field(max_length=MAX_TEXT)]
Something = Annotated[str, Field(min_length=1, max_length=MAX_TEXT, pattern=r"\S")]
Ms = Annotated[int, Field(ge=0, lt=2**53)]
People = Annotated[list[Ident], Field(max_length=MOST_MEMBERS)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class AgendaBody(_Body):
    """The appointment, and what is asked."""

    starts_ms: Ms
    questions: Words = ""


class OpenBody(AgendaBody):
    """A new discussion, and who is invited to it."""

    invite: People = []


class MemberBody(_Body):
    """Who is invited."""

    user: Ident


class DraftBody(_Body):
    """What is being written, "" for nothing more."""

    text: Words


class CommentBody(_Body):
    """What is said."""

    text: Something


class CloseBody(_Body):
    """What was concluded, and who took part without writing."""

    conclusion: Words = ""
    present: People = []


@router.get("/discussions")
def agenda(relay: Here, user: Discusser) -> Json:
    """List the discussions that the caller opened or is invited to, the newest first."""
    return {"discussions": [_appointment(relay, one, user) for one in relay.discussions.agenda(user)]}


@router.get("/experts")
def experts(relay: Here, user: Reader) -> Json:
    """List whom the caller may invite."""
    query = select(users).where(users.c.disabled_ms.is_(None), users.c.id != user.id).order_by(users.c.name)
    with relay.database.read() as view:
        found = view.execute(query).all()
    return {
        "people": [
            {"id": row.id, "name": row.name, "role": row.role, "specialty": row.specialty}
            for row in found
            if may_be_invited(user.role, row.role)
        ]
    }


@router.get(CASE)
def discussions(case_id: str, relay: Here, user: Specialist) -> Json:
    """Read the discussions of a case; who was invited has come from now on."""
    return _told(relay, case_id, user)


@router.post(CASE, status_code=201)
def open_discussion(case_id: str, body: OpenBody, relay: Here, user: Reader) -> Json:
    """Open a discussion and invite to it."""
    words = (body.starts_ms, body.questions.strip(), body.invite)
    return {"id": relay.discussions.open(case_id, user, *words)}


@router.put(ONE, status_code=204)
def plan(case_id: str, discussion_id: str, body: AgendaBody, relay: Here, user: Reader) -> None:
    """Move the appointment, or ask other questions."""
    relay.discussions.plan(case_id, discussion_id, user, body.starts_ms, body.questions.strip())


@router.post(ONE + "/members", status_code=204)
def invite(case_id: str, discussion_id: str, body: MemberBody, relay: Here, user: Reader) -> None:
    """Invite one person more."""
    relay.discussions.invite(case_id, discussion_id, user, body.user)


@router.delete(ONE + "/members/{user_id}", status_code=204)
def uninvite(case_id: str, discussion_id: str, user_id: str, relay: Here, user: Reader) -> None:
    """Take an invitation back."""
    relay.discussions.uninvite(case_id, discussion_id, user, user_id)


@router.put(ONE + "/draft", status_code=204)
def draft(case_id: str, discussion_id: str, body: DraftBody, relay: Here, user: Discusser) -> None:
    """Keep what the caller is writing."""
    relay.discussions.draft(case_id, discussion_id, user, body.text)


@router.post(ONE + "/comments", status_code=201)
def say(case_id: str, discussion_id: str, body: CommentBody, relay: Here, user: Discusser) -> Json:
    """Say something to everybody invited."""
    return {"id": relay.discussions.say(case_id, discussion_id, user, body.text.strip())}


@router.put(ONE + "/comments/{said_id}", status_code=204)
def amend(
    case_id: str, discussion_id: str, said_id: str, body: CommentBody, relay: Here, user: Discusser
) -> None:
    """Change what the caller said; the earlier version stays readable."""
    relay.discussions.amend(case_id, discussion_id, said_id, user, body.text.strip())


@router.delete(ONE + "/comments/{said_id}", status_code=204)
def take_back(case_id: str, discussion_id: str, said_id: str, relay: Here, user: Discusser) -> None:
    """Take back what the caller said; its versions stay readable."""
    relay.discussions.amend(case_id, discussion_id, said_id, user, None)


@router.post(ONE + "/close", status_code=204)
def close(case_id: str, discussion_id: str, body: CloseBody, relay: Here, user: Reader) -> None:
    """End a discussion with its conclusion."""
    relay.discussions.close(case_id, discussion_id, user, body.conclusion.strip(), body.present)


def _told(relay: Relay, case_id: str, user: User) -> Json:
    found = relay.discussions.read(case_id, user)
    return {"discussions": [_heard(one) for one in found]}


def _heard(one: Heard) -> Json:
    """Return a Discussion with its words."""
    who = one.standing
    agenda, concluded = (_last(one.said, kind) for kind in (AGENDA, CONCLUSION))
    return _bare(one.it) | {
        "sealed": one.sealed,
        "questions": agenda,
        "conclusion": concluded,
        "comments": [_comment(said) for said in one.said if said.kind == COMMENT],
        "draft": one.draft,
        "you": {"write": may("write", who), "lead": may("lead", who), "close": may("close", who)},
    }


def _last(said: tuple[Said, ...], kind: str) -> str:
    found = [one.versions[-1].text for one in said if one.kind == kind]
    return (found[-1] or "") if found else ""


def _bare(one: Discussion) -> Json:
    return {
        "id": one.id,
        "case": one.case_id,
        "state": one.state,
        "opened_by": {"id": one.opened_by[0], "name": one.opened_by[1]},
        "opened_ms": one.opened_ms,
        "starts_ms": one.starts_ms,
        "until_ms": one.until_ms,
        "closed_ms": one.closed_ms,
        "members": [_member(each) for each in one.members],
    }


def _member(one: Member) -> Json:
    return {
        "id": one.user,
        "name": one.name,
        "role": one.role,
        "specialty": one.specialty,
        "invited_ms": one.invited_ms,
        "came_ms": one.came_ms,
        "took_part": one.part_ms is not None,
        "left": one.left_ms is not None,
    }


def _comment(one: Said) -> Json:
    return {
        "id": one.id,
        "author": {"id": one.author[0], "name": one.author[1]},
        "at_ms": one.versions[0].at_ms,
        "text": one.versions[-1].text,
        "versions": [_version(each) for each in one.versions],
    }


def _version(one: Version) -> Json:
    return {"version": one.number, "at_ms": one.at_ms, "text": one.text}


def _appointment(relay: Relay, one: Appointment, user: User) -> Json:
    """Return a discussion of the agenda, with what the caller may still see of its case."""
    return _bare(one.it) | {"sealed": one.place.sealed, "new": one.new, "about": _about(relay, one, user)}


def _about(relay: Relay, one: Appointment, user: User) -> Json | None:
    live = one.it.state in ("planned", "running")
    if one.place.sealed or (user.role == "expert" and not live):
        return None
    try:
        with relay.database.read() as view:
            case = relay.cases.get(view, one.it.case_id)
    except RefusedError:
        return None
    study = case.study
    return {
        "reason": study.reason,
        "specialty": study.specialty,
        "urgency": study.urgency,
        "patient": {"sex": study.patient.sex, "age": shapes.age(study)},
        "site": {"code": case.site, "name": case.site_name},
        "simulated": case.simulated,
    }
