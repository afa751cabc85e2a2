"""The inbox, one case, claiming, how it travelled, and what was refused."""

from typing import Any

from fastapi import APIRouter

from chevet.relay.accounts.users import User
from chevet.relay.api import shapes
from chevet.relay.api.answer_drafts import draft_of
from chevet.relay.api.drawings import drawing
from chevet.relay.api.guard import Here, Overseer, Reader, Specialist
from chevet.relay.archive.cases import Arrival, Case
from chevet.relay.archive.dead_letters import letters
from chevet.relay.archive.delivery import arrivals, delivery
from chevet.relay.archive.drawings import drawings_of
from chevet.relay.archive.earlier import earlier_cases
from chevet.relay.archive.stock import stock_of
from chevet.relay.relay import Relay

router = APIRouter(prefix="/api")
Json = dict[str, Any]


@router.get("/inbox")
def inbox(relay: Here, user: Reader) -> Json:
    """List the cases: urgent first, then oldest first; then those put off; answered last."""
    now = relay.now_ms()
    found = relay.cases.inbox(user)
    return {"cases": [inbox_case(case, now) for case in found], "waiting": relay.cases.waiting()}


@router.get("/cases/{case_id}")
def case(case_id: str, relay: Here, user: Specialist) -> Json:
    """Open a case; the first opening by a specialist tells the site."""
    return desk_case(relay, relay.cases.open(case_id, user), user)


@router.get("/cases/{case_id}/earlier")
def earlier(case_id: str, relay: Here, user: Specialist) -> Json:
    """List earlier visits of the same patient at the same site, the newest first."""
    found = earlier_cases(relay.database, relay.cases, case_id, user)
    return {"visits": [earlier_visit(relay, one) for one in found]}


@router.post("/cases/{case_id}/claim")
def claim(case_id: str, relay: Here, user: Specialist) -> Json:
    """Take a case to answer."""
    return desk_case(relay, relay.cases.claim(case_id, user), user)


@router.post("/cases/{case_id}/release")
def release(case_id: str, relay: Here, user: Specialist) -> Json:
    """Give a claimed case back."""
    return desk_case(relay, relay.cases.release(case_id, user), user)


@router.get("/cases/{case_id}/delivery")
def road(case_id: str, relay: Here, user: Overseer) -> Json:
    """Tell how the case travelled; holds no patient data."""
    with relay.database.read() as connection:
        found = delivery(connection, relay.cases.get(connection, case_id))
    relay.cases.note(user, "delivery.read", case_id)
    return {
        "manifest_ms": found.manifest_ms,
        "layers_ms": {str(layer): at for layer, at in found.layers_ms.items()},
        "complete_ms": found.complete_ms,
        "bytes_up": found.bytes_up,
        "bytes_down": found.bytes_down,
        "sha256": found.sha256,
        "refused": found.refused,
        "wanted_ms": found.wanted_ms,
        "back": [
            {"id": one.id, "kind": one.kind, "queued_ms": one.queued_ms, "at_site_ms": one.at_site_ms}
            for one in found.back
        ],
    }


@router.post("/cases/{case_id}/want", status_code=204)
def want(case_id: str, relay: Here, user: Specialist) -> None:
    """Ask for what is missing of a case now: the site sends it before the bulk of its other cases."""
    relay.cases.want(case_id, user)


@router.get("/refused")
def refused(relay: Here, _user: Overseer) -> Json:
    """List what was refused, newest first, each with its coded reason."""
    with relay.database.read() as connection:
        found = letters(connection)
    return {
        "bundles": [
            {"id": one.id, "site": one.site, "reason": one.reason, "at_ms": one.at_ms} for one in found
        ]
    }


def inbox_case(one: Case, now_ms: int) -> Json:
    """Return an InboxCase."""
    study = one.study
    marks = [recording.quality for recording in study.recordings]
    return {
        "id": one.id,
        "site": {"code": one.site, "name": one.site_name},
        "patient": {"sex": study.patient.sex, "age": shapes.age(study)},
        "reason": study.reason,
        "question": study.question,
        "specialty": study.specialty,
        "urgency": study.urgency,
        "state": one.state,
        "received_ms": one.received_ms,
        "age_s": max(0, now_ms - one.received_ms) // 1000,
        "claimed_by": {"id": one.claimed_by[0], "name": one.claimed_by[1]} if one.claimed_by else None,
        "language": study.language,
        "due_ms": one.due_ms,
        "allocated_to": {"id": one.allocated_to[0], "name": one.allocated_to[1]}
        if one.allocated_to
        else None,
        "snoozed": {"until_ms": one.snoozed[0], "why": one.snoozed[1]} if one.snoozed else None,
        "layers": {str(layer): {"have": a.have, "total": a.total} for layer, a in one.layers.items()},
        "quality": min((mark.score for mark in marks), default=1.0),
        "usable": all(mark.usable for mark in marks),
        "simulated": one.simulated,
    }


def desk_case(relay: Relay, one: Case, reader: User) -> Json:
    """Return a DeskCase; the draft of an answer is in it for who writes it alone."""
    study, said = one.study, relay.answers.conversation(one.id)
    with relay.database.read() as connection:
        drawn = [drawing(each) for each in drawings_of(connection, one.id)]
        medicines = stock_of(connection, one.site)
    return inbox_case(one, relay.now_ms()) | {
        "patient": shapes.patient(study.patient) | {"age": shapes.age(study)},
        "language": study.language,
        "consent": shapes.consent(study.consent),
        "vitals": [shapes.vital(vital) for vital in study.vitals],
        "recordings": _recordings(relay, one),
        "opinions": [shapes.opinion(opinion, verified=holds) for opinion, holds in said.opinions],
        "messages": [shapes.message(message, verified=holds) for message, holds in said.messages],
        "closed": shapes.clock(study.closed),
        "drawings": drawn,
        "stock": medicines,
        "draft": draft_of(relay, one.id, reader) if (one.claimed_by or ("",))[0] == reader.id else None,
    }


def earlier_visit(relay: Relay, one: Case) -> Json:
    """Return an EarlierVisit: what was recorded then, without who it was."""
    study = one.study
    return {
        "id": one.id,
        "closed_ms": study.closed.wall_ms,
        "reason": study.reason,
        "age": shapes.age(study),
        "simulated": one.simulated,
        "vitals": [shapes.vital(vital) for vital in study.vitals],
        "recordings": _recordings(relay, one),
    }


def _recordings(relay: Relay, one: Case) -> list[Json]:
    with relay.database.read() as connection:
        layers = arrivals(connection, one)
    return [
        shapes.recording(item, one.shapes[item.id]) | {"layers": _layers(layers[item.id])}
        for item in one.study.recordings
    ]


def _layers(found: dict[int, Arrival]) -> Json:
    return {str(layer): {"have": a.have, "total": a.total, "bytes": a.bytes} for layer, a in found.items()}
