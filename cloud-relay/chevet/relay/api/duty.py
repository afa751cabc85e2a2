"""Allocation, handing over, putting off; times on call; how one is reached."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from chevet.relay.accounts.users import User, find
from chevet.relay.api.guard import Allowed, Here, Reader, SignedIn, Specialist
from chevet.relay.api.inbox import desk_case, inbox_case
from chevet.relay.archive import duty
from chevet.relay.archive.alerts import failed
from chevet.relay.archive.allocation import LONGEST_SNOOZE
from chevet.relay.duty.rules import Need, Person, ranked
from chevet.relay.errors import RefusedError

router = APIRouter(prefix="/api")
Json = dict[str, Any]
Coordinator = Annotated[User, Depends(Allowed("coordinator"))]
Ms = Annotated[int, Field(ge=0, lt=2**53)]
Ident = Annotated[str, Field(min_length=1, max_length=64)]
SHOWN = 5
"""Specialists proposed for one case."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class AllocationBody(_Body):
    """Whom to ask, null to ask nobody any more."""

    to: Ident | None


class HandoverBody(_Body):
    """The colleague who takes it."""

    to: Ident


class SnoozeBody(_Body):
    """How long a case is put off, and why; 0 minutes take it up again."""

    minutes: Annotated[int, Field(ge=0, le=LONGEST_SNOOZE)]
    why: Literal[
        "waiting_for_site", "waiting_for_retake", "waiting_for_colleague", "waiting_for_result", "later_today"
    ]


class OnCallBody(_Body):
    """A time on call."""

    user: Ident
    from_ms: Ms
    until_ms: Ms


class ContactBody(_Body):
    """Where alerts go, "" for nowhere."""

    email: Annotated[str, Field(max_length=254)]


@router.get("/colleagues")
def colleagues(relay: Here, _user: Reader) -> Json:
    """List who answers cases, with duty and load."""
    return {"people": [person(one) for one in relay.allocation.people()]}


@router.get("/allocation")
def allocation(relay: Here, user: Coordinator) -> Json:
    """Propose specialists for every case that nobody has claimed, and tell which alerts reached nobody."""
    people = relay.allocation.people()
    free = [one for one in relay.cases.inbox(user) if one.answered_ms is None and one.claimed_by is None]
    with relay.database.read() as connection:
        lost = failed(connection)
    return {
        "people": [person(one) for one in people],
        "proposals": {
            one.id: [
                {"id": choice.person.id, "why": list(choice.why)}
                for choice in ranked(Need(one.study.specialty, one.study.language), people)[:SHOWN]
            ]
            for one in free
        },
        "failed": [
            {"case": one.case_id, "step": one.rung, "to": one.to, "problem": one.problem, "at_ms": one.at_ms}
            for one in lost
        ],
        "automatic": relay.settings.allocation == "automatic",
    }


@router.post("/cases/{case_id}/allocation")
def allocate(case_id: str, body: AllocationBody, relay: Here, user: Coordinator) -> Json:
    """Ask one specialist to answer a case."""
    return inbox_case(relay.allocation.allocate(case_id, body.to, user), relay.now_ms())


@router.post("/cases/{case_id}/handover")
def hand_over(case_id: str, body: HandoverBody, relay: Here, user: Specialist) -> Json:
    """Give a case one has claimed to a colleague."""
    return desk_case(relay, relay.allocation.hand_over(case_id, body.to, user), user)


@router.post("/cases/{case_id}/snooze")
def snooze(case_id: str, body: SnoozeBody, relay: Here, user: Specialist) -> Json:
    """Put a case off with a reason."""
    return desk_case(relay, relay.allocation.snooze(case_id, body.minutes, body.why, user), user)


@router.get("/on-call")
def on_call(relay: Here, _user: Reader) -> Json:
    """List times on call that are not over, the earliest first."""
    with relay.database.read() as connection:
        found = duty.calendar(connection, relay.now_ms())
    return {
        "times": [
            {
                "number": one.number,
                "user": {"id": one.user, "name": one.name},
                "specialty": one.specialty,
                "from_ms": one.from_ms,
                "until_ms": one.until_ms,
            }
            for one in found
        ]
    }


@router.post("/on-call", status_code=201)
def put_on_call(body: OnCallBody, relay: Here, user: Coordinator) -> Json:
    """Write a time on call down."""
    if not 0 < body.until_ms - body.from_ms <= duty.LONGEST_MS:
        raise RefusedError(422, "invalid", "A time on call ends after it begins, within a month.", "until_ms")
    with relay.database.write() as connection:
        known = find(connection, body.user)
        if known is None or known.role != "specialist":
            raise RefusedError(422, "no_specialist", "Choose a specialist of the list.", "user")
        number = duty.put_on_call(connection, body.user, body.from_ms, body.until_ms)
        relay.audit.add(connection, relay.now_ms(), user.id, "on_call.add", body.user, str(number))
    return {"number": number}


@router.delete("/on-call/{number}", status_code=204)
def take_off_call(number: Annotated[int, Path(ge=0, lt=2**31)], relay: Here, user: Coordinator) -> None:
    """Remove a time on call."""
    with relay.database.write() as connection:
        if not duty.take_off_call(connection, number):
            raise RefusedError(404, "not_found", "There is no such time on call: reload the list.")
        relay.audit.add(connection, relay.now_ms(), user.id, "on_call.remove", "", str(number))


@router.get("/contact")
def contact(relay: Here, user: SignedIn) -> Json:
    """Tell where the caller's alerts go."""
    with relay.database.read() as connection:
        return {"email": duty.address_of(connection, user.id), "mail": bool(relay.settings.smtp_host)}


@router.put("/contact")
def set_contact(body: ContactBody, relay: Here, user: SignedIn) -> Json:
    """Say where the caller's alerts go."""
    if body.email and not duty.usable_address(body.email):
        raise RefusedError(422, "invalid", "This is no e-mail address: name@host.example.", "email")
    with relay.database.write() as connection:
        duty.set_address(connection, user.id, body.email)
        relay.audit.add(connection, relay.now_ms(), user.id, "contact.set", user.id)
    return {"email": body.email, "mail": bool(relay.settings.smtp_host)}


def person(one: Person) -> Json:
    """Return a specialist as lists show them."""
    return {
        "id": one.id,
        "name": one.name,
        "specialty": one.specialty,
        "languages": list(one.languages),
        "on_call": one.on_call,
        "load": one.load,
    }
